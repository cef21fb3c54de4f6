"""Training that is told which detector's noise to learn from."""

import json
from dataclasses import asdict, replace

import pytest
from torch.nn import Identity

from pose3d_cli.errors import SettingsError
from pose3d_cli.files.mocap_pack import read_pack
from pose3d_cli.learn.checkpoint import load_checkpoint
from pose3d_cli.learn.generated_motion import GeneratedMotion
from pose3d_cli.learn.pretrain_settings import PretrainSettings
from pose3d_cli.learn.recipe import read_recipe
from pose3d_cli.learn.synthetic.noise_file import find_noise, write_noise
from pose3d_cli.learn.train import train
from pose3d_cli.lift import weights
from tests.motion import TINY, quiet, tiny_pack
from tests.recordings import on_offer, turning

GAUSSIAN = replace(TINY, detector_noise="gaussian")


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return tiny_pack(tmp_path_factory.mktemp("mocap"))


@pytest.fixture(scope="module")
def motion(data):
    clips = {split: read_pack(data, split) for split in ("train", "val")}
    return GeneratedMotion(clips=clips["train"], held_out_clips=clips["val"], frames=9)


@pytest.mark.parametrize("step", [0, TINY.single_steps])
def test_a_run_learns_from_the_noise_it_is_told_in_both_phases(motion, step):
    def learnt(settings):
        supervised = motion.supervised(Identity(), settings, processes=1, draw_apart=False)
        return supervised.batches.get(step, 0)

    plain, usual = learnt(GAUSSIAN), learnt(TINY)
    assert (plain.score == 1).all()
    assert not (usual.score == 1).all()
    assert (plain.pose == usual.pose).all() or plain.pose.allclose(usual.pose, atol=1e-4)


def test_pre_training_sees_the_noise_it_is_told(motion):
    def seen(settings):
        return motion.views(settings, PretrainSettings(), processes=1).generator.config.detector

    assert seen(GAUSSIAN) == find_noise("gaussian")
    assert seen(TINY) == find_noise("measured")


def test_what_runs_are_compared_by_has_the_same_noise_in_all_of_them(motion):
    assert motion.held_out(GAUSSIAN).x.equal(motion.held_out(TINY).x)
    assert motion.probed(GAUSSIAN).x.equal(motion.probed(TINY).x)


def test_weights_and_checkpoints_say_the_noise(data, tmp_path):
    settings = replace(GAUSSIAN, steps=1, single_frames=0.0)
    report = train(settings, data=data, out=tmp_path, watch=quiet, device="cpu")
    about = weights.describe(report.weights)
    assert "detector noise gaussian" in about.data
    told = json.loads(about.more["detector_noise"])
    assert told == json.loads(json.dumps(asdict(find_noise("gaussian"))))
    state = load_checkpoint(tmp_path / "checkpoint.pt")
    assert state["settings"]["detector_noise"] == "gaussian"
    with pytest.raises(SettingsError, match="detector_noise gaussian -> measured"):
        train(
            replace(settings, detector_noise="measured"),
            data=data,
            out=tmp_path,
            watch=quiet,
            device="cpu",
        )


def test_a_file_that_changed_makes_another_run(data, tmp_path):
    path = tmp_path / "mine.toml"
    noise = find_noise("measured")
    write_noise(path, noise)
    settings = replace(TINY, detector_noise=str(path), steps=1, single_frames=0.0)
    places = {"data": data, "out": tmp_path / "run", "watch": quiet, "device": "cpu"}
    assert "detector noise mine" in weights.describe(train(settings, **places).weights).data
    write_noise(path, replace(noise, marks=replace(noise.marks, face_only=0.5)))
    with pytest.raises(SettingsError, match="began with another --detector-noise"):
        train(settings, **places)


def test_a_noise_that_there_is_not_is_told_before_anything_is_made(pose3d, data, tmp_path):
    flags = ("--data", data, "--preset", "tiny", "-o", tmp_path / "run")
    told = pose3d("train", *flags, "--detector-noise", "mesured", code=2).stderr
    assert "no 'mesured'; did you mean 'measured'" in told
    assert not (tmp_path / "run").exists()


def test_of_a_data_set_the_2d_is_learnt_from_as_it_is(monkeypatch, tmp_path):
    choice = on_offer(monkeypatch, tmp_path, train=[turning()])
    with pytest.raises(SettingsError, match=r"--detector-noise gaussian.*leave it out"):
        train(GAUSSIAN, data=choice, out=tmp_path / "run", watch=quiet, device="cpu")


def test_the_recipe_compares_noises_that_differ_in_nothing_else():
    recipe = read_recipe("ablation-noise")
    noises = {"gaussian", "measured", "blazepose"}
    assert set(recipe.compare) == noises | {f"mlp-{noise}" for noise in noises}
    for run in recipe.runs:
        assert run.variant.removeprefix("mlp-") == run.settings.detector_noise
    alike = {replace(run.settings, detector_noise="", seed=0) for run in recipe.runs}
    assert len(alike) == 2
    assert len(recipe.runs) == 2 * len(recipe.compare)

import json
import math
import os
import signal
from dataclasses import replace

import pytest
import torch

from pose3d_cli.errors import DivergedError, InputError, OutputError, SettingsError
from pose3d_cli.files.mocap_pack import read_pack, write_pack
from pose3d_cli.learn.checkpoint import load_checkpoint, save_checkpoint
from pose3d_cli.learn.log import RunLog
from pose3d_cli.learn.loop import Loop
from pose3d_cli.learn.losses import position_error, scale_free_error, velocity_error
from pose3d_cli.learn.objectives.supervised import Supervised
from pose3d_cli.learn.schedule import learning_rate
from pose3d_cli.learn.settings import TrainSettings
from pose3d_cli.learn.train import train
from pose3d_cli.lift import weights
from pose3d_cli.lift.shelf import LIFTERS
from tests.disk import no_file_longer_than
from tests.motion import TINY, quiet, tiny_pack


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return tiny_pack(tmp_path_factory.mktemp("mocap"))


def tensors(path):
    return weights.load(path).state_dict()


def test_a_run_writes_weights_log_and_curves_that_say_what_they_are(data, tmp_path):
    report = train(TINY, data=data, out=tmp_path, watch=quiet, device="cpu")
    assert report.weights == tmp_path / "weights.safetensors"
    about = weights.describe(report.weights)
    assert about.measured == {key: round(v, 2) for key, v in report.held_out.items()}
    assert "CC0" in about.licence
    rows = [json.loads(line) for line in (tmp_path / "log.jsonl").read_text().splitlines()]
    assert [row["step"] for row in rows] == [4, 8]
    assert (tmp_path / "curves.png").read_bytes().startswith(b"\x89PNG")


class KilledError(Exception):
    pass


def test_a_killed_run_goes_on_to_the_very_same_weights(data, tmp_path):
    whole = train(TINY, data=data, out=tmp_path / "whole", watch=quiet, device="cpu")

    def kill(progress):
        if progress.step == 7:  # one step after a checkpoint, in the second phase
            raise KilledError

    with pytest.raises(KilledError):
        train(TINY, data=data, out=tmp_path / "cut", watch=kill, device="cpu")
    again = train(TINY, data=data, out=tmp_path / "cut", watch=quiet, device="cpu")
    assert again.resumed
    for name, value in tensors(whole.weights).items():
        torch.testing.assert_close(tensors(again.weights)[name], value, rtol=0, atol=0)
    logs = [(tmp_path / run / "log.jsonl").read_text().splitlines() for run in ("whole", "cut")]
    assert len(logs[0]) == len(logs[1]) == 2


def test_time_that_runs_out_leaves_a_checkpoint_and_no_weights(data, tmp_path):
    report = train(TINY, data=data, out=tmp_path, watch=quiet, device="cpu", time_budget_s=0.0)
    assert report.weights is None
    assert report.step == 1
    assert (tmp_path / "checkpoint.pt").exists()
    assert not (tmp_path / "weights.safetensors").exists()


def test_weights_are_taken_from_a_stopped_run_and_it_can_still_go_on(data, tmp_path):
    places = {"data": data, "watch": quiet, "device": "cpu"}
    whole = train(TINY, **places, out=tmp_path / "whole").weights
    train(TINY, **places, out=tmp_path / "cut", time_budget_s=0.0)
    taken = train(TINY, **places, out=tmp_path / "cut", finish=True)
    assert (taken.step, taken.steps) == (1, TINY.steps)
    learnt = load_checkpoint(tmp_path / "cut" / "checkpoint.pt")["network"]
    for name, value in tensors(taken.weights).items():
        torch.testing.assert_close(value.half(), learnt[name].half(), rtol=0, atol=0)
    about = weights.describe(taken.weights)
    assert about.more["steps"] == "1"
    assert about.measured["mpjpe_mm"] == pytest.approx(taken.held_out["mpjpe_mm"], abs=0.01)
    ended = train(TINY, **places, out=tmp_path / "cut")
    assert ended.step == TINY.steps
    assert ended.weights.read_bytes() == whole.read_bytes()


def test_a_folder_without_a_run_has_nothing_to_finish(pose3d, data, tmp_path):
    flags = ("--data", data, "-o", tmp_path / "none", "--finish")
    assert "no stopped run" in pose3d("train", *flags, code=3).stderr
    assert not (tmp_path / "none").exists()
    flags = ("--data", tmp_path / "none", "-o", tmp_path / "none", "--finish")
    recipe = pose3d("train", *flags, "--recipe", "xs-27-cpu", code=2)
    assert "--finish ends a single run" in recipe.stderr


def test_a_planned_run_takes_its_steps_from_the_time_and_keeps_them(data, tmp_path):
    first = train(
        TINY, data=data, out=tmp_path, watch=quiet, device="cpu", time_budget_s=0.5, plan=True
    )
    again = train(
        TINY, data=data, out=tmp_path, watch=quiet, device="cpu", time_budget_s=9.0, plan=True
    )
    assert again.steps == first.steps


def test_other_settings_in_the_same_folder_are_refused(data, tmp_path):
    train(TINY, data=data, out=tmp_path, watch=quiet, device="cpu", time_budget_s=0.0)
    changed = TrainSettings(**{**vars(TINY), "lr": 0.5})
    with pytest.raises(SettingsError, match=r"lr 0.001 -> 0.5"):
        train(changed, data=data, out=tmp_path, watch=quiet, device="cpu")


def test_another_start_in_the_same_folder_is_refused(data, tmp_path):
    first = train(TINY, data=data, out=tmp_path / "first", watch=quiet, device="cpu").weights
    again = {"settings": TINY, "out": tmp_path / "run", "watch": quiet, "device": "cpu"}
    train(**again, data=data, init=first, time_budget_s=0.0)
    with pytest.raises(SettingsError, match="began with another --init; give the same"):
        train(**again, data=data)
    write_pack(tmp_path / "fewer", [clip for clip in read_pack(data) if clip.name != "train0"])
    with pytest.raises(SettingsError, match="began with another --data; give the same"):
        train(**again, data=tmp_path / "fewer", init=first)
    assert train(**again, data=data, init=first).resumed


def test_a_damaged_checkpoint_is_told_in_words(data, tmp_path):
    (tmp_path / "checkpoint.pt").write_bytes(b"nonsense")
    with pytest.raises(InputError, match="cannot be read as a checkpoint"):
        train(TINY, data=data, out=tmp_path, watch=quiet, device="cpu")


@pytest.mark.parametrize("text", ["notes on a run\n", "hello\n", ""])
def test_a_text_file_in_place_of_a_checkpoint_is_told_in_words(tmp_path, text):
    (tmp_path / "checkpoint.pt").write_text(text)
    with pytest.raises(InputError, match=r"checkpoint\.pt: cannot be read as a checkpoint"):
        load_checkpoint(tmp_path / "checkpoint.pt")


def test_a_checkpoint_of_another_version_or_stage_is_told_as_such(data, tmp_path):
    path = tmp_path / "checkpoint.pt"
    torch.save({"format": "pose3d-checkpoint/1"}, path)
    with pytest.raises(InputError, match=r"of another version of pose3d \(pose3d-checkpoint/1\)"):
        load_checkpoint(path)
    path.unlink()
    train(TINY, data=data, out=tmp_path, watch=quiet, device="cpu", time_budget_s=0.0)
    with pytest.raises(SettingsError, match="a run of --stage finetune; --stage pretrain needs an"):
        train(replace(TINY, stage="pretrain"), data=data, out=tmp_path, watch=quiet, device="cpu")


def test_a_checkpoint_that_lacks_something_says_what(tmp_path):
    save_checkpoint(tmp_path / "checkpoint.pt", TINY, {}, {"step": 3})
    with pytest.raises(InputError, match=r"lacks network, optimiser, .*; delete it"):
        load_checkpoint(tmp_path / "checkpoint.pt")


def test_a_disk_that_fills_up_keeps_the_last_good_checkpoint(data, tmp_path):
    train(TINY, data=data, out=tmp_path, watch=quiet, device="cpu", time_budget_s=0.0)
    with (
        no_file_longer_than((tmp_path / "checkpoint.pt").stat().st_size // 2),
        pytest.raises(OutputError, match=r"checkpoint\.pt: cannot be written .*folder with -o"),
    ):
        train(TINY, data=data, out=tmp_path, watch=quiet, device="cpu")
    assert load_checkpoint(tmp_path / "checkpoint.pt")["step"] == 1
    assert not [path for path in tmp_path.iterdir() if path.name.startswith(".")]
    assert train(TINY, data=data, out=tmp_path, watch=quiet, device="cpu").resumed


def test_a_log_that_cannot_be_written_says_so(tmp_path):
    (tmp_path / "run").mkdir()
    log = RunLog(tmp_path / "run" / "log.jsonl", 0)
    log.path.unlink()
    log.path.parent.rmdir()
    with pytest.raises(OutputError, match=r"log\.jsonl: there is no folder"):
        log.add({"step": 1})


def test_a_resumed_log_keeps_the_steps_that_are_done(tmp_path):
    path = tmp_path / "log.jsonl"
    path.write_text("".join(f'{{"step": {step}}}\n' for step in (2, 4, 6)))
    assert [row["step"] for row in RunLog(path, 4).rows] == [2, 4]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *((name, 0) for name in ("checkpoint_every", "batch", "validate_every")),
        *(
            (name, value)
            for name in ("rate_hz", "lr", "window_lr", "clip")
            for value in (0.0, -1.0, math.nan, math.inf)
        ),
        *(
            (name, value)
            for name in ("learnt_lr", "final_lr", "weight_decay", "scale_loss", "velocity_loss")
            for value in (-0.1, math.nan, math.inf)
        ),
        ("warmup", -1),
        ("seed", -1),
        ("seed", 2**63),
        ("single_frames", math.nan),
    ],
)
def test_settings_that_make_no_sense_are_refused_by_name(name, value):
    with pytest.raises(ValueError, match=rf"^{name} \("):
        TrainSettings(**{name: value})


def test_init_starts_from_weights_of_the_same_network_only(data, tmp_path):
    first = train(TINY, data=data, out=tmp_path / "a", watch=quiet, device="cpu")
    still = {"steps": 1, "single_frames": 0.0, "window_lr": 1e-12}
    settings = TrainSettings(**{**vars(TINY), **still})
    more = {"data": data, "watch": quiet, "device": "cpu"}
    again = train(settings, out=tmp_path / "b", init=first.weights, **more).weights
    fresh = train(settings, out=tmp_path / "d", **more).weights
    begun, gone_on, other = (
        tensors(path)["embed.weight"] for path in (first.weights, again, fresh)
    )
    torch.testing.assert_close(gone_on, begun)
    assert not torch.allclose(other, begun, atol=1e-3)
    said = weights.describe(again).data
    assert said.count("motion clips through the pose3d generator") == 2
    with pytest.raises(SettingsError, match="holds another network than --preset xs"):
        train(
            TrainSettings(preset="xs"),
            data=data,
            out=tmp_path / "c",
            watch=quiet,
            device="cpu",
            init=first.weights,
        )


def test_an_unknown_preset_names_the_known_ones(data, tmp_path):
    with pytest.raises(SettingsError, match="dualstream has no 'huge'"):
        train(TrainSettings(preset="huge"), data=data, out=tmp_path, watch=quiet, device="cpu")


def test_a_loss_that_is_no_number_stops_the_run(data, tmp_path):
    settings = TrainSettings(**{**vars(TINY), "lr": 1e30, "window_lr": 1e30})
    with pytest.raises(DivergedError, match="the loss is"):
        train(settings, data=data, out=tmp_path, watch=quiet, device="cpu")


def test_training_lowers_the_held_out_error(data, tmp_path):
    settings = TrainSettings(
        **{**vars(TINY), "steps": 60, "single_frames": 1.0, "lr": 2e-2, "validate_every": 10}
    )
    seen = []
    train(settings, data=data, out=tmp_path, watch=lambda p: seen.append(p.held_out), device="cpu")
    errors = [held["mpjpe_mm"] for held in seen if held]
    assert errors[-1] < 0.9 * errors[0]


def test_the_rate_rises_then_falls_in_each_phase():
    s = TrainSettings(steps=1000, single_frames=0.5, warmup=50, lr=1e-3, window_lr=4e-4)
    assert learning_rate(0, s) < learning_rate(49, s) == pytest.approx(1e-3)
    assert learning_rate(499, s) == pytest.approx(2e-5, rel=0.01)
    assert learning_rate(549, s) == pytest.approx(4e-4)
    assert learning_rate(999, s) == pytest.approx(8e-6, rel=0.01)


def test_losses_of_known_poses():
    truth = torch.randn(2, 5, 17, 3)
    shifted = truth + torch.tensor([0.0, 0.3, 0.4])
    assert position_error(shifted, truth).item() == pytest.approx(0.5, abs=1e-5)
    assert velocity_error(shifted, truth).item() == pytest.approx(0, abs=1e-5)
    assert scale_free_error(truth * 3, truth).item() == pytest.approx(0, abs=1e-5)
    drifting = truth + torch.arange(5.0).view(1, 5, 1, 1) * torch.tensor([0.1, 0, 0])
    assert velocity_error(drifting, truth).item() == pytest.approx(0.1, abs=1e-5)


@pytest.mark.parametrize(("single", "ratio"), [(0.5, TINY.learnt_lr), (1.0, 1.0)])
def test_what_frames_alone_have_taught_learns_slowly_once_time_is_added(
    data, tmp_path, single, ratio
):
    settings = TrainSettings(**{**vars(TINY), "single_frames": single})
    entry = LIFTERS.get("dualstream")
    network = entry.network(entry.presets["tiny"])
    loop = Loop(
        network=network,
        objective=Supervised.from_clips(network, read_pack(data, "train"), 9, settings),
        settings=settings,
        folder=tmp_path,
        device=torch.device("cpu"),
        validate=lambda step: {},
    )
    loop.run(quiet)
    rates = {group["is_over_time"]: group["lr"] for group in loop.optimiser.groups}
    assert rates[False] / rates[True] == pytest.approx(ratio)
    counted = sum(len(group["params"]) for group in loop.optimiser.groups)
    assert counted == len(list(network.parameters()))


def test_an_interrupt_waits_for_the_end_of_a_step(data, tmp_path):
    whole = train(TINY, data=data, out=tmp_path / "whole", watch=quiet, device="cpu")
    entry = LIFTERS.get("dualstream")
    torch.manual_seed(TINY.seed)
    network = entry.network(entry.presets["tiny"])
    inner = Supervised.from_clips(network, read_pack(data, "train"), 9, TINY)

    class Interrupted:
        """Is interrupted while it draws the sixth batch."""

        def __getattr__(self, name):
            return getattr(inner, name)

        waited_s = 0.0

        def losses(self, step, part, device):
            losses = inner.losses(step, part, device)
            if step == 5:
                os.kill(os.getpid(), signal.SIGINT)
            return losses

        def after_step(self):
            inner.after_step()

        def state(self):
            return inner.state()

        def set_state(self, state):
            inner.set_state(state)

    torch.manual_seed(TINY.seed)
    loop = Loop(
        network=network,
        objective=Interrupted(),
        settings=TINY,
        folder=tmp_path,
        device=torch.device("cpu"),
        validate=lambda step: {},
        origin=load_checkpoint(tmp_path / "whole" / "checkpoint.pt")["origin"],
    )
    with pytest.raises(KeyboardInterrupt):
        loop.run(quiet)
    assert loop.step == 6
    again = train(TINY, data=data, out=tmp_path, watch=quiet, device="cpu")
    for name, value in tensors(whole.weights).items():
        torch.testing.assert_close(tensors(again.weights)[name], value, rtol=0, atol=0)


def test_a_finished_run_given_again_keeps_its_figures(data, tmp_path):
    first = train(TINY, data=data, out=tmp_path, watch=quiet, device="cpu")
    again = train(TINY, data=data, out=tmp_path, watch=quiet, device="cpu")
    assert again.held_out == first.held_out != {}
    assert weights.describe(again.weights).measured != {}

"""Masked self-distillation: what it learns from, what moves, and when it stops."""

from __future__ import annotations

import copy
import json
from dataclasses import replace

import pytest
import torch

from pose3d_cli.errors import DivergedError, InputError, SettingsError, WeightsError
from pose3d_cli.files.keypoints import write_keypoints
from pose3d_cli.files.mocap_pack import read_pack
from pose3d_cli.learn.header import notes_on_test_2d
from pose3d_cli.learn.keypoint_windows import MixedWindows
from pose3d_cli.learn.objectives.selfdistill import SelfDistill, Student
from pose3d_cli.learn.pretrain_settings import PretrainSettings
from pose3d_cli.learn.settings import TrainSettings
from pose3d_cli.learn.synthetic.generator import Generator, GeneratorConfig
from pose3d_cli.learn.train import train
from pose3d_cli.lift import weights
from pose3d_cli.lift.shelf import LIFTERS
from pose3d_cli.lift.windowed import WindowedLifter
from tests.motion import TINY as FINETUNE
from tests.motion import quiet, tiny_pack
from tests.nets import Compiled, walker

CPU = torch.device("cpu")
TINY = replace(FINETUNE, stage="pretrain")


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return tiny_pack(tmp_path_factory.mktemp("mocap"))


@pytest.fixture
def distill(data):
    return make(data)


def make(data, **changes):
    torch.manual_seed(0)
    entry = LIFTERS.get("dualstream")
    network = entry.network(entry.presets["tiny"])
    pretrain = PretrainSettings(**changes)
    channels = 2 if pretrain.target == "coordinates" else 16
    student = Student(network, channels, own_token=pretrain.token == "own")
    source = Generator(read_pack(data, "train"), GeneratorConfig(frames=9))
    return SelfDistill(student, MixedWindows(source), TINY, pretrain)


def run(settings, data, out, **more):
    return train(settings, data=data, out=out, watch=quiet, device="cpu", **more)


def step(distill, number=0):
    optimiser = torch.optim.SGD(distill.student.parameters(), lr=0.1)
    distill.student.train()
    losses = distill.losses(number, 0, CPU)
    losses["total"].backward()
    optimiser.step()
    distill.after_step()
    return losses


def test_the_teacher_follows_the_student_and_gets_no_gradient(distill):
    distill.pretrain = PretrainSettings(ema_start=0.75, ema_end=0.75)
    step(distill)  # the first average is a copy
    before = copy.deepcopy(dict(distill.teacher.module.named_parameters()))
    step(distill, 1)
    for name, student in distill.student.encoder.named_parameters():
        teacher = dict(distill.teacher.module.named_parameters())[name]
        torch.testing.assert_close(teacher, 0.75 * before[name] + 0.25 * student)
        assert teacher.grad is None
    moved = distill.teacher.module.embed.weight - before["embed.weight"]
    assert moved.abs().max() > 0


def test_the_teacher_has_the_batch_statistics_of_the_student(distill):
    step(distill)
    step(distill, 1)
    teacher = dict(distill.teacher.module.named_buffers())
    for name, buffer in distill.student.encoder.named_buffers():
        torch.testing.assert_close(teacher[name], buffer, rtol=0, atol=0)
    means = [value for name, value in teacher.items() if name.endswith("running_mean")]
    assert any(mean.abs().max() > 0 for mean in means)
    assert not any(module.training for module in distill.teacher.modules())


def test_the_student_does_not_see_what_is_masked(distill):
    x = torch.randn(2, 9, 17, 3)
    mask = torch.zeros(2, 9, 17, dtype=torch.bool)
    mask[:, 2:5, 3] = True
    other = torch.where(mask[..., None], torch.randn_like(x), x)
    student = distill.student.eval()
    assert torch.equal(student(x, mask), student(other, mask))
    assert not torch.equal(student(x, ~mask), student(other, ~mask))


def test_a_masked_token_knows_whose_joint_it_is(distill):
    torch.nn.init.normal_(distill.student.encoder.joint_code)
    mask = torch.ones(1, 9, 17, dtype=torch.bool)
    predicted = distill.student.eval()(torch.randn(1, 9, 17, 3), mask)
    assert (predicted[0, 0, 1:] - predicted[0, 0, :1]).abs().amax(-1).min() > 1e-3


def test_a_masked_joint_is_to_the_student_what_an_unseen_one_is_to_the_lifter(data):
    x = torch.randn(2, 9, 17, 3)
    mask = torch.zeros(2, 9, 17, dtype=torch.bool)
    mask[:, :, 13] = True
    unseen = torch.where(mask[..., None], 0.0, x)
    same = {}
    for token in ("unseen", "own"):
        student = make(data, token=token).student.eval()
        same[token] = torch.equal(student(x, mask), student(unseen, torch.zeros_like(mask)))
    assert same == {"unseen": True, "own": False}


def test_the_mask_token_is_chosen_by_its_setting(data, tmp_path):
    files = [
        run(TINY, data, tmp_path / token, pretrain=PretrainSettings(token=token)).weights
        for token in ("unseen", "own")
    ]
    assert weights.sha256(files[0]) != weights.sha256(files[1])
    states = [weights.load(file).state_dict() for file in files]
    assert not torch.equal(states[0]["embed.bias"], states[1]["embed.bias"])


def test_targets_have_unit_variance_in_each_window(distill):
    batch = distill.data.draw(4)
    target, spread = distill._target(batch.x, torch.ones_like(batch.score))
    torch.testing.assert_close(target.mean((1, 2)), torch.zeros(4, 16), atol=1e-3, rtol=0)
    variance = target.var((1, 2))
    assert variance.min() > 0.3
    assert variance.max() < 1.05
    assert spread > 0


@pytest.mark.parametrize("blocks", [1, 2])
def test_targets_are_what_the_last_blocks_add_or_put_out(data, blocks):
    changes, outputs = (
        make(data, target=target, target_blocks=blocks) for target in ("change", "output")
    )
    batch = changes.data.draw(4)
    teacher, seen = changes.teacher.module, torch.ones_like(batch.score)
    with torch.no_grad():
        given = teacher.embed(batch.x) + teacher.joint_code
        before = [given, *teacher.encode(teacher.embed(batch.x), last=2)]
        after = before[1:]

    def mean_of(tokens):
        chosen = tokens[-blocks:]
        scaled = [(t - t.mean((1, 2), keepdim=True)) for t in chosen]
        return sum(t / t.std((1, 2), keepdim=True) for t in scaled) / blocks

    added = [a - b for a, b in zip(after, before[:-1], strict=True)]
    for objective, expected in ((changes, added), (outputs, after)):
        target, _ = objective._target(batch.x, seen)
        assert (target - mean_of(expected)).norm() < 0.02 * target.norm()
    assert (mean_of(added) - mean_of(after)).norm() > 0.2 * mean_of(after).norm()


def test_what_the_detector_missed_does_not_count(distill):
    missed = copy.deepcopy(distill)
    batch = distill.data.draw(4)
    worse = copy.copy(batch)
    object.__setattr__(worse, "score", batch.score.clone())
    worse.score[:, :, 5] = 0

    def told(objective, given):
        object.__setattr__(objective.data, "draw", lambda _windows: given)
        objective.pretrain = PretrainSettings(target="coordinates", mask_ratio=1.0)
        objective.student.predict = torch.nn.Linear(16, 2)
        torch.nn.init.zeros_(objective.student.predict.weight)
        torch.nn.init.zeros_(objective.student.predict.bias)
        return objective.losses(0, 0, CPU)["total"]

    squares = batch.x[..., :2].square().mean(-1)
    for objective, given in ((distill, batch), (missed, worse)):
        expected = (squares * given.score).sum() / given.score.sum()
        torch.testing.assert_close(told(objective, given), expected)


def test_a_collapsed_teacher_stops_the_run(distill):
    step(distill)
    distill.losses(1, 0, CPU)
    for block in distill.teacher.module.blocks:
        block.register_forward_hook(lambda _m, given, output: given[0].lerp(output, 0.01))
    with pytest.raises(DivergedError, match="step 2: the teacher's tokens hardly differ"):
        distill.losses(2, 0, CPU)


def test_a_compiled_student_learns_the_same(data):
    plain, compiled = make(data), make(data)
    compiled.seen = Compiled(compiled.student)
    losses = [objective.losses(0, 0, CPU)["total"] for objective in (plain, compiled)]
    torch.testing.assert_close(*losses)


def test_a_student_that_says_one_thing_stops_the_run(distill):
    torch.nn.init.zeros_(distill.student.predict.weight)
    distill.losses(0, 0, CPU)  # at the start anything may be said
    distill.settings = replace(TINY, warmup=450)
    distill.losses(500, 0, CPU)  # and soon after the rate has risen
    distill.settings = TINY
    with pytest.raises(DivergedError, match="step 500: the student predicts the same"):
        distill.losses(500, 0, CPU)


def test_the_decay_rises_then_stays():
    settings = PretrainSettings(ema_start=0.9, ema_end=0.99, ema_rise=0.5)
    decays = [settings.decay(step, 100) for step in (0, 25, 50, 99)]
    assert decays == pytest.approx([0.9, 0.945, 0.99, 0.99])


def test_a_killed_run_goes_on_to_the_very_same_weights(data, tmp_path):
    whole = run(TINY, data, tmp_path / "whole")

    def kill(progress):
        if progress.step == 7:
            raise KeyError

    with pytest.raises(KeyError):
        train(TINY, data=data, out=tmp_path / "cut", watch=kill, device="cpu")
    again = run(TINY, data, tmp_path / "cut")
    assert again.resumed
    for name, value in weights.load(whole.weights).state_dict().items():
        torch.testing.assert_close(
            weights.load(again.weights).state_dict()[name], value, rtol=0, atol=0
        )


def test_health_is_logged_and_the_curves_drawn(data, tmp_path):
    report = run(TINY, data, tmp_path)
    row = json.loads((tmp_path / "log.jsonl").read_text().splitlines()[-1])
    health = {"loss_over_variance", "teacher_std", "prediction_std", "mask_ratio", "ema"}
    assert health <= set(row)
    assert row["mask_ratio"] == pytest.approx(0.6, abs=0.05)
    assert report.held_out == {"probe_mm": row["probe_mm"]}
    assert (tmp_path / "curves.png").read_bytes().startswith(b"\x89PNG")


def test_finetuning_starts_from_a_pretrained_run_and_its_folder_will_do(data, tmp_path):
    pretrained = run(TINY, data, tmp_path / "pre").weights
    finetune = TrainSettings(
        **{**vars(TINY), "stage": "finetune", "steps": 1, "single_frames": 0.0, "window_lr": 1e-12}
    )
    tuned = run(finetune, data, tmp_path / "fine", init=tmp_path / "pre").weights
    start, end = (weights.load(path).state_dict() for path in (pretrained, tuned))
    torch.testing.assert_close(end["embed.weight"], start["embed.weight"])
    with pytest.raises(SettingsError, match="holds another network than --preset xs"):
        run(TrainSettings(preset="xs"), data, tmp_path / "xs", init=tmp_path / "pre")


def test_a_run_without_weights_is_no_start(data, tmp_path):
    run(TINY, data, tmp_path / "pre", time_budget_s=0.0)
    with pytest.raises(InputError, match="wrote no weights yet"):
        run(TINY, data, tmp_path / "fine", init=tmp_path / "pre")


def test_pretrained_weights_do_not_lift(data, tmp_path):
    path = run(TINY, data, tmp_path).weights
    with pytest.raises(WeightsError, match="only pre-trained"):
        WindowedLifter.from_file(path, CPU)


def test_a_lifter_that_embeds_no_joints_cannot_be_pretrained(data, tmp_path):
    settings = TrainSettings(**{**vars(TINY), "lifter": "residual_mlp"})
    with pytest.raises(SettingsError, match="residual_mlp does not embed each joint"):
        run(settings, data, tmp_path)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("mask_ratio", 0.0),
        ("mask_ratio", 1.1),
        ("copies", 0),
        ("ema_start", 1.5),
        ("ema_rise", 0.0),
    ],
)
def test_settings_that_make_no_sense_are_refused_by_name(name, value):
    with pytest.raises(ValueError, match=rf"^{name} \("):
        PretrainSettings(**{name: value})


def test_what_was_seen_in_pretraining_is_said_ever_after(tmp_path):
    data = tiny_pack(tmp_path / "mocap", splits=("train", "val", "test"))
    pretrain = PretrainSettings(test_2d=True)
    first = run(TINY, data, tmp_path / "pre", pretrain=pretrain).weights
    tuned = run(replace(FINETUNE, steps=1), data, tmp_path / "fine", init=first).weights
    assert "THE 2D OF THE TEST SUBJECTS" in weights.describe(tuned).data
    assert weights.describe(tuned).more["pretrain"] == repr(pretrain)
    for split, told in (("test", 1), ("val", 0)):
        notes = notes_on_test_2d([tuned], split)
        assert len(notes) == told
        assert all("fine" in note and "do not compare" in note for note in notes)


def test_a_run_is_not_gone_on_with_other_keypoints(data, tmp_path):
    def save(name, seconds):
        write_keypoints(tmp_path / "kp" / f"{name}.npz", [walker(seconds)], {})

    (tmp_path / "kp").mkdir()
    save("a", 40)
    pretrain = PretrainSettings(keypoints=str(tmp_path / "kp"))
    run(TINY, data, tmp_path / "run", pretrain=pretrain, time_budget_s=0.0)
    (tmp_path / "kp" / ".b.npz").write_bytes(b"what a killed run left")
    assert run(TINY, data, tmp_path / "run", pretrain=pretrain, time_budget_s=0.0).resumed
    save("b", 50)
    with pytest.raises(SettingsError, match="began with another --keypoints; give the same"):
        run(TINY, data, tmp_path / "run", pretrain=pretrain)

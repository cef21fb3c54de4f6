"""What the network of up learns from, and that it learns."""

import json
from dataclasses import replace
from unittest.mock import Mock

import numpy as np
import pytest
import torch

from pose3d_cli.cli.train import _note
from pose3d_cli.errors import InputError, SettingsError
from pose3d_cli.files.mocap_pack import write_pack
from pose3d_cli.learn.ahead import Ahead
from pose3d_cli.learn.log import panels_of
from pose3d_cli.learn.loop import Progress
from pose3d_cli.learn.pretrain_settings import PretrainSettings
from pose3d_cli.learn.recorded_clips import RecordedClips
from pose3d_cli.learn.settings import TrainSettings
from pose3d_cli.learn.stages import StageMaker
from pose3d_cli.learn.train import train
from pose3d_cli.learn.upright.going import Going
from pose3d_cli.learn.upright.objective import (
    UprightObjective,
    held_out_up,
    held_out_views,
)
from pose3d_cli.lift import weights
from pose3d_cli.lift.about import UPRIGHT
from pose3d_cli.lift.upright import Said, UprightConfig, UprightNet
from tests import nets
from tests.crowds import walker
from tests.motion import quiet

RATE_HZ = 12.5
TINY = TrainSettings(
    stage="upright", network="channels=16,blocks=3,frames=25", batch=8, steps=4, warmup=1,
    optimiser="adamw", validate_every=2, checkpoint_every=2,
)  # fmt: skip
CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def clips():
    return [walker(number, seconds=6.0) for number in range(3)]


@pytest.fixture(scope="module")
def data(tmp_path_factory, clips):
    folder = tmp_path_factory.mktemp("mocap")
    names = ("train", "train", "val")
    write_pack(folder, [replace(c, split=s) for c, s in zip(clips, names, strict=True)])
    return folder


def standing(clip):
    return replace(clip, xyz=np.repeat(clip.xyz[:1], len(clip), axis=0))


def test_equal_steps_and_parts_give_equal_windows_and_others_do_not(clips):
    first, again = (Going(clips, 25, RATE_HZ, seed=1) for _ in range(2))
    again.draw(4, 0, 0)
    one, other = first.draw(4, 3, 1), again.draw(4, 3, 1)
    for name in ("rays", "score", "up"):
        torch.testing.assert_close(getattr(one, name), getattr(other, name), equal_nan=True)
    for step, part in ((4, 1), (3, 2)):
        assert not torch.equal(first.draw(4, step, part).up, one.up)
    assert not torch.equal(Going(clips, 25, RATE_HZ, seed=2).draw(4, 3, 1).up, one.up)


def test_up_is_that_of_the_world_as_the_camera_sees_it(clips):
    going = Going(clips, 25, RATE_HZ)
    going.random.manual_seed(0)
    pose, shown = going._motion(16)
    view, up = going._before_cameras(pose, shown)
    torch.testing.assert_close(up.norm(dim=-1), torch.ones(16))
    heights = ((view.pose + view.root[:, :, None]) * up[:, None, None]).sum(-1)
    expected = pose[..., 2]
    torch.testing.assert_close(
        heights - heights[:, :1, :1], expected - expected[:, :1, :1], atol=1e-4, rtol=0
    )


def test_cameras_look_down_and_up_and_are_rolled_and_have_people_in_view(clips):
    windows = Going(clips, 25, RATE_HZ).draw(400, 0, 0)
    down = np.degrees(np.arcsin(-windows.up[:, 2].numpy()))
    assert -25.1 < down.min() < -15
    assert 45 < down.max() < 55.1
    rolled = np.degrees(np.arctan2(windows.up[:, 0].numpy(), -windows.up[:, 1].numpy()))
    assert np.abs(rolled).max() > 18
    seen = windows.rays.isfinite().all(-1)
    assert windows.score[~seen].max() == 0
    assert 0.5 < seen.float().mean() < 0.9  # windows of all lengths, and lost joints


def test_cameras_stand_so_far_away_that_people_are_in_the_picture(clips):
    going = Going(clips, 25, RATE_HZ)
    going.random.manual_seed(0)
    pose, shown = going._motion(200)
    view, _ = going._before_cameras(pose, shown)
    points = view.pose + view.root[:, :, None]
    rays = points[..., :2] / points[..., 2:]
    inside = ((rays.abs() < view.half_picture[:, None, None]) & (points[..., 2:] > 0)).all(-1)
    share = (inside & shown[..., None]).sum((1, 2)) / (17 * shown.sum(1))
    assert (share >= 0.95).float().mean() > 0.98


def test_windows_are_of_many_lengths_and_none_is_empty(clips):
    shown = Going(clips, 25, RATE_HZ).draw(300, 0, 0).rays.isfinite().all(-1).any(-1).sum(1)
    assert 5 <= shown.min() <= 9
    assert shown.max() == 25


def test_who_gets_longer_legs_goes_farther_with_them(clips):
    going = Going(clips, 25, RATE_HZ)
    going.random.manual_seed(3)
    pose, _ = going._motion(12)
    body = going._other_bodies(pose)
    legs = [6, 5, 4]  # left ankle, knee, hip
    longer = [
        (p[:, :, legs[0]] - p[:, :, legs[1]]).norm(dim=-1).mean(1)
        + (p[:, :, legs[1]] - p[:, :, legs[2]]).norm(dim=-1).mean(1)
        for p in (body, pose)
    ]
    way = [(p[:, -1, 0] - p[:, 0, 0]).norm(dim=-1) for p in (body, pose)]
    torch.testing.assert_close(way[0] / way[1], longer[0] / longer[1], atol=1e-3, rtol=0)
    assert (longer[0] / longer[1]).std() > 0.01
    assert body.std(0).max() > 0


def test_the_field_of_view_is_misjudged_of_half_of_the_cameras(clips):
    going = Going(clips, 25, RATE_HZ)
    going.random.manual_seed(0)
    off = going._wrong_focal(1000)[:, 0, 0, 0]
    assert 430 < (off == 1).sum() < 570
    assert 0.1 < off[off != 1].log().std() < 0.2


def test_rays_are_those_of_the_misjudged_field_of_view(clips, monkeypatch):
    going = Going(clips, 25, RATE_HZ)
    monkeypatch.setattr(going, "_wrong_focal", lambda n: torch.full((n, 1, 1, 1), 1.0))
    known = going.draw(4, 0, 0).rays
    monkeypatch.setattr(going, "_wrong_focal", lambda n: torch.full((n, 1, 1, 1), 1.5))
    torch.testing.assert_close(going.draw(4, 0, 0).rays, 1.5 * known, equal_nan=True)


def test_about_half_of_the_people_are_mirrored(clips):
    """All clips go to the right; left and right joints change places with the picture."""
    going = Going(clips, 25, RATE_HZ)
    going.random.manual_seed(0)
    pose, _ = going._motion(200)
    left = pose[:, -1, 0, 0] < pose[:, 0, 0, 0]
    assert 0.35 < left.float().mean() < 0.65
    hips = pose[:, 0, 4] - pose[:, 0, 1]  # from the right one to the left one
    ahead = pose[:, -1, 0] - pose[:, 0, 0]
    side = torch.linalg.cross(ahead, hips)[:, 2]
    assert side.min() > -1e-4  # one of them goes sidewards
    assert side.median() > 0.5


def test_single_poses_teach_no_going(clips):
    posed = replace(clips[0], name="posed", static=True)
    assert len(Going([*clips, posed], 25, RATE_HZ).clips.length) == 3
    with pytest.raises(InputError, match="these are single poses"):
        Going([posed], 25, RATE_HZ)


def asked(answer, windows):
    """The losses of somebody who always answers alike."""
    batches = Ahead(lambda step, part: windows, parts=1, apart=False)
    objective = UprightObjective(lambda rays, score: answer, batches)
    return objective.losses(0, 0, CPU)


def test_the_loss_is_that_of_a_laplace_density_of_those_who_are_seen(clips):
    windows = Going([standing(clip) for clip in clips], 25, RATE_HZ).draw(6, 0, 0)
    windows.up[:] = torch.tensor([0.0, -1.0, 0.0])
    across, along = np.radians([3.0, 5.0])
    tilted = torch.tensor([np.sin(across), -1.0, np.sin(along)], dtype=torch.float32)
    ahead = torch.tensor([0.0, 0.0, 1.0]).repeat(6, 1)
    answer = Said(tilted.expand(6, 3), torch.tensor([2.0, 4.0]).expand(6, 2), ahead)
    expected = {"total": (3 / 2 + np.log(2) + 5 / 4 + np.log(4)) / 2}
    expected |= {"across_deg": 3, "along_deg": 5}
    losses = asked(answer, windows)
    assert {k: float(v) for k, v in losses.items()} == pytest.approx(expected, rel=2e-3)
    ahead[0] = 0.0  # the detector lost them
    windows.up[0] = torch.tensor([1.0, 0.0, 0.0])
    losses = asked(answer, windows)
    assert {k: float(v) for k, v in losses.items()} == pytest.approx(expected, rel=2e-3)


def test_held_out_figures_are_medians_of_all_and_of_those_who_walk(clips):
    walks, dances = clips[0], replace(clips[1], category="dance")
    views = held_out_views([walks, dances])
    assert len(views) == 4

    class Level(UprightNet):
        def forward(self, rays, score):
            n = len(rays)
            up, ahead = (
                torch.tensor(way).expand(n, 3) for way in ([0.0, -1.0, 0.0], [0.0, 0.0, 1.0])
            )
            return Said(up, torch.ones(n, 2), ahead)

    off = [np.degrees(np.arccos(-view.up[1])) for view in views]
    figures = held_out_up(Level(UprightConfig()), views, CPU)
    assert figures["up_deg"] == pytest.approx(np.median(off), abs=1e-3)
    assert figures["up_walk_deg"] == pytest.approx(np.median(off[:2]), abs=1e-3)
    assert "up_walk_deg" not in held_out_up(Level(UprightConfig()), views[2:], CPU)


def test_a_run_writes_weights_that_say_what_they_are(data, tmp_path):
    report = train(TINY, data=data, out=tmp_path, watch=quiet, device="cpu")
    about = weights.describe(report.weights)
    assert about.lifter == UPRIGHT
    assert (about.units, about.rate_hz, about.config["frames"]) == ("direction", 12.5, 25)
    assert set(about.measured) == {"up_deg", "up_walk_deg"}
    assert "degrees" in about.protocol
    network = weights.load(report.weights)
    assert isinstance(network, UprightNet)
    assert held_out_up(network, held_out_views([replace(walker(2, seconds=6.0))]), CPU)


def test_a_stopped_run_goes_on_to_the_very_same_weights(data, tmp_path):
    whole = train(TINY, data=data, out=tmp_path / "whole", watch=quiet, device="cpu")
    cut = {"data": data, "out": tmp_path / "cut", "watch": quiet, "device": "cpu"}
    assert train(TINY, **cut, time_budget_s=0.0).weights is None
    again = train(TINY, **cut)
    assert again.resumed
    one, other = (weights.load(run.weights).state_dict() for run in (whole, again))
    for name, value in one.items():
        torch.testing.assert_close(other[name], value, rtol=0, atol=0)


def test_a_run_begins_with_weights_of_the_same_network_only(data, tmp_path):
    first = train(TINY, data=data, out=tmp_path / "1", watch=quiet, device="cpu").weights
    places = {"data": data, "watch": quiet, "device": "cpu", "init": first}
    train(TINY, **places, out=tmp_path / "2")
    other = replace(TINY, network="channels=32,blocks=3,frames=25")
    with pytest.raises(SettingsError, match="holds another network"):
        train(other, **places, out=tmp_path / "3")


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"rate_hz": 12.5}, "--rate-hz: --stage upright makes no use of it"),
        ({"lifter": "residual_mlp"}, "--lifter"),
        ({"network": "frames=0"}, r"frames \(0\) must be at least 1"),
        ({"network": "rate_hz=0"}, r"rate_hz \(0.0\) must be a number above 0"),
        ({"network": "dropout=2"}, "dropout"),
    ],
)
def test_settings_that_make_no_sense_are_refused(data, tmp_path, changes, why):
    with pytest.raises(SettingsError, match=why):
        train(replace(TINY, **changes), data=data, out=tmp_path, watch=quiet, device="cpu")


def test_the_curves_are_in_degrees(data, tmp_path):
    train(TINY, data=data, out=tmp_path, watch=quiet, device="cpu")
    rows = (tmp_path / "log.jsonl").read_text().splitlines()
    panels = [panel for panel, _ in panels_of(set(json.loads(rows[0])))]
    assert panels == ["degrees of up, training", "degrees of up, held out"]


def test_data_sets_tell_no_up():
    make = StageMaker(material=Mock(spec=RecordedClips), pretrain=PretrainSettings(), device=CPU)
    with pytest.raises(SettingsError, match="give packed motion as --data"):
        make(nets.tiny_upright(), TINY)


def test_training_lowers_the_error(clips):
    settings = replace(TINY, batch=32)
    torch.manual_seed(0)
    network = UprightNet(UprightConfig(channels=32, blocks=3, frames=25))
    objective = UprightObjective.from_clips(network, network, clips, settings, draw_apart=False)
    optimiser = torch.optim.AdamW(network.parameters(), 3e-3)
    off = []
    for step in range(60):
        losses = objective.losses(step, 0, CPU)
        optimiser.zero_grad()
        losses["total"].backward()
        optimiser.step()
        off.append(float(losses["across_deg"].detach()))
    assert np.mean(off[-10:]) < 0.6 * np.mean(off[:10])


def test_the_line_of_a_run_is_in_degrees():
    progress = Progress(
        step=3, steps=9, losses={"total": 2.0, "across_deg": 1.5, "along_deg": 4.25},
        steps_per_s=2.0, held_out={"up_deg": 5.5, "up_walk_deg": 3.0},
    )  # fmt: skip
    words = _note(progress)
    assert "off by 4.2 degrees along the view" in words
    assert "held out 5.5 degrees" in words

from dataclasses import dataclass, field, replace

import numpy as np
import pytest
import torch
from scipy.spatial.transform import Rotation

from pose3d_cli.errors import InputError
from pose3d_cli.learn.benchmark.answer import answer
from pose3d_cli.learn.benchmark.board import Board
from pose3d_cli.learn.benchmark.page import page_of
from pose3d_cli.learn.benchmark.protocol import BenchmarkProtocol
from pose3d_cli.learn.benchmark.score import ClipScore, score_clip
from pose3d_cli.lift.windowed import WindowedLifter
from pose3d_cli.pose.stature import stature
from tests.nets import about, tiny
from tests.takes import Screened, body, make_clip, screen_about, sequence
from tests.unit.test_benchmark_summary import evaluation, score

PLAIN = BenchmarkProtocol(name="plain", about="Plain.", average="frames")
CPU = torch.device("cpu")


@dataclass(frozen=True, eq=False)
class Knows(WindowedLifter):
    """A lifter that knows the motion; it gives the rows that it is asked for."""

    xyz: np.ndarray = field(default_factory=lambda: np.zeros(0))

    def lift(self, keypoints, camera, screen=None):
        assert np.isfinite(keypoints.xy[:, 0]).all()
        return sequence(keypoints, self.xyz[keypoints.frames])


def knows(xyz):
    return Knows(torch.nn.Identity(), screen_about(), CPU, xyz=xyz)


def in_world(clip, turn):
    return replace(clip, truth=replace(clip.truth, xyz=turn(clip.truth.xyz), frame="world"))


def test_a_truth_in_other_axes_is_met_by_one_rotation():
    xyz = body(12)
    matrix = Rotation.from_euler("xyz", [100, -20, 40], degrees=True).as_matrix()
    clip = in_world(make_clip(xyz), lambda p: (p @ matrix.T + [1, 2, 3]).astype(np.float32))
    found = answer(knows(xyz), clip, PLAIN)
    assert score_clip(clip, found.xyz, found.stretch, PLAIN).mean("mpjpe") < 1e-6


def test_one_rotation_for_the_clip_and_not_one_a_frame():
    xyz = body(12)
    spin = Rotation.from_euler("z", 10.0 * np.arange(12)[:, None], degrees=True).as_matrix()
    clip = in_world(make_clip(xyz), lambda p: np.einsum("tij,tkj->tki", spin, p).astype(np.float32))
    found = answer(knows(xyz), clip, PLAIN)
    assert score_clip(clip, found.xyz, found.stretch, PLAIN).mean("mpjpe") > 0.05


def test_a_mirrored_truth_is_not_met():
    xyz = body(12)
    clip = in_world(make_clip(xyz), lambda p: p * np.float32([-1, 1, 1]))
    found = answer(knows(xyz), clip, PLAIN)
    assert score_clip(clip, found.xyz, found.stretch, PLAIN).mean("mpjpe") > 0.05


def test_where_the_pelvis_was_long_unseen_the_clip_is_parted():
    xyz = body(100)
    clip = make_clip(xyz)
    pixels = clip.keypoints.xy.copy()
    pixels[20:24, 0] = np.nan  # 0.1 s: filled
    pixels[40:80, 0] = np.nan  # 0.8 s: not
    clip = make_clip(xyz, xy=pixels)
    found = answer(knows(xyz), clip, PLAIN)
    known, stretch = np.isfinite(found.xyz).all((1, 2)), found.stretch
    assert np.flatnonzero(~known).tolist() == list(range(40, 80))
    assert len({*stretch[:40]}) == len({*stretch[80:]}) == 1
    assert stretch[0] != stretch[99]


def test_a_clip_in_which_nobody_is_seen_has_no_answer():
    clip = make_clip(xy=np.full((12, 17, 2), np.nan, np.float32))
    assert np.isnan(answer(knows(body()), clip, PLAIN).xyz).all()


def test_weights_that_take_rays_need_a_camera():
    lifter = WindowedLifter(tiny("dualstream"), about("dualstream"), CPU)
    with pytest.raises(InputError, match="a: the camera is unknown, but these weights need it"):
        answer(lifter, make_clip(camera=None), PLAIN)


def test_units_of_the_screen_are_metres_by_each_frames_own_factor():
    xyz = body(12)
    metres = 1 + np.arange(12) / 10
    clip = make_clip(xyz, metres_per_unit=metres)
    lifter = WindowedLifter(Screened(), screen_about(), CPU, mirror=False)
    found = answer(lifter, clip, PLAIN).xyz
    screen = (clip.keypoints.xy - 500) / 500
    expected = (screen * metres[:, None, None])[:, 1:]
    np.testing.assert_allclose(found[:, 1:, :2], expected, atol=1e-5)
    picture = answer(lifter, clip, replace(PLAIN, unit="picture")).xyz
    np.testing.assert_allclose(picture[:, 1:, :2], 0.5 * screen[:, 1:], atol=1e-5)


def test_screen_coordinates_are_by_the_width_even_where_the_height_is_more():
    clip = make_clip(image_size=(1000, 1002), metres_per_unit=np.ones(12))
    lifter = WindowedLifter(Screened(), screen_about(), CPU, mirror=False)
    found = answer(lifter, clip, PLAIN).xyz
    by_width = clip.keypoints.xy / 1000 * 2 - [1, 1002 / 1000]  # as papers write it
    np.testing.assert_allclose(found[:, 1:, :2], by_width[:, 1:], atol=1e-6)


def test_weights_of_another_data_sets_unit_are_made_as_tall_as_all():
    clip = make_clip(body(12), metres_per_unit=np.full(12, 1.024), unit_of="3dhp")
    found = {}
    for trained_on in ("", "3dhp", "h36m"):
        header = replace(screen_about(), more={"trained_on": trained_on})
        lifter = WindowedLifter(Screened(), header, CPU, mirror=False)
        found[trained_on] = answer(lifter, clip, PLAIN).xyz
    np.testing.assert_array_equal(found[""], found["3dhp"])
    assert np.abs(found["h36m"] - found["3dhp"]).max() > 0.01
    assert stature(found["h36m"]) == pytest.approx(1.70, rel=0.05)


def test_the_page_shows_the_best_the_median_and_the_worst_clip():
    clips = [score(f"{error}", error, 5) for error in (30, 10, 20, 50, 40)]
    empty = replace(clips[0], name="empty", count={}, total={})
    page = page_of(Board.of([evaluation([*clips, empty])]), "pose3d eval x")
    assert isinstance(empty, ClipScore)
    (column,) = page.columns
    assert [example.title for example in column.examples] == [
        "best clip: 10",
        "median clip: 30",
        "worst clip: 50",
    ]
    assert column.examples[2].error_mm == pytest.approx(50)
    assert page.facts["Command"] == "pose3d eval x"
    assert page.better["MPJPE, mm"] == "lower"
    assert page.better["PCK@150mm, %"] == "higher"
    assert column.figures["MPJPE, mm"].startswith("30.0 (")


def test_one_clip_is_shown_once():
    page = page_of(Board.of([evaluation([score("a", 10, 5)])]), "")
    assert [example.title for example in page.columns[0].examples] == ["best clip: a"]

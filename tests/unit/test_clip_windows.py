"""Windows cut from a data set's clips: where they lie, what they show, what they teach."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
import torch

from pose3d_cli.errors import InputError
from pose3d_cli.learn.clip_tracks import Track, track_of
from pose3d_cli.learn.clip_windows import ClipWindows, PassedWindows
from pose3d_cli.learn.held_out import sampled
from pose3d_cli.learn.hidden import hide_some
from pose3d_cli.learn.losses import position_error, scale_free_error, velocity_error
from pose3d_cli.learn.objectives.supervised import shortened
from pose3d_cli.learn.pairs import ScreenPairs
from pose3d_cli.lift.windows import tile_windows
from pose3d_cli.pose.skeleton import H36M17
from tests.takes import body, make_clip


def numbered(length, clip=0, **changes):
    """A track whose every score and truth tells its clip and frame: 1000 clip + frame + 1."""
    number = 1000.0 * clip + np.arange(length) + 1
    values = np.broadcast_to(number[:, None, None], (length, 17, 3)).astype(np.float32).copy()
    track = Track(
        name=str(clip),
        take=str(clip),
        fps=50.0,
        units="m,root",
        axes="camera",
        x=values,
        target=values.copy(),
        metres_per_unit=np.ones(length, np.float32),
    )
    return replace(track, **changes)


def frames_of(pairs):
    """The clip and frame that each place of each window shows."""
    return (pairs.x[:, :, 0, 2] - 1).int().tolist()


def all_of(windows):
    return windows.cut(np.arange(len(windows)))


def test_windows_lie_a_stride_apart_and_what_fills_none_is_left_out():
    windows = ClipWindows.lay([numbered(500)], 243, 81)
    assert [first for _, first in windows.place] == [0, 81, 162, 243]
    for length, count in ((485, 3), (486, 4), (243, 1), (323, 1), (324, 2)):
        assert len(ClipWindows.lay([numbered(length)], 243, 81)) == count


def test_a_window_is_frames_of_one_clip_that_follow_each_other():
    tracks = [numbered(12, 0), numbered(5, 1), numbered(9, 2), numbered(14, 3)]
    shown = frames_of(all_of(ClipWindows.lay(tracks, 9, 3)))
    wanted = [(0, 0), (0, 3), (2, 0), (3, 0), (3, 3)]
    assert [row for row in shown if row[0] // 1000 != 1] == [
        [1000 * clip + first + frame for frame in range(9)] for clip, first in wanted
    ]


def test_a_clip_shorter_than_a_window_is_stretched_as_in_measuring():
    windows = ClipWindows.lay([numbered(9, 0), numbered(5, 1)], 9, 3)
    short = frames_of(all_of(windows))[1]
    assert short == (1000 + tile_windows(5, 9).index[0]).tolist()
    assert sorted(set(short)) == [1000, 1001, 1002, 1003, 1004]
    assert windows.metres_per_unit(np.array([1])).tolist() == [[1.0] * 9]


def test_windows_that_teach_nothing_are_left_out():
    target, x = (np.ones((30, 17, 3), np.float32) for _ in range(2))
    target[:20] = np.nan
    x[10:] = 0
    for need_truth, places in ((False, [0, 3, 6, 9]), (True, [])):
        track = numbered(30, target=target, x=x)
        windows = ClipWindows.lay([track], 9, 3, need_truth=need_truth)
        assert [first for _, first in windows.place] == places
    seen = ClipWindows.lay([numbered(30, target=target)], 9, 3)
    assert [first for _, first in seen.place] == [12, 15, 18, 21]  # 12 ends with frame 20


TRACKS = [numbered(40, 0), numbered(31, 1), numbered(7, 2)]
LAID = ClipWindows.lay(TRACKS, 9, 3)


def passed(batch, seed=0, parts=1, steps=None):
    """What is drawn step after step: first frames of the windows, and the pairs."""
    source = PassedWindows(LAID, seed=seed, batch=batch, parts=parts)
    steps = range(-(-3 * len(LAID) // (batch * parts))) if steps is None else steps
    drawn = []
    for step in steps:
        for part in range(parts):
            source.begin(step, part)
            drawn.append(source.draw(batch))
    return [row[0] for pairs in drawn for row in frames_of(pairs)], drawn


def test_each_pass_sees_every_window_once_in_an_order_of_its_own():
    count = len(LAID)
    assert count == 11 + 8 + 1
    shown, _ = passed(4)
    passes = [shown[i * count : (i + 1) * count] for i in range(3)]
    everything = sorted(row[0] for row in frames_of(all_of(LAID)))
    assert all(sorted(one) == everything for one in passes)
    assert len({tuple(one) for one in passes}) == 3


def test_the_order_depends_on_the_seed_and_the_pass_alone():
    count = len(LAID)
    ways = ((4, 1), (7, 1), (3, 2))
    shown = [passed(batch, parts=parts)[0][: 3 * count] for batch, parts in ways]
    assert shown[0] == shown[1] == shown[2]
    assert passed(4, seed=1)[0][:count] != shown[0][:count]


def test_equal_seeds_and_steps_give_equal_batches_whatever_was_drawn_before():
    _, whole = passed(4)
    for step in (13, 2):
        again = passed(4, steps=[9, step])[1][1]
        torch.testing.assert_close(again.x, whole[step].x, rtol=0, atol=0)
        torch.testing.assert_close(again.target, whole[step].target, rtol=0, atol=0)
    # Half of them are mirrored, each pass other ones: what is shown changes sign.
    is_mirrored = torch.cat([pairs.x[:, 0, 0, 0] < 0 for pairs in whole])
    assert 0.3 < is_mirrored.float().mean() < 0.7
    other = torch.cat([pairs.x[:, 0, 0, 0] < 0 for pairs in passed(4, seed=1)[1]])
    assert not torch.equal(is_mirrored, other)


def test_single_frames_are_as_far_apart_as_a_window_allows():
    source = PassedWindows(LAID, seed=0, batch=4, spread=3)
    source.begin(0, 0)
    for row in frames_of(source.draw(4)):
        if row[0] < 2000:  # not the clip that is stretched
            assert (row[1] - row[0], row[2] - row[1]) == (4, 4)


def test_a_mirrored_window_is_that_of_the_person_in_the_mirror():
    clip = make_clip(body(9))
    track = track_of(clip)
    flipped = clip.truth.xyz * np.array([-1, 1, 1], np.float32)
    named = {joint: flipped[:, place] for place, joint in enumerate(H36M17.joints)}
    swap = {"left": "right", "right": "left"}
    other = [
        swap[joint.split("_")[0]] + joint[joint.index("_") :] if "_" in joint else joint
        for joint in H36M17.joints
    ]
    twin = track_of(make_clip(np.stack([named[joint] for joint in other], 1)))
    pairs = ScreenPairs(torch.tensor(track.x)[None], torch.tensor(track.target)[None])
    mirrored = pairs.mirrored(torch.tensor([True]))
    torch.testing.assert_close(mirrored.x[0], torch.tensor(twin.x), atol=1e-5, rtol=0)
    torch.testing.assert_close(mirrored.target[0], torch.tensor(twin.target), atol=1e-6, rtol=0)
    assert torch.equal(pairs.mirrored(torch.tensor([False])).x, pairs.x)


def test_a_score_goes_with_its_joint_into_the_mirror():
    x = torch.zeros(1, 1, 17, 3)
    x[0, 0, H36M17.index("left_wrist")] = torch.tensor([0.2, 0.1, 0.7])
    mirrored = ScreenPairs(x, x).mirrored(torch.tensor([True])).x[0, 0]
    assert mirrored[H36M17.index("right_wrist")].tolist() == pytest.approx([-0.2, 0.1, 0.7])
    assert mirrored.abs().sum() == pytest.approx(1.0)


def test_input_is_screen_coordinates_and_score_and_zeros_where_unseen():
    xyz = body(4)
    xy = np.full((4, 17, 2), [750.0, 400.0], np.float32)
    xy[:, 3] = np.nan
    clip = make_clip(xyz, xy=xy, score=np.full((4, 17), 0.6, np.float32), image_size=(1000, 800))
    track = track_of(replace(clip, screen_width=500.0))
    np.testing.assert_allclose(track.x[:, 5], [[1.0, 0.0, 0.6]] * 4, atol=1e-6)
    assert (track.x[:, 3] == 0).all()
    half, score = xy.copy(), clip.keypoints.score.copy()
    half[:, 8, 1], score[:, 8] = np.nan, 0  # of which half a position is told
    points = replace(clip.keypoints, xy=half, score=score)
    assert (track_of(replace(clip, keypoints=points)).x[:, [3, 8]] == 0).all()


UNIT = np.array([4.0, 5.0, 2.5])


@pytest.mark.parametrize(
    ("changes", "factor", "units"),
    [
        ({}, [1, 1, 1], "m,root"),
        ({"metres_per_unit": UNIT}, [1 / 4, 1 / 5, 1 / 2.5], "screen,root"),
        ({"is_metric": False}, [1, 1, 1], "screen,root"),
    ],
    ids=["metres", "a unit each frame", "screen units as given"],
)
def test_targets_are_root_relative_in_the_unit_that_papers_teach(changes, factor, units):
    xyz = np.zeros((3, 17, 3), np.float32)
    xyz[:] = np.arange(17)[None, :, None] * [0.1, 0.2, -0.3] + [1.0, 2.0, 6.0]
    clip = make_clip(xyz, frame="camera", metres_per_unit=changes.get("metres_per_unit"))
    clip = replace(clip, truth=replace(clip.truth, is_metric=changes.get("is_metric", True)))
    track = track_of(clip)
    wanted = np.arange(17)[None, :, None] * np.array([0.1, 0.2, -0.3])
    wanted = wanted * np.array(factor)[:, None, None]
    np.testing.assert_allclose(track.target, wanted, atol=1e-6)
    assert track.units == units
    if changes.get("is_metric", True):  # and back
        metres = track.target * track.metres_per_unit[:, None, None]
        np.testing.assert_allclose(metres, xyz - xyz[:, :1], atol=1e-6)
    else:
        assert track.metres_per_unit is None


def test_what_the_data_set_does_not_know_or_measure_is_no_target():
    xyz = body(5)
    xyz[:, H36M17.index("nose")] = np.nan
    xyz[3, 0] = np.nan  # no pelvis, no pose
    is_counted = np.array([True, False, True, True, True])
    track = track_of(make_clip(xyz, is_counted=is_counted))
    known = np.isfinite(track.target).all(-1)
    assert np.array_equal(known, ~np.isnan(track.target).any(-1))
    assert known.sum(1).tolist() == [16, 0, 16, 0, 16]


def test_truth_in_axes_of_a_room_teaches_nothing_and_is_refused():
    clip = make_clip()
    with pytest.raises(InputError, match=r"a: its truth is in axes of a room.*rotation"):
        track_of(replace(clip, truth=replace(clip.truth, frame="world")))


def test_losses_leave_out_what_the_truth_lacks():
    random = torch.Generator().manual_seed(0)
    pose, truth = (torch.randn(2, 5, 17, 3, generator=random) for _ in range(2))
    some = [j for j in range(17) if j not in (7, 9)]
    weight = torch.ones(2, 5, 17)
    weight[:, :, [7, 9]] = 0
    masked = [torch.where(weight[..., None] > 0, p, 0.0) for p in (pose, truth)]
    for error in (position_error, scale_free_error, velocity_error):
        wanted = error(pose[:, :, some], truth[:, :, some])
        torch.testing.assert_close(error(*masked, weight), wanted)


def test_a_joint_that_comes_and_goes_makes_no_velocity():
    truth = torch.ones(1, 4, 17, 3)
    weight = torch.ones(1, 4, 17)
    weight[0, 2, 5] = 0
    masked = torch.where(weight[..., None] > 0, truth, 0.0)
    assert velocity_error(masked, masked * 0 + masked[:, :1], weight) == 0
    assert velocity_error(masked, masked[:, :1].expand_as(masked)) > 0


def test_windows_of_the_screen_can_be_short_and_lack_limbs():
    random = torch.Generator().manual_seed(0)
    pairs = all_of(LAID)
    cut = shortened(pairs, 0.5, random)
    for row in frames_of(cut)[: len(LAID) // 2]:
        assert all(abs(b - a) <= 1 for a, b in pairwise(row))
        assert len(set(row)) < 9
    torch.testing.assert_close(cut.x, cut.target)  # both are cut alike
    assert torch.equal(cut.x[len(LAID) // 2 :], pairs.x[len(LAID) // 2 :])
    hidden = hide_some(pairs, 1.0, random)
    gone = hidden.score == 0
    assert gone.any()
    assert (hidden.x[gone] == 0).all()
    assert torch.equal(hidden.target, pairs.target)


def test_a_sample_to_measure_on_is_the_same_each_time_and_has_a_size_in_metres():
    sized = [numbered(95, n, metres_per_unit=np.full(95, n + 1, np.float32)) for n in range(4)]
    unsized = numbered(95, 9, metres_per_unit=None)
    first, again = (sampled(iter([*sized, unsized]), 9, 12) for _ in range(2))
    assert torch.equal(first.x, again.x)
    shown = frames_of(ScreenPairs(first.x, first.target))
    assert len(shown) == len({row[0] for row in shown}) == 12
    assert len({row[0] // 1000 for row in shown}) >= 3
    for row, metres in zip(shown, first.metres_per_unit, strict=True):
        assert row[0] % 1000 % 9 == 0  # side by side
        assert (metres == row[0] // 1000 + 1).all()
    torch.testing.assert_close(
        first.in_metres(first.target), first.target * first.metres_per_unit[..., None, None]
    )
    assert len(sampled([sized[0]], 9, 1000).x) == 95 // 9
    assert sampled([unsized], 9, 12) is None

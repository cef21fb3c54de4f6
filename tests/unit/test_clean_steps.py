"""Outliers, smoothing, bones and gaps: each step on motion whose answer is known."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from pose3d_cli.pose.clean.bones import bone_lengths, keep_lengths
from pose3d_cli.pose.clean.fill import can_fill, fill_gap
from pose3d_cli.pose.clean.motion import Motion, joint
from pose3d_cli.pose.clean.outliers import mend_outliers, mend_side_flips
from pose3d_cli.pose.clean.runs import runs_of
from pose3d_cli.pose.clean.smooth import STRENGTHS, CutOffs, low_pass, smooth
from tests.walkers import bone_lengths_of, walk

WRIST = joint("left_wrist")


def trembling(motion, size=0.01, seed=0):
    noise = size * np.random.default_rng(seed).standard_normal(motion.pose.shape)
    noise[:, 0] = 0
    return replace(motion, pose=motion.pose + noise)


def rows(motion, chosen):
    return Motion(
        time_s=motion.time_s[chosen],
        root=motion.root[chosen],
        pose=motion.pose[chosen],
        score=motion.score[chosen],
    )


def test_runs_have_a_first_frame_and_one_after_the_last():
    assert runs_of(np.array([True, False, True, True])) == [(0, 1), (2, 4)]
    assert runs_of(np.zeros(3, bool)) == []


def test_a_wrist_that_jumps_away_is_put_back_and_nothing_else_is_touched():
    true = trembling(walk())
    pose = true.pose.copy()
    pose[50:53, WRIST] += [0.5, 0, 0.4]
    unsure = np.full_like(true.score, 0.6)
    mended, count = mend_outliers(replace(true, pose=pose, score=unsure))
    assert count == 3
    assert mend_outliers(replace(true, pose=pose))[1] == 0  # it was surely seen
    np.testing.assert_allclose(mended.pose[50:53, WRIST], true.pose[50:53, WRIST], atol=0.05)
    pose[50:53, WRIST] = mended.pose[50:53, WRIST] = 0
    np.testing.assert_array_equal(mended.pose, pose)


def test_what_lasts_is_motion_and_no_outlier():
    true = trembling(walk())
    pose = true.pose.copy()
    pose[50:58, WRIST] += [0.5, 0, 0.4]  # a quarter of a second
    unsure = np.full_like(true.score, 0.6)
    mended, count = mend_outliers(replace(true, pose=pose, score=unsure))
    assert count == 0
    np.testing.assert_array_equal(mended.pose, pose)


def test_the_swing_of_legs_is_no_outlier():
    motion = walk()
    assert mend_outliers(replace(motion, score=0.5 * motion.score))[1] == 0


def test_legs_exchanged_for_a_moment_are_changed_back():
    true = walk()
    legs = [joint(f"{side}_{part}") for side in ("left", "right") for part in ("knee", "ankle")]
    pose = true.pose.copy()
    apart = np.abs(pose[:, legs[1], 0] - pose[:, legs[3], 0])
    frame = 45 + int(apart[45:60].argmax())
    pose[frame : frame + 2, legs] = pose[frame : frame + 2, legs[2:] + legs[:2]]
    mended, count = mend_side_flips(replace(true, pose=pose))
    assert count == 2
    np.testing.assert_array_equal(mended.pose, true.pose)
    assert mend_side_flips(true)[1] == 0


@pytest.mark.parametrize("strength", ["light", "strong"])
def test_smoothing_takes_trembling_out_and_leaves_slow_motion_where_it_was(strength):
    true = walk()
    path = 0.02 * np.random.default_rng(1).standard_normal(true.root.shape)
    rough = replace(trembling(true), root=true.root + path)
    better = smooth(rough, STRENGTHS[strength])
    wrong = [np.abs(np.diff(m.pose - true.pose, n=2, axis=0)).mean() for m in (rough, better)]
    assert wrong[1] < 0.2 * wrong[0]
    wrong = [np.abs(np.diff(m.root - true.root, n=2, axis=0)).mean() for m in (rough, better)]
    assert wrong[1] < 0.1 * wrong[0]
    np.testing.assert_allclose(better.pose[10:-10, WRIST], true.pose[10:-10, WRIST], atol=0.02)
    np.testing.assert_array_equal(better.pose[:, 0], 0)


def test_smoothing_is_not_late():
    time_s = np.arange(200) / 50
    bump = np.exp(-0.5 * ((time_s - 2) / 0.15) ** 2)[:, None]
    assert low_pass(bump, time_s, 3.0)[:, 0].argmax() == 100


def test_smoothing_goes_by_time_and_not_by_frames():
    random = np.random.default_rng(2)
    time_s = np.cumsum(random.uniform(0.01, 0.05, 300))
    slow, fast = np.sin(2 * np.pi * 0.5 * time_s), 0.3 * np.sin(2 * np.pi * 9 * time_s)
    better = low_pass((slow + fast)[:, None], time_s, 3.0)[:, 0]
    assert np.abs(better - slow)[20:-20].mean() < 0.03
    twice = np.arange(400) / 100
    wave = np.sin(2 * np.pi * 4 * twice)[:, None]
    assert np.ptp(low_pass(wave, twice, 2.0)[100:300]) == pytest.approx(
        np.ptp(low_pass(wave[::2], twice[::2], 2.0)[50:150]), rel=0.05
    )


def test_too_few_frames_or_a_rate_too_low_to_smooth_come_back():
    few = rows(walk(), slice(0, 3))
    assert smooth(few, STRENGTHS["strong"]) is not None
    np.testing.assert_array_equal(smooth(few, STRENGTHS["strong"]).pose, few.pose)
    slow = walk(10.0, 5.0)
    same = smooth(slow, CutOffs(pose_hz=5.0, path_hz=3.0))
    np.testing.assert_array_equal(same.pose, slow.pose)


def test_smoothing_does_not_change_what_it_is_given():
    motion = trembling(walk())
    pose = motion.pose.copy()
    smooth(motion, STRENGTHS["light"])
    np.testing.assert_array_equal(motion.pose, pose)


def test_bones_keep_one_length_left_as_right_and_point_where_they_did():
    true = walk()
    rough = trembling(true)
    rough.pose[:, joint("left_knee")] *= 1.06
    lengths = bone_lengths([rough])
    better = keep_lengths(rough, lengths)
    found = bone_lengths_of(better)
    assert np.ptp(found, axis=0).max() < 1e-9
    np.testing.assert_allclose(lengths[joint("left_ankle")], lengths[joint("right_ankle")])
    bones = [m.pose[:, WRIST] - m.pose[:, joint("left_elbow")] for m in (rough, better)]
    cosine = (bones[0] * bones[1]).sum(-1) / np.prod(np.linalg.norm(bones, axis=-1), axis=0)
    np.testing.assert_allclose(cosine, 1)
    np.testing.assert_array_equal(better.pose[:, 0], 0)


def test_sure_frames_say_how_long_a_bone_is():
    motion = walk()
    pose, score = motion.pose.copy(), motion.score.copy()
    for side in ("left", "right"):
        wrist, elbow = joint(f"{side}_wrist"), joint(f"{side}_elbow")
        pose[:70, wrist] += (pose[:70, wrist] - pose[:70, elbow]) * 0.5
        score[:70, wrist] = 0.1
    lengths = bone_lengths([replace(motion, pose=pose, score=score)])
    np.testing.assert_allclose(lengths[WRIST], bone_lengths_of(motion)[0, WRIST - 1])


def test_a_joint_that_is_never_known_stays_unknown_and_spoils_no_other():
    motion = walk()
    motion.pose[:, joint("head")] = np.nan
    lengths = bone_lengths([motion])
    better = keep_lengths(motion, lengths)
    assert np.isnan(lengths[joint("head")])
    assert np.isnan(better.pose[:, joint("head")]).all()
    assert np.isfinite(np.delete(better.pose, joint("head"), axis=1)).all()


def test_a_gap_is_filled_with_motion_that_goes_on_and_has_no_score():
    true = walk()
    gap = slice(40, 52)
    before, after = rows(true, slice(0, 40)), rows(true, slice(52, None))
    assert can_fill(before, after, 0.5)
    assert not can_fill(before, after, 0.3)
    whole = fill_gap(before, after, true.time_s[gap])
    np.testing.assert_array_equal(whole.time_s, true.time_s)
    np.testing.assert_allclose(whole.root[gap], true.root[gap], atol=1e-3)
    np.testing.assert_allclose(whole.pose[gap, WRIST], true.pose[gap, WRIST], atol=1e-3)
    assert (whole.score[gap] == 0).all()
    assert (np.delete(whole.score, np.arange(40, 52), axis=0) == 1).all()


def test_a_gap_beside_somebody_who_is_nowhere_is_not_filled():
    true = walk()
    lost = rows(true, slice(52, None))
    lost = replace(lost, root=np.full_like(lost.root, np.nan))
    assert not can_fill(rows(true, slice(0, 40)), lost, 5.0)


def test_gaps_between_stretches_of_one_frame_are_filled_straight():
    true = walk()
    whole = fill_gap(rows(true, slice(10, 11)), rows(true, slice(14, 15)), true.time_s[11:14])
    np.testing.assert_allclose(whole.root, true.root[10:15], atol=1e-6)

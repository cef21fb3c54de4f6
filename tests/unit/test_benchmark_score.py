from dataclasses import replace

import numpy as np
import pytest

from pose3d_cli.learn.benchmark.protocol import PROTOCOLS, BenchmarkProtocol
from pose3d_cli.learn.benchmark.score import MEASURES, score_clip
from pose3d_cli.pose.skeleton import H36M17
from tests.takes import body, make_clip

PLAIN = BenchmarkProtocol(name="plain", about="Plain.", average="frames")
ONE = np.zeros(12, np.int64)


def shifted(xyz, joint, by):
    moved = xyz.copy()
    moved[:, H36M17.index(joint)] += by
    return moved


def test_a_joint_17_mm_off_is_a_mean_of_one():
    clip = make_clip()
    score = score_clip(clip, shifted(clip.truth.xyz, "left_knee", (0.017, 0, 0)), ONE, PLAIN)
    assert score.mean("mpjpe") == pytest.approx(0.001, rel=1e-4)
    assert score.joint_total[H36M17.index("left_knee")] == pytest.approx(12 * 0.017, rel=1e-4)
    assert score.count["mpjpe"] == score.wanted == 12
    assert score.mean("mpjve") == pytest.approx(0, abs=1e-7)  # it moves along
    assert np.isnan(score.mean("unseen"))


def test_every_measure_has_a_sum_and_a_count():
    clip = make_clip()
    score = score_clip(clip, clip.truth.xyz, ONE, PLAIN)
    assert set(score.total) == set(score.count) == set(MEASURES)


def test_scale_is_in_mpjpe_and_in_neither_other():
    clip = make_clip()
    score = score_clip(clip, 1.3 * clip.truth.xyz, ONE, PLAIN)
    assert score.mean("mpjpe") > 0.05
    assert score.mean("n_mpjpe") == pytest.approx(0, abs=1e-6)
    assert score.mean("p_mpjpe") == pytest.approx(0, abs=1e-6)
    lengths = [
        np.linalg.norm(clip.truth.xyz[:, j] - clip.truth.xyz[:, p], axis=-1)
        for j, p in enumerate(H36M17.parent_index)
        if p >= 0
    ]
    assert score.mean("bone") == pytest.approx(0.3 * np.mean(lengths), rel=1e-4)


def test_a_mirrored_answer_is_wrong_after_procrustes_too():
    clip = make_clip()
    score = score_clip(clip, clip.truth.xyz * np.float32([-1, 1, 1]), ONE, PLAIN)
    assert score.mean("p_mpjpe") > 0.05


def test_bones_that_breathe_are_told_by_their_change():
    still = np.repeat(body(1), 12, 0)
    clip = make_clip(still)
    waves = 1 + 0.1 * np.where(np.arange(12) % 2, 1, -1)[:, None, None]
    score = score_clip(clip, (still * waves).astype(np.float32), ONE, PLAIN)
    lengths = [
        np.linalg.norm(still[0, j] - still[0, p])
        for j, p in enumerate(H36M17.parent_index)
        if p >= 0
    ]
    assert score.mean("bone_change") == pytest.approx(0.1 * np.mean(lengths), rel=1e-4)


def test_frames_that_do_not_count_and_frames_without_answer_are_told_apart():
    counted = np.arange(12) != 3
    clip = make_clip(is_counted=counted)
    answer = clip.truth.xyz.copy()
    answer[7] = np.nan
    score = score_clip(clip, answer, ONE, PLAIN)
    assert (score.wanted, len(score.frame)) == (11, 10)
    assert set(range(12)) - set(score.frame.tolist()) == {3, 7}


def test_frames_are_told_by_their_number_in_the_video():
    clip = make_clip()
    late = replace(
        clip,
        keypoints=replace(clip.keypoints, frames=clip.keypoints.frames + 100),
        truth=replace(clip.truth, frames=clip.truth.frames + 100),
    )
    score = score_clip(late, late.truth.xyz, ONE, PLAIN)
    assert score.frame.tolist() == list(range(100, 112))


def test_no_velocity_is_measured_across_a_gap_or_a_border_of_stretches():
    clip = make_clip(is_counted=np.arange(12) != 3)
    jump = clip.truth.xyz.copy()
    jump[4:, 1:] += 0.5  # across the gap
    jump[8:, 1:] += 0.5  # across the border of two stretches
    stretch = (np.arange(12) >= 8).astype(np.int64)
    score = score_clip(clip, jump, stretch, PLAIN)
    assert score.mean("mpjve") == pytest.approx(0, abs=1e-6)
    assert score.count["mpjve"] == 2 + 3 + 3
    assert score.count["acceleration"] == 1 + 2 + 2
    whole = score_clip(clip, jump, ONE, PLAIN)
    assert whole.mean("mpjve") == pytest.approx(0.5 * 3**0.5 * 16 / 17 / 9, rel=1e-3)


def test_pck_and_auc_of_errors_at_the_threshold():
    # Case j of the field's traps: 149.9 mm is found, and counts at 1 of 31 thresholds; 150 is not.
    xyz = body()
    clip = make_clip(xyz)
    other = [j for j in range(17) if H36M17.joints[j] in PROTOCOLS["3dhp-strict"].pck_joints]
    for error, pck, auc in ((0.1499, 1.0, 1 / 31), (0.1501, 0.0, 0.0)):
        answer = xyz.astype(np.float64)
        answer[:, other, 0] += error
        score = score_clip(clip, answer.astype(np.float32), ONE, PROTOCOLS["3dhp-strict"])
        assert score.mean("pck") == pytest.approx(pck)
        assert score.mean("auc") == pytest.approx(auc)


def test_3dhp_counts_14_joints_in_pck_and_all_17_in_mpjpe():
    xyz = body()
    clip = make_clip(xyz)
    wrong = xyz.copy()
    for joint in ("spine", "nose"):
        wrong = shifted(wrong, joint, (1, 0, 0))
    score = score_clip(clip, wrong, ONE, PROTOCOLS["3dhp-strict"])
    assert score.mean("pck") == 1
    assert score.mean("mpjpe") == pytest.approx(2 / 17, rel=1e-4)
    assert score_clip(clip, wrong, ONE, PLAIN).mean("pck") == pytest.approx(15 / 17)


def test_joints_that_the_truth_lacks_are_left_out_of_the_mean():
    xyz = body()
    known = xyz.copy()
    known[:, [H36M17.index("spine"), H36M17.index("nose")]] = np.nan
    clip = make_clip(xyz)
    clip = make_clip(known, xy=clip.keypoints.xy)
    score = score_clip(clip, shifted(xyz, "head", (0.015, 0, 0)), ONE, PLAIN)
    assert score.mean("mpjpe") == pytest.approx(0.001, rel=1e-4)
    assert score.joint_count[H36M17.index("nose")] == 0


def test_only_the_joints_and_the_root_of_the_protocol_count():
    xyz = body()
    clip = make_clip(xyz)
    answer = shifted(shifted(xyz, "pelvis", (0.3, 0, 0)), "spine", (0.2, 0, 0))
    score = score_clip(clip, answer, ONE, PROTOCOLS["limbs"])
    assert score.mean("mpjpe") == pytest.approx(0, abs=1e-7)
    assert score_clip(clip, answer, ONE, PLAIN).mean("mpjpe") > 0.2


def test_joints_that_were_never_seen_have_a_figure_of_their_own():
    xyz = body()
    seen = np.ones((12, 17), np.float32)
    seen[:, H36M17.index("left_wrist")] = 0
    seen[3:, H36M17.index("left_elbow")] = 0  # seen for a while
    clip = make_clip(xyz, score=seen)
    answer = shifted(shifted(xyz, "left_wrist", (0.25, 0, 0)), "left_elbow", (0.1, 0, 0))
    score = score_clip(clip, answer, ONE, PLAIN)
    assert score.mean("unseen") == pytest.approx(0.25, rel=1e-4)


def test_the_example_is_the_frame_of_the_median_error():
    xyz = body(5)
    clip = make_clip(xyz)
    errors = np.float32([0.05, 0.01, 0.03, 0.02, 0.04])
    answer = xyz.copy()
    answer[:, 1:, 2] += errors[:, None]
    score = score_clip(clip, answer, np.zeros(5, np.int64), PLAIN)
    np.testing.assert_allclose(score.pose, answer[2], atol=1e-6)
    np.testing.assert_allclose(score.truth, xyz[2], atol=1e-6)


def test_an_example_in_a_world_stands_upright_before_the_camera():
    up = np.zeros((1, 17, 3), np.float32)
    up[0, H36M17.index("head")] = (0.1, 0.2, 0.7)  # z is up
    clip = make_clip(up, xy=make_clip(body(1)).keypoints.xy)
    clip = replace(clip, truth=replace(clip.truth, frame="world"))
    score = score_clip(clip, up, np.zeros(1, np.int64), PLAIN)
    np.testing.assert_allclose(score.truth[H36M17.index("head")], (0.1, -0.7, 0.2), atol=1e-6)
    np.testing.assert_allclose(score.pose, score.truth, atol=1e-6)


def test_a_clip_without_any_answer_counts_nothing():
    clip = make_clip()
    score = score_clip(clip, np.full_like(clip.truth.xyz, np.nan), ONE, PLAIN)
    assert (score.wanted, len(score.frame)) == (12, 0)
    assert np.isnan(score.mean("mpjpe"))
    assert np.isnan(score.pose).all()

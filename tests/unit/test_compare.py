from __future__ import annotations

import json

import numpy as np
import pytest

from pose3d_cli.errors import InputError
from pose3d_cli.learn.compare import compare
from pose3d_cli.pose.measures import LIMB_JOINTS
from pose3d_cli.pose.skeleton import COCO17, H36M17

N_FRAMES = 6


def truth_arrays() -> dict[str, np.ndarray]:
    """One person, two cameras: the second sees the first's picture turned by 90 degrees."""
    rng = np.random.default_rng(7)
    one = rng.normal(size=(N_FRAMES, 17, 3)) * 0.5 + [0, 0, 4]
    one[:, 0] = (one[:, 1] + one[:, 4]) / 2
    two = one[..., [1, 0, 2]] * [1, -1, 1]
    xyz = np.stack([one, two]).astype(np.float32)
    return {
        "xyz_camera": xyz,
        "keypoints_px": (xyz[..., :2] * 200 + 500).astype(np.float32),
        "cameras": np.array(["left", "right"]),
        "fps": np.array(60),
    }


def answer_arrays(xyz: np.ndarray, **more: np.ndarray) -> dict[str, np.ndarray]:
    """A result of one person, `xyz` (frames, joints, 3) in H36M17 order."""
    return {
        "xyz_camera": xyz[None].astype(np.float32),
        "frame": np.arange(len(xyz)),
        "joint_names": np.array(H36M17.joints),
        "person_id": np.array([3]),
        "meta": np.array(json.dumps({"fps": 60.0})),
        **more,
    }


@pytest.fixture
def saved(tmp_path):
    def save(name, arrays):
        np.savez(tmp_path / f"{name}.npz", **arrays)
        return tmp_path / f"{name}.npz"

    return save


@pytest.fixture
def truth(saved):
    return saved("truth", truth_arrays())


@pytest.fixture
def one():
    return truth_arrays()["xyz_camera"][0]


def test_the_truth_moved_away_is_no_error(saved, truth, one):
    found = compare(saved("p", answer_arrays(one + np.arange(3))), truth, camera="left")
    for measure in (found.mpjpe_mm, found.p_mpjpe_mm, found.n_mpjpe_mm, found.mpjve_mm):
        assert measure.mean == pytest.approx(0, abs=0.01)
    assert (found.n_truth, found.n_compared, found.coverage) == (6, 6, 1)
    assert (found.person, found.chosen_by, found.camera) == ("3", "the only one", "left")
    assert found.notes == ()


def test_one_wrist_out_by_120_mm_costs_10_mm(saved, truth, one):
    wrong = one.copy()
    wrong[:, H36M17.index("left_wrist"), 2] += 0.12
    wrong[:, H36M17.index("nose")] += 9  # no limb joint: not measured
    found = compare(saved("p", answer_arrays(wrong)), truth, camera="left")
    assert found.mpjpe_mm.mean == pytest.approx(10, abs=0.01)
    assert found.per_joint["left_wrist"].mpjpe_mm == pytest.approx(120, abs=0.01)
    assert found.per_joint["right_wrist"].mpjpe_mm == pytest.approx(0, abs=0.01)
    assert set(found.per_joint) == set(LIMB_JOINTS)
    assert found.mpjve_mm.mean == pytest.approx(0, abs=0.01)


def test_mean_and_median_are_over_frames(saved, truth, one):
    wrong = one.copy()
    wrong[0, H36M17.index("left_wrist"), 2] += 0.72
    found = compare(saved("p", answer_arrays(wrong)), truth, camera="left")
    assert found.mpjpe_mm.mean == pytest.approx(10, abs=0.01)  # 60 mm in one frame of six
    assert found.mpjpe_mm.median == pytest.approx(0, abs=0.01)
    assert found.mpjve_mm.mean == pytest.approx(60 / 5, abs=0.01)


def test_size_and_turn_show_in_the_right_measures(saved, truth, one):
    found = compare(saved("p", answer_arrays(1.5 * one)), truth, camera="left")
    assert found.mpjpe_mm.mean > 100
    assert found.n_mpjpe_mm.mean == pytest.approx(0, abs=0.01)
    found = compare(saved("q", answer_arrays(one)), truth, camera="right")
    assert found.n_mpjpe_mm.mean > 100
    assert found.p_mpjpe_mm.mean == pytest.approx(0, abs=0.01)
    assert compare(saved("q", answer_arrays(one)), truth, camera="1").camera == "right"


def test_joints_are_found_by_name(saved, truth, one):
    order = np.random.default_rng(0).permutation(17)
    names = np.array(H36M17.joints)[order]
    found = compare(
        saved("p", answer_arrays(one[:, order], joint_names=names)), truth, camera="left"
    )
    assert found.mpjpe_mm.mean == pytest.approx(0, abs=0.01)


def test_frames_are_found_by_number_and_missing_ones_counted(saved, truth, one):
    partial = answer_arrays(one[[2, 3, 5]], frame=np.array([2, 3, 5]))
    partial["xyz_camera"][0, 1, H36M17.index("left_knee")] = np.nan
    found = compare(saved("p", partial), truth, camera="left")
    assert (found.n_truth, found.n_compared) == (6, 2)
    assert found.coverage == pytest.approx(1 / 3)
    assert found.mpjpe_mm.mean == pytest.approx(0, abs=0.01)
    assert found.notes == ("4 of 6 frames have no answer and are not in the means",)
    assert found.to_json()["mpjve_mm"]["mean"] is None  # 2 and 5 are no neighbours
    json.dumps(found.to_json(), allow_nan=False)


def test_steps_over_a_gap_are_not_velocities(saved, one):
    arrays = truth_arrays()
    arrays = {"xyz_camera": arrays["xyz_camera"][0], "fps": arrays["fps"]}
    arrays["frame"] = np.array([0, 1, 2, 10, 11, 12])
    moved = one.copy()
    moved[3:, H36M17.index("left_wrist")] += [0, 0, 1.2]
    path = saved("p", answer_arrays(moved, frame=arrays["frame"]))
    assert compare(path, saved("t", arrays)).mpjve_mm.mean == pytest.approx(0, abs=0.01)


def test_an_unknown_joint_of_the_truth_is_left_out(saved, one):
    arrays = truth_arrays()
    arrays["xyz_camera"][0, 0] = np.nan  # a frame of which nothing is known
    arrays["xyz_camera"][0, 1, H36M17.index("left_wrist")] = np.nan
    wrong = one.copy()
    wrong[1, H36M17.index("left_elbow"), 2] += 0.11
    found = compare(saved("p", answer_arrays(wrong)), saved("t", arrays), camera="left")
    assert (found.n_truth, found.n_compared) == (5, 5)
    assert found.mpjpe_mm.mean == pytest.approx(110 / 11 / 5, abs=0.01)


def two_people(one) -> dict[str, np.ndarray]:
    """A stranger (id 8), near in a single frame, and the right one (id 5), 4 px off."""
    pixels = truth_arrays()["keypoints_px"][0]
    stranger = np.full_like(pixels, np.nan)
    stranger[2] = pixels[2]
    return answer_arrays(
        one,
        xyz_camera=np.stack([one[::-1], one]).astype(np.float32),
        keypoints_px=np.stack([stranger, pixels + np.float32([0, 4])]),
        person_id=np.array([8, 5]),
    )


def test_the_person_nearest_in_2d_is_taken(saved, truth, one):
    found = compare(saved("p", two_people(one)), truth, camera="left")
    assert found.person == "5"
    assert found.chosen_by == "nearest in 2D: median 4 px from the truth"
    assert found.mpjpe_mm.mean == pytest.approx(0, abs=0.01)


def test_the_person_asked_for_is_taken(saved, truth, one):
    found = compare(saved("p", two_people(one)), truth, camera="left", person=8)
    assert (found.person, found.chosen_by) == ("8", "asked for")
    assert found.mpjpe_mm.mean > 100
    with pytest.raises(InputError, match="no person 1; it holds 8, 5"):
        compare(saved("p", two_people(one)), truth, camera="left", person=1)
    arrays = two_people(one)
    del arrays["keypoints_px"]
    with pytest.raises(InputError, match=r"people 8, 5 and no 2D .*--person"):
        compare(saved("p", arrays), truth, camera="left")


def test_a_result_can_be_the_truth(saved, one):
    path = saved("p", two_people(one))
    assert compare(path, path, person=8).mpjpe_mm.mean == 0
    with pytest.raises(InputError, match=r"truth holds the people 8, 5; choose .*--person"):
        compare(path, path)
    with pytest.raises(InputError, match="names no cameras"):
        compare(path, path, person=8, camera="left")


def test_the_camera_must_be_known(saved, truth, one):
    path = saved("p", answer_arrays(one))
    with pytest.raises(InputError, match=r"several cameras \(left, right\); choose with --camera"):
        compare(path, truth)
    with pytest.raises(InputError, match="no camera 'top'; it has left, right"):
        compare(path, truth, camera="top")


def test_no_frame_in_common(saved, truth, one):
    path = saved("p", answer_arrays(one, frame=np.arange(50, 56)))
    with pytest.raises(InputError, match=r"no frame in common .*frames 50-55.*frames 0-5"):
        compare(path, truth, camera="left")


def test_another_rate_is_told(saved, truth, one):
    path = saved("p", answer_arrays(one, meta=np.array('{"fps": 30}')))
    found = compare(path, truth, camera="left")
    assert found.notes == ("30 frames/s against 60: is it the same video?",)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"joint_names": np.array(COCO17.joints[:3])}, "arrays that do not fit"),
        ({"joint_names": np.array([f"j{i}" for i in range(17)])}, "lacks left_hip.*cannot be"),
        ({"frame": np.zeros(6)}, "frame numbers must rise"),
        ({"person_id": np.arange(2)}, "arrays that do not fit"),
        ({"xyz_camera": np.zeros((6, 3))}, r"xyz_camera is \(6, 3\)"),
        ({"keypoints_px": np.zeros((1, 5, 17, 2))}, "arrays that do not fit"),
        ({"frame": np.array([None] * 6)}, "not a readable .npz"),
    ],
)
def test_a_prediction_that_does_not_fit(saved, truth, one, change, message):
    path = saved("p", {**answer_arrays(one), **change})
    with pytest.raises(InputError, match=message):
        compare(path, truth, camera="left")


def test_files_that_are_none(saved, truth, tmp_path, one):
    with pytest.raises(InputError, match="no such file"):
        compare(tmp_path / "none.npz", truth, camera="left")
    (tmp_path / "text.npz").write_text("hello")
    with pytest.raises(InputError, match=r"not a readable \.npz"):
        compare(tmp_path / "text.npz", truth, camera="left")
    np.save(tmp_path / "single.npy", one)
    with pytest.raises(InputError, match="a single array"):
        compare(tmp_path / "single.npy", truth, camera="left")
    with pytest.raises(InputError, match="no array `xyz_camera` here; found other"):
        compare(saved("o", {"other": one}), truth, camera="left")
    with pytest.raises(InputError, match="16 joints and no `joint_names`"):
        compare(saved("o", {"xyz_camera": one[:, :16]}), truth, camera="left")


def test_rows_say_what_the_numbers_are(saved, truth, one):
    rows = compare(saved("p", answer_arrays(one + 1)), truth, camera="left").rows()
    assert rows[0] == ("mm", "mean", "median")
    assert rows[1] == ("MPJPE", "0.0", "0.0")
    assert {row[0] for row in rows} >= {"P-MPJPE", "N-MPJPE", "left_wrist", "right_ankle"}

from __future__ import annotations

import numpy as np
import pytest

from pose3d_cli.errors import InputError
from pose3d_cli.files.keypoints import write_keypoints
from pose3d_cli.learn.clip import DATASETS, Dataset, DatasetOptions
from pose3d_cli.learn.datasets.folder import check, open_folder
from pose3d_cli.pose.skeleton import H36M17
from tests.miniatures import folder as mini
from tests.miniatures.folder import clips, notes, only_clip, write_json

SPINE = H36M17.index("spine")
NO_SPINE = [i for i in range(17) if i != SPINE]


@pytest.fixture
def walk(tmp_path):
    """A folder with a take `walk` of a second at 30 frames a second, its truth still to come."""
    mini.write_seen(tmp_path)
    mini.write_settings(tmp_path)
    return tmp_path


def in_camera(time_s):
    return mini.to_camera(mini.person_at(time_s))


# --- what a take is worth -------------------------------------------------------------------------


def test_it_is_a_data_set_by_its_name():
    entry = DATASETS.get("folder")
    assert entry.open is open_folder
    assert entry.protocols == ("own", "limbs")


def test_a_truth_in_camera_axes(walk):
    mini.write_npz(walk / "walk.npz", mini.times(30, 1), 30)
    dataset = open_folder(walk, DatasetOptions())
    assert isinstance(dataset, Dataset)
    (clip,) = dataset.clips("test")
    assert (clip.name, clip.take, clip.truth.frame, clip.truth.fps) == ("walk", "", "camera", 30)
    assert clip.is_counted.all()
    assert clip.screen_width == 640
    np.testing.assert_allclose(clip.truth.xyz, in_camera(mini.times(30, 1)), atol=1e-6)
    np.testing.assert_allclose(clip.camera.matrix, mini.MATRIX)
    assert not notes(walk)
    assert check(walk, DatasetOptions()) == []


def test_somebody_upright_has_their_head_above_their_feet_in_camera_axes(walk):
    """By hand: from 1 m up and 3 m before them, a head at 1.7 m is 0.7 m above the lens, and an
    ankle at 0.1 m is 0.9 m below it; above is towards smaller y."""
    mini.write_trc(walk / "walk.trc", mini.times(30, 1), 30)
    first = only_clip(walk).truth.xyz[0]
    np.testing.assert_allclose(first[H36M17.index("head")], (0, -0.7, 3), atol=1e-5)
    np.testing.assert_allclose(first[H36M17.index("left_ankle")], (0.1, 0.9, 3), atol=1e-5)


def test_left_is_left(walk):
    """Who faces the camera has their left on the right of the picture."""
    mini.write_trc(walk / "walk.trc", mini.times(30, 1), 30)
    clip = only_clip(walk)
    for part in ("hip", "knee", "ankle", "shoulder", "elbow", "wrist"):
        left, right = H36M17.index(f"left_{part}"), H36M17.index(f"right_{part}")
        assert (clip.truth.xyz[:, left, 0] > clip.truth.xyz[:, right, 0]).all()
        assert (clip.keypoints.xy[:, left, 0] > clip.keypoints.xy[:, right, 0]).all()


@pytest.mark.parametrize("kind", ["npz", "trc", "csv", "c3d"])
def test_every_format_says_the_same(walk, kind):
    time_s = mini.times(30, 1)
    if kind == "npz":
        mini.write_npz(walk / "walk_truth.npz", time_s, 30)
    elif kind == "trc":
        mini.write_trc(walk / "walk.trc", time_s, 30)
    elif kind == "csv":
        mini.write_tidy(walk / "walk.csv", time_s)
    else:
        pytest.importorskip("ezc3d")
        mini.write_c3d(walk / "walk.c3d", time_s, 30, mini.POSE2SIM)
        mini.write_settings(walk, more='truth_axes = ["x", "-z", "y"]\n')
    clip = only_clip(walk)
    assert clip.truth.frame == "camera"
    np.testing.assert_allclose(
        clip.truth.xyz[:, NO_SPINE], in_camera(time_s)[:, NO_SPINE], atol=1e-4
    )


def test_joint_centres_of_plug_in_gait_make_their_own_pelvis(walk):
    pytest.importorskip("ezc3d")
    parts = {"hip": "HJC", "knee": "KJC", "ankle": "AJC", "shoulder": "SJC", "elbow": "EJC"}
    names = {
        f"{side}_{part}": f"Ann:{side[0].upper()}{centre}"
        for side in ("left", "right")
        for part, centre in parts.items()
    }
    mini.write_c3d(walk / "walk.c3d", mini.times(100, 1), 100, names)
    mini.write_settings(walk, more='truth_axes = ["x", "-z", "y"]\n')
    truth = only_clip(walk).truth.xyz
    hips = truth[:, [H36M17.index("left_hip"), H36M17.index("right_hip")]].mean(1)
    np.testing.assert_allclose(truth[:, 0], hips, atol=1e-6)
    (missing,) = (note for note in notes(walk) if "not measured" in note)
    assert missing.endswith("spine, thorax, nose, head, left_wrist, right_wrist")


def test_a_marker_that_is_no_joint_is_told(walk):
    path = mini.write_trc(walk / "walk.trc", mini.times(30, 1), 30)
    path.write_text(path.read_text().replace("RWrist", "LASI"))
    told = notes(walk)
    assert any("not used: LASI" in note for note in told)
    assert any("not measured: spine, right_wrist" in note for note in told)
    assert np.isnan(only_clip(walk).truth.xyz[:, H36M17.index("right_wrist")]).all()


# --- axes -----------------------------------------------------------------------------------------


def test_without_a_place_of_the_camera_the_truth_stays_in_its_world_z_up(walk):
    mini.write_settings(walk, placed=False)
    time_s = mini.times(30, 1)
    mini.write_trc(walk / "walk.trc", time_s, 30)
    clip = only_clip(walk)
    assert clip.truth.frame == "world"
    x, y, z = np.moveaxis(mini.person_at(time_s)[:, NO_SPINE], -1, 0)
    np.testing.assert_allclose(clip.truth.xyz[:, NO_SPINE], np.stack([x, -z, y], -1), atol=1e-5)
    assert any("rely on P-MPJPE only" in note for note in notes(walk))


def test_truth_axes_come_before_the_place_of_the_camera(walk):
    """Rewrite the truth as Pose2Sim does from a world with z up: its (x, y, z) is our (y, z, x)."""
    time_s = mini.times(30, 1)
    world = mini.person_at(time_s)  # y up, as the camera's place has it
    turned = world[..., [1, 2, 0]]
    rows = [
        f"{t:.6f},{joint}," + ",".join(f"{v:.6f}" for v in xyz)
        for t, pose in zip(time_s, turned, strict=True)
        for joint, xyz in zip(H36M17.joints, pose, strict=True)
    ]
    (walk / "walk.csv").write_text("\n".join(["time_s,joint,x,y,z", *rows]))
    with pytest.raises(InputError, match=r"px from where walk.csv is in the picture.*truth_axes"):
        clips(walk)
    mini.write_settings(walk, more='truth_axes = ["y", "z", "x"]\n')
    np.testing.assert_allclose(only_clip(walk).truth.xyz, in_camera(time_s), atol=1e-5)


def test_a_truth_with_the_pelvis_at_the_origin_is_root_relative(walk):
    xyz = in_camera(mini.times(30, 1)).astype(np.float32)
    np.savez(walk / "walk.npz", xyz_camera=xyz - xyz[:, :1])
    assert only_clip(walk).truth.frame == "root"


# --- time -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("rate", [100, 50, 29.97, 12.5])
def test_a_truth_of_another_rate_is_taken_at_the_videos_times(walk, rate):
    mini.write_trc(walk / "walk.trc", mini.times(rate, 1.2), rate)
    clip = only_clip(walk)
    assert clip.is_counted.all()
    expected = in_camera(mini.times(30, 1))[:, NO_SPINE]
    np.testing.assert_allclose(clip.truth.xyz[:, NO_SPINE], expected, atol=1e-5)


def test_an_npz_of_another_rate_counts_its_own_frames(walk):
    mini.write_npz(walk / "walk.npz", mini.times(100, 1.1), 100)
    np.testing.assert_allclose(only_clip(walk).truth.xyz, in_camera(mini.times(30, 1)), atol=1e-5)


def test_frame_numbers_are_those_of_a_video_of_uneven_times(walk):
    uneven = np.array([0, 0.03, 0.1, 0.13, 0.2])
    seen = mini.seen_at(uneven, 30)
    frames = np.arange(5)
    write_keypoints(
        walk / "walk_keypoints.npz",
        [type(seen)(**{**vars(seen), "frames": frames})],
        {},
    )
    mini.write_npz(walk / "walk.npz", uneven, 30)
    np.savez(walk / "walk.npz", xyz_camera=in_camera(uneven)[None].astype(np.float32))
    np.testing.assert_allclose(only_clip(walk).truth.xyz, in_camera(uneven), atol=1e-6)


@pytest.mark.parametrize("late_s", [0.25, -0.25])
def test_an_offset_shifts_the_truth(walk, late_s):
    """A truth whose clock was started `late_s` after the video's: its 0 is the video's `late_s`."""
    time_s = mini.times(100, 2, start_s=-0.5)
    path = mini.write_trc(walk / "walk.trc", time_s, 100)
    lines = path.read_text().splitlines()
    for i, t in enumerate(time_s):
        cells = lines[6 + i].split("\t")
        lines[6 + i] = "\t".join([cells[0], f"{t - late_s:.6f}", *cells[2:]])
    path.write_text("\n".join(lines) + "\n")
    mini.write_settings(walk, more=f"offset_s = {late_s}\n")
    clip = only_clip(walk)
    expected = in_camera(mini.times(30, 1))[:, NO_SPINE]
    assert clip.is_counted.all()
    np.testing.assert_allclose(clip.truth.xyz[:, NO_SPINE], expected, atol=1e-5)


def test_only_frames_that_the_truth_reaches_are_counted(walk):
    mini.write_trc(walk / "walk.trc", mini.times(100, 0.501, start_s=0.2), 100)
    clip = only_clip(walk)
    time_s = mini.times(30, 1)
    np.testing.assert_array_equal(clip.is_counted, (time_s > 0.199) & (time_s < 0.7))
    assert np.isnan(clip.truth.xyz[~clip.is_counted]).all()
    assert any("does not reach 15 of 30 frames" in note for note in notes(walk))


def test_a_gap_in_the_truth_is_not_bridged(walk):
    time_s = mini.times(100, 1)
    mini.write_trc(walk / "walk.trc", time_s[(time_s < 0.3) | (time_s > 0.6)], 100)
    counted = only_clip(walk).is_counted
    np.testing.assert_array_equal(counted, (mini.times(30, 1) < 0.3) | (mini.times(30, 1) > 0.6))


def test_a_cut_c3d_keeps_its_place_in_time(walk):
    pytest.importorskip("ezc3d")
    mini.write_settings(walk, more='truth_axes = ["x", "-z", "y"]\n')
    mini.write_c3d(walk / "walk.c3d", mini.times(100, 0.5, start_s=0.3), 100, mini.POSE2SIM)
    clip = only_clip(walk)
    assert clip.is_counted.sum() == 15
    expected = in_camera(mini.times(30, 1))[clip.is_counted][:, NO_SPINE]
    np.testing.assert_allclose(clip.truth.xyz[clip.is_counted][:, NO_SPINE], expected, atol=1e-5)


def test_no_instant_in_common_is_told_with_both_spans(walk):
    mini.write_trc(walk / "walk.trc", mini.times(100, 1, start_s=3), 100)
    with pytest.raises(InputError, match=r"from 3.00 to 3.99 s .* 0.00 to 0.97 s: .* offset_s"):
        clips(walk)


def test_a_frame_without_a_hip_is_not_counted_and_one_without_a_wrist_is(walk):
    path = mini.write_tidy(walk / "walk.csv", mini.times(30, 1))
    lines = path.read_text().splitlines()
    for i, line in enumerate(lines):
        if line.startswith("0.100000,left_hip") or line.startswith("0.200000,left_wrist"):
            lines[i] = ",".join([*line.split(",")[:2], "", "", ""])
    path.write_text("\n".join(lines))
    np.testing.assert_array_equal(np.flatnonzero(~only_clip(walk).is_counted), [3])
    assert any("without a hip in 1 of 30 frames" in note for note in notes(walk))


# --- keypoints ------------------------------------------------------------------------------------


def test_frames_in_which_nobody_was_found_are_wanted_all_the_same(walk):
    seen = mini.seen_at(mini.times(30, 1), 30)
    write_keypoints(walk / "walk_keypoints.npz", [seen.take(np.r_[2:10, 20:28])], {})
    mini.write_npz(walk / "walk.npz", mini.times(30, 1), 30)
    clip = only_clip(walk)
    np.testing.assert_array_equal(clip.keypoints.frames, np.arange(2, 28))
    assert clip.is_counted.all()
    assert np.isnan(clip.keypoints.xy[8:18]).all()
    assert (clip.keypoints.score[8:18] == 0).all()
    np.testing.assert_allclose(clip.truth.xyz, in_camera(mini.times(30, 1))[2:28], atol=1e-6)


def test_the_person_nearest_to_the_truth_is_measured(walk):
    time_s = mini.times(30, 1)
    other = mini.seen_at(time_s, 30, person=0, shift_px=150)
    walker = mini.seen_at(time_s, 30, person=7).take(np.arange(5, 25))
    write_keypoints(walk / "walk_keypoints.npz", [other, walker], {})
    mini.write_npz(walk / "walk.npz", time_s, 30)
    assert only_clip(walk).keypoints.person == 7
    assert any("of 2 people person 7, nearest" in note for note in notes(walk))
    mini.write_settings(walk, more="person = 3\n")
    with pytest.raises(InputError, match=r"no person 3 .* it holds 0, 7"):
        clips(walk)


def test_somebody_else_is_not_measured(walk):
    time_s = mini.times(30, 1)
    write_keypoints(walk / "walk_keypoints.npz", [mini.seen_at(time_s, 30, shift_px=250)], {})
    mini.write_npz(walk / "walk.npz", time_s, 30)
    with pytest.raises(InputError, match=r"250 px from where walk.npz is in the picture"):
        clips(walk)


def test_who_is_nearest_is_told_by_the_shifted_clock(walk):
    time_s = mini.times(30, 1)
    people = [mini.seen_at(time_s, 30, person=0, shift_px=150), mini.seen_at(time_s, 30, person=1)]
    write_keypoints(walk / "walk_keypoints.npz", people, {})
    path = mini.write_tidy(walk / "walk.csv", time_s)
    head, *rows = path.read_text().splitlines()
    late = [f"{float(row.split(',')[0]) + 60:.6f},{row.split(',', 1)[1]}" for row in rows]
    path.write_text("\n".join([head, *late]))
    mini.write_settings(walk, more="offset_s = -60\n")
    assert only_clip(walk).keypoints.person == 1


@pytest.mark.parametrize("is_swapped", [True, False])
def test_sides_that_are_named_the_wrong_way_round_are_noted(walk, is_swapped):
    """With keypoints a little off, as a detector's are."""
    seen = mini.seen_at(mini.times(30, 1), 30, shift_px=4)
    write_keypoints(walk / "walk_keypoints.npz", [seen], {})
    path = mini.write_trc(walk / "walk.trc", mini.times(30, 1), 30)
    if is_swapped:
        lines = path.read_text().splitlines()
        swap = str.maketrans("LR", "RL")
        names = [n.translate(swap) if n[:1] in ("L", "R") else n for n in lines[3].split("\t")]
        path.write_text("\n".join([*lines[:3], "\t".join(names), *lines[4:]]) + "\n")
    found = any("with left and right exchanged" in note for note in notes(walk))
    assert found == is_swapped


def test_without_a_camera_who_is_there_longest_is_measured(walk):
    time_s = mini.times(30, 1)
    short = mini.seen_at(time_s, 30, person=0).take(np.arange(5))
    write_keypoints(walk / "walk_keypoints.npz", [short, mini.seen_at(time_s, 30, person=1)], {})
    mini.write_npz(walk / "walk.npz", time_s, 30)
    (walk / "walk.toml").unlink()
    clip = only_clip(walk)
    assert clip.camera is None
    assert clip.keypoints.person == 1
    assert any("no calibration" in note for note in notes(walk))


def test_left_and_right_that_a_detector_changed_over_are_changed_back(walk):
    time_s = mini.times(30, 2)
    seen = mini.seen_at(time_s, 30)
    xy = seen.xy.copy()
    xy[20:26] = xy[20:26][:, H36M17.mirror]
    write_keypoints(walk / "walk_keypoints.npz", [type(seen)(**{**vars(seen), "xy": xy})], {})
    mini.write_npz(walk / "walk.npz", time_s, 30)
    np.testing.assert_allclose(only_clip(walk).keypoints.xy, seen.xy)
    assert any("changed over in 6 frames" in note for note in notes(walk))


def test_json_needs_a_rate_and_a_size_and_the_settings_may_say_them(tmp_path):
    write_json(tmp_path / "walk.json")
    mini.write_settings(tmp_path)
    mini.write_npz(tmp_path / "walk.npz", mini.times(30, 1), 30)
    with pytest.raises(InputError, match=r"put the video beside it as walk.mp4, or fps and image"):
        clips(tmp_path)
    mini.write_settings(tmp_path, more="fps = 30\nimage_size = [640, 480]\n")
    clip = only_clip(tmp_path)
    assert clip.keypoints.skeleton is H36M17
    assert (len(clip), clip.keypoints.fps) == (10, 30)
    wrist = H36M17.index("left_wrist")
    expected = mini.seen_at(mini.times(30, 1), 30).xy[:10, wrist]
    np.testing.assert_allclose(clip.keypoints.xy[:, wrist], expected, atol=1e-3)


def test_json_takes_rate_and_size_from_the_video_beside_it(tmp_path):
    pytest.importorskip("av")
    from fractions import Fraction

    from tests.clips import make_clip

    make_clip(tmp_path / "walk.mp4", n_frames=3, size=mini.SIZE, rate=Fraction(25))
    write_json(tmp_path / "walk.json")
    mini.write_settings(tmp_path)
    mini.write_trc(tmp_path / "walk.trc", mini.times(100, 1), 100)
    assert only_clip(tmp_path).keypoints.fps == 25

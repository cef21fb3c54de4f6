import json
from pathlib import Path

import numpy as np
import pytest

from pose3d_cli.files.joints3d import read_joints
from pose3d_cli.files.keypoints import write_keypoints
from pose3d_cli.learn.rendered.detector_error import joint_errors, limb_percentiles, nearest
from pose3d_cli.learn.rendered.report import report
from pose3d_cli.learn.rendered.truth import Rendered, in_picture
from pose3d_cli.pose.camera import Camera
from pose3d_cli.pose.measures import LIMB_JOINTS
from pose3d_cli.pose.skeleton import H36M17
from pose3d_cli.pose.types import Keypoints2D
from tests.bodies import looking, posture
from tests.motion import tiny_pack

FRAMES = 30
SIDEWAYS = np.array([1.5, 0.0, 0.0])


def stance(depth=4.0):
    """Truth (frames, joints, 3) in camera axes: a person who faces the camera and sways."""
    pose = np.stack([posture(left_arm_abduction=30.0, right_arm_abduction=40.0)] * FRAMES)
    facing = pose * [-1.0, 1.0, 1.0]  # their left is on the right of the picture
    xyz = np.stack([facing[..., 0], -facing[..., 2], -facing[..., 1]], -1)
    sway = np.zeros((FRAMES, 1, 3))
    sway[:, 0, 0] = 0.3 * np.sin(np.arange(FRAMES) / 5)
    return xyz + sway + [0.0, 0.0, depth]


def clip_of(xyz, camera):
    return Rendered(Path("clip.mp4"), xyz, in_picture(xyz, camera), camera, 25.0)


def seen_at(xyz, moved, camera):
    clip = clip_of(xyz, camera)
    return clip, nearest([keypoints_at(moved, camera)], clip)


def keypoints_at(xyz, camera, frames=None):
    frames = np.arange(len(xyz)) if frames is None else frames
    pixels = xyz[frames] @ camera.matrix.T
    return Keypoints2D(
        xy=(pixels[..., :2] / pixels[..., 2:]).astype(np.float32),
        score=np.ones((len(frames), 17), np.float32),
        frames=frames,
        time_s=frames / 25.0,
        fps=25.0,
        image_size=camera.image_size,
        skeleton=H36M17,
    )


def test_a_constant_offset_is_found_outwards_and_up():
    camera, xyz = looking((640, 640), 700.0), stance()
    moved = xyz.copy()
    for side, sign in (("left", 1.0), ("right", -1.0)):  # the left is at positive x here
        moved[:, H36M17.index(f"{side}_hip")] += [sign * 0.03, -0.02, 0.0]
    moved[..., :2] += 0.003 * np.random.default_rng(0).normal(size=(FRAMES, 17, 2))
    seen = seen_at(xyz, moved, camera)
    error = joint_errors([seen])["hip"]
    assert error.outwards_mm == pytest.approx(30.0, abs=3.0)
    assert error.up_mm == pytest.approx(20.0, abs=3.0)
    assert error.clips_differ_mm < 2.0
    assert joint_errors([seen])["knee"].up_mm == pytest.approx(0.0, abs=3.0)


def test_clips_that_differ_and_noise_are_told_apart():
    camera, xyz = looking((640, 640), 700.0), stance()
    random, seen = np.random.default_rng(0), []
    for _ in range(30):
        moved = xyz.copy()
        moved[..., :2] += 0.03 * random.normal(size=(1, 17, 2))
        moved[..., :2] += 0.01 * random.normal(size=(FRAMES, 17, 2))
        seen.append(seen_at(xyz, moved, camera))
    error = joint_errors(seen)["knee"]
    extent = np.ptp(xyz[0, :, 1])
    assert error.clips_differ_mm == pytest.approx(30.0, rel=0.25)
    assert error.noise == pytest.approx(0.01 / extent, rel=0.25)
    assert abs(error.remembered) < 0.2  # new in every frame


def test_percentiles_are_of_limbs_in_the_picture_as_shares_of_the_person():
    camera, xyz = looking((640, 640), 700.0), stance()
    moved = xyz.copy()
    moved[:, [H36M17.index(j) for j in LIMB_JOINTS], 0] += 0.05
    moved[:, H36M17.index("head")] += 0.4  # no limb
    extent = np.ptp(xyz[0, :, 1])
    shares = limb_percentiles([seen_at(xyz, moved, camera)])
    assert shares[50] == pytest.approx(0.05 / extent, rel=0.02)
    assert shares[99] == pytest.approx(0.05 / extent, rel=0.02)


def test_the_generators_noise_is_measured_like_a_detectors(pose3d, tmp_path):
    data = tiny_pack(tmp_path / "pack")
    found = json.loads(pose3d("bench", "detector", "--generator", data, "--json").stdout)
    assert found["clips"] > 350
    assert found["joints"]["ankle"]["up_mm"] == pytest.approx(20.0, abs=4.0)
    assert 0.015 < found["limb_percentiles"]["50"] < 0.03


def test_bench_detector_takes_a_folder_or_a_generator_and_no_files_with_the_latter(
    pose3d, tmp_path
):
    for flags in (
        (),
        ("--generator", tmp_path, "--from-2d", tmp_path),
        (tmp_path, "--generator", tmp_path),
    ):
        assert "give FOLDER" in pose3d("bench", "detector", *flags, code=2).stderr


def test_the_person_nearest_the_truth_counts_and_a_stranger_does_not():
    camera, xyz = looking((640, 640), 700.0), stance()
    stranger = keypoints_at(xyz + SIDEWAYS, camera)
    right = keypoints_at(xyz, camera, np.arange(5, FRAMES))
    seen = nearest([stranger, right], clip_of(xyz, camera))
    assert list(seen.keypoints.frames) == list(range(5, FRAMES))
    assert np.abs(seen.error).max() < 1e-5
    assert nearest([stranger], clip_of(xyz, camera)) is None
    assert nearest([right], clip_of(xyz[:-1], camera)) is None  # keypoints of a longer clip


def test_missed_frames_and_swapped_sides_are_counted():
    camera, xyz = looking((640, 640), 700.0), stance()
    seen = keypoints_at(xyz, camera, np.arange(6, FRAMES))
    seen.xy[6:12] = seen.xy[6:12][:, list(H36M17.mirror)]
    clip = clip_of(xyz, camera)
    found = report("a name", [(clip, nearest([seen], clip))])
    assert found.frames_missed == pytest.approx(6 / FRAMES)
    assert found.frames_unflipped == pytest.approx(6 / FRAMES)
    assert "in 80.0 % of frames" in found.in_words()


def test_a_folder_without_rendered_clips_says_how_to_make_some(pose3d, tmp_path):
    result = pose3d("bench", "detector", tmp_path, code=3)
    assert "pose3d data render" in result.stderr


def test_keypoints_of_any_detector_are_measured_by_their_files(pose3d, rendered, tmp_path):
    folder, _, videos = rendered
    truth = videos[0].with_name("person0000_truth.npz")
    xyz = read_joints(truth).xyz[0].astype(float)
    matrix = np.load(truth)["K"]
    camera = Camera(matrix=matrix, distortion=np.zeros(0), image_size=(96, 96), source="test")
    write_keypoints(tmp_path / "person0000_keypoints.npz", [keypoints_at(xyz, camera)], {})
    result = pose3d("bench", "detector", folder, "--from-2d", tmp_path, "--json")
    found = json.loads(result.stdout)
    assert (found["clips"], found["clips_lost"]) == (1, 1)
    assert abs(found["joints"]["knee"]["up_mm"]) < 1.0
    gone = pose3d("bench", "detector", folder, "--from-2d", tmp_path / "none", code=3)
    assert "no such folder" in gone.stderr


def test_boxes_are_nobody(pose3d, rendered):
    folder, _, _ = rendered
    result = pose3d("bench", "detector", folder, code=7)
    assert "in none of 2 clips" in result.stderr

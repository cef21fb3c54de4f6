import json
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from pose3d_cli.files.joints3d import read_joints
from pose3d_cli.files.keypoints import write_keypoints
from pose3d_cli.files.mocap_pack import MocapClip
from pose3d_cli.files.video import open_video
from pose3d_cli.learn.rendered.clips import RenderSettings, render_clips
from pose3d_cli.learn.rendered.clothes import dressed
from pose3d_cli.learn.rendered.detector_error import joint_errors, limb_percentiles, nearest
from pose3d_cli.learn.rendered.evaluate import evaluate_rendered
from pose3d_cli.learn.rendered.picture import background, draw_mesh
from pose3d_cli.learn.rendered.segments import SEGMENTS, named, parent_of, rotations
from pose3d_cli.learn.rendered.truth import Rendered, in_picture, read_rendered
from pose3d_cli.learn.synthetic.marks import marked_points
from pose3d_cli.lift.rotation import about
from pose3d_cli.lift.windowed import WindowedLifter
from pose3d_cli.pose.camera import Camera
from pose3d_cli.pose.measures import LIMB_JOINTS
from pose3d_cli.pose.skeleton import H36M17
from pose3d_cli.pose.types import Keypoints2D
from tests.bodies import BoxyBodies, at_rest, boxy, landmarks, posture
from tests.motion import tiny_pack

TURN = (about("x", torch.tensor(0.7)) @ about("z", torch.tensor(2.0))).double().numpy()
SIDEWAYS = np.array([1.5, 0.0, 0.0])
FRAMES = 30


def looking(size=(64, 48), focal=60.0):
    matrix = np.array([[focal, 0.0, size[0] / 2], [0.0, focal, size[1] / 2], [0.0, 0.0, 1.0]])
    return Camera(matrix=matrix, distortion=np.zeros(0), image_size=size, source="test")


def walking(frames=120):
    """Somebody who lifts the left knee and the right arm in turn; Z up, y forwards."""
    pose = [
        posture(left_leg_flexion=40.0 * np.sin(t / 9), right_arm_flexion=60.0 * np.sin(t / 7))
        for t in range(frames)
    ]
    xyz = np.stack(pose).astype(np.float32)
    return MocapClip(
        name="w", subject="s", split="test", category="walk", licence="CC0", fps=50.0, xyz=xyz
    )


def test_every_segment_comes_after_the_one_it_hangs_on():
    for number, segment in enumerate(SEGMENTS):
        above = parent_of(segment)
        assert (above is None) == (segment == "pelvis")
        assert above is None or SEGMENTS.index(above) < number


def test_a_body_at_rest_is_not_turned_and_one_turned_as_a_whole_is_turned_everywhere():
    rest = at_rest()
    for rotation in (np.eye(3), TURN):
        posed = {name: rotation @ point for name, point in rest.items()}
        for segment, found in rotations(rest, posed).items():
            np.testing.assert_allclose(found, rotation, atol=1e-6, err_msg=segment)


def test_a_collar_bone_follows_its_shoulder_and_a_straight_arm_does_not_twist():
    rest, shrug = at_rest(), at_rest()
    for part in ("shoulder", "elbow", "wrist"):
        shrug[f"left_{part}"] = shrug[f"left_{part}"] + [0.0, 0.05, 0.1]
    turned = rotations(rest, shrug)
    before, after = (j["left_shoulder"] - j["thorax"] for j in (rest, shrug))
    along = turned["left_clavicle"] @ before
    np.testing.assert_allclose(along / np.linalg.norm(along), after / np.linalg.norm(after))
    straight = named(posture(left_arm_abduction=90.0) * [-1.0, -1.0, 1.0])
    raised = rotations(rest, straight)["left_upper_arm"]
    chest = rotations(rest, straight)["chest"]
    axis = np.array([0.0, 1.0, 0.0])  # it is raised about the axis that points backwards
    np.testing.assert_allclose(raised @ axis, chest @ axis, atol=1e-5)


@pytest.mark.parametrize(
    "angles",
    [
        {"left_arm_flexion": 80.0, "left_arm_hinge": 90.0},
        {"right_leg_flexion": 70.0, "right_leg_hinge": 100.0},
        {"left_arm_abduction": 120.0, "trunk_pitch": 40.0},
    ],
)
def test_joints_of_a_posed_body_are_where_those_of_the_pose_are(angles):
    target = posture(**angles) @ TURN.T
    root = np.array([0.3, -0.2, 4.0])
    vertices, joints = boxy().posed(target, root)
    # The spine is taken to lie half way; necks and collar bones keep the body's own lengths.
    limbs = [j for j, n in enumerate(H36M17.joints) if n.endswith(("knee", "ankle", "hip"))]
    np.testing.assert_allclose(joints[limbs], (target + root)[limbs], atol=1e-6)
    arms = [H36M17.index(f"left_{part}") for part in ("shoulder", "elbow", "wrist")]
    np.testing.assert_allclose(
        np.diff(joints[arms], axis=0), np.diff(target[arms], axis=0), atol=1e-6
    )
    wrist = vertices.reshape(-1, 4, 3).mean(1)[len(SEGMENTS) :]  # the boxes at the ends
    assert np.linalg.norm(wrist - joints[H36M17.index("left_wrist")], axis=1).min() < 1e-6


def test_a_face_hides_what_is_behind_it_and_the_picture_outside_stays():
    corners = np.array([[-1.0, -1.0], [1.0, -1.0], [1.0, 1.0], [-1.0, 1.0]])
    near = np.concatenate([corners * 0.4, np.full((4, 1), 2.0)], 1)
    far = np.concatenate([corners * 0.9, np.full((4, 1), 3.0)], 1)
    faces = np.array([[0, 1, 2], [0, 2, 3], [4, 5, 6], [4, 6, 7]])
    colour = np.repeat([[250.0, 0.0, 0.0], [0.0, 0.0, 250.0]], 4, axis=0)
    image = np.full((48, 64, 3), 9, np.uint8)
    draw_mesh(
        image, np.concatenate([near, far]), faces, colour, looking(), np.array([0.0, 0, -1, 1])
    )
    assert (image[24, 32] == [250, 0, 0]).all()
    assert (image[24, 32 + 15] == [0, 0, 250]).all()  # 0.8 m to the side at 3 m
    assert (image[24, 32 + 22] == 9).all()


def test_colour_runs_from_corner_to_corner_and_the_background_shows_beside_an_edge():
    triangle = np.array([[-0.8, -0.7, 2.0], [0.8, -0.7, 2.0], [-0.8, 0.7, 2.0]])
    image = np.full((48, 64, 3), 9, np.uint8)
    colour = np.diag([250.0, 250.0, 250.0])
    light = np.array([0.0, 0.0, -1.0, 1.0])
    draw_mesh(image, triangle, np.array([[0, 1, 2]]), colour, looking(), light)
    corners = [image[5, 11], image[5, 49], image[40, 9]]
    assert [int(pixel.argmax()) for pixel in corners] == [0, 1, 2]
    assert (image[43, 53] == 9).all()  # within the triangle's box, but beyond its long side


def test_a_mesh_out_of_the_picture_changes_nothing():
    image = np.full((48, 64, 3), 9, np.uint8)
    vertices = np.array([[9.0, 0, 2], [9, 1, 2], [10, 0, 2]])
    faces = np.array([[0, 1, 2]])
    draw_mesh(image, vertices, faces, vertices * 9, looking(), np.array([0.0, 0, -1, 1]))
    assert (image == 9).all()


def test_clothes_lie_outside_the_skin_and_backgrounds_differ():
    body = boxy()
    worn = dressed(body, landmarks(body), np.random.default_rng(1))
    centre = body.vertices.reshape(-1, 4, 3).mean(1, keepdims=True)
    before, after = (
        np.linalg.norm(v.reshape(-1, 4, 3) - centre, axis=-1)
        for v in (body.vertices, worn.vertices)
    )
    assert (after >= before - 1e-9).all()
    assert (after > before + 1e-3).any()
    first, second = (background((64, 48), np.random.default_rng(seed)) for seed in (1, 2))
    assert first.shape == (48, 64, 3)
    assert (first != second).mean() > 0.5


@pytest.fixture(scope="module")
def rendered(tmp_path_factory):
    folder = tmp_path_factory.mktemp("rendered")
    settings = RenderSettings(clips=2, seconds=0.4, longer_side_px=96)
    done = list(render_clips([walking()], BoxyBodies(), folder, settings))
    assert [new for _, new in done] == [True, True]
    return folder, settings, [video for video, _ in done]


def test_a_clip_has_a_video_a_camera_and_a_truth_that_agree(rendered):
    _, _, videos = rendered
    with open_video(videos[0]) as video:
        frames = list(video)
        size = video.size_px
    truth = read_joints(videos[0].with_name("person0000_truth.npz"))
    assert truth.xyz.shape == (1, 10, 17, 3)
    assert len(frames) == 10
    assert truth.fps == 25.0
    matrix = np.load(videos[0].with_name("person0000_truth.npz"))["K"]
    pixels = truth.xyz[0] @ matrix.T
    np.testing.assert_allclose(
        truth.keypoints_px[0], pixels[..., :2] / pixels[..., 2:], rtol=1e-4, atol=0.01
    )
    assert np.allclose(np.array(size) / 2, matrix[:2, 2])
    camera = videos[0].with_suffix(".toml").read_text()
    assert f"image_size = [{size[0]}, {size[1]}]" in camera


def test_rendering_again_goes_on_and_more_clips_change_no_earlier_one(rendered, tmp_path):
    folder, settings, videos = rendered
    videos[1].with_name("person0001_truth.npz").rename(tmp_path / "old.npz")
    done = dict(render_clips([walking()], BoxyBodies(), folder, settings))
    assert list(done.values()) == [False, True]
    again = read_joints(videos[1].with_name("person0001_truth.npz"))
    np.testing.assert_array_equal(again.xyz, read_joints(tmp_path / "old.npz").xyz)


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
    assert "either" in pose3d("bench", "detector", code=2).stderr


def test_the_person_nearest_the_truth_counts_and_a_stranger_does_not():
    camera, xyz = looking((640, 640), 700.0), stance()
    stranger = keypoints_at(xyz + SIDEWAYS, camera)
    right = keypoints_at(xyz, camera, np.arange(5, FRAMES))
    seen = nearest([stranger, right], clip_of(xyz, camera))
    assert list(seen.keypoints.frames) == list(range(5, FRAMES))
    assert np.abs(seen.error).max() < 1e-5
    assert nearest([stranger], clip_of(xyz, camera)) is None
    assert nearest([right], clip_of(xyz[:-1], camera)) is None  # keypoints of a longer clip


def test_detectors_of_the_generator_mark_both_sides_alike():
    pose = torch.from_numpy(posture()).float().expand(4000, 1, 17, 3)
    marked = marked_points(pose, torch.zeros(4000, dtype=torch.bool), torch.Generator())
    offset = (marked - pose).mean((0, 1)).numpy()  # x to the right, y forwards
    left, right = H36M17.index("left_shoulder"), H36M17.index("right_shoulder")
    assert offset[left, 0] == pytest.approx(0.007, abs=0.002)  # inwards: to the right
    assert offset[right, 0] == pytest.approx(-0.007, abs=0.002)
    assert offset[H36M17.index("left_hip"), 1] == pytest.approx(0.017, abs=0.002)
    assert offset[H36M17.index("left_ankle"), 2] == pytest.approx(0.020, abs=0.002)


def test_without_the_extra_rendering_says_what_to_install(pose3d, monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "anny", None)
    data = tiny_pack(tmp_path / "pack")
    out = tmp_path / "out"
    result = pose3d("data", "render", "--data", data, "--split", "train", "-o", out, code=5)
    assert "pose3d[rendered]" in result.stderr
    assert not out.exists()


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


def test_boxes_are_nobody(pose3d, rendered):
    folder, _, _ = rendered
    result = pose3d("bench", "detector", folder, code=7)
    assert "in none of 2 clips" in result.stderr


def test_lifters_are_measured_from_found_and_from_true_keypoints(rendered, tiny_weights):
    folder, _, _ = rendered

    def off_by_a_bit(video):
        clip = read_rendered(video.with_name(video.stem + "_truth.npz"))
        moved = clip.xyz + 0.04 * np.random.default_rng(0).normal(size=clip.xyz.shape)
        return [] if "0001" in video.name else [keypoints_at(moved, clip.camera, np.arange(10))]

    found = evaluate_rendered([tiny_weights], folder, off_by_a_bit, device="cpu")
    assert (found.clips, found.clips_lost, found.found) == (1, 1, 1.0)
    score = found.scores[0]
    assert score.mpjpe_mm != score.true_2d_mpjpe_mm
    assert 0 < score.p_mpjpe_mm < score.mpjpe_mm
    lifter = WindowedLifter.from_file(tiny_weights, torch.device("cpu"))
    clip = read_rendered(folder / "person0000_truth.npz")
    pose = lifter.lift(keypoints_at(clip.xyz, clip.camera), clip.camera).xyz
    hips = [H36M17.index(j) for j in ("left_hip", "right_hip")]
    limbs = [H36M17.index(j) for j in LIMB_JOINTS]
    apart = [xyz - xyz[:, hips].mean(1, keepdims=True) for xyz in (pose, clip.xyz)]
    wanted = 1000 * np.linalg.norm((apart[0] - apart[1])[:, limbs], axis=-1).mean()
    assert score.true_2d_mpjpe_mm == pytest.approx(wanted, rel=1e-3)


def test_eval_on_rendered_clips_tells_when_nobody_is_found(pose3d, rendered, tiny_weights):
    folder, _, _ = rendered
    flags = ("--dataset", "rendered", "--data", folder)
    result = pose3d("eval", *flags, "--weights", tiny_weights, code=7)
    assert "in none of 2 clips" in result.stderr
    assert "--weights" in pose3d("eval", *flags, code=2).stderr

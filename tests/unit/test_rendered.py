import shutil
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from pose3d_cli.errors import InputError, SettingsError
from pose3d_cli.files.joints3d import read_joints
from pose3d_cli.files.video import open_video
from pose3d_cli.learn.rendered.clips import RenderSettings, render_clips
from pose3d_cli.learn.rendered.clothes import dressed
from pose3d_cli.learn.rendered.picture import background, draw_mesh
from pose3d_cli.learn.rendered.segments import SEGMENTS, named, parent_of, rotations
from pose3d_cli.learn.rendered.truth import camera_that_sees, in_picture
from pose3d_cli.lift.rotation import about
from pose3d_cli.pose.skeleton import H36M17
from tests.bodies import BoxyBodies, at_rest, boxy, landmarks, looking, posture, walking
from tests.motion import tiny_pack

TURN = (about("x", torch.tensor(0.7)) @ about("z", torch.tensor(2.0))).double().numpy()


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


def test_a_side_turned_to_the_light_is_brighter_than_one_turned_away():
    triangle = np.array([[-0.8, -0.7, 2.0], [0.8, -0.7, 2.0], [-0.8, 0.7, 2.0]])
    colour = np.full((3, 3), 200.0)
    seen = []
    for towards in (-1.0, 1.0):  # before the triangle, and behind it
        image = np.zeros((48, 64, 3), np.uint8)
        light = np.array([0.0, 0.0, towards, 0.4])
        draw_mesh(image, triangle, np.array([[0, 2, 1]]), colour, looking(), light)
        seen.append(int(image[14, 20, 0]))
    assert seen[0] == pytest.approx(200 * 1.15, abs=2)  # lit, and a little by what comes from us
    assert seen[1] == pytest.approx(200 * 0.55, abs=2)


def test_a_camera_sees_as_far_to_each_side_as_it_was_asked_to():
    camera = camera_that_sees(np.array([0.5, 0.3]), 960, "test")
    assert camera.image_size == (960, 576)
    corner = in_picture(np.array([[[0.5, -0.3, 1.0]]]), camera)
    np.testing.assert_allclose(corner[0, 0], [960.0, 0.0], atol=1e-9)


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


def test_a_clip_has_a_video_a_camera_and_a_truth_that_agree(rendered):
    _, _, videos = rendered
    with open_video(videos[0]) as video:
        frames = list(video)
        size = video.size_px
    truth = read_joints(videos[0].with_name("person0000_truth.npz"))
    assert truth.xyz.shape == (1, 12, 17, 3)
    assert len(frames) == 12
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
    copy = Path(shutil.copytree(folder, tmp_path / "copy"))
    (copy / "person0001_truth.npz").unlink()
    more = replace(settings, clips=3)
    done = dict(render_clips([walking()], BoxyBodies(), copy, more))
    assert list(done.values()) == [False, True, True]
    before = read_joints(videos[1].with_name("person0001_truth.npz"))
    np.testing.assert_array_equal(read_joints(copy / "person0001_truth.npz").xyz, before.xyz)


def test_a_folder_of_other_settings_or_subjects_is_left_alone(rendered):
    folder, settings, videos = rendered
    before = videos[0].read_bytes()
    other = replace(walking(), subject="somebody else")
    for mocap, changed in ((walking(), replace(settings, seed=1)), (other, settings)):
        with pytest.raises(SettingsError, match="choose another folder"):
            list(render_clips([mocap], BoxyBodies(), folder, changed))
    assert videos[0].read_bytes() == before


def test_a_damaged_truth_is_not_taken_for_a_finished_clip(tmp_path):
    (tmp_path / "person0000_truth.npz").write_bytes(b"half a file")
    with pytest.raises(InputError, match="damaged"):
        list(render_clips([walking()], BoxyBodies(), tmp_path, RenderSettings(clips=1)))


def test_clips_of_too_few_frames_are_refused_before_they_are_rendered():
    assert RenderSettings(seconds=0.4, fps=25.0).frames == 10
    with pytest.raises(ValueError, match="10 frames"):
        RenderSettings(seconds=0.3, fps=25.0)


def test_without_the_extra_rendering_says_what_to_install(pose3d, monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "anny", None)
    data = tiny_pack(tmp_path / "pack")
    out = tmp_path / "out"
    result = pose3d("data", "render", "--data", data, "--split", "train", "-o", out, code=5)
    assert "pose3d[rendered]" in result.stderr
    assert not out.exists()

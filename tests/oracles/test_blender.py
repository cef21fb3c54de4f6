"""What Blender makes of our BVH and GLB: run where `bpy`, its Python module, is installed."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from pose3d_cli.files.export.animation import animations, at_even_rate
from pose3d_cli.files.export.base import ExportOptions
from pose3d_cli.files.export.names import NAMES, PRESETS
from pose3d_cli.files.export.shelf import exporters_of
from pose3d_cli.files.results import ClipResult, read_result
from pose3d_cli.pose.rig.skeleton import JOINTS, TIPS
from tests.rigs import posed, result_of, walking_round

bpy = pytest.importorskip("bpy")

TURNING = [joint for joint in JOINTS if joint not in TIPS]
NEAR_M = 1e-5
AWAY = np.array([1.5, 0, -2])


def walk() -> ClipResult:
    return result_of({0: walking_round(50, 29.97), 3: walking_round(50, 29.97) + AWAY}, fps=29.97)


def lying() -> ClipResult:
    turned = {"pelvis": (-90, 0, 0), "left_hip": (-100, 0, 10), "left_knee": (90, 0, 0)}
    return result_of({0: posed(20, left_shoulder=(0, 0, 90), **turned)}, fps=25.0)


def uneven() -> ClipResult:
    time_s = 1 + np.cumsum(np.random.default_rng(0).uniform(0.02, 0.12, 40))
    return result_of({0: walking_round(40)}, time_s=time_s)


CLIPS = {"walk": walk, "lying": lying, "uneven": uneven}


@pytest.fixture(params=CLIPS)
def result(request) -> ClipResult:
    return CLIPS[request.param]()


def heads(armature, names) -> np.ndarray:
    """Return where joints are in Blender's world, z up."""
    bones = (armature.matrix_world @ armature.pose.bones[name].matrix for name in names)
    return np.array([bone.translation[:] for bone in bones])


def z_up(xyz: np.ndarray) -> np.ndarray:
    return np.stack([xyz[..., 0], -xyz[..., 2], xyz[..., 1]], axis=-1)


def go_to(frame: float) -> None:
    whole = int(np.floor(frame))
    bpy.context.scene.frame_set(whole, subframe=frame - whole)


def rate() -> float:
    return bpy.context.scene.render.fps / bpy.context.scene.render.fps_base


def export(result, name, folder, **options) -> tuple[Path, ...]:
    bpy.ops.wm.read_factory_settings(use_empty=True)
    return exporters_of(name)[name].write(result, folder / "clip", ExportOptions(**options)).files


@pytest.mark.parametrize("preset", PRESETS)
def test_a_bvh_is_where_it_was_frame_by_frame(result, tmp_path, preset):
    """Blender's own settings; a scale of the preset's unit makes metres."""
    unit_m, names = PRESETS[preset].metres_per_unit, PRESETS[preset].names
    paths = export(result, "bvh", tmp_path, preset=preset)
    for path, one in zip(paths, animations(result, ExportOptions()), strict=True):
        motion, _ = at_even_rate(one.motion, result.meta["fps"], ExportOptions())
        bpy.ops.import_anim.bvh(filepath=str(path), global_scale=unit_m)
        armature = bpy.context.object
        assert len(armature.data.bones) == len(TURNING)
        expected = z_up(motion.joints[:, [JOINTS.index(joint) for joint in TURNING]])
        for frame, xyz in enumerate(expected):
            go_to(frame + 1)  # Blender counts from 1
            found = heads(armature, [names[joint] for joint in TURNING])
            assert np.abs(found - xyz).max() < NEAR_M


def test_a_bvh_sets_the_rate_if_blender_is_told_to(tmp_path):
    [path, _] = export(walk(), "bvh", tmp_path)
    bpy.ops.import_anim.bvh(filepath=str(path), update_scene_fps=True)
    assert rate() == pytest.approx(29.97, abs=0.01)
    assert tuple(bpy.data.actions[0].frame_range) == (1, 50)


def test_without_that_blender_stays_at_24_frames_a_second(tmp_path):
    """What docs/export.md warns of."""
    [path, _] = export(walk(), "bvh", tmp_path)
    bpy.ops.import_anim.bvh(filepath=str(path))
    assert rate() == 24


def test_centimetres_come_in_a_hundred_times_too_big_without_a_scale(tmp_path):
    [path] = export(lying(), "bvh", tmp_path, preset="mixamo")
    bpy.ops.import_anim.bvh(filepath=str(path))
    rest = [bone.head_local.z for bone in bpy.context.object.data.bones]
    assert np.ptp(rest) > 100


def test_a_glb_is_where_it_was_at_every_time(result, tmp_path):
    [path] = export(result, "glb", tmp_path)
    bpy.ops.import_scene.gltf(filepath=str(path))
    people = list(animations(result, ExportOptions()))
    for one in people:
        armature = bpy.data.objects[f"person{one.person}"]
        assert armature.type == "ARMATURE"
        assert len(armature.data.bones) == len(JOINTS)
        for time_s, xyz in zip(one.motion.time_s, z_up(one.motion.joints), strict=True):
            go_to(time_s * rate())
            found = heads(armature, [NAMES[joint] for joint in JOINTS])
            assert np.abs(found - xyz).max() < NEAR_M
    [action] = bpy.data.actions
    assert len(action.slots) == len(people)
    end_s = action.frame_range[1] / rate()
    assert end_s == pytest.approx(result.time_s[-1] - result.time_s[0], abs=1e-3)


def test_the_mesh_of_a_glb_moves_with_its_bones(tmp_path):
    [path] = export(lying(), "glb", tmp_path)
    bpy.ops.import_scene.gltf(filepath=str(path))
    go_to(0)
    mesh = bpy.data.objects["person0_bones"].evaluated_get(bpy.context.evaluated_depsgraph_get())
    points = np.array([(mesh.matrix_world @ point.co)[:] for point in mesh.data.vertices])
    [one] = animations(lying(), ExportOptions())
    joints = z_up(one.motion.joints[0])
    assert np.linalg.norm(points[:, None] - joints, axis=-1).min(0).max() < 1e-3
    assert np.ptp(points[:, 2]) < 1.0 < np.ptp(points[:, 1])  # they lie, a knee up


def test_at_rest_a_t_pose_faces_the_front_with_the_left_arm_to_the_right(tmp_path):
    """Blender's front view looks along +y; who faces it has the left hand at +x."""
    [path] = export(lying(), "bvh", tmp_path)
    bpy.ops.import_anim.bvh(filepath=str(path))
    bones = bpy.context.object.data.bones
    head, left, right, foot = (
        bones[name].head_local for name in ("Head", "LeftHand", "RightHand", "LeftFoot")
    )
    assert head.z > left.z > foot.z
    assert left.x > 0.5 > -0.5 > right.x
    assert bones["LeftFoot"].tail_local.y < foot.y - 0.1  # toes towards whoever looks
    assert head.y < bones["Neck"].head_local.y  # and so is the face


def test_knees_bend_backwards_and_elbows_forwards(tmp_path):
    turned = {"left_knee": (90, 0, 0), "right_elbow": (0, 90, 0)}
    [path] = export(result_of({0: posed(3, **turned)}), "bvh", tmp_path)
    bpy.ops.import_anim.bvh(filepath=str(path))
    armature = bpy.context.object
    go_to(1)
    knee, ankle, elbow, wrist = heads(
        armature, ["LeftLeg", "LeftFoot", "RightForeArm", "RightHand"]
    )
    assert ankle[1] > knee[1] + 0.3  # away from whoever the character faces
    assert wrist[1] < elbow[1] - 0.2


def test_a_lifted_clip_is_the_same(tmp_path):
    """`pose3d lift samples/walk.mp4` first; without its result there is nothing to see."""
    path = Path(__file__).parents[2] / "samples" / "walk_pose3d" / "walk.npz"
    if not path.exists():
        pytest.skip("samples/walk.mp4 is not lifted")
    result = read_result(path)
    test_a_glb_is_where_it_was_at_every_time(result, tmp_path)
    test_a_bvh_is_where_it_was_frame_by_frame(result, tmp_path, "blender")

"""GLB (binary glTF 2.0): everybody as a skinned skeleton, for Blender, Unity, Unreal and the web.

Y up, metres, times in seconds. One animation moves everybody: programs play one at a time.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from pose3d_cli import __version__
from pose3d_cli.files.export.animation import animations
from pose3d_cli.files.export.base import Exported, ExportOptions, with_end
from pose3d_cli.files.export.bone_mesh import bone_mesh
from pose3d_cli.files.export.gltf import INDICES, VERTICES, Gltf
from pose3d_cli.files.export.names import NAMES
from pose3d_cli.files.export.shelf import register_exporter
from pose3d_cli.files.results import ClipResult
from pose3d_cli.pose.rig.motion import RigMotion
from pose3d_cli.pose.rig.skeleton import JOINTS, PARENT_INDEX, Rig

_COLOURS = ((0.9, 0.4, 0.1), (0.1, 0.5, 0.9), (0.2, 0.7, 0.3), (0.8, 0.2, 0.6), (0.9, 0.8, 0.2))
_ROUND = 1e-7


@register_exporter("glb")
class Glb:
    """Writes GLB."""

    suffix = ".glb"
    module = ""
    extra = ""
    is_personal = False

    def write(self, result: ClipResult, stem: Path, options: ExportOptions) -> Exported:
        """Write one file with everybody."""
        gltf, notes = Gltf(), list[str]()
        scene: list[int] = []
        channels: list[dict[str, object]] = []
        samplers: list[dict[str, object]] = []
        for one in animations(result, options):
            notes += one.notes
            if one.motion is not None:
                first = _add_person(gltf, f"person{one.person}", one.motion.rig, scene)
                _add_motion(gltf, first, one.motion, channels, samplers)
        if not scene:
            return Exported(files=(), notes=tuple(notes))
        gltf.add("scenes", {"name": stem.name, "nodes": scene})
        moves = {"name": stem.name, "channels": channels, "samplers": samplers}
        gltf.add("animations", moves)
        path = with_end(stem, self.suffix)
        extras = {
            "clip_time_of_zero_s": float(result.time_s[0]),
            "scale": str(result.meta.get("scale_source", "")),
        }
        gltf.write(path, {"generator": f"pose3d {__version__}", "extras": extras})
        return Exported(files=(path,), notes=tuple(notes))


def _add_person(gltf: Gltf, name: str, rig: Rig, scene: list[int]) -> int:
    """Add a person in their T-pose, feet on the ground, and return the node of the root joint."""
    stand = np.array([0.0, -rig.rest[:, 1].min(), 0.0])
    first = len(gltf.parts.get("nodes", ()))
    for joint, step in zip(JOINTS, rig.offset, strict=True):
        at = JOINTS.index(joint)
        below = [first + child for child, parent in enumerate(PARENT_INDEX) if parent == at]
        node = {"name": NAMES[joint], "translation": (step if at else stand).tolist()}
        gltf.add("nodes", node | ({"children": below} if below else {}))
    scene.append(gltf.add("nodes", {"name": name, "children": [first]}))
    bind = np.tile(np.eye(4, dtype=np.float32), (len(JOINTS), 1, 1))
    bind[:, :3, 3] = -(rig.rest + stand)
    skin = {
        "joints": [first + at for at in range(len(JOINTS))],
        "skeleton": first,
        "inverseBindMatrices": gltf.array(bind),
    }
    mesh = _add_mesh(gltf, name, rig, stand)
    skinned = {"name": f"{name}_bones", "mesh": mesh, "skin": gltf.add("skins", skin)}
    scene.append(gltf.add("nodes", skinned))
    return first


def _add_mesh(gltf: Gltf, name: str, rig: Rig, stand: np.ndarray) -> int:
    body = bone_mesh(rig)
    joints = np.zeros((len(body.joint), 4), np.uint8)
    joints[:, 0] = body.joint
    weights = np.zeros((len(body.joint), 4), np.float32)
    weights[:, 0] = 1
    colour = _COLOURS[len(gltf.parts.get("materials", ())) % len(_COLOURS)]
    look = {"baseColorFactor": [*colour, 1.0], "metallicFactor": 0.0, "roughnessFactor": 0.8}
    position = (body.position + stand).astype(np.float32)
    primitive = {
        "attributes": {
            "POSITION": gltf.array(position, bounds=True, target=VERTICES),
            "JOINTS_0": gltf.array(joints, target=VERTICES),
            "WEIGHTS_0": gltf.array(weights, target=VERTICES),
        },
        "indices": gltf.array(body.triangles, target=INDICES),
        "material": gltf.add("materials", {"name": name, "pbrMetallicRoughness": look}),
    }
    return gltf.add("meshes", {"name": f"{name}_bones", "primitives": [primitive]})


def _add_motion(
    gltf: Gltf,
    first: int,
    motion: RigMotion,
    channels: list[dict[str, object]],
    samplers: list[dict[str, object]],
) -> None:
    """Add a person's path and turning joints; a joint that never turns needs none."""
    times = gltf.array(motion.time_s.astype(np.float32), bounds=True)
    moving = {(0, "translation"): motion.root}
    for joint in range(len(JOINTS)):
        turn = motion.turn[:, joint]
        if np.abs(turn[:, :3]).max() > _ROUND:
            moving[joint, "rotation"] = turn
    for (joint, path), values in moving.items():
        output = gltf.array(values.astype(np.float32))
        channels.append({"sampler": len(samplers), "target": {"node": first + joint, "path": path}})
        samplers.append({"input": times, "interpolation": "LINEAR", "output": output})

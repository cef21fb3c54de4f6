"""Bodies of all kinds from Anny (Apache-2.0 code, CC0 shapes), an optional package."""

from __future__ import annotations

import sys
from contextlib import redirect_stdout
from typing import Any

import numpy as np
import torch
from jaxtyping import Float64, Int64

from pose3d_cli.errors import MissingExtraError
from pose3d_cli.learn.rendered.body import Body, Landmarks, Vertices
from pose3d_cli.learn.rendered.picture import NEEDS_EXTRA
from pose3d_cli.learn.rendered.segments import SEGMENTS, SIDES, Point
from pose3d_cli.learn.synthetic.bodies import STATURE_M

_BONES = {
    "pelvis": "root",
    "chest": "spine02",
    "neck": "neck01",
    "head": "head",
    "clavicle": "clavicle",
    "upper_arm": "upperarm01",
    "forearm": "lowerarm01",
    "thigh": "upperleg01",
    "shin": "lowerleg01",
    "foot": "foot",
}
_JOINTS = {
    "knee": "lowerleg01",
    "ankle": "foot",
    "shoulder": "upperarm01",
    "elbow": "lowerarm01",
    "wrist": "wrist",
}
# Anny's thighs start at the great trochanter; the joint's centre lies nearer to the middle.
_HALF_HIPS = 0.052
_NOSE_BELOW_EYES_M = 0.03


class AnnyBodies:
    """Draws grown-up bodies of all builds, undressed."""

    def __init__(self) -> None:
        """Load the model; the first time on a machine it is prepared for minutes.

        Raises:
            MissingExtraError: The packages are not installed.
        """
        # Anny's array library tells of itself on stdout, where our results go.
        with redirect_stdout(sys.stderr):
            try:
                import anny
            except ImportError as error:
                raise MissingExtraError(NEEDS_EXTRA) from error
            self._model: Any = anny.Anny(rig="makehuman", topology="anny")
        self._bones = {name: i for i, name in enumerate(self._model.bone_labels)}
        self._faces = self._model.get_triangular_faces().numpy().astype(np.int64)
        self._weights = self._segment_weights()

    def draw(self, random: np.random.Generator) -> tuple[Body, Landmarks]:
        """Return a body of stature `STATURE_M`, and its landmarks."""
        share = random.random(6)
        build = {
            "gender": 0.1 + 0.8 * round(share[0]),
            "age": 0.6 + 0.25 * share[1],
            "muscle": 0.3 + 0.4 * share[2],
            "weight": 0.3 + 0.45 * share[3],
            "height": 0.35 + 0.3 * share[4],
            "proportions": 0.2 + 0.7 * share[5],
        }
        with torch.no_grad(), redirect_stdout(sys.stderr):
            rest = self._model(phenotype_kwargs={k: torch.tensor([v]) for k, v in build.items()})
        vertices = rest["rest_vertices"][0].numpy().astype(np.float64)
        heads = rest["rest_bone_poses"][0, :, :3, 3].numpy().astype(np.float64)
        scale = STATURE_M / float(np.ptp(vertices[:, 2]))
        return self._body(vertices * scale, heads * scale)

    def _body(
        self, vertices: Vertices, heads: Float64[np.ndarray, "bones 3"]
    ) -> tuple[Body, Landmarks]:
        def head(bone: str) -> Point:
            return heads[self._bones[bone]]

        eyes = (head("eye.L") + head("eye.R")) / 2
        joints = _limb_joints(head)
        joints["pelvis"] = (joints["left_hip"] + joints["right_hip"]) / 2
        joints["thorax"] = head("neck01")
        joints["spine"] = (joints["pelvis"] + joints["thorax"]) / 2
        joints["head"] = vertices[vertices[:, 2].argmax()]
        joints["nose"] = np.array([0.0, eyes[1], eyes[2] - _NOSE_BELOW_EYES_M])
        origin = {s: head(_bone(s)) for s in SEGMENTS} | {"pelvis": joints["pelvis"]}
        body = Body(
            vertices, self._faces, self._weights, joints, origin, np.full_like(vertices, 128.0)
        )
        face = vertices[:, 1] < head("jaw")[1] - 0.05
        landmarks = Landmarks(
            eyes=eyes,
            eyeballs=self._moved_by("eye."),
            brows=self._moved_by("oculi"),
            lips=np.array([v for v in self._moved_by("oris") if face[v]], np.int64),
        )
        return body, landmarks

    def _moved_by(self, bone: str) -> Int64[np.ndarray, " vertices"]:
        """Return the vertices that follow bones whose name starts so, more than any other."""
        weights, bones = self._model.vertex_bone_weights, self._model.vertex_bone_indices
        most = bones[torch.arange(len(bones)), weights.argmax(1)].tolist()
        labels = self._model.bone_labels
        return np.array([v for v, b in enumerate(most) if labels[b].startswith(bone)], np.int64)

    def _segment_weights(self) -> Float64[np.ndarray, "vertices segments"]:
        """Return skinning weights of segments: a bone counts for the segment it is part of."""
        column = {_bone(segment): i for i, segment in enumerate(SEGMENTS)}
        parents = [int(parent) for parent in self._model.bone_parents]
        segment_of = []
        for bone in range(len(parents)):
            above = bone
            while (label := self._model.bone_labels[above]) not in column:
                above = parents[above]
            segment_of.append(column[label])
        bones = self._model.vertex_bone_indices.numpy()
        weights = np.zeros((len(bones), len(SEGMENTS)))
        columns = np.array(segment_of)[bones]
        rows = np.broadcast_to(np.arange(len(bones))[:, None], columns.shape)
        np.add.at(weights, (rows, columns), self._model.vertex_bone_weights.numpy())
        total: Float64[np.ndarray, "vertices 1"] = weights.sum(1, keepdims=True)
        return weights / total


def _bone(segment: str) -> str:
    """Return Anny's bone that starts a segment."""
    side, _, limb = segment.partition("_")
    if side not in SIDES:
        return _BONES[segment]
    return _BONES[limb] + {"left": ".L", "right": ".R"}[side]


def _limb_joints(head: Any) -> dict[str, Point]:
    joints = {}
    for side, mark, sign in (("left", ".L", 1.0), ("right", ".R", -1.0)):
        for joint, bone in _JOINTS.items():
            joints[f"{side}_{joint}"] = head(bone + mark)
        hip = head("upperleg01" + mark).copy()
        hip[0] = sign * _HALF_HIPS * STATURE_M
        joints[f"{side}_hip"] = hip
    return joints

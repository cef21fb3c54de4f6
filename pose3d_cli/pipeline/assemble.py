"""What was lifted of a clip or a part of it, as one result with its record."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import numpy as np
from jaxtyping import Int64

from pose3d_cli import __version__
from pose3d_cli.files.results import ClipResult, PersonResult
from pose3d_cli.lift.about import WeightsAbout
from pose3d_cli.pipeline.mend import Mended
from pose3d_cli.pipeline.observe import Observation
from pose3d_cli.pipeline.place import Placed
from pose3d_cli.pipeline.settings import LiftSettings
from pose3d_cli.pose.camera import Camera, camera_record
from pose3d_cli.pose.skeleton import H36M17
from pose3d_cli.pose.spans import Span
from pose3d_cli.pose.world import World


def assemble(
    seen: Observation, placed: Sequence[Placed], meta: dict[str, Any], world: World
) -> ClipResult:
    """Put everybody's stretches on the time axis of a clip or part, without those of margins."""
    own = [own for piece in placed if (own := _own(piece, seen.span)) is not None]
    ids = sorted({piece.person for piece in own})
    return ClipResult(
        people=[
            _joined(person, [piece for piece in own if piece.person == person], seen.frames)
            for person in ids
        ],
        time_s=seen.time_s,
        frame=seen.frames,
        joint_names=H36M17.joints,
        parents=H36M17.parent_index.astype(np.int64),
        meta=meta,
        world=world,
    )


def _own(piece: Placed, span: Span) -> Placed | None:
    """Return the rows of a stretch that are a part's own; None if there are none."""
    rows = span.is_own(piece.keypoints.frames)
    if not rows.any():
        return None
    return Placed(
        piece.person, piece.keypoints.take(rows), piece.xyz_root[rows], piece.xyz_camera[rows]
    )


def _joined(
    person: int, pieces: Sequence[Placed], frames: Int64[np.ndarray, " frames"]
) -> PersonResult:
    """Return one person's stretches as one, in the order of time."""
    pieces = sorted(pieces, key=lambda piece: int(piece.keypoints.frames[0]))
    seen = np.concatenate([piece.keypoints.frames for piece in pieces])
    return PersonResult(
        person=person,
        rows=np.searchsorted(frames, seen).astype(np.int64),
        xyz_camera=np.concatenate([piece.xyz_camera for piece in pieces]),
        xyz_root=np.concatenate([piece.xyz_root for piece in pieces]),
        keypoints_px=np.concatenate([piece.keypoints.xy for piece in pieces]),
        score=np.concatenate([piece.keypoints.score for piece in pieces]),
    )


def meta_of(
    seen: Observation,
    people: Sequence[Mended],
    camera: Camera,
    settings: LiftSettings,
    about: WeightsAbout,
    weights_record: dict[str, str],
) -> dict[str, Any]:
    """Return how a result was made, for its record; of a part also which one it is."""
    if settings.height:
        scale = f"--height {settings.height:g} m, for everybody"
    else:
        scale = f"assumed: everybody is {about.stature_m:.2f} m tall"
    return {
        "fps": seen.fps,
        "camera": camera_record(camera),
        "scale_source": scale,
        "detector": seen.detector,
        "detector_joints": list(seen.joints),
        "weights": weights_record,
        "program_version": __version__,
        "camera_moves": asdict(seen.motion),
        "flips_mended": {str(person.person): person.flipped for person in people},
        **_part(seen),
    }


def _part(seen: Observation) -> dict[str, Any]:
    if seen.span.is_whole:
        return {}
    return {"part": {"number": seen.span.number, "is_last": seen.span.is_last}}

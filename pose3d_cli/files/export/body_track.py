"""Bodies of people over time: whose joints turn how, and in which frames that is known."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float64, Int64

from pose3d_cli.files.export.animation import animated
from pose3d_cli.files.export.base import ExportOptions
from pose3d_cli.files.export.joint_angles import Body
from pose3d_cli.files.results import ClipResult, PersonResult


@dataclass(frozen=True, kw_only=True, eq=False)
class BodyTrack:
    """One person from the first frame with a pose to the last.

    Attributes:
        body: What gives the angles; in frames without a pose they are worked out between others.
        row: Place of each frame on the clip's time axis; none is left out between two.
        pelvis: Middle of the hips in the world in metres.
        is_filled: Which frames have no pose of their own.
    """

    body: Body
    row: Int64[np.ndarray, " frames"]
    pelvis: Float64[np.ndarray, "frames 3"]
    is_filled: Bool[np.ndarray, " frames"]

    def own(self, values: Float64[np.ndarray, " frames *rest"]) -> np.ndarray:
        """Return values with NaN in frames without a pose."""
        is_filled = self.is_filled.reshape(-1, *[1] * (values.ndim - 1))
        return np.where(is_filled, np.nan, values)


def body_track(
    result: ClipResult, person: PersonResult, options: ExportOptions
) -> BodyTrack | None:
    """Return a person's body; None of who has no pose at all."""
    done = animated(result, person, options)
    if done is None:
        return None
    known = person.rows[np.isfinite(person.xyz_camera).all((1, 2))]
    x, y, z = done.motion.root.T
    return BodyTrack(
        body=Body(done.motion),
        row=np.arange(known[0], known[-1] + 1, dtype=np.int64),
        pelvis=np.stack([x, -z, y], axis=-1),
        is_filled=done.is_filled,
    )

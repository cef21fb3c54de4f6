"""People before a camera to the world they stand in: up, a floor, and how sure both are."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import isfinite
from typing import Literal

from pose3d_cli.detect.camera_motion import CameraMotion
from pose3d_cli.pipeline.place import Placed
from pose3d_cli.pipeline.report import Reporter
from pose3d_cli.pose.feet import Stretch
from pose3d_cli.pose.skeleton import H36M17
from pose3d_cli.pose.stand import find_world
from pose3d_cli.pose.types import Keypoints2D
from pose3d_cli.pose.up import Votes
from pose3d_cli.pose.world import NO_FLOOR, World

ReadUp = Callable[[Sequence[Keypoints2D]], Sequence[Votes]]

_PELVIS = H36M17.index("pelvis")
_SHAKY_DEG = 8.0


class Ground:
    """The world of a clip: found in the first part that shows a floor, and kept for all later ones.

    Args:
        up: As in the settings.
        read: Gives what people's ways say of up; None leaves that out.
    """

    def __init__(self, up: float | Literal["auto", "camera"], read: ReadUp | None = None) -> None:
        self._up, self._read = up, read
        self._found: World | None = None

    def world(self, placed: Sequence[Placed], motion: CameraMotion, reporter: Reporter) -> World:
        """Return the world of the next part, the same for all of its frames.

        Args:
            placed: Everybody, all stretches of the part.
            motion: Of the camera; a world is what it is only before a camera that stays.
            reporter: Is told what the user should know of it.
        """
        _tell_motion(motion, reporter)
        if self._found is not None:
            return self._found
        read = self._read if self._up != "camera" else None
        world = find_world(
            [_stretch(piece) for piece in placed],
            self._up,
            said=read([piece.keypoints for piece in placed]) if read else (),
            camera_moves=motion.moves,
        )
        if self._up == "auto":
            _tell_doubt(world, reporter)
        if world.floor != NO_FLOOR:
            self._found = world
        return world


def _tell_motion(motion: CameraMotion, reporter: Reporter) -> None:
    if motion.moves:
        reporter.warn(
            f"the camera moves, by {motion.percent_s:.1f} % of the picture a second in "
            f"{100 * motion.share:.0f} % of the clip: where people go in the world (xyz_world) is "
            "not to be trusted, nor the floor; how they move about their pelvis is"
        )


def _tell_doubt(world: World, reporter: Reporter) -> None:
    if world.up_sure_deg <= _SHAKY_DEG:
        return
    off = f"by {world.up_sure_deg:.0f} degrees" if isfinite(world.up_sure_deg) else "by any angle"
    reporter.warn(f"up may be off {off} ({world.up}); --up DEG says how far the camera looks down")


def _stretch(piece: Placed) -> Stretch:
    return Stretch(
        xyz=piece.xyz_root,
        root=piece.xyz_camera[:, _PELVIS],
        score=piece.keypoints.score,
        time_s=piece.keypoints.time_s,
        person=piece.person,
    )

"""How well up and the floor are found, of people who were not learnt from."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64

from pose3d_cli.files.mocap_pack import MocapClip
from pose3d_cli.learn.upright.views import AskewView, askew_views
from pose3d_cli.lift.upright_reader import UprightReader
from pose3d_cli.lift.windowed import WindowedLifter
from pose3d_cli.pose.feet import ANKLES, Stretch
from pose3d_cli.pose.flips import mend_flips
from pose3d_cli.pose.gaps import fill_gaps
from pose3d_cli.pose.place import place_person
from pose3d_cli.pose.skeleton import H36M17
from pose3d_cli.pose.stand import find_world
from pose3d_cli.pose.types import Keypoints2D
from pose3d_cli.pose.up import LEVEL, Votes, apart_deg, said_up
from pose3d_cli.pose.upright import find_up
from pose3d_cli.pose.world import World

FIRST = ("walk", "stand")
"""What people usually do while somebody films them; the rest comes after."""

_STANDS_M_S, _STANDS_M = 0.3, 0.2


@dataclass(frozen=True, kw_only=True)
class Found:
    """What was found in one view, beside the truth; NaN where nothing was found.

    Attributes:
        activity: Of the view.
        up_deg: Error of up.
        level_deg: The same of a camera that is taken as level.
        axis_deg: The same of the mean line from the ankles to the head.
        bodies_deg: The same of up by bodies alone, as a lifter sees them, without feet.
        going_deg: The same of up by how they go about alone.
        up_sure_deg: How far up says it may be off.
        floor_m: How far too high above the floor feet are that truly stand.
        floor_sure_m: How far the floor says it may be off.
    """

    activity: str
    up_deg: float
    level_deg: float
    axis_deg: float
    bodies_deg: float
    going_deg: float
    up_sure_deg: float
    floor_m: float
    floor_sure_m: float


@dataclass(frozen=True, kw_only=True)
class Summary:
    """The figures of some views; each error is a median and a 90th percentile.

    Attributes:
        views: How many.
        up_deg: Of up.
        level_deg: Of a camera that is taken as level.
        axis_deg: Of the mean line from the ankles to the head.
        bodies_deg: Of up by bodies alone.
        going_deg: Of up by how they go about alone.
        within: Share of the views in which up is off by no more than it says; 0.63 or more is
            honest, for an error in two directions.
        sure_ratio: Root mean square of the error over what up says: 1 is honest.
        floor_mm: How far too high or too low feet are that truly stand; NaN if none do.
        no_floor: Share of the views in which no floor was found.
    """

    views: int
    up_deg: tuple[float, float]
    level_deg: tuple[float, float]
    axis_deg: tuple[float, float]
    bodies_deg: tuple[float, float]
    going_deg: tuple[float, float]
    within: float
    sure_ratio: float
    floor_mm: tuple[float, float]
    no_floor: float


def bench_upright(
    lifter: WindowedLifter,
    reader: UprightReader,
    clips: Sequence[MocapClip],
    *,
    views: int,
    seed: int = 0,
    tell: Callable[[], None] = lambda: None,
) -> Iterator[Found]:
    """Yield what is found in each view.

    Args:
        lifter: As it is used on videos.
        reader: Likewise.
        clips: Held-out motion.
        views: Cameras a clip.
        seed: Of the views.
        tell: Is called after each view.
    """
    for view in askew_views(clips, views=views, seed=seed):
        keypoints = fill_gaps(mend_flips(view.keypoints)[0])
        stretch = lifted(view, keypoints, lifter)
        yield measure(view, stretch, reader.read([keypoints], view.camera))
        tell()


def lifted(view: AskewView, keypoints: Keypoints2D, lifter: WindowedLifter) -> Stretch:
    """Return somebody lifted and placed as in a video."""
    xyz = lifter.lift(keypoints, view.camera).xyz
    root = place_person(xyz, keypoints, view.camera)
    return Stretch(xyz=xyz, root=root, score=keypoints.score, time_s=keypoints.time_s)


def measure(view: AskewView, stretch: Stretch, said: Sequence[Votes] = ()) -> Found:
    """Return how far from the truth up and the floor are."""
    world = find_world([stretch], said=said)
    bodies, going = find_up([stretch]), said_up(said)
    has_floor = np.isfinite(world.floor_sure_m)
    return Found(
        activity=view.activity,
        up_deg=float(apart_deg(world.rotation[2], view.up)),
        level_deg=float(apart_deg(LEVEL, view.up)),
        axis_deg=float(apart_deg(_axis(stretch), view.up)),
        bodies_deg=np.nan if bodies is None else float(apart_deg(bodies.up, view.up)),
        going_deg=np.nan if going is None else float(apart_deg(going.up, view.up)),
        up_sure_deg=world.up_sure_deg,
        floor_m=_off_floor(view, stretch, world) if has_floor else np.nan,
        floor_sure_m=world.floor_sure_m,
    )


def summaries(found: Iterable[Found]) -> dict[str, Summary]:
    """Return the figures by activity, `FIRST` first, and of all that is none of these."""
    found = list(found)
    activities = sorted({one.activity for one in found}, key=lambda a: (a not in FIRST, a))
    groups = {
        activity: [one for one in found if one.activity == activity] for activity in activities
    }
    groups["walk and stand"] = [one for one in found if one.activity in FIRST]
    groups["all others"] = [one for one in found if one.activity not in FIRST]
    return {name: _summary(group) for name, group in groups.items() if group}


def _summary(found: Sequence[Found]) -> Summary:
    off = np.array([one.up_deg for one in found])
    sure = np.array([one.up_sure_deg for one in found])
    floor = np.array([one.floor_m for one in found])
    return Summary(
        views=len(found),
        up_deg=_middle_and_most([one.up_deg for one in found]),
        level_deg=_middle_and_most([one.level_deg for one in found]),
        axis_deg=_middle_and_most([one.axis_deg for one in found]),
        bodies_deg=_middle_and_most([one.bodies_deg for one in found]),
        going_deg=_middle_and_most([one.going_deg for one in found]),
        within=float((off <= sure).mean()),
        sure_ratio=float(np.sqrt(np.nanmean((off / sure) ** 2))),
        floor_mm=_middle_and_most(1000 * np.abs(floor)),
        no_floor=float(np.isnan([one.floor_sure_m for one in found]).mean()),
    )


def _middle_and_most(values: Sequence[float] | Float64[np.ndarray, " n"]) -> tuple[float, float]:
    known = np.asarray(values, np.float64)
    known = known[np.isfinite(known)]
    if not len(known):
        return np.nan, np.nan
    middle, most = np.percentile(known, [50, 90])
    return float(middle), float(most)


def _axis(stretch: Stretch) -> Float64[np.ndarray, " 3"]:
    ankles = stretch.xyz[:, [H36M17.index(joint) for joint in ANKLES]].mean(1)
    axis = (stretch.xyz[:, H36M17.index("head")] - ankles).astype(np.float64)
    mean = (axis / np.linalg.norm(axis, axis=-1, keepdims=True)).mean(0)
    return np.asarray(mean / np.linalg.norm(mean))


def _off_floor(view: AskewView, stretch: Stretch, world: World) -> float:
    """Return how far too high feet are that truly stand: the middle of all frames.

    Where the floor of a recording is, is known roughly; so each ankle is compared with its own
    true height.
    """
    seen = world.from_camera(stretch.xyz + stretch.root[:, None])[..., 2]
    true = view.xyz @ view.up + view.camera_height_m
    off = []
    for joint in ANKLES:
        column = H36M17.index(joint)
        speed = np.linalg.norm(np.gradient(view.xyz[:, column], stretch.time_s, axis=0), axis=-1)
        stands = (speed < _STANDS_M_S) & (true[:, column] < _STANDS_M)
        off.append((seen - true)[stands, column])
    together = np.concatenate(off)
    return float(np.median(together)) if len(together) else np.nan

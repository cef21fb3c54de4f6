"""Left/right flips over time: spans of frames in which a detector took one side for the other.

A flip shows as a jump of both sides at once, or, where the sides cross, as limbs that bounce off
each other instead of passing. The labelling over time whose motion is smoothest is found by
dynamic programming; each frame is as detected, or has its arms, its legs, or both changed over.

A clip flipped throughout moves as smoothly as one that is right. So the labelling that leaves
most of the (surely seen) frames as they were detected is the one chosen.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Bool, Float, Int
from scipy.ndimage import percentile_filter

from pose3d_cli.pose.skeleton import Skeleton, other_side
from pose3d_cli.pose.types import Keypoints2D

_ARMS = ("shoulder", "elbow", "wrist")
_LEGS = ("hip", "knee", "ankle")
_LEG_WORDS = ("hip", "knee", "ankle", "heel", "foot", "toe")
_FACE_WORDS = ("eye", "ear", "mouth")

# Whether arms and legs are changed over, in each state a frame can be in.
_STATES = np.array([[0, 0], [1, 0], [0, 1], [1, 1]])

# Lengths in sizes of the person (about the stature), times in seconds.
_NOISE = 0.01
_SPEED = 0.7
_ACCELERATION = 6.0
_MAX_COST = 16.0  # of one joint in one frame: an outlier must not outweigh the others
_SWITCH = 15.0  # cost of a switch, of arms, legs, or both together
_SWAPPED_A_SECOND = np.array([0.0, 30.0, 30.0, 20.0])  # cost of being in each state
_TWIST_A_SECOND = 600.0  # cost of shoulders and hips that point opposite ways
_FULL_WIDTH = 0.02  # shoulder width times hip width of a person seen from the front
_MAX_GAP_S = 0.3  # motion across a longer gap says nothing


@dataclass(frozen=True, eq=False)
class _Track:
    """What the search looks at.

    Attributes:
        limbs: Positions in sizes of the person: arms and legs, three joints, left and right.
        weight: Confidence of each of these pairs, the lesser of its two sides.
        time_s: Times in seconds.
    """

    limbs: Float[np.ndarray, "frames 2 3 2 2"]
    weight: Float[np.ndarray, "frames 2 3"]
    time_s: Float[np.ndarray, " frames"]


def mend_flips(keypoints: Keypoints2D) -> tuple[Keypoints2D, int]:
    """Find left/right flips over time and change the sides back.

    Args:
        keypoints: One person; skeletons need shoulders, elbows, wrists, hips, knees and ankles.

    Returns:
        The mended keypoints, and in how many frames something was changed.
    """
    mended, is_changed = unflip(keypoints)
    return mended, int(is_changed.sum())


def unflip(keypoints: Keypoints2D) -> tuple[Keypoints2D, Bool[np.ndarray, " frames"]]:
    """Mend as `mend_flips` does.

    Args:
        keypoints: One person.

    Returns:
        The mended keypoints, and whether something was changed in each frame.
    """
    if len(keypoints) < 3:
        return keypoints, np.zeros(len(keypoints), dtype=bool)
    swap = np.zeros((len(keypoints), 2), dtype=bool)
    track = _track(keypoints)
    breaks = np.flatnonzero(np.diff(keypoints.time_s) > _MAX_GAP_S) + 1
    for rows in np.split(np.arange(len(keypoints)), breaks):
        if len(rows) >= 3:
            span = _Track(track.limbs[rows], track.weight[rows], track.time_s[rows])
            swap[rows] = _smoothest(span)
    return _apply(keypoints, swap), np.asarray(swap.any(-1))


def _track(keypoints: Keypoints2D) -> _Track:
    index = np.array(
        [
            [[keypoints.skeleton.index(f"{side}_{joint}") for side in ("left", "right")]
             for joint in group]
            for group in (_ARMS, _LEGS)
        ]
    )  # fmt: skip
    xy = keypoints.xy.astype(np.float64)
    limbs = xy[:, index] / _size_px(xy, keypoints)[:, None, None, None, None]
    return _Track(limbs, keypoints.score[:, index].min(-1).astype(np.float64), keypoints.time_s)


def _size_px(
    xy: Float[np.ndarray, "frames joints 2"], keypoints: Keypoints2D
) -> Float[np.ndarray, " frames"]:
    """Return the diagonal of the person's box; nearly the largest within a second each way."""
    low = np.where(np.isnan(xy), np.inf, xy).min(1)
    high = np.where(np.isnan(xy), -np.inf, xy).max(1)
    diagonal = np.hypot(*np.maximum(high - low, 0).T)
    width = 2 * max(1, round(keypoints.fps)) + 1
    return np.maximum(percentile_filter(diagonal, 80, size=width, mode="nearest"), 1.0)


def _smoothest(track: _Track) -> Bool[np.ndarray, "frames 2"]:
    """Return the labelling of least cost, by Viterbi over pairs of neighbouring states."""
    motion, alone = _motion_cost(track), _state_cost(track)
    differ = _STATES[:, None] ^ _STATES[None]  # (state, state, group)
    before, after = differ[:, :, None], differ[None]
    switch = np.where(differ.any(-1), _SWITCH, 0.0)
    # cost[i, j]: the cheapest labelling that ends in state i, then state j.
    cost = alone[0][:, None] + switch + alone[1] + _of_groups(motion[1], 0 * differ, differ)
    came_from = np.zeros((len(motion), *cost.shape), dtype=np.int64)
    for t in range(2, len(motion)):
        moved = _of_groups(motion[t], before, after)
        total = cost[:, :, None] + moved + (switch + alone[t])[None]
        came_from[t] = total.argmin(0)
        cost = total.min(0)
    return _trace_back(cost, came_from)


def _of_groups(
    motion: Float[np.ndarray, "2 2 2"],
    before: Int[np.ndarray, "*n 2"],
    after: Int[np.ndarray, "*m 2"],
) -> Float[np.ndarray, "*cost"]:
    """Return the motion cost of arms plus legs, given whether each switched before and now."""
    arms, legs = (motion[g][before[..., g], after[..., g]] for g in (0, 1))
    return arms + legs


def _trace_back(
    cost: Float[np.ndarray, "states states"], came_from: Int[np.ndarray, "frames states states"]
) -> Bool[np.ndarray, "frames 2"]:
    n_frames = len(came_from)
    path = np.zeros(n_frames, dtype=np.int64)
    path[-2], path[-1] = np.unravel_index(cost.argmin(), cost.shape)
    for t in range(n_frames - 1, 1, -1):
        path[t - 2] = came_from[t, path[t - 1], path[t]]
    return _STATES[path].astype(bool)


def _motion_cost(track: _Track) -> Float[np.ndarray, "frames 2 2 2"]:
    """Return how far arms and legs stray from even motion.

    The last two axes: whether the sides change over between the two frames before, and between
    the last frame and this one. Compared with constant velocity, or with rest where only one
    frame before is seen; the first frame costs nothing.
    """
    now, last = track.limbs[1:], track.limbs[:-1]
    dt = np.diff(track.time_s)
    dt_before = np.append(dt[:1], dt[:-1])
    ratio = np.clip(dt / dt_before, 0, 2)[:, None, None, None, None]
    earlier = np.concatenate([np.full_like(now[:1], np.nan), track.limbs[:-2]])
    still_sigma = np.hypot(_NOISE, _SPEED * dt)
    even_sigma = np.hypot(_NOISE * (1 + dt / dt_before), _ACCELERATION * dt * (dt + dt_before) / 2)
    skip_sigma = np.hypot(_NOISE, _SPEED * (dt + dt_before))[1:]
    weight = np.minimum(track.weight[1:], track.weight[:-1])
    weight_skip = np.minimum(track.weight[2:], track.weight[:-2])
    cost = np.zeros((len(track.time_s), 2, 2, 2))
    for changed_before in (0, 1):
        start = earlier[..., ::-1, :] if changed_before else earlier
        is_still = np.isnan(start).any(-1)
        guess = np.where(is_still[..., None], last, last + (last - start) * ratio)
        sigma = np.where(
            is_still, still_sigma[:, None, None, None], even_sigma[:, None, None, None]
        )
        for changes_now in (0, 1):
            found = now[..., ::-1, :] if changes_now else now
            off = ((found - guess) ** 2).sum(-1) / sigma**2  # (frames, groups, joints, sides)
            each = np.minimum(np.nan_to_num(off), _MAX_COST).mean(-1)
            cost[1:, :, changed_before, changes_now] = (each * weight).sum(-1)
            # One bad frame between two good ones must not part them.
            far = ((found - start)[1:] ** 2).sum(-1) / skip_sigma[:, None, None, None] ** 2
            each = np.minimum(np.nan_to_num(far), _MAX_COST).mean(-1)
            cost[2:, :, changed_before, changes_now] += (each * weight_skip).sum(-1)
    return cost


def _state_cost(track: _Track) -> Float[np.ndarray, "frames 4"]:
    """Return what being changed over costs in each state, and a trunk that is twisted by it."""
    seconds = np.gradient(track.time_s)
    sure = track.weight.mean(-1)  # (frames, groups)
    swapped = sure.mean(-1, keepdims=True) * _SWAPPED_A_SECOND
    across = track.limbs[:, :, 0, 0] - track.limbs[:, :, 0, 1]  # shoulders, hips: left - right
    agree = np.nan_to_num((across[:, 0] * across[:, 1]).sum(-1)) / _FULL_WIDTH
    agree = np.clip(agree * track.weight[:, :, 0].min(-1), -1, 1)
    one_only = _STATES[:, 0] != _STATES[:, 1]
    twist = _TWIST_A_SECOND * np.where(one_only, agree[:, None], -agree[:, None]).clip(0)
    return (swapped + twist) * seconds[:, None]


def _apply(keypoints: Keypoints2D, swap: Bool[np.ndarray, "frames 2"]) -> Keypoints2D:
    """Return keypoints with sides changed over; the face follows where the whole body does."""
    part = _parts(keypoints.skeleton)
    whole = swap.all(-1)
    changed = np.stack([swap[:, 0], swap[:, 1], whole], axis=1)[:, part]  # (frames, joints)
    mirror = keypoints.skeleton.mirror
    return replace(
        keypoints,
        xy=np.where(changed[:, :, None], keypoints.xy[:, mirror], keypoints.xy),
        score=np.where(changed, keypoints.score[:, mirror], keypoints.score),
    )


def _parts(skeleton: Skeleton) -> Int[np.ndarray, " joints"]:
    """Return 0 for joints of the arms, 1 for the legs, 2 for the face and joints without side."""

    def part(joint: str) -> int:
        if other_side(joint) == joint:
            return 2
        # `left_foot_index` is of the leg, `left_index` of the arm; `ear` hides in no other word.
        words = joint.split("_")[1:]
        if any(word in _FACE_WORDS for word in words):
            return 2
        return 1 if any(word in _LEG_WORDS for word in words) else 0

    return np.array([part(joint) for joint in skeleton.joints])

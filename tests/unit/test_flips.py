from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pose3d_cli.pose.flips import mend_flips
from pose3d_cli.pose.skeleton import BLAZEPOSE33, BODY25, COCO17, H36M17, Skeleton
from pose3d_cli.pose.types import Keypoints2D

FPS = 30.0
SIZE = (1280, 960)
ARMS = ("shoulder", "elbow", "wrist", "pinky", "index", "thumb")
LEGS = ("hip", "knee", "ankle", "heel", "big_toe", "small_toe", "foot_index")


def walker(
    turn_deg: float, n_frames: int = 90, *, skeleton: Skeleton = COCO17, noise_px: float = 0.0
) -> Keypoints2D:
    """Someone 1.7 m tall who walks on the spot, 400 px a metre, turned about the vertical."""
    time_s = np.arange(n_frames) / FPS
    swing = np.sin(2 * np.pi * time_s / 1.1)
    still = np.zeros(n_frames)
    turn = np.deg2rad(turn_deg)
    xy = np.full((n_frames, len(skeleton.joints), 2), np.nan)
    for joint in skeleton.joints:
        sign = {"left": 1, "right": -1}.get(joint.split("_")[0], 0)
        part = joint.split("_", 1)[1] if sign else joint
        across, height, ahead = {
            "hip": (0.10, 0.95, still),
            "knee": (0.10, 0.52, 0.20 * sign * swing + 0.05),
            "ankle": (0.10, 0.10, 0.38 * sign * swing),
            "shoulder": (0.19, 1.42, -0.03 * sign * swing),
            "elbow": (0.24, 1.13, -0.14 * sign * swing),
            "wrist": (0.25, 0.92, -0.28 * sign * swing + 0.06),
        }.get(part, (0.05, 1.58 if part in ("eye", "ear", "mouth", "nose") else 0.95, still + 0.08))
        side = sign * across
        xy[:, skeleton.index(joint), 0] = 640 + 400 * (side * np.cos(turn) + ahead * np.sin(turn))
        xy[:, skeleton.index(joint), 1] = 800 - 400 * height
    xy += np.random.default_rng(0).normal(0, noise_px, xy.shape) if noise_px else 0
    return Keypoints2D(
        xy=xy.astype(np.float32),
        score=np.full(xy.shape[:2], 0.9, np.float32),
        frames=np.arange(n_frames, dtype=np.int64),
        time_s=time_s,
        fps=FPS,
        image_size=SIZE,
        skeleton=skeleton,
    )


def flipped(keypoints: Keypoints2D, start: int, end: int, what: str = "all") -> Keypoints2D:
    """Give each side the other's place from frame `start` to before `end`."""
    parts = {"all": None, "arms": ARMS, "legs": LEGS}[what]
    changed = [
        joint
        for joint in keypoints.skeleton.joints
        if "_" in joint and (parts is None or joint.split("_", 1)[1] in parts)
    ]
    order = np.arange(len(keypoints.skeleton.joints))
    index = [keypoints.skeleton.index(joint) for joint in changed]
    order[index] = keypoints.skeleton.mirror[index]
    xy, score = keypoints.xy.copy(), keypoints.score.copy()
    xy[start:end], score[start:end] = xy[start:end, order], score[start:end, order]
    return replace(keypoints, xy=xy, score=score)


def mirrored(keypoints: Keypoints2D) -> Keypoints2D:
    """What the detector would see in the mirror image of the video."""
    xy = keypoints.xy[:, keypoints.skeleton.mirror].copy()
    xy[..., 0] = SIZE[0] - 1 - xy[..., 0]
    return replace(keypoints, xy=xy, score=keypoints.score[:, keypoints.skeleton.mirror])


@settings(max_examples=25, deadline=None)
@given(turn_deg=st.floats(-180, 180), noise_px=st.floats(0, 4))
def test_clean_motion_is_left_alone(turn_deg, noise_px):
    clean = walker(turn_deg, noise_px=noise_px)
    mended, n_mended = mend_flips(clean)
    assert n_mended == 0
    np.testing.assert_array_equal(mended.xy, clean.xy)


@settings(max_examples=25, deadline=None)
@given(
    turn_deg=st.floats(-50, 50),
    start=st.integers(3, 40),
    length=st.integers(1, 25),
    what=st.sampled_from(["all", "arms", "legs"]),
)
def test_a_flipped_span_of_someone_seen_from_the_front_is_undone(turn_deg, start, length, what):
    clean = walker(turn_deg, noise_px=2.0)
    mended, n_mended = mend_flips(flipped(clean, start, start + length, what))
    assert n_mended == length
    np.testing.assert_array_equal(mended.xy, clean.xy)


@pytest.mark.parametrize("what", ["all", "legs"])
def test_a_flip_between_two_crossings_of_the_legs_is_undone_seen_from_the_side(what):
    clean = walker(90, noise_px=1.0)
    # The legs cross each 16.5 frames, at 0, 16.5, 33 and so on.
    mended, n_mended = mend_flips(flipped(clean, 37, 47, what))
    assert n_mended == 10
    np.testing.assert_array_equal(mended.xy, clean.xy)


@settings(max_examples=15, deadline=None)
@given(turn_deg=st.floats(-180, 180), start=st.integers(3, 40), length=st.integers(1, 25))
def test_the_mirror_image_is_mended_the_same(turn_deg, start, length):
    bad = flipped(walker(turn_deg, noise_px=2.0), start, start + length)
    mended, n_mended = mend_flips(bad)
    in_mirror, n_in_mirror = mend_flips(mirrored(bad))
    assert n_in_mirror == n_mended
    np.testing.assert_allclose(in_mirror.xy, mirrored(mended).xy, atol=1e-3)


def test_scores_move_with_their_joints():
    clean = walker(0)
    clean.score[:, COCO17.index("left_wrist")] = 0.6
    mended, n_mended = mend_flips(flipped(clean, 20, 30))
    assert n_mended == 10
    np.testing.assert_array_equal(mended.score, clean.score)


@pytest.mark.parametrize("skeleton", [COCO17, H36M17, BODY25, BLAZEPOSE33], ids=lambda s: s.name)
@pytest.mark.parametrize("what", ["all", "arms", "legs"])
def test_hands_feet_and_face_follow_in_every_skeleton(skeleton, what):
    clean = walker(20, skeleton=skeleton)
    mended, n_mended = mend_flips(flipped(clean, 20, 30, what))
    assert n_mended == 10
    np.testing.assert_array_equal(mended.xy, clean.xy)


def test_most_frames_decide_which_side_is_which():
    clean = walker(0)
    mended, n_mended = mend_flips(flipped(clean, 0, 50))
    np.testing.assert_array_equal(mended.xy, flipped(clean, 0, 90).xy)
    assert n_mended == 40


@pytest.mark.parametrize("scale", [0.2, -0.45])
def test_one_collapsed_frame_turns_nobody_round(scale):
    clean = walker(0)
    bad = clean.xy.copy()
    bad[12, :, 0] = 640 + (bad[12, :, 0] - 640) * scale
    mended, _ = mend_flips(replace(clean, xy=bad))
    rest = np.arange(90) != 12
    np.testing.assert_array_equal(mended.xy[rest], clean.xy[rest])


def test_shoulders_and_hips_are_not_left_pointing_opposite_ways():
    clean = walker(0, noise_px=1.0)
    bad = flipped(clean, 40, 46)
    # The legs do not jump but slide over each other, which by itself looks like motion.
    legs = [i for i, joint in enumerate(COCO17.joints) if joint.split("_")[-1] in LEGS]
    for start, end in ((38, 42), (44, 48)):
        for frame, share in zip(range(start, end), np.linspace(0.1, 0.9, end - start), strict=True):
            share = share if start == 38 else 1 - share
            for leg in legs:
                one, other = clean.xy[frame, leg], clean.xy[frame, COCO17.mirror[leg]]
                bad.xy[frame, leg] = (1 - share) * one + share * other
    mended, _ = mend_flips(bad)
    np.testing.assert_array_equal(mended.xy[42:44], clean.xy[42:44])


def test_the_trunk_tells_a_flip_that_lasts_from_crossing_to_crossing():
    # Seen nearly from the side the motion of the legs fits both ways; the hips do not.
    clean = walker(75, noise_px=3.0)
    mended, n_mended = mend_flips(flipped(clean, 33, 50, "legs"))
    assert n_mended == 17
    np.testing.assert_array_equal(mended.xy, clean.xy)


def test_noise_where_the_legs_cross_is_no_flip():
    for seed in range(5):
        clean = walker(90, 150)
        noise = np.random.default_rng(seed).normal(0, 7, clean.xy.shape).astype(np.float32)
        assert mend_flips(replace(clean, xy=clean.xy + noise))[1] <= 3


def test_unseen_joints_and_missing_frames_are_no_obstacle():
    clean = walker(10, noise_px=1.0)
    clean.xy[15:40, COCO17.index("right_wrist")] = np.nan
    clean.score[15:40, COCO17.index("right_wrist")] = 0
    kept = np.delete(np.arange(90), slice(50, 53))
    clean = replace(
        clean,
        xy=clean.xy[kept],
        score=clean.score[kept],
        frames=clean.frames[kept],
        time_s=clean.time_s[kept],
    )
    mended, n_mended = mend_flips(flipped(clean, 20, 30))
    assert n_mended == 10
    np.testing.assert_array_equal(mended.xy, clean.xy)


@pytest.mark.parametrize("n_frames", [1, 2, 3])
def test_the_shortest_clips(n_frames):
    clean = walker(0, n_frames)
    mended, n_mended = mend_flips(clean)
    assert n_mended == 0
    assert len(mended) == n_frames

"""Feet that stand are found, held still, and let go; knees neither snap nor turn."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from pose3d_cli.pose.clean.contact import ANKLES, LONGEST_S, Contact, find_contacts, standing
from pose3d_cli.pose.clean.ease import EASE_S, eased
from pose3d_cli.pose.clean.feet import hold_feet, slide_m
from pose3d_cli.pose.clean.follow import follow
from pose3d_cli.pose.clean.legs import Leg, bend_leg, lacking
from pose3d_cli.pose.clean.motion import joint
from pose3d_cli.pose.clean.path import path_of_feet
from pose3d_cli.pose.world import World
from tests.walkers import STEP_S, bone_lengths_of, stands, walk

LEVEL = World()
KNEES = [joint("left_knee"), joint("right_knee")]


def clean_feet(motion, *, always=False, known=()):
    contacts = find_contacts(motion, LEVEL)
    return hold_feet(motion, contacts, always=always, known=known)


def truth(motion):
    return np.stack([stands(motion.time_s, phase) for phase in (0.0, STEP_S)], -1)


@pytest.mark.parametrize("fps", [25.0, 60.0])
def test_feet_that_stand_are_found_and_swinging_ones_are_not(fps):
    motion = walk(6.0, fps)
    found = standing(find_contacts(motion, LEVEL), len(motion))
    true = truth(motion)
    assert (found & true).sum() > 0.9 * true.sum()
    assert (found & ~true).sum() < 0.2 * found.sum()


def test_a_foot_held_high_and_still_is_no_contact():
    motion = walk()
    pose = motion.pose.copy()
    pose[:, ANKLES[0]] = [0.3, 0.3, 0.1]
    still = replace(motion, root=motion.root * [0, 1, 1], pose=pose)
    assert not any(contact.foot == 0 for contact in find_contacts(still, LEVEL))
    assert any(contact.foot == 1 for contact in find_contacts(motion, LEVEL))


def test_somebody_who_stands_for_long_is_resettled_at_times_of_the_clip():
    motion = walk(25.0)
    still = replace(motion, root=motion.root[:1].repeat(len(motion), 0), pose=motion.pose * 0)
    still.pose[:] = motion.pose[:1]
    of_left = [c for c in find_contacts(still, LEVEL) if c.foot == 0]
    ends = [(still.time_s[c.first], still.time_s[c.stop - 1]) for c in of_left]
    assert len(ends) == 3
    for number, ((_, last_s), (first_s, _)) in enumerate(pairwise(ends)):
        border = LONGEST_S * (number + 1)
        assert last_s < border < first_s < last_s + 0.6


def test_sliding_feet_are_held_and_bones_keep_their_length():
    motion = walk(slide=0.2)
    better, locks = clean_feet(motion)
    held = [lock for lock in locks if lock.held.is_held]
    assert len(held) >= 6
    for lock in held:
        path = better.xyz[lock.contact.first : lock.contact.stop, ANKLES[lock.contact.foot]]
        assert slide_m(path) < 0.004
        assert lock.slide_after_m == pytest.approx(slide_m(path))
    assert max(lock.slide_m for lock in held) > 0.05
    assert np.abs(bone_lengths_of(better) - bone_lengths_of(motion)).max() < 1e-9
    assert not np.allclose(better.xyz, motion.xyz)


def test_feet_that_do_not_slide_are_left_nearly_where_they_are():
    motion = walk()
    better, _ = clean_feet(motion)
    assert np.abs(better.xyz - motion.xyz).max() < 0.03


def test_auto_leaves_feet_that_would_be_moved_far_and_lock_does_not():
    motion = walk(slide=0.2)
    drift = np.zeros_like(motion.root)
    drift[:, 2] = 0.55 * motion.time_s  # along the view, which says little of what stands
    drifting = replace(motion, root=motion.root + drift)
    _, auto = clean_feet(drifting)
    _, lock = clean_feet(drifting, always=True)
    assert not any(found.held.is_held for found in auto if found.slide_m > 0.25)
    far = [found for found in lock if found.slide_m > 0.15]
    assert far
    assert all(found.slide_after_m < 0.02 for found in far if found.held.is_held)


def test_knees_do_not_snap_where_feet_are_caught_and_let_go():
    motion = walk(slide=0.3)
    better, _ = clean_feet(motion, always=True)
    jerk = [
        np.linalg.norm(np.diff(m.xyz[:, KNEES], n=2, axis=0), axis=-1) for m in (motion, better)
    ]
    assert jerk[1].max() < 2.5 * jerk[0].max()
    ahead = better.pose[:, KNEES, 0] - (better.pose[:, [1, 4], 0] + better.pose[:, ANKLES, 0]) / 2
    assert ahead.min() > 0  # they walk along x


def test_where_a_foot_stood_in_the_part_before_it_stands_on():
    motion = walk(slide=0.2)
    _, locks = clean_feet(motion)
    known = [
        replace(lock.held, place=lock.held.place + np.array([0.02, 0, 0]))
        for lock in locks
        if lock.held.is_held
    ]
    better, _ = clean_feet(motion, known=known)
    where = known[2]
    row = np.searchsorted(motion.time_s, (where.first_s + where.last_s) / 2)
    np.testing.assert_allclose(better.xyz[row, ANKLES[where.foot]], where.place, atol=0.004)


def test_nobody_who_is_nowhere_stands():
    motion = walk()
    lost = replace(motion, root=np.full_like(motion.root, np.nan))
    assert find_contacts(lost, LEVEL) == []
    assert hold_feet(lost, [], always=True)[0] is lost


def test_between_contacts_a_foot_is_let_go_softly():
    time_s = np.arange(90) / 30
    ankle = np.stack([0.1 * time_s, 0 * time_s, 0 * time_s], -1)
    contacts = [(Contact(foot=0, first=10, stop=20), np.zeros(3))]
    path = ankle + eased(contacts, ankle, time_s)
    np.testing.assert_allclose(path[10:20], 0, atol=1e-12)
    reach = int(EASE_S * 30) + 2
    np.testing.assert_array_equal(path[20 + reach :], ankle[20 + reach :])
    np.testing.assert_array_equal(path[: 10 - reach], ankle[: 10 - reach])
    assert np.abs(np.diff(path[:, 0], n=2)).max() < 0.01


def test_between_two_near_contacts_a_foot_goes_from_one_to_the_other():
    time_s = np.arange(60) / 30
    ankle = np.zeros((60, 3))
    places = [np.array([0.05, 0, 0]), np.array([0.02, 0, 0])]
    contacts = [Contact(foot=0, first=10, stop=20), Contact(foot=0, first=24, stop=40)]
    added = eased(list(zip(contacts, places, strict=True)), ankle, time_s)[:, 0]
    assert (np.diff(added[19:25]) < 0).all()
    np.testing.assert_allclose(added[[19, 24]], [0.05, 0.02])


def a_leg(knee=(0.05, 0.44, 0.0), ankle=(0.0, 0.85, 0.0)):
    return Leg(hip=np.zeros((1, 3)), knee=np.array([knee]), ankle=np.array([ankle]))


AHEAD = np.array([[1.0, 0, 0]])


def test_a_leg_reaches_what_is_near_and_bends_the_way_it_bent():
    leg = a_leg()
    wanted = np.array([[0.1, 0.7, 0.1]])
    knee, ankle = bend_leg(leg, leg.hip, wanted, AHEAD)
    np.testing.assert_allclose(ankle, wanted, atol=1e-12)
    np.testing.assert_allclose(np.linalg.norm(knee), leg.thigh[0])
    np.testing.assert_allclose(np.linalg.norm(ankle - knee), leg.shank[0])
    assert knee[0, 0] > 0.15
    np.testing.assert_allclose(lacking(leg, leg.hip, wanted), 0, atol=1e-12)


def test_a_leg_that_is_left_alone_stays_as_it_is():
    leg = a_leg()
    knee, ankle = bend_leg(leg, leg.hip, leg.ankle, AHEAD)
    np.testing.assert_allclose(knee, leg.knee, atol=1e-12)
    np.testing.assert_allclose(ankle, leg.ankle, atol=1e-12)


def test_a_leg_does_not_stretch_to_what_it_cannot_reach():
    leg = a_leg()
    wanted = np.array([[0.0, 1.2, 0.0]])
    knee, ankle = bend_leg(leg, leg.hip, wanted, AHEAD)
    np.testing.assert_allclose(np.linalg.norm(knee), leg.thigh[0])
    np.testing.assert_allclose(np.linalg.norm(ankle - knee), leg.shank[0])
    assert leg.length[0] < ankle[0, 1] < leg.thigh[0] + leg.shank[0]
    assert knee[0, 0] > 0.02  # not straight
    np.testing.assert_allclose(wanted - ankle, lacking(leg, leg.hip, wanted), atol=1e-12)


def test_a_straight_leg_bends_to_the_front():
    leg = a_leg(knee=(-0.001, 0.44, 0.0))
    knee, _ = bend_leg(leg, leg.hip, np.array([[0.0, 0.7, 0.0]]), AHEAD)
    assert knee[0, 0] > 0.1


def test_the_pelvis_gives_way_where_a_leg_cannot_reach():
    motion = walk()
    wanted = motion.xyz[:, ANKLES].copy()
    wanted[40:60, :, 1] += 0.15
    better = follow(motion, wanted)
    moved = better.root - motion.root
    assert moved[50, 1] > 0.05
    np.testing.assert_allclose(moved[[0, -1]], 0, atol=1e-3)
    assert np.abs(np.diff(moved, n=2, axis=0)).max() < 0.01


def test_the_path_bends_towards_what_standing_feet_say():
    motion = walk()
    sway = np.zeros_like(motion.root)
    sway[:, 2] = 0.06 * np.sin(2 * np.pi * motion.time_s / 2)
    swaying = replace(motion, root=motion.root + sway)
    better = path_of_feet(swaying, truth(motion))
    off = [m.root - motion.root for m in (swaying, better)]
    speed = [np.linalg.norm(np.diff(o, axis=0), axis=-1).mean() for o in off]
    assert speed[1] < 0.7 * speed[0]
    untouched = path_of_feet(swaying, np.zeros_like(truth(motion)))
    np.testing.assert_allclose(untouched.root, swaying.root, atol=1e-9)

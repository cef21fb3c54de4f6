"""Clean-up as a whole: what `lift` does with placed people, and what it says of it."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from pose3d_cli.config import build
from pose3d_cli.errors import SettingsError
from pose3d_cli.pipeline.place import Placed
from pose3d_cli.pipeline.polish import polish
from pose3d_cli.pipeline.settings import LiftSettings
from pose3d_cli.pose.clean.chain import Steps, clean
from pose3d_cli.pose.clean.contact import ANKLES, find_contacts
from pose3d_cli.pose.clean.feet import slide_m
from pose3d_cli.pose.skeleton import H36M17
from pose3d_cli.pose.types import Keypoints2D
from pose3d_cli.pose.world import World
from tests.walkers import walk

OFF = {"outliers": "off", "smooth": "off", "bones": "off", "feet": "off"}


def rough(seconds=4.0, seed=0, **changes):
    """A walk as lifted: joints and path tremble, feet slide."""
    motion = walk(seconds, slide=0.15, **changes)
    random = np.random.default_rng(seed)
    pose = motion.pose + 0.008 * random.standard_normal(motion.pose.shape)
    pose[:, 0] = 0
    root = motion.root + 0.01 * random.standard_normal(motion.root.shape)
    return replace(motion, pose=pose, root=root)


def placed_as(motion, person=1, first=0):
    n = len(motion)
    keypoints = Keypoints2D(
        xy=np.zeros((n, 17, 2), np.float32),
        score=motion.score.astype(np.float32),
        frames=np.arange(first, first + n),
        time_s=motion.time_s,
        fps=30.0,
        image_size=(640, 480),
        skeleton=H36M17,
        person=person,
    )
    xyz_root = motion.pose.astype(np.float32)
    return Placed(person, keypoints, xyz_root, (motion.xyz).astype(np.float32))


def cut(piece, rows):
    return Placed(
        piece.person, piece.keypoints.take(rows), piece.xyz_root[rows], piece.xyz_camera[rows]
    )


def run(pieces, n=120, known=None, first=0, **settings):
    frames = np.arange(first, first + n)
    return polish(pieces, World(), LiftSettings(**settings), frames, frames / 30, known)


def lengths(piece):
    parent = H36M17.parent_index
    xyz = piece.xyz_camera.astype(np.float64)
    return np.linalg.norm(xyz[:, 1:] - xyz[:, parent[1:]], axis=-1)


def test_all_steps_make_a_rough_walk_better_and_say_so():
    piece = placed_as(rough())
    found = run([piece])
    better = found.placed[0]
    assert np.ptp(lengths(better), axis=0).max() < 1e-4
    shake = [np.abs(np.diff(p.xyz_camera, n=2, axis=0)).mean() for p in (piece, better)]
    assert shake[1] < 0.4 * shake[0]
    of_person = found.record["people"]["1"]
    assert of_person["smooth"] == {"strength": "light", "pose_hz": 5.0, "path_hz": 3.0}
    assert of_person["bones"]["lengths_m"]["left_knee"] == pytest.approx(0.44, abs=0.01)
    assert of_person["feet"]["held"] >= 5
    assert of_person["feet"]["slide_held_mm"] < 5 < of_person["feet"]["slide_before_mm"]
    assert found.record["settings"]["feet"] == "auto"
    json.dumps(found.record, allow_nan=False)


def test_root_and_camera_stay_one_pose():
    better = run([placed_as(rough())]).placed[0]
    pelvis = better.xyz_camera[:, :1]
    np.testing.assert_allclose(better.xyz_camera - pelvis, better.xyz_root, atol=2e-6)
    np.testing.assert_array_equal(better.xyz_root[:, 0], 0)


def test_with_all_steps_off_nothing_changes():
    piece = placed_as(rough())
    found = run([piece], **OFF)
    np.testing.assert_array_equal(found.placed[0].xyz_root, piece.xyz_root)
    np.testing.assert_allclose(found.placed[0].xyz_camera, piece.xyz_camera, atol=1e-6)
    assert found.record["people"] == {"1": {"filled_frames": []}}


@pytest.mark.parametrize(
    ("step", "value"),
    [("outliers", "mend"), ("smooth", "strong"), ("bones", "constant"), ("feet", "lock")],
)
def test_a_step_by_itself_is_the_only_one_told(step, value):
    record = run([placed_as(rough())], **{**OFF, step: value}).record["people"]["1"]
    assert set(record) == {step, "filled_frames"}


def test_gaps_stay_gaps_unless_they_are_to_be_filled():
    piece = placed_as(rough())
    pieces = [cut(piece, np.arange(40)), cut(piece, np.arange(55, 120))]
    assert [len(p.keypoints) for p in run(pieces).placed] == [40, 65]
    assert [len(p.keypoints) for p in run(pieces, fill=0.4).placed] == [40, 65]
    found = run(pieces[::-1], fill=1.0)
    assert [len(p.keypoints) for p in found.placed] == [120]
    assert found.record["people"]["1"]["filled_frames"] == [[40, 54]]
    whole = found.placed[0]
    assert (whole.keypoints.score[40:55] == 0).all()
    assert np.isnan(whole.keypoints.xy[40:55]).all()
    assert np.isfinite(whole.xyz_camera).all()
    assert np.ptp(lengths(whole), axis=0).max() < 1e-4


def test_people_are_cleaned_each_by_themselves():
    small = rough(seed=1)
    pieces = [placed_as(rough()), placed_as(replace(small, pose=0.5 * small.pose), person=7)]
    found = run(pieces)
    bones = {p: of["bones"]["lengths_m"]["left_knee"] for p, of in found.record["people"].items()}
    assert bones["7"] == pytest.approx(bones["1"] / 2, rel=0.02)


def test_both_stretches_of_a_person_have_the_same_bones():
    other = rough(2.0, seed=3, start_s=6.0)
    longer = replace(other, pose=1.05 * other.pose)
    found = run([placed_as(rough()), placed_as(longer, first=180)], n=240)
    first, second = (lengths(piece).mean(0) for piece in found.placed)
    np.testing.assert_allclose(first, second, atol=1e-4)


def test_one_frame_and_nobody_and_somebody_who_is_nowhere():
    piece = placed_as(rough())
    assert run([]).placed == []
    one = run([cut(piece, np.arange(1))], smooth="strong", feet="lock").placed[0]
    assert np.isfinite(one.xyz_camera).all()
    nowhere = replace(piece, xyz_camera=np.full_like(piece.xyz_camera, np.nan))
    better = run([nowhere]).placed[0]
    assert np.isnan(better.xyz_camera).all()
    assert np.isfinite(better.xyz_root).all()
    unknown = replace(nowhere, xyz_root=np.full_like(piece.xyz_root, np.nan))
    found = run([unknown])
    assert np.isnan(found.placed[0].xyz_root).all()
    json.dumps(found.record, allow_nan=False)


def test_parts_of_a_clip_join_without_a_seam():
    whole = placed_as(rough(16.0))
    margin, border = 90, 240
    first = run([cut(whole, np.arange(border + margin))], n=border + margin, feet="lock")
    rest = np.arange(border - margin, 480)
    after = run([cut(whole, rest)], n=len(rest), first=rest[0], known=first.known, feet="lock")
    one = first.placed[0].xyz_camera[border - 5 : border + 5]
    other = after.placed[0].xyz_camera[margin - 5 : margin + 5]
    np.testing.assert_allclose(one, other, atol=1e-3)


def test_smoothing_comes_before_bones_and_feet_after():
    cleaned = clean([rough()], World(), Steps(feet="lock"))
    motion = cleaned.motions[0]
    parent = H36M17.parent_index
    bones = np.linalg.norm(motion.pose[:, 1:] - motion.pose[:, parent[1:]], axis=-1)
    assert np.ptp(bones, axis=0).max() < 1e-9
    before = clean([rough()], World(), Steps(feet="off")).motions[0]
    for contact in find_contacts(before, World()):
        middle = slice(contact.first + 3, contact.stop - 3)
        assert slide_m(motion.xyz[middle, ANKLES[contact.foot]]) < 0.004


@pytest.mark.parametrize(
    ("setting", "words"),
    [
        ({"smooth": "much"}, r"smooth is 'much'; known: off, light, strong"),
        ({"feet": "on"}, r"feet is 'on'; known: auto, lock, off"),
        ({"bones": "free"}, r"bones is 'free'; known: constant, off"),
        ({"outliers": "x"}, r"outliers is 'x'; known: mend, off"),
        ({"fill": -1.0}, r"fill \(-1.0\) must be 0 s or more"),
    ],
)
def test_settings_that_make_no_sense_are_refused_in_words(setting, words):
    with pytest.raises(SettingsError, match=words):
        build(LiftSettings, setting, where="test")

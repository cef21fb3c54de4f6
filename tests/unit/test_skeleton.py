from __future__ import annotations

import numpy as np
import pytest

from pose3d_cli.pose.convert import convert
from pose3d_cli.pose.skeleton import (
    BLAZEPOSE33,
    BODY25,
    COCO17,
    DERIVED,
    H36M17,
    HALPE26,
    SKELETONS,
    Skeleton,
    conversion,
    other_side,
)
from pose3d_cli.pose.types import Keypoints2D

# Counted off the published lists of each format, by hand.
PLACES = {
    "h36m17": {"pelvis": 0, "right_hip": 1, "left_ankle": 6, "thorax": 8, "head": 10,
               "left_shoulder": 11, "right_wrist": 16},
    "coco17": {"nose": 0, "left_eye": 1, "right_ear": 4, "left_shoulder": 5, "right_wrist": 10,
               "left_hip": 11, "right_knee": 14, "right_ankle": 16},
    "halpe26": {"nose": 0, "right_ankle": 16, "head": 17, "neck": 18, "pelvis": 19,
                "left_big_toe": 20, "right_heel": 25},
    "body25": {"nose": 0, "neck": 1, "right_shoulder": 2, "left_wrist": 7, "pelvis": 8,
               "right_hip": 9, "left_ankle": 14, "right_eye": 15, "left_heel": 21,
               "right_heel": 24},
    "blazepose33": {"nose": 0, "left_eye": 2, "right_ear": 8, "left_mouth": 9,
                    "left_shoulder": 11, "right_wrist": 16, "left_thumb": 21, "left_hip": 23,
                    "right_ankle": 28, "right_foot_index": 32},
    "wholebody133": {"nose": 0, "right_ankle": 16, "left_big_toe": 17, "right_heel": 22,
                     "right_jaw_1": 23, "chin": 31, "left_jaw_1": 39, "right_brow_1": 40,
                     "left_brow_1": 49, "nose_bridge_1": 50, "nose_base": 56, "right_lid_1": 59,
                     "right_lid_4": 62, "left_lid_4": 65, "left_lid_1": 68, "right_lip_1": 71,
                     "upper_lip": 74, "left_lip_1": 77, "lower_lip": 80, "upper_inner_lip": 85,
                     "lower_inner_lip": 89, "left_palm": 91, "left_thumb_4": 95,
                     "left_pinky_4": 111, "right_palm": 112, "right_index_1": 117},
}  # fmt: skip


def test_every_skeleton_is_checked_here():
    assert set(PLACES) == set(SKELETONS)
    assert {name: len(s.joints) for name, s in SKELETONS.items()} == {
        "h36m17": 17, "coco17": 17, "halpe26": 26, "body25": 25, "blazepose33": 33,
        "wholebody133": 133,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("name", "joint", "place"),
    [(name, joint, place) for name, known in PLACES.items() for joint, place in known.items()],
)
def test_joints_lie_where_the_format_says(name, joint, place):
    assert SKELETONS[name].index(joint) == place


def test_the_parents_of_h36m_are_the_published_ones():
    published = [-1, 0, 1, 2, 0, 4, 5, 0, 7, 8, 9, 8, 11, 12, 8, 14, 15]
    assert H36M17.parent_index.tolist() == published


def test_a_parent_that_is_no_joint_is_refused():
    with pytest.raises(ValueError, match=r"parents that are no joints: \['neck'\]"):
        Skeleton("odd", {"pelvis": "", "head": "neck"})


def test_a_joint_without_its_pair_is_refused():
    with pytest.raises(ValueError, match=r"joints without their pair: \['left_hip'\]"):
        Skeleton("odd", {"pelvis": "", "left_hip": "pelvis"})


def test_the_other_side():
    assert other_side("left_knee") == "right_knee"
    assert other_side("right_big_toe") == "left_big_toe"
    assert other_side("nose") == "nose"


def sources_of(source: Skeleton, joint: str) -> dict[str, float]:
    row = conversion(source, H36M17)[H36M17.index(joint)]
    return {source.joints[j]: float(row[j]) for j in np.flatnonzero(row)}


def test_derived_joints_are_what_the_design_says():
    assert sources_of(COCO17, "pelvis") == {"left_hip": 0.5, "right_hip": 0.5}
    assert sources_of(COCO17, "spine") == dict.fromkeys(
        ("left_shoulder", "right_shoulder", "left_hip", "right_hip"), 0.25
    )
    assert sources_of(BLAZEPOSE33, "head") == {"left_eye": 0.5, "right_eye": 0.5}
    assert sources_of(HALPE26, "head") == {"head": 1}
    assert sources_of(HALPE26, "thorax") == {"neck": 1}
    assert sources_of(BODY25, "pelvis") == {"pelvis": 1}
    assert sources_of(BODY25, "spine") == {"pelvis": 0.5, "neck": 0.5}


def test_limbs_keep_their_names():
    limbs = ("hip", "knee", "ankle", "shoulder", "elbow", "wrist")
    checked = 0
    for source, _ in DERIVED:
        for side in ("left", "right"):
            for limb in limbs:
                assert sources_of(SKELETONS[source], f"{side}_{limb}") == {f"{side}_{limb}": 1}
                checked += 1
    assert checked == 60


def test_a_conversion_without_a_rule_is_refused():
    with pytest.raises(ValueError, match=r"h36m17 -> coco17: no source for \['left_eye'\]"):
        conversion(H36M17, COCO17)


def coco_person() -> Keypoints2D:
    random = np.random.default_rng(0)
    return Keypoints2D(
        xy=random.uniform(0, 500, (2, 17, 2)).astype(np.float32),
        score=random.uniform(0.2, 1, (2, 17)).astype(np.float32),
        frames=np.array([4, 7]),
        time_s=np.array([0.1, 0.2]),
        fps=30.0,
        image_size=(640, 480),
        skeleton=COCO17,
        person=3,
    )


def test_converted_joints_are_means_and_as_sure_as_their_least_sure_part():
    keypoints = coco_person()
    converted = convert(keypoints, H36M17)
    left, right = COCO17.index("left_hip"), COCO17.index("right_hip")
    pelvis = H36M17.index("pelvis")
    np.testing.assert_allclose(
        converted.xy[:, pelvis], keypoints.xy[:, [left, right]].mean(1), rtol=1e-6
    )
    np.testing.assert_array_equal(
        converted.score[:, pelvis], keypoints.score[:, [left, right]].min(1)
    )
    assert converted.xy.dtype == converted.score.dtype == np.float32


def test_everything_else_of_a_person_is_kept():
    converted = convert(coco_person(), H36M17)
    assert (converted.person, converted.fps, converted.image_size) == (3, 30.0, (640, 480))
    assert converted.frames.tolist() == [4, 7]
    assert converted.skeleton is H36M17


def test_the_same_skeleton_is_left_alone():
    keypoints = coco_person()
    assert convert(keypoints, COCO17) is keypoints


def test_an_unseen_part_unsees_what_is_made_of_it_and_nothing_else():
    keypoints = coco_person()
    hip = COCO17.index("left_hip")
    keypoints.xy[0, hip], keypoints.score[0, hip] = np.nan, 0
    converted = convert(keypoints, H36M17)
    unseen = {H36M17.joints[j] for j in np.flatnonzero(np.isnan(converted.xy[0]).any(-1))}
    assert unseen == {"left_hip", "pelvis", "spine"}
    assert {H36M17.joints[j] for j in np.flatnonzero(converted.score[0] == 0)} == unseen
    assert np.isfinite(converted.xy[1]).all()

from __future__ import annotations

import pytest

from pose3d_cli.pose.marker_names import find_joints, joint_of
from pose3d_cli.pose.skeleton import BODY25, COCO17, H36M17, HALPE26
from tests.miniatures.folder import POSE2SIM


@pytest.mark.parametrize(
    ("marker", "joint"),
    [
        ("left_knee", "left_knee"),
        ("LKnee", "left_knee"),
        ("RKnee", "right_knee"),
        ("L Knee", "left_knee"),
        ("knee_left", "left_knee"),
        ("Knee.R", "right_knee"),
        ("LKJC", "left_knee"),
        ("Ann:RHJC", "right_hip"),
        ("LSJC", "left_shoulder"),
        ("REJC", "right_elbow"),
        ("LWJC", "left_wrist"),
        ("RAJC", "right_ankle"),
        ("Hip", "pelvis"),
        ("CHip", "pelvis"),
        ("MidHip", "pelvis"),
        ("Neck", "thorax"),
        ("Head", "head"),
        ("Nose", "nose"),
    ],
)
def test_common_names_are_known(marker, joint):
    assert joint_of(marker) == joint


@pytest.mark.parametrize(
    "marker", ["LKNE", "LASI", "RANK", "LFHD", "LBigToe", "LHeel", "left_eye", "C7", "", "L", "x:"]
)
def test_markers_on_the_skin_and_other_points_are_no_joints(marker):
    assert not joint_of(marker)


def test_each_joint_of_ours_keeps_its_name():
    assert find_joints(H36M17.joints) == {joint: i for i, joint in enumerate(H36M17.joints)}


def test_pose2sims_names_give_all_but_the_spine():
    names = list(POSE2SIM.values())
    found = find_joints(names)
    assert {joint: names[at] for joint, at in found.items()} == POSE2SIM


@pytest.mark.parametrize("skeleton", [COCO17, HALPE26, BODY25])
def test_limbs_of_other_skeletons_are_found_by_their_snake_names(skeleton):
    found = find_joints(skeleton.joints)
    limbs = [joint for joint in skeleton.joints if joint in H36M17.joints]
    assert len(limbs) >= 13
    assert all(skeleton.joints[found[joint]] == joint for joint in limbs)


def test_left_is_never_right_whichever_way_it_is_written():
    for side, letter, other in (("left", "L", "right"), ("right", "R", "left")):
        for part in ("Hip", "Knee", "Ankle", "Shoulder", "Elbow", "Wrist"):
            for name in (f"{side}_{part}", f"{letter}{part}", f"{part}_{letter}", f"{part}{side}"):
                assert joint_of(name) == f"{side}_{part.lower()}"
                assert joint_of(name) != f"{other}_{part.lower()}"


def test_an_exact_name_wins_over_one_that_could_be_it():
    assert find_joints(["Neck", "thorax", "Hip", "pelvis"]) == {"pelvis": 3, "thorax": 1}


def test_two_markers_for_one_joint_are_refused():
    with pytest.raises(ValueError, match="both 'LKnee' and 'LKJC' are left_knee"):
        find_joints(["LKnee", "LKJC"])
    with pytest.raises(ValueError, match="both 'left_knee' and 'left_knee'"):
        find_joints(["left_knee", "left_knee"])

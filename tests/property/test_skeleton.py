from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from pose3d_cli.pose.convert import convert
from pose3d_cli.pose.skeleton import DERIVED, H36M17, SKELETONS, conversion, other_side
from pose3d_cli.pose.types import Keypoints2D

# A busy machine is slow now and then; that is no failure.
UNHURRIED = settings(deadline=None)


@pytest.fixture(params=SKELETONS.values(), ids=SKELETONS, scope="module")
def skeleton(request):
    return request.param


@pytest.fixture(params=DERIVED, ids=" -> ".join, scope="module")
def pair(request):
    source, target = request.param
    return SKELETONS[source], SKELETONS[target]


def test_every_detectors_skeleton_becomes_h36m():
    assert set(DERIVED) == {(name, "h36m17") for name in SKELETONS if name != "h36m17"}


def test_mirror_twice_is_nothing(skeleton):
    np.testing.assert_array_equal(skeleton.mirror[skeleton.mirror], np.arange(len(skeleton.joints)))


def test_the_mirror_swaps_exactly_the_sides(skeleton):
    for joint, image in zip(skeleton.joints, skeleton.mirror, strict=True):
        has_side = joint.startswith(("left_", "right_"))
        assert skeleton.joints[image] == other_side(joint)
        assert (skeleton.joints[image] != joint) == has_side


def test_bones_are_the_same_in_the_mirror(skeleton):
    bones = set(skeleton.bones)
    mirrored = {(other_side(parent), other_side(joint)) for parent, joint in bones}
    middle = {joint for joint in skeleton.joints if other_side(joint) == joint}
    assert mirrored == bones
    assert len(bones) == len(skeleton.joints) - list(skeleton.parents.values()).count("")
    assert middle


def test_every_joint_hangs_on_the_one_root(skeleton):
    assert list(skeleton.parents.values()).count("") == 1
    for joint in skeleton.joints:
        steps, place = 0, skeleton.index(joint)
        while skeleton.parent_index[place] >= 0:
            place = skeleton.parent_index[place]
            steps += 1
            assert steps < len(skeleton.joints)


def test_no_bone_joins_left_and_right(skeleton):
    for parent, joint in skeleton.bones:
        assert {parent.partition("_")[0], joint.partition("_")[0]} != {"left", "right"}


def test_rows_sum_to_one_and_take_nothing_away(pair):
    matrix = conversion(*pair)
    np.testing.assert_allclose(matrix.sum(1), 1)
    assert (matrix >= 0).all()


def test_no_left_joint_is_made_of_a_right_one(pair):
    source, target = pair
    matrix = conversion(source, target)
    checked = 0
    for row, joint in enumerate(target.joints):
        parts = [source.joints[column] for column in np.flatnonzero(matrix[row])]
        side = joint.partition("_")[0]
        if side in ("left", "right"):
            assert all(part.startswith(f"{side}_") for part in parts), (joint, parts)
            checked += 1
        else:
            # A joint of the middle takes as much from the left as from the right.
            assert {other_side(part) for part in parts} == set(parts)
    assert checked == 12


def test_conversion_and_mirror_commute(pair):
    source, target = pair
    matrix = conversion(source, target)
    np.testing.assert_array_equal(matrix[target.mirror], matrix[:, source.mirror])


@st.composite
def people(draw):
    source = SKELETONS[draw(st.sampled_from([name for name, _ in DERIVED]))]
    shape = (draw(st.integers(1, 3)), len(source.joints))
    numbers = st.floats(-1e4, 1e4, width=32)
    xy = draw(arrays(np.float32, (*shape, 2), elements=numbers))
    score = draw(arrays(np.float32, shape, elements=st.floats(0, 1, width=32)))
    unseen = draw(arrays(bool, shape))
    return Keypoints2D(
        xy=np.where(unseen[..., None], np.float32(np.nan), xy),
        score=np.where(unseen, np.float32(0), score),
        frames=np.arange(shape[0]),
        time_s=np.arange(shape[0]) / 30,
        fps=30.0,
        image_size=(640, 480),
        skeleton=source,
    )


@UNHURRIED
@given(people())
def test_a_joint_is_seen_where_all_its_parts_are(keypoints):
    converted = convert(keypoints, H36M17)
    uses = conversion(keypoints.skeleton, H36M17) > 0
    part_unseen = np.isnan(keypoints.xy).any(-1)
    np.testing.assert_array_equal(
        np.isnan(converted.xy).any(-1), (uses & part_unseen[:, None]).any(-1)
    )
    assert (converted.score[np.isnan(converted.xy).any(-1)] == 0).all()


@UNHURRIED
@given(people())
def test_no_joint_is_surer_than_any_of_its_parts(keypoints):
    converted = convert(keypoints, H36M17)
    uses = conversion(keypoints.skeleton, H36M17) > 0
    for row in range(len(H36M17.joints)):
        parts = keypoints.score[:, uses[row]]
        np.testing.assert_array_equal(converted.score[:, row], parts.min(1))


@UNHURRIED
@given(people(), st.floats(-300, 300, width=32))
def test_moving_a_person_moves_the_converted_person(keypoints, shift):
    moved = Keypoints2D(
        **{
            name: getattr(keypoints, name)
            for name in ("score", "frames", "time_s", "fps", "image_size", "skeleton")
        },
        xy=keypoints.xy + np.float32(shift),
    )
    np.testing.assert_allclose(
        convert(moved, H36M17).xy, convert(keypoints, H36M17).xy + np.float32(shift), atol=0.02
    )

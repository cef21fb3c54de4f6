"""Laws of the measures and alignments, for any poses."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.spatial.transform import Rotation

from pose3d_cli.pose.align import procrustes, scaled
from pose3d_cli.pose.measures import acceleration_error, mpjpe, mpjve, n_mpjpe, p_mpjpe

# A slow machine is no reason to fail.
law = settings(max_examples=40, deadline=None)

coordinates = st.integers(-2000, 2000).map(lambda millimetres: millimetres / 1000)


@st.composite
def poses(draw, n: int = 1):
    """`n` arrays of equal shape (frames, joints, 3), jittered so that no body is a point."""
    shape = (draw(st.integers(3, 6)), draw(st.integers(4, 17)), 3)
    seed = draw(st.integers(0, 2**32 - 1))
    jitter = np.random.default_rng(seed).normal(size=(n, *shape)) * 0.2
    return [draw(arrays(np.float64, shape, elements=coordinates)) + jitter[i] for i in range(n)]


@st.composite
def similarities(draw):
    turn = Rotation.random(random_state=draw(st.integers(0, 2**32 - 1))).as_matrix()
    move = draw(arrays(np.float64, 3, elements=coordinates))
    return draw(st.floats(0.2, 5)), turn, move


@law
@given(poses())
def test_a_pose_is_at_no_distance_from_itself(found):
    (pose,) = found
    for measure in (mpjpe, p_mpjpe, n_mpjpe, mpjve, acceleration_error):
        np.testing.assert_allclose(measure(pose, pose), 0, atol=1e-6)


@law
@given(poses(2), similarities())
def test_p_mpjpe_does_not_see_a_similarity(found, similarity):
    pose, truth = found
    scale, turn, move = similarity
    changed = scale * pose @ turn.T + move
    np.testing.assert_allclose(p_mpjpe(changed, truth), p_mpjpe(pose, truth), atol=1e-6)


@law
@given(poses(2), similarities())
def test_p_mpjpe_turns_with_nothing_and_grows_with_the_truth(found, similarity):
    pose, truth = found
    scale, turn, move = similarity
    changed = scale * truth @ turn.T + move
    np.testing.assert_allclose(p_mpjpe(pose, changed), scale * p_mpjpe(pose, truth), atol=1e-6)


@law
@given(poses(2), st.floats(0.2, 5))
def test_n_mpjpe_does_not_see_a_scale(found, scale):
    pose, truth = found
    np.testing.assert_allclose(n_mpjpe(scale * pose, truth), n_mpjpe(pose, truth), atol=1e-6)


@law
@given(poses(2))
def test_alignment_never_raises_the_sum_of_squares(found):
    """Of squares: the mean distance may rise."""
    pose, truth = found

    def squares(candidate):
        return ((candidate - truth) ** 2).sum((-2, -1))

    aligned = squares(procrustes(pose, truth))
    assert (aligned <= squares(scaled(pose, truth)) + 1e-9).all()
    assert (squares(scaled(pose, truth)) <= squares(pose) + 1e-9).all()


@law
@given(poses(2), similarities())
def test_no_other_similarity_is_nearer(found, similarity):
    pose, truth = found
    scale, turn, move = similarity
    best = ((procrustes(pose, truth) - truth) ** 2).sum((-2, -1))
    other = ((scale * pose @ turn.T + move - truth) ** 2).sum((-2, -1))
    assert (best <= other + 1e-9).all()


@law
@given(poses(2), similarities())
def test_mpjpe_is_symmetric_and_does_not_see_a_common_motion(found, similarity):
    pose, truth = found
    _, turn, move = similarity
    np.testing.assert_allclose(mpjpe(pose, truth), mpjpe(truth, pose))
    np.testing.assert_allclose(
        mpjpe(pose @ turn.T + move, truth @ turn.T + move), mpjpe(pose, truth), atol=1e-9
    )


@law
@given(poses(2))
def test_a_constant_offset_has_no_velocity_error(found):
    pose, truth = found
    np.testing.assert_allclose(mpjve(pose + 0.7, truth), mpjve(pose, truth), atol=1e-9)

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from pose3d_cli.errors import InputError
from pose3d_cli.lift.normalise import rays_to_input
from pose3d_cli.lift.weights import save
from pose3d_cli.lift.windowed import WindowedLifter
from pose3d_cli.pose.camera import pixels_to_rays, pixels_to_screen
from pose3d_cli.pose.skeleton import COCO17, H36M17
from tests.nets import CAMERA, IMAGE_SIZE, about, seen, tiny, walker

CPU = torch.device("cpu")
LIFTER = WindowedLifter(tiny("dualstream"), about("dualstream"), CPU)
SINGLE = WindowedLifter(tiny("residual_mlp"), about("residual_mlp"), CPU)
PELVIS, HEAD = H36M17.index("pelvis"), H36M17.index("head")


class Recorder(nn.Module):
    """Answers that each joint is `depth` metres behind the pelvis; remembers what it was shown."""

    def __init__(self, depth: float = 1.0) -> None:
        super().__init__()
        self.depth, self.seen = depth, []

    def forward(self, x):
        self.seen.append(x.clone())
        answer = torch.zeros_like(x)
        answer[..., 2] = self.depth
        return answer


def lifter_of(network: nn.Module, **changes) -> WindowedLifter:
    return WindowedLifter(network, about("dualstream", **changes), CPU, mirror=False)


@settings(max_examples=20, deadline=None)
@given(st.integers(1, 60), st.sampled_from([10.0, 25.0, 29.97, 60.0, 240.0]), st.integers(0, 99))
def test_any_length_at_any_rate_keeps_its_frames_and_times(n_frames, fps, seed):
    keypoints = walker(n_frames, fps, seed=seed)
    pose = LIFTER.lift(keypoints, CAMERA)
    assert np.isfinite(pose.xyz).all()
    assert pose.xyz.dtype == np.float32
    assert (pose.xyz[:, PELVIS] == 0).all()
    assert np.array_equal(pose.frames, keypoints.frames)
    assert np.array_equal(pose.time_s, keypoints.time_s)
    assert (pose.fps, pose.frame, pose.is_metric) == (fps, "root", True)


@settings(max_examples=15, deadline=None)
@given(st.integers(1, 40), st.sampled_from([25.0, 30.0, 50.0]), st.integers(0, 99))
@pytest.mark.parametrize("lifter", [LIFTER, SINGLE], ids=["dualstream", "residual_mlp"])
@pytest.mark.parametrize("kind", ["rays", "screen"])
def test_lifting_the_mirror_image_mirrors_the_pose(lifter, kind, n_frames, fps, seed):
    lifter = replace(lifter, about=replace(lifter.about, input=kind))
    keypoints = walker(n_frames, fps, seed=seed)
    flipped = keypoints.xy[:, H36M17.mirror] * [-1, 1] + [IMAGE_SIZE[0], 0]
    mirrored = replace(keypoints, xy=flipped.astype(np.float32))
    pose, other = lifter.lift(keypoints, CAMERA).xyz, lifter.lift(mirrored, CAMERA).xyz
    wanted = pose[:, H36M17.mirror] * [-1, 1, 1]
    # A frame's choice of the most similar other one may tip over by rounding; a body never does.
    assert np.median(np.abs(other - wanted)) < 1e-4
    if lifter is not LIFTER:
        np.testing.assert_allclose(other, wanted, atol=1e-3)


def test_the_network_sees_what_it_was_trained_on():
    keypoints = walker(9)
    recorder = Recorder()
    lifter_of(recorder).lift(keypoints, CAMERA)
    rays = torch.from_numpy(pixels_to_rays(keypoints.xy, CAMERA))[None]
    wanted, _ = rays_to_input(rays, torch.from_numpy(keypoints.score)[None])
    torch.testing.assert_close(recorder.seen[0], wanted)


def test_a_network_of_the_papers_sees_the_screen():
    keypoints = walker(9)
    recorder = Recorder()
    pose = lifter_of(recorder, input="screen").lift(keypoints, CAMERA)
    screen = torch.from_numpy(pixels_to_screen(keypoints.xy, IMAGE_SIZE))
    torch.testing.assert_close(recorder.seen[0][0, ..., :2], screen)
    np.testing.assert_allclose(pose.xyz[:, HEAD], np.tile([0, 0, 1], (9, 1)), atol=1e-6)


def test_an_answer_straight_behind_the_pelvis_lies_on_the_pelvis_ray_in_camera_axes():
    keypoints = walker(30)
    pose = lifter_of(Recorder(2.0)).lift(keypoints, CAMERA)
    rays = pixels_to_rays(keypoints.xy[:, PELVIS].astype(np.float64), CAMERA)
    towards = np.concatenate([rays, np.ones((30, 1))], 1)
    towards /= np.linalg.norm(towards, axis=1, keepdims=True)
    np.testing.assert_allclose(pose.xyz[:, HEAD], 2 * towards, atol=1e-3)


@pytest.mark.parametrize(("fps", "n_windows"), [(25.0, 3), (50.0, 1), (12.5, 7)])
def test_windows_have_the_rate_of_training(fps, n_windows):
    recorder = Recorder()
    replace(lifter_of(recorder), batch=1).lift(walker(17, fps), CAMERA)
    assert len(recorder.seen) == n_windows
    assert {x.shape for x in recorder.seen} == {(1, 9, 17, 3)}


@pytest.mark.parametrize("mirror", [True, False])
def test_the_size_of_batches_does_not_matter(mirror):
    keypoints = walker(70)
    lifter = replace(LIFTER, mirror=mirror)
    answers = [replace(lifter, batch=n).lift(keypoints, CAMERA).xyz for n in (None, 1, 4)]
    for answer in answers[1:]:
        np.testing.assert_allclose(answer, answers[0], atol=1e-5)


@pytest.mark.parametrize("rate_hz", [25.0, 6.0])  # of training: one strand, and four
def test_people_lifted_together_are_lifted_as_each_alone(rate_hz):
    lifter = replace(LIFTER, about=about("dualstream", rate_hz=rate_hz))
    people = [replace(walker(n, 25.0), person=n) for n in (5, 70, 9, 1, 33)]
    for person, pose in zip(people, lifter.lift_each(people, CAMERA), strict=True):
        np.testing.assert_allclose(pose.xyz, lifter.lift(person, CAMERA).xyz, atol=1e-5)
        np.testing.assert_array_equal(pose.time_s, person.time_s)


def test_the_windows_of_several_people_are_run_at_once():
    recorder = Recorder()
    list(replace(lifter_of(recorder), batch=4).lift_each([walker(9, 25.0)] * 6, CAMERA))
    assert [len(x) for x in recorder.seen] == [4, 2]


def test_a_lifter_of_single_frames_does_not_mind_time():
    """At the rate of training, each frame of a still person has the same answer."""
    still = np.repeat(walker(1).xy, 30, 0)
    pose = SINGLE.lift(seen(still, np.arange(30) / 25, 25.0), CAMERA)
    np.testing.assert_allclose(pose.xyz, np.repeat(pose.xyz[:1], 30, 0), atol=1e-5)


def test_uneven_times_are_followed():
    """A lift at uneven times agrees with the even one at the times they share."""
    even = walker(121, 60.0)
    some = np.sort(np.random.default_rng(0).permutation(np.arange(1, 120))[:90])
    some = np.concatenate([[0], some, [120]])
    uneven = replace(
        even,
        xy=even.xy[some],
        score=even.score[some],
        frames=even.frames[some],
        time_s=even.time_s[some],
    )
    a, b = SINGLE.lift(even, CAMERA).xyz[some], SINGLE.lift(uneven, CAMERA).xyz
    assert np.abs(a - b).mean() < 0.02 * np.abs(a).mean()


def test_joints_of_another_skeleton_are_converted_and_unseen_ones_do_without():
    xy = np.full((12, 17, 2), np.nan)
    for joint in COCO17.joints:
        if joint in H36M17.joints and joint != "left_wrist":
            xy[:, COCO17.index(joint)] = walker(12).xy[:, H36M17.index(joint)]
    keypoints = replace(seen(xy, np.arange(12) / 25, 25.0), skeleton=COCO17)
    recorder = Recorder()
    pose = lifter_of(recorder).lift(keypoints, CAMERA)
    assert pose.skeleton is H36M17
    assert np.isfinite(LIFTER.lift(keypoints, CAMERA).xyz).all()
    unseen = recorder.seen[0][0, 0, H36M17.index("left_wrist")]
    torch.testing.assert_close(unseen, torch.zeros(3), atol=1e-5, rtol=0)


def test_frames_without_hips_are_refused_in_words():
    keypoints = walker(12)
    keypoints.xy[5:7, PELVIS] = np.nan
    keypoints.score[5:7, PELVIS] = 0
    with pytest.raises(InputError, match=r"person 0: the hips are unknown in 2 of 12 frames \(fir"):
        LIFTER.lift(keypoints, CAMERA)


def test_nothing_to_lift_is_refused_in_words():
    nobody = seen(np.zeros((0, 17, 2)), np.zeros(0), 25.0)
    with pytest.raises(InputError, match="person 0: no frames to lift"):
        LIFTER.lift(nobody, CAMERA)


def test_a_lifter_comes_from_a_weights_file(tmp_path):
    path = tmp_path / "w.safetensors"
    save(path, LIFTER.network, LIFTER.about)
    again = WindowedLifter.from_file(path, CPU)
    keypoints = walker(20)
    a, b = again.lift(keypoints, CAMERA), LIFTER.lift(keypoints, CAMERA)
    assert np.array_equal(a.xyz, b.xyz)

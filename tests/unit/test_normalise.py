from __future__ import annotations

import math

import pytest
import torch

from pose3d_cli.lift.normalise import mirrored_input, rays_to_input, screen_to_input
from pose3d_cli.lift.rotation import about, smallest_to_forward, turn, turn_back
from pose3d_cli.pose.skeleton import H36M17
from tests.nets import standing

PELVIS = H36M17.index("pelvis")
OTHERS = [j for j in range(17) if j != PELVIS]


def people(n_frames: int = 5) -> torch.Tensor:
    """Return windows of somebody who sways, relative to the pelvis."""
    random = torch.Generator().manual_seed(0)
    sway = 0.05 * torch.randn(2, n_frames, 17, 3, generator=random)
    sway[:, :, PELVIS] = 0
    return torch.from_numpy(standing()).float() + sway


def rays_of(xyz: torch.Tensor) -> torch.Tensor:
    return xyz[..., :2] / xyz[..., 2:]


def score_of(rays: torch.Tensor) -> torch.Tensor:
    return torch.full(rays.shape[:-1], 0.8)


def test_the_pelvis_is_in_the_middle_and_the_size_is_one():
    rays = rays_of(people() + torch.tensor([0.7, -0.2, 4.0]))
    x, _ = rays_to_input(rays, score_of(rays))
    assert (x[:, :, PELVIS, 0] == 0).all()
    size = x[:, :, OTHERS, :2].square().sum((-1, -2)).mean(1) / 17
    torch.testing.assert_close(size, torch.ones(2), atol=1e-4, rtol=0)
    assert (x[..., 2] == 0.8).all()


def test_the_rotation_takes_the_pelvis_to_the_axis_and_back():
    root = torch.tensor([1.5, -0.8, 3.0])
    rays = rays_of(people() + root)
    _, rotation = rays_to_input(rays, score_of(rays))
    turned = turn(rotation, root.expand(2, 5, 1, 3))
    torch.testing.assert_close(turned[..., :2], torch.zeros(2, 5, 1, 2), atol=1e-6, rtol=0)
    torch.testing.assert_close(turn_back(rotation, turned), root.expand(2, 5, 1, 3))
    torch.testing.assert_close(turned.norm(dim=-1), root.norm().expand(2, 5, 1))


@pytest.mark.parametrize("axis", ["x", "y"])
@pytest.mark.parametrize("degrees", [-35, 10, 40])
def test_panning_the_camera_changes_nothing(axis, degrees):
    """The same person in the same distance looks the same wherever in the picture."""
    ahead = people() + torch.tensor([0.0, 0.0, 4.0])
    panned = turn(about(axis, torch.tensor(math.radians(degrees))), ahead)
    x, _ = rays_to_input(rays_of(ahead), score_of(rays_of(ahead)))
    y, rotation = rays_to_input(rays_of(panned), score_of(rays_of(panned)))
    torch.testing.assert_close(y, x, atol=1e-5, rtol=0)
    torch.testing.assert_close(turn(rotation, panned), ahead, atol=1e-5, rtol=0)


def test_twice_as_far_is_one_half_in_the_size_told_and_nearly_the_same_picture():
    near, far = (rays_of(people() + torch.tensor([0.0, 0.0, z])) for z in (8.0, 16.0))
    x, _ = rays_to_input(near, score_of(near))
    y, _ = rays_to_input(far, score_of(far))
    told = x[:, :, PELVIS, 1] - y[:, :, PELVIS, 1]
    torch.testing.assert_close(told, torch.full((2, 5), math.log(2)), atol=0.02, rtol=0)
    torch.testing.assert_close(x[:, :, OTHERS], y[:, :, OTHERS], atol=0.05, rtol=0)


def test_unknown_joints_stand_at_the_pelvis_and_do_not_count_for_the_size():
    rays = rays_of(people() + torch.tensor([0.3, 0.0, 4.0]))
    wrist = H36M17.index("left_wrist")
    rays[:, :, wrist] = torch.nan
    score = score_of(rays)
    score[:, :, wrist] = 0
    x, _ = rays_to_input(rays, score)
    assert x.isfinite().all()
    torch.testing.assert_close(x[:, :, wrist], torch.zeros(2, 5, 3), atol=1e-5, rtol=0)
    size = x[:, :, OTHERS, :2].square().sum((-1, -2)).mean(1) / 16
    torch.testing.assert_close(size, torch.ones(2), atol=1e-4, rtol=0)


def test_the_mirror_of_the_mirror_is_the_input_and_left_becomes_right():
    rays = rays_of(people() + torch.tensor([0.3, 0.0, 4.0]))
    x, _ = rays_to_input(rays, score_of(rays))
    flipped = mirrored_input(x)
    assert torch.equal(mirrored_input(flipped), x)
    left, right = H36M17.index("left_knee"), H36M17.index("right_knee")
    assert torch.equal(flipped[:, :, left, 0], -x[:, :, right, 0])
    assert torch.equal(flipped[:, :, left, 1:], x[:, :, right, 1:])


def test_mirrored_rays_give_the_mirrored_input():
    rays = rays_of(people() + torch.tensor([0.9, 0.4, 4.0]))
    x, _ = rays_to_input(rays, score_of(rays))
    mirrored = rays[:, :, torch.from_numpy(H36M17.mirror)] * torch.tensor([-1.0, 1.0])
    y, _ = rays_to_input(mirrored, score_of(rays))
    torch.testing.assert_close(y, mirrored_input(x), atol=1e-5, rtol=0)


def test_screen_coordinates_pass_as_they_are():
    screen = torch.randn(2, 4, 17, 2)
    screen[0, 0, 3] = torch.nan
    x, rotation = screen_to_input(screen, score_of(screen))
    assert (x[0, 0, 3, :2] == 0).all()
    assert torch.equal(x[1, ..., :2], screen[1])
    assert torch.equal(rotation, torch.eye(3).expand(2, 4, 3, 3))


def test_the_smallest_rotation_does_not_roll():
    ray = torch.tensor([0.4, 0.0, 1.0])
    rotation = smallest_to_forward(ray)
    torch.testing.assert_close(rotation @ torch.tensor([0.0, 1, 0]), torch.tensor([0.0, 1, 0]))
    torch.testing.assert_close(rotation @ rotation.T, torch.eye(3), atol=1e-6, rtol=0)
    assert rotation.det() == pytest.approx(1, abs=1e-5)

"""What each lifter on the shelf keeps, whoever wrote it."""

from __future__ import annotations

import json
from dataclasses import asdict, replace

import numpy as np
import pytest
import torch

from pose3d_cli import config
from pose3d_cli.lift.shelf import LIFTERS
from pose3d_cli.lift.strands import blended
from pose3d_cli.lift.weights import describe, load, save
from pose3d_cli.lift.windowed import WindowedLifter
from pose3d_cli.pose.skeleton import H36M17, other_side
from tests.nets import CAMERA, about, fill_with_noise, tiny, walker

NAMES = LIFTERS.names()


def test_the_shelf_holds_the_lifters_we_know():
    assert len(NAMES) >= 2
    assert {"dualstream", "residual_mlp"} <= set(NAMES)


@pytest.fixture(params=NAMES)
def name(request):
    return request.param


def windows(name: str, batch: int = 3) -> torch.Tensor:
    settings = LIFTERS.get(name).presets["tiny"]
    random = torch.Generator().manual_seed(5)
    return torch.randn(batch, settings.frames, settings.joints, 3, generator=random)


def test_it_answers_with_three_finite_numbers_a_joint(name):
    x = windows(name)
    with torch.inference_mode():
        answer = tiny(name)(x)
    assert answer.shape == x.shape
    assert answer.isfinite().all()
    assert answer.std() > 0.01


def test_a_clip_does_not_see_its_neighbour_in_the_batch(name):
    network, x = tiny(name), windows(name)
    other = torch.cat([x[:1], 5 - 3 * x[1:]])
    with torch.inference_mode():
        torch.testing.assert_close(network(x)[0], network(other)[0], atol=1e-6, rtol=0)


def test_evaluation_is_deterministic(name):
    network, x = tiny(name), windows(name)
    with torch.inference_mode():
        assert torch.equal(network(x), network(x))


@pytest.mark.parametrize("over_time", [True, False])
def test_it_takes_gradients_to_every_parameter(name, over_time):
    network = fill_with_noise(tiny(name)).train()
    answer = network(windows(name), over_time=over_time)
    (
        answer * torch.randn(answer.shape, generator=torch.Generator().manual_seed(0))
    ).sum().backward()
    idle = [key for key, p in network.named_parameters() if p.grad is None or not p.grad.any()]
    if over_time:
        assert idle == []
    else:  # only what works over time may rest
        assert all("over_frames" in key for key in idle)


def test_it_can_be_run_without_time(name):
    with torch.inference_mode():
        answer = tiny(name)(windows(name)[:, :2], over_time=False)
    assert answer.shape == (3, 2, 17, 3)


def test_a_weights_file_rebuilds_the_same_network(name, tmp_path):
    network, x, path = tiny(name), windows(name), tmp_path / "w.safetensors"
    save(path, network, about(name))
    with torch.inference_mode():
        assert torch.equal(load(path)(x), network(x))


def test_its_settings_survive_a_file(name, tmp_path):
    entry = LIFTERS.get(name)
    path = tmp_path / "w.safetensors"
    for preset, settings in entry.presets.items():
        values = json.loads(json.dumps(asdict(settings)))
        assert config.build(entry.config, values, where=preset) == settings
    save(path, tiny(name), about(name))
    assert describe(path).config == asdict(entry.presets["tiny"])


def test_it_lifts_clips_of_any_length(name):
    lifter = WindowedLifter(tiny(name), about(name), torch.device("cpu"))
    window = lifter.window
    for n_frames in (1, window - 1, window, window + 1, 2 * window):
        keypoints = walker(n_frames)
        pose = lifter.lift(keypoints, CAMERA)
        assert pose.xyz.shape == (n_frames, 17, 3)
        assert np.isfinite(pose.xyz).all()
        assert np.ptp(pose.xyz) > 0.01


def every_second(keypoints, first):
    rows = slice(first, None, 2)
    parts = {key: getattr(keypoints, key)[rows] for key in ("xy", "score", "frames", "time_s")}
    return replace(keypoints, **parts, fps=keypoints.fps / 2)


@pytest.mark.parametrize("n_frames", [2, 21, 60])
def test_weights_of_half_a_clips_rate_lift_both_halves_of_its_frames(name, n_frames):
    lifter = WindowedLifter(tiny(name), about(name, rate_hz=12.5), torch.device("cpu"))
    keypoints = walker(n_frames, fps=25.0)
    pose = lifter.lift(keypoints, CAMERA)
    apart = np.empty_like(pose.xyz)
    for first in (0, 1):
        apart[first::2] = lifter.lift(every_second(keypoints, first), CAMERA).xyz
    np.testing.assert_allclose(pose.xyz, blended(apart), atol=1e-6)


def in_mirror(x: torch.Tensor) -> torch.Tensor:
    """Return people in a mirror, written by names and not by the code under test."""
    flipped = x.clone()
    for joint in H36M17.joints:
        flipped[:, :, H36M17.index(other_side(joint))] = x[:, :, H36M17.index(joint)]
    flipped[..., 0] *= -1
    return flipped


def test_the_lift_of_a_mirror_image_is_the_mirror_image_of_the_lift(name):
    """With both answers averaged; it must hold whatever the parameters are."""
    lifter = WindowedLifter(tiny(name), about(name), torch.device("cpu"))
    x = windows(name)
    with torch.inference_mode():
        answer, mirrored = lifter._run(x), lifter._run(in_mirror(x))
        plain = lifter.network(x)
    torch.testing.assert_close(mirrored, in_mirror(answer), atol=1e-6, rtol=0)
    assert not torch.allclose(answer, plain, atol=1e-3)

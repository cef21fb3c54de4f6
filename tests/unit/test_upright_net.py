"""The network that says which way is up, and how clips are given to it."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from pose3d_cli.errors import WeightsError
from pose3d_cli.learn.takes import take_camera
from pose3d_cli.lift import weights
from pose3d_cli.lift.about import describe
from pose3d_cli.lift.upright import UprightNet
from pose3d_cli.lift.upright_reader import UprightReader
from pose3d_cli.lift.windowed import WindowedLifter
from pose3d_cli.pose.skeleton import H36M17
from pose3d_cli.pose.types import Keypoints2D
from tests import nets
from tests.nets import UPRIGHT_SETTINGS, about_upright


@pytest.fixture(scope="module")
def network():
    return nets.tiny_upright()


def windows(n=3, frames=20):
    random = torch.Generator().manual_seed(1)
    rays = 0.2 * torch.randn(n, frames, 17, 2, generator=random) + torch.tensor([0.1, -0.2])
    return rays, 0.3 + 0.7 * torch.rand(n, frames, 17, generator=random)


def ask(network, rays, score):
    with torch.inference_mode():
        said = network(rays, score)
    return torch.cat([said.up, said.off_deg, said.ray], -1).numpy()


def test_up_is_a_direction_and_its_error_a_number_above_nought(network):
    said = ask(network, *windows())
    np.testing.assert_allclose(np.linalg.norm(said[:, :3], axis=-1), 1, atol=1e-5)
    assert (said[:, 3:5] > 0).all()


def test_a_network_that_knows_nothing_says_that_the_camera_is_level():
    blank = UprightNet(UPRIGHT_SETTINGS).eval()
    torch.nn.init.zeros_(blank.head[-1].weight)
    torch.nn.init.zeros_(blank.head[-1].bias)
    rays, score = windows()
    centred = rays - rays[:, :, :1]  # the pelvis is in the middle of the picture
    np.testing.assert_allclose(ask(blank, centred, score)[:, :3], [[0, -1, 0]] * 3, atol=1e-6)
    # What it says is of a camera that looks straight at the person, here below the middle.
    below = centred + torch.tensor([0.0, 0.5])
    turned = np.array([0, -1, 0.5]) / np.hypot(1, 0.5)
    np.testing.assert_allclose(ask(blank, below, score)[:, :3], [turned] * 3, atol=1e-5)


def test_frames_that_fill_a_window_up_say_nothing(network):
    rays, score = windows(frames=12)
    long = torch.full((3, 20, 17, 2), torch.nan)
    long[:, :12] = rays
    full = torch.zeros(3, 20, 17)
    full[:, :12] = score
    np.testing.assert_allclose(ask(network, long, full), ask(network, rays, score), atol=1e-4)


def test_what_was_filled_in_or_not_seen_says_nothing(network):
    rays, score = windows()
    score[:, :, 5] = 0
    filled, unseen = rays.clone(), rays.clone()
    filled[:, :, 5] += 0.3
    unseen[:, :, 5] = torch.nan
    expected = ask(network, rays, score)
    np.testing.assert_allclose(ask(network, filled, score), expected, atol=1e-6)
    np.testing.assert_allclose(ask(network, unseen, score), expected, atol=1e-6)
    assert np.abs(ask(network, rays + 0.3 * (score > 0.6)[..., None], score) - expected).max() > 0.1


def test_frames_whose_pelvis_was_filled_in_say_nothing(network):
    rays, score = windows()
    score[:, 4:9, 0] = 0
    other = rays.clone()
    other[:, 4:9] += 0.2
    np.testing.assert_allclose(ask(network, other, score), ask(network, rays, score), atol=1e-5)


def test_nobody_gives_numbers_all_the_same(network):
    rays, score = windows()
    rays[1], score[1] = torch.nan, 0
    said = ask(network, rays, score)
    assert np.isfinite(said).all()
    np.testing.assert_allclose(said[::2], ask(network, rays[::2], score[::2]), atol=1e-5)
    assert not said[1, 5:].any()


def test_the_ray_is_to_where_the_pelvis_is_on_the_whole(network):
    rays, score = windows(1)
    rays[0, :, 0] = torch.tensor([0.3, -0.4])
    rays[0, 3:, 0], score[0, 3:, 0] = 9.0, 0.0  # was filled in
    expected = np.array([0.3, -0.4, 1.0]) / np.linalg.norm([0.3, -0.4, 1.0])
    np.testing.assert_allclose(ask(network, rays, score)[0, 5:], expected, atol=1e-6)


def keypoints(frames, fps=25.0, person=0):
    camera = take_camera()
    rays, score = windows(1, frames)
    return Keypoints2D(
        xy=(rays[0].numpy() * 1000 + 2000).astype(np.float32),
        score=score[0].numpy(),
        frames=np.arange(frames),
        time_s=np.arange(frames) / fps,
        fps=fps,
        image_size=camera.image_size,
        skeleton=H36M17,
        person=person,
    )


def read(network, *people):
    return UprightReader(network, torch.device("cpu")).read(people, take_camera())


def test_a_clip_at_the_rate_of_the_network_is_shown_as_it_is(network):
    points = keypoints(20, fps=12.5)
    (votes,) = read(network, points)
    rays = torch.from_numpy((points.xy - 2000) / 1000)[None]
    score = torch.from_numpy(points.score)[None]
    said = ask(network, rays, score)
    np.testing.assert_allclose(votes.up, said[:, :3], atol=1e-4)
    np.testing.assert_allclose(
        np.stack([votes.across_deg, votes.along_deg], 1), 2**0.5 * said[:, 3:5], rtol=1e-3
    )
    np.testing.assert_allclose(votes.ray, said[:, 5:], atol=1e-5)
    assert votes.weight == pytest.approx([1.6])


def test_clips_of_other_rates_are_shown_at_that_of_the_network(network):
    (votes,) = read(network, keypoints(39, fps=25.0))
    assert votes.weight == pytest.approx([20 / 12.5])


def test_windows_lie_evenly_over_a_long_clip(network):
    long = keypoints(50, fps=12.5)
    (votes,) = read(network, long)
    parts = [slice(0, 20), slice(15, 35), slice(30, 50)]
    for number, part in enumerate(parts):
        cut = replace(
            long, xy=long.xy[part], score=long.score[part],
            frames=long.frames[part], time_s=long.time_s[part],
        )  # fmt: skip
        np.testing.assert_allclose(votes.up[number], read(network, cut)[0].up[0], atol=1e-4)
    assert len(votes.up) == 3
    np.testing.assert_allclose(votes.weight, [50 / 12.5 / 3] * 3)  # overlaps count once


def test_somebody_seen_for_several_stretches_is_one_person(network):
    one, other = keypoints(20, fps=12.5, person=4), keypoints(15, fps=12.5, person=4)
    both, third = read(network, one, keypoints(9, fps=12.5, person=7), other)
    np.testing.assert_allclose(both.weight, [1.6, 1.2])
    np.testing.assert_allclose(third.weight, [0.72])


def test_who_is_hardly_seen_says_nothing(network):
    hardly = keypoints(20, fps=12.5, person=1)
    hardly.score[4:] = 0
    once = keypoints(1, person=2)
    seen, *others = read(network, keypoints(20, fps=12.5), hardly, once)
    assert len(seen.up) == 1
    assert [len(votes.up) for votes in others] == [0, 0]
    assert others[0].ray.shape == (0, 3)


def test_weights_keep_the_network(network, tiny_upright):
    reader = UprightReader.from_file(tiny_upright, torch.device("cpu"))
    assert reader.network.config == UPRIGHT_SETTINGS
    np.testing.assert_array_equal(ask(reader.network, *windows()), ask(network, *windows()))
    assert describe(tiny_upright).units == "direction"


def test_a_lifter_does_not_say_up_and_up_does_not_lift(tiny_upright, tiny_weights):
    with pytest.raises(WeightsError, match="is a lifter; it does not say which way is up"):
        UprightReader.from_file(tiny_weights, torch.device("cpu"))
    with pytest.raises(WeightsError, match="lift nobody"):
        WindowedLifter.from_file(tiny_upright, torch.device("cpu"))


def test_settings_that_no_version_knows_are_refused(network, tmp_path):
    path = tmp_path / "up.safetensors"
    weights.save(path, network, replace(about_upright(), config={"frames": 20, "colour": 3}))
    with pytest.raises(WeightsError, match="colour"):
        UprightReader.from_file(path, torch.device("cpu"))

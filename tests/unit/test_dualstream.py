from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from pose3d_cli.lift.blocks.graph import bone_graph, similar_frames
from pose3d_cli.lift.count import count_parameters
from pose3d_cli.lift.plain import PlainDualStream
from pose3d_cli.lift.shelf import LIFTERS
from pose3d_cli.lift.zoo.dualstream import DualStream, DualStreamConfig
from pose3d_cli.pose.skeleton import H36M17
from tests.nets import fill_with_noise
from tests.reference.dualstream_plain import LEGACY, Reference

TINY = LIFTERS.get("dualstream").presets["tiny"]
SWITCHES = {
    "default": {},
    "transformer": {"streams": "transformer"},
    "gcn": {"streams": "gcn"},
    "mean": {"fusion": "mean"},
    "legacy": {"adjacency": "legacy"},
    "following": {"temporal_graph": "following"},
    "three neighbours": {"neighbours": 3},
    "three following": {"temporal_graph": "following", "neighbours": 3},
    "channel": {"gcn_norm": "channel"},
    "27 frames": {"frames": 27},
    "50 frames": {"frames": 50},
}


@pytest.fixture(params=SWITCHES.values(), ids=SWITCHES)
def network(request):
    return fill_with_noise(DualStream(replace(TINY, **request.param)))


def window(network: DualStream, batch: int = 3, dtype: torch.dtype = torch.float32):
    shape = (batch, network.config.frames, 17, 3)
    return torch.randn(shape, generator=torch.Generator().manual_seed(1), dtype=dtype)


def reference(network: DualStream) -> Reference:
    state = {name: value.detach() for name, value in network.state_dict().items()}
    return Reference(state, network.config, training=network.training)


@pytest.mark.parametrize("over_time", [True, False], ids=["over time", "single frames"])
@pytest.mark.parametrize("training", [True, False], ids=["train", "eval"])
def test_it_equals_the_formulas_with_gradients(network, training, over_time):
    network.double().train(training)
    x = window(network, dtype=torch.float64)
    wanted = reference(network)(x, over_time=over_time)
    # The network's bone graph was made in float32; all else is float64 here.
    torch.testing.assert_close(network(x, over_time=over_time), wanted, atol=1e-6, rtol=0)


def test_it_equals_the_formulas_in_float32_inference(network):
    network.eval()
    x = window(network)
    with torch.inference_mode():
        answer, plain = network(x), PlainDualStream(network).eval()(x)
    wanted = reference(network)(x)
    torch.testing.assert_close(answer, wanted, atol=1e-5, rtol=0)
    torch.testing.assert_close(plain, wanted, atol=1e-5, rtol=0)


def test_going_part_by_part_through_a_batch_too_big_for_the_cache_changes_nothing():
    network = fill_with_noise(DualStream(TINY)).eval()
    x = window(network, batch=120)
    assert 120 * 9 * 17 * TINY.dim > 2**18
    with torch.inference_mode():
        one_by_one = torch.cat([network(row[None]) for row in x])
        torch.testing.assert_close(network(x), one_by_one, atol=1e-5, rtol=0)


@pytest.mark.parametrize(
    ("preset", "parameters"),
    [
        ("xs", 2_241_531),
        ("s", 4_817_119),
        ("base", 11_723_811),
        ("l", 19_007_111),
        ("large", 46_505_891),
    ],
)
def test_presets_have_the_published_parameters(preset, parameters):
    entry = LIFTERS.get("dualstream")
    with torch.device("meta"):
        network = entry.network(entry.presets[preset])
    assert count_parameters(network) == parameters


@pytest.mark.parametrize("fusion", ["adaptive", "mean"])
def test_a_fresh_network_starts_as_the_mean_of_two_near_identities(fusion):
    network = DualStream(replace(TINY, fusion=fusion)).eval()
    tokens = torch.randn(2, 9, 17, 16, generator=torch.Generator().manual_seed(0))
    for block in network.blocks:
        with torch.no_grad():
            out = block(tokens, True)
        torch.testing.assert_close(out, tokens, atol=2e-4, rtol=0)
        assert not torch.equal(out, tokens)


def test_the_legacy_bone_graph_lacks_three_edges_one_way():
    full, legacy = (bone_graph(H36M17, kind) > 0 for kind in ("symmetric", "legacy"))
    assert torch.equal(full, full.T)
    assert [row.nonzero().flatten().tolist() for row in legacy] == [sorted(r) for r in LEGACY]
    assert (full & ~legacy).sum() == 3


@pytest.mark.parametrize("neighbours", [1, 2, 3, 20])
def test_similar_frames_are_those_with_the_largest_products(neighbours):
    x = torch.randn(5, 12, 8, generator=torch.Generator().manual_seed(3))
    found = similar_frames(x, neighbours).sort(-1).values
    order = (x @ x.mT).argsort(-1, descending=True)[..., : min(neighbours, 12)]
    assert torch.equal(found, order.sort(-1).values)


def test_two_similar_frames_are_a_frame_itself_and_its_one_nearest():
    """Four directions, 0, 10, 90 and 100 degrees: they pair off."""
    angle = torch.deg2rad(torch.tensor([0.0, 10, 90, 100]))
    x = torch.stack([angle.cos(), angle.sin()], -1)[None]
    found = similar_frames(x, 2)[0].sort(-1).values
    assert found.tolist() == [[0, 1], [0, 1], [2, 3], [2, 3]]


def test_a_window_of_one_frame_has_itself_for_a_neighbour():
    network = fill_with_noise(DualStream(replace(TINY, frames=1))).eval()
    assert network(torch.randn(2, 1, 17, 3)).isfinite().all()


def test_a_window_of_another_length_is_refused():
    network = DualStream(TINY).eval()
    with pytest.raises(ValueError, match="windows of 9 frames, got 8"):
        network(torch.zeros(1, 8, 17, 3))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"heads": 3}, r"dim \(16\) must be a multiple of heads \(3\)"),
        ({"joints": 16}, r"joints \(16\) must be 17"),
        ({"depth": 0}, r"depth \(0\) must be at least 1"),
    ],
)
def test_settings_that_make_no_network_are_refused(change, words):
    with pytest.raises(ValueError, match=words):
        replace(TINY, **change)


def test_the_default_is_base():
    assert LIFTERS.get("dualstream").presets["base"] == DualStreamConfig()

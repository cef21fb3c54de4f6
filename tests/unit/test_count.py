from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch import nn

from pose3d_cli.errors import UnknownNameError
from pose3d_cli.lift.bench import bench_lift
from pose3d_cli.lift.blocks.attention import Attention
from pose3d_cli.lift.count import count_multiply_accumulates, count_parameters
from pose3d_cli.lift.plain import PlainDualStream
from pose3d_cli.lift.shelf import LIFTERS

DUAL = LIFTERS.get("dualstream")


class Alone(nn.Module):
    """A linear layer over joints' coordinates."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(3, 5)

    def forward(self, x):
        return self.layer(x)


class Tokens(nn.Module):
    """Attention over the joints of a frame."""

    def __init__(self) -> None:
        super().__init__()
        self.widen, self.attention = nn.Linear(3, 8), Attention(8, 2)

    def forward(self, x):
        return self.attention(self.widen(x[0]))


def test_a_linear_layer_costs_its_table_for_each_token():
    assert count_parameters(Alone()) == 20
    assert count_multiply_accumulates(Alone(), 4) == 4 * 17 * 15


@pytest.mark.parametrize("frames", [4, 27])
def test_attention_costs_its_linear_layers_and_both_products(frames):
    linear = 3 * 8 + 8 * 24 + 8 * 8
    products = 2 * 17 * 8
    assert count_multiply_accumulates(Tokens(), frames) == frames * 17 * (linear + products)


@pytest.mark.parametrize(
    ("preset", "billions"),
    [("xs", 1.07), ("s", 7.37), ("base", 56.6), ("l", 91.8), ("large", 209.0)],
)
def test_the_plain_form_costs_what_is_published_and_the_lean_one_less(preset, billions):
    settings = DUAL.presets[preset]
    with torch.device("meta"):
        network = DUAL.network(settings)
    plain = count_multiply_accumulates(PlainDualStream(network), settings.frames)
    lean = count_multiply_accumulates(network, settings.frames)
    assert plain / 1e9 == pytest.approx(billions, rel=0.005)
    # What is saved is the product of the frames' graph with their features, once a block.
    saved = settings.depth * 17 * settings.frames**2 * settings.dim
    assert plain - lean == saved


def test_counting_leaves_the_network_as_it_was():
    network = DUAL.network(replace(DUAL.presets["tiny"])).train()
    count_multiply_accumulates(network, 9)
    assert network.training
    assert next(network.parameters()).device.type == "cpu"


def test_the_bench_measures_lean_and_plain_in_turn():
    (cost,) = bench_lift(presets=["tiny"], budget_s=0.05)
    assert cost.parameters == count_parameters(DUAL.network(DUAL.presets["tiny"]))
    assert cost.frames == 9
    assert cost.rounds >= 3
    assert cost.latency_s > 0
    assert cost.frames_per_s == pytest.approx(9 / cost.latency_s)
    assert 0.05 < cost.ratio < 20
    assert cost.plain_latency_s > 0


def test_a_lifter_without_a_plain_form_is_measured_alone():
    (cost,) = bench_lift("residual_mlp", ["tiny"], budget_s=0.01)
    assert cost.ratio is None
    assert cost.plain_latency_s is None


def test_a_preset_that_does_not_exist_is_told():
    with pytest.raises(UnknownNameError, match="dualstream has no preset 'bas'; did you mean"):
        next(bench_lift(presets=["bas"]))

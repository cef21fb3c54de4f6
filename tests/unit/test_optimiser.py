"""Which parameter is stepped by what, and how far."""

from __future__ import annotations

import copy

import pytest
import torch

from pose3d_cli.learn.optimiser import Optimiser
from pose3d_cli.learn.settings import TrainSettings
from pose3d_cli.lift.shelf import LIFTERS

SETTINGS = TrainSettings(preset="tiny", steps=100, warmup=0, weight_decay=0.0)


@pytest.fixture
def network():
    torch.manual_seed(0)
    entry = LIFTERS.get("dualstream")
    return entry.network(entry.presets["tiny"])


def members(network, kind):
    names = {id(parameter): name for name, parameter in network.named_parameters()}
    return {
        names[id(parameter)]
        for part in Optimiser(network, SETTINGS).parts
        if isinstance(part, kind)
        for group in part.param_groups
        for parameter in group["params"]
    }


def test_every_parameter_is_stepped_once_by_what_suits_it(network):
    muon, adamw = members(network, torch.optim.Muon), members(network, torch.optim.AdamW)
    assert muon | adamw == {name for name, _ in network.named_parameters()}
    assert not muon & adamw
    assert {"represent.weight", "blocks.0.attention.over_joints.attention.qkv.weight"} <= muon
    narrow = {"embed.weight", "head.weight", "blocks.0.fuse.weight", "joint_code"}
    assert narrow <= adamw
    assert not any(name.endswith(("bias", "scale1", "scale2")) for name in muon)


def test_muon_learns_rare_directions_as_fast_as_common_ones(network):
    weight = network.blocks[0].attention.over_joints.mlp[0].weight  # (64, 16)
    left, _, right = torch.linalg.svd(torch.randn(weight.shape), full_matrices=False)
    before = weight.detach().clone()
    sizes = torch.logspace(0, -2, 16)  # the rarest direction has a hundredth of the gradient
    weight.grad = left @ torch.diag(sizes) @ right
    Optimiser(network, SETTINGS).step(0)
    moved = torch.linalg.svdvals(weight.detach() - before)
    assert moved.max() < 3 * moved.min()


def test_adamw_alone_can_be_asked_for(network):
    settings = TrainSettings(preset="tiny", steps=100, optimiser="adamw")
    kinds = [type(part) for part in Optimiser(network, settings).parts]
    assert kinds == [torch.optim.AdamW]


def test_a_state_goes_on_where_it_was(network):
    def run(optimiser, steps):
        for step in steps:
            for number, parameter in enumerate(network.parameters()):
                parameter.grad = torch.sin(torch.arange(parameter.numel()) * (step + number)).view(
                    parameter.shape
                )
            optimiser.step(step)
        return [parameter.detach().clone() for parameter in network.parameters()]

    start = copy.deepcopy(network.state_dict())
    first = Optimiser(network, SETTINGS)
    run(first, range(3))
    half, state = copy.deepcopy((network.state_dict(), first.state_dict()))
    whole = run(first, range(3, 5))
    network.load_state_dict(half)
    second = Optimiser(network, SETTINGS)
    second.load_state_dict(state)
    for a, b in zip(whole, run(second, range(3, 5)), strict=True):
        torch.testing.assert_close(a, b, rtol=0, atol=0)
    assert not torch.equal(start["embed.weight"], half["embed.weight"])

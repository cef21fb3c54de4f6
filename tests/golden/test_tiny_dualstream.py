from __future__ import annotations

import torch

from pose3d_cli.lift.shelf import LIFTERS


def test_a_tiny_network_answers_as_it_always_did(golden):
    """Values come from a formula, not from chance, whose numbers may change with versions."""
    entry = LIFTERS.get("dualstream")
    network = entry.network(entry.presets["tiny"]).eval()
    with torch.no_grad():
        for k, (name, tensor) in enumerate(sorted(network.state_dict().items())):
            if tensor.is_floating_point():
                wave = torch.sin(torch.arange(tensor.numel()) * 0.7 + k).view(tensor.shape)
                tensor.copy_(1 + 0.5 * wave if name.endswith("running_var") else 0.3 * wave)
        x = torch.sin(torch.arange(9 * 17 * 3) * 0.37).view(1, 9, 17, 3)
        pose = network(x)[0, ::4]
    assert pose.abs().max() > 0.1
    golden("tiny_dualstream", pose.numpy(), atol=1e-5)

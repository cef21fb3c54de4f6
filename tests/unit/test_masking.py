"""What the masks of pre-training hide."""

from __future__ import annotations

import pytest
import torch

from pose3d_cli.learn.masking import SAMPLERS, mixed, span


def random():
    return torch.Generator().manual_seed(3)


@pytest.mark.parametrize("ratio", [0.3, 0.6, 0.9])
def test_mixed_masks_the_share_it_is_told(ratio):
    mask = mixed(300, 27, 17, ratio, random())
    shares = mask.float().mean((1, 2))
    assert shares.mean().item() == pytest.approx(ratio, abs=0.01)
    assert (shares - ratio).abs().max() <= 0.5 / 27 + 0.5 / (27 * 17)


def test_mixed_draws_tubes_blocks_and_single_tokens_alike_often():
    mask = mixed(600, 27, 17, 0.6, random())
    whole_frames = (mask.all(-1) | ~mask.any(-1)).all(-1)
    changes = (mask[:, 1:] != mask[:, :-1]).sum((1, 2))
    single = changes > 100  # i.i.d. at 0.6: 0.48 of 442 pairs
    tubes = ~whole_frames & ~single
    for kind in (whole_frames, tubes, single):
        assert 0.25 < kind.float().mean() < 0.42
    longest_apart = (mask[tubes][:, 1:] != mask[tubes][:, :-1]).sum(1).amax()
    assert longest_apart <= 3  # a joint is masked in one stretch, or all but one


def test_a_block_hides_successive_frames():
    mask = mixed(600, 27, 17, 0.6, random())
    blocks = mask[(mask.all(-1) | ~mask.any(-1)).all(-1)][..., 0]
    changes = (blocks[:, 1:] != blocks[:, :-1]).sum(-1).float()
    assert changes.mean() < 6  # 12.5 if frames were drawn one by one


@pytest.mark.parametrize("ratio", [0.6, 0.7, 0.8])
def test_span_masks_six_of_seventeen_whatever_is_asked(ratio):
    mask = span(64, 243, 17, ratio, random())
    counts = mask.sum(-1)
    assert (counts == counts[:, :1]).all()
    assert counts.float().mean().item() == pytest.approx(6, abs=0.5)
    assert not mask[..., 16].any()


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_the_same_seed_draws_the_same_masks(sampler):
    draw = SAMPLERS[sampler]
    first = draw(8, 27, 17, 0.6, random())
    assert torch.equal(first, draw(8, 27, 17, 0.6, random()))
    assert not torch.equal(first[0], first[1])

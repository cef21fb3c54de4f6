from dataclasses import replace

import pytest
import torch

from pose3d_cli.files.mocap_pack import read_pack
from pose3d_cli.learn.hidden import hide_limbs, hide_some
from pose3d_cli.learn.objectives.supervised import Supervised
from pose3d_cli.learn.settings import TrainSettings
from pose3d_cli.learn.synthetic.generator import Batch
from pose3d_cli.learn.validate import fixed_batch
from pose3d_cli.lift.normalise import rays_to_input
from pose3d_cli.lift.rotation import turn_back
from pose3d_cli.pose.skeleton import H36M17
from tests.motion import tiny_pack
from tests.nets import tiny


def limb(hidden, part):
    return [hidden[:, H36M17.index(f"{side}_{part}")] for side in ("left", "right")]


def test_hidden_limbs_are_one_arm_and_one_leg_of_each_take():
    shape = (40, 3, 17)
    pose, rays, score = torch.ones(*shape, 3), torch.ones(*shape, 2), torch.ones(shape)
    batch = Batch(x=pose, target=pose, rays=rays, score=score, rotation=torch.ones(40, 3, 3, 3))
    seen, hidden = hide_limbs(batch, seed=0)
    assert (hidden.sum(1) == 4).all()
    for part in ("elbow", "wrist", "knee", "ankle"):
        left, right = (hidden[:, H36M17.index(f"{side}_{part}")] for side in ("left", "right"))
        assert (left ^ right).all()
        assert 5 < left.sum() < 35
    gone = hidden[:, None].expand(shape)
    assert torch.isnan(seen.rays[gone]).all()
    assert (seen.score[gone] == 0).all()
    assert (seen.rays[~gone] == 1).all()
    assert (seen.score[~gone] == 1).all()


def test_a_view_without_hidden_limbs_is_turned_about_what_is_left(tmp_path):
    batch = fixed_batch(read_pack(tiny_pack(tmp_path / "pack"), "val"), 9, 25.0, 6)
    seen, hidden = hide_limbs(batch, seed=0)
    x, rotation = rays_to_input(seen.rays, seen.score)
    torch.testing.assert_close(seen.x, x)
    assert seen.x[hidden[:, None].expand(6, 9, 17)].abs().max() < 1e-5
    for one in (batch, seen):
        torch.testing.assert_close(
            turn_back(one.rotation, one.target), turn_back(batch.rotation, batch.target)
        )
    torch.testing.assert_close(seen.rotation, rotation)


def test_training_hides_arms_and_legs_for_the_whole_of_some_windows():
    random = torch.Generator().manual_seed(0)
    rays, pose = (torch.randn(4000, 3, 17, n, generator=random) for n in (2, 3))
    batch = Batch.of(rays, torch.ones(4000, 3, 17), pose)
    some = hide_some(batch, 0.25, random)
    gone = some.score == 0
    assert torch.equal(gone, some.rays.isnan().any(-1))
    assert torch.equal(gone, gone[:, :1].expand_as(gone))
    hidden = gone[:, 0]
    never = [j for j in H36M17.joints if not j.endswith(("elbow", "wrist", "knee", "ankle"))]
    assert not hidden[:, [H36M17.index(j) for j in never]].any()
    chosen = hidden.any(1)
    assert 0.2 < chosen.float().mean() < 0.25  # a few of a quarter lose nothing
    for end, upper in (("wrist", "elbow"), ("ankle", "knee")):
        for far, near in zip(limb(hidden, end), limb(hidden, upper), strict=True):
            assert (near <= far).all()
            assert 0.2 < (far & ~near).sum() / far.sum() < 0.4
    left, right = limb(hidden, "ankle")
    assert (left & right).sum() > 0.3 * chosen.sum()
    torch.testing.assert_close(some.x, rays_to_input(some.rays, some.score)[0])
    torch.testing.assert_close(some.pose, batch.pose, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("step", [0, 9])  # of single frames, of windows
def test_hidden_limbs_are_asked_for_and_then_in_both_phases(tmp_path, step):
    clips = read_pack(tiny_pack(tmp_path / "pack"), "train")
    settings = TrainSettings(
        steps=10, single_frames=0.5, batch=64, single_batch=64, hidden_limbs=1.0
    )
    lost = [
        Supervised.from_clips(tiny("dualstream"), clips, 9, chosen).batches.get(step, 0).rays
        for chosen in (replace(settings, hidden_limbs=0.0), settings)
    ]
    without, hidden = (rays.isnan().any(-1).all(1).any(-1).float().mean() for rays in lost)
    assert hidden > 0.7 > 0.4 > without

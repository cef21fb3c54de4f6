"""Windows of keypoints without 3D."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from pose3d_cli.errors import InputError
from pose3d_cli.files.keypoints import write_keypoints
from pose3d_cli.files.mocap_pack import read_pack
from pose3d_cli.learn.keypoint_windows import KeypointWindows, MixedWindows
from pose3d_cli.learn.synthetic.generator import Generator, GeneratorConfig
from tests.motion import tiny_pack
from tests.nets import walker


def random():
    return torch.Generator().manual_seed(1)


def save(folder, person, name="a"):
    write_keypoints(folder / f"{name}.npz", [person], {})
    return folder


def test_windows_are_cut_from_the_files_at_the_networks_rate(tmp_path):
    person = walker(60)
    windows = KeypointWindows.from_folder(save(tmp_path, person), 9, person.fps / 2)
    assert [len(s) for s in windows.stretches] == [31]
    drawn = windows.draw(64, random())
    assert drawn.x.shape == (64, 9, 17, 3)
    assert torch.isfinite(drawn.x).all()
    assert torch.equal(drawn.score, drawn.x[..., 2])
    places = 31 - 9 + 1
    assert len(torch.unique(drawn.x[:, 0, 3, 0])) > places  # both sides of the mirror


def test_gaps_are_not_bridged_and_short_stretches_left_out(tmp_path):
    person = walker(60)
    late = np.arange(60) + 60 * (np.arange(60) >= 45)
    torn = replace(person, frames=late.astype(np.int64), time_s=late / person.fps)
    windows = KeypointWindows.from_folder(save(tmp_path, torn), 27, person.fps)
    assert [len(s) for s in windows.stretches] == [45]
    assert windows.left_out == 1


def test_a_point_is_no_person(tmp_path):
    person = walker(40)
    point = replace(person, xy=np.full_like(person.xy, 100.0))
    with pytest.raises(InputError, match="no person is seen for 9 frames on end"):
        KeypointWindows.from_folder(save(tmp_path, point), 9, person.fps)


def test_folders_that_hold_nothing_to_learn_from_are_told_apart(tmp_path):
    with pytest.raises(InputError, match="no such folder"):
        KeypointWindows.from_folder(tmp_path / "none", 9, 25.0)
    with pytest.raises(InputError, match=r"no keypoint files \(.npz\)"):
        KeypointWindows.from_folder(tmp_path, 9, 25.0)
    with pytest.raises(InputError, match="no person is seen for 81 frames on end"):
        KeypointWindows.from_folder(save(tmp_path, walker(40)), 81, 25.0)


@pytest.mark.parametrize(("share", "own"), [(0.0, 0), (0.25, 2), (1.0, 8)])
def test_a_share_of_the_windows_is_ones_own(tmp_path, share, own):
    clips = read_pack(tiny_pack(tmp_path / "mocap"), "train")
    person = walker(40)
    mine = KeypointWindows.from_folder(save(tmp_path, person), 9, person.fps)
    source = MixedWindows(Generator(clips, GeneratorConfig(frames=9)), mine, share)
    x = source.draw(8).x
    is_mine = (x[..., 2] - person.score.max()).abs().amax((1, 2)) < 1e-6
    assert x.shape == (8, 9, 17, 3)
    assert is_mine.sum() == own

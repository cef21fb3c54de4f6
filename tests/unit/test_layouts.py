"""Papers' ways to lay windows over a clip, against cases worked by hand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from pose3d_cli.lift.windowed import WindowedLifter
from pose3d_cli.lift.windows import centred_windows, cut, stitch, tile_windows
from pose3d_cli.pose.skeleton import H36M17
from tests.nets import CAMERA, about, walker

HEAD = H36M17.index("head")


def test_500_frames_make_two_windows_of_243_and_14_frames_are_left_out():
    windows = tile_windows(500, 243)
    assert windows.index[:, 0].tolist() == [0, 243]
    assert windows.index[:, -1].tolist() == [242, 485]
    assert windows.is_real.all()
    values = np.arange(500.0)[:, None]
    again = stitch(cut(values, windows), windows)
    np.testing.assert_array_equal(again[:486], values[:486])
    assert np.isnan(again[486:]).all()


@pytest.mark.parametrize(
    ("n_frames", "starts"), [(9, [0]), (17, [0]), (18, [0, 9]), (27, [0, 9, 18])]
)
def test_tiles_lie_side_by_side_and_a_full_last_one_is_kept(n_frames, starts):
    windows = tile_windows(n_frames, 9)
    assert windows.index[:, 0].tolist() == starts
    assert (np.diff(windows.index, axis=1) == 1).all()


@pytest.mark.parametrize(
    ("n_frames", "index", "counts"),
    [
        (5, [0, 0, 1, 1, 2, 2, 3, 3, 4], [1, 3, 5, 7, 8]),
        (8, [0, 0, 1, 2, 3, 4, 5, 6, 7], [1, 2, 3, 4, 5, 6, 7, 8]),
        (1, [0] * 9, [8]),
    ],
)
def test_a_clip_shorter_than_a_tile_is_stretched_and_the_last_repeat_counts(
    n_frames, index, counts
):
    windows = tile_windows(n_frames, 9)
    assert windows.index.tolist() == [index]
    assert windows.is_real[0].nonzero()[0].tolist() == counts
    answers = np.arange(9.0).reshape(1, 9, 1)
    assert stitch(answers, windows)[:, 0].tolist() == counts


@pytest.mark.parametrize("n_frames", [1, 26, 80, 120, 242])
def test_a_stretched_clip_keeps_every_frame_in_order(n_frames):
    windows = tile_windows(n_frames, 243)
    assert np.unique(windows.index).tolist() == list(range(n_frames))
    assert (np.diff(windows.index) >= 0).all()
    repeats = np.bincount(windows.index[0])
    assert repeats.max() - repeats.min() <= 1
    assert (windows.weight.sum(1) == n_frames).all()


def test_a_window_lies_round_each_frame_and_repeats_the_ends():
    windows = centred_windows(4, 5)
    assert windows.index.tolist() == [
        [0, 0, 0, 1, 2],
        [0, 0, 1, 2, 3],
        [0, 1, 2, 3, 3],
        [1, 2, 3, 3, 3],
    ]
    assert windows.is_real.sum(0).tolist() == [0, 0, 4, 0, 0]


def test_of_centred_windows_only_the_middle_answer_is_kept():
    windows = centred_windows(6, 9)
    answers = np.full((6, 9, 1), -1.0)
    answers[:, 4, 0] = np.arange(6)
    assert stitch(answers, windows)[:, 0].tolist() == list(range(6))


def test_centred_windows_of_one_frame_are_the_frames():
    assert centred_windows(3, 1).index.tolist() == [[0], [1], [2]]


class TellsItsPlace(nn.Module):
    """Answers that the head is as deep as its place in the window."""

    def forward(self, x):
        answer = torch.zeros_like(x)
        answer[..., HEAD, 2] = torch.arange(x.shape[1], dtype=x.dtype)
        return answer


def head_depths(layout, n_frames):
    told = about("dualstream", input="screen")
    lifter = WindowedLifter(TellsItsPlace(), told, torch.device("cpu"), mirror=False)
    return replace(lifter, layout=layout).lift(walker(n_frames), CAMERA).xyz[:, HEAD, 2]


def test_a_lifter_follows_the_layout_it_is_given():
    """At its own rate, hence without resampling, and with windows of 9 frames."""
    tiled = head_depths(tile_windows, 20)
    assert tiled[:18].tolist() == [*range(9), *range(9)]
    assert np.isnan(tiled[18:]).all()
    assert head_depths(tile_windows, 5).tolist() == [1, 3, 5, 7, 8]
    assert head_depths(centred_windows, 20).tolist() == [4] * 20

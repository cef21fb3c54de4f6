"""Small data sets of given clips, for tests of training."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from pose3d_cli.errors import SettingsError
from pose3d_cli.learn.clip import DATASETS, DatasetEntry
from pose3d_cli.learn.data_choice import DataChoice
from tests.takes import body, make_clip

UNIT_M = np.linspace(2.2, 3.1, 45)
"""Metres of a screen unit in each frame of `turning`."""


class Sets:
    """A data set of given clips by split; it lacks the splits that are not given."""

    def __init__(self, splits):
        self.splits = splits

    def clips(self, split):
        if split not in self.splits:
            raise SettingsError(f"--split {split}: this one has none")
        yield from self.splits[split]


def on_offer(monkeypatch, folder, **splits):
    """Put a data set of given clips on offer as `takes`; return how to choose it."""
    entry = DatasetEntry(
        open=lambda _path, _options: Sets(splits),
        check=lambda _path, _options: [],
        title="Some takes",
        source="us, for tests only",
        files=("none",),
        protocols=("own",),
    )
    monkeypatch.setitem(DATASETS._entries, "takes", entry)
    return DataChoice(path=folder, dataset="takes")


def turning(frames=45, **changes):
    """Somebody who turns about, never twice the same way, seen by one camera."""
    angle = np.linspace(-1, 1, frames)
    cos, sin, zero, one = np.cos(angle), np.sin(angle), 0 * angle, 0 * angle + 1
    about_y = np.array([[cos, zero, sin], [zero, one, zero], [-sin, zero, cos]])
    xyz = np.einsum("ijt,kj->tki", about_y, body(1)[0]).astype(np.float32)
    return make_clip(xyz, **changes)


def in_screen_units(clip, unit_m=UNIT_M):
    """The clip as Human3.6M's training split has it: truth in screen units, no rule for metres."""
    xyz = (clip.truth.xyz / unit_m[:, None, None]).astype(np.float32)
    truth = replace(clip.truth, xyz=xyz, is_metric=False)
    return replace(clip, truth=truth, metres_per_unit=None)

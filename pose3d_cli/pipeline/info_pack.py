"""What a folder of packed motion holds, in plain values: a part of `pose3d info`."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

from pose3d_cli.files.mocap_pack import read_pack


def describe_pack(path: Path) -> dict[str, Any]:
    """Return what a folder of packed motion holds.

    Raises:
        InputError: A damaged one.
    """
    clips = read_pack(path)
    minutes: Counter[str] = Counter()
    for clip in clips:
        minutes[clip.split] += len(clip) / clip.fps / 60  # type: ignore[assignment]
    splits = {
        split: {
            "clips": sum(clip.split == split for clip in clips),
            "minutes": round(length, 2),
            "subjects": sorted({clip.subject for clip in clips if clip.split == split}),
        }
        for split, length in sorted(minutes.items())
    }
    return {
        "kind": "packed motion for training",
        "clips": len(clips),
        "fps": sorted({clip.fps for clip in clips}),
        "licences": sorted({clip.licence for clip in clips}),
        "splits": splits,
    }

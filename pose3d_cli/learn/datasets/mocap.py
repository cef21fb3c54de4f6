"""Packed motion seen through the training generator, with fixed seeds: a yardstick of ours."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pose3d_cli.errors import InputError, SettingsError
from pose3d_cli.files.mocap_pack import read_pack
from pose3d_cli.learn.clip import (
    DATASETS,
    Clip,
    DatasetEntry,
    DatasetOptions,
    Split,
    chosen_keypoints,
    clip_of,
)
from pose3d_cli.learn.takes import SEEN, TAKE_HZ, as_keypoints, seen_as, take_camera

TAKE_S = 4.0


@dataclass(frozen=True, kw_only=True)
class MocapTakes:
    """Takes of held-out subjects.

    Attributes:
        folder: Packed motion.
        seen: What lifters get to see, of `SEEN`.
        takes: How many takes are drawn.
        seed: Of the generator; the same seed gives the same takes.
    """

    folder: Path
    seen: str
    takes: int
    seed: int

    def clips(self, split: Split) -> Iterator[Clip]:
        """Yield the takes of a split.

        Raises:
            InputError: No clips in the split.
            SettingsError: The training split, whose subjects would flatter.
        """
        if split == "train":
            raise SettingsError("--split train: these are the subjects that lifters learn from")
        frames = round(TAKE_S * TAKE_HZ)
        batch, _ = seen_as(
            self.seen, read_pack(self.folder, split), frames, TAKE_HZ, self.takes, self.seed
        )
        camera = take_camera()
        for take in range(self.takes):
            seen = as_keypoints(batch.rays[take], batch.score[take], camera, TAKE_HZ)
            yield clip_of(
                name=f"take {take:03d}",
                subject="",
                action="",
                xy=seen.xy,
                score=seen.score,
                xyz=batch.pose[take].numpy().astype(np.float32),
                frame="root",
                fps=TAKE_HZ,
                image_size=camera.image_size,
                camera=camera,
            )


def open_mocap(path: Path, options: DatasetOptions) -> MocapTakes:
    """Return the takes of a folder of packed motion.

    Raises:
        InputError: No packed motion there.
        UnknownNameError: `options.keypoints` is none of `SEEN`.
    """
    seen = chosen_keypoints(options, SEEN)
    if not path.is_dir():
        raise InputError(f"{path}: no folder of packed motion; `pose3d data import` writes one")
    return MocapTakes(folder=path, seen=seen, takes=options.takes, seed=options.seed)


def check(path: Path, options: DatasetOptions) -> list[str]:
    """Return what is wrong with a folder of packed motion, a line each."""
    findings = []
    for split in ("train", "val", "test"):
        try:
            read_pack(path, split)
        except InputError as error:
            findings.append(str(error))
    del options
    return findings


DATASETS.add(
    "mocap",
    DatasetEntry(
        open=open_mocap,
        check=check,
        title="packed motion through the training generator",
        source="`pose3d data import` makes it of BVH or ASF/AMC files, such as those of "
        "mocap.cs.cmu.edu (free for all uses)",
        files=("index.json", "train_00.xz, val_00.xz, test_00.xz: motion of each split"),
        protocols=("mocap",),
        keypoints=SEEN,
    ),
)

"""A board as a page to look at."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from pose3d_cli import __version__
from pose3d_cli.learn.benchmark.board import Board, in_words
from pose3d_cli.learn.benchmark.evaluation import Evaluation
from pose3d_cli.learn.benchmark.protocol import PROTOCOLS
from pose3d_cli.learn.benchmark.score import MEASURES, ClipScore, Measure
from pose3d_cli.render.evaluation_content import Column, Example, Page
from pose3d_cli.render.evaluation_page import write_page, write_picture


def write_report(folder: Path, board: Board, command: str) -> list[Path]:
    """Write `report.html` and the same figures as `report.png` into a folder that is there.

    Args:
        folder: Where to.
        board: What was found.
        command: What gives it again.

    Raises:
        OutputError: A file that cannot be written.
    """
    page = page_of(board, command)
    paths = [folder / "report.html", folder / "report.png"]
    write_page(paths[0], page)
    write_picture(paths[1], page)
    return paths


def page_of(board: Board, command: str) -> Page:
    """Return what the report of a board shows."""
    first = board.evaluations[0]
    return Page(
        title=f"{first.dataset}, {first.split}: {', '.join(e.label for e in board.evaluations)}",
        words=board.words(),
        pitfalls=board.beware(),
        notes=board.notes(),
        columns=[_column(evaluation) for evaluation in board.evaluations],
        comparisons=board.pair_rows(),
        facts=_facts(board, command),
        better={
            _row(about): "higher" if about.is_better_high else "lower"
            for about in MEASURES.values()
        },
    )


def _row(about: Measure) -> str:
    return f"{about.label}, {about.unit}"


def _column(evaluation: Evaluation) -> Column:
    groups = evaluation.groups()
    return Column(
        label=evaluation.label,
        figures={
            _row(MEASURES[name]): in_words(figure) for name, figure in evaluation.figures().items()
        },
        joint_mm=evaluation.joints_mm(),
        group_mm={name: float(row["mpjpe"]) for name, row in groups.items() if "mpjpe" in row},
        frame_mm=1000 * np.concatenate([clip.frame_mpjpe for clip in evaluation.clips]),
        examples=list(_examples(evaluation)),
    )


def _examples(evaluation: Evaluation) -> Iterator[Example]:
    """Yield the best, the median and the worst clip, each by its frame of median error."""
    clips = [clip for clip in evaluation.clips if clip.count.get("mpjpe")]
    clips.sort(key=lambda clip: clip.mean("mpjpe"))
    places = {"best": 0, "median": (len(clips) - 1) // 2, "worst": len(clips) - 1}
    shown: set[int] = set()
    for word, place in places.items():
        if clips and place not in shown:
            shown.add(place)
            yield _example(word, clips[place])


def _example(word: str, clip: ClipScore) -> Example:
    return Example(
        title=f"{word} clip: {clip.name}",
        error_mm=1000 * clip.mean("mpjpe"),
        pose=clip.pose,
        truth=clip.truth,
    )


def _facts(board: Board, command: str) -> dict[str, str]:
    first = board.evaluations[0]
    protocol = PROTOCOLS[first.protocol]
    return {
        "Data set": f"{first.dataset}, split {first.split}",
        "2D": first.keypoints or "as the files have it",
        "Protocol": f"{protocol.name}: {protocol.about}",
        "Intervals": "95 % of the means of takes drawn anew, 1000 times; they do not show that "
        "other subjects would err otherwise",
        **{
            f"Weights {e.label}": f"{e.weights.get('path', '')}, sha256 "
            f"{e.weights.get('sha256', '')[:16]}, {e.weights.get('lifter', '')}, "
            f"{e.weights.get('parameters', 0):,} parameters; {e.clips_per_s:.1f} clips lifted a "
            "second"
            for e in board.evaluations
        },
        "Command": command,
        "Made by": f"pose3d {__version__}",
    }

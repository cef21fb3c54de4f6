"""Where the results of each clip go: below -o as the clips lie below their folder."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

from pose3d_cli.errors import InputError
from pose3d_cli.pipeline.clips import Clip

Place = Callable[[Clip, str], Path]
"""Gives the place of a clip's results from the clip and what it is called."""


def results_folder(output: str) -> Place:
    """Return what gives a clip its folder: below `output`, or beside the clip."""

    def place(clip: Clip, called: str) -> Path:
        base = Path(output) / clip.below if output else clip.path.parent
        return base / f"{called}_pose3d"

    return place


def one_place_each(clips: Sequence[Clip], place: Place) -> dict[Clip, Path]:
    """Return where each clip's results go.

    A clip is called by its stem; those whose stem another clip shares there by their whole name,
    so that `walk.mp4` and `walk.mov` can lie side by side.

    Raises:
        InputError: Two clips whose results would replace each other.
    """
    plain = {clip: place(clip, clip.path.stem) for clip in clips}
    shared = Counter(_key(path) for path in plain.values())
    places = {
        clip: path if shared[_key(path)] == 1 else place(clip, clip.path.name)
        for clip, path in plain.items()
    }
    owner: dict[str, Clip] = {}
    for clip, target in places.items():
        other = owner.setdefault(_key(target), clip)
        if other is not clip:
            raise InputError(
                f"{other.path} and {clip.path} would both write to {target}; "
                "rename one, or give them different -o"
            )
    return places


def told_by_whole_name(places: dict[Clip, Path]) -> str:
    """Say which results are called by the whole name of their clip; nothing if none is."""
    whole = [path for clip, path in places.items() if path.name.startswith(f"{clip.path.name}_")]
    if not whole:
        return ""
    more = f" and {len(whole) - 3} more" if len(whole) > 3 else ""
    told = ", ".join(map(str, whole[:3])) + more
    return f"clips that share a name but for its ending keep the ending: {told}"


def _key(path: Path) -> str:
    """Return what is equal for names that are one on some systems."""
    return str(path.absolute()).casefold()

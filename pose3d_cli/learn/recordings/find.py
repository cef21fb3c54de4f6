"""Which files of a folder belong together, by their names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

KEYPOINTS = "_keypoints.npz"
"""How the name of a file of keypoints ends, as `pose3d lift` and `pose3d data detect` write it."""

TRUTHS = (".npz", "_truth.npz", ".trc", ".c3d", ".csv")
"""What may follow the name of a take in that of its truth."""

_SHARED = "truth"
_CALIBRATION = "camera"
_VIDEOS = (".mp4", ".mov", ".m4v", ".avi", ".mkv", ".webm")


@dataclass(frozen=True, kw_only=True)
class TakeFiles:
    """The files of a take: a recording by one camera.

    Attributes:
        name: Tells it from all others of the folder.
        motion: What it is one view of; "" if it has a truth of its own.
        cameras: Names that its camera may go by, likeliest first.
        keypoints: The 2D; None where there is but the video to look at.
        truth: The 3D.
        settings: TOML files on it; later ones overrule earlier ones.
        video: The video, if it is there.
    """

    name: str
    motion: str
    cameras: tuple[str, ...]
    keypoints: Path | None
    truth: Path
    settings: tuple[Path, ...]
    video: Path | None

    @property
    def seen_in(self) -> Path:
        """The file that shows the person: keypoints, or else the video."""
        path = self.keypoints or self.video
        if path is None:
            raise ValueError(f"{self.name}: a take has keypoints or a video")
        return path


def find_takes(folder: Path) -> tuple[list[TakeFiles], list[str]]:
    """Return the takes of a folder in the order of their names, and what is wrong, a line each.

    See `pose3d_cli.learn.datasets.folder` for the names.
    """
    files = {p.name: p for p in sorted(folder.iterdir()) if p.is_file() and p.name[0] != "."}
    keypoints, videos = _keypoints(files), _videos(files)
    names = frozenset({*keypoints, *(name for name in videos if _truths(files, name))})
    takes: list[TakeFiles] = []
    findings: list[str] = []
    for name in sorted({*keypoints, *videos}):
        seen = keypoints.get(name, [])
        if len(seen) > 1:
            findings.append(f"{seen[0]}: and {seen[1].name}, too, for one take; keep one of them")
        elif not seen and name not in names and _is_made_of(name, takes):
            continue
        elif isinstance(found := _take(files, name, seen[0] if seen else None, names), TakeFiles):
            takes.append(found)
        elif found:
            findings.append(found)
    findings += _unclaimed(files, {take.truth for take in takes}, names)
    return takes, findings


def find_filmed(folder: Path) -> list[TakeFiles]:
    """Return the takes of a folder that have a video and a truth, detected already or not."""
    files = {p.name: p for p in sorted(folder.iterdir()) if p.is_file() and p.name[0] != "."}
    videos = _videos(files)
    names = frozenset(videos)
    found = (_take(files, name, folder / f"{name}{KEYPOINTS}", names) for name in sorted(videos))
    return [take for take in found if not isinstance(take, str)]


def _keypoints(files: Mapping[str, Path]) -> dict[str, list[Path]]:
    """Return the keypoint files of each take, one if all is well."""
    found: dict[str, list[Path]] = {}
    for name, path in files.items():
        for ending in (KEYPOINTS, ".json"):
            if name.endswith(ending):
                found.setdefault(name.removesuffix(ending), []).append(path)
    return dict(sorted(found.items()))


def _is_made_of(name: str, takes: Sequence[TakeFiles]) -> bool:
    """Return whether a video is of a take's files, such as one drawn of it, and no take itself."""
    return any(name.startswith(f"{take.name}_") for take in takes)


def _truths(files: Mapping[str, Path], motion: str) -> list[Path]:
    """Return the truths of a motion, one if all is well."""
    return [files[motion + ending] for ending in TRUTHS if motion + ending in files]


def _take(
    files: Mapping[str, Path], name: str, keypoints: Path | None, names: frozenset[str]
) -> TakeFiles | str:
    """Return a take, or what is wrong with it; "" if it is a video that belongs to no truth."""
    parts = _parted(name, names)
    motions = [name, *(motion for motion, _ in parts), _SHARED]
    motion = next((motion for motion in motions if _truths(files, motion)), "")
    truths = _truths(files, motion) if motion else []
    if len(truths) > 1:
        also = ", ".join(path.name for path in truths[1:])
        return f"{truths[0]}: and {also}, too, for one take; keep one of them"
    if not truths:
        expected = ", ".join(name + ending for ending in TRUTHS)
        return f"{keypoints}: no truth for it; expected one of {expected}" if keypoints else ""
    cameras = tuple(dict.fromkeys((*(camera for _, camera in parts), name)))
    layers = (_CALIBRATION, *(motion for motion, _ in parts), *cameras)
    return TakeFiles(
        name=name,
        motion="" if motion == name else motion,
        cameras=cameras,
        keypoints=keypoints,
        truth=truths[0],
        settings=tuple(files[f"{stem}.toml"] for stem in layers if f"{stem}.toml" in files),
        video=_videos(files).get(name),
    )


def _videos(files: Mapping[str, Path]) -> dict[str, Path]:
    return {path.stem: path for path in files.values() if path.suffix.lower() in _VIDEOS}


def _parted(name: str, names: frozenset[str]) -> list[tuple[str, str]]:
    """Return a name as motion and camera, in each way it can be read, longest motion first.

    What is a take itself is no motion: of `walk` and `walk_2` the second is no view of the first.
    """
    places = [place for place, letter in enumerate(name) if letter == "_"]
    parts = [(name[:place], name[place + 1 :]) for place in reversed(places)]
    return [(motion, camera) for motion, camera in parts if motion not in names and camera]


def _unclaimed(
    files: Mapping[str, Path], claimed: set[Path], names: frozenset[str]
) -> Sequence[str]:
    """Return a line for each truth that belongs to no keypoints and no video."""
    lines = []
    for name, path in files.items():
        ending = next((e for e in reversed(TRUTHS) if name.endswith(e)), "")
        is_other = not ending or name.endswith(KEYPOINTS) or path in claimed
        stem = name.removesuffix(ending)
        shown = {*names, *_videos(files)}
        is_shown = any(take == stem or take.startswith(f"{stem}_") for take in shown)
        if not (is_other or is_shown or (stem == _SHARED and shown)):
            lines.append(
                f"{path}: nobody to see; expected {stem}{KEYPOINTS}, {stem}.json or {stem}.mp4"
            )
    return lines

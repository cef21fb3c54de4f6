"""What kind of file a data file of the field is, told by its first bytes and the words in it."""

from __future__ import annotations

import io
import pickletools
import re
import struct
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO, TypeAlias, cast

_File: TypeAlias = IO[bytes] | io.BufferedIOBase  # what zipfile opens is the latter alone

_MAGIC = {
    b"\x93NUMPY": "a single numpy array (.npy)",
    b"\x89HDF": "an HDF5 file",
    b"MATLAB": "a MATLAB file",
    b"\x1f\x8b": "a gzip file; unpack it",
    b"\x00\x00\x00": "a video",
}

VIDEOPOSE3D_3D = "VideoPose3D's 3D npz (positions_3d)"
VIDEOPOSE3D_2D = "VideoPose3D's 2D npz (positions_2d)"
HUMANEVA_3D = "VideoPose3D's 3D npz of HumanEva (positions_3d)"
HUMANEVA_2D = "VideoPose3D's 2D npz of HumanEva (positions_2d)"
MOTIONBERT_SH = "MotionBERT's SH pickle (joint_2d, joint3d_image)"

# Words that a file of the kind has, each of which must occur; the first row that fits is told.
_ARCHIVES: tuple[tuple[str, tuple[str, ...]], ...] = (
    (HUMANEVA_3D, (r"positions_3d", r"Train/S\d|Validate/.*")),
    (HUMANEVA_2D, (r"positions_2d", r"Train/S\d|Validate/.*")),
    (VIDEOPOSE3D_3D, (r"positions_3d",)),
    (VIDEOPOSE3D_2D, (r"positions_2d",)),
    ("P-STMO's 3DHP train npz (data of S1 Seq1 ...)", (r"data", r"S\d Seq\d")),
    ("P-STMO's 3DHP test npz (data of TS1 ...)", (r"data", r"TS\d")),
    ("PoseAug's test npz (pose3d, pose2d)", (r"pose3d", r"pose2d")),
    ("an npz of the SPIN kind (imgname, part, S)", (r"imgname", r"part", r"S")),
    ("a file that pose3d wrote", (r"meta", r"joint_names|xyz_camera|frame_mpjpe")),
)
_PICKLES: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("MotionBERT's mesh pickle (smpl_pose)", (r"smpl_pose", r"joint_2d")),
    (MOTIONBERT_SH, (r"train|test", r"joint3d_image")),
    ("a pickle of MotionBERT's kind without joint3d_image", (r"train|test", r"joint_2d")),
    ("one window that MotionBERT's slicing wrote (data_input, data_label)", (r"data_input",)),
    ("a 3DPW sequence (jointPositions)", (r"jointPositions",)),
)

_MOST_OPCODES = 50_000
_LONGEST_WORD = 40
_MOST_WORDS = 5000
_BROKEN = (ValueError, EOFError, OverflowError, MemoryError, struct.error, IndexError, KeyError)


def kind_of(path: Path) -> str:
    """Say in words what a file is, without running what a pickle asks for."""
    if path.is_dir():
        return "a folder"
    try:
        with path.open("rb") as file:
            head = file.read(8)
            file.seek(0)
            return _kind(path, head, file)
    except FileNotFoundError:
        return "no file"
    except (OSError, EOFError, RuntimeError, zipfile.BadZipFile, zlib.error):
        return "a file that cannot be read"


def _kind(path: Path, head: bytes, file: _File) -> str:
    if not head:
        return "an empty file"
    if head.startswith(b"PK"):
        return _archive(path)
    if path.suffix.lower() == ".json" or head.lstrip()[:1] in (b"{", b"["):
        return "a JSON file"
    for magic, words in _MAGIC.items():
        if head.startswith(magic):
            return words
    return _pickle(words_of_pickle(file))


def _pickle(words: dict[str, None] | None) -> str:
    if words is None:
        return "a file of unknown kind"
    return _told(_PICKLES, words) or f"a pickle with {_listed(words)}"


def _archive(path: Path) -> str:
    with zipfile.ZipFile(path) as archive:
        names = archive.namelist()
        arrays = [name.removesuffix(".npy") for name in names if name.endswith(".npy")]
        if not arrays:
            return _other_archive(archive, names)
        found = dict.fromkeys(arrays)
        for name in arrays:
            with archive.open(f"{name}.npy") as member:
                found |= dict.fromkeys(_words_of_array(member))
    return _told(_ARCHIVES, found) or f"an npz with {_listed(dict.fromkeys(arrays))}"


def _other_archive(archive: zipfile.ZipFile, names: list[str]) -> str:
    if any(name.endswith("data.pkl") for name in names):
        return "a PyTorch checkpoint"
    pickles = [name for name in names if name.endswith(".pkl")]
    if len(pickles) == 1:
        with archive.open(pickles[0]) as member:
            return f"{_pickle(words_of_pickle(member))}, zipped"
    return f"a zip archive of {_listed(dict.fromkeys(names))}" if names else "an empty zip archive"


def _words_of_array(member: _File) -> dict[str, None]:
    """Return the words in an array of Python objects; nothing of any other array."""
    start = member.read(4096)
    header, found, rest = start.partition(b"\n")
    if not found or b"'|O'" not in header:
        return {}
    return words_of_pickle(io.BytesIO(rest + member.read(2**22))) or {}


def words_of_pickle(file: _File) -> dict[str, None] | None:
    """Return the short words in a pickle, in their order; None of what is no pickle.

    A pickle that is cut off, or too long to look at whole, gives those that come first.
    """
    words: dict[str, None] = {}
    started = False
    try:
        for word in _words(file):
            started = True
            words.setdefault(word)
            if len(words) >= _MOST_WORDS:
                break
    except _BROKEN:
        return words if started else None
    return words


def _words(file: _File) -> Iterator[str]:
    for number, (_, argument, _) in enumerate(pickletools.genops(cast(IO[bytes], file))):
        if isinstance(argument, str) and len(argument) <= _LONGEST_WORD and argument.isprintable():
            yield argument
        if number >= _MOST_OPCODES:
            return


def _told(kinds: tuple[tuple[str, tuple[str, ...]], ...], words: dict[str, None]) -> str:
    for kind, needed in kinds:
        if all(any(re.fullmatch(pattern, word) for word in words) for pattern in needed):
            return kind
    return ""


def _listed(words: dict[str, None]) -> str:
    names = list(words)
    return ", ".join(names[:5]) + (", ..." if len(names) > 5 else "") if names else "no words in it"

"""File names as the video libraries need them."""

from __future__ import annotations

import unicodedata
from pathlib import Path

# Control characters, parts of invalid text, and what ends a line or paragraph.
_UNSEEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})


def plain_name(path: Path) -> str:
    """Return the full name of a file, which OpenCV and PyAV take for nothing else.

    Of a relative name with a colon, `clip12:30.mp4`, they would take `clip12` for a protocol, as
    in `https:`. A name that is not valid UTF-8 makes OpenCV crash.

    Raises:
        UnicodeEncodeError: The name, or that of a folder above, is not valid UTF-8.
    """
    name = str(path.absolute())
    name.encode("utf-8")
    return name


def readable_name(path: Path) -> str:
    r"""Return a name for messages, with `\udcff` in place of what is not valid UTF-8."""
    return str(path).encode("utf-8", "backslashreplace").decode("utf-8")


def one_line(text: str) -> str:
    r"""Return text with `\n` and the like in place of what would break a line or hide in it."""
    return "".join(
        letter.encode("unicode_escape").decode()
        if unicodedata.category(letter) in _UNSEEN
        else letter
        for letter in text
    )

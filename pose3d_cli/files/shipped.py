"""Where the weights that come with the program lie, installed or in a source checkout."""

from __future__ import annotations

from pathlib import Path

from pose3d_cli.errors import WeightsError

_PACKAGE = Path(__file__).resolve().parent.parent
# The built wheel carries the repository's `weights/` inside the package under another name.
_PLACES = (_PACKAGE / "_weights", _PACKAGE.parent / "weights")


def shipped_all(suffix: str) -> dict[str, Path]:
    """Return the weights files with this suffix that come with the program, by name, in order.

    Of two files of one name the package's own goes before the checkout's.
    """
    found = {
        path.stem: path
        for place in reversed(_PLACES)
        if place.is_dir()
        for path in place.iterdir()
        if path.suffix == suffix
    }
    return dict(sorted(found.items()))


def shipped(name: str) -> Path:
    """Return the path of a weights file that comes with the program.

    Args:
        name: File name, for example `pose_detection.tflite`.

    Raises:
        WeightsError: The file is neither in the package nor in a checkout's `weights/`.
    """
    for place in _PLACES:
        if (place / name).is_file():
            return place / name
    looked = " nor ".join(str(place) for place in _PLACES)
    raise WeightsError(
        f"{name}: not found in {looked}, so this installation is incomplete. "
        "Reinstall pose3d, or run it from a complete checkout."
    )

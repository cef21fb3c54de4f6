"""MMPose as it installs without a compiler: looked for, told how to get, and imported.

Its modules import at their head what the top-down models never use, two of the packages compiled,
one not even declared. Where one of these is absent or cannot be imported, a stand-in takes its
place while MMPose is imported and is taken away after: what was imported keeps its own reference,
and no other code ever meets a stand-in.
"""

from __future__ import annotations

import importlib
import sys
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib.util import find_spec
from types import ModuleType
from typing import Any

from pose3d_cli.errors import MissingExtraError

INSTALL = ("pip install 'pose3d[mmpose]'", "pip install --no-deps mmpose==1.3.2")
"""What a user types. One line cannot say it: pip knows no way to leave out one dependency."""

# All that MMPose finds by name in a config lies in these.
_PARTS = ("apis", "codecs", "datasets", "engine", "evaluation", "models", "visualization")

# By the module that MMPose wants: those that stand in for it and its package, with the names taken
# from each.
_STAND_INS: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "mmcv.ops": {"mmcv.ops": ("MultiScaleDeformableAttention",)},
    "xtcocotools.mask": {
        "xtcocotools": (),
        "xtcocotools.coco": ("COCO",),
        "xtcocotools.cocoeval": ("COCOeval",),
        "xtcocotools.mask": (),
    },
    "mmdet.utils": {"mmdet": (), "mmdet.utils": ("ConfigType", "reduce_mean")},
    "torchvision.transforms": {"torchvision": (), "torchvision.transforms": ("ToPILImage",)},
}


def import_mmpose() -> ModuleType:
    """Return `mmpose.apis`, with all that a config can name imported.

    Raises:
        MissingExtraError: MMPose or one of its companions is absent or of a version that does not
            fit; the message holds the two lines that install them.
    """
    if find_spec("mmpose") is None:
        raise _missing("is not installed")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of what the stand-ins stand in for
            with _stand_ins():
                apis, *_ = [importlib.import_module(f"mmpose.{part}") for part in _PARTS]
    except (ImportError, AssertionError) as error:  # versions that do not fit are asserted
        raise _missing(f"cannot be imported ({' '.join(str(error).split())})") from error
    return apis


def _missing(why: str) -> MissingExtraError:
    return MissingExtraError("\n  ".join([f"MMPose {why}; install it by these lines:", *INSTALL]))


@contextmanager
def _stand_ins() -> Iterator[None]:
    """Have modules that cannot be imported stand for themselves; afterwards all is as before."""
    made: dict[str, ModuleType] = {}
    for wanted, modules in _STAND_INS.items():
        if not _is_usable(wanted):
            made |= {name: _stand_in(name, classes) for name, classes in modules.items()}
    before = {name: sys.modules[name] for name in made if name in sys.modules}
    sys.modules.update(made)
    try:
        yield
    finally:
        for name in made:
            del sys.modules[name]
        sys.modules.update(before)


def _is_usable(name: str) -> bool:
    """Return whether a module can be imported, by importing it: being there is not enough."""
    try:
        importlib.import_module(name)
    except Exception:  # compiled against another NumPy or PyTorch, they raise what they like
        return False
    return True


def _stand_in(name: str, classes: tuple[str, ...]) -> ModuleType:
    module = ModuleType(name)
    module.__path__ = []  # a package, whose modules may be imported
    for one in classes:
        setattr(module, one, _refusing(f"{name}.{one}"))
    return module


def _refusing(what: str) -> type:
    """Return a class that says, when somebody wants one of it, what is missing."""

    class Refusing:
        def __init__(self, *_: Any, **__: Any) -> None:
            raise RuntimeError(f"{what} is needed, and its package was not there")

    return Refusing

"""The networks that can be downloaded: what each is, where it is, how it is known again."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import PurePosixPath
from types import MappingProxyType
from typing import Any, Literal

from pose3d_cli.config import nearest
from pose3d_cli.errors import UnknownNameError, WeightsError
from pose3d_cli.files.shipped import shipped

CATALOGUE = "catalogue.toml"


@dataclass(frozen=True, kw_only=True)
class Model:
    """A network that can be downloaded: one file.

    Attributes:
        name: What the command line takes.
        kind: Whether it finds keypoints or boxes of people.
        network: `rtmpose`, `yolox` or `rtmdet`: how it is asked and what it answers.
        file: Name of the file in the cache folder, unique: NAME.onnx or NAME.pth.
        urls: Where it is, in the order to try them.
        member: Of a zip: the path, or the end of it, of what is taken out; empty where the URL is
            the file itself.
        n_bytes: Length of what is downloaded; 0 where unknown.
        sha256: Digest of what is downloaded, hexadecimal; empty where unknown.
        sha256_prefix: Its first digits, where only those are known.
        licence: Under which the weights are given.
        keypoints: Skeleton: `coco17`, `halpe26`, `wholebody133`; empty for boxes.
        input_size: Width and height of its input, pixels.
        ap: Published average precision in per cent.
        ap_of: On which data set, and who says so.
        member_sha256: Digest of the member; empty where unknown.
        speed: Measured speed in words; empty where not measured.
    """

    name: str
    kind: Literal["keypoints", "boxes"]
    network: str
    file: str
    urls: tuple[str, ...]
    member: str
    n_bytes: int
    sha256: str
    sha256_prefix: str
    licence: str
    keypoints: str
    input_size: tuple[int, int]
    ap: float | None
    ap_of: str
    member_sha256: str = ""
    speed: str = ""

    @property
    def file_sha256(self) -> str:
        """Digest of the file in the cache; empty where unknown."""
        return self.member_sha256 if self.member else self.sha256

    @property
    def is_known(self) -> bool:
        """Whether a wrong file is found out without ever having seen a right one."""
        return bool(self.sha256 or self.sha256_prefix or self.member_sha256)


@cache
def catalogue() -> Mapping[str, Model]:
    """Return the networks that can be downloaded, by name, in the order of the file.

    Raises:
        WeightsError: The catalogue that comes with the program is missing or damaged.
    """
    path = shipped(CATALOGUE)
    try:
        text = path.read_text(encoding="utf-8")
        return MappingProxyType(read_catalogue(text))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise WeightsError(f"{path}: is damaged ({error!r}); reinstall pose3d") from error


def read_catalogue(text: str) -> dict[str, Model]:
    """Return the models of a catalogue in TOML.

    Raises:
        ValueError: Not TOML.
        KeyError: A model without `path`, or at a place that is not in `places`.
        TypeError: A key that models do not have, or one they lack.
    """
    content = tomllib.loads(text)
    places: dict[str, list[str]] = content["places"]
    return {name: _model(name, places, dict(row)) for name, row in content["models"].items()}


def find_model(name: str) -> Model:
    """Return the model of this name.

    Raises:
        UnknownNameError: There is none; the message says the nearest name.
    """
    models = catalogue()
    if name not in models:
        near = nearest(name, list(models))
        hint = near if "did you mean" in near else "; see `pose3d weights list --all`"
        raise UnknownNameError(f"no model {name!r}{hint}")
    return models[name]


def _model(name: str, places: Mapping[str, list[str]], row: dict[str, Any]) -> Model:
    path, place = row.pop("path"), row.pop("place")
    width, height = row.pop("input_size")
    blank = {"member": "", "n_bytes": 0, "sha256": "", "sha256_prefix": "", "keypoints": ""}
    blank |= {"ap": None, "ap_of": ""}
    suffix = ".onnx" if row.get("member") else PurePosixPath(path).suffix
    given: dict[str, Any] = {**blank, **row}
    return Model(
        name=name,
        file=name + suffix,
        urls=tuple(base + path for base in places[place]),
        input_size=(width, height),
        **given,
    )

"""Files of detector noise: those that come with the program, and the user's own."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import asdict, is_dataclass
from functools import cache
from pathlib import Path
from typing import Any, get_origin, get_type_hints

from pose3d_cli.config import build, nearest, read_toml
from pose3d_cli.errors import SettingsError
from pose3d_cli.files.atomic import replacing
from pose3d_cli.learn.synthetic.detector_noise import DetectorNoise

_SHIPPED = Path(__file__).with_name("noise")

MEASURED = "measured"
"""Name of the noise that the generator adds unless told otherwise."""


def shipped_noises() -> list[str]:
    """Return the names of the noises that come with the program."""
    return sorted(path.stem for path in _SHIPPED.glob("*.toml"))


def find_noise(name: str) -> DetectorNoise:
    """Return a noise that comes with the program, or one of the user's own.

    Args:
        name: One of `shipped_noises`, or a path that ends in `.toml`.

    Raises:
        InputError: A file that is missing or no TOML.
        SettingsError: An unknown name, a value that is missing or makes no sense.
        UnknownNameError: A key that there is not.
    """
    if name.endswith(".toml"):
        return read_noise(Path(name))
    known = shipped_noises()
    if name not in known:
        raise SettingsError(
            f"--detector-noise: there is no {name!r}{nearest(name, known)}; "
            "files of your own end in .toml"
        )
    return _shipped(name)


@cache
def _shipped(name: str) -> DetectorNoise:
    return read_noise(_SHIPPED / f"{name}.toml")


def measured_noise() -> DetectorNoise:
    """Return the noise that the generator adds unless told otherwise."""
    return _shipped(MEASURED)


def read_noise(path: Path) -> DetectorNoise:
    """Read a noise; the file's name is its name.

    Raises:
        InputError: A file that is missing or no TOML.
        SettingsError: A value that is missing or makes no sense.
        UnknownNameError: A key that there is not.
    """
    values = read_toml(path)
    if "name" in values:
        raise SettingsError(f"{path}: leave out name; the file's name is the noise's")
    values["name"] = path.stem
    _check_tables(DetectorNoise, values, str(path))
    lacking = _lacking(DetectorNoise, values)
    if lacking:
        told = ", ".join(lacking)
        raise SettingsError(f"{path}: lacks {told}; `{MEASURED}` shows what a noise is made of")
    return build(DetectorNoise, values, where=str(path))


def _check_tables(cls: Any, values: Mapping[str, Any], where: str) -> None:
    """Refuse numbers and words where a table should be."""
    for key, hint in get_type_hints(cls).items():
        is_section = is_dataclass(hint)
        if key not in values or not (is_section or get_origin(hint) is Mapping):
            continue
        if not isinstance(values[key], dict):
            such_as = f"[{key}]" if is_section else f"such as {key} = {{ knee = 1.0, other = 1.0 }}"
            raise SettingsError(f"{where}: {key} is {values[key]!r}; expected a table, {such_as}")
        if is_section:
            _check_tables(hint, values[key], f"{where}.{key}")


def _lacking(cls: Any, values: Mapping[str, Any], where: str = "") -> list[str]:
    """Return the keys that are missing; none of a table that has unknown ones: see these first."""
    hints = get_type_hints(cls)
    if set(values) - set(hints):
        return []
    lacking = [where + key for key in hints if key not in values]
    for key, hint in hints.items():
        if is_dataclass(hint) and isinstance(values.get(key), dict):
            lacking += _lacking(hint, values[key], f"{key}.")
    return lacking


_WORDS: Mapping[str, str] = {
    "about": "where the numbers come from",
    "marks": "Where joints are marked: what is constant over a clip.",
    "marks.face_only": "share of clips whose detector knows no neck and no crown",
    "marks.offset_m": "from the joint to the mark, metres: outwards, backwards, up (body axes)",
    "marks.differ_m": "standard deviation between clips, an axis, metres",
    "marks.hips_up_m": "what the heights of both hips have in common of it, metres",
    "jitter": "What differs from frame to frame.",
    "jitter.spread": "standard deviation, an axis, as a share of the person's extent: median clip",
    "jitter.worse": "by what factor more or less at each joint",
    "jitter.clips_differ": "standard deviation between clips of the spread's logarithm",
    "jitter.joints_differ": "the same between the joints of a clip",
    "jitter.memory_s": "time in which the slow part falls to 1/e, seconds",
    "jitter.slow": "standard deviation of the slow part, as a share of the spread",
    "jitter.fresh": "the same of what is new in every frame",
    "jitter.cut_off": "by what factor joints outside the picture err more",
    "lost": "Joints marked on another limb or on the background for a while, or never.",
    "lost.share": "share of the time for which a joint is lost: mean over clips",
    "lost.lasts_s": "how long that lasts in the mean, seconds",
    "lost.worse": "by what factor the spread is larger then: median over joints",
    "lost.differs": "standard deviation between joints of that factor's logarithm",
    "lost.together": "share of this time for which both joints of a limb are lost together",
    "lost.gaps": "share of joints with a score of 0 for some of a window, a line filling it",
    "lost.gone": "share of joints never seen in a window",
    "flips": "Left taken for right: shares of the time.",
    "flips.body": "of the whole body",
    "flips.legs": "of the legs alone",
    "flips.arms": "of the arms alone",
    "flips.lasts_s": "how long that lasts in the mean, seconds",
    "scores": "How the score falls with the error: logit = level - slope log(spread / median).",
    "scores.vague": "share of clips whose scores say next to nothing",
    "scores.vague_below": "how far below 1 these may be",
    "scores.level": "logit of the score where the spread is the median one",
    "scores.slope": "by how much it falls where the spread is e times as large",
    "scores.joints_differ": "standard deviation of the logit between joints and clips",
    "scores.frames_differ": "the same over time",
    "scores.cut_off": "whether scores of joints outside the picture fall, by chance",
}


def write_noise(path: Path, noise: DetectorNoise, assumed: Collection[str] = ()) -> None:
    """Write a noise, each number with a word on what it is.

    Args:
        path: Ends in `.toml`; its name becomes the noise's.
        noise: What to write.
        assumed: Keys such as `lost.gaps` whose values were not measured but taken from `measured`.

    Raises:
        OutputError: A folder or disk that cannot be written.
    """
    lines = [f"about = {_toml(noise.about)}"]
    for section, values in asdict(noise).items():
        if not isinstance(values, Mapping):
            continue
        lines += ["", f"# {_WORDS[section]}", f"[{section}]"]
        for key, value in values.items():
            name = f"{section}.{key}"
            note = f" (not measured: as `{MEASURED}`)" if name in assumed else ""
            lines += [f"# {_WORDS[name]}{note}", f"{key} = {_toml(value)}"]
    with replacing(path) as new:
        new.write_text("\n".join(lines) + "\n", encoding="utf-8")


def _toml(value: Any) -> str:
    """Return a value as TOML; JSON's text, numbers, lists and truth values are TOML's, too."""
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{key} = {_toml(one)}" for key, one in value.items()) + " }"
    return json.dumps(value, ensure_ascii=False)

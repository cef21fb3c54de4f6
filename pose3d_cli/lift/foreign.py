"""MotionAGFormer's checkpoints made weights of ours: its network is our `dualstream`.

Source: names and shapes of the tensors in arXiv 2310.16288's published files (`*.pth.tr`), which
arXiv 2504.01764's authors keep too; independent writing.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from torch import Tensor

from pose3d_cli import __version__
from pose3d_cli.config import nearest
from pose3d_cli.errors import SettingsError, WeightsError
from pose3d_cli.lift.about import WeightsAbout, sha256
from pose3d_cli.lift.blocks.graph import Adjacency
from pose3d_cli.lift.foreign_file import MODEL, read_checkpoint
from pose3d_cli.lift.foreign_names import in_our_order, their_name
from pose3d_cli.lift.zoo.dualstream import DualStream, DualStreamConfig
from pose3d_cli.pose.dataset_joints import MPI_INF_3DHP17
from pose3d_cli.pose.skeleton import H36M17

_HEADS = 8
"""Of every published size; no tensor has a shape that tells."""

_SAID = ("epoch", "min_mpjpe")
"""What else a checkpoint says of itself that is worth keeping."""


@dataclass(frozen=True, kw_only=True)
class Training:
    """What the published files of one data set were trained on, which they do not say themselves.

    Attributes:
        name: What `trained_on` calls it.
        data: In words.
        terms: Whose terms bind who trained on it.
        adjacency: The bone graph they were trained with, for joints in h36m17's order.
        joints: The order of their joints.
        rate_hz: Frames a second.
        more: Words for the header.
        hints: Parts of file names that tell of it.
    """

    name: str
    data: str
    terms: str
    adjacency: Adjacency
    joints: tuple[str, ...]
    rate_hz: float
    more: Mapping[str, str]
    hints: tuple[str, ...]


TRAINED_ON: Mapping[str, Training] = {
    "h36m": Training(
        name="h36m",
        data="Human3.6M, subjects S1 S5 S6 S7 S8, 2D of a fine-tuned Stacked Hourglass",
        terms="Human3.6M",
        adjacency="legacy",
        joints=H36M17.joints,
        rate_hz=50.0,
        more={"axes": "picture", "unit": "half the picture's width, at the depth of the pelvis"},
        hints=("h36m",),
    ),
    # Eleven of the sixteen training sequences have 25 frames a second, five have 50; the files
    # take both as they are.
    "3dhp": Training(
        name="3dhp",
        data="MPI-INF-3DHP, subjects S1 to S8, true 2D, scaled to its universal skeleton",
        terms="MPI-INF-3DHP",
        adjacency="legacy-3dhp",
        joints=MPI_INF_3DHP17,
        rate_hz=25.0,
        more={"axes": "camera", "unit": "1.024 m of the universal skeleton"},
        hints=("3dhp", "mpi"),
    ),
}


def convert(path: Path, *, trained_on: str = "h36m") -> tuple[DualStream, WeightsAbout]:
    """Read a checkpoint of MotionAGFormer as a dual-stream network, every tensor or none.

    Its size is read from the shapes. The network takes and gives h36m17 joints whatever order it
    was trained in: what belongs to one joint is moved to that joint's place.

    Args:
        path: The checkpoint, its tensors under `model` or bare, each with `module.` or without.
        trained_on: The data set, of `TRAINED_ON`.

    Returns:
        The network, float32, in evaluation mode, and the header to save it with.

    Raises:
        SettingsError: Another data set.
        WeightsError: A file that cannot be read, is of another network, or lacks tensors.
    """
    if trained_on not in TRAINED_ON:
        hint = nearest(trained_on, list(TRAINED_ON))
        raise SettingsError(f"--trained-on: no data set {trained_on!r}{hint}")
    training = TRAINED_ON[trained_on]
    content = read_checkpoint(path)
    state = content[MODEL]
    config = _config(path, state, training.adjacency)
    network = DualStream(config)
    names = {their_name(name): name for name in network.state_dict()}
    _check_names(path, names, state)
    place = [training.joints.index(joint) for joint in H36M17.joints]
    ours = {
        name: in_our_order(name, state[theirs].float(), place) for theirs, name in names.items()
    }
    _check_tensors(path, network, names, ours)
    network.load_state_dict(ours, strict=True)
    return network.eval(), _about(path, config, training, content)


def doubts(path: Path, trained_on: str) -> list[str]:
    """Return a warning if the name of a file tells of another data set than it is converted for."""
    said = {
        name
        for name, training in TRAINED_ON.items()
        if any(hint in path.name.lower() for hint in training.hints)
    }
    return [
        f"{path}: converted as trained on {trained_on}, but its name says {other}; "
        f"if the name is right, convert it anew with --trained-on {other}"
        for other in said
        if trained_on not in said
    ]


def _config(path: Path, state: Mapping[str, Tensor], adjacency: Adjacency) -> DualStreamConfig:
    """Read the network's size from the shapes of its tensors."""
    shapes = {name: tuple(tensor.shape) for name, tensor in state.items()}
    telling = (
        "joints_embed.weight",
        "pos_embed",
        "layers.0.graph_temporal.mixer.batch_norm.weight",
        "rep_logit.fc.weight",
    )
    if missing := [name for name in telling if not shapes.get(name)]:
        raise WeightsError(f"{path}: lacks {_few(missing)}, of which its size is read")
    blocks = {int(found[1]) for name in shapes if (found := re.match(r"layers\.(\d+)\.", name))}
    embed, code, frames, represent = (shapes[name] for name in telling)
    wanted = (1, len(H36M17.joints), embed[0])
    if code != wanted:
        raise WeightsError(f"{path}: pos_embed has shape {code}, expected {wanted}: 17 joints")
    try:
        return DualStreamConfig(
            frames=frames[0],
            dim=embed[0],
            heads=_HEADS,
            depth=max(blocks) + 1,
            representation=represent[0],
            adjacency=adjacency,
        )
    except ValueError as error:
        raise WeightsError(f"{path}: no network of a published size: {error}") from error


def _check_names(path: Path, known: Iterable[str], found: Iterable[str]) -> None:
    missing, unknown = sorted({*known} - {*found}), sorted({*found} - {*known})
    told = [f"lacks {_few(missing)}"] if missing else []
    told += [f"has {_few(unknown)}, unknown here"] if unknown else []
    if told:
        raise WeightsError(
            f"{path}: {' and '.join(told)}; only MotionAGFormer as published is converted"
        )


def _few(names: list[str]) -> str:
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")


def _check_tensors(
    path: Path, network: DualStream, names: Mapping[str, str], ours: Mapping[str, Tensor]
) -> None:
    state = network.state_dict()
    for theirs, name in names.items():
        if ours[name].shape != state[name].shape:
            raise WeightsError(
                f"{path}: {theirs} has shape {tuple(ours[name].shape)}, "
                f"expected {tuple(state[name].shape)}"
            )
        if not ours[name].isfinite().all():
            raise WeightsError(f"{path}: {theirs} holds values that are no numbers; damaged?")


def _about(
    path: Path, config: DualStreamConfig, training: Training, content: Mapping[str, Any]
) -> WeightsAbout:
    assumed = "8 heads and 2 neighbours, as published; the file does not say"
    more = {"assumed": assumed, "trained_on": training.name, **training.more}
    for word in _SAID:
        if isinstance(content.get(word), int | float):
            more[word] = f"{content[word]:g}, said by the file; not measured here"
    return WeightsAbout(
        lifter="dualstream",
        config=asdict(config),
        input="screen",
        rate_hz=training.rate_hz,
        units="screen,root",
        licence=(
            "unknown: MotionAGFormer's repository is Apache-2.0 and says nothing of its weights; "
            f"they were trained on {training.terms}, whose terms bind"
        ),
        data=f"{training.data} (as its authors trained it; the file does not say)",
        protocol="none: converted, not measured",
        made_by=f"pose3d {__version__}",
        source=f"MotionAGFormer, arXiv 2310.16288; converted from {path.name} "
        f"(sha256 {sha256(path)})",
        more=more,
    )

"""Protocols as data: what is averaged over what, what is left out, and what to beware of.

Figures of the field are compared across papers although they were measured in different ways. Each
way has a name here, and each report says in words what it is.

Source: VideoPose3D, MotionBERT, MotionAGFormer and P-STMO as they evaluate; 3DHP's own tool.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from pose3d_cli.config import nearest
from pose3d_cli.errors import UnknownNameError
from pose3d_cli.pose.align import HIPS
from pose3d_cli.pose.measures import LIMB_JOINTS
from pose3d_cli.pose.skeleton import H36M17

Laying = Literal["video", "tiles", "centred"]
Average = Literal["actions", "subject actions", "clips", "frames"]

PELVIS = ("pelvis",)

_ALL = H36M17.joints
_PCK_3DHP = ("head", "thorax", *LIMB_JOINTS)

WARNINGS: Mapping[str, str] = {
    "actions": "The headline is the plain mean of the actions' means; the mean over all frames "
    "is another figure, and some papers print that one.",
    "mirror": "Each answer is the mean with that of the mirror image, as in all published figures, "
    "unless --no-mirror is given.",
    "chosen": "Published checkpoints were chosen by their error on the test subjects themselves, "
    "which flatters them.",
    "tails": "Frames at the end of a video that fill no whole window are not measured; a video "
    "shorter than a window is stretched to one.",
    "blocked": "Three takes of S9 whose truth is known to be wrong are left out (Greeting, "
    "SittingDown, Waiting); the protocol `videopose3d` keeps them.",
    "kept": "Three takes of S9 whose truth is known to be wrong are measured; the protocol "
    "`motionbert` leaves them out.",
    "scaled image": "Truth is in scaled-image space, in which depth and size are those at the "
    "pelvis, and not in the camera's metres: do not compare with figures of the CPN family.",
    "ts56": "TS5 and TS6: answers in screen units are multiplied by half the picture's width (960) "
    "though networks were trained with 1024, as published code does: 6 % too small.",
    "trained unit": "Answers in screen units are multiplied by 1024 mm everywhere, as they were "
    "trained; published figures use 960 for TS5 and TS6 (protocol `3dhp-legacy`).",
    "velocity": "Velocity and acceleration are differences from one frame to the next (mm a frame, "
    "not a second) and never cross a clip's, gap's or tile's border.",
    "true 2D": "With true 2D (`gt`) joints are projected through the lens; papers of the "
    "MotionBERT family drop the third coordinate of the truth instead, which is easier.",
    "S11": "S11 Directions is not there: its video is corrupt.",
    "one frame": "P-MPJPE and N-MPJPE are fitted frame by frame.",
    "score": "Detections of the CPN files and true 2D have no score: 1 is filled in.",
    "test 2D": "Weights that were pre-trained on the test subjects' 2D must say so; ours do, and "
    "the report then warns.",
    "rate": "The set has 50 frames a second; weights of another rate see it resampled, as videos "
    "are.",
    "universal": "Truth is `univ_annot3`, the people scaled to one universal skeleton.",
    "zeros": "Frames whose 2D is all zeros are taken as unseen; published code lifts the zeros.",
    "pck": "PCK counts 14 joints (not pelvis, spine and head) nearer than 150 mm; AUC is its mean "
    "over 31 distances from 0 to 150 mm.",
    "stature": "Weights of ours make everybody 1.70 m tall; the difference to the truth is part of "
    "MPJPE, and not of N-MPJPE and P-MPJPE.",
    "15 joints": "HumanEva has 15 joints: neither spine nor nose are measured.",
    "14 joints": "Measured are the 12 limb joints, the middle of the hips and the neck, of SMPL's "
    "joints; papers that use a regressor from the mesh measure other points.",
    "generated": "The generator's noise decides these figures: they compare lifters, and tell "
    "little about a real video.",
    "rendered": "Rendered faces have no texture, so a detector takes front and back for each other "
    "more often than in life.",
    "own": "Truth, joints and camera are the user's own; compare only with figures of this folder.",
}
"""What a reader should beware of, by a short name."""


@dataclass(frozen=True, kw_only=True)
class BenchmarkProtocol:
    """How a data set is measured.

    Attributes:
        name: What `--protocol` takes.
        about: In one sentence.
        average: Over what the headline is a plain mean: means of actions, of a subject's actions,
            of clips, or of all frames alike.
        laying: How windows are laid at the weights' own rate: as over a video (half overlapping),
            side by side, or one round each frame.
        root: Joints whose middle both people are laid on.
        joints: Joints that are measured, if the truth has them; the root is one of them.
        pck_joints: Joints that PCK and AUC count.
        left_out: Beginnings of the names of clips that are not measured.
        groups: How many groups there are in the whole data set; 0 if it may be any number.
        unit: Metres of a screen unit: as the data set says, or half the picture's width in mm.
        warnings: Keys of `WARNINGS` that apply.
    """

    name: str
    about: str
    average: Average
    laying: Laying = "video"
    root: tuple[str, ...] = PELVIS
    joints: tuple[str, ...] = _ALL
    pck_joints: tuple[str, ...] = _ALL
    left_out: tuple[str, ...] = ()
    groups: int = 0
    unit: Literal["data set", "picture"] = "data set"
    warnings: tuple[str, ...] = ()

    def in_words(self) -> list[str]:
        """Return what is done, a sentence each."""
        joints = "all 17 joints" if self.joints == _ALL else f"{len(self.joints)} joints"
        average = {
            "actions": "the plain mean of the actions' means",
            "subject actions": "the plain mean of the means of each subject's actions",
            "clips": "the plain mean of the clips' means",
            "frames": "the mean over all frames",
        }[self.average]
        laying = {
            "video": "Windows are laid as over a video: they overlap by half and fade into each "
            "other; every frame is measured.",
            "tiles": "Windows lie side by side.",
            "centred": "Each frame is the middle of a window of its own; the ends of a clip are "
            "repeated.",
        }[self.laying]
        left_out = [f"Left out: {', '.join(self.left_out)}."] if self.left_out else []
        root = "pelvis" if self.root == PELVIS else f"middle of {' and '.join(self.root)}"
        return [
            self.about,
            f"Averaged is {average}; root is the {root}; measured are {joints}.",
            laying,
            *left_out,
        ]

    def beware(self) -> list[str]:
        """Return what to beware of, a sentence or two each."""
        return [WARNINGS[key] for key in self.warnings]


_LIFTING = ("mirror", "one frame", "velocity")
_H36M = (*_LIFTING, "actions", "chosen", "test 2D", "S11", "rate", "stature")
_3DHP = (*_LIFTING, "universal", "pck", "zeros", "chosen", "stature")

_TABLE = (
    BenchmarkProtocol(
        name="videopose3d",
        about="Human3.6M as VideoPose3D measures it: S9 and S11, camera-space metres, every frame.",
        average="actions",
        groups=15,
        warnings=(*_H36M, "kept", "score", "true 2D"),
    ),
    BenchmarkProtocol(
        name="motionbert",
        about="Human3.6M as MotionBERT and MotionAGFormer measure it: Stacked Hourglass 2D, truth "
        "in scaled-image space.",
        average="actions",
        groups=15,
        laying="tiles",
        left_out=("s_09_act_05_subact_02", "s_09_act_10_subact_02", "s_09_act_13_subact_01"),
        warnings=(*_H36M, "blocked", "tails", "scaled image"),
    ),
    BenchmarkProtocol(
        name="3dhp-strict",
        about="MPI-INF-3DHP's test set, its valid frames, with one unit for all sequences.",
        average="frames",
        laying="centred",
        pck_joints=_PCK_3DHP,
        warnings=(*_3DHP, "trained unit"),
    ),
    BenchmarkProtocol(
        name="3dhp-legacy",
        about="MPI-INF-3DHP's test set, its valid frames, as MotionAGFormer's code measures them.",
        average="frames",
        laying="centred",
        pck_joints=_PCK_3DHP,
        unit="picture",
        warnings=(*_3DHP, "ts56"),
    ),
    BenchmarkProtocol(
        name="humaneva",
        about="HumanEva-I as VideoPose3D measures it: the validation sequences of S1 to S3.",
        average="subject actions",
        warnings=(*_LIFTING, "15 joints", "stature"),
    ),
    BenchmarkProtocol(
        name="3dpw",
        about="3DPW's sequences, from the detections that come with it, in the camera's axes.",
        average="frames",
        warnings=(*_LIFTING, "14 joints", "stature"),
    ),
    BenchmarkProtocol(
        name="mocap",
        about="Generated takes of four seconds at 25 frames a second, of held-out subjects.",
        average="frames",
        warnings=(*_LIFTING, "generated"),
    ),
    BenchmarkProtocol(
        name="rendered",
        about="Rendered people of 1.70 m, through their true cameras; the twelve limb joints.",
        average="clips",
        root=HIPS,
        joints=LIMB_JOINTS,
        pck_joints=LIMB_JOINTS,
        warnings=(*_LIFTING, "rendered"),
    ),
    BenchmarkProtocol(
        name="own",
        about="A folder of the user's own recordings; all joints that the truth has.",
        average="clips",
        root=HIPS,
        warnings=(*_LIFTING, "own", "stature"),
    ),
    BenchmarkProtocol(
        name="limbs",
        about="A folder of the user's own recordings; the twelve limb joints alone, on whose place "
        "detectors and motion capture agree best.",
        average="clips",
        root=HIPS,
        joints=LIMB_JOINTS,
        pck_joints=LIMB_JOINTS,
        warnings=(*_LIFTING, "own", "stature"),
    ),
)

PROTOCOLS: Mapping[str, BenchmarkProtocol] = {protocol.name: protocol for protocol in _TABLE}


def pick_protocol(wanted: str, usual: tuple[str, ...]) -> BenchmarkProtocol:
    """Return a data set's protocol by name; its usual one where no name is given.

    Raises:
        UnknownNameError: No protocol of that name, or one of another data set.
    """
    name = wanted or usual[0]
    if name not in PROTOCOLS:
        raise UnknownNameError(f"--protocol: no protocol {name!r}{nearest(name, list(PROTOCOLS))}")
    if name not in usual:
        raise UnknownNameError(
            f"--protocol: {name} measures another data set; this one takes {', '.join(usual)}"
        )
    return PROTOCOLS[name]

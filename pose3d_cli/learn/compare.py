"""How far a result is from a known truth, in millimetres, as `pose3d eval` reports it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float, Float64

from pose3d_cli.errors import InputError
from pose3d_cli.files.joints3d import Joints3D, pick_camera, read_joints, take
from pose3d_cli.pose.align import procrustes, root_relative
from pose3d_cli.pose.measures import LIMB_JOINTS, distances, mpjpe, mpjve, n_mpjpe, p_mpjpe

PROTOCOL = "12 limb joints, root = middle of the hips; per frame, then over frames"


@dataclass(frozen=True, kw_only=True)
class Summary:
    """A measure over the compared frames, in millimetres."""

    mean: float
    median: float


@dataclass(frozen=True, kw_only=True)
class JointError:
    """One joint's mean distance over the compared frames, in millimetres."""

    mpjpe_mm: float
    p_mpjpe_mm: float


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """What `pose3d eval --prediction --truth` found.

    Attributes:
        prediction: File that was measured.
        truth: File it was measured against.
        camera: Whose view of the truth; "" where it has no cameras.
        person: Identity of the measured person in the prediction.
        chosen_by: Why that person.
        protocol: What the numbers are, in words.
        n_truth: Frames in which the truth is known.
        n_compared: Those of them in which the prediction has all joints that the truth has.
        coverage: The share of the two, 0 to 1.
        mpjpe_mm: Root-relative.
        p_mpjpe_mm: After a similarity a frame.
        n_mpjpe_mm: Root-relative, after a scale a frame.
        mpjve_mm: Error of the step between neighbouring frames, in millimetres a frame; not a
            number (null) where no two neighbours were compared.
        per_joint: By joint name.
        notes: What a reader should know before believing the numbers.
    """

    prediction: str
    truth: str
    camera: str
    person: str
    chosen_by: str
    protocol: str
    n_truth: int
    n_compared: int
    coverage: float
    mpjpe_mm: Summary
    p_mpjpe_mm: Summary
    n_mpjpe_mm: Summary
    mpjve_mm: Summary
    per_joint: dict[str, JointError]
    notes: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        """Return plain values that JSON can hold; what is not a number becomes null."""
        return _plain(asdict(self))

    def rows(self) -> list[tuple[str, ...]]:
        """Return a table of words: first its head, then the measures, then the joints."""
        measures = {
            "MPJPE": self.mpjpe_mm,
            "P-MPJPE": self.p_mpjpe_mm,
            "N-MPJPE": self.n_mpjpe_mm,
            "MPJVE (mm/frame)": self.mpjve_mm,
        }
        return [
            ("mm", "mean", "median"),
            *((name, f"{m.mean:.1f}", f"{m.median:.1f}") for name, m in measures.items()),
            ("joint (mean)", "MPJPE", "P-MPJPE"),
            *(
                (name, f"{error.mpjpe_mm:.1f}", f"{error.p_mpjpe_mm:.1f}")
                for name, error in self.per_joint.items()
            ),
        ]


def compare(
    prediction: Path, truth: Path, *, person: int | None = None, camera: str | None = None
) -> Comparison:
    """Measure a result against a truth, frame by frame of the same video.

    Args:
        prediction: Npz with `xyz_camera`, as `pose3d lift` writes.
        truth: Npz with `xyz_camera`, of one person and one or several cameras, or a result.
        person: Identity in the prediction (and in a truth of several people). None takes the
            one whose 2D keypoints are nearest to the truth's.
        camera: Name or number of a camera of the truth.

    Raises:
        InputError: Unreadable files, missing joints, no frame in common, or a person or camera
            that is not there or must be chosen.
    """
    answers = read_joints(prediction)
    known = _one_person(pick_camera(read_joints(truth), camera), person)
    _check_joints(answers)
    _check_joints(known)
    answer, chosen_by = _pick_person(answers, known, person)
    found, wanted, frame = _same_frames(answer, known)
    compared = np.isfinite(mpjpe(found, wanted))
    if not compared.any():
        raise InputError(
            f"{prediction}: no frame in common with {truth}: person {answer.takes[0]} is in "
            f"{_span(answer)}, the truth in {_span(known)}"
        )
    return Comparison(
        prediction=str(prediction),
        truth=str(truth),
        camera=known.takes[0] if known.kind == "camera" else "",
        person=answer.takes[0],
        chosen_by=chosen_by,
        protocol=PROTOCOL,
        n_truth=len(frame),
        n_compared=int(compared.sum()),
        coverage=float(compared.mean()),
        mpjpe_mm=_summary(mpjpe(found, wanted)[compared]),
        p_mpjpe_mm=_summary(p_mpjpe(found, wanted)[compared]),
        n_mpjpe_mm=_summary(n_mpjpe(found, wanted)[compared]),
        mpjve_mm=_summary(_step_errors(found, wanted, frame)),
        per_joint=_per_joint(found[compared], wanted[compared]),
        notes=tuple(_notes(answer, known, compared)),
    )


def _one_person(truth: Joints3D, person: int | None) -> Joints3D:
    if len(truth.takes) == 1:
        return truth
    if str(person) not in truth.takes:
        raise InputError(
            f"{truth.path}: the truth holds the people {', '.join(truth.takes)}; "
            "choose one of them with --person"
        )
    return take(truth, truth.takes.index(str(person)))


def _check_joints(joints: Joints3D) -> None:
    missing = [joint for joint in LIMB_JOINTS if joint not in joints.joints]
    if missing:
        raise InputError(f"{joints.path}: lacks {', '.join(missing)}; cannot be measured")


def _pick_person(answers: Joints3D, truth: Joints3D, person: int | None) -> tuple[Joints3D, str]:
    if person is not None:
        if str(person) not in answers.takes:
            raise InputError(
                f"{answers.path}: no person {person}; it holds {', '.join(answers.takes)}"
            )
        return take(answers, answers.takes.index(str(person))), "asked for"
    if len(answers.takes) == 1:
        return answers, "the only one"
    if answers.keypoints_px is None or truth.keypoints_px is None or not answers.takes:
        raise InputError(
            f"{answers.path}: holds the people {', '.join(answers.takes) or 'nobody'} and no 2D "
            "to tell by which is meant; choose with --person"
        )
    apart = [_pixels_apart(take(answers, i), truth) for i in range(len(answers.takes))]
    # Somebody seen in a few frames only does not win by being near in those.
    best = min(range(len(apart)), key=lambda i: (np.median(apart[i]), -np.isfinite(apart[i]).sum()))
    distance = float(np.median(apart[best]))
    return take(answers, best), f"nearest in 2D: median {distance:.0f} px from the truth"


def _pixels_apart(answer: Joints3D, truth: Joints3D) -> Float64[np.ndarray, " frames"]:
    """Return the median distance in each frame of the truth; infinite where mostly unseen."""
    found, wanted, _ = _same_frames(answer, truth, in_pixels=True)
    apart = np.linalg.norm(found.astype(np.float64) - wanted, axis=-1)
    return np.median(np.where(np.isnan(apart), np.inf, apart), axis=-1)


def _same_frames(
    answer: Joints3D, truth: Joints3D, *, in_pixels: bool = False
) -> tuple[Float[np.ndarray, "f 12 c"], Float[np.ndarray, "f 12 c"], np.ndarray]:
    """Return answer, truth and frame number of each known frame; NaN where unanswered."""
    wanted = _limbs(truth, in_pixels=in_pixels)
    is_known = np.isfinite(wanted).any((1, 2))
    wanted, frame = wanted[is_known], truth.frame[is_known]
    found = np.full_like(wanted, np.nan)
    _, here, there = np.intersect1d(frame, answer.frame, return_indices=True)
    found[here] = _limbs(answer, in_pixels=in_pixels)[there]
    return found, wanted, frame


def _limbs(joints: Joints3D, *, in_pixels: bool) -> Float[np.ndarray, "f 12 c"]:
    values = joints.keypoints_px if in_pixels else root_relative(joints.xyz, joints.joints)
    if values is None:
        raise InputError(f"{joints.path}: no array `keypoints_px` here")
    return values[0][:, [joints.joints.index(joint) for joint in LIMB_JOINTS]]


def _step_errors(
    found: Float[np.ndarray, "f 12 3"], wanted: Float[np.ndarray, "f 12 3"], frame: np.ndarray
) -> Float64[np.ndarray, " steps"]:
    errors = mpjve(found, wanted)
    return errors[np.isfinite(errors) & (np.diff(frame) == 1)]


def _per_joint(
    found: Float[np.ndarray, "f 12 3"], wanted: Float[np.ndarray, "f 12 3"]
) -> dict[str, JointError]:
    plain, aligned = distances(found, wanted), distances(procrustes(found, wanted), wanted)
    return {
        joint: JointError(
            mpjpe_mm=_summary(plain[:, i]).mean, p_mpjpe_mm=_summary(aligned[:, i]).mean
        )
        for i, joint in enumerate(LIMB_JOINTS)
    }


def _summary(errors_m: Float64[np.ndarray, " n"]) -> Summary:
    known = errors_m[np.isfinite(errors_m)] * 1000
    if not known.size:
        return Summary(mean=math.nan, median=math.nan)
    return Summary(mean=float(known.mean()), median=float(np.median(known)))


def _notes(answer: Joints3D, truth: Joints3D, compared: np.ndarray) -> Sequence[str]:
    notes = []
    missing = int((~compared).sum())
    if missing:
        notes.append(f"{missing} of {len(compared)} frames have no answer and are not in the means")
    if answer.fps and truth.fps and abs(answer.fps / truth.fps - 1) > 0.01:
        notes.append(f"{answer.fps:g} frames/s against {truth.fps:g}: is it the same video?")
    return notes


def _span(joints: Joints3D) -> str:
    there = joints.frame[np.isfinite(joints.xyz[0]).any((1, 2))]
    return f"frames {there[0]}-{there[-1]}" if there.size else "no frame"


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(part) for key, part in value.items()}
    if isinstance(value, tuple):
        return [_plain(part) for part in value]
    return None if isinstance(value, float) and math.isnan(value) else value

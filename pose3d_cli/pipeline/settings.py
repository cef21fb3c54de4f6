"""Settings of lifting a clip; flags and `--config run.toml` have the same names."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar, Literal

from pose3d_cli.detect.options import DetectorOptions

_SHORTEST_PART_MIN = 0.01


@dataclass(frozen=True, kw_only=True)
class DetectorSettings:
    """Which 2D detector looks at videos."""

    detector: str = "auto"
    """2D detector: rtmpose, blazepose or mmpose; auto: the best whose weights are here."""
    detector_weights: str = ""
    """Weights of rtmpose: a name of `pose3d weights list --all`, or an .onnx or .pth file."""
    boxes: str = "auto"
    """What finds people for rtmpose and mmpose: auto, blazepose, yolox-nano..., or a file."""
    mmpose_config: str = ""
    """Configuration file of the model that mmpose is to run."""
    mmpose_weights: str = ""
    """Weights file that belongs to it."""
    device: str = "auto"
    """auto, cpu, cuda or mps; one that is asked for and absent is an error."""

    @property
    def detector_options(self) -> DetectorOptions:
        """What the detector is made with."""
        return DetectorOptions(
            weights=self.detector_weights,
            boxes=self.boxes,
            config=self.mmpose_config,
            checkpoint=self.mmpose_weights,
            device=self.device,
        )


@dataclass(frozen=True, kw_only=True)
class LiftSettings(DetectorSettings):
    """How clips are lifted."""

    # A flag of one of these puts out the others of a file.
    ONE_OF: ClassVar[tuple[tuple[str, ...], ...]] = (("fov", "focal35", "intrinsics"),)

    output: str = ""
    """Folder that gets one `CLIP_pose3d/` a clip; empty: beside each clip."""
    detect_every: int | Literal["auto"] = "auto"
    """Look for new people every so many frames, following those found; auto: 3 times a second."""
    from_2d: str = ""
    """File or folder of ready 2D keypoints, in place of a detector."""
    weights: str = "dualstream-xs-27"
    """Lifter: the name of shipped weights, or a .safetensors file."""
    mirror: bool = True
    """Lift the mirror image too and take the mean: slower and more exact."""
    person: str = "all"
    """Whom to lift: all, largest, longest, or the number of a person."""
    max_people: int = 0
    """Lift at most so many, who fill most of the picture; 0: no limit."""
    height: float = 0.0
    """Height of the person in metres; 0: assumed to be that of the weights (1.70)."""
    fov: float = 0.0
    """Field of view in degrees across the longer side of the picture."""
    focal35: float = 0.0
    """Focal length in mm, as for a 35 mm film camera."""
    intrinsics: str = ""
    """TOML file with `matrix` (3x3, pixels) and `distortion` (OpenCV's order)."""
    up: float | Literal["auto", "camera"] = "auto"
    """Which way is up: auto finds it; camera: held level; or degrees that it looks down."""
    start: float = 0.0
    """Where to begin, in seconds."""
    end: float = 0.0
    """Where to stop, in seconds; 0: at the end of the clip."""
    part_minutes: float = 10.0
    """Work through longer clips, and write their results, in parts of so many minutes; 0: whole."""
    max_gap: float = 0.5
    """Longest time without a person, in seconds, that is bridged."""
    outliers: Literal["mend", "off"] = "mend"
    """Joints that jump away for a moment, and sides exchanged in 3D: mended, or left."""
    smooth: Literal["off", "light", "strong"] = "light"
    """How much trembling is taken out, without delay."""
    bones: Literal["constant", "off"] = "constant"
    """Bones of one length over the clip, left as right, or as they were lifted."""
    feet: Literal["auto", "lock", "off"] = "auto"
    """Feet that stand are held still: where that moves them little, always, or never."""
    fill: float = 0.0
    """Longest gap in a person's 3D, in seconds, that is filled and marked so; 0: gaps stay."""
    render: Literal["side-by-side", "overlay", "3d", "off"] = "side-by-side"
    """Video to draw: 2D keypoints on the clip (overlay), the people in 3D, both, or none."""
    fps: float = 0.0
    """Frames a second of the drawn video, at most; 0: as many as the clip has."""
    export: str = ""
    """Files for other programs to write too, with commas between: bvh, glb, trc, c3d, angles..."""
    overwrite: bool = True
    """Replace the results of an earlier run."""

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            if isinstance(value, float) and not math.isfinite(value):
                raise ValueError(f"{name} ({value}) must be a finite number")
        self._check_camera()
        self._check_span()
        if self.height and not 0.3 <= self.height <= 2.8:
            raise ValueError(f"height ({self.height}) must be in metres, between 0.3 and 2.8")
        if self.detect_every != "auto" and self.detect_every < 0:
            raise ValueError(f"detect_every ({self.detect_every}) must be at least 0")
        if self.max_people < 0:
            raise ValueError(f"max_people ({self.max_people}) must be at least 0")
        self._check_drawing()

    @property
    def search_every(self) -> int | None:
        """Frames from one search for people to the next; None leaves it to the tracker."""
        return None if self.detect_every in ("auto", 0) else int(self.detect_every)

    def _check_drawing(self) -> None:
        if self.fps < 0:
            raise ValueError(f"fps ({self.fps}) must be above 0, or 0 for all frames")
        if self.export:
            from pose3d_cli.pipeline.exports import exporters_of  # loads NumPy

            exporters_of(self.export)

    def _check_camera(self) -> None:
        if sum(1 for given in (self.fov, self.focal35, self.intrinsics) if given) > 1:
            raise ValueError("give one of fov, focal35 and intrinsics, not several")
        if self.fov and not 5 <= self.fov <= 170:
            raise ValueError(f"fov ({self.fov}) must be between 5 and 170 degrees")
        if self.focal35 < 0:
            raise ValueError(f"focal35 ({self.focal35}) must be above 0 mm")
        if not isinstance(self.up, str) and not -85 <= self.up <= 85:
            raise ValueError(f"up ({self.up}) must be auto, camera, or degrees from -85 to 85")

    def _check_span(self) -> None:
        if self.start < 0 or (self.end and self.end <= self.start):
            raise ValueError(f"end ({self.end}) must come after start ({self.start})")
        if self.max_gap < 0:
            raise ValueError(f"max_gap ({self.max_gap}) must be 0 s or more")
        if self.part_minutes and self.part_minutes < _SHORTEST_PART_MIN:
            raise ValueError(
                f"part_minutes ({self.part_minutes}) must be 0 or at least {_SHORTEST_PART_MIN}"
            )
        if self.fill < 0:
            raise ValueError(f"fill ({self.fill}) must be 0 s or more")

"""What a user chooses of a detector; each detector takes of it what it knows."""

from __future__ import annotations

from dataclasses import dataclass

from pose3d_cli.detect.cores import threads_allowed

_MOST_THREADS = 4


@dataclass(frozen=True, kw_only=True)
class DetectorOptions:
    """How a detector is made.

    Attributes:
        weights: Name in the catalogue, or file, of the keypoint network (`rtmpose`); empty: the
            best that is there.
        boxes: What finds people for networks that want boxes: `auto` (the best that is there),
            `blazepose`, a name in the catalogue, or an ONNX file.
        config: Configuration file of MMPose (`mmpose`).
        checkpoint: Weights file that belongs to it (`mmpose`).
        device: auto, cpu, cuda or mps.
        threads: Of the CPU, for one network; 0: as many as pay for its size.
    """

    weights: str = ""
    boxes: str = "auto"
    config: str = ""
    checkpoint: str = ""
    device: str = "auto"
    threads: int = 0

    @property
    def few_threads(self) -> int:
        """Threads of a small network, of a few milliseconds a picture: one unless told."""
        return self.threads or 1

    @property
    def many_threads(self) -> int:
        """Threads of a large network: up to four unless told."""
        return self.threads or min(_MOST_THREADS, threads_allowed())

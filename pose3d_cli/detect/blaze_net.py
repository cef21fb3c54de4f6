"""A TFLite network: one picture in, its outputs by shape."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from jaxtyping import Float32

from pose3d_cli.errors import MissingExtraError, WeightsError


@contextmanager
def _quiet_stderr() -> Iterator[None]:
    """Silence file descriptor 2: the runtime greets there from C++ and offers no switch."""
    sys.stderr.flush()
    kept = os.dup(2)
    with Path(os.devnull).open("wb") as nowhere:
        os.dup2(nowhere.fileno(), 2)
        try:
            yield
        finally:
            os.dup2(kept, 2)
            os.close(kept)


class BlazeNet:
    """A network with one picture as its input.

    Args:
        path: A `.tflite` file.
        threads: Threads of the runtime; more than two seldom help networks this small.

    Raises:
        MissingExtraError: The runtime is not installed.
        WeightsError: The file is no network the runtime can read.
    """

    def __init__(self, path: Path, *, threads: int = 1) -> None:
        try:
            from ai_edge_litert.interpreter import Interpreter
        except ImportError as error:
            raise MissingExtraError(
                f"detector blazepose needs ai-edge-litert ({error}): `pip install ai-edge-litert`"
            ) from error
        try:
            with _quiet_stderr():
                self._runtime = Interpreter(model_path=str(path), num_threads=threads)
                self._runtime.allocate_tensors()
        except (ValueError, RuntimeError) as error:
            raise WeightsError(
                f"{path}: not a readable TFLite network ({error}). Reinstall pose3d."
            ) from error
        entrance = self._runtime.get_input_details()[0]
        self._entrance = entrance["index"]
        self.side_px = int(entrance["shape"][1])
        self._exits = {
            tuple(int(n) for n in exit_["shape"]): exit_["index"]
            for exit_ in self._runtime.get_output_details()
        }

    def run(self, picture: Float32[np.ndarray, "side side 3"]) -> None:
        """Put a picture, already scaled as this network wants it, through the network."""
        self._runtime.set_tensor(self._entrance, picture[None])
        self._runtime.invoke()

    def output(self, *shape: int) -> Float32[np.ndarray, "*shape"]:
        """Return the output of that shape, batch axis included, of the last `run`."""
        return self._runtime.get_tensor(self._exits[shape])

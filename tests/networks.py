"""Small files that pass for networks, and models of a catalogue that say what they are."""

from __future__ import annotations

import hashlib
import io
import random
import zipfile

from pose3d_cli.files.catalogue import Model

# Patience of tests: nothing here takes long unless it hangs.
QUICK = {"timeout_s": 0.4, "tries": 3, "pause_s": 0.01}


def onnx(n_bytes=200_000, seed=1):
    """Bytes that begin as an ONNX file does and cannot be compressed."""
    return b"\x08" + random.Random(seed).randbytes(n_bytes - 1)


def sha256(data):
    return hashlib.sha256(data).hexdigest()


def zipped(data, name="20230831/rtmpose_onnx/some/end2end.onnx", **others):
    """A zip as the SDK's are: the network far down, other files beside it."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("20230831/rtmpose_onnx/some/pipeline.json", "{}")
        archive.writestr(name, data)
        for path, content in others.items():
            archive.writestr(path, content)
    return file.getvalue()


def model(*urls, name="net", suffix=".onnx", **more):
    """A model of which nothing is known but where it is."""
    blank = {"member": "", "n_bytes": 0, "sha256": "", "sha256_prefix": "", "ap": None}
    return Model(
        **{
            "name": name,
            "kind": "boxes",
            "network": "yolox",
            "file": name + suffix,
            "urls": urls,
            "licence": "Apache-2.0",
            "keypoints": "",
            "input_size": (416, 416),
            "ap_of": "",
            **blank,
            **more,
        }
    )


class Watcher:
    """Keeps what it is told."""

    def __init__(self):
        self.notes, self.warnings, self.stages, self.steps = [], [], [], []

    def stage(self, name, total):
        self.stages.append((name, total))

    def at(self, step, note):
        self.steps.append(step)

    def note(self, text):
        self.notes.append(text)

    def warn(self, text):
        self.warnings.append(text)

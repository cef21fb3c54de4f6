"""What Khronos's own validator says of our GLB: run where Node.js and `gltf-validator` are."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

from pose3d_cli.files.export.base import ExportOptions
from pose3d_cli.files.export.zoo.glb import Glb
from tests.rigs import result_of, walking_round

MODULES = Path(__file__).parents[2] / ".oracles" / "node_modules"
SCRIPT = """
const data = new Uint8Array(require('fs').readFileSync(process.argv[1]));
require('gltf-validator').validateBytes(data).then(r => console.log(JSON.stringify(r)));
"""

pytestmark = pytest.mark.skipif(
    not (shutil.which("node") and (MODULES / "gltf-validator").is_dir()),
    reason="needs Node.js and gltf-validator",
)


@pytest.mark.parametrize("n_frames", [1, 40])
def test_it_has_nothing_to_say(tmp_path, n_frames):
    people = {0: walking_round(n_frames), 5: walking_round(n_frames) + np.array([1.0, 0, 0])}
    [path] = Glb().write(result_of(people), tmp_path / "clip", ExportOptions()).files
    answer = subprocess.run(
        ["node", "-e", SCRIPT, str(path)],
        env=os.environ | {"NODE_PATH": str(MODULES)},
        capture_output=True,
        text=True,
        check=True,
    )
    report = json.loads(answer.stdout)
    assert report["issues"]["messages"] == []
    assert report["info"]["animationCount"] == 1

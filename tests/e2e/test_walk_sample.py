"""What the sample's result promises: a floor under the feet, bones that stay, feet that stand.

The docs cite the figures that `python -m pytest -s tests/e2e/test_walk_sample.py` prints.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from pose3d_cli.files.results import read_result
from pose3d_cli.pose.feet import Stretch, find_contacts

SAMPLE = Path(__file__).parents[2] / "samples" / "walk.mp4"


def told(words):
    sys.stdout.write(f"{words}\n")


@pytest.fixture(scope="module")
def result(tmp_path_factory):
    """The sample lifted as anybody would."""
    from typer.testing import CliRunner

    from pose3d_cli.cli.app import app

    out = tmp_path_factory.mktemp("walk")
    command = ["lift", str(SAMPLE), "-o", str(out), "--render", "off", "--detector", "blazepose"]
    done = CliRunner().invoke(app, command, prog_name="pose3d")
    assert done.exit_code == 0, done.stderr
    return read_result(out / "walk_pose3d" / "walk.npz")


@pytest.fixture(scope="module")
def woman(result):
    """She who walks across the picture; the other is on a roof."""
    return max(result.people, key=lambda person: np.ptp(person.xyz_camera[:, 0, 0]))


def test_steps_are_level_and_on_the_floor(result, woman):
    stretch = Stretch(
        xyz=woman.xyz_root,
        root=woman.xyz_camera[:, 0],
        score=woman.score,
        time_s=result.time_s[woman.rows],
    )
    steps = find_contacts([stretch])
    place = result.world.from_camera(steps.ankle)
    sole_mm = 1000 * (place[:, 2] - steps.sole_m)
    rise_deg = np.degrees(np.arctan(np.polyfit(place[:, 0], place[:, 2], 1)[0]))
    told(f"{len(steps)} steps rise by {rise_deg:.2f} degrees; soles at {np.median(sole_mm):.1f} mm")
    assert len(steps) >= 5
    assert abs(rise_deg) < 1
    assert abs(np.median(sole_mm)) < 20


def test_bones_keep_their_lengths(result):
    parents = result.parents
    for person in result.people:
        own = person.xyz_camera.astype(np.float64)
        bones = np.linalg.norm(own[:, 1:] - own[:, parents[1:]], axis=-1)
        change_mm = 1000 * np.ptp(bones, axis=0).max()
        told(f"person {person.person}: bones change by {change_mm:.4f} mm at most")
        assert change_mm < 0.1


def test_feet_that_are_held_do_not_slide(result, woman):
    about = result.meta["clean_up"]["people"][str(woman.person)]["feet"]
    told(f"{about['held']} contacts: {about['slide_before_mm']} mm, held {about['slide_held_mm']}")
    assert about["held"] >= 5
    assert about["slide_before_mm"] > 30
    assert about["slide_held_mm"] < 10
    # The same by the joints themselves: a foot that stands is where it was a frame before.
    columns = [result.joint_names.index(f"{side}_ankle") for side in ("left", "right")]
    steps = np.diff(woman.xyz_camera[:, columns].astype(np.float64), axis=0)
    still = np.linalg.norm(steps, axis=-1) < 0.001
    told(f"in {still.any(1).mean():.0%} of the frames a foot moves by less than 1 mm")
    assert still.any(1).mean() > 0.5

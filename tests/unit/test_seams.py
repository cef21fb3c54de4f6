import json

import numpy as np
import pytest
import torch

from pose3d_cli.files.mocap_pack import MocapClip, read_pack, write_pack
from pose3d_cli.learn.seams import border_steps, measure_seams
from pose3d_cli.learn.synthetic.postures import draw_postures
from pose3d_cli.lift import weights
from pose3d_cli.lift.windowed import WindowedLifter
from tests.takes import sequence


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    folder = tmp_path_factory.mktemp("mocap")
    random = torch.Generator().manual_seed(0)
    write_pack(
        folder,
        [
            MocapClip(
                name="a",
                subject="a",
                split="test",
                category="everyday",
                licence="CC0",
                fps=50.0,
                xyz=(draw_postures(1, 200, 3.0, random)[0].numpy() * 0.3).astype(np.float32),
            )
        ],
    )
    return folder


def test_border_steps_of_known_windows():
    # Windows of 4, 2 apart, over 8 frames: 0-3, 2-5, 4-7.
    assert np.flatnonzero(border_steps(8, 4)).tolist() == [1, 3, 5]


def test_border_steps_of_two_strands_reach_from_frame_to_frame_of_a_strand():
    # Each strand has windows of 4 over its 6 frames, 0-3 and 2-5: it changes between its frames 1
    # and 2, and between 3 and 4; of the clip these are 2 to 4 and 6 to 8, or 3 to 5 and 7 to 9.
    assert np.flatnonzero(border_steps(12, 4, strands=2)).tolist() == [2, 3, 4, 6, 7, 8]


class JumpsAtBorders(WindowedLifter):
    """A lifter that stands still inside each window and jumps by 10 cm where one begins or ends."""

    def __init__(self, window, jump):
        about = weights.WeightsAbout(
            lifter="none", config={"frames": window}, input="rays", rate_hz=25.0, licence="none"
        )
        super().__init__(torch.nn.Identity(), about, torch.device("cpu"))
        self.jump = jump

    def lift(self, keypoints, camera):
        steps = border_steps(len(keypoints), self.window) * np.float32(self.jump)
        xyz = np.zeros((len(keypoints), 17, 3), np.float32)
        xyz[1:, 1:, 1] = np.cumsum(steps)[:, None]
        return sequence(keypoints, xyz - xyz[:, :1])


def test_jumps_at_borders_are_seen_and_a_calm_lifter_is_not_blamed(data):
    clips = read_pack(data, "test")
    calm = measure_seams(JumpsAtBorders(8, 0.0), clips, takes=20)
    jumping = measure_seams(JumpsAtBorders(8, 0.1), clips, takes=20)
    assert 0.9 < calm.ratio < 1.1
    assert jumping.border_mm > calm.border_mm + 60
    assert jumping.inside_mm == pytest.approx(calm.inside_mm)


def test_the_command_says_both_and_their_ratio(pose3d, tiny_weights, data):
    ran = pose3d("bench", "seams", tiny_weights, "--data", data, "--takes", 2, "--json")
    (found,) = json.loads(ran.stdout).values()
    assert found["ratio"] == pytest.approx(found["border_mm"] / found["inside_mm"])
    assert (
        "at borders mm"
        in pose3d("bench", "seams", tiny_weights, "--data", data, "--takes", 2).stdout
    )

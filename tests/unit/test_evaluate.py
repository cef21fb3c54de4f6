from dataclasses import asdict, replace

import numpy as np
import pytest
import torch

from pose3d_cli.errors import InputError, UnknownNameError, WeightsError
from pose3d_cli.files.mocap_pack import MocapClip, read_pack, write_pack
from pose3d_cli.learn.evaluate import evaluate_mocap
from pose3d_cli.learn.seams import border_steps, measure_seams
from pose3d_cli.learn.synthetic.postures import draw_postures
from pose3d_cli.lift import weights
from pose3d_cli.lift.shelf import LIFTERS
from pose3d_cli.lift.windowed import WindowedLifter
from pose3d_cli.pose.skeleton import H36M17
from pose3d_cli.pose.types import PoseSequence


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


def save(path, lifter="dualstream", *, rate_hz=25.0, input="rays"):
    torch.manual_seed(0)
    entry = LIFTERS.get(lifter)
    settings = entry.presets["tiny"]
    network = entry.network(settings).eval()
    about = weights.WeightsAbout(
        lifter=lifter, config=asdict(settings), input=input, rate_hz=rate_hz, licence="none"
    )
    weights.save(path, network, about)
    return path


def test_lifters_are_compared_on_the_same_windows_again_and_again(data, tmp_path):
    files = [
        save(tmp_path / f"{name}.safetensors", name) for name in ("dualstream", "residual_mlp")
    ]
    one, two = (evaluate_mocap(files, data, takes=6, device="cpu", seam_takes=2) for _ in range(2))
    assert [s.mpjpe_mm for s in one.scores] == [s.mpjpe_mm for s in two.scores]
    assert one.subjects == ["a"]
    assert one.scores[0].mpjpe_mm > one.scores[0].p_mpjpe_mm > 0
    assert [row[1] for row in one.rows()[1:]] == ["dualstream", "residual_mlp"]


def test_weights_of_several_rates_lift_the_same_takes(data, tmp_path):
    rates = (25.0, 12.5, 30.0)
    files = [save(tmp_path / f"{rate}.safetensors", rate_hz=rate) for rate in rates]
    evaluation = evaluate_mocap(files, data, takes=3, device="cpu", seam_takes=2)
    assert (evaluation.rate_hz, evaluation.frames) == (25.0, 100)
    assert len({score.mpjpe_mm for score in evaluation.scores}) == 3


def test_what_is_seen_decides_the_error(data, tmp_path):
    files, errors = [save(tmp_path / "a.safetensors")], {}
    for seen in ("noisy", "clean", "hidden"):
        found = evaluate_mocap(files, data, takes=4, device="cpu", seam_takes=2, seen=seen)
        errors[seen] = found.scores[0].mpjpe_mm
        assert (found.scores[0].hidden_mm is not None) == (seen == "hidden")
        assert ("hidden joints mm" in found.rows()[0]) == (seen == "hidden")
        assert (found.scores[0].seams is not None) == (seen == "noisy")
        assert ("velocity at borders / inside" in found.rows()[0]) == (seen == "noisy")
    assert len(set(errors.values())) == 3
    with pytest.raises(UnknownNameError, match="--seen: there is no 'dirty'; known: noisy, clean"):
        evaluate_mocap(files, data, seen="dirty")
    with pytest.raises(UnknownNameError, match="--split: there is no 'train' held out; known: te"):
        evaluate_mocap(files, data, split="train")


def test_a_split_without_clips_and_weights_for_pixels_are_refused(data, tmp_path):
    one, other = save(tmp_path / "a.safetensors"), save(tmp_path / "b.safetensors", input="screen")
    with pytest.raises(InputError, match="no clips of split 'val'"):
        evaluate_mocap([one], data, split="val", device="cpu")
    with pytest.raises(WeightsError, match=r"found inputs \['rays', 'screen'\]"):
        evaluate_mocap([one, other], data, device="cpu")


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
        return replace(lifted_nothing(keypoints), xyz=xyz - xyz[:, :1])


def lifted_nothing(keypoints):
    return PoseSequence(
        xyz=np.zeros((len(keypoints), 17, 3), np.float32),
        frames=keypoints.frames,
        time_s=keypoints.time_s,
        fps=keypoints.fps,
        skeleton=H36M17,
        frame="root",
        is_metric=True,
    )


def test_jumps_at_borders_are_seen_and_a_calm_lifter_is_not_blamed(data):
    clips = read_pack(data, "test")
    calm = measure_seams(JumpsAtBorders(8, 0.0), clips, takes=20)
    jumping = measure_seams(JumpsAtBorders(8, 0.1), clips, takes=20)
    assert 0.9 < calm.ratio < 1.1
    assert jumping.border_mm > calm.border_mm + 60
    assert jumping.inside_mm == pytest.approx(calm.inside_mm)

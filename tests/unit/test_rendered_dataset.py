import json

import numpy as np
import pytest
import torch

from pose3d_cli.detect.base import Search
from pose3d_cli.errors import SettingsError
from pose3d_cli.learn.clip import DATASETS, DatasetOptions
from pose3d_cli.learn.datasets.rendered import RenderedPeople
from pose3d_cli.learn.rendered.truth import read_all
from pose3d_cli.lift.windowed import WindowedLifter
from pose3d_cli.pose.measures import LIMB_JOINTS
from pose3d_cli.pose.skeleton import H36M17
from pose3d_cli.pose.types import Keypoints2D


class Sees:
    """Stands for a detector: it sees the truth of the one clip, and nobody in the other."""

    name = "sees"
    skeleton = H36M17

    def __init__(self, clip, rows):
        self.video, self.rows = clip.video, np.asarray(rows)
        self.pixels = clip.keypoints_px.astype(np.float32)
        self.clip = clip

    def detect(self, image, near=None, *, search=Search.THOROUGH):
        raise AssertionError("`people` stands for the whole video")

    def people(self, video, detector):
        assert detector is self
        if video != self.video:
            return []
        return [
            Keypoints2D(
                xy=self.pixels[self.rows],
                score=np.full((len(self.rows), 17), 0.5, np.float32),
                frames=self.rows,
                time_s=self.rows / self.clip.fps,
                fps=self.clip.fps,
                image_size=self.clip.camera.image_size,
                skeleton=H36M17,
            )
        ]


@pytest.fixture
def clips(rendered):
    return read_all(rendered[0])


def test_frames_in_which_the_person_is_not_found_are_there_and_empty(clips, monkeypatch):
    sees = Sees(clips[0], [*range(0, 4), *range(5, len(clips[0].xyz))])
    monkeypatch.setattr("pose3d_cli.learn.datasets.rendered.people_in", sees.people)
    found, lost = RenderedPeople(rendered=clips, detector=sees).clips("test")
    assert len(found) == len(clips[0].xyz)
    assert np.isnan(found.keypoints.xy[4]).all()
    np.testing.assert_allclose(found.keypoints.xy[5], clips[0].keypoints_px[5], atol=1e-3)
    assert found.keypoints.score[5].tolist() == [0.5] * 17
    assert np.isnan(lost.keypoints.xy).all()
    assert lost.is_counted.all()
    assert found.keypoints.fps == lost.keypoints.fps == clips[0].fps


def test_true_keypoints_are_measured_as_limbs_relative_to_the_hips(
    pose3d, rendered, clips, tiny_weights
):
    flags = ("--dataset", "rendered", "--data", rendered[0], "--keypoints", "true", "--json")
    ran = pose3d("eval", tiny_weights, *flags)
    (record,) = json.loads(ran.stdout)["evaluations"]
    lifter = WindowedLifter.from_file(tiny_weights, torch.device("cpu"))
    hips = [H36M17.index(j) for j in ("left_hip", "right_hip")]
    limbs = [H36M17.index(j) for j in LIMB_JOINTS]
    data = DATASETS.get("rendered").open(rendered[0], DatasetOptions(keypoints="true"))
    means = []
    for clip, seen in zip(clips, data.clips("test"), strict=True):
        pose = lifter.lift(seen.keypoints, clip.camera).xyz
        apart = [xyz - xyz[:, hips].mean(1, keepdims=True) for xyz in (pose, clip.xyz)]
        means.append(np.linalg.norm((apart[0] - apart[1])[:, limbs], axis=-1).mean())
    assert record["figures"]["mpjpe"]["value"] == pytest.approx(1000 * np.mean(means), rel=1e-3)
    assert record["frames"] == record["frames_wanted"] == sum(len(clip.xyz) for clip in clips)


def test_boxes_are_nobody_and_that_is_told(pose3d, rendered, tiny_weights):
    flags = ("--dataset", "rendered", "--data", rendered[0])
    ran = pose3d("eval", tiny_weights, *flags, code=7)
    assert "in none of 2 clips" in ran.stderr


def test_wrong_choices_are_told(pose3d, rendered, tiny_weights, tmp_path):
    flags = ("--dataset", "rendered", "--data", rendered[0])
    assert (
        "did you mean 'true'"
        in pose3d("eval", tiny_weights, *flags, "--keypoints", "tru", code=2).stderr
    )
    with pytest.raises(SettingsError, match="rendered clips have none"):
        list(DATASETS.get("rendered").open(rendered[0], DatasetOptions()).clips("val"))
    ran = pose3d("data", "check", tmp_path, "--dataset", "rendered", code=3)
    assert "pose3d data render" in ran.stdout
    assert "checked as: rendered" in pose3d("data", "check", rendered[0]).stdout

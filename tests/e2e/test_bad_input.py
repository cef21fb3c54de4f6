"""Whatever is wrong with the input: one clear line, its exit code, and nothing half-written."""

from __future__ import annotations

import json
import os
import re
from types import SimpleNamespace

import cv2
import numpy as np
import pytest

from pose3d_cli.errors import ExitCode
from pose3d_cli.lift import weights
from tests.clips import make_clip, make_sound_only, make_text, truncate
from tests.disk import no_file_longer_than
from tests.nets import about, tiny
from tests.people import FPS, SAMPLE, empty, make_film, walking


@pytest.fixture
def lift(pose3d, tiny_weights):
    """`pose3d lift` with small weights and without drawing."""

    def run(*arguments, code=0, render="off"):
        return pose3d("lift", *arguments, "--weights", tiny_weights, "--render", render, code=code)

    return run


def refused(lift, tmp_path, *arguments, code):
    """Run what must fail; return its one line, having seen that nothing was written."""
    before = sorted(tmp_path.rglob("*"))
    result = lift(*arguments, code=code)
    assert sorted(tmp_path.rglob("*")) == before
    assert result.stdout == ""
    told = [line for line in result.stderr.splitlines() if line.startswith("pose3d: ")]
    told = [line for line in told if not line.startswith("pose3d: warning")]
    assert len(told) == 1, result.stderr
    assert "Traceback" not in result.stderr
    return told[0]


def result_of(clip):
    """Return the arrays of a clip's result, read as any user would."""
    with np.load(clip.parent / f"{clip.stem}_pose3d" / f"{clip.stem}.npz") as file:
        return SimpleNamespace(**file, is_present=np.isfinite(file["xyz_root"]).any((2, 3)))


def joint(result, name):
    return result.joint_names.tolist().index(name)


def test_a_missing_file(lift, tmp_path):
    line = refused(lift, tmp_path, tmp_path / "none.mp4", code=ExitCode.BAD_INPUT)
    assert "none.mp4: there is no such file" in line


def test_a_folder_without_videos(lift, tmp_path):
    (tmp_path / "notes.txt").write_text("nothing here")
    line = refused(lift, tmp_path, tmp_path, code=ExitCode.BAD_INPUT)
    assert "no videos in this folder" in line


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (make_text, "not a video"),
        (make_sound_only, "no video|sound|audio"),
        (lambda path: make_clip(path, n_frames=0), "not one frame|no frame"),
        (lambda path: truncate(make_clip(path), 0.1), "holds no frames|not a video|not one frame"),
    ],
    ids=["text", "sound only", "no frames", "header cut off"],
)
def test_what_is_no_video(lift, tmp_path, make, words):
    clip = make(tmp_path / "a.mp4")
    line = refused(lift, tmp_path, clip, code=ExitCode.BAD_INPUT)
    assert str(clip) in line
    assert re.search(words, line), line


def test_a_truncated_file_is_lifted_as_far_as_it_goes(lift, tmp_path):
    clip = truncate(make_film(tmp_path / "a.mp4", walking(30)), 0.6)
    stderr = lift(clip).stderr
    n_frames = len(result_of(clip).frame)
    assert 5 <= n_frames < 30
    warning = next(line for line in stderr.splitlines() if "damaged" in line)
    assert str(n_frames) in warning
    run = json.loads((tmp_path / "a_pose3d" / "run.json").read_text())
    assert any("damaged" in text for text in run["warnings"])


def test_nobody_in_the_picture(lift, tmp_path):
    clip = make_film(tmp_path / "a.mp4", empty(8))
    line = refused(lift, tmp_path, clip, code=ExitCode.NOBODY_FOUND)
    assert "nobody was found in 8 frames" in line


def test_nobody_in_the_first_frames(lift, tmp_path):
    clip = make_film(tmp_path / "a.mp4", empty(6) + walking(15))
    lift(clip, "--detect-every", 3, "--person", "largest")
    present = result_of(clip).is_present[0]
    assert len(present) == 21
    assert not present[:6].any()
    assert present[12:].all()


def test_somebody_who_leaves_and_comes_back(lift, tmp_path):
    n_away = round(1.0 * FPS)
    clip = make_film(tmp_path / "a.mp4", walking(15) + empty(n_away) + walking(15))
    lift(clip, "--detect-every", 3)
    result = result_of(clip)
    anybody = result.is_present.any(0)
    assert len(anybody) == 30 + n_away
    assert anybody[:14].all()
    assert anybody[-8:].all()
    assert not anybody[18 : 14 + n_away].any()
    assert np.isnan(result.xyz_root[:, 20]).all()


def test_a_clip_of_one_frame(lift, tmp_path):
    clip = make_film(tmp_path / "a.mp4", walking(1))
    lift(clip)
    result = result_of(clip)
    assert result.frame.tolist() == [0]
    assert np.isfinite(result.xyz_root).all()


def test_a_4k_portrait_clip_with_a_rotation_flag(lift, tmp_path):
    tall = [cv2.copyMakeBorder(p, 1160, 1160, 0, 0, cv2.BORDER_REPLICATE)
            for p in walking(3, (2160, 1520))]  # fmt: skip
    clip = make_film(tmp_path / "a.mp4", tall, rotation=90)
    lift(clip)
    result = result_of(clip)
    assert json.loads(str(result.meta))["camera"]["image_size"] == [2160, 3840]
    head, ankle = (joint(result, name) for name in ("head", "left_ankle"))
    # Upright: the head is above the feet, in pixels and in metres.
    assert (result.keypoints_px[0, :, head, 1] < result.keypoints_px[0, :, ankle, 1]).all()


def test_a_variable_rate_keeps_its_times(lift, tmp_path):
    steps = [1 if number % 3 else 4 for number in range(15)]
    times_s = (np.cumsum(steps) - steps[0]) / 30
    clip = make_film(tmp_path / "a.mp4", walking(15), times_s=times_s)
    lift(clip)
    np.testing.assert_allclose(result_of(clip).time_s, times_s, atol=1e-3)


@pytest.mark.parametrize("gap_s", [1.2, 3.0])
def test_few_pictures_a_second(lift, tmp_path, gap_s):
    times_s = [number * gap_s for number in range(12)]
    clip = make_film(tmp_path / "a.mp4", walking(12), times_s=times_s)
    lift(clip, render="side-by-side")
    result = result_of(clip)
    assert result.xyz_root.shape[:2] == (2, 12)
    assert not np.isnan(result.xyz_root).any()
    np.testing.assert_allclose(result.time_s, times_s, atol=1e-3)


@pytest.mark.parametrize("where", ["below a file", "in a system folder", "read-only"])
def test_an_output_folder_that_cannot_be_written(lift, tmp_path, where):
    clip = make_film(tmp_path / "a.mp4", walking(6))
    locked = tmp_path / "locked"
    locked.mkdir(mode=0o555)
    if where == "read-only" and os.access(locked, os.W_OK):
        pytest.skip("this user may write everywhere")
    out = {"below a file": clip / "x", "in a system folder": "/proc/x", "read-only": locked}[where]
    line = refused(lift, tmp_path, clip, "-o", out, code=ExitCode.CANNOT_WRITE)
    assert "choose another folder" in line


@pytest.mark.parametrize("render", ["off", "side-by-side"])
def test_a_disk_that_fills_up(lift, tmp_path, render):
    clip = make_film(tmp_path / "a.mp4", walking(6))
    # The arrays and the table fit below the higher limit; the drawn video does not.
    limit = 2_000 if render == "off" else 40_000
    with no_file_longer_than(limit):
        result = lift(clip, "-o", tmp_path / "out", code=ExitCode.CANNOT_WRITE, render=render)
    assert "cannot be written (file too large); choose another folder" in result.stderr
    left = [p.name for p in (tmp_path / "out").rglob("*") if p.is_file()]
    assert not [name for name in left if name.startswith(".")]
    assert ("a.npz" in left) == (render != "off")
    assert "a.mp4" not in left
    assert "run.json" not in left  # what tells a finished clip


def test_weights_of_another_lifter(pose3d, tmp_path):
    path = tmp_path / "acme.safetensors"
    weights.save(path, tiny("dualstream"), about("dualstream"))
    spoilt = path.read_bytes().replace(b'"lifter":"dualstream"', b'"lifter":"acmestream"')
    path.write_bytes(spoilt)
    stderr = pose3d("lift", SAMPLE, "--weights", path, code=ExitCode.BAD_WEIGHTS).stderr
    assert f"{path}: no lifter 'acmestream'" in stderr


@pytest.mark.parametrize("share", [0.0, 0.02, 0.9])
def test_corrupt_weights(pose3d, tmp_path, tiny_weights, share):
    path = tmp_path / "w.safetensors"
    path.write_bytes(tiny_weights.read_bytes())
    truncate(path, share)
    stderr = pose3d("lift", SAMPLE, "--weights", path, code=ExitCode.BAD_WEIGHTS).stderr
    assert str(path) in stderr
    assert "cut off" in stderr or "not a safetensors file" in stderr


def test_weights_that_do_not_exist(pose3d):
    pose3d("lift", SAMPLE, "--weights", "nonesuch", code=ExitCode.BAD_WEIGHTS)
    pose3d("lift", SAMPLE, "--weights", "none.safetensors", code=ExitCode.BAD_WEIGHTS)


def coco(n_joints, n_frames=6, *, spoil=None):
    """Return COCO keypoint results of somebody who stands still."""
    rows = []
    for frame in range(n_frames):
        points = np.stack(
            [np.linspace(100, 300, n_joints), np.linspace(50, 300, n_joints), np.ones(n_joints)], 1
        )
        if spoil is not None:
            points[spoil] = np.nan
        rows.append({
            "image_id": frame,
            "category_id": 1,
            "keypoints": points.ravel().tolist(),
            "score": 1.0,
        })  # fmt: skip
    return json.dumps(rows)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (coco(19), "19"),
        ("[]", "no|nobody|empty"),
        ("{ not json", "JSON"),
        (coco(17, spoil=slice(None)), "no|nobody"),
    ],
    ids=["19 joints", "empty", "no JSON", "all NaN"],
)
def test_keypoint_files_that_cannot_be_used(lift, tmp_path, text, words):
    clip = make_film(tmp_path / "a.mp4", empty(6))
    points = tmp_path / "points.json"
    points.write_text(text)
    code = ExitCode.BAD_INPUT
    line = refused(lift, tmp_path, clip, "--from-2d", points, code=code)
    assert re.search(words, line), line


def test_some_keypoints_that_are_no_numbers_are_filled_in(lift, tmp_path):
    clip = make_film(tmp_path / "a.mp4", empty(6))
    points = tmp_path / "points.json"
    points.write_text(coco(17, spoil=slice(9, 10)))  # a wrist
    lift(clip, "--from-2d", points)
    result = result_of(clip)
    assert np.isfinite(result.xyz_root).all()
    assert (result.score[0, :, joint(result, "left_wrist")] == 0).all()


def test_one_bad_clip_among_good_ones_does_not_stop_them(lift, tmp_path):
    good = make_film(tmp_path / "good.mp4", walking(6))
    bad = make_text(tmp_path / "bad.mp4")
    result = lift(bad, good, "--json", code=ExitCode.SOME_CLIPS_FAILED)
    rows = [json.loads(line) for line in result.stdout.splitlines()]
    assert rows.pop()["totals"]["failed"] == 1
    told = {row["clip"]: row for row in rows}
    assert told[str(bad)]["error"]["exit_code"] == ExitCode.BAD_INPUT
    assert told[str(good)]["people"] >= 1


def test_a_device_that_is_not_there(pose3d, tiny_weights):
    import torch

    absent = "mps" if not torch.backends.mps.is_available() else "cuda"
    line = pose3d(
        "lift", SAMPLE, "--weights", tiny_weights, "--device", absent, code=ExitCode.NO_DEVICE
    ).stderr
    assert f"--device {absent}" in line


def test_a_person_who_is_not_there(lift, tmp_path):
    clip = make_film(tmp_path / "a.mp4", walking(6))
    line = refused(lift, tmp_path, clip, "--person", "7", code=ExitCode.NOBODY_FOUND)
    assert "--person 7: not in this clip" in line

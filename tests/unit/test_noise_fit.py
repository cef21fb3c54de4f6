import json
from dataclasses import replace

import numpy as np
import pytest

from pose3d_cli.files.keypoints import write_keypoints
from pose3d_cli.files.video_writer import VideoWriter
from pose3d_cli.learn.rendered.detector_error import flips, joint_errors, nearest
from pose3d_cli.learn.rendered.fit_noise import FEWEST_CLIPS, fit_noise
from pose3d_cli.learn.rendered.generated import generated
from pose3d_cli.learn.rendered.noise_tracks import memory_of, simulate
from pose3d_cli.learn.rendered.recorded import read_known
from pose3d_cli.learn.rendered.report import found_ones, report
from pose3d_cli.learn.rendered.score_error import score_error
from pose3d_cli.learn.synthetic.detector_noise import Flips
from pose3d_cli.learn.synthetic.noise_file import find_noise, read_noise
from pose3d_cli.pose.measures import LIMB_JOINTS
from pose3d_cli.pose.skeleton import H36M17
from tests.bodies import looking, walking
from tests.miniatures import folder as mini
from tests.unit.test_detector_error import clip_of, keypoints_at, seen_at, stance

LIMBS = [H36M17.index(joint) for joint in LIMB_JOINTS]
MEASURED = find_noise("measured")


def fitted(noise, clips=80):
    return fit_noise(found_ones(generated([walking()], clips, noise=noise)), "mine", "here")


@pytest.fixture(scope="module")
def again():
    """The noise that is found where the generator errs by a noise of our own."""
    offset = {**MEASURED.marks.offset_m, "knee": [0.04, 0.0, 0.05]}
    noise = replace(
        MEASURED,
        marks=replace(MEASURED.marks, offset_m=offset),
        jitter=replace(MEASURED.jitter, spread=0.016),
        flips=Flips(body=0.0, legs=0.25, arms=0.0, lasts_s=0.5),
        scores=replace(MEASURED.scores, vague=0.8, slope=4.0),
    )
    return fitted(noise).noise


# --- the fit --------------------------------------------------------------------------------------


def test_the_fit_finds_the_noise_that_is_there():
    found = fitted(MEASURED).noise
    for kind, offset in MEASURED.marks.offset_m.items():
        np.testing.assert_allclose(found.marks.offset_m[kind], offset, atol=0.006)
        assert found.marks.differ_m[kind] == pytest.approx(MEASURED.marks.differ_m[kind], abs=0.006)
        spread = MEASURED.jitter.spread * MEASURED.jitter.worse.get(kind, 1.0)
        told = found.jitter.spread * found.jitter.worse[kind]
        assert told == pytest.approx(spread, rel=0.35)
        assert 0.3 < found.lost.share[kind] / MEASURED.lost.share.get(kind, 0.03) < 2.0
    assert found.jitter.memory_s["other"] == pytest.approx(0.246, rel=0.4)
    assert found.jitter.clips_differ == pytest.approx(0.5, abs=0.2)
    assert found.scores.slope > 0.6


def test_the_fit_follows_what_is_changed(again):
    base = fitted(MEASURED).noise
    np.testing.assert_allclose(again.marks.offset_m["knee"], [0.04, 0.0, 0.05], atol=0.012)
    assert again.jitter.spread == pytest.approx(2 * base.jitter.spread, rel=0.3)
    assert again.flips.legs == pytest.approx(0.25, abs=0.1)
    assert max(again.flips.body, again.flips.arms) < 0.05
    assert again.scores.vague > base.scores.vague + 0.2
    assert again.scores.slope > 1.4 * base.scores.slope


def test_gaussian_noise_has_no_memory_nothing_lost_and_scores_that_tell_nothing():
    fit = fitted(find_noise("gaussian"), 30)
    assert fit.noise.jitter.memory_s["other"] < 0.1
    assert max(fit.noise.lost.share[kind] for kind in ("hip", "wrist")) < 0.02
    assert fit.noise.scores.vague == 1
    assert fit.noise.scores.slope == MEASURED.scores.slope
    assert "scores.slope" in fit.assumed


def test_few_clips_say_nothing_of_clips():
    few = fitted(replace(find_noise("gaussian"), name="few"), FEWEST_CLIPS - 1)
    assert few.noise.marks == MEASURED.marks
    assert few.noise.jitter.clips_differ == MEASURED.jitter.clips_differ
    assert few.noise.jitter.spread == pytest.approx(0.018, rel=0.1)
    assert {"marks.offset_m", "jitter.clips_differ"} <= set(few.assumed)


def test_short_clips_hide_some_of_a_long_memory():
    short, long = simulate(1.0, 0.95, 0.3, 25, 25.0), simulate(0.05, 0.95, 0.3, 25, 25.0)
    assert short.usual < 0.85 < long.usual
    assert short.remembered > long.remembered + 0.1
    assert memory_of(simulate(0.3, 0.95, 0.3, 50, 25.0).remembered, 0.95, 0.3, 50, 25.0) == (
        pytest.approx(0.3, rel=0.25)
    )


# --- scores and flips -----------------------------------------------------------------------------


def test_scores_that_tell_the_error_are_told_from_those_that_do_not():
    camera, xyz = looking((640, 640), 700.0), stance()
    moved = xyz.copy()
    off = np.random.default_rng(0).uniform(0, 0.1, moved.shape[:2])
    moved[..., 0] += off
    clip = clip_of(xyz, camera)
    keypoints = keypoints_at(moved, camera)
    assert score_error([(clip, nearest([keypoints], clip))]).rank_correlation is None
    told = replace(keypoints, score=(1 - 5 * off).astype(np.float32))
    found = report("x", [(clip, nearest([told], clip))])
    assert found.scores.rank_correlation == pytest.approx(-1.0, abs=0.01)
    errors = [error for _, error in found.scores.quarters]
    assert errors == sorted(errors, reverse=True)
    assert [score for score, _ in found.scores.quarters] == pytest.approx(
        np.quantile(1 - 5 * off[:, LIMBS], [0.125, 0.375, 0.625, 0.875]), abs=0.02
    )
    assert "-1.00" in found.scores_in_words()


def test_flips_are_those_of_the_detector_itself_and_told_where_the_sides_are_apart():
    xyz = stance()
    rays = xyz[..., :2] / xyz[..., 2:]
    seen = rays.copy()
    legs = [H36M17.index(f"{s}_{j}") for s in ("left", "right") for j in ("knee", "ankle")]
    seen[5:9, legs] = rays[5:9][:, H36M17.mirror][:, legs]
    extent = np.ptp(rays, axis=1).max(-1)
    found = flips(seen, rays, extent)
    assert list(np.flatnonzero(found[:, 1])) == [5, 6, 7, 8]
    assert (found[:, 0] == 0).all()
    narrow = rays * [0.01, 1.0]
    assert np.isnan(flips(narrow, narrow, extent)[:, 1]).all()  # straight from the side


# --- real recordings ------------------------------------------------------------------------------


@pytest.fixture
def recorded(tmp_path):
    """A video with the truth of its limbs alone, and a lens that bends."""
    time_s = mini.times(30, 1)
    with VideoWriter(tmp_path / "walk.mp4", size_px=mini.SIZE, fps=30.0) as writer:
        for t in time_s:
            writer.write(np.zeros((mini.SIZE[1], mini.SIZE[0], 3), np.uint8), float(t))
    mini.write_settings(tmp_path, more="distortion = [-0.2, 0.05, 0.0, 0.0]\n")
    path = mini.write_trc(tmp_path / "walk.trc", time_s, 30)
    for name in ("CHip", "Neck", "Nose", "Head"):
        path.write_text(path.read_text().replace(name, f"no{name}"))
    return tmp_path


def test_recordings_are_known_where_their_truth_is(recorded):
    (clip,) = read_known(recorded)
    truth = mini.to_camera(mini.person_at(mini.times(30, 1)))
    np.testing.assert_allclose(clip.xyz[:, LIMBS], truth[:, LIMBS], atol=1e-4)
    unknown = [H36M17.index(j) for j in ("spine", "thorax", "nose", "head")]
    assert np.isnan(clip.xyz[:, unknown]).all()
    assert not clip.shown[:, unknown].any()
    assert clip.shown[:, H36M17.index("left_hip")].all()
    assert len(clip.xyz) == 30


def test_a_detector_is_measured_on_recordings_joints_of_unknown_truth_left_out(
    pose3d, recorded, tmp_path
):
    (clip,) = read_known(recorded)
    seen = mini.seen_at(mini.times(30, 1), 30)
    xy = clip.keypoints_px.astype(np.float32)  # through the lens
    xy[:, [H36M17.index("left_knee"), H36M17.index("right_knee")], 1] -= 500 * 0.02 / 3
    xy[np.isnan(xy)] = 7.0  # found by the detector, known to nobody
    folder = tmp_path / "found"
    folder.mkdir()
    write_keypoints(folder / "walk_keypoints.npz", [replace(seen, xy=xy)], {})
    told = pose3d(
        "bench", "detector", recorded, "--from-2d", folder, "--write-noise", folder / "mine.toml",
        "--json",
    )  # fmt: skip
    found = json.loads(told.stdout)
    assert set(found["joints"]) == {"hip", "knee", "ankle", "shoulder", "elbow", "wrist"}
    assert found["joints"]["knee"]["up_mm"] == pytest.approx(20.0, abs=2.0)
    assert abs(found["joints"]["ankle"]["up_mm"]) < 0.5  # so the lens is undone
    assert found["frames_missed"] == 0
    assert f"1 clips ({FEWEST_CLIPS} would do)" in told.stderr
    noise = read_noise(folder / "mine.toml")
    assert (noise.name, noise.marks) == ("mine", MEASURED.marks)
    assert "measured on 1 clips" in noise.about


def test_recordings_that_cannot_be_measured_say_why(pose3d, recorded):
    mini.write_settings(recorded, placed=False)
    assert "rotation and translation" in pose3d("bench", "detector", recorded, code=3).stderr
    (recorded / "walk.toml").write_text("")
    assert "no calibration" in pose3d("bench", "detector", recorded, code=3).stderr
    (recorded / "walk.trc").unlink()
    assert "videos beside their truth" in pose3d("bench", "detector", recorded, code=3).stderr
    result = pose3d("bench", "detector", recorded, "--write-noise", "mine.txt", code=2)
    assert "ends in .toml" in result.stderr


def test_the_trunk_of_a_truth_of_limbs_has_axes():
    camera, xyz = looking((640, 640), 700.0), stance()
    moved = xyz.copy()
    for side in ("left", "right"):
        moved[:, H36M17.index(f"{side}_elbow"), 1] -= 0.03
    limbs = xyz.copy()
    limbs[:, [j for j in range(17) if j not in LIMBS]] = np.nan
    whole, part = (joint_errors([seen_at(t, moved, camera)])["elbow"] for t in (xyz, limbs))
    assert part.up_mm == pytest.approx(whole.up_mm, abs=2.0)


def test_the_generators_noise_can_be_named(pose3d, tmp_path):
    from tests.motion import tiny_pack

    data = tiny_pack(tmp_path / "pack")
    flags = ("--generator", data, "--detector-noise", "gaussian", "--json")
    found = json.loads(pose3d("bench", "detector", *flags).stdout)
    assert abs(found["joints"]["ankle"]["up_mm"]) < 3
    assert found["scores"]["rank_correlation"] is None
    assert (
        "no 'gausian'"
        in pose3d(
            "bench", "detector", "--generator", data, "--detector-noise", "gausian", code=2
        ).stderr
    )

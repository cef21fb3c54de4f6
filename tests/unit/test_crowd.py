"""The bench of identities, on people who walk along."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from pose3d_cli.errors import InputError, SettingsError
from pose3d_cli.files.mocap_pack import write_pack
from pose3d_cli.learn.crowd.bench import CASES, bench_tracking, draw_scenes, measure
from pose3d_cli.learn.crowd.identities import Identities, score_identities
from pose3d_cli.learn.crowd.scenes import FPS, KINDS, SIZE_PX, make_scene, walks
from pose3d_cli.learn.crowd.stage import Stage
from pose3d_cli.pose.boxes import around, iou
from pose3d_cli.pose.skeleton import H36M17
from pose3d_cli.pose.types import Keypoints2D
from tests.crowds import walker


@pytest.fixture(scope="module")
def clips():
    return [walker(number, 1.1 + 0.1 * number) for number in range(3)]


def test_walks_begin_at_the_origin_and_lead_along_x(clips):
    for number, walk in enumerate(walks(clips)):
        assert walk.shape == (75, 17, 3)
        np.testing.assert_allclose(walk[0, 0, :2], 0, atol=1e-6)
        way = walk[-1, 0] - walk[0, 0]
        assert way[0] == pytest.approx((1.1 + 0.1 * number) * 74 / FPS, rel=0.05)
        assert abs(way[1]) < 0.05
        assert walk[..., 2].mean() > 0.5


def test_who_goes_nowhere_is_no_walker(clips):
    idle = walker(metres_a_s=0.1)
    assert len(walks([*clips, idle])) == 3
    with pytest.raises(InputError, match="none of 1 clips shows somebody who goes 2 m"):
        walks([idle])


@pytest.mark.parametrize("kind", KINDS)
def test_people_meet_or_do_not_as_the_kind_says(clips, kind):
    for scene, _ in draw_scenes(clips, kind, 5, 0, alike=False):
        box = around(scene.xy)
        shared = np.array([iou(box[:, f], box[:, f])[0, 1] for f in range(scene.xy.shape[1])])
        assert (shared.max() > 0.02) == (kind != "apart")
        right = scene.xyz[:2, :, 0, 0]
        order = np.sign(right[0] - right[1])
        if kind == "crossing":
            assert order[0] == -order[74]
            assert order[0] == order[-1]
        upright = scene.xyz[..., H36M17.index("head"), 1] < scene.xyz[..., 0, 1]
        assert upright.all()
        assert (scene.xyz[..., 2] > 0).all()


def test_people_dressed_alike_have_the_same_colours(clips):
    random = np.random.default_rng(0)
    alike = make_scene("apart", walks(clips), random, alike=True)
    assert len(np.unique(alike.colours, axis=0)) == 1
    assert len(np.unique(make_scene("apart", walks(clips), random).colours, axis=0)) > 1


def track(xy, frames):
    return Keypoints2D(
        xy=xy[frames].astype(np.float32),
        score=np.ones((len(frames), 17), np.float32),
        frames=np.asarray(frames),
        time_s=np.asarray(frames) / FPS,
        fps=FPS,
        image_size=SIZE_PX,
        skeleton=H36M17,
    )


def two_people(frames=40):
    body = np.random.default_rng(0).uniform(0, 100, (17, 2))
    return np.stack([np.repeat(body[None] + at, frames, axis=0) for at in (0, 300)])


def test_identities_are_scored_as_defined():
    truth = two_people()
    shown = np.ones((2, 40), bool)
    right = [track(truth[0], range(40)), track(truth[1], range(40))]
    assert score_identities(right, truth, shown) == Identities(right=80, found=80, true=80)

    swapped = [replace(one, xy=np.concatenate([one.xy[:30], two.xy[30:]]))
               for one, two in (right, right[::-1])]  # fmt: skip
    found = score_identities(swapped, truth, shown)
    assert found == Identities(right=60, found=80, true=80, switches=2)
    assert found.idf1 == pytest.approx(0.75)

    parts = [track(truth[0], range(30)), track(truth[0], range(30, 40)), right[1]]
    assert score_identities(parts, truth, shown) == Identities(
        right=70, found=80, true=80, switches=1
    )


def test_who_is_missed_or_hidden_or_nobody_counts_as_that():
    truth, shown = two_people(), np.ones((2, 40), bool)
    shown[1, 20:] = False
    both = [track(truth[0], range(40)), track(truth[1], range(40))]
    assert score_identities(both, truth, shown) == Identities(right=60, found=60, true=60)
    assert score_identities(both[:1], truth, shown) == Identities(right=40, found=40, true=60)
    nobody = track(truth[0] + 5000, range(10))
    assert score_identities([*both, nobody], truth, shown).found == 70
    assert score_identities([], truth, shown).idf1 == 0
    assert Identities().idf1 == 1


def test_a_stage_errs_where_it_should(clips):
    missed = hidden = 0
    for scene, random in draw_scenes(clips, "crossing", 6, 0, alike=False):
        stage = Stage(scene, random, follows=False)
        counts = [len(stage.detect(frame.image)) for frame in stage.film()]
        assert len(counts) == scene.xy.shape[1]
        missed += sum(count < len(scene.xy) for count in counts)
        hidden += int(stage.hidden.sum())
    assert hidden > 0
    assert missed > hidden / 2


def test_people_of_a_stage_are_where_the_scene_has_them(clips):
    ((scene, random),) = draw_scenes(clips, "apart", 1, 0, alike=False)
    stage = Stage(scene, random, follows=True)
    near = None
    for frame in stage.film():
        near = stage.detect(frame.image, near)
        assert frame.image.shape == (*SIZE_PX[::-1], 3)
        for xy, origin in zip(near.xy, near.origin, strict=True):
            off = np.median(np.linalg.norm(scene.xy[:, frame.index] - xy, axis=-1), -1)
            assert origin < 0 or off.min() < 40


@pytest.mark.parametrize(("kind", "follows"), [("apart", True), ("crossing", False)])
def test_identities_hold(clips, kind, follows):
    """What is asked of identities where people meet, on few scenes and clean walks."""
    found = measure(draw_scenes(clips, kind, 3, 0, alike=False), follows=follows)
    assert found.idf1 > 0.95
    assert kind == "crossing" or found.switches == 0


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ({"scenes": 0}, "--scenes 0: must be 1 or more"),
        ({"scenes": 1, "people": 1}, "--people 1: must be 2 or more"),
    ],
)
def test_scenes_that_cannot_be_are_refused(clips, asked, told):
    with pytest.raises(SettingsError, match=told):
        next(bench_tracking(clips, **asked))


def test_scenes_that_do_not_come_up_are_given_up(clips, monkeypatch):
    monkeypatch.setattr("pose3d_cli.learn.crowd.scenes._TRIES", 0)
    with pytest.raises(SettingsError, match="--people 2: no scene in which they are apart"):
        make_scene("apart", walks(clips), np.random.default_rng(0))


def test_the_command(clips, tmp_path: Path, pose3d, monkeypatch):
    monkeypatch.setattr("pose3d_cli.learn.crowd.bench.CASES", CASES[4:6])
    write_pack(tmp_path / "pack", clips)
    told = pose3d("bench", "track", "--data", tmp_path / "pack", "--scenes", "1").stdout
    assert told.count("crossing") == 2
    assert "IDF1" in told
    refused = pose3d("bench", "track", "--data", tmp_path / "pack", "--scenes", "0", code=2)
    assert "--scenes 0: must be 1 or more" in refused.stderr

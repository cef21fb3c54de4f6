"""Identities beside those of ByteTrack, where `pip install trackers` has been run."""

from __future__ import annotations

import numpy as np
import pytest

from pose3d_cli.detect.track import track_people
from pose3d_cli.learn.crowd.bench import draw_scenes
from pose3d_cli.learn.crowd.identities import Identities, score_identities
from pose3d_cli.learn.crowd.scenes import FPS, SIZE_PX
from pose3d_cli.learn.crowd.stage import Stage
from pose3d_cli.pose.skeleton import H36M17
from pose3d_cli.pose.types import Keypoints2D
from tests.crowds import walker

trackers = pytest.importorskip("trackers")
supervision = pytest.importorskip("supervision")


def by_bytetrack(stage):
    """Whoever ByteTrack follows, all sightings in, tracks of five pictures or more out."""
    tracker = trackers.ByteTrackTracker(frame_rate=FPS, high_conf_det_threshold=0.5)
    rows: dict[int, list[tuple[int, np.ndarray]]] = {}
    for frame in stage.film():
        people = stage.detect(frame.image)
        seen = supervision.Detections(
            xyxy=people.box,
            confidence=people.score.mean(-1),
            class_id=np.zeros(len(people), int),
            data={"row": np.arange(len(people))},
        )
        found = tracker.update(seen)
        if not len(found):
            continue
        for number, row in zip(found.tracker_id, found.data["row"], strict=True):
            if number >= 0:
                rows.setdefault(int(number), []).append((frame.index, people.xy[row]))
    return [as_track(row) for row in rows.values() if len(row) >= 5]


def as_track(row):
    frames = np.array([frame for frame, _ in row])
    return Keypoints2D(
        xy=np.stack([xy for _, xy in row]),
        score=np.ones((len(row), 17), np.float32),
        frames=frames,
        time_s=frames / FPS,
        fps=FPS,
        image_size=SIZE_PX,
        skeleton=H36M17,
    )


@pytest.mark.parametrize("kind", ["apart", "crossing", "turning"])
def test_identities_hold_as_well_as_those_of_bytetrack(kind):
    ours = theirs = Identities()
    clips = [walker(number, 1.1 + 0.1 * number) for number in range(3)]
    for scene, random in draw_scenes(clips, kind, 6, 0, alike=False):
        stage = Stage(scene, random, follows=False)
        shown = ~stage.hidden
        tracks = track_people(stage, stage.film(), fps=FPS, image_size=SIZE_PX)
        ours += score_identities(tracks, scene.xy, shown)
        theirs += score_identities(by_bytetrack(stage), scene.xy, shown)
    assert theirs.idf1 > 0.3
    assert ours.idf1 >= theirs.idf1 - 0.01

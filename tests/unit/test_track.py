from __future__ import annotations

import weakref
from collections.abc import Iterator
from dataclasses import replace
from typing import ClassVar

import cv2
import numpy as np
import pytest

from pose3d_cli.detect.base import People2D, Search
from pose3d_cli.detect.pick import pick_people
from pose3d_cli.detect.track import track_people
from pose3d_cli.errors import NobodyFoundError, UnknownNameError
from pose3d_cli.files.video import VideoFrame
from pose3d_cli.pose.skeleton import COCO17
from pose3d_cli.pose.types import Keypoints2D

FPS = 30.0
WIDTH, HEIGHT = 640, 360
N_JOINTS = len(COCO17.joints)


class Blobs:
    """A detector of blocks on black, each brightness a person with joints on the diagonal.

    Args:
        follows: Whether it says which of `near` each person continues.
        score: Confidence of every joint.
    """

    name = "blobs"
    skeleton = COCO17

    def __init__(self, *, follows: bool, score: float = 0.9) -> None:
        self.follows = follows
        self.score = score
        self.searched: list[Search] = []

    def detect(
        self, image: np.ndarray, near: People2D | None = None, *, search: Search = Search.THOROUGH
    ) -> People2D:
        self.searched.append(search)
        values = [v for v in np.unique(image) if v > 0]
        rects = np.array([cv2.boundingRect((image[..., 0] == v).astype(np.uint8)) for v in values])
        rects = rects.reshape(-1, 4).astype(np.float32)
        left_top, size = rects[:, :2], rects[:, 2:]
        box = np.concatenate([left_top, left_top + size], axis=1)
        along = np.linspace(0, 1, N_JOINTS, dtype=np.float32)[:, None]
        people = People2D(
            box=box,
            xy=left_top[:, None] + along * size[:, None],
            score=np.full((len(box), N_JOINTS), self.score, np.float32),
            origin=np.full(len(box), -1, np.int64),
        )
        if not self.follows:
            return people
        # The brightness of a block stands for what a following detector recognises.
        hint = np.array(values, np.float32).reshape(-1, 1, 1).repeat(2, axis=2)
        known = [] if near is None else near.hint[:, 0, 0].tolist()
        origin = np.array([known.index(v) if v in known else -1 for v in values], np.int64)
        found = replace(people, origin=origin, hint=hint)
        return found if search or near is None else found.take(origin >= 0)


def film(
    paths: list[dict[int, tuple[int, int]]], n_frames: int, *, size: tuple[int, int] = (40, 100)
) -> Iterator[VideoFrame]:
    """Pictures of at most three blocks, at the left-top corner each path gives for a frame."""
    for index in range(n_frames):
        image = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
        for value, path in zip((255, 200, 150), paths, strict=False):
            if index in path:
                x, y = path[index]
                image[y : y + size[1], x : x + size[0]] = value
        yield VideoFrame(image=image, index=index, time_s=index / FPS)


def walk(start: int, end: int, x: int, y: int, speed: int = 3) -> dict[int, tuple[int, int]]:
    return {index: (x + speed * (index - start), y) for index in range(start, end)}


def follow(frames: Iterator[VideoFrame], *, follows: bool = True, **settings) -> list[Keypoints2D]:
    return track_people(
        Blobs(follows=follows), frames, fps=FPS, image_size=(WIDTH, HEIGHT), **settings
    )


@pytest.mark.parametrize("follows", [True, False])
def test_each_person_is_one_sequence(follows):
    tracks = follow(film([walk(0, 60, 20, 20), walk(0, 60, 580, 200, -3)], 60), follows=follows)
    assert [track.person for track in tracks] == [0, 1]
    assert [len(track) for track in tracks] == [60, 60]
    for track in tracks:
        assert np.ptp(track.xy[:, 0, 1]) == 0  # nobody changes to the other's height
        assert track.skeleton is COCO17
        assert (track.fps, track.image_size) == (FPS, (WIDTH, HEIGHT))
        np.testing.assert_allclose(track.time_s, track.frames / FPS)
    assert {float(track.xy[0, 0, 1]) for track in tracks} == {20, 200}


@pytest.mark.parametrize("follows", [True, False])
def test_someone_back_within_a_second_is_the_same_person(follows):
    path = {**walk(0, 30, 20, 50), **walk(50, 90, 110, 50)}
    (track,) = follow(film([path], 90), follows=follows)
    assert track.frames[29] == 29
    assert 50 <= track.frames[30] <= 52
    assert track.frames[-1] == 89


def test_someone_back_later_is_somebody_else():
    path = {**walk(0, 30, 20, 50), **walk(100, 145, 110, 50)}
    tracks = follow(film([path], 145))
    assert [track.person for track in tracks] == [0, 1]
    assert tracks[0].frames[-1] == 29
    assert tracks[1].frames[0] >= 100


def test_the_detector_s_word_decides_when_people_pass_each_other():
    # From one frame to the next each comes to stand next to where the other was.
    paths = [walk(0, 36, 20, 20, 14), walk(0, 36, 508, 20, -14)]
    tracks = follow(film(paths, 36, size=(4, 60)))
    assert [len(track) for track in tracks] == [36, 36]
    assert {float(track.xy[-1, 0, 0] - track.xy[0, 0, 0]) for track in tracks} == {490, -490}


def test_two_people_are_never_given_to_one_track():
    tracks = follow(
        film([walk(0, 20, 200, 50, 0), walk(28, 60, 190, 50, 0), walk(28, 60, 250, 50, 0)], 60)
    )
    assert len(tracks) == 2
    assert min(len(track) for track in tracks) > 20


def test_someone_far_away_is_somebody_else_at_once():
    tracks = follow(film([walk(0, 30, 20, 50), walk(32, 60, 500, 250)], 60))
    assert len(tracks) == 2


def test_identities_are_numbered_in_order_of_appearance():
    tracks = follow(film([walk(40, 100, 400, 200, 0), walk(0, 100, 20, 20, 1)], 100))
    assert [track.person for track in tracks] == [0, 1]
    assert [int(track.frames[0]) for track in tracks] == [0, 40]


def test_nobody_is_no_sequence():
    assert follow(film([], 40)) == []
    assert follow(iter(())) == []


def test_a_flicker_is_nobody():
    tracks = follow(film([walk(0, 90, 20, 20, 1), walk(30, 34, 500, 200)], 90))
    assert len(tracks) == 1


def test_a_flicker_of_a_few_frames_is_nobody_in_a_slow_video():
    frames = [replace(frame, time_s=frame.index / 10) for frame in film([walk(20, 24, 20, 20)], 60)]
    found = track_people(Blobs(follows=True), frames, fps=10.0, image_size=(WIDTH, HEIGHT))
    assert found == []


@pytest.mark.parametrize(("score", "n_tracks"), [(0.9, 1), (0.5, 0), (0.1, 0)])
def test_someone_unsure_must_stay_longer(score, n_tracks):
    detector = Blobs(follows=True, score=score)
    frames = film([walk(10, 40, 20, 20)], 300)
    assert len(track_people(detector, frames, fps=FPS, image_size=(WIDTH, HEIGHT))) == n_tracks
    frames = film([walk(10, 100, 20, 20)], 300)
    found = track_people(detector, frames, fps=FPS, image_size=(WIDTH, HEIGHT))
    assert len(found) == (score > 0.3)


def test_a_clip_of_one_frame_still_shows_somebody():
    (track,) = follow(film([walk(0, 1, 20, 20)], 1))
    assert track.frames.tolist() == [0]


def slow(times_s: list[float]) -> Iterator[VideoFrame]:
    """Somebody who takes a small step from picture to picture."""
    n_frames = len(times_s)
    for frame in film([walk(0, n_frames, 20, 50), walk(0, n_frames, 400, 100)], n_frames):
        yield replace(frame, time_s=times_s[frame.index])


@pytest.mark.parametrize(
    ("times_s", "fps"),
    [
        (np.arange(12) * 1.2, 1 / 1.2),
        (np.arange(12) * 1.2, 1.0),
        (np.arange(12) + 0.3 * (np.arange(12) > 5), 1.0),
        (np.arange(12) * 3.0, 1 / 3),
        (np.arange(12) * 3.0, 30.0),
    ],
    ids=["1.2 s", "1.2 s, said 1 s", "1 s and once 1.3 s", "3 s", "3 s, said 1/30 s"],
)
@pytest.mark.parametrize("follows", [True, False])
def test_people_of_few_pictures_a_second_are_followed(times_s, fps, follows):
    detector = Blobs(follows=follows)
    found = track_people(detector, slow(times_s.tolist()), fps=fps, image_size=(WIDTH, HEIGHT))
    assert [len(track) for track in found] == [12, 12]


def test_one_pause_in_a_quick_video_parts_people():
    times_s = np.arange(60) / FPS + 3.0 * (np.arange(60) >= 30)
    found = track_people(
        Blobs(follows=True), slow(times_s.tolist()), fps=FPS, image_size=(WIDTH, HEIGHT)
    )
    assert len(found) == 4


class Doubles(Blobs):
    """A detector that sees everybody it follows twice; `asked` tells after how many."""

    asked: ClassVar[list[int]] = []

    def detect(
        self, image: np.ndarray, near: People2D | None = None, *, search: Search = Search.THOROUGH
    ) -> People2D:
        self.asked.append(0 if near is None else len(near))
        people = super().detect(image, near, search=search)
        return people.take(np.repeat(np.arange(len(people)), 2)) if near else people


def test_somebody_seen_twice_is_one_person():
    frames = film([walk(0, 30, 20, 50)], 30)
    found = track_people(Doubles(follows=True), frames, fps=FPS, image_size=(WIDTH, HEIGHT))
    assert [len(track) for track in found] == [30]
    assert max(Doubles.asked) == 1


def test_people_are_searched_for_now_and_then_and_when_somebody_is_lost():
    detector = Blobs(follows=True)
    path = {**walk(0, 35, 20, 50, 0), **walk(60, 90, 20, 50, 0)}
    frames = film([path, walk(0, 90, 400, 100, 0)], 90)
    track_people(detector, frames, fps=FPS, image_size=(WIDTH, HEIGHT), detect_every=20)
    assert detector.searched[0] is Search.THOROUGH
    assert sum(map(bool, detector.searched[:35])) == 2
    assert any(detector.searched[36:38])


def test_pictures_are_dropped_as_the_video_streams():
    seen: list[weakref.ref[np.ndarray]] = []

    def watched() -> Iterator[VideoFrame]:
        for frame in film([walk(0, 30, 20, 20)], 30):
            alive = sum(reference() is not None for reference in seen)
            assert alive <= 2
            seen.append(weakref.ref(frame.image))
            yield frame

    follow(watched())
    assert len(seen) == 30


def person(number: int, n_frames: int, height: float) -> Keypoints2D:
    xy = np.zeros((n_frames, N_JOINTS, 2), np.float32)
    xy[:, :, 1] = np.linspace(0, height, N_JOINTS)
    xy[:, ::2, 0] = height / 3
    return Keypoints2D(
        xy=xy,
        score=np.ones((n_frames, N_JOINTS), np.float32),
        frames=np.arange(n_frames, dtype=np.int64),
        time_s=np.arange(n_frames) / FPS,
        fps=FPS,
        image_size=(WIDTH, HEIGHT),
        skeleton=COCO17,
        person=number,
    )


def test_pick_people():
    crowd = [person(0, 50, 60), person(1, 40, 300), person(4, 90, 50)]
    assert [track.person for track in pick_people(crowd, "all")] == [0, 1, 4]
    assert [track.person for track in pick_people(crowd, "largest")] == [1]
    assert [track.person for track in pick_people(crowd, "longest")] == [4]
    assert [track.person for track in pick_people(crowd, "4")] == [4]
    assert pick_people([], "largest") == []


def test_pick_people_refuses_in_words():
    crowd = [person(0, 50, 60), person(4, 40, 300)]
    with pytest.raises(NobodyFoundError, match=r"--person 2: not in this clip. Found: 0, 4"):
        pick_people(crowd, "2")
    with pytest.raises(NobodyFoundError, match="Found: nobody"):
        pick_people([], "0")
    with pytest.raises(UnknownNameError, match=r"'largst'.*did you mean 'largest'"):
        pick_people(crowd, "largst")

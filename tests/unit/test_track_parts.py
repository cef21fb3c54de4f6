"""Who is who over the parts of a long clip."""

from __future__ import annotations

import gc
import weakref

import numpy as np
import pytest

from pose3d_cli.detect.track import track_parts, track_people
from pose3d_cli.files.video import VideoFrame
from pose3d_cli.pose.spans import Parting
from pose3d_cli.pose.tracking.track import Seen
from tests.actors import FPS, SIZE, Actors
from tests.clips import picture

PART_S = 4.0
PART = round(PART_S * FPS)


def pictures(n_frames):
    for number in range(n_frames):
        yield VideoFrame(image=picture(number, SIZE), index=number, time_s=number / FPS)


def parts_of(script, n_frames, **settings):
    parting = Parting(part_s=PART_S, margin_s=3.0)
    return list(
        track_parts(
            Actors(script, **settings), pictures(n_frames), parting, fps=FPS, image_size=SIZE
        )
    )


def whole(script, n_frames, **settings):
    return track_people(Actors(script, **settings), pictures(n_frames), fps=FPS, image_size=SIZE)


def own_frames(parts):
    """The frames in which each person is, out of the parts' own."""
    frames = {}
    for part in parts:
        for person in part.people:
            rows = person.frames[part.span.is_own(person.frames)].tolist()
            frames.setdefault(person.person, []).extend(rows)
    return frames


def at(x, *spans):
    """Somebody who is at `x` in some spans of frames."""
    return lambda frame: {"a": x} if any(start <= frame < end for start, end in spans) else {}


def both(one, other):
    return lambda frame: {**one(frame), **{f"{name}2": x for name, x in other(frame).items()}}


BOUNDARIES = {
    "goes on": at(50.0, (0, 3 * PART)),
    "lost at the boundary, found within a second": at(50.0, (0, PART - 3), (PART + 4, 3 * PART)),
    "ends before the boundary": at(50.0, (0, PART - 1)),
    "enters in the margin before": at(50.0, (PART - 14, 3 * PART)),
    "enters in the margin after": at(50.0, (PART + 14, 3 * PART)),
    "there round the boundary only": at(50.0, (PART - 7, PART + 7)),
    "a boundary in an empty stretch": at(50.0, (0, PART - 20), (PART + 15, 3 * PART)),
    "two people": both(at(40.0, (0, 3 * PART)), at(150.0, (PART - 10, 2 * PART + 3))),
    "one goes and another comes": both(at(40.0, (0, PART)), at(150.0, (PART + 30, 3 * PART))),
}


@pytest.mark.parametrize("name", BOUNDARIES)
def test_people_are_those_of_the_clip_as_a_whole(name):
    script, n_frames = BOUNDARIES[name], 3 * PART
    parts = parts_of(script, n_frames)
    assert len(parts) == 3
    expected = {person.person: person.frames.tolist() for person in whole(script, n_frames)}
    assert own_frames(parts) == expected
    assert len(expected) >= 1
    assert all(part.span.is_own(p.frames).any() for part in parts for p in part.people)


def test_keypoints_of_parts_are_those_of_the_whole():
    script, n_frames = BOUNDARIES["two people"], 3 * PART
    people = {person.person: person for person in whole(script, n_frames)}
    n_rows = 0
    for part in parts_of(script, n_frames):
        for person in part.people:
            same = people[person.person]
            rows = np.searchsorted(same.frames, person.frames)
            np.testing.assert_array_equal(person.xy, same.xy[rows])
            np.testing.assert_array_equal(person.score, same.score[rows])
            np.testing.assert_array_equal(person.time_s, same.time_s[rows])
            n_rows += len(person)
    assert n_rows > sum(len(person) for person in people.values())  # with margins


def test_people_see_their_margins():
    first, middle, last = parts_of(BOUNDARIES["goes on"], 3 * PART)
    spans = [(p.people[0].frames[0], p.people[0].frames[-1]) for p in (first, middle, last)]
    margin = round(3 * FPS)
    assert spans == [
        (0, PART + margin - 1),
        (PART - margin, 2 * PART + margin - 1),
        (2 * PART - margin, 3 * PART - 1),
    ]


def test_a_person_of_one_part_stays_one_in_the_next_however_unsure():
    def score(frame):
        return 0.9 if frame < PART - 30 else 0.25

    script = at(50.0, (0, 2 * PART))
    assert own_frames(parts_of(script, 3 * PART, score=score)) == {0: list(range(2 * PART))}


def test_a_clip_of_one_part_is_as_the_whole():
    script, n_frames = BOUNDARIES["two people"], PART + PART // 2
    (part,) = parts_of(script, n_frames)
    assert part.span.is_whole
    for one, other in zip(part.people, whole(script, n_frames), strict=True):
        np.testing.assert_array_equal(one.xy, other.xy)
        np.testing.assert_array_equal(one.frames, other.frames)


def test_what_was_seen_is_gone_with_its_part():
    seen: list[weakref.ref[Seen]] = []
    alive = []
    script = BOUNDARIES["two people"]
    original = Seen.__init__

    def noted(self, **values):
        original(self, **values)
        seen.append(weakref.ref(self))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Seen, "__init__", noted)
        parting = Parting(part_s=PART_S, margin_s=3.0)
        for _ in track_parts(Actors(script), pictures(8 * PART), parting, fps=FPS, image_size=SIZE):
            gc.collect()
            alive.append(sum(one() is not None for one in seen))
    assert len(alive) == 8
    assert max(alive[1:]) <= 2 * 6 * FPS  # two people, the margins on both sides


def test_nobody_is_held_who_is_long_gone():
    from pose3d_cli.pose.tracking.tracker import Tracker

    # Somebody else every second: a busy street.
    script = lambda frame: {str(frame // 10): 20.0 + 50 * (frame // 10 % 3)}  # noqa: E731
    kept = []
    original = Tracker.forget

    def noted(self, before_s):
        original(self, before_s)
        kept.append(len(self.tracks))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Tracker, "forget", noted)
        parts = parts_of(script, 8 * PART)
    assert len(own_frames(parts)) > 20
    assert max(kept[:-1]) <= 12

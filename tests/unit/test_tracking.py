"""Who is who: predictions, assignment, looks, and what is mended when the clip is known."""

from __future__ import annotations

import numpy as np
import pytest

from pose3d_cli.detect.look import look
from pose3d_cli.pose.tracking.cost import apart, assign, cost, look_apart
from pose3d_cli.pose.tracking.doubles import distinct
from pose3d_cli.pose.tracking.exchange import exchanged
from pose3d_cli.pose.tracking.tidy import tidy
from pose3d_cli.pose.tracking.track import Seen, Track, velocity
from pose3d_cli.pose.tracking.tracker import Tracker

FPS = 25.0
RED = np.array([0.9, 0.1, 0.0], np.float32)
BLUE = np.array([0.0, 0.1, 0.9], np.float32)


def seen(frame, x, *, y=100.0, size=100.0, score=0.9, dress=None):
    """Somebody whose joints lie on a diagonal."""
    along = np.linspace(0, 1, 17, dtype=np.float32)[:, None] * np.float32([0.4 * size, size])
    xy = (np.float32([x, y]) + along).astype(np.float32)
    box = np.concatenate([xy.min(0), xy.max(0)]).astype(np.float32)
    return Seen(
        frame=frame,
        time_s=frame / FPS,
        xy=xy,
        score=np.full(17, score, np.float32),
        box=box,
        look=dress,
    )


def track(*sightings):
    made = Track()
    for one in sightings:
        made.extend(one)
    return made


def frames_of(tracks):
    return [[s.frame for s in one.seen] for one in tracks]


def test_velocity_is_that_of_the_last_third_of_a_second():
    walks = [seen(f, 4.0 * f if f < 20 else 80.0 + 10 * (f - 20)) for f in range(40)]
    np.testing.assert_allclose(velocity(reversed(walks)), [250.0, 0.0], atol=1e-3)
    np.testing.assert_allclose(velocity(walks), [100.0, 0.0], atol=1e-3)
    assert velocity(walks[:1]).tolist() == [0, 0]
    assert velocity([seen(0, 0), seen(1, 90)]).tolist() == [0, 0]  # too short to tell


def test_velocity_of_few_pictures_a_second_is_from_one_to_the_next():
    np.testing.assert_allclose(velocity([seen(0, 0), seen(25, 50), seen(50, 300)]), [50, 0])


def test_one_joint_far_off_changes_neither_size_nor_place():
    odd = seen(5, 20)
    odd.xy[3] = [900, 900]
    assert odd.size_px == pytest.approx(seen(0, 0).size_px, rel=0.15)
    assert apart(seen(4, 20), odd) < 0.2


def test_a_person_is_expected_where_they_were_going():
    walks = track(*[seen(f, 10.0 * f) for f in range(10)])
    assert cost(walks, seen(20, 200)) < 0.2
    assert cost(walks, seen(20, 200)) < cost(walks, seen(20, 150))
    assert cost(walks, seen(20, 90)) < 1  # or they stopped
    assert cost(walks, seen(20, -150)) == np.inf


def test_somebody_of_another_size_is_somebody_else():
    assert apart(seen(0, 0), seen(1, 0, size=160)) < 1
    assert apart(seen(0, 0), seen(1, 0, size=200)) == np.inf


def test_a_look_decides_between_two_who_stand_alike():
    dressed = track(*[seen(f, 0, dress=RED) for f in range(5)])
    assert cost(dressed, seen(5, 0, dress=RED)) < cost(dressed, seen(5, 0, dress=BLUE)) - 0.3
    assert look_apart(RED, RED) == pytest.approx(0, abs=1e-3)
    assert look_apart(RED, None) == 0


def test_most_people_are_matched_and_then_at_least_cost():
    costs = np.array([[0.1, 0.2], [0.15, np.inf]])
    assert sorted(assign(costs)) == [(0, 1), (1, 0)]
    assert assign(np.full((2, 3), np.inf)) == []
    assert assign(np.zeros((0, 3))) == []


def test_sure_people_are_matched_before_unsure_ones():
    tracker = Tracker()
    tracker.step([seen(0, 0)], [])
    tracker.step([seen(1, 0, score=0.3), seen(1, 20)], tracker.tracks[:])
    assert tracker.tracks[0].last.xy[0, 0] == 20
    assert len(tracker.tracks) == 2


def test_a_flicker_takes_nobody_from_a_track():
    tracker = Tracker()
    for frame in range(5):
        tracker.step([seen(frame, 0)], tracker.tracks[:1])
    tracker.step([seen(5, 30), seen(5, 1)], tracker.tracks[:])
    tracker.step([seen(6, 17)], tracker.tracks[:])  # nearer to the new one, which may be nobody
    assert [len(t) for t in tracker.tracks] == [7, 1]


def test_looks_of_people_who_overlap_are_not_remembered():
    tracker = Tracker()
    tracker.step([seen(0, 0, dress=RED), seen(0, 10, dress=BLUE), seen(0, 300, dress=BLUE)], [])
    assert [t.look is None for t in tracker.tracks] == [True, True, False]


def test_two_sightings_of_one_person_are_one():
    people = [seen(0, 0), seen(0, 5), seen(0, 30)]
    xy, box = (np.stack([getattr(p, name) for p in people]) for name in ("xy", "box"))
    assert distinct(xy, box).tolist() == [True, False, True]
    assert distinct(xy[:0], box[:0]).tolist() == []


def crossing(swap_at):
    """Red goes right, blue goes left; from frame `swap_at` on each track shows the other."""
    tracks = [Track(), Track()]
    for frame in range(60):
        red, blue = 8.0 * frame, 480 - 8.0 * frame
        dress = (None, None) if abs(red - blue) < 40 else (RED, BLUE)
        pair = [seen(frame, red, dress=dress[0]), seen(frame, blue, dress=dress[1])]
        order = pair if frame < swap_at else pair[::-1]
        for one, person in zip(tracks, order, strict=True):
            one.extend(person)
    return tracks


@pytest.mark.parametrize("swap_at", [28, 30, 32, 99])
def test_people_exchanged_while_they_met_are_given_back(swap_at):
    red, blue = tidy(crossing(swap_at))
    np.testing.assert_allclose([s.xy[0, 0] for s in red.seen], 8.0 * np.arange(60), atol=40)
    np.testing.assert_allclose([s.xy[0, 0] for s in blue.seen], 480 - 8.0 * np.arange(60), atol=40)
    assert len(red) == len(blue) == 60


def beside(swap_at, dresses):
    """Two people who walk close together from picture 20 to 60, exchanged from `swap_at` on."""
    both, close = [], []
    for frame in range(80):
        is_close = 20 <= frame < 60
        worn = (None, None) if is_close else dresses
        pair = [
            seen(frame, 4.0 * frame, dress=worn[0]),
            seen(frame, 4.0 * frame + 25, dress=worn[1]),
        ]
        both.append(tuple(pair if frame < swap_at else pair[::-1]))
        close.append(is_close)
    return both, close


def test_an_exchange_is_placed_where_the_tracker_jumped():
    assert np.flatnonzero(exchanged(*beside(30, (RED, BLUE)))).tolist() == list(range(30, 80))
    assert not exchanged(*beside(99, (RED, BLUE))).any()


def test_an_exchange_needs_people_who_are_close_and_can_be_told():
    both, _ = beside(70, (RED, BLUE))
    assert not exchanged(both, [False] * 80).any()
    nearly = RED + 0.02 * BLUE
    assert not exchanged(*beside(30, (RED, nearly / nearly.sum()))).any()


def test_nobody_is_exchanged_without_having_met():
    tracks = [Track(), Track()]
    for frame in range(40):
        dress = (RED, BLUE) if frame < 20 else (BLUE, RED)
        for one, x, worn in zip(tracks, (0, 400), dress, strict=True):
            one.extend(seen(frame, x, dress=worn))
    assert [one.seen[-1].xy[0, 0] for one in tidy(tracks)] == [0, 400]


def test_people_who_look_alike_keep_what_the_tracker_said():
    tracks = crossing(30)
    plain = [track(*[seen(s.frame, float(s.xy[0, 0])) for s in one.seen]) for one in tracks]
    first, second = tidy(plain)
    assert first.seen[-1].xy[0, 0] == tracks[0].seen[-1].xy[0, 0]
    assert len(first) == len(second) == 60


def test_pieces_of_one_person_are_joined():
    first = track(*[seen(f, 8.0 * f) for f in range(20)])
    second = track(*[seen(f, 8.0 * f) for f in range(40, 60)])
    elsewhere = track(*[seen(f, 900.0) for f in range(30, 60)])
    joined = tidy([first, elsewhere, second])
    assert frames_of(joined) == [[*range(20), *range(40, 60)], list(range(30, 60))]


def test_somebody_away_for_longer_is_joined_only_if_dressed_the_same():
    def pieces(dress):
        return [
            track(*[seen(f, 0, dress=RED) for f in range(20)]),
            track(*[seen(f, 20, dress=dress) for f in range(60, 80)]),
        ]

    assert len(tidy(pieces(RED))) == 1
    assert len(tidy(pieces(BLUE))) == 2
    assert len(tidy(pieces(None))) == 2


def test_a_piece_that_begins_before_the_other_ends_is_joined_without_a_frame_twice():
    first = track(*[seen(f, 0) for f in range(20)])
    second = track(*[seen(f, 30) for f in range(18, 40)])
    (whole,) = tidy([first, second])
    assert frames_of([whole]) == [list(range(40))]


@pytest.mark.parametrize("later", [0, 1, 2])
def test_short_pieces_at_once_do_not_go_round_in_a_ring(later):
    first = track(*[seen(f, 0) for f in range(4)])
    second = track(*[seen(f + later, 30) for f in range(4)])
    frames = [frame for one in frames_of(tidy([first, second])) for frame in one]
    assert set(frames) == set(range(4 + later))


def test_a_double_is_left_out_and_a_neighbour_is_not():
    person = track(*[seen(f, 0) for f in range(30)])
    double = track(*[seen(f, 4) for f in range(5, 25)])
    neighbour = track(*[seen(f, 25) for f in range(5, 25)])
    assert frames_of(tidy([person, double, neighbour])) == [list(range(30)), list(range(5, 25))]


def test_a_look_is_that_of_the_clothes_and_not_of_the_wall():
    image = np.full((200, 200, 3), 128, np.uint8)
    image[40:160, 80:120] = (200, 30, 30)
    box = np.array([75, 30, 125, 170], np.float32)
    red = look(image, box)
    assert red.sum() == pytest.approx(1)
    image[40:160, 80:120] = (30, 30, 200)
    assert look_apart(red, look(image, box)) > 0.8
    bright = np.clip(image * 1.1, 0, 255).astype(np.uint8)
    assert look_apart(look(image, box), look(bright, box)) < 0.5


@pytest.mark.parametrize("box", [(300, 0, 340, 90), (-90, 10, -5, 90), (50, 50, 52, 58)])
def test_a_box_without_a_picture_has_no_look(box):
    assert look(np.zeros((200, 200, 3), np.uint8), np.array(box, np.float32)) is None

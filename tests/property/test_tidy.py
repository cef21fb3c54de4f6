"""Tidying that looks at neighbours in time only gives what comparing all with all gives."""

from __future__ import annotations

from itertools import combinations

import numpy as np
from hypothesis import example, given, settings
from hypothesis import strategies as st

from pose3d_cli.pose.tracking.cost import apart, assign
from pose3d_cli.pose.tracking.doubles import SAME
from pose3d_cli.pose.tracking.pieces import Piece, _cost_of_joining, joined
from pose3d_cli.pose.tracking.tidy import _without_doubles
from pose3d_cli.pose.tracking.together import Rows, close, overlapping, together
from pose3d_cli.pose.tracking.track import Seen, Track

FPS = 25.0
DRESSES = np.eye(3, dtype=np.float32) * 0.8 + 0.1
ALONG = np.linspace(0, 1, 17, dtype=np.float32)[:, None] * np.float32([40, 100])


def crowd(seed, n_tracks, seconds=6.0):
    """People here and there for a while, in pieces, twice and beside each other."""
    random = np.random.default_rng(seed)
    tracks = []
    for _ in range(n_tracks):
        start = int(random.integers(0, seconds * FPS))
        x, speed = random.uniform(0, 150), random.normal(0, 2)
        dress = DRESSES[random.integers(3)] if random.random() < 0.8 else None
        track = Track()
        length, pause = int(random.integers(1, 60)), 150 * int(random.random() < 0.2)
        for frame in range(start, start + length):
            if random.random() < 0.1:
                continue
            frame += pause if frame - start > length / 2 else 0
            xy = ALONG + np.float32([x + speed * (frame - start), 0])
            xy = (xy + random.normal(0, 1, xy.shape)).astype(np.float32)
            box = np.concatenate([xy.min(0), xy.max(0)])
            if random.random() < 0.2:
                xy[random.integers(17)] = np.nan
            score = np.full(17, 0.9, np.float32)
            track.extend(
                Seen(frame=frame, time_s=frame / FPS, xy=xy, score=score, box=box, look=dress)
            )
        if track.seen:
            tracks.append(track)
    return tracks


def frames_of(tracks):
    return [[id(seen) for seen in track.seen] for track in tracks]


def joined_by_all(pieces):
    """What `joined` says, out of one matrix of everybody and everybody."""
    costs = np.array([[_cost_of_joining(one, other) for other in pieces] for one in pieces])
    goes_on = dict(assign(costs.reshape(len(pieces), len(pieces))))
    tracks = []
    for start in sorted(set(range(len(pieces))) - set(goes_on.values())):
        seen, at = list(pieces[start].seen), start
        while at in goes_on:
            at = goes_on[at]
            seen += [later for later in pieces[at].seen if later.frame > seen[-1].frame]
        tracks.append(Track(seen))
    return tracks


def kept_by_all(tracks):
    """What is no double, every track compared with every longer one."""
    kept = []
    for track in sorted(tracks, key=len, reverse=True):
        doubled = [sum(apart(*two) < SAME / 0.25 for two in together(track, long)) for long in kept]
        if max(doubled, default=0) < 0.7 * len(track):
            kept.append(track)
    return [track for track in tracks if track in kept]


CROWDS = given(st.integers(0, 10**6), st.integers(0, 20))


@CROWDS
@settings(max_examples=15, deadline=None)
def test_pieces_are_joined_as_if_all_were_compared_with_all(seed, n_tracks):
    tracks = crowd(seed, n_tracks)
    # Halves of tracks, too: a piece may go on in the next of its own track, whatever the gap.
    pieces = []
    for number, track in enumerate(tracks):
        jumps = np.diff([seen.frame for seen in track.seen])
        at = int(jumps.argmax()) + 1 if jumps.max(initial=0) > 100 else len(track) // 2
        halves = [half for half in (track.seen[:at], track.seen[at:]) if half]
        pieces += [Piece(half, number, part) for part, half in enumerate(halves)]
    assert frames_of(joined(pieces)) == frames_of(joined_by_all(pieces))


@CROWDS
@settings(max_examples=15, deadline=None)
@example(3, 20)
def test_doubles_are_found_as_if_all_were_compared_with_all(seed, n_tracks):
    tracks = crowd(seed, n_tracks)
    for one in tracks[::3]:  # and some of them twice
        again = [
            Seen(frame=s.frame, time_s=s.time_s, xy=s.xy + np.float32(3), score=s.score, box=s.box)
            for s in one.seen[: max(len(one) - 2, 1)]
        ]
        tracks.append(Track(again))
    assert frames_of(_without_doubles(tracks)) == frames_of(kept_by_all(tracks))


@CROWDS
@settings(max_examples=15, deadline=None)
def test_who_is_there_together_is_told_whole_and_in_order(seed, n_tracks):
    tracks = crowd(seed, n_tracks)
    pairs = overlapping(tracks)
    assert pairs == sorted(pairs)
    spans = [(t.seen[0].frame, t.last.frame) for t in tracks]
    both = [
        (a, b)
        for a, b in combinations(range(len(tracks)), 2)
        if spans[a][0] <= spans[b][1] and spans[b][0] <= spans[a][1]
    ]
    assert pairs == both
    for a, b in pairs:
        there = {seen.frame: seen for seen in tracks[b].seen}
        expected = [(s, there[s.frame]) for s in tracks[a].seen if s.frame in there]
        assert together(tracks[a], tracks[b]) == expected
        one, other = Rows.of(tracks[a]), Rows.of(tracks[b])
        near = {(tracks[a].seen[i], tracks[b].seen[j]) for i, j in one.near(other, SAME)}
        assert near <= set(expected)
        assert all(two in near or apart(*two) > SAME / 0.25 for two in expected)
        assert one.meets(other) == any(close(expected))

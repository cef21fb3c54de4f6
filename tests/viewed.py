"""Results for the viewer to show, and its pages read as a browser reads them."""

from __future__ import annotations

import base64
import json
import zlib
from html.parser import HTMLParser

import numpy as np

from pose3d_cli.files.results import META_KEYS, ClipResult, PersonResult
from pose3d_cli.pose.skeleton import H36M17
from pose3d_cli.pose.world import World, rotation_with_up

FPS = 30
SIZE = (960, 540)
FOCAL_PX = 900.0
META = dict.fromkeys(META_KEYS, "known") | {
    "fps": float(FPS),
    "camera": {
        "matrix": [[FOCAL_PX, 0, SIZE[0] / 2], [0, FOCAL_PX, SIZE[1] / 2], [0, 0, 1]],
        "distortion": [],
        "image_size": list(SIZE),
        "source": "--fov 56",
    },
    "scale_source": "assumed: everybody is 1.70 m tall",
}
TILTED = World(
    rotation=rotation_with_up(np.array([0.05, -0.9, -0.2])),
    camera_m=np.array([0.0, 0.0, 1.5]),
    up="feet of 2 people",
    up_sure_deg=1.5,
    floor="feet of 2 people",
    floor_sure_m=0.03,
)


def standing() -> np.ndarray:
    """Return a body 1.7 m tall in camera axes, pelvis at the origin, arms hanging."""
    places = {
        "pelvis": (0, 0), "hip": (0.13, 0), "knee": (0.13, 0.42), "ankle": (0.13, 0.84),
        "spine": (0, -0.25), "thorax": (0, -0.5), "nose": (0, -0.65), "head": (0, -0.75),
        "shoulder": (0.18, -0.48), "elbow": (0.2, -0.2), "wrist": (0.2, 0.05),
    }  # fmt: skip
    body = []
    for joint in H36M17.joints:
        side, _, rest = joint.rpartition("_")
        x, y = places[rest]
        body.append((x if side == "left" else -x, y, 0.0))
    return np.array(body)


def walker(person: int, rows: np.ndarray, n_frames: int) -> PersonResult:
    """Return somebody who swings arms and legs, found with a detector's and a lifter's noise."""
    random = np.random.default_rng(person)
    time_s = rows / FPS
    swing = np.sin(2 * np.pi * (1.0 + 0.1 * person) * time_s)[:, None]
    xyz = np.broadcast_to(standing(), (len(rows), 17, 3)).copy()
    for joint, reach_m in (("ankle", 0.3), ("knee", 0.15), ("wrist", -0.25), ("elbow", -0.1)):
        for side, sign in (("left", 1), ("right", -1)):
            xyz[:, H36M17.index(f"{side}_{joint}"), [0, 2]] += sign * reach_m * swing
    place = [1.2 * person - 0.5, 0.3, 4.0 + person]
    xyz += place + np.stack([0.4 * np.sin(time_s / 3), 0 * time_s, np.cos(time_s / 5)], -1)[:, None]
    xyz += np.cumsum(random.normal(0, 0.002, xyz.shape), 0) * np.exp(-time_s[:, None, None] / 60)
    px = FOCAL_PX * xyz[..., :2] / xyz[..., 2:] + np.array(SIZE) / 2
    px += random.normal(0, 0.5, px.shape)
    return PersonResult(
        person=person,
        rows=rows.astype(np.int64),
        xyz_camera=xyz.astype(np.float32),
        xyz_root=(xyz - xyz[:, :1]).astype(np.float32),
        keypoints_px=px.astype(np.float32),
        score=np.clip(random.normal(0.8, 0.05, xyz.shape[:2]), 0, 1).astype(np.float32),
    )


def clip_of(people: list[PersonResult], n_frames: int, **changes) -> ClipResult:
    told = {
        "people": people,
        "time_s": np.arange(n_frames) / FPS,
        "frame": np.arange(n_frames, dtype=np.int64),
        "joint_names": H36M17.joints,
        "parents": H36M17.parent_index.astype(np.int64),
        "meta": META,
        "world": TILTED,
    }
    return ClipResult(**(told | changes))


def walkers(n_people: int, n_frames: int, **changes) -> ClipResult:
    people = [walker(p, np.arange(n_frames), n_frames) for p in range(n_people)]
    return clip_of(people, n_frames, **changes)


class Read(HTMLParser):
    """A page as a browser takes it apart: tags, the title, and the data of its script."""

    def __init__(self, page):
        super().__init__()
        self.tags, self.words, self._open = [], {}, ""
        self.feed(page.read_text("utf-8"))
        self.data = json.loads(self.words["data"])

    def handle_starttag(self, tag, attrs):
        attributes = dict(attrs)
        self.tags.append((tag, attributes))
        self._open = attributes.get("id", tag)

    def handle_data(self, data):
        self.words[self._open] = self.words.get(self._open, "") + data

    def times(self):
        zigzag = _whole(self.data["times"], "<u8")
        steps = (zigzag >> np.uint64(1)).astype(np.int64) ^ -(
            (zigzag & np.uint64(1)).astype(np.int64)
        )
        times = np.zeros(len(steps))
        for row, step in enumerate(steps):
            foretold = np.float64(0 if row < 2 else 2 * times[row - 1] - times[row - 2])
            times[row] = (foretold.view(np.int64) + step).view(np.float64)
        return times

    def rows(self, person):
        return np.cumsum(_whole(self.data["people"][person]["rows"], "<u4").astype(np.int64))

    def frames(self):
        return np.cumsum(_whole(self.data["frames"], "<u4").astype(np.int64))

    def points(self, person, name):
        told = self.data["people"][person]
        parents, packed = self.data["parents"], told[name]
        zigzag = _whole(packed["data"], "<u2").astype(np.int32)
        series = ((zigzag >> 1) ^ -(zigzag & 1)).reshape(-1, told["n"]).astype(np.int64)
        for _ in range(packed["order"]):
            series = np.cumsum(series, 1)
        whole = series.T.reshape(told["n"], len(parents), -1)
        for joint, parent in enumerate(parents):
            if 0 <= parent < joint:
                whole[:, joint] += whole[:, parent]
        whole = whole.astype(np.int16)
        points = np.array(packed["base"]) + whole * packed["unit"]
        return np.where(whole == -32768, np.nan, points)


def _whole(text, kind):
    data = zlib.decompress(base64.b64decode(text))
    size = np.dtype(kind).itemsize
    return np.frombuffer(data, np.uint8).reshape(size, -1).T.copy().view(kind)[:, 0]

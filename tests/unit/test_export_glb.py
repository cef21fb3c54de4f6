from __future__ import annotations

import json
import struct

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from pose3d_cli.files.export.animation import animations
from pose3d_cli.files.export.base import ExportOptions
from pose3d_cli.files.export.names import NAMES
from pose3d_cli.files.export.zoo.glb import Glb
from pose3d_cli.pose.rig.skeleton import JOINTS
from tests.rigs import posed, result_of, walking_round

AWAY = np.array([1.0, 0, 2])
TYPES = {"SCALAR": 1, "VEC3": 3, "VEC4": 4, "MAT4": 16}
COMPONENTS = {5126: np.float32, 5123: np.uint16, 5121: np.uint8}


class Read:
    """A GLB as a program reads it that has nothing but the specification."""

    def __init__(self, path):
        data = path.read_bytes()
        magic, version, size = struct.unpack_from("<4sII", data)
        assert (magic, version, size) == (b"glTF", 2, len(data))
        length, kind = struct.unpack_from("<I4s", data, 12)
        assert kind == b"JSON"
        assert length % 4 == 0
        self.json = json.loads(data[20 : 20 + length])
        n_bytes, kind = struct.unpack_from("<I4s", data, 20 + length)
        assert kind == b"BIN\0"
        self.bytes = data[28 + length :]
        assert n_bytes == len(self.bytes) == self.json["buffers"][0]["byteLength"]

    def array(self, number):
        accessor = self.json["accessors"][number]
        view = self.json["bufferViews"][accessor["bufferView"]]
        kind = COMPONENTS[accessor["componentType"]]
        width, start = TYPES[accessor["type"]], view["byteOffset"]
        assert start % 4 == 0
        values = np.frombuffer(self.bytes, kind, accessor["count"] * width, start)
        values = values.reshape(accessor["count"], width)
        for name, found in (("min", values.min(0)), ("max", values.max(0))):
            assert accessor.get(name, found.tolist()) == found.tolist()
        return values

    def tracks(self):
        """Return node and path to times and values."""
        [animation] = self.json["animations"]
        tracks = {}
        for channel in animation["channels"]:
            sampler = animation["samplers"][channel["sampler"]]
            assert sampler["interpolation"] == "LINEAR"
            assert "min" in self.json["accessors"][sampler["input"]]
            target = channel["target"]
            tracks[target["node"], target["path"]] = (
                self.array(sampler["input"])[:, 0],
                self.array(sampler["output"]).astype(np.float64),
            )
        return tracks

    def joints(self, skin):
        """Return where the joints of a skin are at each key."""
        nodes, tracks = self.json["nodes"], self.tracks()
        parents = {c: i for i, node in enumerate(nodes) for c in node.get("children", ())}
        n_keys = max(len(values) for _, values in tracks.values())
        place, turn = {}, {}
        for number in self.json["skins"][skin]["joints"]:
            node = nodes[number]
            assert "rotation" not in node  # at rest nobody is turned
            still = np.tile(node["translation"], (n_keys, 1)), np.tile([0.0, 0, 0, 1], (n_keys, 1))
            step = tracks.get((number, "translation"), (0, still[0]))[1]
            local = Rotation.from_quat(tracks.get((number, "rotation"), (0, still[1]))[1])
            above = parents[number]
            if above in place:
                place[number] = place[above] + turn[above].apply(step)
                turn[number] = turn[above] * local
            else:
                assert set(nodes[above]) == {"name", "children"}
                place[number], turn[number] = step, local
        return np.stack(list(place.values()), axis=1)


def write(folder, result, **options):
    return Glb().write(result, folder / "clip", ExportOptions(**options))


def test_the_nodes_with_their_animation_are_the_joints(tmp_path):
    result = result_of({0: walking_round(50), 4: walking_round(50) + AWAY})
    exported = write(tmp_path, result)
    assert exported.files == (tmp_path / "clip.glb",)
    found = Read(exported.files[0])
    expected = [one.motion.joints for one in animations(result, ExportOptions())]
    for skin in range(2):
        assert np.abs(found.joints(skin) - expected[skin]).max() < 1e-5


def test_one_animation_moves_everybody(tmp_path):
    """Programs play one at a time; with one a person, the others would stand still."""
    found = Read(write(tmp_path, result_of({i: walking_round(9) for i in range(3)})).files[0])
    assert len(found.json["animations"]) == 1
    moved = {node for node, _ in found.tracks()}
    for skin in found.json["skins"]:
        assert len(moved & set(skin["joints"])) > 10
    roots = [found.json["nodes"][i] for i in found.json["scenes"][0]["nodes"]]
    assert [node["name"] for node in roots if "children" in node] == [
        f"person{i}" for i in range(3)
    ]


def test_times_are_the_video_s_own_in_seconds(tmp_path):
    time_s = 2 + np.cumsum(np.random.default_rng(0).uniform(0.01, 0.2, 20))
    rows = np.arange(4, 20)
    result = result_of({0: walking_round(16)}, time_s=time_s, rows={0: rows})
    found = Read(write(tmp_path, result).files[0])
    times, _ = found.tracks()[0, "translation"]
    np.testing.assert_allclose(times, time_s[4:] - time_s[0], atol=1e-6)
    assert found.json["asset"]["extras"]["clip_time_of_zero_s"] == pytest.approx(time_s[0])


def test_quaternions_keep_their_sign_so_that_nobody_spins_between_frames(tmp_path):
    angle = np.linspace(0, 800, 120)
    xyz = posed(120, pelvis=np.stack([angle * 0, angle, angle * 0], -1))
    found = Read(write(tmp_path, result_of({0: xyz})).files[0])
    for (_, path), (_, values) in found.tracks().items():
        if path == "rotation":
            assert ((values[1:] * values[:-1]).sum(-1) > 0).all()
            np.testing.assert_allclose(np.linalg.norm(values, axis=-1), 1, atol=1e-6)


def test_a_skin_holds_the_bones_to_a_mesh_in_a_t_pose_on_the_ground(tmp_path):
    found = Read(write(tmp_path, result_of({0: walking_round(5)})).files[0])
    [skin], [mesh] = found.json["skins"], found.json["meshes"]
    names = [found.json["nodes"][joint]["name"] for joint in skin["joints"]]
    assert names == [NAMES[joint] for joint in JOINTS]
    bind = found.array(skin["inverseBindMatrices"]).reshape(-1, 4, 4).swapaxes(1, 2)
    place = dict(zip(names, -bind[:, :3, 3], strict=True))
    np.testing.assert_array_equal(bind[:, :3, :3], np.tile(np.eye(3), (len(bind), 1, 1)))
    assert place["LeftHand"][0] > 0.6 > -0.6 > place["RightHand"][0]
    assert min(at[1] for at in place.values()) == pytest.approx(0, abs=1e-6)
    [part] = mesh["primitives"]
    points = found.array(part["attributes"]["POSITION"])
    weights = found.array(part["attributes"]["WEIGHTS_0"])
    corners = found.array(part["indices"])[:, 0]
    np.testing.assert_array_equal(weights.sum(1), 1)
    assert len(points) == len(weights) > 6 * 12
    assert corners.max() == len(points) - 1
    # Bones start at the joint they move with.
    heads = found.array(part["attributes"]["JOINTS_0"])[::6, 0]
    starts = np.array([place[names[joint]] for joint in heads])
    np.testing.assert_allclose(points[::6], starts, atol=1e-5)
    # Seen from outside, triangles run counter-clockwise: the volume they hold is positive.
    one, two, three = points[corners.reshape(-1, 3)].transpose(1, 0, 2)
    volume = (one * np.cross(two, three)).sum(-1).reshape(-1, 8).sum(1)
    assert (volume > 0).all()


def test_who_has_no_place_is_left_out_and_told(tmp_path):
    nowhere = np.full((9, 17, 3), np.nan)
    exported = write(tmp_path, result_of({0: nowhere, 1: walking_round(9)}))
    assert any("person 0 is left out" in note for note in exported.notes)
    assert len(Read(exported.files[0]).json["skins"]) == 1
    alone = write(tmp_path / "..", result_of({0: nowhere}))
    assert alone.files == ()


def test_joints_that_never_turn_need_no_track(tmp_path):
    found = Read(write(tmp_path, result_of({0: walking_round(9)})).files[0])
    still = [JOINTS.index(joint) for joint in ("left_wrist", "right_ankle", "crown")]
    assert not {(node, "rotation") for node in still} & set(found.tracks())
    assert (JOINTS.index("left_knee"), "rotation") in found.tracks()

from __future__ import annotations

import json
import lzma
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from pose3d_cli.errors import InputError, OutputError
from pose3d_cli.files import mocap_pack
from pose3d_cli.files.mocap_pack import MocapClip, read_pack, write_pack


def clip(name: str, *, n_frames: int = 4, split: str = "train", subject: str = "anna") -> MocapClip:
    rng = np.random.default_rng(len(name) + n_frames)
    xyz = rng.uniform(-3, 3, (n_frames, 17, 3)).astype(np.float32)
    return MocapClip(
        name=name,
        subject=subject,
        split=split,
        category="walk",
        licence="CC0",
        fps=50.0,
        xyz=xyz,
        desc="walks",
        source="here",
        rig="bvh",
        src_fps=119.88,
        keyframed=n_frames == 3,
        static=n_frames == 1,
    )


def some_clips() -> list[MocapClip]:
    return [
        clip("a", n_frames=1),
        clip("b", n_frames=2),
        clip("c", n_frames=3, split="val", subject="bert"),
        clip("d", n_frames=40),
        clip("e", n_frames=5, split="test", subject="carl"),
    ]


def test_what_was_written_is_read_back_to_half_a_millimetre(tmp_path):
    write_pack(tmp_path / "new" / "pack", some_clips())
    found = {c.name: c for c in read_pack(tmp_path / "new" / "pack")}
    assert sorted(found) == ["a", "b", "c", "d", "e"]
    for written in some_clips():
        read = found[written.name]
        np.testing.assert_allclose(read.xyz, written.xyz, atol=0.000501)
        assert read.xyz.dtype == np.float32
        assert replace(read, xyz=written.xyz).__dict__ == {**written.__dict__, "xyz": written.xyz}


def test_shards_cut_by_frames_hold_every_clip_once(tmp_path, monkeypatch):
    monkeypatch.setattr(mocap_pack, "SHARD_FRAMES", 10)
    clips = [clip(f"take{i:02d}", n_frames=4) for i in range(7)]
    write_pack(tmp_path, clips)
    assert sorted(path.name for path in tmp_path.glob("*.xz")) == [
        "train_00.xz",
        "train_01.xz",
        "train_02.xz",
    ]
    found = read_pack(tmp_path)
    assert [c.name for c in found] == [c.name for c in clips]
    np.testing.assert_allclose(found[6].xyz, clips[6].xyz, atol=0.000501)


def test_a_hand_made_shard_is_decoded(tmp_path):
    """One clip of three frames, all joints at the pelvis, which moves 1, then 3 mm along x."""
    write_pack(tmp_path, [clip("a", n_frames=3)])
    change = np.zeros((51, 3), np.int32)
    change[0] = (500, 1, 2)  # start, first step, change of the step
    zigzag = (change << 1).ravel()
    blob = (zigzag & 255).astype(np.uint8).tobytes() + (zigzag >> 8).astype("<u2").tobytes()
    (tmp_path / "train_00.xz").write_bytes(lzma.compress(blob))
    xyz = read_pack(tmp_path)[0].xyz
    np.testing.assert_allclose(xyz[:, :, 0], np.float32([[0.5], [0.501], [0.504]]).repeat(17, 1))
    assert not xyz[..., 1:].any()


def test_one_split_is_read_alone(tmp_path):
    write_pack(tmp_path, some_clips())
    (tmp_path / "train_00.xz").unlink()
    assert [c.name for c in read_pack(tmp_path, "val")] == ["c"]
    with pytest.raises(InputError, match=r"no clips of split 'dev'; it holds \['test', 'train'"):
        read_pack(tmp_path, "dev")
    with pytest.raises(InputError, match=r"train_00\.xz: cannot be read"):
        read_pack(tmp_path, "train")


def test_no_pack_says_how_to_make_one(tmp_path):
    with pytest.raises(InputError, match=r"no packed mocap set here .*pose3d data import"):
        read_pack(tmp_path)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "not the index"),
        ("[1]", "not the index"),
        ('{"joints": ["Pelvis"], "shards": [], "clips": []}', "joints, shards or clips"),
    ],
)
def test_an_index_that_is_none(tmp_path: Path, text, message):
    (tmp_path / "index.json").write_text(text)
    with pytest.raises(InputError, match=message):
        read_pack(tmp_path)


def test_a_shard_outside_the_folder_is_refused(tmp_path):
    write_pack(tmp_path, [clip("a")])
    index = json.loads((tmp_path / "index.json").read_text())
    index["shards"] = ["../train_00.xz"]
    index["clips"][0]["shard"] = "../train_00.xz"
    (tmp_path / "index.json").write_text(json.dumps(index))
    with pytest.raises(InputError, match="joints, shards or clips"):
        read_pack(tmp_path)


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda blob: blob[:-9], r"train_00\.xz: damaged"),
        (lambda blob: b"no xz at all", r"train_00\.xz: damaged"),
        (lambda blob: lzma.compress(b"123"), r"does not hold the 4 frames"),
    ],
)
def test_a_damaged_shard(tmp_path, damage, message):
    write_pack(tmp_path, [clip("a")])
    shard = tmp_path / "train_00.xz"
    shard.write_bytes(damage(shard.read_bytes()))
    with pytest.raises(InputError, match=message):
        read_pack(tmp_path)


def test_what_cannot_be_packed_is_refused(tmp_path):
    with pytest.raises(ValueError, match="two clips are called 'a'"):
        write_pack(tmp_path, [clip("a"), clip("a")])
    with pytest.raises(ValueError, match="'anna' is in more than one split"):
        write_pack(tmp_path, [clip("a"), clip("b", split="val")])
    unseen = clip("a").xyz.copy()
    unseen[1, 2] = np.nan
    with pytest.raises(ValueError, match="not numbers"):
        write_pack(tmp_path, [replace(clip("a"), xyz=unseen)])
    with pytest.raises(OutputError, match=r"further than 32\.7 m"):
        write_pack(tmp_path, [replace(clip("a"), xyz=clip("a").xyz + 40)])
    # The run-time shape checker, where it is on, is faster to object.
    with pytest.raises((ValueError, TypeError), match=r"xyz is \(4, 16, 3\)|'xyz'"):
        replace(clip("a"), xyz=clip("a").xyz[:, 1:])
    assert not list(tmp_path.glob("*.json"))

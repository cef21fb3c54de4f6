"""Which clips are meant, and where their results go."""

from __future__ import annotations

import io
import os
import sys
from pathlib import Path

import pytest

from pose3d_cli.errors import InputError
from pose3d_cli.pipeline.clips import Clip, find_clips, readable
from pose3d_cli.pipeline.places import one_place_each, results_folder, told_by_whole_name
from tests.batches import touch


def names(clips, root):
    return [str(clip.path.relative_to(root)) for clip in clips]


def troubles(clips):
    return {clip.path.name: clip.trouble for clip in clips if clip.trouble}


def test_clips_of_a_folder_are_its_visible_video_files_at_any_depth(tmp_path):
    wanted = ["a.mp4", "b.MOV", "deep/c.mp4", "deep/deeper/d.mkv"]
    for name in (*wanted, "._a.mp4", "notes.txt", ".hidden/e.mp4"):
        touch(tmp_path / name)
    assert names(find_clips([tmp_path]), tmp_path) == wanted
    assert names(find_clips([tmp_path], recursive=False), tmp_path) == wanted[:2]
    assert {str(clip.below) for clip in find_clips([tmp_path])} == {".", "deep", "deep/deeper"}


def test_our_own_results_are_no_clips(tmp_path):
    for name in ("a.mp4", "a_pose3d/run.json", "a_pose3d/a.mp4", "my_pose3d/b.mp4"):
        touch(tmp_path / name)
    touch(tmp_path / "killed_pose3d" / "killed_keypoints.npz")
    touch(tmp_path / "killed_pose3d" / "killed.mp4")
    assert names(find_clips([tmp_path]), tmp_path) == ["a.mp4", "my_pose3d/b.mp4"]
    # As a shell gives `*`; alone it is a mistake worth an error.
    both = [tmp_path / "a.mp4", tmp_path / "a_pose3d"]
    assert names(find_clips(both), tmp_path) == ["a.mp4"]
    with pytest.raises(InputError, match="holds results of pose3d"):
        find_clips([tmp_path / "a_pose3d"])


def test_links_that_go_round_end_and_a_folder_is_searched_once_under_its_own_name(tmp_path):
    clips = tmp_path / "in"
    touch(clips / "z" / "a.mp4")
    touch(tmp_path / "outside" / "b.mp4")
    touch(tmp_path / "sibling.mp4")
    (clips / "a_link").symlink_to("z")
    (clips / "there").symlink_to(tmp_path / "outside")
    (clips / "z" / "up").symlink_to("..")
    (clips / "z" / "above").symlink_to(tmp_path)
    assert names(find_clips([clips]), clips) == ["there/b.mp4", "z/a.mp4"]
    pattern = clips / "**" / "*.mp4"
    assert names(find_clips([pattern]), clips) == ["there/b.mp4", "z/a.mp4"]


def test_what_cannot_be_read_is_a_clip_in_trouble(tmp_path):
    touch(tmp_path / "a.mp4")
    (tmp_path / "gone.mp4").symlink_to("nowhere")
    (tmp_path / "loop.mp4").symlink_to("loop.mp4")
    (tmp_path / "folder.mp4").mkdir()
    os.mkfifo(tmp_path / "pipe.mp4")
    told = troubles(find_clips([tmp_path]))
    assert set(told) == {"gone.mp4", "loop.mp4", "folder.mp4", "pipe.mp4"}
    assert "leads nowhere" in told["gone.mp4"]
    assert "leads back to itself" in told["loop.mp4"]
    assert "is a folder" in told["folder.mp4"]
    assert "is a pipe" in told["pipe.mp4"]
    with pytest.raises(InputError, match="is a folder"):
        readable(find_clips([tmp_path]))


def test_a_name_of_nothing_ends_all_only_if_it_is_the_only_one(tmp_path):
    with pytest.raises(InputError, match="no such file or folder"):
        find_clips([Path("nowhere.mp4")])
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="no videos in this folder"):
        find_clips([tmp_path / "empty"])
    with pytest.raises(InputError, match="no videos of such names"):
        find_clips([tmp_path / "*.mp4"])
    found = find_clips([tmp_path / "x.mp4", tmp_path / "empty", touch(tmp_path / "a.mp4")])
    assert set(troubles(found)) == {"x.mp4", "empty"}
    assert found[-1] == Clip(path=tmp_path / "a.mp4")


@pytest.mark.parametrize(
    ("pattern", "wanted"),
    [
        ("*.mp4", ["a.mp4", "b.mp4"]),
        ("**/*.mp4", ["a.mp4", "b.mp4", "x/c.mp4", "x/y/d.mp4"]),
        ("x/*/*.mp4", ["x/y/d.mp4"]),
        ("[ac].mp4", ["a.mp4"]),
        ("?", ["x/c.mp4", "x/y/d.mp4"]),
        ("**/y", ["x/y/d.mp4"]),
    ],
)
def test_patterns(tmp_path, pattern, wanted):
    for name in ("a.mp4", "b.mp4", "x/c.mp4", "x/y/d.mp4"):
        touch(tmp_path / name)
    assert names(find_clips([tmp_path / pattern]), tmp_path) == wanted


def test_a_pattern_looks_into_no_folder_that_cannot_have_what_it_names(tmp_path, monkeypatch):
    for name in ("a.mp4", "x/c.mp4", "x/y/d.mp4", "z/e.mp4"):
        touch(tmp_path / name)
    seen, list_folder = [], Path.iterdir
    monkeypatch.setattr(Path, "iterdir", lambda path: seen.append(path.name) or list_folder(path))
    for pattern, folders in (("*.mp4", []), ("x/*.mp4", []), ("?/*.mp4", ["x", "z"])):
        seen.clear()
        find_clips([tmp_path / pattern])
        assert seen[1:] == folders
    with pytest.raises(InputError, match="no videos of such names"):
        find_clips([tmp_path / "?"], recursive=False)


def test_what_may_not_be_read_is_a_clip_in_trouble(tmp_path, monkeypatch):
    touch(tmp_path / "a.mp4")
    touch(tmp_path / "locked" / "b.mp4")
    list_folder = Path.iterdir

    def iterdir(path):  # whoever runs the tests may read everything
        if path.name == "locked":
            raise PermissionError(13, "Permission denied", str(path))
        return list_folder(path)

    monkeypatch.setattr(Path, "iterdir", iterdir)
    monkeypatch.setattr(os, "access", lambda path, mode: path.name != "a.mp4")
    told = troubles(find_clips([tmp_path]))
    assert told["a.mp4"].endswith("a.mp4: may not be read (permission denied)")
    assert told["locked"].endswith("locked: the folder cannot be read (permission denied)")


def test_a_file_whose_name_looks_like_a_pattern_is_that_file(tmp_path):
    clip = touch(tmp_path / "a[1].mp4")
    touch(tmp_path / "a1.mp4")
    assert [c.path for c in find_clips([clip])] == [clip]


def test_a_list_names_inputs_from_its_own_folder(tmp_path, monkeypatch):
    for name in ("here/x/a.mp4", "here/y/a.mp4", "here/z/deep/b.mp4", "c.mp4"):
        touch(tmp_path / name)
    text = "# clips\n\nx/a.mp4\r\nmissing.mp4\nz\n" + f"{tmp_path}/c.mp4\n[y]/*.mp4\n"
    listing = tmp_path / "here" / "clips.txt"
    listing.write_text(text)
    found = find_clips([], listing=str(listing))
    assert names(found, tmp_path) == [
        "here/x/a.mp4", "here/missing.mp4", "here/z/deep/b.mp4", "c.mp4", "here/y/a.mp4"
    ]  # fmt: skip
    assert [str(clip.below) for clip in found] == ["x", ".", "z/deep", ".", "y"]
    assert set(troubles(found)) == {"missing.mp4"}
    monkeypatch.chdir(tmp_path / "here")
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(text.encode())))
    assert len(find_clips([], listing="-")) == 5
    with pytest.raises(InputError, match=r"--list .*none.txt: cannot be read"):
        find_clips([], listing="none.txt")
    (tmp_path / "empty.txt").write_text("# nothing\n")
    with pytest.raises(InputError, match="no clip is named"):
        find_clips([], listing=str(tmp_path / "empty.txt"))


def test_a_list_of_one_missing_clip_is_not_the_end_of_all(tmp_path):
    (tmp_path / "l.txt").write_text("a.mp4\n")
    (clip,) = find_clips([], listing=str(tmp_path / "l.txt"))
    assert "no such file" in clip.trouble


def test_a_clip_given_twice_is_one(tmp_path):
    clip = touch(tmp_path / "a.mp4")
    assert len(find_clips([clip, tmp_path, clip])) == 1


def test_results_lie_below_the_output_as_clips_below_their_folder(tmp_path):
    for name in ("in/a.mp4", "in/x/b.mp4", "in/x/c.mp4", "in/x/c.mov", "in/y/c.mp4"):
        touch(tmp_path / name)
    clips = find_clips([tmp_path / "in"])
    placed = one_place_each(clips, results_folder(str(tmp_path / "out")))
    assert [str(path.relative_to(tmp_path / "out")) for path in placed.values()] == [
        "a_pose3d", "x/b_pose3d", "x/c.mov_pose3d", "x/c.mp4_pose3d", "y/c_pose3d"
    ]  # fmt: skip
    assert "c.mov_pose3d, " in told_by_whole_name(placed)
    beside = one_place_each(clips, results_folder(""))
    assert beside[clips[0]] == tmp_path / "in" / "a_pose3d"
    assert told_by_whole_name(one_place_each(clips[:2], results_folder(""))) == ""


def test_clips_that_would_replace_each_others_results_are_refused(tmp_path):
    clips = find_clips([touch(tmp_path / "x" / "a.mp4"), touch(tmp_path / "y" / "a.mp4")])
    assert len(one_place_each(clips, results_folder(""))) == 2
    with pytest.raises(InputError, match=r"would both write to .*rename one"):
        one_place_each(clips, results_folder(str(tmp_path)))
    odd = find_clips([touch(tmp_path / n) for n in ("w.mp4", "w.mov", "w.mp4.mp4")])
    with pytest.raises(InputError, match="would both write to"):
        one_place_each(odd, results_folder(""))

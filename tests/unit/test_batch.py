from pathlib import Path

import pytest

from pose3d_cli.errors import InputError, OutputError
from pose3d_cli.pipeline.batch import find_clips, lift_all
from pose3d_cli.pipeline.outputs import writable
from pose3d_cli.pipeline.report import Silent
from pose3d_cli.pipeline.settings import LiftSettings


def touch(path):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"")
    return path


def test_clips_of_a_folder_are_its_visible_video_files(tmp_path):
    wanted = [touch(tmp_path / name) for name in ("a.mp4", "b.MOV")]
    for name in ("._a.mp4", "notes.txt", "deep/c.mp4"):
        touch(tmp_path / name)
    (tmp_path / "folder.mp4").mkdir()
    assert find_clips([tmp_path]) == wanted


def test_a_folder_of_our_own_results_is_no_folder_of_clips(tmp_path):
    touch(tmp_path / "a.mp4")
    touch(tmp_path / "run.json")
    with pytest.raises(InputError, match="holds results of pose3d"):
        find_clips([tmp_path])


def test_clips_that_would_replace_each_others_results_are_refused(tmp_path):
    clips = [touch(tmp_path / "a.mp4"), touch(tmp_path / "a.mov")]
    with pytest.raises(InputError, match="would both write to"):
        lift_all(clips, LiftSettings(), Silent())
    clips = [touch(tmp_path / "x" / "a.mp4"), touch(tmp_path / "y" / "a.mp4")]
    with pytest.raises(InputError, match="rename one"):
        lift_all(clips, LiftSettings(output=str(tmp_path)), Silent())


def test_a_new_folder_goes_again_if_nothing_came_to_lie_in_it(tmp_path):
    new = tmp_path / "out" / "a_pose3d"
    with pytest.raises(KeyError), writable(new):
        raise KeyError
    assert not (tmp_path / "out").exists()
    with writable(new):
        touch(new / "a.npz")
    assert new.is_dir()


def test_a_folder_that_was_there_stays(tmp_path):
    with pytest.raises(KeyError), writable(tmp_path):
        raise KeyError
    assert tmp_path.is_dir()


def test_a_place_that_cannot_be_written_is_told_before_any_work(tmp_path):
    file = touch(tmp_path / "file")
    with pytest.raises(OutputError, match="choose another folder with -o"), writable(file / "x"):
        pytest.fail("the work began")


def test_names_of_nothing_are_refused():
    with pytest.raises(InputError, match="no such file or folder"):
        find_clips([Path("nowhere.mp4")])

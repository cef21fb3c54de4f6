"""Shipped weights that are whole, damaged or missing, as `weights list` and `doctor` tell them."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from pose3d_cli.errors import ExitCode, WeightsError
from pose3d_cli.files import shipped
from pose3d_cli.files.catalogue import CATALOGUE
from pose3d_cli.pipeline.doctor import examine
from pose3d_cli.pipeline.stock import (
    DEFAULT_LIFTER,
    DETECTOR_SHA256,
    UPRIGHT_WEIGHTS,
    find_weights,
    list_weights,
)


@pytest.fixture
def folder(tmp_path, monkeypatch, tiny_weights, tiny_upright):
    """An installation of its own: the detectors and two small lifters."""
    for name in (*DETECTOR_SHA256, CATALOGUE):
        shutil.copy(shipped.shipped(name), tmp_path)
    for name in (DEFAULT_LIFTER, "other"):
        shutil.copy(tiny_weights, tmp_path / f"{name}.safetensors")
    shutil.copy(tiny_upright, tmp_path / f"{UPRIGHT_WEIGHTS}.safetensors")
    monkeypatch.setattr(shipped, "_PLACES", (tmp_path / "absent", tmp_path))
    return tmp_path


def cut_off(path):
    path.write_bytes(path.read_bytes()[:-100])


def listed():
    return {weights.name: weights for weights in list_weights()}


def broken(names):
    checks = {check.name: check for check in examine().checks if check.name in names}
    assert checks.keys() == set(names)
    return {name: c.found for name, c in checks.items() if not c.is_ok}


def test_a_whole_installation(folder):
    found = listed()
    assert list(found) == [DEFAULT_LIFTER, "other", UPRIGHT_WEIGHTS, *DETECTOR_SHA256]
    assert all(weights.is_ok for weights in found.values())
    assert found["other"].what == "lifter dualstream, 9 frames; Apache-2.0"
    assert found[UPRIGHT_WEIGHTS].what == "says which way is up, 20 frames; Apache-2.0"
    assert broken(list(found)) == {}
    assert find_weights("other") == folder / "other.safetensors"


def test_a_damaged_lifter_hides_no_other(folder, pose3d):
    cut_off(folder / "other.safetensors")
    found = listed()
    assert found["other"].what.startswith("damaged: has ")
    assert [name for name, weights in found.items() if not weights.is_ok] == ["other"]
    assert "damaged: has" in pose3d("weights", "list").stdout
    assert "other.safetensors: damaged: has" in broken(list(found))["other"]
    assert examine().exit_code == ExitCode.BAD_WEIGHTS


@pytest.mark.parametrize("name", DETECTOR_SHA256)
def test_a_detector_cut_off_is_damaged(folder, name):
    cut_off(folder / name)
    assert "damaged: its sha256 is not the published one" in broken(DETECTOR_SHA256)[name]
    assert len(broken(DETECTOR_SHA256)) == 1


def test_a_missing_detector_is_told_and_lifters_are_still_found(folder):
    for name in DETECTOR_SHA256:
        (folder / name).unlink()
    assert broken(DETECTOR_SHA256) == dict.fromkeys(DETECTOR_SHA256, "missing: reinstall pose3d")
    assert listed()["other"].is_ok
    assert find_weights("other") == folder / "other.safetensors"


def test_an_installation_without_lifters(folder):
    for path in folder.glob("*.safetensors"):
        path.unlink()
    for name in (DEFAULT_LIFTER, UPRIGHT_WEIGHTS):
        assert listed()[name].what == "missing: reinstall pose3d"
    with pytest.raises(WeightsError, match=r"without lifters\. Reinstall pose3d, or give a"):
        find_weights(DEFAULT_LIFTER)


def test_weights_of_up_that_are_missing_are_told_before_any_work(folder, pose3d, tmp_path):
    (folder / f"{UPRIGHT_WEIGHTS}.safetensors").unlink()
    clip = Path(__file__).parents[2] / "samples" / "walk.mp4"
    ran = pose3d("lift", clip, "-o", tmp_path / "out", code=ExitCode.BAD_WEIGHTS)
    assert f"{UPRIGHT_WEIGHTS}.safetensors, which tells up, is missing: reinstall" in ran.stderr
    assert "detect" not in ran.stderr
    assert not (tmp_path / "out").exists()


def test_a_wrong_name_lists_the_right_ones(folder):
    with pytest.raises(WeightsError, match="no weights 'othr'; did you mean 'other'"):
        find_weights("othr")
    with pytest.raises(WeightsError, match=r"is a folder; give the weights\.safetensors in it"):
        find_weights(str(folder))


def test_doctor_says_which_detector_is_taken(monkeypatch):
    found = {check.name: check for check in examine().checks}
    assert found["detector"].found == "blazepose by default"

    def broken(*_):
        raise WeightsError("toy.pth: damaged")

    monkeypatch.setattr("pose3d_cli.detect.make.make_detector", broken)
    found = {check.name: check for check in examine().checks}
    assert not found["detector"].is_ok
    assert found["detector"].exit_code == 4

"""The catalogue that comes with the program, and reading one."""

from __future__ import annotations

import re
from pathlib import PurePosixPath
from urllib.parse import urlsplit

import pytest

from pose3d_cli.errors import UnknownNameError, WeightsError
from pose3d_cli.files import shipped
from pose3d_cli.files.catalogue import catalogue, find_model, read_catalogue
from pose3d_cli.files.model_cache import cache_folder, cached, here, require
from pose3d_cli.files.model_store import _names

MODELS = list(catalogue().values())
SKELETONS = {"coco17", "halpe26", "wholebody133"}
ROW = """
[places]
here = ["https://a.example/", "https://b.example/x/"]
[models.net]
kind = "boxes"
network = "yolox"
place = "here"
path = "net.onnx"
licence = "Apache-2.0"
input_size = [416, 320]
"""


def ends(model):
    return {PurePosixPath(urlsplit(url).path).suffix for url in model.urls}


def test_it_holds_what_it_should():
    assert len(MODELS) >= 50
    names = set(catalogue())
    for size in "tsml":
        for of in ("coco17", "halpe26", "wholebody"):
            assert {f"rtmpose-{size}-{of}", f"rtmpose-{size}-{of}-pth"} <= names
    for of in ("coco17", "halpe26", "wholebody"):
        assert {f"rtmpose-l-{of}-384", f"rtmpose-x-{of}-384-pth"} <= names
    for size in ("nano", "tiny", "s", "m", "l", "x"):
        assert {f"yolox-{size}", f"yolox-{size}-coco"} <= names


def test_no_two_files_can_be_taken_for_each_other():
    files = [model.file.lower() for model in MODELS]
    assert len(set(files)) == len(files)
    told = [name for model in MODELS for name in _names(model)]
    assert len(set(told)) == len(told)


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.name)
def test_a_row_makes_sense(model):
    assert re.fullmatch(r"[a-z0-9-]+", model.name)
    assert model.file in (f"{model.name}.onnx", f"{model.name}.pth")
    assert model.urls
    assert all(url.startswith("https://") for url in model.urls)
    assert len(ends(model)) == 1
    assert model.licence
    assert (model.kind == "keypoints") == (model.keypoints in SKELETONS)
    assert model.kind in ("keypoints", "boxes")
    assert model.network == {"rtmw": "rtmpose"}.get(*[model.name.split("-")[0]] * 2)
    width, height = model.input_size
    assert (width == height) if model.kind == "boxes" else (4 * width == 3 * height)
    assert (model.ap is None) == (not model.ap_of)
    assert model.ap is None or 10 < model.ap < 100
    assert model.ap is None or ";" in model.ap_of, "on what; by whom"
    assert bool(model.member) == (ends(model) == {".zip"})
    for digest in (model.sha256, model.member_sha256):
        assert re.fullmatch(r"([0-9a-f]{64})?", digest)
    assert not model.member_sha256 or model.member


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.name)
def test_a_checkpoint_is_known_by_the_digits_in_its_name(model):
    if model.file.endswith(".pth"):
        assert re.fullmatch(r"[0-9a-f]{8}", model.sha256_prefix)
        assert all(f"-{model.sha256_prefix}_" in url for url in model.urls)
    else:
        assert not model.sha256_prefix, "the digits in a zip's name are not of the zip"


def test_sizes_in_names_are_those_of_the_input():
    for model in MODELS:
        said = re.search(r"(\d+)x(\d+)-", model.urls[0])
        if said:
            assert model.input_size == (int(said[2]), int(said[1]))
        assert model.name.removesuffix("-pth").endswith("-384") == (model.input_size[1] == 384)


def test_a_row_becomes_a_model():
    model = read_catalogue(ROW)["net"]
    assert model.urls == ("https://a.example/net.onnx", "https://b.example/x/net.onnx")
    assert model.file == "net.onnx"
    assert model.input_size == (416, 320)
    assert (model.ap, model.sha256, model.n_bytes, model.is_known) == (None, "", 0, False)
    assert read_catalogue(ROW + 'sha256_prefix = "0123abcd"')["net"].is_known
    zipped = read_catalogue(ROW.replace("net.onnx", "net.zip") + 'member = "end2end.onnx"')["net"]
    assert zipped.file == "net.onnx"


@pytest.mark.parametrize(
    ("old", "new", "kind"),
    [("licence", "license", TypeError), ('"here"', '"there"', KeyError), ("[416", "(", ValueError)],
)
def test_a_wrong_row_is_refused(old, new, kind):
    with pytest.raises(kind):
        read_catalogue(ROW.replace(old, new))


def test_a_damaged_catalogue_is_told(tmp_path, monkeypatch):
    (tmp_path / "catalogue.toml").write_text("models = 3")
    monkeypatch.setattr(shipped, "_PLACES", (tmp_path,))
    catalogue.cache_clear()
    try:
        with pytest.raises(WeightsError, match=r"catalogue\.toml: is damaged .*reinstall pose3d"):
            catalogue()
    finally:
        catalogue.cache_clear()


def test_a_wrong_name_says_the_nearest():
    with pytest.raises(UnknownNameError, match="no model 'yolox-nan'; did you mean 'yolox-nan"):
        find_model("yolox-nan")
    with pytest.raises(UnknownNameError, match="no model 'zzz'; see `pose3d weights list --all`"):
        require("zzz")


def test_the_cache_is_made_only_when_written_to(cache):
    model = find_model("yolox-nano")
    assert cache_folder() == cache
    assert cached(model) is None
    assert here() == []
    with pytest.raises(WeightsError, match="not here yet; run `pose3d weights download yolox-nan"):
        require("yolox-nano")
    assert not cache.exists()


def test_a_part_is_not_the_file(cache):
    model = find_model("yolox-nano")
    cache.mkdir()
    (cache / "yolox-nano.onnx.part").write_bytes(b"half")
    assert cached(model) is None
    (cache / "yolox-nano.onnx").write_bytes(b"whole")
    assert cached(model) == require("yolox-nano") == cache / "yolox-nano.onnx"
    assert here() == [model]


def test_without_a_choice_the_cache_is_the_systems(monkeypatch, tmp_path):
    pytest.importorskip("platformdirs")
    monkeypatch.delenv("POSE3D_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    folder = cache_folder()
    assert folder.name == "models"
    assert "pose3d" in str(folder)
    assert not folder.exists()

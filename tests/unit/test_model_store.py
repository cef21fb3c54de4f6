"""Networks into the cache: taken out of zips, checked, trusted on first use, imported, verified."""

from __future__ import annotations

import io
import zipfile

import pytest

from pose3d_cli.errors import InputError, OutputError, WeightsError
from pose3d_cli.files import model_file
from pose3d_cli.files.catalogue import catalogue
from pose3d_cli.files.download import Patience
from pose3d_cli.files.model_cache import cached, remembered
from pose3d_cli.files.model_store import download_model, import_file, recognise, verify_model
from tests.disk import no_file_longer_than
from tests.networks import QUICK, Watcher, model, onnx, sha256, zipped

DATA = onnx()
ZIP = zipped(DATA)


def download(*arguments, watcher=None, **more):
    return download_model(
        *arguments, watcher=watcher or Watcher(), patience=Patience(**QUICK), **more
    )


def files(folder):
    return sorted(path.name for path in folder.iterdir() if not path.name.endswith(".lock"))


def test_a_network_is_taken_out_of_its_zip(site, cache):
    net = model(site.add("/net.zip", ZIP), member="end2end.onnx", sha256=sha256(ZIP))
    watcher = Watcher()
    path = download(net, watcher=watcher)
    assert path == cached(net) == cache / "net.onnx"
    assert path.read_bytes() == DATA
    assert files(cache) == ["net.onnx", "net.onnx.sha256"]
    assert (cache / "net.onnx.sha256").read_text() == f"{sha256(DATA)}  net.onnx\n"
    assert watcher.warnings == [], "its sha256 is published"
    assert verify_model(net).what == "sha256 as when it came"


def test_what_is_there_is_not_fetched_again_unless_told(site):
    net = model(site.add("/net.onnx", DATA), sha256=sha256(DATA))
    download(net)
    assert download(net, watcher=(watcher := Watcher())).read_bytes() == DATA
    assert watcher.notes == ["net: is there already"]
    assert len(site.asked) == 1
    download(net, overwrite=True)
    assert len(site.asked) == 2


def test_a_failed_overwrite_leaves_the_old_file(site, cache):
    net = model(site.add("/net.onnx", DATA), sha256=sha256(DATA))
    download(net)
    site.add("/net.onnx", onnx(seed=9))
    with pytest.raises(WeightsError, match="and should be"):
        download(net, overwrite=True)
    assert cached(net).read_bytes() == DATA
    assert files(cache) == ["net.onnx", "net.onnx.sha256"]


WRONG = onnx(seed=9)


@pytest.mark.parametrize(
    ("served", "known", "told"),
    [
        (WRONG, {"sha256": sha256(DATA)}, "its sha256 is .* and should be"),
        (WRONG, {"sha256_prefix": sha256(DATA)[:8]}, "its sha256 is .* and should be"),
        (zipped(WRONG), {"member": "end2end.onnx", "sha256": sha256(ZIP)}, "and should be"),
        (zipped(WRONG), {"member": "end2end.onnx", "member_sha256": sha256(DATA)}, "should be"),
        (WRONG, {"member": "end2end.onnx", "member_sha256": sha256(DATA)}, "and should be"),
        (b"sorry", {"member": "end2end.onnx"}, "neither a zip that can be read nor an ONNX file"),
        (ZIP[:-300], {"member": "end2end.onnx"}, "neither a zip that can be read nor an ONNX"),
        (b"sorry", {"member": "end2end.onnx", "sha256": sha256(ZIP)}, "neither a zip"),
        (b"sorry", {}, "neither a zip that can be read nor an ONNX file"),
        (zipped(DATA, "other.onnx"), {"member": "end2end.onnx"}, "0 files end2end.onnx in the zip"),
        (
            zipped(DATA, **{"x/end2end.onnx": b"two"}),
            {"member": "end2end.onnx"},
            "2 files end2end.onnx in the zip",
        ),
    ],
)
def test_a_wrong_file_is_refused_and_the_next_place_asked(site, cache, served, known, told):
    bad = site.add("/bad", served)
    with pytest.raises(WeightsError, match=told):
        download(model(bad, **known))
    assert files(cache) == []
    good = site.add("/good", ZIP if "member" in known else DATA)
    assert download(model(bad, good, **known)).read_bytes() == DATA


@pytest.mark.parametrize(("known", "asked"), [({"sha256": sha256(DATA)}, "bytes=60000-"), ({}, "")])
def test_a_mirror_goes_on_only_where_a_wrong_file_would_be_found_out(site, known, asked):
    first = site.add("/first", DATA, *["die 60000", "die 0", "die 0", "die 0"])
    net = model(first, site.add("/second", DATA), **known)
    assert download(net).read_bytes() == DATA
    assert site.asked[-1] == ("/second", asked)


def test_a_damaged_zip_is_told(site, cache):
    spot = ZIP.index(DATA[1000:1010])
    damaged = ZIP[:spot] + bytes(100) + ZIP[spot + 100 :]
    net = model(site.add("/net.zip", damaged), member="end2end.onnx")
    with pytest.raises(WeightsError, match=r"its zip cannot be read \(Bad CRC-32"):
        download(net)
    assert files(cache) == []


def test_a_zip_cannot_write_elsewhere(site, cache):
    evil = zipped(DATA, "../../../evil/end2end.onnx")
    path = download(model(site.add("/net.zip", evil), member="end2end.onnx"))
    assert path == cache / "net.onnx"
    assert not list(cache.parent.rglob("evil"))


def test_a_bomb_is_not_unpacked(site, cache, monkeypatch):
    monkeypatch.setattr(model_file, "_LARGEST", 100_000)
    with pytest.raises(WeightsError, match=r"end2end\.onnx in the zip is far too large"):
        download(model(site.add("/net.zip", ZIP), member="end2end.onnx"))
    assert files(cache) == []


def test_trust_on_first_use_is_said_and_kept(site, cache):
    net = model(site.add("/net.onnx", DATA))
    watcher = Watcher()
    path = download(net, watcher=watcher)
    assert len(watcher.warnings) == 1
    assert "no sha256 of it is published, so it is taken on trust" in watcher.warnings[0]
    assert watcher.warnings[0].endswith(sha256(DATA))
    assert remembered(net) == sha256(DATA)
    path.unlink()
    site.add("/net.onnx", WRONG)
    with pytest.raises(WeightsError, match="that of the one first trusted was") as told:
        download(net)
    assert f"delete {cache / 'net.onnx.sha256'} and try again" in str(told.value)
    (cache / "net.onnx.sha256").unlink()
    assert download(net).read_bytes() == WRONG


def test_a_digest_of_the_zip_alone_does_not_vouch_for_a_member(tmp_path):
    net = model("https://a.example/net.zip", member="end2end.onnx", sha256=sha256(ZIP))
    (tmp_path / "end2end.onnx").write_bytes(DATA)
    watcher = Watcher()
    import_file(tmp_path / "end2end.onnx", net, watcher=watcher)
    assert "taken on trust" in watcher.warnings[0]


def test_no_download_when_offline(site, monkeypatch):
    net = model(site.add("/net.onnx", DATA), sha256=sha256(DATA))
    monkeypatch.setenv("POSE3D_OFFLINE", "1")
    with pytest.raises(WeightsError, match=r"POSE3D_OFFLINE is set, so nothing is downloaded\. Un"):
        download(net)
    assert site.asked == []
    monkeypatch.setenv("POSE3D_OFFLINE", "0")
    download(net)
    monkeypatch.setenv("POSE3D_OFFLINE", "1")
    assert download(net) == cached(net), "it is there, so nothing is downloaded"


def test_a_cache_that_cannot_be_written_is_told(site, tmp_path, monkeypatch):
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("POSE3D_CACHE", str(tmp_path / "file" / "cache"))
    net = model(site.add("/net.onnx", DATA))
    with pytest.raises(OutputError, match=r"cannot be made .*; set POSE3D_CACHE to a folder that"):
        download(net)
    assert site.asked == []


def test_a_disk_that_fills_up_while_unpacking_leaves_no_network(site, cache):
    small = zipped(b"\x08" + bytes(300_000))
    net = model(site.add("/net.zip", small), member="end2end.onnx")
    with (
        no_file_longer_than(100_000),
        pytest.raises(OutputError, match=r"net\.onnx: .* folder with POSE3D_CACHE"),
    ):
        download(net)
    assert cached(net) is None
    assert files(cache) == ["net.onnx.part", "net.onnx.part.json"]
    download(net)
    assert len(site.asked) == 1, "the zip was here already"


@pytest.mark.parametrize("suffix", [".onnx", ".pth"])
def test_verify_finds_damage(cache, tmp_path, suffix):
    net = model("https://a.example/net", sha256=sha256(DATA), suffix=suffix)
    (tmp_path / "net").write_bytes(DATA)
    path = import_file(tmp_path / "net", net, watcher=Watcher())
    verdict = verify_model(net)
    assert (verdict.is_ok, verdict.what) == (True, "sha256 as published")
    path.write_bytes(DATA[:-1] + b"!")
    verdict = verify_model(net)
    assert not verdict.is_ok
    assert verdict.what.startswith("damaged: its sha256 is ")
    assert verdict.what.endswith("run `pose3d weights download net --overwrite`")
    path.unlink()
    with pytest.raises(WeightsError, match="is not here; run `pose3d weights download net`"):
        verify_model(net)


def test_verify_knows_a_checkpoint_by_its_digits(cache):
    cache.mkdir()
    net = model("https://a.example/net.pth", sha256_prefix=sha256(DATA)[:8], suffix=".pth")
    (cache / net.file).write_bytes(DATA)
    assert verify_model(net).is_ok
    (cache / net.file).write_bytes(WRONG)
    assert not verify_model(net).is_ok


def test_verify_says_where_nothing_is_known(cache):
    cache.mkdir()
    net = model("https://a.example/net.onnx")
    (cache / net.file).write_bytes(DATA)
    verdict = verify_model(net)
    assert verdict.is_ok
    assert verdict.what == f"no sha256 is known to compare with; it has {sha256(DATA)}"
    (cache / f"{net.file}.sha256").write_text("nonsense")
    assert verify_model(net).what == verdict.what


SDK = "yolox_nano_8xb8-300e_humanart-40f6f0d0"


POSE = "rtmpose-m_simcc-body7_pt-body7_420e-256x192-e48f03d0_20230504"


@pytest.mark.parametrize(
    ("name", "which"),
    [
        (f"{SDK}.zip", "yolox-nano"),
        (f"{SDK} (1).zip", "yolox-nano"),
        (f"{SDK}.onnx", "yolox-nano"),
        ("yolox-nano.onnx", "yolox-nano"),
        ("yolox_nano.onnx", "yolox-nano-coco"),
        (
            "rtmpose-m_simcc-body7_pt-body7_420e-256x192-e48f03d0_20230504.pth",
            "rtmpose-m-coco17-pth",
        ),
        ("rtmpose-m_simcc-body7_pt-body7_420e-256x192-e48f03d0_20230504.zip", "rtmpose-m-coco17"),
    ],
)
def test_a_file_is_recognised_by_its_name(tmp_path, name, which):
    (tmp_path / name).write_bytes(DATA)
    assert recognise(tmp_path / name).name == which


def test_a_file_is_recognised_by_its_digest(tmp_path, monkeypatch):
    path = tmp_path / "end2end.onnx"
    path.write_bytes(DATA)
    with pytest.raises(InputError, match="say which it is with --as NAME"):
        recognise(path)
    for known in ("sha256", "member_sha256", "sha256_prefix"):
        value = sha256(DATA)[: 8 if known == "sha256_prefix" else None]
        net = model("https://a.example/x", member="end2end.onnx", **{known: value})
        monkeypatch.setattr("pose3d_cli.files.model_store.catalogue", lambda net=net: {"net": net})
        assert recognise(path) is net


def test_a_file_that_is_none_is_told(tmp_path):
    with pytest.raises(InputError, match="no such file or directory"):
        recognise(tmp_path / "absent.zip")
    (tmp_path / "empty.zip").touch()
    with pytest.raises(InputError, match="is empty"):
        recognise(tmp_path / "empty.zip")
    with pytest.raises(InputError, match="is a directory"):
        import_file(tmp_path, catalogue()["yolox-nano"], watcher=Watcher())


def test_an_import_of_another_file_changes_nothing(tmp_path, cache):
    (tmp_path / f"{SDK}.zip").write_bytes(ZIP)
    with pytest.raises(WeightsError, match=r"yolox-nano: its sha256 is .* and should be 1450966de"):
        import_file(tmp_path / f"{SDK}.zip", catalogue()["yolox-nano"], watcher=Watcher())
    assert files(cache) == []
    assert zipfile.is_zipfile(io.BytesIO((tmp_path / f"{SDK}.zip").read_bytes()))

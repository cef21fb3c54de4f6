from __future__ import annotations

import hashlib
import json
import struct
import subprocess
import sys

import pytest
import safetensors.torch
import torch

from pose3d_cli.errors import OutputError, WeightsError
from pose3d_cli.lift.about import FORMAT, WeightsAbout
from pose3d_cli.lift.weights import describe, load, save, sha256
from tests.nets import about, tiny


@pytest.fixture
def path(tmp_path):
    return tmp_path / "w.safetensors"


@pytest.fixture
def network():
    return tiny("dualstream")


def rewrite_header(path, change):
    """Change the words of a header in place; tensors stay. An answer takes their place."""
    data = path.read_bytes()
    length = struct.unpack("<Q", data[:8])[0]
    header = json.loads(data[8 : 8 + length])
    if (answer := change(header["__metadata__"])) is not None:
        header["__metadata__"] = answer[0]
    new = json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(new)) + new + data[8 + length :])


def test_the_header_comes_back_as_it_was_given(path, network):
    told = about(
        "dualstream",
        data="made in a test",
        protocol="none",
        measured={"mpjpe_mm": 61.25, "on": "nothing"},
        made_by="pose3d 0.1.0",
        source="arXiv 2504.01764",
        stature_m=1.7,
        more={"steps": "12", "loss": "position + velocity"},
    )
    save(path, network, told)
    assert describe(path) == told
    assert told.skeleton == "h36m17"
    assert told.units == "m,root"


def test_all_words_of_the_header_are_text_that_safetensors_itself_can_read(path, network):
    save(path, network, about("dualstream"))
    with safetensors.safe_open(path, framework="pt") as file:
        words = file.metadata()
    assert words["format"] == FORMAT == "pose3d-weights/1"
    assert json.loads(words["config"])["frames"] == 9
    assert float(words["rate_hz"]) == 25


def test_describing_imports_no_torch(path, network):
    save(path, network, about("dualstream"))
    code = (
        "import sys; from pathlib import Path; from pose3d_cli.lift.about import describe;"
        f"print(describe(Path({str(path)!r})).lifter, 'torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["dualstream", "False"]


def test_half_precision_halves_the_file_and_loads_as_float32(path, network, tmp_path):
    save(path, network, about("dualstream"))
    small = tmp_path / "half.safetensors"
    save(small, network, about("dualstream"), half=True)
    again = load(small)
    tensors = safetensors.torch.load_file(small)
    assert {t.dtype for name, t in tensors.items() if "qkv" in name} == {torch.float16}
    assert {t.dtype for name, t in tensors.items() if "scale1" in name} == {torch.float32}
    assert {p.dtype for p in again.parameters()} == {torch.float32}
    for name, value in network.state_dict().items():
        torch.testing.assert_close(again.state_dict()[name], value, rtol=1e-3, atol=1e-6)
    assert not again.training


def test_the_checksum_is_that_of_the_file(path):
    path.write_bytes(b"pose3d")
    assert sha256(path) == hashlib.sha256(b"pose3d").hexdigest()


def refused(path, words):
    with pytest.raises(WeightsError, match=words) as caught:
        load(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "data", [b"", b"abc", b"this is a text file, not weights\n" * 20, b"\x02" + b"\0" * 7 + b"[]"]
)
def test_a_file_of_another_kind_is_refused(path, data):
    path.write_bytes(data)
    refused(path, "not a safetensors file")


def test_a_missing_file_and_a_folder_are_refused(path, tmp_path):
    refused(path, "No such file")
    refused(tmp_path, "Is a directory")
    with pytest.raises(WeightsError, match="No such file"):
        sha256(path)


@pytest.mark.parametrize("keep", [0.5, 0.999])
def test_a_file_cut_off_is_refused(path, network, keep):
    save(path, network, about("dualstream"))
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * keep)])
    refused(path, "cut off or damaged")


def test_a_file_with_something_appended_is_refused(path, network):
    save(path, network, about("dualstream"))
    path.write_bytes(path.read_bytes() + b"x")
    refused(path, "where its header says")


def test_weights_of_another_program_are_refused(path):
    safetensors.torch.save_file({"a": torch.zeros(3)}, path, {"format": "pt"})
    refused(path, "found format 'pt', expected 'pose3d-weights/1'")
    safetensors.torch.save_file({"a": torch.zeros(3)}, path)
    refused(path, "found format None")


@pytest.mark.parametrize("words", [None, [], ["format"], "text", {"format": 1}])
def test_words_of_a_header_that_are_no_words_are_refused(path, network, words):
    save(path, network, about("dualstream"))
    rewrite_header(path, lambda m: (words,))
    refused(path, "damaged safetensors header: __metadata__ is no table of words")


def resized(**changes):
    """Change settings of the network in a header."""
    return lambda m: m.update(config=json.dumps({**json.loads(m["config"]), **changes}))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda m: m.pop("licence") and None, "the header lacks licence"),
        (lambda m: m.update(lifter="dualstraem"), "no lifter 'dualstraem'; did you mean"),
        (
            lambda m: m.update(config='{"frames": 9, "depht": 2}'),
            "no setting 'depht'; did you mean 'depth'",
        ),
        (lambda m: m.update(config='{"frames": 9, "heads": 3}'), "must be a multiple of heads"),
        (resized(dim=-4), r"dim \(-4\) must be at least 1"),
        (resized(heads=0), r"heads \(0\) must be at least 1"),
        (resized(dim=16.0), "dim is 16.0; expected a whole number"),
        (resized(streams="three"), "streams is 'three'; known: both, transformer, gcn"),
        (resized(dim=8 * 10**15), "these weights need another version"),
        (lambda m: m.update(config='{"dim": 16}'), "its settings lack frames"),
        (lambda m: m.update(skeleton="coco17"), "found skeleton 'coco17', expected 'h36m17'"),
        (lambda m: m.update(config="[]"), "damaged header: config is"),
        (lambda m: m.update(config="{"), "damaged header"),
        (lambda m: m.update(rate_hz="fast"), "damaged header: could not convert"),
        (lambda m: m.update(rate_hz="-25"), "rate_hz is -25.0; it must be above 0"),
        (lambda m: m.update(stature_m="nan"), "stature_m is nan"),
        (lambda m: m.update(input="pixels"), "input is 'pixels'; known are 'rays' and 'screen'"),
        (lambda m: m.update(format="pose3d-weights/9"), "found format 'pose3d-weights/9'"),
    ],
)
def test_a_header_that_makes_no_sense_is_refused(path, network, change, words):
    save(path, network, about("dualstream"))
    rewrite_header(path, change)
    refused(path, words)


def test_weights_of_another_size_or_lifter_are_refused(path, network):
    save(path, tiny("residual_mlp"), about("dualstream"))
    refused(path, "its tensors do not fit dualstream: .*Missing key")
    save(path, network, about("residual_mlp"))
    refused(path, "its tensors do not fit residual_mlp")


def test_values_that_are_no_numbers_are_refused(path, network):
    with torch.no_grad():
        network.head.weight[1, 2] = torch.nan
    save(path, network, about("dualstream"))
    refused(path, "head.weight holds values that are no numbers")


def test_a_failed_write_says_why_and_leaves_the_old_file(tmp_path, network):
    with pytest.raises(OutputError, match="there is no folder"):
        save(tmp_path / "nowhere" / "w.safetensors", network, about("dualstream"))
    assert list(tmp_path.iterdir()) == []


def test_a_word_that_has_its_own_place_cannot_be_given_twice():
    with pytest.raises(ValueError, match="more: licence has a place of its own"):
        about("dualstream", more={"licence": "mine"})
    with pytest.raises(ValueError, match="rate_hz is 0"):
        WeightsAbout(lifter="x", config={}, input="rays", rate_hz=0.0, licence="")


def test_equal_weights_make_equal_files(tmp_path):
    """Whatever order the library writes its header in, which differs from call to call."""
    more = {f"key{number}": "value" for number in range(30)}
    for name in "ab":
        save(tmp_path / name, tiny("dualstream"), about("dualstream", more=more))
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()

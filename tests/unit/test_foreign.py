"""`pose3d weights convert`: MotionAGFormer's checkpoints as weights of ours."""

from __future__ import annotations

import pickle
import zipfile
from collections import OrderedDict

import numpy as np
import pytest
import torch

from pose3d_cli.config import build
from pose3d_cli.errors import SettingsError, WeightsError
from pose3d_cli.learn.settings import TrainSettings
from pose3d_cli.learn.start import first_network
from pose3d_cli.lift import weights
from pose3d_cli.lift.foreign import convert, doubts
from pose3d_cli.lift.plain import PlainDualStream
from pose3d_cli.lift.shelf import LIFTERS
from pose3d_cli.lift.windowed import WindowedLifter
from pose3d_cli.lift.zoo.dualstream import DualStreamConfig
from pose3d_cli.pose.stature import stature
from tests.miniatures import motionagformer
from tests.miniatures.motionagformer import TINY, XS, checkpoint, state_dict, write
from tests.nets import CAMERA, about, tiny, walker
from tests.reference.motionagformer_plain import MotionAGFormer

CPU = torch.device("cpu")
# Where 3DHP's order has the joints of Human3.6M's.
IN_3DHP = [14, 8, 9, 10, 11, 12, 13, 15, 1, 16, 0, 5, 6, 7, 2, 3, 4]


@pytest.fixture
def path(tmp_path):
    return tmp_path / "motionagformer-xs-h36m.pth.tr"


def windows(frames, batch=2):
    return np.random.default_rng(1).normal(size=(batch, frames, 17, 3))


@pytest.mark.parametrize("size", [TINY, XS], ids=["tiny", "xs"])
def test_a_converted_network_gives_what_the_original_gives(path, size):
    network, _ = convert(write(path, **size))
    assert {p.dtype for p in network.parameters()} == {torch.float32}
    assert not network.training
    x = windows(size["frames"])
    wanted = MotionAGFormer(state_dict(**size))(x)
    assert wanted.std() > 0.1
    with torch.inference_mode():
        given = [form(torch.from_numpy(x).float()) for form in (network, PlainDualStream(network))]
        exact = network.double()(torch.from_numpy(x))
    for answer in given:
        np.testing.assert_allclose(answer, wanted, atol=1e-5)
    # The bone graph is made in float32; all else is float64 here.
    np.testing.assert_allclose(exact, wanted, atol=1e-6)


def test_a_network_of_3dhp_takes_and_gives_joints_in_our_order(path):
    """It was trained in another order, with the neighbour lists of ours."""
    network, _ = convert(write(path), trained_on="3dhp")
    x = windows(9)
    theirs = np.empty_like(x)
    theirs[:, :, IN_3DHP] = x
    wanted = MotionAGFormer(state_dict(**TINY))(theirs)[:, :, IN_3DHP]
    with torch.inference_mode():
        answer = network.double()(torch.from_numpy(x)).numpy()
    np.testing.assert_allclose(answer, wanted, atol=1e-6)
    as_ours = MotionAGFormer(state_dict(**TINY))(x)
    assert np.abs(answer - as_ours).mean() > 0.01


def test_every_tensor_has_a_part_in_the_answer(path):
    """Else a tensor in the wrong place would not be seen by the tests above."""
    state = state_dict(**TINY)
    x = windows(9)
    before = MotionAGFormer(state)(x)
    for name in state:
        if not name.endswith("num_batches_tracked"):
            other = {**state, name: state[name] * (1 + 0.3 * torch.rand(state[name].shape))}
            assert not np.allclose(MotionAGFormer(other)(x), before, atol=1e-6), name


@pytest.mark.parametrize(("size", "preset"), [(TINY, None), (XS, "xs")], ids=["tiny", "xs"])
def test_the_size_is_read_from_the_shapes(path, size, preset):
    network, told = convert(write(path, **size))
    wanted = DualStreamConfig(**size, heads=8, adjacency="legacy")
    assert network.config == wanted
    assert build(DualStreamConfig, dict(told.config), where="header") == wanted
    if preset:
        assert wanted == build(
            DualStreamConfig,
            {**vars(LIFTERS.get("dualstream").presets[preset]), "adjacency": "legacy"},
            where=preset,
        )


def test_the_header_says_what_is_known_and_what_is_not(path):
    _, told = convert(write(path))
    assert (told.lifter, told.input, told.units) == ("dualstream", "screen", "screen,root")
    assert (told.rate_hz, told.skeleton, told.stature_m) == (50.0, "h36m17", 1.70)
    assert told.licence.startswith("unknown: ")
    assert "Human3.6M" in told.licence
    assert "Human3.6M" in told.data
    assert told.measured == {}
    assert "2310.16288" in told.source
    assert f"{path.name} (sha256 {weights.sha256(path)})" in told.source
    assert told.more["min_mpjpe"] == "45.125, said by the file; not measured here"
    assert told.more["epoch"].startswith("57, said by the file")
    assert told.more["trained_on"] == "h36m"


def test_the_header_of_3dhp(path):
    _, told = convert(write(path), trained_on="3dhp")
    assert (told.input, told.units, told.rate_hz) == ("screen", "screen,root", 25.0)
    assert told.config["adjacency"] == "legacy-3dhp"
    assert "MPI-INF-3DHP" in told.licence
    assert "1.024 m" in told.more["unit"]
    assert told.more["axes"] == "camera"


def as_bare(content):
    return content["model"]


def without_prefix(content):
    state = {name.removeprefix("module."): value for name, value in content["model"].items()}
    return {**content, "model": state}


def as_ordered(content):
    return OrderedDict({**content, "model": OrderedDict(content["model"])})


def in_half(content):
    return {"model": {k: v.half() if v.ndim > 1 else v for k, v in content["model"].items()}}


@pytest.mark.parametrize("form", [as_bare, without_prefix, as_ordered, in_half])
def test_other_forms_of_the_same_tensors(path, form):
    wanted, _ = convert(write(path))
    torch.save(form(checkpoint()), path)
    network, _ = convert(path)
    state = network.state_dict()
    for name, tensor in wanted.state_dict().items():
        tolerance = 2e-3 if form is in_half else 0
        torch.testing.assert_close(state[name], tensor, atol=tolerance, rtol=tolerance)
        assert state[name].dtype == tensor.dtype


def test_numbers_of_an_older_numpy_and_files_of_an_older_torch_are_read(path, tmp_path):
    wanted, _ = convert(write(path))
    old = tmp_path / "old.pth.tr"
    with zipfile.ZipFile(path) as source, zipfile.ZipFile(old, "w") as target:
        for item in source.infolist():
            data = source.read(item)
            if item.filename.endswith("data.pkl"):
                assert b"numpy._core" in data
                data = data.replace(b"numpy._core", b"numpy.core")
            target.writestr(item, data)
    before_1_6 = tmp_path / "older.pth.tr"
    torch.save(checkpoint(), before_1_6, _use_new_zipfile_serialization=False)
    for file in (old, before_1_6):
        network, told = convert(file)
        assert told.more["min_mpjpe"].startswith("45.125")
        for name, tensor in wanted.state_dict().items():
            assert torch.equal(network.state_dict()[name], tensor)


def changed(**changes):
    """Put tensors into a state dict by name (`__` for a dot), or take them out (None)."""

    def change(content):
        state = dict(content["model"])
        for key, value in changes.items():
            name = "module." + key.replace("__", ".")
            state.pop(name, None)
            if value is not None:
                state[name] = value
        return {**content, "model": state}

    return change


QKV = "layers__1__att_spatial__mixer__qkv__weight"


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (changed(**{QKV: None}), r"lacks layers\.1\.att_spatial\.mixer\.qkv\.weight; only"),
        (
            changed(a=torch.ones(1), b=torch.ones(1), c=torch.ones(1), d=torch.ones(1)),
            r"has a, b, c and 1 more, unknown here",
        ),
        (changed(**{QKV: torch.ones(3, 3)}), r"qkv\.weight has shape \(3, 3\), expected \(48, 16"),
        (changed(head__bias=torch.tensor([0, torch.nan, 0])), r"head\.bias holds values that are"),
        (changed(rep_logit__fc__weight=None), r"lacks rep_logit\.fc\.weight, of which its size"),
        (changed(pos_embed=torch.ones(1, 16, 16)), r"pos_embed has shape \(1, 16, 16\), expected"),
        (changed(joints_embed__weight=torch.ones(16, 2)), r"shape \(16, 2\), expected \(16, 3\)"),
        (lambda _: checkpoint(**{**TINY, "dim": 12}), r"dim \(12\) must be a multiple of heads"),
        (lambda _: {"model_pos": {"module.temp_embed": torch.ones(1)}}, "MotionBERT, another"),
        (lambda _: {"model_pos": {"expand_conv.weight": torch.ones(1)}}, "VideoPose3D, another"),
        (lambda _: {"model_pos": {"w": torch.ones(1)}}, "a checkpoint of another `model_pos`"),
        (
            lambda _: {"conv1.weight": torch.ones(1), "final_layer.bias": torch.ones(1)},
            "HRNet or a relative, which finds 2D keypoints",
        ),
        (
            lambda _: {"state_dict": {"keypoint_head.w": torch.ones(1)}, "meta": {}},
            "MMPose, which finds 2D keypoints",
        ),
        (
            lambda _: {"fc.weight": torch.ones(2), "fc.bias": torch.ones(2)},
            r"another network \(it holds fc\.weight, fc\.bias\); expected",
        ),
        (lambda _: {"format": "pose3d-checkpoint/2", "network": {}}, "a training checkpoint of po"),
        (lambda _: {"model": "best", "epoch": 3}, r"another network \(it holds model, epoch\)"),
        (lambda _: {}, r"another network \(it holds nothing\)"),
        (lambda _: [torch.ones(1)], "holds a list, no table"),
        (lambda _: torch.nn.Linear(2, 2), "refused to unpickle: it wants `torch.nn"),
    ],
)
def test_a_checkpoint_that_cannot_be_converted_is_refused_in_a_line(path, make, words):
    torch.save(make(checkpoint()), path)
    refused(path, words)


def refused(path, words):
    with pytest.raises(WeightsError, match=words) as caught:
        convert(path)
    line = str(caught.value)
    assert line.startswith(f"{path}: ")
    assert "\n" not in line
    assert len(line) < len(str(path)) + 260


def save_ours(path):
    weights.save(path, tiny("dualstream"), about("dualstream"))


def archive_of(name):
    def make(path):
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr(name, b"something")

    return make


def cut_off(share):
    def make(path):
        data = write(path).read_bytes()
        path.write_bytes(data[: int(len(data) * share)])

    return make


def without_tensors(path):
    with zipfile.ZipFile(write(path)) as source:
        kept = {i: source.read(i) for i in source.infolist() if "/data/" not in i.filename}
    with zipfile.ZipFile(path, "w") as target:
        for item, data in kept.items():
            target.writestr(item, data)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda path: None, "cannot be read .No such file"),
        (lambda path: path.mkdir(), "cannot be read .Is a directory"),
        (lambda path: path.write_bytes(b""), "an empty file"),
        (lambda path: path.write_text("epoch 57\n" * 9), "a text file; expected a checkpoint of"),
        (lambda path: path.write_text("<!DOCTYPE html><html>Quota"), "a web page, saved where"),
        (lambda path: path.write_bytes(bytes(range(1, 99))), "no file of PyTorch"),
        (lambda path: path.write_bytes(pickle.dumps({"a": print})), "refused to unpickle"),
        (save_ours, "weights of pose3d already"),
        (archive_of("drive/motionagformer-b.pth.tr"), "unpack it and convert the motionagformer-b"),
        (archive_of("arr_0.npy"), "an archive without a checkpoint"),
        (archive_of("net/constants.pkl"), "a TorchScript program"),
        (cut_off(0.7), "cut off, its end is missing"),
        (without_tensors, "damaged or cut off"),
    ],
)
def test_a_file_of_another_kind_is_refused_in_a_line(path, make, words):
    make(path)
    refused(path, words)


def test_nothing_in_a_checkpoint_is_run(path, tmp_path):
    class Evil:
        def __reduce__(self):
            return (open, (str(tmp_path / "owned"), "w"))

    torch.save({**checkpoint(), "wandb_id": Evil()}, path)
    refused(path, "refused to unpickle: it wants `")
    assert not (tmp_path / "owned").exists()


class Scalar:
    """A numpy scalar of objects, as nobody but an attacker would pickle it."""

    def __reduce__(self):
        return np.float64(1).__reduce__()[0], (Objects(), b"12345678")


class Objects:
    def __reduce__(self):
        return np.dtype, ("O",)


@pytest.mark.parametrize("scalar", [Scalar(), np.array([b"abc"], "S3")[0]], ids=["O", "S3"])
def test_a_scalar_that_is_no_number_is_not_unpickled(path, scalar):
    torch.save({**checkpoint(), "min_mpjpe": scalar}, path)
    refused(path, "refused to unpickle")


def test_a_data_set_that_is_not_known_is_refused(path):
    with pytest.raises(SettingsError, match="--trained-on: no data set 'h36'; did you mean 'h36m'"):
        convert(path, trained_on="h36")


@pytest.mark.parametrize(
    ("name", "trained_on", "other"),
    [
        ("motionagformer-b-mpi.pth.tr", "h36m", "3dhp"),
        ("MotionAGFormer-L-3DHP.pth.tr", "h36m", "3dhp"),
        ("motionagformer-b-h36m.pth.tr", "3dhp", "h36m"),
        ("motionagformer-b-h36m.pth.tr", "h36m", None),
        ("motionagformer-b-mpi.pth.tr", "3dhp", None),
        ("best_epoch.pth.tr", "h36m", None),
    ],
)
def test_a_name_that_tells_of_another_data_set_is_remarked(tmp_path, name, trained_on, other):
    told = doubts(tmp_path / name, trained_on)
    assert len(told) == (other is not None)
    if other:
        assert f"--trained-on {other}" in told[0]


@pytest.fixture
def converted(path, tmp_path):
    network, told = convert(write(path))
    out = tmp_path / "w.safetensors"
    weights.save(out, network, told)
    return out


def test_a_converted_file_loads_as_any_other_and_leaves_the_optimiser_out(path, converted):
    network, _ = convert(path)
    loaded = weights.load(converted)
    for name, tensor in network.state_dict().items():
        assert torch.equal(loaded.state_dict()[name], tensor)
    assert converted.stat().st_size < 0.4 * path.stat().st_size


def test_training_can_begin_with_a_converted_file(converted):
    changes = "frames=9,dim=16,depth=2,representation=24,heads=8,adjacency=legacy"
    settings = TrainSettings(preset="xs", network=changes)
    assert first_network(settings, converted).config.adjacency == "legacy"


def test_a_converted_file_lifts_people_of_the_stature_that_is_assumed(converted):
    pose = WindowedLifter.from_file(converted, CPU).lift(walker(40), CAMERA)
    assert np.isfinite(pose.xyz).all()
    assert pose.is_metric
    assert stature(pose.xyz) == pytest.approx(1.70, rel=0.15)  # smoothed; the network is noise


def test_a_miniature_has_the_tensors_of_a_published_file():
    state = motionagformer.state_dict(**XS)
    assert all(name.startswith("module.") for name in state)
    learnt = ("running_mean", "running_var", "num_batches_tracked")
    sizes = [t.numel() for name, t in state.items() if not name.endswith(learnt)]
    assert sum(sizes) == 2_241_531

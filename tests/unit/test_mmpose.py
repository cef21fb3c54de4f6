"""MMPose's own models through MMPose: a network a few channels wide gives what MMPose gives.

Tests that need MMPose are skipped where it is not installed; CI installs it and runs them.
"""

from __future__ import annotations

import logging
import os
import socket
import subprocess
import sys
import tomllib
from importlib.util import find_spec
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from pose3d_cli.detect.mmpose_install import INSTALL, import_mmpose
from pose3d_cli.detect.options import DetectorOptions
from pose3d_cli.detect.rtmpose_torch import RTMPoseTorch
from pose3d_cli.detect.shelf import DETECTORS
from pose3d_cli.errors import DeviceError, MissingExtraError, SettingsError, WeightsError
from pose3d_cli.files.video import open_video
from tests.miniatures.mmpose import HEATMAP, noisy_state, write_checkpoint, write_config

ROOT = Path(__file__).parents[2]
STAND_INS = ("mmcv.ops", "mmdet", "torchvision", "xtcocotools")
there = pytest.mark.skipif(find_spec("mmpose") is None, reason="MMPose is not installed")


@pytest.fixture
def without_mmpose(monkeypatch):
    """Nothing of MMPose has been imported, nor can be."""
    for name in [name for name in sys.modules if name.partition(".")[0] == "mmpose"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "mmpose", None)


def test_the_message_where_it_is_missing_is_the_two_lines(without_mmpose):
    options = DetectorOptions(config="a.py", checkpoint="a.pth", boxes="blazepose")
    with pytest.raises(MissingExtraError) as caught:
        DETECTORS.get("mmpose")(options)
    said, *lines = str(caught.value).splitlines()
    assert said == "MMPose is not installed; install it by these lines:"
    assert [line.strip() for line in lines] == list(INSTALL)


def test_the_two_lines_are_those_of_the_readme_and_the_extra_is_there():
    readme = (ROOT / "README.md").read_text("utf-8")
    assert "pip install -c constraints.txt '.[mmpose]'\n" in readme
    assert f"{INSTALL[1]}\n" in readme
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    assert "mmengine==0.10.7" in project["optional-dependencies"]["mmpose"]


@pytest.mark.parametrize(
    "program",
    [
        "raise AssertionError('MMCV==9 is used but incompatible.\\nInstall another.')",
        "import no_such_companion",
    ],
)
def test_versions_that_do_not_fit_are_told_with_the_same_lines(
    tmp_path, monkeypatch, without_mmpose, program
):
    (tmp_path / "mmpose").mkdir()
    (tmp_path / "mmpose" / "__init__.py").write_text(program)
    monkeypatch.delitem(sys.modules, "mmpose")
    monkeypatch.syspath_prepend(tmp_path)
    before = {name: sys.modules.get(name) for name in STAND_INS}
    with pytest.raises(MissingExtraError) as caught:
        import_mmpose()
    said, *lines = str(caught.value).splitlines()
    assert "9 is used but incompatible. Install" in said or "no_such_companion" in said
    assert [line.strip() for line in lines] == list(INSTALL)
    assert {name: sys.modules.get(name) for name in STAND_INS} == before


@pytest.mark.parametrize(
    ("given", "flag"),
    [({}, "--mmpose-config"), ({"checkpoint": "a.pth"}, "--mmpose-config"),
     ({"config": "a.py"}, "--mmpose-weights")],
)  # fmt: skip
def test_a_flag_left_out_is_told(given, flag):
    with pytest.raises(SettingsError, match=f"needs {flag} FILE"):
        DETECTORS.get("mmpose")(DetectorOptions(**given))


@pytest.fixture(autouse=True)
def _no_network(monkeypatch):
    def refuse(*_):
        raise AssertionError("the network was asked")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("mmpose")


@pytest.fixture(scope="module", params=[17, 26])
def toy(request, folder):
    """Config and checkpoint of a network of 17 or 26 keypoints."""
    import_mmpose()
    return made(folder, request.param)


def made(folder, joints):
    config = write_config(folder, joints, scope="mmpose")  # as MMPose alone can read it
    checkpoint = write_checkpoint(folder / f"toy-{joints}.pth", noisy_state(config))
    return write_config(folder, joints), checkpoint


@pytest.fixture(scope="module")
def coco(folder):
    import_mmpose()
    return made(folder, 17)


@pytest.fixture(scope="module")
def picture():
    with open_video(ROOT / "samples" / "walk.mp4") as video:
        return next(iter(video)).image


BOXES = np.array(
    [[200, 100, 500, 530], [700.5, 200.25, 880, 520], [-50, -20, 100, 300], [600, 300, 1000, 700]],
    np.float32,
)


@pytest.fixture
def logged():
    """What MMPose logs, which it does on stdout, where our results go."""
    from mmengine.logging import MMLogger

    records = []
    handler = logging.Handler(logging.WARNING)
    handler.emit = records.append
    logger = MMLogger.get_current_instance()
    logger.addHandler(handler)
    yield records
    logger.removeHandler(handler)


def net(config, checkpoint, device="cpu"):
    from pose3d_cli.detect.mmpose_net import MMPoseNet

    return MMPoseNet(config, checkpoint, device=device)


def by_hand(config, checkpoint, file, box):
    """Return what a user of MMPose gets who reads its documentation."""
    from mmengine.config import Config
    from mmpose.apis import inference_topdown, init_model

    settings = Config.fromfile(config)
    settings.model.backbone.pop("_scope_", None)
    model = init_model(settings, None, device="cpu")
    # A file of our own making, which holds no more than was put in.
    model.load_state_dict(torch.load(checkpoint, weights_only=False)["state_dict"])
    model.test_cfg["flip_test"] = False
    found = [one.pred_instances for one in inference_topdown(model, str(file), box)]
    return np.concatenate([one.keypoints for one in found]), np.concatenate(
        [one.keypoint_scores for one in found]
    )


@there
def test_it_finds_what_mmpose_finds_in_the_same_file(toy, picture, tmp_path):
    file = tmp_path / "picture.png"
    cv2.imwrite(str(file), picture[..., ::-1])
    xy, score = net(*toy).keypoints(picture, BOXES)
    wanted, scores = by_hand(*toy, file, BOXES)
    assert xy.std(axis=(0, 1)).min() > 20
    assert 0.01 < scores.min() < scores.max() < 1
    np.testing.assert_allclose(xy, wanted, atol=1e-3)
    np.testing.assert_allclose(score, scores, atol=1e-5)
    assert (xy.dtype, score.dtype) == (np.float32, np.float32)


@there
@pytest.mark.parametrize("head", ["head.", "keypoint_head."])  # the second is older than 1.0
def test_so_it_does_with_heatmaps(picture, tmp_path, head):
    import_mmpose()
    config = write_config(tmp_path, more=HEATMAP)
    state = noisy_state(config)
    checkpoint = write_checkpoint(tmp_path / "toy.pth", state)
    file = tmp_path / "picture.png"
    cv2.imwrite(str(file), picture[..., ::-1])
    wanted, _ = by_hand(config, checkpoint, file, BOXES)
    renamed = {name.replace("head.", head): tensor for name, tensor in state.items()}
    xy, _ = net(config, write_checkpoint(checkpoint, renamed)).keypoints(picture, BOXES)
    assert wanted.std(axis=(0, 1)).min() > 20
    seen = ~np.isnan(xy)
    assert seen.mean() > 0.5
    np.testing.assert_allclose(xy[seen], wanted[seen], atol=1e-3)


@there
def test_colours_are_told_apart(coco, picture):
    network = net(*coco)
    xy, _ = network.keypoints(picture, BOXES[:2])
    swapped, _ = network.keypoints(picture[..., ::-1], BOXES[:2])
    assert np.abs(xy - swapped).max(axis=(1, 2)).min() > 10


@there
def test_its_keypoints_are_the_native_networks_to_a_hundredth_of_a_pixel(toy, picture):
    own = RTMPoseTorch(toy[1], device="cpu")
    network = net(*toy)
    assert own.skeleton is network.skeleton
    xy, score = network.keypoints(picture, BOXES)
    native_xy, native_score = own.keypoints(picture, BOXES)
    np.testing.assert_allclose(native_xy, xy, atol=0.01)
    np.testing.assert_allclose(native_score, score, atol=1e-3)


@there
def test_nobody_sees_a_neighbour(coco, picture):
    network = net(*coco)
    xy, score = network.keypoints(picture, BOXES)
    for row in range(len(BOXES)):
        alone, its_score = network.keypoints(picture, BOXES[row : row + 1])
        np.testing.assert_allclose(alone[0], xy[row], atol=1e-3)
        np.testing.assert_allclose(its_score[0], score[row], atol=1e-5)


@there
def test_no_boxes_are_nobody_and_not_the_whole_picture(coco, picture):
    xy, score = net(*coco).keypoints(picture, BOXES[:0])
    assert (xy.shape, score.shape) == ((0, 17, 2), (0, 17))
    assert (xy.dtype, score.dtype) == (np.float32, np.float32)


@there
def test_what_has_no_score_has_no_place_and_scores_end_at_one(coco, picture, tmp_path):
    from pose3d_cli.detect.torch_checkpoint import read_state

    state = read_state(coco[1])
    for factor, score_wanted in ((0.0, 0.0), (100.0, 1.0)):
        scaled = {k: v * factor if "head.cls" in k else v for k, v in state.items()}
        path = write_checkpoint(tmp_path / "scaled.pth", scaled)
        xy, score = net(coco[0], path).keypoints(picture, BOXES)
        assert np.all(score == score_wanted)
        assert np.all(np.isnan(xy)) == (score_wanted == 0)


@there
def test_it_is_a_detector_with_a_person_detector_before_it(toy, picture):
    config, checkpoint = map(str, toy)
    options = DetectorOptions(config=config, checkpoint=checkpoint, boxes="blazepose", device="cpu")
    detector = DETECTORS.get("mmpose")(options)
    assert detector.name.startswith("mmpose")
    assert detector.skeleton is net(*toy).skeleton
    people = detector.detect(picture)
    assert people.xy.shape[1:] == (len(detector.skeleton.joints), 2)


@there
@pytest.mark.parametrize(("joints", "name"), [(17, "coco17"), (26, "halpe26")])
def test_joints_are_those_of_the_configs_data_set(folder, joints, name):
    skeleton = net(*made(folder, joints)).skeleton
    assert skeleton.name == name
    assert len(skeleton.joints) == joints


@there
def test_the_data_set_it_is_tested_on_will_do(folder):
    config, checkpoint = made(folder, 26)
    config.write_text(config.read_text() + "del train_dataloader, val_dataloader\n")
    network = net(config, checkpoint)
    assert network.skeleton.name == "halpe26"
    assert network._model.dataset_meta["num_keypoints"] == 26


@there
def test_mmdetection_is_not_looked_for_when_mmpose_has_the_same(coco, logged, monkeypatch):
    monkeypatch.setitem(sys.modules, "pkg_resources", None)  # with which it would be looked for
    assert "_scope_='mmdet'" in coco[0].read_text()
    net(*coco)
    assert not logged


@there
def test_nothing_stays_of_the_stand_ins():
    before = {name: find_spec(name) for name in STAND_INS if "." not in name}
    import_mmpose()
    assert {name: find_spec(name) for name in before} == before
    for name in STAND_INS:
        assert name not in sys.modules or sys.modules[name].__file__


@there
def test_packages_that_are_there_and_broken_are_stood_in_for_too(tmp_path):
    for name in ("torchvision", "xtcocotools"):  # built for another PyTorch, another NumPy
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").write_text("raise RuntimeError('built for another')")
    program = (
        "import sys; from pose3d_cli.detect.mmpose_install import import_mmpose; import_mmpose()\n"
        "from mmpose.visualization.simcc_vis import ToPILImage\n"
        "assert not {'torchvision', 'xtcocotools', 'mmdet'} & set(sys.modules)\n"
        "ToPILImage()"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
    )
    assert "RuntimeError: torchvision.transforms.ToPILImage is needed" in done.stderr
    assert "Assert" not in done.stderr


@there
def test_a_checkpoint_that_would_run_code_is_refused_and_does_not_run(coco, tmp_path):
    class Harmful:
        def __reduce__(self):
            return os.system, (f"touch {tmp_path / 'ran'}",)

    path = write_checkpoint(tmp_path / "harmful.pth", {}, message=Harmful())
    with pytest.raises(WeightsError, match="refused to unpickle"):
        net(coco[0], path)
    assert not (tmp_path / "ran").exists()


@there
def test_tensors_that_do_not_fit_are_named(coco, tmp_path):
    from pose3d_cli.detect.torch_checkpoint import read_state

    def told(state):
        with pytest.raises(WeightsError, match=r"other\.pth: does not fit .*toy-17\.py") as caught:
            net(coco[0], write_checkpoint(tmp_path / "other.pth", state))
        assert "\n" not in str(caught.value)
        return str(caught.value)

    state = read_state(coco[1])
    less = {name: tensor for name, tensor in state.items() if "head.gau" not in name}
    assert "missing head.gau.gamma, head.gau.beta" in told(less)
    assert "more" in told(less)
    assert told({**state, "head.extra": torch.ones(1)}).endswith("unexpected head.extra")
    wide = {**state, "head.cls_x.weight": torch.ones(3, 3)}
    assert "size mismatch for head.cls_x.weight" in told(wide)


@there
@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"kind": "BottomupPoseEstimator"}, "BottomupPoseEstimator; only top-down models"),
        ({"kind": "PoseLifter"}, "PoseLifter; only top-down models"),
        ({"kind": "TopDown"}, "TopDown; only top-down models"),
        ({"joints": 21}, r"its 21 keypoints \(wrist, thumb1, .*none of coco17, halpe26"),
        ({"backbone": "mmpretrain.Swin"}, "MMPose cannot build it: KeyError: .*mmpretrain.Swin"),
        ({"dataset": "type='PoseTrack18Dataset'"}, r"its 17 keypoints \(nose, head_bottom,"),
        ({"dataset": "type='NoSuchDataset'"}, "its data set is unknown|names no data set"),
    ],
)
def test_a_config_that_is_none_of_ours_is_told_in_a_line(coco, tmp_path, logged, changes, told):
    with pytest.raises(SettingsError, match=told) as caught:
        net(write_config(tmp_path, **changes), coco[1])
    assert "\n" not in str(caught.value)
    assert not logged


@there
@pytest.mark.parametrize("text", ["", "model = dict(", "model = 3", "1 / 0", "import no_such_one"])
def test_a_file_that_is_no_config_is_told(coco, tmp_path, text):
    path = tmp_path / "config.py"
    path.write_text(text)
    with pytest.raises(SettingsError, match=r"config\.py: not a (readable )?config of MMPose"):
        net(path, coco[1])


@there
@pytest.mark.parametrize("name", ["human", "rtmpose-m", "https://example.org/config.py"])
def test_names_that_mmpose_would_look_up_are_refused(coco, name):
    with pytest.raises(SettingsError, match="no such file"):
        net(Path(name), coco[1])


@there
def test_weights_and_a_device_that_are_not_there_are_told(coco):
    with pytest.raises(WeightsError, match=r"none\.pth: cannot be read \(No such file"):
        net(coco[0], Path("https://example.org/none.pth"))
    if not torch.cuda.is_available():
        with pytest.raises(DeviceError, match=r"--device cuda: .*use --device cpu"):
            net(*coco, device="cuda")

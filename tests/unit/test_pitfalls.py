"""The field's known ways to measure wrongly, each with the tests that would notice.

Most are tests of the part that could fall in; those that belong to no single part stand here.
"""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from pose3d_cli.learn import stages
from pose3d_cli.learn.material import TEST_2D
from pose3d_cli.learn.train import train
from pose3d_cli.lift import weights
from pose3d_cli.lift.windowed import WindowedLifter
from tests.miniatures import threedpw
from tests.motion import TINY, quiet, tiny_pack
from tests.nets import CAMERA, about, tiny, walker
from tests.takes import Screened, screen_about

TESTS = Path(__file__).parents[1]

PITFALLS = {
    "the mean of actions is not that of frames": (
        "unit/test_benchmark_summary.py::test_the_mean_of_actions_is_not_the_mean_of_frames",
        "unit/test_protocols.py::test_the_mean_over_actions_stands_beside_that_over_frames",
    ),
    "published figures lift the mirror image too": (
        "unit/test_protocols.py::test_without_the_mirror_image_the_answer_is_another_and_told",
        "unit/test_pitfalls.py::test_the_mean_with_the_mirror_image_leaves_what_treats_sides_alike",
    ),
    "weights chosen by their error on the test subjects": (
        "unit/test_pitfalls.py::test_the_last_weights_are_kept_and_not_those_that_measured_best",
    ),
    "tails that fill no window are dropped": (
        "unit/test_protocols.py::test_tails_are_dropped_and_told",
        "unit/test_layouts.py::test_500_frames_make_two_windows_of_243_and_14_frames_are_left_out",
        "unit/test_clip_windows.py::"
        "test_windows_lie_a_stride_apart_and_what_fills_none_is_left_out",
    ),
    "three takes of S9 are left out by one protocol only": (
        "unit/test_protocols.py::test_takes_with_wrong_truth_are_left_out_by_motionbert_alone",
    ),
    "scaled-image space is not the camera's": (
        "unit/test_protocols.py::test_truth_is_the_scaled_image_not_the_cameras",
        "unit/test_dataset_notes.py::test_the_two_truths_of_the_pickle_are_compared",
    ),
    "TS5 and TS6 of 3DHP in another unit": (
        "unit/test_protocols.py::test_legacy_units_differ_in_ts5_and_ts6_alone_by_6_percent",
    ),
    "the root of 3DHP is the 15th joint": (
        "unit/test_mpi_inf_3dhp.py::test_the_root_is_the_files_15th_joint_and_not_its_first",
        "unit/test_mpi_inf_3dhp.py::test_reordering_is_that_of_the_field_and_loses_nothing",
    ),
    "velocity across a border": (
        "unit/test_benchmark_score.py::"
        "test_no_velocity_is_measured_across_a_gap_or_a_border_of_stretches",
    ),
    "running statistics of a network that is measured as it trains": (
        "unit/test_pitfalls.py::test_measuring_on_the_way_changes_nothing_of_what_is_learnt",
        "unit/test_weights.py::test_half_precision_halves_the_file_and_loads_as_float32",
        "property/test_windowed.py::test_the_size_of_batches_does_not_matter",
    ),
    "true 2D by projection or by leaving out the depth": (
        "unit/test_h36m.py::test_keypoints_are_where_the_truth_is_seen_and_know_their_camera",
        "unit/test_h36m_sh.py::test_true_2d_is_the_labels_and_its_camera_has_no_lens",
        "unit/test_folder_seen.py::test_true_keypoints_go_through_distortion",
    ),
    "S11 Directions is corrupt": (
        "unit/test_h36m.py::test_s11_has_no_corrupt_directions_even_if_the_files_have_it",
    ),
    "P-MPJPE over a batch, and of an answer without size": (
        "unit/test_protocols.py::test_motionbert_to_the_digit",
        "unit/test_align.py::test_procrustes_without_size_or_without_joints",
        "property/test_measure_laws.py::test_p_mpjpe_does_not_see_a_similarity",
        "property/test_measure_laws.py::test_n_mpjpe_does_not_see_a_scale",
    ),
    "scores that are there, and scores that are filled in": (
        "unit/test_h36m.py::test_keypoints_without_confidence_get_a_score_of_one",
        "unit/test_h36m_sh.py::test_confidence_is_the_files_own_in_either_shape",
    ),
    "pre-training on the 2D of the test subjects": (
        "unit/test_pitfalls.py::test_weights_that_saw_the_2d_of_the_test_subjects_are_told_of",
        "unit/test_train_on_datasets.py::"
        "test_pre_training_sees_the_test_subjects_only_if_asked_and_says_so",
    ),
    "metres, millimetres and units of the screen": (
        "unit/test_train_on_datasets.py::test_training_and_measuring_agree_about_units",
        "unit/test_recognise.py::test_the_unit_is_the_one_in_which_joints_are_a_person",
    ),
    "weights of another rate than the set's": (
        "unit/test_protocols.py::test_weights_of_another_rate_are_lifted_as_videos_and_told",
    ),
}
"""What can go wrong, to the tests that would notice."""


@pytest.mark.parametrize("pitfall", PITFALLS)
def test_every_pitfall_has_tests(pitfall):
    for test in PITFALLS[pitfall]:
        file, _, name = test.partition("::")
        assert re.search(rf"^def {name}\(", (TESTS / file).read_text(), re.MULTILINE), test


def test_no_pitfall_is_forgotten():
    assert len(PITFALLS) == 17


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return tiny_pack(tmp_path_factory.mktemp("mocap"))


def learnt(data, out, **changes):
    settings = replace(TINY, lifter="dualstream", **changes)
    report = train(settings, data=data, out=out, watch=quiet, device="cpu")
    return weights.load(report.weights).state_dict(), report.held_out


def assert_same(some, others):
    assert some.keys() == others.keys()
    for name, value in some.items():
        torch.testing.assert_close(others[name], value, rtol=0, atol=0)


def test_the_last_weights_are_kept_and_not_those_that_measured_best(data, tmp_path, monkeypatch):
    """Two runs that differ in what is measured on the way alone: in one it gets ever worse."""
    found = {}
    for name, errors in (("better", [90.0, 50.0]), ("worse", [50.0, 90.0])):
        told = iter(errors)
        monkeypatch.setattr(
            stages,
            "held_out_error",
            lambda *_, told=told, **__: dict.fromkeys(("mpjpe_mm", "p_mpjpe_mm"), next(told)),
        )
        found[name] = learnt(data, tmp_path / name)
    assert found["worse"][1]["mpjpe_mm"] == 90
    assert_same(found["better"][0], found["worse"][0])


def test_measuring_on_the_way_changes_nothing_of_what_is_learnt(data, tmp_path):
    """Running statistics would drift if held-out windows passed through a network in training."""
    often, _ = learnt(data, tmp_path / "often", validate_every=1)
    never, _ = learnt(data, tmp_path / "never", validate_every=1000)
    assert any(name.endswith("running_mean") for name in often)
    assert_same(often, never)


@pytest.mark.parametrize(("data_of", "split", "is_told"), [
    (f"their own; {TEST_2D} (24 clips)", "test", True),
    (f"their own; {TEST_2D} (24 clips)", "train", False),
    ("their own", "test", False),
])  # fmt: skip
def test_weights_that_saw_the_2d_of_the_test_subjects_are_told_of(
    tmp_path, pose3d, data_of, split, is_told
):
    threedpw.write_3dpw(tmp_path)
    file = tmp_path / "weights.safetensors"
    weights.save(file, tiny("dualstream"), about("dualstream", data=data_of))
    flags = ("--dataset", "3dpw", "--data", tmp_path, "--split", split, "--json")
    told = pose3d("eval", file, *flags)
    (found,) = json.loads(told.stdout)["evaluations"]
    warning = f"{file}: pre-trained on {TEST_2D} it is measured on; do not compare it with others"
    assert (warning in found["notes"]) == is_told
    assert (warning in told.stderr) == is_told


class Leaning(Screened):
    """Treats sides alike, but that it puts all a metre to the right."""

    def forward(self, x):
        return x + torch.tensor([1.0, 0, 0])


def test_the_mean_with_the_mirror_image_leaves_what_treats_sides_alike():
    """Of a network that answers with its input, each image gives the same; a lean cancels out."""
    header, keypoints = replace(screen_about(), units="m,root"), walker(20)
    lifted = {
        (network, mirror): WindowedLifter(network(), header, torch.device("cpu"), mirror)
        .lift(keypoints, CAMERA)
        .xyz[:, 1:]
        for network in (Screened, Leaning)
        for mirror in (True, False)
    }
    plain = lifted[Screened, False]
    np.testing.assert_allclose(lifted[Screened, True], plain, atol=1e-6)
    np.testing.assert_allclose(lifted[Leaning, True], plain, atol=1e-6)
    np.testing.assert_allclose(lifted[Leaning, False], plain + np.float32([1, 0, 0]), atol=1e-6)

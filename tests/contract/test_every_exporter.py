"""What every exporter on the shelf keeps, whatever it writes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from pose3d_cli.errors import MissingExtraError, OutputError, SettingsError, UnknownNameError
from pose3d_cli.files.export.base import Exporter, ExportOptions, person_file, with_end
from pose3d_cli.files.export.shelf import EXPORTERS, exporters_of
from tests.rigs import result_of, walking_round

OPTIONS = ExportOptions()


@pytest.fixture(params=EXPORTERS.names())
def exporter(request):
    return exporters_of(request.param)[request.param]


@pytest.fixture(scope="module")
def result():
    return result_of({0: walking_round(12), 7: walking_round(12) + np.array([2.0, 0, 0])})


def test_there_are_exporters():
    assert {"bvh", "csv", "glb", "json"} <= set(EXPORTERS.names())


def test_it_is_one(exporter):
    assert isinstance(exporter, Exporter)
    assert exporter.suffix.endswith(tuple(EXPORTERS.names()))
    assert bool(exporter.module) == bool(exporter.extra)


@pytest.mark.parametrize("name", ["clip", "мой клип 1.5 (final)", "a.b"])
def test_it_writes_what_it_says_under_any_name(exporter, result, tmp_path, name):
    exported = exporter.write(result, tmp_path / name, OPTIONS)
    expected = {with_end(tmp_path / name, exporter.suffix)}
    if exporter.is_personal:
        expected = {person_file(tmp_path / name, who, exporter.suffix) for who in (0, 7)}
    assert set(exported.files) == expected == set(tmp_path.iterdir())
    assert all(path.stat().st_size > 100 for path in exported.files)


def test_it_writes_the_same_twice(exporter, result, tmp_path):
    first = {p: p.read_bytes() for p in exporter.write(result, tmp_path / "a", OPTIONS).files}
    assert first
    again = exporter.write(result, tmp_path / "a", OPTIONS).files
    assert {path: path.read_bytes() for path in again} == first


def test_it_writes_none_but_the_chosen(exporter, result, tmp_path):
    everybody = exporter.write(result, tmp_path / "a", OPTIONS).files
    one = exporter.write(result, tmp_path / "b", replace(OPTIONS, people=(7,))).files
    assert sum(p.stat().st_size for p in one) < sum(p.stat().st_size for p in everybody)
    with pytest.raises(UnknownNameError, match="no person 1; there: 0, 7"):
        exporter.write(result, tmp_path / "c", replace(OPTIONS, people=(1,)))


def test_one_frame_and_somebody_without_a_place_are_no_trouble(exporter, tmp_path):
    nowhere = np.full((1, 17, 3), np.nan)
    result = result_of({0: walking_round(1), 1: nowhere})
    assert exporter.write(result, tmp_path / "a", OPTIONS).files


def test_a_folder_that_is_not_there_is_an_output_error_and_leaves_nothing(
    exporter, result, tmp_path
):
    with pytest.raises(OutputError, match="there is no folder"):
        exporter.write(result, tmp_path / "absent" / "clip", OPTIONS)
    assert not list(tmp_path.iterdir())


def test_a_list_of_names_is_read_kindly_and_a_wrong_one_told():
    assert list(exporters_of(" BVH, .glb")) == ["bvh", "glb"]
    with pytest.raises(UnknownNameError, match="no exporter 'glp'; did you mean 'glb'"):
        exporters_of("bvh,glp")
    with pytest.raises(SettingsError, match="a name is missing; known: bvh, csv"):
        exporters_of("bvh,")


def test_an_exporter_whose_package_is_absent_says_how_to_get_it(monkeypatch):
    monkeypatch.setattr(EXPORTERS.get("bvh"), "module", "no_such_module")
    monkeypatch.setattr(EXPORTERS.get("bvh"), "extra", "some")
    with pytest.raises(MissingExtraError, match=r"bvh files need .*pip install 'pose3d\[some\]'"):
        exporters_of("glb,bvh")


@pytest.mark.parametrize("fps", [-1.0, np.nan, 1e9])
def test_a_rate_that_makes_no_sense_is_refused(fps):
    with pytest.raises(ValueError, match=r"fps .* must be between"):
        ExportOptions(fps=fps)

"""What every exporter on the shelf keeps, whatever it writes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from pose3d_cli.errors import MissingExtraError, OutputError, SettingsError, UnknownNameError
from pose3d_cli.files.export.base import Exporter, ExportOptions, person_file, with_end
from pose3d_cli.files.export.shelf import EXPORTERS
from pose3d_cli.pipeline.exports import exporters_of, write_exports
from pose3d_cli.pipeline.report import Silent
from tests.rigs import result_of, walking_round

OPTIONS = ExportOptions()


@pytest.fixture(params=EXPORTERS.names())
def exporter(request):
    try:
        return exporters_of(request.param)[request.param]
    except MissingExtraError as error:
        pytest.skip(str(error))


@pytest.fixture(scope="module")
def result():
    return result_of({0: walking_round(12), 7: walking_round(12) + np.array([2.0, 0, 0])})


def test_there_are_exporters():
    assert {
        "angles", "bvh", "c3d", "csv", "glb", "html", "json", "mot", "nc", "parquet", "trc",
    } <= set(EXPORTERS.names())  # fmt: skip


def test_it_is_one(exporter):
    assert isinstance(exporter, Exporter)
    assert exporter.suffix.endswith(tuple(f".{name}" for name in EXPORTERS.names()))
    assert len({EXPORTERS.get(name)().suffix for name in EXPORTERS.names()}) == len(
        EXPORTERS.names()
    )
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


@pytest.mark.parametrize("people", [{}, {3: np.full((4, 17, 3), np.nan)}])
def test_nobody_and_nobody_with_a_place_are_no_trouble_either(exporter, tmp_path, people):
    exported = exporter.write(result_of(people), tmp_path / "a", OPTIONS)
    assert set(exported.files) == set(tmp_path.iterdir())
    if exporter.is_personal:
        assert not exported.files
        assert len(exported.notes) == len(people)


def test_a_joint_that_is_lost_and_a_gap_are_no_trouble(exporter, tmp_path):
    xyz = walking_round(12)
    xyz[0, 3] = xyz[7:9] = xyz[11, 2] = np.nan
    rows = np.array([2, 3, 4, 5, 6, 7, 8, 9, 10, 14, 15, 16])
    result = result_of({0: xyz}, rows={0: rows}, time_s=np.cumsum(0.03 + 0.01 * np.arange(17)))
    exported = exporter.write(result, tmp_path / "a", OPTIONS)
    assert exported.files
    assert set(exported.files) == set(tmp_path.iterdir())


def test_a_folder_that_cannot_be_written_is_an_output_error_and_leaves_nothing(
    exporter, result, tmp_path
):
    for name in ("clip", "clip_person0"):
        (tmp_path / f"{name}{exporter.suffix}" / "in the way").mkdir(parents=True)
    before = set(tmp_path.rglob("*"))
    with pytest.raises(OutputError, match="in the way"):
        exporter.write(result, tmp_path / "clip", OPTIONS)
    assert set(tmp_path.rglob("*")) == before


def test_files_of_people_who_are_gone_go(exporter, result, tmp_path):
    name = next(name for name in EXPORTERS.names() if isinstance(exporter, EXPORTERS.get(name)))
    if name == "csv":
        return  # written anyway, by others
    write_exports(name, result, tmp_path / "a", Silent())
    alone = replace(result, people=result.people[:1])
    kept = set(write_exports(name, alone, tmp_path / "a", Silent()).values())
    assert kept == set(tmp_path.iterdir())


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
    with pytest.raises(SettingsError, match="a name is missing; known: angles, bvh"):
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

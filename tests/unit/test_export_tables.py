"""Parquet and netCDF: the numbers of a result in typed tables."""

from __future__ import annotations

import csv
import json
from dataclasses import replace

import numpy as np
import pytest
from scipy.io import netcdf_file

from pose3d_cli.errors import OutputError
from pose3d_cli.files.export.base import ExportOptions
from pose3d_cli.files.export.track import track_of
from pose3d_cli.files.export.zoo import nc, parquet
from pose3d_cli.files.export.zoo.csv import Csv
from pose3d_cli.files.export.zoo.nc import NetCdf
from pose3d_cli.files.export.zoo.parquet import Parquet
from pose3d_cli.files.tables import COLUMNS
from pose3d_cli.pose.skeleton import H36M17
from tests.rigs import result_of, walking_round

OPTIONS = ExportOptions()


@pytest.fixture
def result():
    xyz = walking_round(12)
    xyz[3, 5] = np.nan
    people = {7: xyz, 2: walking_round(5)}
    return result_of(people, rows={7: np.arange(12), 2: np.arange(4, 9)})


@pytest.fixture
def pq():
    return pytest.importorskip("pyarrow.parquet")


def test_parquet_has_the_rows_of_the_csv_in_their_order(pq, result, tmp_path, monkeypatch):
    monkeypatch.setattr(parquet, "_FRAMES", 5)  # in several pieces
    [path] = Parquet().write(result, tmp_path / "a", OPTIONS).files
    [text] = Csv().write(result, tmp_path / "a", OPTIONS).files
    found = pq.read_table(path).to_pydict()
    rows = list(csv.DictReader(text.read_text().splitlines()))
    assert tuple(found) == COLUMNS == tuple(rows[0])
    for column in COLUMNS:
        told = [row[column] for row in rows]
        if column == "joint":
            assert found[column] == told
        else:
            mine = np.array([np.nan if v is None else v for v in found[column]], float)
            digits = {"u_px": 0.01, "v_px": 0.01, "score": 1e-4}.get(column, 1e-5)
            np.testing.assert_allclose(
                mine, [float(v or "nan") for v in told], atol=digits, err_msg=column
            )
    assert found["x_world_m"][3 * 17 + 5] is None


def test_parquet_tells_units_and_how_it_was_made(pq, result, tmp_path):
    [path] = Parquet().write(result, tmp_path / "a", OPTIONS).files
    schema = pq.read_schema(path)
    units = {field.name: field.metadata[b"unit"].decode() for field in schema}
    assert units["x_world_m"] == units["z_root_m"] == "m"
    assert (units["time_s"], units["u_px"], units["score"]) == ("s", "px", "1")
    assert str(schema.field("y_camera_m").type) == "float"
    assert str(schema.field("time_s").type) == "double"
    about = json.loads(schema.metadata[b"pose3d"])
    assert about["format"] == "pose3d-parquet/1"
    assert about["meta"]["fps"] == 30
    assert "z up" in about["axes"]
    assert pq.ParquetFile(path).metadata.row_group(0).column(5).compression == "ZSTD"


def test_nobody_is_a_table_without_rows(pq, tmp_path):
    [path] = Parquet().write(result_of({}), tmp_path / "a", OPTIONS).files
    assert pq.read_table(path).num_rows == 0
    assert pq.read_table(path).column_names == list(COLUMNS)


def words(variable):
    assert variable._Encoding == b"utf-8"
    return [b"".join(row).decode() for row in variable[:]]


def test_netcdf_is_laid_out_as_movement_has_it(result, tmp_path):
    [path] = NetCdf().write(result, tmp_path / "мой клип", OPTIONS).files
    with netcdf_file(path, mmap=False) as file:
        position, confidence = file.variables["position"], file.variables["confidence"]
        assert position.dimensions == ("time", "space", "keypoint", "individual")
        assert confidence.dimensions == ("time", "keypoint", "individual")
        assert position.units == b"m"
        assert words(file.variables["space"]) == ["x", "y", "z"]
        assert words(file.variables["keypoint"]) == list(H36M17.joints)
        assert words(file.variables["individual"]) == ["person7", "person2"]
        np.testing.assert_array_equal(file.variables["time"][:], result.time_s)
        assert (file.ds_type, file.time_unit, file.fps) == (b"poses", b"seconds", 30.0)
        assert file.source_software == b"pose3d"
        assert json.loads(file.pose3d_meta)["fps"] == 30
        for place, person in enumerate(result.people):
            own = position[person.rows, ..., place].swapaxes(1, 2)
            np.testing.assert_allclose(own, track_of(result, person).xyz, atol=1e-5)
        absent = np.setdiff1d(np.arange(12), result.people[1].rows)
        assert np.isnan(position[absent, ..., 1]).all()
        assert confidence[5, 0, 1] == 1
        assert not confidence[absent, :, 1].any()


def test_more_than_netcdf_holds_is_refused_with_a_way_out(result, tmp_path, monkeypatch):
    monkeypatch.setattr(nc, "MOST_BYTES", 2 * 12 * 17 * 3 * 4 - 1)
    with pytest.raises(OutputError, match=r"positions of 2 people .* choose some with --person"):
        NetCdf().write(result, tmp_path / "a", OPTIONS)
    assert NetCdf().write(result, tmp_path / "a", replace(OPTIONS, people=(2,))).files


def test_nobody_is_no_netcdf_and_it_is_told(tmp_path):
    exported = NetCdf().write(result_of({}), tmp_path / "a", OPTIONS)
    assert exported.files == ()
    assert exported.notes == ("netCDF is left out: there is nobody to write",)

"""What other programs make of our C3D, Parquet and netCDF: run where they are installed."""

from __future__ import annotations

from importlib.metadata import version

import numpy as np
import pytest

from pose3d_cli.files.export.base import ExportOptions
from pose3d_cli.files.export.names import MARKERS
from pose3d_cli.files.export.track import track_of
from pose3d_cli.pipeline.exports import exporters_of
from pose3d_cli.pose.skeleton import H36M17
from tests.rigs import result_of, walking_round

NEAR_M = 1e-5


@pytest.fixture
def result():
    xyz = walking_round(40)
    xyz[5:9, 3] = xyz[20:25] = np.nan
    rows = {0: np.arange(40), 7: np.arange(30, 40)}
    return result_of({0: xyz, 7: walking_round(10)}, rows=rows, fps=29.97)


def export(result, name, folder):
    return exporters_of(name)[name].write(result, folder / "клип", ExportOptions()).files


def dense(result, place):
    """Return a person's joints over all frames."""
    xyz = np.full((len(result.frame), 17, 3), np.nan)
    track = track_of(result, result.people[place])
    xyz[track.row] = track.xyz
    return xyz


def near(found, expected):
    np.testing.assert_array_equal(np.isnan(found), np.isnan(expected))
    assert np.nanmax(np.abs(found - expected)) < NEAR_M


def test_py_c3d_reads_the_points(result, tmp_path):
    c3d = pytest.importorskip("c3d")
    path, _ = export(result, "c3d", tmp_path)
    with path.open("rb") as file:
        reader = c3d.Reader(file)
        assert reader.point_rate == pytest.approx(29.97, abs=1e-4)
        labels = [label.strip() for label in reader.point_labels]
        points = np.stack([points for _, points, _ in reader.read_frames(copy=True)])
    assert labels == [MARKERS[joint] for joint in H36M17.joints]
    assert np.isfinite(points).all()  # a gap has a residual of -1, and numbers all the same
    found = np.where(points[..., 3:4] == -1, np.nan, points[..., :3]) / 1000
    near(found, dense(result, 0))


def test_ezc3d_reads_the_points(result, tmp_path):
    ezc3d = pytest.importorskip("ezc3d")
    _, path = export(result, "c3d", tmp_path)
    file = ezc3d.c3d(str(path))
    assert file["header"]["points"]["first_frame"] == 30
    found = file["data"]["points"][:3].transpose(2, 1, 0) / 1000
    near(found, dense(result, 1)[30:])


def test_pandas_reads_the_same_from_parquet_and_csv(result, tmp_path):
    pandas = pytest.importorskip("pandas")
    pytest.importorskip("pyarrow")
    [parquet], [text] = (export(result, name, tmp_path) for name in ("parquet", "csv"))
    found, expected = pandas.read_parquet(parquet), pandas.read_csv(text)
    assert list(found.columns) == list(expected.columns)
    assert len(found) == len(expected) == (40 + 10) * 17
    for column in found.columns:
        if column == "joint":
            assert found[column].astype(str).tolist() == expected[column].tolist()
        else:
            near(found[column].to_numpy(float), expected[column].to_numpy(float))
    wide = found.pivot(index=["frame", "person"], columns="joint", values="z_world_m")
    assert wide.shape == (40 + 10, 17)


def test_pandas_reads_angles(result, tmp_path):
    pandas = pytest.importorskip("pandas")
    found = pandas.read_csv(export(result, "angles", tmp_path)[0])
    assert len(found) == 40 + 10
    assert found["left_knee_flexion_deg"].notna().sum() == 40 + 10 - 9


@pytest.mark.parametrize("engine", ["netcdf4", "scipy"])
def test_xarray_reads_netcdf(result, tmp_path, engine):
    xarray = pytest.importorskip("xarray")
    if engine == "netcdf4":
        pytest.importorskip("netCDF4")
    with xarray.open_dataset(export(result, "nc", tmp_path)[0], engine=engine) as found:
        assert found.position.dims == ("time", "space", "keypoint", "individual")
        assert found.keypoint.values.tolist() == list(H36M17.joints)
        assert found.attrs["ds_type"] == "poses"
        np.testing.assert_allclose(found.time, result.time_s)
        for place, name in enumerate(("person0", "person7")):
            one = found.position.sel(individual=name).transpose("time", "keypoint", "space")
            near(one.values, dense(result, place))


def test_movement_takes_it_for_its_own(result, tmp_path):
    """Up to 0.16 its dimensions had names in the plural."""
    pytest.importorskip("movement")
    xarray = pytest.importorskip("xarray")
    from movement.kinematics import compute_velocity
    from movement.validators.datasets import ValidPosesInputs

    found = xarray.load_dataset(export(result, "nc", tmp_path)[0])
    if tuple(map(int, version("movement").split(".")[:2])) < (0, 17):
        found = found.rename(keypoint="keypoints", individual="individuals")
    ValidPosesInputs.validate(found)
    speed = compute_velocity(found.position)
    assert speed.dims == found.position.dims
    assert np.isfinite(speed.values[31:39, ..., 1]).all()

"""What OpenSim makes of our TRC and MOT: run where its Python module is installed."""

from __future__ import annotations

import numpy as np
import pytest

from pose3d_cli.files.export.base import ExportOptions
from pose3d_cli.files.export.names import MARKERS
from pose3d_cli.files.export.shelf import exporters_of
from pose3d_cli.files.export.track import track_of
from pose3d_cli.pose.rig.skeleton import rig_of
from pose3d_cli.pose.skeleton import H36M17
from tests.rigs import result_of, turning_oddly, walking_round

osim = pytest.importorskip("opensim")

NEAR_M = 1e-5


def uneven():
    xyz = walking_round(40)
    xyz[5:9, 3] = xyz[20:25] = xyz[-1, -1] = np.nan
    time_s = 1 + np.cumsum(np.random.default_rng(0).uniform(0.02, 0.12, 40))
    return result_of({0: xyz}, time_s=time_s)


def ground(result):
    """Return joints by the definition of OpenSim's ground: forward is away from the camera."""
    return track_of(result, result.people[0]).xyz[..., [1, 2, 0]]


def export(result, name, folder):
    [path] = exporters_of(name)[name].write(result, folder / "a clip", ExportOptions()).files
    return str(path)


def test_a_trc_comes_back_with_its_gaps_and_times(tmp_path):
    result = uneven()
    read = osim.TimeSeriesTableVec3(export(result, "trc", tmp_path))
    assert list(read.getColumnLabels()) == [MARKERS[joint] for joint in H36M17.joints]
    table = read.flatten()  # kept: its numbers are gone with it
    flat = table.getMatrix().to_numpy()
    found, expected = flat.reshape(len(flat), -1, 3), ground(result)
    np.testing.assert_allclose(read.getIndependentColumn(), result.time_s, atol=1e-6)
    np.testing.assert_array_equal(np.isnan(found), np.isnan(expected))
    assert np.nanmax(np.abs(found - expected)) < NEAR_M


def test_inverse_kinematics_takes_the_markers_for_metres(tmp_path):
    result = result_of({0: walking_round(5)})
    markers = osim.MarkersReference(export(result, "trc", tmp_path), osim.SetMarkerWeights())
    values = osim.SimTKArrayVec3()
    markers.getValuesAtTime(0.0, values)
    found = np.array([values.getElt(i).to_numpy() for i in range(17)])
    assert np.abs(found - ground(result)[0]).max() < NEAR_M


def test_a_mot_comes_back_in_degrees_with_its_gaps(tmp_path):
    result = uneven()
    path = export(result, "mot", tmp_path)
    read = osim.TimeSeriesTable(path)
    assert read.getTableMetaDataString("inDegrees") == "yes"
    assert osim.Storage(path).isInDegrees()
    is_gap = np.isnan(read.getMatrix().to_numpy())
    assert is_gap.any(1).tolist() == is_gap.all(1).tolist()
    assert is_gap.any(1).nonzero()[0].tolist() == [*range(5, 9), *range(20, 25)]
    np.testing.assert_allclose(read.getIndependentColumn(), result.time_s[:-1], atol=1e-6)


X, Y, Z = (1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0)


def joint(model, parent, place, name, axes, slides=()):
    """Add a body that turns about axes in order, as the joints of OpenSim's models are told.

    The model must outlive it, and so must all that it was made of: they are no copies.
    """
    body = osim.Body(name, 1.0, osim.Vec3(0), osim.Inertia(1.0))
    moves = osim.SpatialTransform()
    model.made_of = [*getattr(model, "made_of", []), body, moves]
    for number, (coordinate, axis) in enumerate(axes):
        turn = getattr(moves, f"upd_rotation{number + 1}")()
        turn.setAxis(osim.Vec3(*axis))
        if coordinate:
            set_free(model, turn, coordinate)
    for number, coordinate in enumerate(slides):
        set_free(model, getattr(moves, f"upd_translation{number + 1}")(), coordinate)
    none = osim.Vec3(0)
    model.addBody(body)
    made = osim.CustomJoint(f"to_{name}", parent, osim.Vec3(*place), none, body, none, none, moves)
    model.made_of.append(made)
    model.addJoint(made)
    return body


def set_free(model, axis, coordinate):
    names, function = osim.ArrayStr(coordinate, 1), osim.LinearFunction(1.0, 0.0)
    model.made_of += [names, function]
    axis.setCoordinateNames(names)
    axis.set_function(function)


def body_of(rig):
    """Return a model of pelvis, legs and trunk, and what of it lies at which joint."""
    model = osim.Model()
    tilt = [("pelvis_tilt", Z), ("pelvis_list", X), ("pelvis_rotation", Y)]
    slides = [f"pelvis_t{axis}" for axis in "xyz"]
    pelvis = joint(model, model.getGround(), (0, 0, 0), "pelvis", tilt, slides)
    at = {"pelvis": (pelvis, (0, 0, 0))}
    for side, sign in (("right", 1.0), ("left", -1.0)):
        end = side[0]
        place = (0, 0, sign * abs(rig.of(f"{side}_hip")[0]))
        axes = [(f"hip_flexion_{end}", Z), (f"hip_adduction_{end}", (sign, 0, 0)),
                (f"hip_rotation_{end}", (0, sign, 0))]  # fmt: skip
        thigh = joint(model, pelvis, place, f"thigh_{end}", axes)
        knee, ankle = ((0, float(rig.of(f"{side}_{name}")[1]), 0) for name in ("knee", "ankle"))
        axes = [(f"knee_angle_{end}", (0, 0, -1.0)), ("", X), ("", Y)]
        shin = joint(model, thigh, knee, f"shin_{end}", axes)
        at |= {f"{side}_hip": (pelvis, place), f"{side}_knee": (thigh, knee)}
        at[f"{side}_ankle"] = (shin, ankle)
    model.finalizeConnections()
    return model, at


def test_a_model_moved_by_a_mot_has_its_legs_where_the_joints_are(tmp_path):
    """Axes of the joints as in the models of Rajagopal 2016: signs, sides and order count."""
    xyz = turning_oddly(30)
    result = result_of({0: xyz})
    expected = ground(result)
    model, at = body_of(rig_of(xyz))
    state = model.initSystem()
    table = osim.TimeSeriesTable(export(result, "mot", tmp_path))
    columns = dict(zip(table.getColumnLabels(), table.getMatrix().to_numpy().T, strict=True))
    coordinates = model.getCoordinateSet()
    off = []
    slides = {f"pelvis_t{axis}" for axis in "xyz"}
    for frame in range(30):
        for number in range(coordinates.getSize()):
            coordinate = coordinates.get(number)
            name = coordinate.getName()
            value = float(columns[name][frame])
            coordinate.setValue(state, value if name in slides else np.deg2rad(value), False)
        model.realizePosition(state)
        for name, (body, place) in at.items():
            found = body.findStationLocationInGround(state, osim.Vec3(*place)).to_numpy()
            off.append(np.linalg.norm(found - expected[frame, H36M17.index(name)]))
    assert max(off) < 1e-5

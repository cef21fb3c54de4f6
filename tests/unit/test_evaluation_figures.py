"""Figures of a report: left is left, numbers are their joints', gaps are told."""

from __future__ import annotations

import numpy as np
import pytest

from pose3d_cli.pose.skeleton import H36M17
from pose3d_cli.render.evaluation_canvas import drawing, shortened
from pose3d_cli.render.evaluation_charts import MOST_GROUPS, draw_groups, draw_shares
from pose3d_cli.render.evaluation_content import group_names, share_within, within_mm
from pose3d_cli.render.evaluation_skeletons import (
    draw_example,
    draw_joints,
    front_view,
    scale_top,
)
from pose3d_cli.render.palette import PAPER, SIDES, side, unit
from tests.reports import column, example, facing_camera


@pytest.fixture(autouse=True)
def house_style():
    with drawing():
        yield


def written(sheet):
    """All that is written in a figure: words to their places in pixels from the left."""
    return {
        text.get_text(): text.get_window_extent().x0
        for axes in sheet.figure.axes
        for text in [*axes.texts, *axes.get_yticklabels()]
    }


def marked(sheet):
    return [line for line in sheet.ground.lines if line.get_marker() != "None"]


def marks(sheet):
    """Markers: their places, rounded, to their lines."""
    return {tuple(np.round(line.get_xydata()[0], 3)): line for line in marked(sheet)}


def test_the_persons_left_is_at_the_viewers_right():
    sheet = draw_joints(column(), 100.0)
    middle, _ = front_view("pelvis")
    for joint in H36M17.joints:
        x, _ = front_view(joint)
        assert np.sign(x - middle) == {"left": 1, "right": -1, "middle": 0}[side(joint)]
    words = written(sheet)
    assert words["person's right"] < middle < words["person's left"]
    image = sheet.to_rgb(1.0)
    for name, is_right_half in (("left", True), ("right", False)):
        _, columns = np.nonzero((image == np.array(SIDES[name])).all(-1))
        assert len(columns) > 100
        assert ((columns > middle) == is_right_half).all()
    assert front_view("head")[1] > front_view("pelvis")[1] > front_view("left_ankle")[1]


def test_each_joint_has_its_own_number_beside_it():
    values = {joint: 10.0 + row for row, joint in enumerate(H36M17.joints)}
    sheet = draw_joints(column(joint_mm=values), 100.0)
    for joint, mm in values.items():
        text = next(text for text in sheet.ground.texts if text.get_text() == f"{mm:.0f}")
        near = min(
            H36M17.joints,
            key=lambda other: np.hypot(*np.subtract(text.get_position(), front_view(other))),
        )
        assert near == joint


def test_numbers_of_a_skeleton_do_not_overlap():
    sheet = draw_joints(column(joint_mm=dict.fromkeys(H36M17.joints, 188.0)), 190.0)
    boxes = [t.get_window_extent() for t in sheet.ground.texts if t.get_text() == "188"]
    boxes += [line.get_window_extent() for line in marks(sheet).values()]
    assert len(boxes) == 34
    pairs = [(a, b) for i, a in enumerate(boxes) for b in boxes[:i]]
    assert not [(a, b) for a, b in pairs if a.overlaps(b)]
    for parent, joint in H36M17.bones:
        along = np.linspace(front_view(parent), front_view(joint), 50)
        assert not [box for box in boxes[:17] if box.count_contains(along)]
    assert all(box.x0 > 4 and box.x1 < sheet.size_px[0] - 4 for box in boxes)


def test_a_joint_that_is_further_off_is_larger_and_darker():
    joints = {"left_wrist": 100.0, "right_wrist": 25.0, "head": float("nan")}
    found = marks(draw_joints(column(joint_mm=joints), 100.0))
    far, near = found[front_view("left_wrist")], found[front_view("right_wrist")]
    assert far.get_markersize() > 1.5 * near.get_markersize()
    assert sum(far.get_markerfacecolor()[:3]) < sum(near.get_markerfacecolor()[:3]) - 0.5


def test_a_joint_that_was_not_measured_is_hollow_and_has_no_number():
    sheet = draw_joints(column(joint_mm={"left_wrist": 100.0, "head": float("nan")}), 100.0)
    hollow = [
        place for place, line in marks(sheet).items() if line.get_markerfacecolor() == unit(PAPER)
    ]
    assert len(hollow) == 16
    assert front_view("head") in hollow
    assert front_view("left_wrist") not in hollow
    assert [text.get_text() for text in sheet.ground.texts].count("\u2013") == 16


def test_all_lifters_have_one_scale():
    columns = [column(joint_mm={"head": 31.0}), column(joint_mm={"head": 263.0})]
    assert scale_top(columns) == 300.0
    assert scale_top(columns[:1]) == 40.0
    assert scale_top([column(joint_mm={"head": float("nan")})]) > 0
    assert scale_top([column(joint_mm={"head": 0.0})]) > 0


def test_an_example_is_seen_from_the_camera_and_from_its_right():
    """A left wrist reaches to the camera: at our right in the one view, leftmost in the other."""
    pose = facing_camera()
    pose[H36M17.index("left_wrist")] = (0.3, -0.4, -0.5)
    sheet = draw_example(example(pose=pose))
    left = [line.get_xdata()[0] for line in marked(sheet) if line.get_marker() == "o"]
    right = [line.get_xdata()[0] for line in marked(sheet) if line.get_marker() == "s"]
    half = sheet.size_px[0] / 2
    assert len(left) == len(right) == 12
    assert np.mean([x for x in left if x < half]) > np.mean([x for x in right if x < half]) + 10
    assert min(x for x in left if x > half) < min(x for x in right if x > half) - 30


def test_both_views_of_an_example_have_one_scale_and_feet_are_down():
    pose = np.full((17, 3), np.nan)
    cross = {"pelvis": (0, 0, 0), "left_hip": (0.5, 0, 0), "spine": (0, 0, 0.5)}
    cross |= {"left_knee": (0, 0.5, 0), "right_hip": (-0.5, 0, 0)}
    for joint, xyz in cross.items():
        pose[H36M17.index(joint)] = xyz
    sheet = draw_example(example(pose=pose, truth=pose))
    spans = []
    for part in sheet.ground.collections:
        ends = np.concatenate(part.get_segments())
        spans.append((np.ptp(ends[:, 0]), np.ptp(ends[:, 1])))
        assert len(part.get_segments()) == 4
    front, side_view = spans[0], spans[2]
    assert front[0] == pytest.approx(2 * side_view[0])
    assert front[1] == pytest.approx(side_view[1]) == pytest.approx(side_view[0])
    bar = next(line for line in sheet.ground.lines if len(line.get_xdata()) == 2)
    assert np.ptp(bar.get_xdata()) == pytest.approx(side_view[0])
    assert "0.5 m" in written(sheet)
    places = [(*line.get_xydata()[0], line.get_marker()) for line in marked(sheet)]
    half = sheet.size_px[0] / 2
    for view in ([p for p in places if p[0] < half], [p for p in places if p[0] > half]):
        assert min(view, key=lambda place: place[1])[2] == "o"
        assert len(view) == 5


def test_what_is_nearer_is_drawn_later():
    pose = facing_camera()
    for joint in ("left_shoulder", "left_elbow", "left_wrist"):
        pose[H36M17.index(joint), 2] -= 1.0
    front = draw_example(example(pose=pose, truth=pose)).ground.collections[0].get_segments()
    assert max(front[-1][:, 0]) == pytest.approx(max(np.concatenate(front)[:, 0]))


def test_an_example_of_which_nothing_is_known():
    nothing = np.full((17, 3), np.nan)
    sheet = draw_example(example(pose=nothing, truth=nothing))
    assert "no joint is known" in written(sheet)
    assert "287.6 mm off" in written(sheet)


def test_the_worst_actions_are_at_the_top_and_many_are_cut():
    groups = {f"$walk_{number}$": 100.0 + number for number in range(MOST_GROUPS + 15)}
    few = dict(list(groups.items())[:5])
    columns = [column(group_mm=groups), column("other", group_mm=few)]
    assert group_names(columns)[0] == "$walk_44$"
    sheet = draw_groups(columns)
    axes = sheet.figure.axes[1]
    names = [label.get_text() for label in axes.get_yticklabels()]
    assert names == [f"$walk_{number}$" for number in range(44, 14, -1)]
    assert axes.yaxis_inverted()
    words = " ".join(written(sheet))
    assert f"The worst {MOST_GROUPS} of 45" in words
    assert "ours: mean 122.0" in words
    assert "other: mean 102.0 (of 5 of 45)" in words
    bars = axes.patches
    assert bars[0].get_width() == 144.0
    assert bars[0].get_y() + bars[0].get_height() / 2 < bars[1].get_y()
    sheet.to_svg("cut")


def test_a_group_without_a_number_is_last_and_has_a_dash():
    groups = {"sat": float("nan"), "stood": 50.0}
    assert group_names([column(group_mm=groups)]) == ["stood", "sat"]
    axes = draw_groups([column(group_mm=groups)]).figure.axes[1]
    assert {text.get_text(): text.xy[0] for text in axes.texts} == {"50.0": 50.0, "\u2013": 0.0}
    draw_groups([column(group_mm={"sat": float("nan")}), column(group_mm={})]).to_rgb(1.0)


def test_a_frame_without_an_answer_is_within_no_distance():
    frames = np.array([10.0, np.nan, 30.0, 20.0])
    assert share_within(frames, np.array([9.9, 10.0, 25.0, 1e9])).tolist() == [0, 0.25, 0.5, 0.75]
    assert within_mm(frames, 0.5) == 20.0
    assert within_mm(frames, 0.75) == 30.0
    assert within_mm(frames, 0.9) == np.inf
    assert np.isnan(within_mm(np.array([]), 0.5))


def test_curves_reach_as_far_as_nearly_all_frames():
    near, far = column(frame_mm=np.array([20.0, 40.0])), column(frame_mm=np.full(10, 640.0))
    assert draw_shares([near]).figure.axes[1].get_xlim() == (0, 200)
    sheet = draw_shares([near, far])
    axes = sheet.figure.axes[1]
    assert axes.get_xlim() == (0, 640)
    curve = axes.lines[0]
    assert np.interp([10, 30, 50], *curve.get_data()).tolist() == [0, 0.5, 1]
    halves = [line.get_xdata()[0] for line in axes.lines if list(line.get_ydata()) == [0.5]]
    assert halves == [20.0, 640.0]


def test_lines_of_lifters_differ_in_more_than_colour():
    axes = draw_shares([column(), column("theirs"), column("third")]).figure.axes[1]
    curves = [line for line in axes.lines if len(line.get_xdata()) > 2]
    assert len({str(line._dash_pattern) for line in curves}) == 3
    marked = {line.get_marker() for line in axes.lines} - {"None"}
    assert len(marked) == 3


def test_long_names_lose_their_middle():
    assert shortened("S11/Sitting", 11) == "S11/Sitting"
    assert shortened("S11/SittingDown 2/60457274", 11) == "S11/S…57274"
    assert shortened("姿勢推定姿勢推定", 9) == "姿勢…推定"

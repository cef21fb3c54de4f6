"""Pictures: left is left, upright is upright, nobody is drawn who is not there."""

from __future__ import annotations

import matplotlib as mpl
import numpy as np
import pytest

from pose3d_cli.pose.skeleton import COCO17, H36M17, SKELETONS
from pose3d_cli.render.figure import SkeletonFigure
from pose3d_cli.render.montage import SideBySide, make_montage
from pose3d_cli.render.overlay import draw_overlay
from pose3d_cli.render.palette import SIDES, person_colour, side
from pose3d_cli.render.sheet import draw_contact_sheet
from pose3d_cli.render.shown import Shown
from pose3d_cli.render.view import ViewLimits, corners, grid_step, look_at, ticks, view_limits

HALF = {
    "hip": (0.10, 0.0),
    "knee": (0.11, 0.42),
    "ankle": (0.12, 0.82),
    "shoulder": (0.18, -0.48),
    "elbow": (0.45, -0.48),
    "wrist": (0.70, -0.48),
}
MIDDLE = {"pelvis": 0.0, "spine": -0.25, "thorax": -0.5, "nose": -0.64, "head": -0.76}


ON_FLOOR_M = 0.82  # height of the pelvis of somebody whose ankles are at 0


def facing_camera(x=0.0, ahead=3.0):
    """Somebody upright with arms spread who looks into the camera: their left is at our right.

    World axes: x right, y ahead, z up.
    """
    xyz = np.zeros((17, 3), np.float32)
    for row, joint in enumerate(H36M17.joints):
        way = {"left": 1, "right": -1, "middle": 0}[side(joint)]
        across, down = HALF[joint.split("_")[1]] if way else (0.0, MIDDLE[joint])
        xyz[row] = (x + way * across, ahead - 0.1 * (joint == "nose"), ON_FLOOR_M - down)
    return xyz


def in_pixels(xyz, size_px=(640, 480), focal_px=450.0):
    """Seen by a level camera at the height of the pelvis."""
    across, ahead, up = np.moveaxis(xyz, -1, 0)
    plane = np.stack([across, ON_FLOOR_M - up], -1) / ahead[..., None]
    return plane * focal_px + np.array(size_px) / 2


def painted(image, colour, ground=None):
    """Rows and columns of the pixels of one colour, less those that `ground` has already."""
    is_colour = (image == np.array(colour)).all(-1)
    if ground is not None:
        is_colour &= ~(ground == np.array(colour)).all(-1)
    rows, columns = np.nonzero(is_colour)
    assert len(rows) > 20, "the colour is not in the picture"
    return rows, columns


def shown(image, keypoints_px, score, xyz_world, time_s=0.0, frame=None):
    """What is drawn of one frame with one person."""
    return Shown(
        image_rgb=image,
        keypoints_px=keypoints_px,
        score=score,
        xyz_world=xyz_world,
        person_id=[0],
        time_s=time_s,
        frame=frame,
    )


LIMITS = view_limits(facing_camera()[None, None])
SURE = np.ones((1, 17), np.float32)
NOBODY = np.full((1, 17, 3), np.nan, np.float32)


@pytest.fixture(scope="module")
def figure():
    return SkeletonFigure((400, 480), H36M17, LIMITS)


@pytest.fixture(scope="module")
def empty(figure):
    return figure.draw(NOBODY, SURE, person_id=[0])


def test_3d_left_is_left_and_upright_is_upright(figure, empty):
    image = figure.draw(facing_camera()[None], SURE, person_id=[0])
    left_rows, left_columns = painted(image, SIDES["left"], empty)
    right_rows, right_columns = painted(image, SIDES["right"], empty)
    head_rows, _ = painted(image, person_colour(0), empty)
    assert left_columns.mean() > right_columns.mean() + 50
    assert head_rows.max() < np.median(left_rows) < left_rows.max()
    assert head_rows.max() < min(left_rows.min(), right_rows.min())


def test_3d_somebody_seen_from_behind_has_their_left_at_the_left(figure, empty):
    turned = facing_camera()
    turned[:, 0] *= -1
    turned[:, 1] = 6.0 - turned[:, 1]
    image = figure.draw(turned[None], SURE, person_id=[0])
    _, left_columns = painted(image, SIDES["left"], empty)
    _, right_columns = painted(image, SIDES["right"], empty)
    assert left_columns.mean() < right_columns.mean() - 50


def test_3d_the_nearer_person_covers_the_farther(figure):
    """The two stand in line with the viewer, so that only depth decides what is seen."""
    view = look_at(LIMITS, (0.0, 0.0, 400.0, 480.0))
    near, far = facing_camera() + 0.3 * view.axes[2], facing_camera() - 0.3 * view.axes[2]
    both = SURE.repeat(2, 0)
    image = figure.draw(np.stack([near, far]), both, person_id=[0, 1])
    other_order = figure.draw(np.stack([far, near]), both, person_id=[1, 0])
    np.testing.assert_array_equal(image, other_order)
    alone = figure.draw(near[None], SURE, person_id=[0])
    assert len(painted(image, person_colour(0))[0]) >= len(painted(alone, person_colour(0))[0])


def test_3d_every_joint_has_its_dot(figure, empty):
    """Also the knee of a thigh that points at the viewer, whose far end lies deeper."""
    view = look_at(LIMITS, (24.0, 44.0, 360.0, 432.0))
    for push in (-0.3, 0.3):
        pose = facing_camera()
        pose[H36M17.index("left_ankle")] += push * view.axes[2]
        image = figure.draw(pose[None], SURE, person_id=[0])
        for joint in ("left_knee", "left_ankle", "right_elbow"):
            right, up, _ = view.project(pose[H36M17.index(joint)])
            column, row = round(right - 0.5), round(480 - up - 0.5)
            assert image[row, column].min() > 200, joint
            patch = image[row - 6 : row + 7, column - 6 : column + 7]
            assert (patch == np.array(SIDES[side(joint)])).all(-1).any()


def test_3d_nobody_leaves_the_empty_room(figure, empty):
    figure.draw(facing_camera()[None], SURE, person_id=[0])
    np.testing.assert_array_equal(figure.draw(NOBODY, SURE, person_id=[0]), empty)


def test_3d_a_missing_arm_is_not_drawn_and_the_rest_is(figure, empty):
    pose = facing_camera()
    for joint in ("left_elbow", "left_wrist"):
        pose[H36M17.index(joint)] = np.nan
    image = figure.draw(pose[None], SURE, person_id=[0])
    whole = figure.draw(facing_camera()[None], SURE, person_id=[0])
    reach = painted(image, SIDES["left"], empty)[1].max()
    assert reach < painted(whole, SIDES["left"], empty)[1].max() - 30
    assert len(painted(image, SIDES["right"], empty)[0])


def test_3d_low_scores_are_pale(figure, empty):
    unsure = SURE.copy()
    unsure[0, [H36M17.index(j) for j in ("left_elbow", "left_wrist")]] = 0.0
    sure_image = figure.draw(facing_camera()[None], SURE, person_id=[0])
    image = figure.draw(facing_camera()[None], unsure, person_id=[0])
    gone = (sure_image == np.array(SIDES["left"])).all(-1) & (image != sure_image).any(-1)
    assert gone.sum() > 20
    assert (image[gone].mean(0) > np.array(SIDES["left"])).all()
    assert (image[gone] != empty[gone]).any(-1).all()


def test_3d_several_people_have_their_own_colours_and_labels(figure):
    people = np.stack([facing_camera(-0.3), facing_camera(0.3, 3.5)])
    image = figure.draw(people, SURE.repeat(2, 0), person_id=[3, 4])
    for person in (3, 4):
        painted(image, person_colour(person))
    gone = people.copy()
    gone[1] = np.nan
    alone = figure.draw(gone, SURE.repeat(2, 0), person_id=[3, 4])
    assert not (alone == np.array(person_colour(4))).all(-1).any()
    unlabelled = figure.draw(people[:1], SURE, person_id=[3])
    added, _ = painted(alone, person_colour(3), unlabelled)
    assert added.max() < painted(unlabelled, person_colour(3))[0].min()


def test_3d_the_same_frame_gives_the_same_picture_whatever_came_before(figure):
    drawn = {"xyz_world": facing_camera()[None], "score": SURE, "person_id": [0]}
    first = figure.draw(**drawn, caption="1.00 s")
    kept = first.copy()
    figure.draw(facing_camera(0.2, 3.3)[None], SURE, person_id=[0], caption="2.00 s")
    np.testing.assert_array_equal(first, kept)  # a picture given away is not drawn over
    np.testing.assert_array_equal(figure.draw(**drawn, caption="1.00 s"), kept)
    other = SkeletonFigure((400, 480), H36M17, LIMITS)
    np.testing.assert_array_equal(other.draw(**drawn, caption="1.00 s"), kept)
    assert (figure.draw(**drawn, caption="1.02 s") != kept).any()


def test_3d_the_users_matplotlib_settings_change_nothing(figure):
    drawn = {"xyz_world": facing_camera()[None], "score": SURE, "person_id": [0]}
    theirs = {
        "figure.autolayout": True, "figure.dpi": 50, "lines.linewidth": 9, "font.size": 30,
        "font.family": "DejaVu Serif", "text.usetex": True, "axes.facecolor": "red",
    }  # fmt: skip
    with mpl.rc_context(theirs):
        image = SkeletonFigure((400, 480), H36M17, LIMITS).draw(**drawn, caption="1.00 s")
    np.testing.assert_array_equal(image, figure.draw(**drawn, caption="1.00 s"))


@pytest.mark.parametrize("low_m", [0.1, 0.6, 1.0])
@pytest.mark.parametrize("long_m", [1.3, 5.0, 10.0, 30.0, 80.0])
@pytest.mark.parametrize("axis", [0, 1])
def test_3d_a_narrow_room_is_drawn_however_long_it_is(low_m, long_m, axis):
    """Somebody walks straight on: across it there may be one grid line, or none."""
    low = np.array([low_m, low_m, 0.0])
    high = low + 1.3
    high[axis] = low[axis] + long_m
    limits = ViewLimits(low=low, high=high)
    image = SkeletonFigure((400, 480), H36M17, limits).draw(NOBODY, SURE, person_id=[0])
    assert image.std() > 1


def test_3d_the_scale_names_the_metres_of_its_grid_lines():
    figure = SkeletonFigure((600, 480), H36M17, LIMITS)
    texts = {text.get_text(): np.array(text.get_position()) for text in figure._axes.texts}
    assert {"x right", "y ahead"} <= set(texts)
    xs = ticks(LIMITS.low[0], LIMITS.high[0], grid_step(LIMITS))
    assert len(xs) >= 2
    for x in xs:
        grid = figure._view.project(np.array([x, LIMITS.low[1], LIMITS.low[2]]))[:2]
        np.testing.assert_allclose(texts[f"{x:g}"], grid + np.array([5, -4]), atol=0.1)


@pytest.mark.parametrize("name", sorted(SKELETONS))
def test_every_skeleton_can_be_drawn(name):
    skeleton = SKELETONS[name]
    xyz = np.random.default_rng(0).normal((0, 3, 0), 0.4, (1, len(skeleton.joints), 3))
    montage = SideBySide((320, 240), skeleton, view_limits(xyz[None]))
    score = np.ones(xyz.shape[:2])
    black = np.zeros((240, 320, 3), np.uint8)
    image = montage.draw(shown(black, in_pixels(xyz, (320, 240), 225.0), score, xyz))
    for name_of_side in ("left", "right"):
        painted(image, SIDES[name_of_side])


def test_overlay_left_is_blue_and_right_is_orange():
    black = np.zeros((480, 640, 3), np.uint8)
    xy = in_pixels(facing_camera()[None])
    image = draw_overlay(black, xy, SURE, H36M17, person_id=[0])
    for name in ("left", "right"):
        ends = [xy[0, H36M17.index(f"{name}_{joint}")] for joint in ("knee", "ankle")]
        column, row = np.rint(np.mean(ends, 0)).astype(int)
        assert tuple(image[row, column]) == SIDES[name]
    assert painted(image, SIDES["left"])[1].min() > 310
    assert painted(image, SIDES["right"])[1].max() < 330
    assert not black.any()


def test_overlay_low_scores_are_thin_and_faint():
    black = np.zeros((480, 640, 3), np.uint8)
    xy = in_pixels(facing_camera()[None])
    unsure = SURE.copy()
    unsure[0, H36M17.index("left_ankle")] = 0.1
    image = draw_overlay(black, xy, unsure, H36M17, person_id=[0])
    knee, ankle = (xy[0, H36M17.index(f"left_{joint}")] for joint in ("knee", "ankle"))
    column, row = np.rint((knee + ankle) / 2).astype(int)
    across = image[row, column - 12 : column + 13].astype(int).sum(-1)
    solid = draw_overlay(black, xy, SURE, H36M17, person_id=[0])
    solid_across = solid[row, column - 12 : column + 13].astype(int).sum(-1)
    assert 0 < across.max() < 0.8 * sum(SIDES["left"])
    assert 0 < (across > 0).sum() < (solid_across > 0).sum()


@pytest.mark.parametrize("bad", [np.nan, np.inf, -1e30, 1e9])
def test_overlay_leaves_out_what_cannot_be_drawn(bad):
    black = np.zeros((480, 640, 3), np.uint8)
    xy = np.full((1, 17, 2), bad, np.float32)
    assert not draw_overlay(black, xy, SURE, H36M17, person_id=[0]).any()
    one_joint = in_pixels(facing_camera()[None])
    one_joint[0, H36M17.index("left_wrist")] = bad
    assert draw_overlay(black, one_joint, SURE, H36M17, person_id=[0]).any()


def test_overlay_labels_only_when_there_are_several():
    black = np.zeros((480, 640, 3), np.uint8)
    xy = in_pixels(np.stack([facing_camera(-0.5), facing_camera(0.5)]))
    coco = np.delete(xy, slice(0), 1)[:, :17]  # COCO has no crown, so no ring in the colour
    alone = draw_overlay(black, coco[:1], SURE, COCO17, person_id=[0])
    both = draw_overlay(black, coco, SURE.repeat(2, 0), COCO17, person_id=[0, 1])
    assert not (alone == np.array(person_colour(0))).all(-1).any()
    for person in (0, 1):
        painted(both, person_colour(person))


@pytest.mark.parametrize(
    "size", [(1920, 1080), (1080, 1920), (576, 576), (101, 77), (3001, 201), (33, 999), (1, 1)]
)
def test_montage_is_even_and_bounded(size):
    montage = SideBySide(size, H36M17, LIMITS)
    black = np.zeros((size[1], size[0], 3), np.uint8)
    pose = facing_camera()[None]
    image = montage.draw(shown(black, in_pixels(pose, size, 0.9 * min(size)), SURE, pose, 0.5, 15))
    width, height = montage.size_px
    assert image.shape == (height, width, 3)
    assert image.dtype == np.uint8
    assert width % 2 == height % 2 == 0
    assert width <= 1920
    assert 480 <= height <= 720


def test_montage_scales_keypoints_with_the_picture():
    size = (1600, 1200)
    pose = facing_camera()[None]
    xy = in_pixels(pose, size, 1000.0)
    black = np.zeros((1200, 1600, 3), np.uint8)
    image = SideBySide(size, H36M17, LIMITS).draw(shown(black, xy, SURE, pose))
    ends = [xy[0, H36M17.index(f"right_{joint}")] for joint in ("knee", "ankle")]
    column, row = np.rint(np.mean(ends, 0) * 720 / 1200).astype(int)
    assert tuple(image[row, column]) == SIDES["right"]


def test_montage_keeps_the_colours_of_the_video():
    red = np.zeros((1440, 2560, 3), np.uint8)
    red[..., 0] = 200
    nobody_px = np.full((1, 17, 2), np.nan)
    image = SideBySide((2560, 1440), H36M17, LIMITS).draw(shown(red, nobody_px, SURE, NOBODY))
    assert (image[:, :1280] == [200, 0, 0]).all()


def test_montage_refuses_a_picture_of_another_size():
    montage = SideBySide((640, 480), H36M17, LIMITS)
    wrong = np.zeros((640, 480, 3), np.uint8)
    with pytest.raises(ValueError, match=r"picture is \(480, 640\) px, but the video is \(640, 48"):
        montage.draw(shown(wrong, np.zeros((1, 17, 2)), SURE, NOBODY))


def test_the_overlay_alone_is_the_video_with_keypoints():
    size, pose = (640, 480), facing_camera()[None]
    grey = np.full((480, 640, 3), 90, np.uint8)
    xy = in_pixels(pose)
    image = make_montage("overlay", size, H36M17, LIMITS).draw(shown(grey, xy, SURE, pose))
    np.testing.assert_array_equal(image, draw_overlay(grey, xy, SURE, H36M17, person_id=[0]))


@pytest.mark.parametrize(
    ("size", "expected"), [((3840, 2160), (1920, 1080)), ((101, 77), (100, 76)), ((2, 2), (2, 2))]
)
def test_the_overlay_is_as_large_as_the_video_up_to_a_bound(size, expected):
    assert make_montage("overlay", size, H36M17, LIMITS).size_px == expected


def test_the_scene_alone_shows_the_people_and_the_time():
    scene = make_montage("3d", (640, 480), H36M17, LIMITS)
    black = np.zeros((480, 640, 3), np.uint8)
    nobody_px = np.full((1, 17, 2), np.nan)
    image = scene.draw(shown(black, nobody_px, SURE, facing_camera()[None], 1.0, 3))
    assert image.shape[1::-1] == scene.size_px
    for name in ("left", "right"):
        painted(image, SIDES[name])
    later = scene.draw(shown(black, nobody_px, SURE, facing_camera()[None], 2.0, 3))
    rows, columns = np.nonzero((image != later).any(-1))
    assert rows.max() < 40
    assert columns.max() < 200


def test_a_layout_nobody_knows_is_refused():
    with pytest.raises(ValueError, match="no layout is called 'flat'"):
        make_montage("flat", (64, 48), H36M17, LIMITS)


def test_limits_hold_everybody_but_not_a_stray_frame():
    walk = np.stack([facing_camera(x) for x in np.linspace(-1, 1, 200)])
    other = np.full_like(walk, np.nan)
    other[10:14] = facing_camera(4.0, 6.0)
    walk[100] += [0, 50, 0]
    limits = view_limits(np.stack([walk, other]))
    assert (limits.low[:2] < other[10].min(0)[:2]).all()
    assert (limits.high > other[10].max(0)).all()
    assert limits.high[1] < 10
    assert limits.low[2] == pytest.approx(0, abs=1e-6)  # the floor is where the feet are


def test_limits_know_the_floor_if_it_is_known():
    jump = facing_camera()[None, None] + np.array([0, 0, 0.5])
    assert view_limits(jump).low[2] == pytest.approx(0.5)
    assert view_limits(jump, floor_m=0.0).low[2] == 0
    assert view_limits(jump, floor_m=99.0).low[2] == pytest.approx(0.5)  # above everybody


def test_limits_without_anybody_are_an_empty_room():
    limits = view_limits(np.full((2, 5, 17, 3), np.nan))
    assert (limits.low < limits.high).all()


@pytest.mark.parametrize(
    ("low", "high"), [((0, 0, 0), (1, 0, 1)), ((0, 0, np.nan), (1, 1, 1)), ((0, 0, 0), (1, 1, -1))]
)
def test_limits_refuse_nonsense(low, high):
    with pytest.raises(ValueError, match="limits must be finite and rise"):
        ViewLimits(low=np.array(low, float), high=np.array(high, float))


def test_the_view_keeps_lengths_and_shows_depth():
    view = look_at(LIMITS, (10.0, 20.0, 300.0, 400.0))
    np.testing.assert_allclose(view.axes @ view.axes.T, np.eye(3), atol=1e-12)
    assert np.linalg.det(view.axes) == pytest.approx(1)  # no mirror image
    right, ahead, up = view.project(np.eye(3)) - view.project(np.zeros((1, 3)))
    assert right[0] > 0.5 * view.px_per_m
    assert abs(up[0]) < 1e-9 and up[1] > 0.9 * view.px_per_m  # noqa: PT018
    assert ahead[0] > 0.3 * view.px_per_m and ahead[2] < 0  # noqa: PT018


def test_the_room_fits_its_area_and_touches_two_sides():
    area = (10.0, 20.0, 300.0, 400.0)
    flat = look_at(LIMITS, area).project(corners(LIMITS))[:, :2]
    low, high = flat.min(0), flat.max(0)
    assert (low >= np.array(area[:2]) - 1e-6).all()
    assert (high <= np.array(area[2:]) + 1e-6).all()
    assert np.isclose((high - low) / [290, 380], 1).any()


def test_grid_lines_are_whole_steps():
    np.testing.assert_allclose(ticks(-0.7, 1.0, 0.5), [-0.5, 0, 0.5, 1.0])
    wide = ViewLimits(low=np.array([-20.0, 2, -1]), high=np.array([20.0, 9, 1]))
    assert grid_step(LIMITS) == 0.5
    assert grid_step(wide) == 5.0


def test_contact_sheet_puts_pictures_in_rows():
    images = [np.full((10, 20, 3), value, np.uint8) for value in (10, 20, 30)]
    sheet = draw_contact_sheet(images, 2, gap_px=4)
    assert sheet.shape == (2 * 14 + 4, 2 * 24 + 4, 3)
    assert (sheet[4:14, 4:24] == 10).all()
    assert (sheet[4:14, 28:48] == 20).all()
    assert (sheet[18:28, 4:24] == 30).all()
    assert (sheet[18:28, 28:48] == 255).all()


@pytest.mark.parametrize(("n_images", "columns"), [(0, 2), (2, 0)])
def test_contact_sheet_refuses_nothing(n_images, columns):
    images = [np.zeros((4, 4, 3), np.uint8)] * n_images
    with pytest.raises(ValueError, match="make no sheet"):
        draw_contact_sheet(images, columns)


def test_sides_come_from_names():
    sides = [side(joint) for joint in ("left_knee", "right_big_toe", "nose")]
    assert sides == ["left", "right", "middle"]
    assert SIDES["left"][2] > 100 + SIDES["left"][0]  # blue
    assert SIDES["right"][0] > 100 + SIDES["right"][2]  # orange
    people = np.array([person_colour(person) for person in range(6)], float)
    for name in ("left", "right"):
        assert np.linalg.norm(people - np.array(SIDES[name], float), axis=1).min() > 60

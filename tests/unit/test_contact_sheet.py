"""A tile a clip: its still, or why there is none."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from pose3d_cli.pipeline.infer import ClipLifter
from pose3d_cli.pipeline.report import Silent
from pose3d_cli.pipeline.settings import LiftSettings
from pose3d_cli.pipeline.still import as_jpeg, from_jpeg, still_of
from pose3d_cli.pipeline.summary import Row, SummaryFiles, with_still, write_contact_sheets
from pose3d_cli.pose.skeleton import H36M17
from pose3d_cli.render.contact_sheet import PICTURE_PX, TILES_A_SHEET, Tile, draw_sheets, draw_still
from pose3d_cli.render.palette import PAPER
from tests.batches import report_of
from tests.people import empty, make_film, walking


@pytest.mark.parametrize("size", [(400, 300), (300, 1200), (90, 160), (2, 3)])
def test_a_still_fits_its_tile_with_the_skeleton_where_the_person_is(size):
    image = np.full((*size, 3), 127, np.uint8)
    points = np.full((1, 17, 2), 0.75, np.float32) * [size[1], size[0]]
    points[0, H36M17.index("left_knee")] = [size[1] * 0.75, size[0]]
    score = np.ones((1, 17), np.float32)
    still = draw_still(image, points, score, H36M17, person_id=[0])
    assert still.shape[1] <= PICTURE_PX[0]
    assert still.shape[0] <= PICTURE_PX[1]
    assert PICTURE_PX[0] == still.shape[1] or PICTURE_PX[1] == still.shape[0]
    drawn = np.argwhere((still != 127).any(-1)) / still.shape[:2]
    assert len(drawn)
    if min(size) > 50:
        assert drawn.min() > 0.6


def test_tiles_tell_status_and_reason():
    picture = np.full((180, 320, 3), 200, np.uint8)
    tiles = [
        Tile(name="a.mp4", status="done", words="2 people", picture=picture),
        Tile(name="b.mp4", status="failed", words="not a video"),
    ]
    (sheet,) = draw_sheets(tiles)
    done, failed = sheet[:, : sheet.shape[1] // 2], sheet[:, sheet.shape[1] // 2 :]
    assert (done == 200).all(-1).sum() > 300 * 160
    assert not (failed == 200).all(-1).any()
    words = failed[30:60, 20:120]
    assert (words == PAPER).all(-1).any()
    assert (words < 90).all(-1).any()  # ink
    frame = [
        tuple(half[100, np.argwhere((half[100] != 255).any(-1))[0, 0]]) for half in (done, failed)
    ]
    assert frame[0][1] > frame[0][0]  # green
    assert frame[1][0] > frame[1][1]  # red


def test_long_and_foreign_names_do_not_leave_the_tile():
    plain, odd, long = (
        draw_sheets([Tile(name=name, status="kept", words="x\ny " * 200)])[0]
        for name in ("a", "東京\n" * 100, "W" * 200)
    )
    edge = PICTURE_PX[0]  # with the gap before it: the last pixels of the tile
    np.testing.assert_array_equal(plain[:, edge:], odd[:, edge:])
    np.testing.assert_array_equal(plain[:, edge:], long[:, edge:])


def row(number):
    return Row(input=f"{number}.mp4", status="done", people=1)


def test_very_many_clips_make_several_sheets_and_those_of_an_earlier_run_go(tmp_path):
    files = SummaryFiles(folder=tmp_path)
    write_contact_sheets(files, [row(i) for i in range(2 * TILES_A_SHEET + 1)], [])
    names = ["contact_sheet-2.jpg", "contact_sheet-3.jpg", "contact_sheet.jpg"]
    assert sorted(p.name for p in tmp_path.iterdir()) == names
    write_contact_sheets(files, [row(0)], [])
    assert [p.name for p in tmp_path.iterdir()] == ["contact_sheet.jpg"]


def test_the_still_of_a_clip_is_its_middle_frame_with_somebody(tmp_path, tiny_weights):
    lit = [
        cv2.convertScaleAbs(p, alpha=0.6 + 0.05 * i) for i, p in enumerate(walking(9, (320, 180)))
    ]
    pictures = [*empty(6, (320, 180)), *lit]  # the later the brighter
    clip = make_film(tmp_path / "a.mp4", pictures)
    settings = LiftSettings(weights=str(tiny_weights), render="off", detect_every=1)
    report = with_still(ClipLifter(settings).lift(clip, tmp_path / "a_pose3d", Silent()))
    still = from_jpeg(report.still).astype(int)
    assert still.shape == (180, 320, 3)
    apart = [np.median(np.abs(still - picture)) for picture in pictures]
    assert 8 <= int(np.argmin(apart)) <= 12
    assert min(apart) < 6 < apart[0]
    assert report.still == still_of(clip, report.outputs["keypoints"])  # whoever draws it


def test_a_picture_that_cannot_be_made_harms_no_clip(tmp_path):
    clip = report_of("none.mp4", tmp_path / "a.npz")
    clip.outputs["keypoints"] = tmp_path / "none_keypoints.npz"
    assert with_still(clip) is clip


def test_pictures_survive_as_jpeg():
    red = np.full((40, 60, 3), (220, 30, 30), np.uint8)
    again = from_jpeg(as_jpeg(red))
    assert np.abs(again.astype(int) - red).max() < 12
    assert cv2.imdecode(np.frombuffer(as_jpeg(red), np.uint8), cv2.IMREAD_COLOR).shape == red.shape

import cv2
import numpy as np
import pytest

from pose3d_cli.learn.log import RunLog, draw_curves


def coloured(path):
    """How many pixels of a picture below its legends have a colour."""
    picture = cv2.imread(str(path)).astype(int)
    below = picture[picture.shape[0] // 3 :]
    return int((below.max(-1) - below.min(-1) > 60).sum())


@pytest.mark.parametrize("steps", [[300], [100, 200, 300]])
def test_what_was_logged_shows_however_little_it_is(tmp_path, steps):
    log = RunLog(tmp_path / "log.jsonl", 0)
    for step in steps:
        log.add({"step": step, "position": 0.1, "mpjpe_mm": 100.0})
    draw_curves(log, tmp_path / "curves.png")
    blank = RunLog(tmp_path / "blank.jsonl", 0)
    blank.add({"step": 1, "position": np.nan, "mpjpe_mm": np.nan})
    draw_curves(blank, tmp_path / "blank.png")
    assert coloured(tmp_path / "blank.png") == 0
    assert coloured(tmp_path / "curves.png") > 50

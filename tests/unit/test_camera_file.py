from __future__ import annotations

import numpy as np
import pytest

from pose3d_cli.errors import InputError
from pose3d_cli.files.camera_file import read_camera

MATRIX = "matrix = [[1000, 0, 320], [0, 1010.5, 240], [0, 0, 1]]\n"


@pytest.fixture
def written(tmp_path):
    def write(text: str):
        path = tmp_path / "camera.toml"
        path.write_text(text)
        return path

    return write


def test_matrix_and_distortion_are_read(written):
    path = written(MATRIX + "distortion = [-0.1, 0.01, 0, 0.001, 0]\n")
    camera = read_camera(path, (640, 480))
    np.testing.assert_allclose(camera.matrix, [[1000, 0, 320], [0, 1010.5, 240], [0, 0, 1]])
    np.testing.assert_allclose(camera.distortion, [-0.1, 0.01, 0, 0.001, 0])
    assert camera.source == f"--intrinsics {path}"


def test_a_lens_without_distortion_need_not_say_so(written):
    assert read_camera(written(MATRIX), (640, 480)).distortion.size == 0


def test_another_resolution_scales_the_matrix_and_says_so(written):
    camera = read_camera(written(MATRIX + "image_size = [640, 480]\n"), (1280, 960))
    np.testing.assert_allclose(camera.matrix[0], [2000, 0, 640])
    assert camera.image_size == (1280, 960)
    assert camera.source.endswith("scaled from 640x480")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("matrix = ", "not a readable TOML file"),
        ("distortion = []", "no `matrix`; expected 3 rows of 3 numbers"),
        ("matrix = [[1, 0], [0, 1]]", r"shape \(2, 2\); expected 3 rows"),
        ("matrix = [[1, 0], [0]]", "`matrix` must hold numbers in rows of one length"),
        ('matrix = "K"', "`matrix` must hold numbers"),
        (MATRIX.replace("1000", "-1000"), "both must be positive"),
        (MATRIX + "distortion = [0.1]", "distortion has shape"),
        (MATRIX + "distorsion = [0, 0, 0, 0]", "'distorsion'; did you mean 'distortion'"),
        (MATRIX + "image_size = [480, 640]", "calibrated at 480x640, but the picture is 640x480"),
        (MATRIX + 'image_size = "640x480"', r"expected \[width, height\] in pixels"),
        (MATRIX + "image_size = [0, 480]", "no area"),
        (MATRIX.replace("320", "960"), r"principal point \(960, 240\) lies outside"),
    ],
)
def test_a_file_that_describes_no_camera_is_refused(written, text, message):
    with pytest.raises(InputError, match=message):
        read_camera(written(text), (640, 480))


def test_a_missing_file_is_said(tmp_path):
    with pytest.raises(InputError, match=r"absent\.toml: no such file"):
        read_camera(tmp_path / "absent.toml", (640, 480))


def test_a_picture_is_no_camera_file(tmp_path):
    path = tmp_path / "camera.toml"
    path.write_bytes(b"\xff\xd8\xff\xe0 not text")
    with pytest.raises(InputError, match="not a readable TOML file"):
        read_camera(path, (640, 480))

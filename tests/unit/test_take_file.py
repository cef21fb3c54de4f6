from __future__ import annotations

import numpy as np
import pytest

from pose3d_cli.errors import InputError
from pose3d_cli.files.camera_file import read_camera
from pose3d_cli.files.take_file import read_take_files

MATRIX = "matrix = [[500, 0, 320], [0, 500, 240], [0, 0, 1]]\n"
LEVEL = "rotation = [[1, 0, 0], [0, -1, 0], [0, 0, -1]]\ntranslation = [0, 1, 3]\n"


@pytest.fixture
def read(tmp_path):
    def from_texts(*texts):
        paths = [tmp_path / f"{number}.toml" for number in range(len(texts))]
        for path, text in zip(paths, texts, strict=True):
            path.write_text(text)
        return read_take_files(paths)

    return from_texts


def test_nothing_said_is_nothing_known(read):
    settings = read()
    assert settings.camera((640, 480)) is None
    assert settings.rotation is None
    assert settings.offset_s == 0
    np.testing.assert_array_equal(settings.truth_axes, np.eye(3))


def test_all_that_can_be_said(read):
    settings = read(
        MATRIX + LEVEL + "offset_s = 2\nfps = 25\nimage_size = [640, 480]\nperson = 3\n"
        'subject = "Ann"\naction = "walking"\ntruth_axes = ["y", "z", "x"]\n'
    )
    np.testing.assert_allclose(settings.camera((640, 480)).focal_px, [500, 500])
    np.testing.assert_allclose(settings.translation, [0, 1, 3])
    assert (settings.offset_s, settings.fps, settings.person) == (2.0, 25.0, 3)
    assert (settings.subject, settings.action) == ("Ann", "walking")
    assert settings.image_size == (640, 480)


def test_the_same_file_says_the_camera_to_lift(tmp_path, read):
    read(MATRIX + LEVEL + "offset_s = 1.0\nfov = 60\n")
    camera = read_camera(tmp_path / "0.toml", (640, 480))
    np.testing.assert_allclose(camera.centre_px, [320, 240])


def test_a_vector_is_a_rotation_as_opencv_has_it(read):
    # A quarter turn about x: y goes to z.
    settings = read("rotation = [1.5707963267948966, 0, 0]\ntranslation = [[0], [0], [3]]\n")
    np.testing.assert_allclose(settings.rotation @ [0, 1, 0], [0, 0, 1], atol=1e-12)
    np.testing.assert_allclose(settings.translation, [0, 0, 3])


def test_axes_of_the_truth_are_told_by_the_worlds(read):
    """Pose2Sim: its TRC's y is the calibration's z, up; x is y, and z is x."""
    turn = read('truth_axes = ["y", "z", "x"]').truth_axes
    np.testing.assert_array_equal(turn @ [0, 1, 0], [0, 0, 1])
    np.testing.assert_array_equal(turn @ [1, 0, 0], [0, 1, 0])
    turned = read('truth_axes = ["x", "z", "-y"]').truth_axes
    np.testing.assert_array_equal(turned @ [0, 0, 1], [0, -1, 0])


def test_a_field_of_view_stands_in_for_a_matrix(read):
    camera = read("fov = 90\n").camera((640, 480))
    np.testing.assert_allclose(camera.focal_px, [320, 320])
    np.testing.assert_allclose(read(MATRIX, "fov = 90\n").camera((640, 480)).focal_px, [500, 500])


def test_a_later_file_overrules_halves_of_a_calibration_together(read):
    general = MATRIX + "distortion = [0.1, 0, 0, 0]\n" + LEVEL + "offset_s = 1.0\n"
    own = "matrix = [[600, 0, 320], [0, 600, 240], [0, 0, 1]]\noffset_s = 2.0\n"
    settings = read(general, own)
    camera = settings.camera((640, 480))
    assert camera.distortion.size == 0
    assert camera.focal_px[0] == 600
    assert camera.source.endswith("1.toml")
    np.testing.assert_allclose(settings.translation, [0, 1, 3])
    assert settings.offset_s == 2


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("ofset_s = 1.0", r"0\.toml: no setting 'ofset_s'"),
        ("matrx = 1", "no setting 'matrx'; did you mean 'matrix'"),
        ("offset_s = 'one'", "offset_s is 'one'; expected a number"),
        ("offset_s = nan", "offset_s is nan"),
        ("person = 1.5", "person is 1.5; expected a whole number"),
        ("fps = 0", "fps is 0; it must be above 0"),
        ("fov = 300", "fov is 300; it must lie between 1 and 170"),
        ("image_size = [640]", "image_size"),
        ("rotation = [0, 0, 0]", "give rotation and translation both"),
        ("translation = [0, 0, 0]", "give rotation and translation both"),
        (LEVEL.replace("[0, 1, 3]", "[0, 1]"), "translation must be 3 numbers, in metres"),
        (LEVEL.replace("[1, 0, 0]", "[2, 0, 0]"), "rotation is none: its rows must have length 1"),
        (LEVEL.replace("[1, 0, 0]", "[-1, 0, 0]"), "rotation is a mirror image"),
        (LEVEL.replace("[1, 0, 0], ", ""), "rotation must be 3 rows of 3 numbers"),
        ('truth_axes = ["y", "z"]', "expected the three axes"),
        ('truth_axes = ["y", "z", "z"]', "expected the three axes"),
        ('truth_axes = ["y", "z", "up"]', "expected the three axes"),
        ('truth_axes = ["x", "z", "y"]', "is a mirror image; one sign is wrong"),
        ("offset_s = ", "not a readable TOML file"),
    ],
)
def test_what_is_wrong_is_told(read, text, words):
    with pytest.raises(InputError, match=words):
        read(text)


def test_a_fault_is_told_with_the_file_it_is_in(read):
    with pytest.raises(InputError, match=r"1\.toml: fps"):
        read(MATRIX, "fps = -1", "offset_s = 1.0")

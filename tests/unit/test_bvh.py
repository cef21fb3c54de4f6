from __future__ import annotations

import numpy as np
import pytest

from pose3d_cli.errors import InputError
from pose3d_cli.files.bvh import read_bvh

# An arm of two pieces, each 10 along x, on a root.
ARM = """HIERARCHY
ROOT Hips
{
  OFFSET 0 0 0
  CHANNELS 6 Xposition Yposition Zposition Zrotation Xrotation Yrotation
  JOINT Arm
  {
    OFFSET 10 0 0
    CHANNELS 3 Zrotation Xrotation Yrotation
    End Site
    {
      OFFSET 10 0 0
    }
  }
}
MOTION
Frames: 3
Frame Time: 0.0083333
0 0 0  0 0 0  0 0 0
1 2 3  90 0 0  0 0 0
0 0 0  90 0 0  0 0 90
"""


@pytest.fixture
def read(tmp_path):
    def from_text(text: str, **how):
        (tmp_path / "a.bvh").write_text(text, **how)
        return read_bvh(tmp_path / "a.bvh")

    return from_text


def test_an_arm_turned_by_hand(read):
    motion = read(ARM)
    assert motion.joints == ("Hips", "Arm", "Arm_end")
    assert motion.parents == (-1, 0, 1)
    assert motion.fps == pytest.approx(120, abs=0.01)
    np.testing.assert_allclose(motion.rest, [[0, 0, 0], [10, 0, 0], [20, 0, 0]])
    np.testing.assert_allclose(motion.xyz[0], motion.rest, atol=1e-9)
    # 90 degrees about z: x becomes y.
    np.testing.assert_allclose(motion.xyz[1], [[1, 2, 3], [1, 12, 3], [1, 22, 3]], atol=1e-9)
    # The forearm turns about the arm's y by 90 degrees: its x becomes -z, the world's too.
    np.testing.assert_allclose(motion.xyz[2], [[0, 0, 0], [0, 10, 0], [0, 10, -10]], atol=1e-9)
    np.testing.assert_allclose(motion.turn[1, 2] @ [1, 0, 0], [0, 1, 0], atol=1e-9)


def test_the_order_of_channels_is_the_order_of_turns(read):
    """Z 90 then X 90, first outermost: Rz Rx maps z to Rz(-y) = x; Rx Rz maps x to Rx(y) = z."""
    text = ARM.replace("OFFSET 10 0 0\n    CHANNELS", "OFFSET 1 0 7\n    CHANNELS")
    text = text.replace("0 0 0  0 0 0  0 0 0", "0 0 0  90 90 0  0 0 0")
    np.testing.assert_allclose(read(text).xyz[0, 1], [7, 1, 0], atol=1e-9)
    text = text.replace("Zposition Zrotation Xrotation", "Zposition Xrotation Zrotation")
    np.testing.assert_allclose(read(text).xyz[0, 1], [0, -7, 1], atol=1e-9)


def test_rotations_may_come_before_positions_and_words_in_small_letters(read):
    text = ARM.replace(
        "Xposition Yposition Zposition Zrotation Xrotation Yrotation",
        "zrotation xrotation yrotation yposition xposition zposition",
    ).replace("1 2 3  90 0 0", "90 0 0  2 1 3")
    np.testing.assert_allclose(read(text).xyz[1], [[1, 2, 3], [1, 12, 3], [1, 22, 3]], atol=1e-9)


def test_positions_of_a_joint_replace_its_offset(read):
    text = ARM.replace(
        "CHANNELS 3 Zrotation Xrotation Yrotation", "CHANNELS 3 Xposition Yposition Zposition"
    )
    text = text.replace("90 0 0  0 0 90", "90 0 0  5 0 1")
    np.testing.assert_allclose(read(text).xyz[2, :2], [[0, 0, 0], [0, 5, 1]], atol=1e-9)


def test_the_frames_that_are_there_count(read):
    motion = read(ARM.replace("Frames: 3", "Frames: 9"))
    assert len(motion.xyz) == 3
    assert motion.notes == ("3 frames found, 9 promised",)
    cut = read(ARM.rstrip()[:-4])
    assert len(cut.xyz) == 2


def test_a_mark_at_the_start_and_windows_lines_do_no_harm(read):
    assert len(read("\ufeff" + ARM.replace("\n", "\r\n"), encoding="utf-8", newline="").xyz) == 3


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("HIERARCHY", "hello"), "not a BVH: needs HIERARCHY and MOTION"),
        (("MOTION", "NOTION"), "not a BVH: needs HIERARCHY and MOTION"),
        (("  JOINT Arm", "  ROOT Arm"), r"ROOT Arm in the wrong place"),
        (("  OFFSET 10 0 0", "  OFFSET 10 0"), "not a readable BVH"),
        (("Yrotation\n  JOINT", "Wrotation\n  JOINT"), "unknown channel 'Wrotation'"),
        (("1 2 3  90", "1 2 x  90"), "could not convert"),
        (("1 2 3  90", "1 2 nan  90"), "values that are not numbers"),
        (("Frame Time: 0.0083333", "Frame Time: 0"), "makes no sense"),
        (("Frame Time", "Frame Tide"), "needs `Frames:`"),
        (("}\nMOTION", "MOTION"), "braces do not match"),
    ],
)
def test_what_is_no_bvh(read, change, message):
    with pytest.raises(InputError, match=message):
        read(ARM.replace(*change))


def test_no_frames_and_no_file(read, tmp_path):
    with pytest.raises(InputError, match="without a single whole frame"):
        read(ARM[: ARM.index("0 0 0  0 0 0  0 0 0")])
    with pytest.raises(InputError, match="cannot be read: No such file"):
        read_bvh(tmp_path / "none.bvh")

from __future__ import annotations

import numpy as np
import pytest

from pose3d_cli.errors import InputError
from pose3d_cli.files.asf import read_amc, read_asf

# A thigh of 8 units straight down and a shin of 7, told in axes turned by 90 degrees about z.
LEG = """# a comment
:version 1.10
:name one leg
:units
  mass 1.0
  length 0.45
  angle deg
:documentation
   by hand
:root
   order TX TY TZ RX RY RZ
   axis XYZ
   position 0 0 0
   orientation 0 0 0
:bonedata
  begin
     id 1
     name femur
     direction 0 -1 0
     length 8
     axis 0 0 90 XYZ
    dof rx ry rz
    limits (-160.0 20.0)
           (-70.0 70.0)
           (-60.0 70.0)
  end
  begin
     id 2
     name tibia
     direction 0 -2 0
     length 7
     axis 0 0 0 XYZ
    dof rx
    limits (-10.0 170.0)
  end
:hierarchy
  begin
    root femur
    femur tibia
  end
"""

STILL = "1\nroot 0 0 0 0 0 0\nfemur 0 0 0\ntibia 0\n"


@pytest.fixture
def read(tmp_path):
    def from_text(amc: str, asf: str = LEG, fps: float = 120.0):
        (tmp_path / "a.asf").write_text(asf)
        (tmp_path / "a.amc").write_text(":FULLY-SPECIFIED\n:DEGREES\n" + amc)
        return read_amc(tmp_path / "a.amc", read_asf(tmp_path / "a.asf"), fps=fps)

    return from_text


def test_at_rest_bones_lie_as_the_skeleton_says(read):
    motion = read(STILL)
    assert motion.joints == ("root", "femur", "tibia", "tibia_end")
    expected = [[0, 0, 0], [0, 0, 0], [0, -8, 0], [0, -15, 0]]
    np.testing.assert_allclose(motion.xyz[0], expected, atol=1e-9)
    np.testing.assert_allclose(motion.rest, expected, atol=1e-9)
    assert motion.metres_per_unit == pytest.approx(0.0254 / 0.45)
    assert motion.fps == 120


def test_angles_are_told_in_the_axes_of_the_bone(read):
    """The thigh's own x is the world's y, its own y the world's -x."""
    motion = read("1\nroot 1 2 3 0 0 0\nfemur 90 0 0\ntibia 0\n")
    np.testing.assert_allclose(motion.xyz[0, 2], [1, 2 - 8, 3], atol=1e-9)  # about its length
    motion = read("1\nroot 0 0 0 0 0 0\nfemur 0 90 0\ntibia 0\n")
    # 90 degrees about world -x: down (0,-1,0) goes to (0,0,1).
    np.testing.assert_allclose(motion.xyz[0, 2:], [[0, 0, 8], [0, 0, 15]], atol=1e-9)


def test_a_child_turns_with_its_parent(read):
    motion = read("1\nroot 0 0 0 0 0 0\nfemur 0 90 0\ntibia 90\n")
    # The shin turns about its x, which the thigh's turn about -x leaves in place: 90 degrees back.
    np.testing.assert_allclose(motion.xyz[0, 3], [0, -7, 8], atol=1e-9)


def test_turns_are_done_x_first(read):
    motion = read("1\nroot 0 0 0 90 0 90\nfemur 0 0 0\ntibia 0\n")
    # Rz Rx: down (0,-1,0) goes by Rx to (0,0,-1), which Rz leaves.
    np.testing.assert_allclose(motion.xyz[0, 2], [0, 0, -8], atol=1e-9)
    motion = read("1\nroot 0 0 0 0 90 90\nfemur 0 0 0\ntibia 0\n")
    # Rz Ry: down is left by Ry, and goes by Rz to (1,0,0).
    np.testing.assert_allclose(motion.xyz[0, 2], [8, 0, 0], atol=1e-9)


def test_the_axes_of_a_bone_turn_x_first(read):
    """C = Rz Rx with axis 90 0 90 XYZ takes the bone's y to z to z."""
    asf = LEG.replace("axis 0 0 90 XYZ", "axis 90 0 90 XYZ")
    motion = read("1\nroot 0 0 0 0 0 0\nfemur 0 90 0\ntibia 0\n", asf)
    np.testing.assert_allclose(motion.xyz[0, 2], [8, 0, 0], atol=1e-9)  # about world z


def test_degrees_of_freedom_may_be_missing_or_in_radians(read):
    asf = LEG.replace("dof rx ry rz", "dof ry").replace("angle deg", "angle rad")
    asf = asf.replace("axis 0 0 90", f"axis 0 0 {np.pi / 2}")
    motion = read(f"1\nroot 0 0 0 0 0 0\nfemur {np.pi / 2}\ntibia 0\n", asf)
    np.testing.assert_allclose(motion.xyz[0, 2], [0, 0, 8], atol=1e-9)


def test_frames_are_told_apart_and_a_cut_one_is_left_out(read):
    two = STILL + "2\nroot 5 0 0 0 0 0\nfemur 0 0 0\ntibia 0\n"
    motion = read(two + "3\nroot 9 0 0 0 0 0\nfem")
    assert len(motion.xyz) == 2
    assert motion.xyz[1, 0, 0] == 5
    assert motion.notes == ("the last frame is cut short",)
    assert len(read(two + "3\nroot 9 0 0 0 0 0\nfemur 0 0\ntibia 0\n").xyz) == 2
    assert read(two).notes == ()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ((":bonedata", ":bananas"), "not an ASF: no section bonedata"),
        (("length 8", "length long"), "not a readable ASF"),
        (("length 0.45", "length 0"), "not a readable ASF"),
        (("root femur\n", "femur root\n"), "parents come first"),
        (("name tibia", "name shin"), "not a readable ASF: KeyError.'tibia'"),
    ],
)
def test_what_is_no_asf(read, change, message):
    with pytest.raises(InputError, match=message):
        read(STILL, LEG.replace(*change))


@pytest.mark.parametrize(
    ("amc", "message"),
    [
        ("", r"not an AMC of a\.asf"),
        ("1\nroot 0 0 0 0 0 0\nfemur 0 0 0\n", r"lines a bone: .*'tibia': 0"),
        ("1\nroot 0 0 0 0 0 0\nfemur 0 0\ntibia 0\n", r"not an AMC of a\.asf"),
        ("1\nroot 0 0 0 0 0 x\nfemur 0 0 0\ntibia 0\n", "could not convert"),
    ],
)
def test_what_is_no_amc(read, amc, message):
    with pytest.raises(InputError, match=message):
        read(amc)


def test_no_file(tmp_path):
    with pytest.raises(InputError, match="cannot be read"):
        read_asf(tmp_path / "none.asf")

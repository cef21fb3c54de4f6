from __future__ import annotations

import json

import numpy as np
import pytest

from pose3d_cli.config import build
from pose3d_cli.errors import InputError, SettingsError
from pose3d_cli.files.bvh import read_bvh
from pose3d_cli.files.mocap_pack import read_pack
from pose3d_cli.learn.import_mocap import (
    ImportSettings,
    import_folder,
    resampled,
    split_subjects,
    without_snap,
)
from pose3d_cli.learn.rig import THORAX_BONE_M, to_h36m
from pose3d_cli.pose.skeleton import H36M17

# A person in T-pose, metres, Y up, facing Z: (joint, parent, offset from it).
MIXAMO = [
    ("Hips", "", (0, 0, 0)),
    ("Spine", "Hips", (0, 0.1, 0)),
    ("Neck", "Spine", (0, 0.4, 0)),
    ("Head", "Neck", (0, 0.12, 0)),
    ("HeadTop_End", "Head", (0, 0.16, 0)),
    ("LeftShoulder", "Spine", (0.05, 0.35, 0)),
    ("LeftArm", "LeftShoulder", (0.12, 0, 0)),
    ("LeftForeArm", "LeftArm", (0.3, 0, 0)),
    ("LeftHand", "LeftForeArm", (0.25, 0, 0)),
    ("RightShoulder", "Spine", (-0.05, 0.35, 0)),
    ("RightArm", "RightShoulder", (-0.12, 0, 0)),
    ("RightForeArm", "RightArm", (-0.3, 0, 0)),
    ("RightHand", "RightForeArm", (-0.25, 0, 0)),
    ("LeftUpLeg", "Hips", (0.1, 0, 0)),
    ("LeftLeg", "LeftUpLeg", (0, -0.45, 0)),
    ("LeftFoot", "LeftLeg", (0, -0.42, 0)),
    ("RightUpLeg", "Hips", (-0.1, 0, 0)),
    ("RightLeg", "RightUpLeg", (0, -0.45, 0)),
    ("RightFoot", "RightLeg", (0, -0.42, 0)),
]

BIPED = {
    "Hips": "Bip01 Pelvis", "Neck": "Bip01_Neck", "Head": "Bip01 Head",
    "LeftUpLeg": "Bip01 L Thigh",
    "LeftLeg": "Bip01_L_Calf", "LeftFoot": "Bip01 L Foot", "RightUpLeg": "R_Thigh",
    "RightLeg": "calf_r", "RightFoot": "Foot.R", "LeftArm": "upperarm_l",
    "LeftForeArm": "Forearm.L",
    "LeftHand": "hand_l", "RightArm": "Bip01 R UpperArm", "RightForeArm": "RightLowerArm",
    "RightHand": "mixamorig:RightHand", "HeadTop_End": "HeadNub",
}  # fmt: skip


def bvh(rig=MIXAMO, *, unit=1.0, names=None, frames=None, fps=100) -> str:
    """Write a BVH by hand; `frames` are (root position, root ZXY degrees) tuples."""
    names = names or {}

    def block(joint, offset) -> list[str]:
        channels = "6 Xposition Yposition Zposition" if joint == "Hips" else "3"
        lines = [
            f"{'ROOT' if joint == 'Hips' else 'JOINT'} {names.get(joint, joint).replace(' ', '_')}",
            "{",
            "OFFSET " + " ".join(f"{value * unit:.6f}" for value in offset),
            f"CHANNELS {channels} Zrotation Xrotation Yrotation",
        ]
        for child, parent, step in rig:
            if parent == joint:
                lines += block(child, step)
        return [*lines, "}"]

    frames = frames or [((0, 0.95, 0), (0, 0, 0))] * 3
    rest = " 0 0 0" * (len(rig) - 1)
    rows = [
        " ".join(f"{p * unit:.6f}" for p in where) + " " + " ".join(map(str, turn)) + rest
        for where, turn in frames
    ]
    head = ["HIERARCHY", *block("Hips", (0, 0, 0)), "MOTION", f"Frames: {len(rows)}"]
    return "\n".join([*head, f"Frame Time: {1 / fps}", *rows, ""])


@pytest.fixture
def lay(tmp_path):
    """Return a function that reads a BVH text and lays it on H36M17."""

    def from_text(text, **how):
        (tmp_path / "a.bvh").write_text(text)
        return to_h36m(read_bvh(tmp_path / "a.bvh"), **how)

    return from_text


def joint(rigged, name, frame=0):
    return rigged.xyz[frame, H36M17.index(name)]


def test_a_t_pose_is_laid_on_the_seventeen_joints(lay):
    """Y up facing Z becomes Z up facing X: the person's left is Y."""
    rigged = lay(bvh())
    expected = {
        "pelvis": (0, 0, 0.95), "left_hip": (0, 0.1, 0.95), "right_knee": (0, -0.1, 0.5),
        "right_ankle": (0, -0.1, 0.08), "spine": (0, 0, 1.2), "thorax": (0, 0, 1.45),
        "head": (0, 0, 1.73), "left_shoulder": (0, 0.17, 1.4), "left_elbow": (0, 0.47, 1.4),
        "left_wrist": (0, 0.72, 1.4), "right_wrist": (0, -0.72, 1.4),
    }  # fmt: skip
    for name, where in expected.items():
        np.testing.assert_allclose(joint(rigged, name), where, atol=1e-5, err_msg=name)
    nose = joint(rigged, "nose")
    assert 0.06 < nose[0] < 0.12  # in front
    assert abs(nose[1]) < 1e-6
    assert 1.55 < nose[2] < 1.65
    assert rigged.notes == ("unit guessed m: legs of 0.87 m", "up was Y")


@pytest.mark.parametrize(
    ("unit", "name"),
    [(100, "cm"), (1000, "mm"), (1 / 0.0254, "inch"), (0.45 / 0.0254, "inch/0.45")],
)
def test_the_unit_is_guessed_by_the_legs(lay, unit, name):
    rigged = lay(bvh(unit=unit))
    np.testing.assert_allclose(rigged.xyz, lay(bvh()).xyz, atol=1e-4)
    assert rigged.notes[0] == f"unit guessed {name}: legs of 0.87 m"


def test_a_unit_can_be_given_and_is_checked(lay):
    rigged = lay(bvh(unit=100), metres_per_unit=0.008)
    assert joint(rigged, "pelvis")[2] == pytest.approx(0.95 * 0.8)
    with pytest.raises(InputError, match=r"legs of 87 m are not a person's"):
        lay(bvh(unit=100), metres_per_unit=1.0)
    with pytest.raises(InputError, match=r"legs of 6\.09 units .* none of m, cm"):
        lay(bvh(unit=7))


def test_other_spellings_are_found(lay):
    np.testing.assert_allclose(lay(bvh(names=BIPED)).xyz, lay(bvh()).xyz, atol=1e-6)


def test_collar_bones_are_not_shoulders_where_rigs_know_both(lay):
    """Xsens and Biovision call the shoulder joint `Shoulder` and the collar bone `Collar`."""
    names = {
        f"{side}{old}": f"{side}{new}"
        for side in ("Left", "Right")
        for old, new in {
            "Shoulder": "Collar", "Arm": "Shoulder", "ForeArm": "Elbow", "Hand": "Wrist",
            "UpLeg": "Hip", "Leg": "Knee", "Foot": "Ankle",
        }.items()
    }  # fmt: skip
    np.testing.assert_allclose(lay(bvh(names=names)).xyz, lay(bvh()).xyz, atol=1e-6)


def test_the_face_turns_with_the_body_and_z_up_files_stay(lay):
    """Turned 90 degrees about x, the person stands up in a Z-up world and faces -Y."""
    rigged = lay(bvh(frames=[((0, 0, 0.95), (0, 90, 0))] * 2))
    assert rigged.notes[-1] == "up was Z"
    np.testing.assert_allclose(joint(rigged, "thorax"), (0, 0, 1.45), atol=1e-5)
    nose = joint(rigged, "nose")
    assert -0.12 < nose[1] < -0.06
    assert joint(rigged, "left_wrist")[0] == pytest.approx(0.72)


def test_a_rig_upside_down_is_turned_not_mirrored(lay):
    rigged = lay(bvh(frames=[((0, -0.95, 0), (180, 0, 0))] * 2))
    assert rigged.notes[-1] == "up was -Y"
    xyz = rigged.xyz[0]
    forward = xyz[H36M17.index("nose")] - xyz[H36M17.index("head")]
    left = xyz[H36M17.index("left_hip")] - xyz[H36M17.index("right_hip")]
    assert np.cross(forward, left)[2] > 0
    assert joint(rigged, "head")[2] > joint(rigged, "pelvis")[2]


def test_someone_lying_keeps_the_habit_of_bvh(lay):
    """No axis has the neck above the ankles on the whole: Y it is."""
    frames = [((0, 0.2, 0), (90, 0, 0)), ((0, 0.2, 0), (-90, 0, 0))]
    rigged = lay(bvh(frames=frames))
    assert rigged.notes[-1] == "up was Y"
    assert joint(rigged, "thorax")[2] == pytest.approx(0.2, abs=1e-5)


def test_a_head_without_a_tip_gets_our_length(lay):
    rigged = lay(bvh([row for row in MIXAMO if row[0] != "HeadTop_End"]))
    np.testing.assert_allclose(joint(rigged, "head"), (0, 0, 1.45 + 0.27), atol=1e-5)


def cmu_rig() -> list[tuple[str, str, tuple[float, float, float]]]:
    """The common conversion of CMU: no thorax bone, forearms at two thirds."""
    lost = {"Neck": (0, 0, 0), "LeftShoulder": (0, 0, 0), "RightShoulder": (0, 0, 0)}
    short = {"LeftHand": (0.17, 0, 0), "RightHand": (-0.17, 0, 0), "Spine": (0, 0.34, 0)}
    rig = [(name, parent, {**lost, **short}.get(name, step)) for name, parent, step in MIXAMO]
    return [*rig, ("LHipJoint", "Hips", (0, 0, 0)), ("RHipJoint", "Hips", (0, 0, 0))]


def test_the_faults_of_cmu_conversions_are_mended(lay):
    rigged = lay(bvh(cmu_rig()))
    neck = 0.95 + 0.34 + THORAX_BONE_M
    np.testing.assert_allclose(joint(rigged, "thorax"), (0, 0, neck), atol=1e-5)
    np.testing.assert_allclose(joint(rigged, "left_shoulder"), (0, 0.12, neck), atol=1e-5)
    wrist = (0, 0.12 + 0.3 * (1 + 0.905), neck)
    np.testing.assert_allclose(joint(rigged, "left_wrist"), wrist, atol=1e-5)
    np.testing.assert_allclose(joint(rigged, "left_ankle"), (0, 0.1, 0.08), atol=1e-5)
    assert any("thorax bone" in note for note in rigged.notes)
    # The bone turns with the chest: lying on the side it points sideways.
    lying = lay(bvh(cmu_rig(), frames=[((0, 0.2, 0), (90, 0, 0)), ((0, 0.2, 0), (-90, 0, 0))]))
    assert np.linalg.norm(joint(lying, "thorax") - joint(lying, "pelvis")) == pytest.approx(
        0.34 + THORAX_BONE_M, abs=1e-5
    )


def test_rigs_that_cannot_be_used_say_why(lay):
    daz = {"Spine": "chest", "LeftShoulder": "abdomen", "LeftArm": "lShldr", "RightArm": "rShldr"}
    with pytest.raises(InputError, match=r"a DAZ rig; .*wrong rest offsets"):
        lay(bvh(names=daz))
    with pytest.raises(InputError, match="no joint found for left_knee, thorax among Hips"):
        lay(bvh(names={"LeftLeg": "Tail", "Neck": "Giraffe"}))


def wave(n_frames=60, *, snap=0):
    """A slow walk along X; the first `snap` frames are turned round."""
    return [((5 + 0.01 * t, 0.95, 0), (0, 0, 180 if t < snap else 0)) for t in range(n_frames)]


def test_a_snap_at_the_start_is_cut(lay):
    rigged = lay(bvh(frames=wave(snap=3)))
    xyz, n_cut = without_snap(rigged.xyz)
    assert n_cut == 3
    np.testing.assert_array_equal(xyz, rigged.xyz[3:])
    assert without_snap(lay(bvh(frames=wave())).xyz)[1] == 0
    fast = [((0, 0.95, 0), (0, 0, 25 * t)) for t in range(60)]  # whirling is no snap
    assert without_snap(lay(bvh(frames=fast)).xyz)[1] == 0
    assert without_snap(lay(bvh(frames=wave(5, snap=3))).xyz)[1] == 0


def test_resampling_keeps_time(lay):
    line = np.arange(11, dtype=np.float32)[:, None, None] * np.ones((1, 17, 3), np.float32)
    np.testing.assert_allclose(
        resampled(line, 100.0, 50.0)[:, 0, 0], [0, 2, 4, 6, 8, 10], atol=1e-5
    )
    np.testing.assert_allclose(resampled(line, 30.0, 60.0)[:4, 3, 1], [0, 0.5, 1, 1.5], atol=1e-5)
    np.testing.assert_allclose(resampled(line, 120.0, 50.0)[:, 0, 0], [0, 2.4, 4.8, 7.2, 9.6])
    assert len(resampled(line[:1], 120.0, 50.0)) == 1


def test_a_folder_becomes_a_pack_with_a_report(tmp_path):
    folder = tmp_path / "in"
    for subject in ("anna", "bert", "carl", "dora"):
        (folder / subject).mkdir(parents=True)
        (folder / subject / "walk.bvh").write_text(bvh(frames=wave()))
    (folder / "anna" / "sit.BVH").write_text(bvh(unit=100, frames=wave(20)))
    (folder / "bert" / "bad.bvh").write_text("hello")
    (folder / "bert" / "notes.txt").write_text("no motion")
    report = import_folder(folder, tmp_path / "out", ImportSettings(licence="CC0"))
    assert sorted(report.done) == ["anna/sit", "anna/walk", "bert/walk", "carl/walk", "dora/walk"]
    assert list(report.skipped.values()) == ["not a BVH: needs HIERARCHY and MOTION"]
    assert sorted(report.subjects.values()) == ["test", "train", "train", "val"]
    clips = {clip.name: clip for clip in read_pack(tmp_path / "out")}
    assert set(clips) == set(report.done)
    walk = clips["carl/walk"]
    assert (walk.subject, walk.fps, walk.licence, walk.src_fps) == ("carl", 50, "CC0", 100)
    assert {c.subject: c.split for c in clips.values()} == report.subjects
    assert len(walk) == 30
    np.testing.assert_allclose(walk.xyz[0, 0], (0, 0, 0.95), atol=0.001)
    np.testing.assert_allclose(walk.xyz[-1, 0] - walk.xyz[0, 0], (0, 0.58, 0), atol=0.0011)
    assert report.seconds == pytest.approx(sum(len(clip) for clip in clips.values()) / 50)
    json.dumps(report.to_json())


def test_folders_that_hold_nothing_useful(tmp_path):
    with pytest.raises(InputError, match="no such folder"):
        import_folder(tmp_path / "none", tmp_path / "out")
    with pytest.raises(InputError, match=r"no \.bvh and no \.amc files"):
        import_folder(tmp_path, tmp_path / "out")
    (tmp_path / "a.bvh").write_text("hello")
    (tmp_path / "b.amc").write_text("hello")
    with pytest.raises(InputError, match=r"none of 2 motions could be used; .*a\.bvh: not a BVH"):
        import_folder(tmp_path, tmp_path / "out")
    with pytest.raises(SettingsError, match="a folder of its own"):
        import_folder(tmp_path, tmp_path)
    (tmp_path / "a.amc").write_text("hello")
    with pytest.raises(InputError, match=r"a\.amc and .*a\.bvh would be one clip; keep one"):
        import_folder(tmp_path, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_subjects_are_split_alike_and_never_shared():
    assert split_subjects({"a"}, 0.1) == {"a": "train"}
    assert sorted(split_subjects({"a", "b"}, 0.1).values()) == ["train", "val"]
    many = split_subjects({f"s{i}" for i in range(40)}, 0.1)
    assert [sum(v == s for v in many.values()) for s in ("train", "val", "test")] == [32, 4, 4]
    assert many == split_subjects({f"s{i}" for i in reversed(range(40))}, 0.1)
    assert set(split_subjects({"a", "b", "c"}, 0.0).values()) == {"train"}


def test_settings_refuse_nonsense():
    with pytest.raises(SettingsError, match="fps and amc_fps"):
        build(ImportSettings, {"fps": 0.0}, where="here")
    with pytest.raises(SettingsError, match="held_out"):
        build(ImportSettings, {"held_out": 0.9}, where="here")


def asf_amc() -> tuple[str, str]:
    """The T-pose again as an ASF in CMU's units and names: a bone ends where its child begins."""
    bones = [
        ("lowerback", "root", (0, 0.1, 0)), ("thorax", "lowerback", (0, 0.4, 0)),
        ("lowerneck", "thorax", (0, 0.12, 0)), ("head", "lowerneck", (0, 0.16, 0)),
        *(
            (f"{letter}{bone}", (letter if parent[0] == "+" else "") + parent.lstrip("+"),
             (sign * x, y, 0))
            for letter, sign in (("l", 1), ("r", -1))
            for bone, parent, x, y in [
                ("hipjoint", "root", 0.1, 0), ("femur", "+hipjoint", 0, -0.45),
                ("tibia", "+femur", 0, -0.42), ("foot", "+tibia", 0, -0.08),
                ("clavicle", "thorax", 0.17, -0.05), ("humerus", "+clavicle", 0.3, 0),
                ("radius", "+humerus", 0.17, 0), ("wrist", "+radius", 0.08, 0),
                ("hand", "+wrist", 0.08, 0),
            ]
        ),
    ]  # fmt: skip
    lines = [":units", "length 0.45", "angle deg", ":root", "order TX TY TZ RX RY RZ", ":bonedata"]
    for name, _, step in bones:
        length = np.linalg.norm(step)
        lines += ["begin", f"name {name}", "direction {} {} {}".format(*np.array(step) / length)]
        lines += [f"length {length / 0.0254 * 0.45}", "axis 0 0 0 XYZ", "end"]
    links = [f"{parent} {name}" for name, parent, _ in bones]
    asf = "\n".join([*lines, ":hierarchy", "begin", *links, "end"])
    return asf, "".join(f"{t}\nroot 0 {0.95 / 0.0254 * 0.45} 0 0 0 0\n" for t in range(1, 25))


def test_asf_and_amc_are_imported_by_subject(tmp_path):
    folder = tmp_path / "in"
    folder.mkdir()
    asf, amc = asf_amc()
    for name, text in (("07.asf", asf), ("08.asf", asf), ("07_01.amc", amc), ("08_02.amc", amc)):
        (folder / name).write_text(text)
    (folder / "09_01.amc").write_text(amc)
    report = import_folder(folder, tmp_path / "out")
    assert list(report.skipped.values()) == [
        "its skeleton is missing: no .asf of that name beside it"
    ]
    assert sorted(report.subjects) == ["07", "08"]
    clip = read_pack(tmp_path / "out")[0]
    assert (len(clip), clip.src_fps) == (10, 120)
    pose = dict(zip(H36M17.joints, clip.xyz[5], strict=True))
    for name, where in {
        "left_hip": (0, 0.1, 0.95), "right_ankle": (0, -0.1, 0.08), "thorax": (0, 0, 1.45),
        "spine": (0, 0, 1.2), "head": (0, 0, 1.73), "right_shoulder": (0, -0.17, 1.4),
        "left_wrist": (0, 0.17 + 0.3 * 1.905, 1.4),
    }.items():  # fmt: skip
        np.testing.assert_allclose(pose[name], where, atol=0.0011, err_msg=name)
    assert pose["nose"][0] > 0.06

from __future__ import annotations

import json

import numpy as np
import pytest

from pose3d_cli.errors import InputError, OutputError, UnknownNameError
from pose3d_cli.files.keypoints import read_keypoints, write_keypoints
from pose3d_cli.pose.skeleton import COCO17
from pose3d_cli.pose.types import Keypoints2D

CLIP = {"fps": 30.0, "image_size": (640, 480)}


def body(x: float, n_joints: int = 17, score: float = 0.9) -> list[float]:
    """Return x, y, score of joints down a line 200 px high at `x`."""
    return [v for j in range(n_joints) for v in (x + j, 100 + 200 * j / n_joints, score)]


def save(path, record):
    path.write_text(json.dumps(record))
    return path


def person(number: int, frames=(0, 1, 4), fps: float = 30000 / 1001) -> Keypoints2D:
    random = np.random.default_rng(number)
    xy = random.uniform(0, 400, (len(frames), 17, 2)).astype(np.float32)
    score = random.uniform(0.1, 1, (len(frames), 17)).astype(np.float32)
    xy[1, 3], score[1, 3] = np.nan, 0
    return Keypoints2D(
        xy=xy,
        score=score,
        frames=np.array(frames, np.int64),
        time_s=np.array(frames) / fps + 0.007 * np.arange(len(frames)),
        fps=fps,
        image_size=(640, 480),
        skeleton=COCO17,
        person=number,
    )


def test_our_file_gives_back_what_was_written(tmp_path):
    people = [person(3), person(1, frames=(2, 5))]
    write_keypoints(tmp_path / "k.npz", people, {"detector": "test"})
    again = read_keypoints(tmp_path / "k.npz")
    assert [p.person for p in again] == [3, 1]
    for old, new in zip(people, again, strict=True):
        for name in ("xy", "score", "frames", "time_s"):
            np.testing.assert_array_equal(getattr(new, name), getattr(old, name))
            assert getattr(new, name).dtype == getattr(old, name).dtype
        assert (new.fps, new.image_size) == (old.fps, old.image_size)
        assert new.skeleton is COCO17


def test_our_file_says_what_it_holds(tmp_path):
    write_keypoints(tmp_path / "k.npz", [person(0)], {"detector": "test"})
    with np.load(tmp_path / "k.npz", allow_pickle=False) as file:
        meta = json.loads(str(file["meta"]))
    assert meta["format"] == "pose3d-keypoints/1"
    assert meta["detector"] == "test"
    assert meta["units"].startswith("pixels")


@pytest.mark.parametrize("people", [[], [person(0), person(0)], [person(0), person(1, fps=25.0)]])
def test_people_who_are_not_of_one_clip_are_not_written(tmp_path, people):
    with pytest.raises(ValueError, match="at least one, of one clip"):
        write_keypoints(tmp_path / "k.npz", people, {})


def test_a_folder_that_is_not_there_is_an_output_error(tmp_path):
    with pytest.raises(OutputError):
        write_keypoints(tmp_path / "absent" / "k.npz", [person(0)], {})


def test_keypoints_of_another_video_are_refused(tmp_path):
    write_keypoints(tmp_path / "k.npz", [person(0)], {})
    with pytest.raises(InputError, match=r"640x480, but the picture is 1920x1080"):
        read_keypoints(tmp_path / "k.npz", image_size=(1920, 1080))


def doctor(path, **changes):
    """Write a file of ours with some arrays replaced."""
    write_keypoints(path, [person(0)], {})
    with np.load(path, allow_pickle=False) as file:
        arrays = dict(file)
    np.savez(path, **{**arrays, **changes})
    return path


def record(**changes):
    """Return the record of a file of ours with something changed."""
    kept = {
        "format": "pose3d-keypoints/1",
        "skeleton": "coco17",
        "fps": 25,
        "image_size": [640, 480],
    }
    return np.array(json.dumps({**kept, **changes}))


def test_positions_that_are_no_numbers_count_as_unseen(tmp_path):
    xy = np.array(person(0).xy)
    xy[0, 5] = np.nan
    [read] = read_keypoints(doctor(tmp_path / "k.npz", xy=xy))
    assert read.score[0, 5] == 0
    assert np.isnan(read.xy[0, 5]).all()


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"xy": np.zeros((2, 17, 2))}, "whose parts do not fit"),
        ({"xy": np.zeros((3, 16, 2))}, "whose parts do not fit"),
        ({"frame": np.array([4, 1, 0])}, "frames and times must rise"),
        ({"joint_names": np.array(COCO17.joints[::-1])}, "joints in another order"),
        ({"joint_names": np.array(["nose"] * 16)}, "16 keypoints a person, but coco17 has 17"),
        ({"meta": np.array("{}")}, "found format None"),
        ({"meta": np.array('{"format": "pose3d-result/1"}')}, "found format 'pose3d-result/1'"),
        ({"meta": np.array('{"format": "pose3d-keypoints/1"}')}, "a damaged record"),
        ({"xy": np.array([{}], object)}, "not a readable .npz"),
        ({"xy": np.full((3, 17, 2), np.nan)}, "holds no person with a keypoint"),
        ({"score": np.zeros((3, 17))}, "holds no person with a keypoint"),
        ({"person_id": np.array([0.0, 0.5, 1])}, "person_id must be whole numbers"),
        ({"person_id": np.array([0, np.nan, 0])}, "person_id must be whole numbers"),
        ({"frame": np.array([0, 1.5, 2])}, "frame must be whole numbers"),
        ({"time_s": np.array([0, np.nan, 1])}, "time_s holds times that are no numbers"),
        ({"time_s": np.array(["0", "1", "2"])}, "time_s holds no numbers"),
        ({"meta": record(fps=float("nan"))}, "a damaged record: nan frames a second"),
        ({"meta": record(image_size=[0, 480])}, "a damaged record: .* of 0x480"),
    ],
)
def test_a_doctored_file_is_refused(tmp_path, changes, text):
    with pytest.raises(InputError, match=text):
        read_keypoints(doctor(tmp_path / "k.npz", **changes))


def test_an_empty_file_of_ours_holds_no_person(tmp_path):
    nothing = {
        "xy": np.zeros((0, 17, 2)),
        "score": np.zeros((0, 17)),
        "frame": np.zeros(0, int),
        "time_s": np.zeros(0),
        "person_id": np.zeros(0, int),
    }
    with pytest.raises(InputError, match="holds no person"):
        read_keypoints(doctor(tmp_path / "k.npz", **nothing))


def test_a_truncated_file_is_refused(tmp_path):
    path = tmp_path / "k.npz"
    write_keypoints(path, [person(0)], {})
    path.write_bytes(path.read_bytes()[:-200])
    with pytest.raises(InputError, match="damaged or of another kind"):
        read_keypoints(path)


def test_somebody_elses_npz_is_refused(tmp_path):
    np.savez(tmp_path / "k.npz", keypoints=np.zeros((5, 17, 3)))
    with pytest.raises(InputError, match=r"not written by pose3d \(no `meta`\)"):
        read_keypoints(tmp_path / "k.npz")


def test_alphapose_with_identities(tmp_path):
    record = [
        {"image_id": "0.jpg", "keypoints": body(100, 26), "score": 2.5, "idx": 7},
        {"image_id": "0.jpg", "keypoints": body(400, 26), "score": 2.5, "idx": [2]},
        {"image_id": "2.jpg", "keypoints": body(410, 26), "score": 2.5, "idx": 2.0},
    ]
    people = read_keypoints(save(tmp_path / "a.json", record), **CLIP)
    assert [p.person for p in people] == [7, 2]
    assert [p.frames.tolist() for p in people] == [[0], [0, 2]]
    assert people[0].skeleton.name == "halpe26"
    np.testing.assert_allclose(people[1].time_s, [0, 2 / 30])
    np.testing.assert_allclose(people[1].xy[1, 0], [410, 100])
    assert people[0].score[0, 0] == pytest.approx(0.9)


def test_people_without_identities_are_followed_by_nearest_centre(tmp_path):
    # They are listed in changing order, and one is away for a while.
    record = []
    for frame in range(10):
        pair = [
            {"image_id": frame, "keypoints": body(100 + 4 * frame)},
            {"image_id": frame, "keypoints": body(500 - 4 * frame)},
        ]
        if frame in (4, 5):
            pair = pair[:1]
        record += pair[:: 1 if frame % 2 else -1]
    people = read_keypoints(save(tmp_path / "a.json", record), **CLIP)
    assert [p.person for p in people] == [0, 1]
    right, left = people
    np.testing.assert_allclose(left.xy[:, 0, 0], 100 + 4 * left.frames)
    np.testing.assert_allclose(right.xy[:, 0, 0], 500 - 4 * right.frames)
    assert right.frames.tolist() == [0, 1, 2, 3, 6, 7, 8, 9]


def test_somebody_far_away_or_much_later_is_somebody_else(tmp_path):
    record = [
        {"image_id": 0, "keypoints": body(100)},
        {"image_id": 1, "keypoints": body(500)},
        {"image_id": 90, "keypoints": body(500)},
    ]
    people = read_keypoints(save(tmp_path / "a.json", record), **CLIP)
    assert [p.frames.tolist() for p in people] == [[0], [1], [90]]


def test_a_newcomer_beside_somebody_is_not_them(tmp_path):
    record = [{"image_id": f, "keypoints": body(x)} for f, x in ((0, 100), (1, 150), (1, 102))]
    first, second = read_keypoints(save(tmp_path / "a.json", record), **CLIP)
    np.testing.assert_allclose(first.xy[:, 0, 0], [100, 102])
    np.testing.assert_allclose(second.xy[:, 0, 0], [150])


def test_the_last_number_of_a_picture_name_counts(tmp_path):
    record = [{"image_id": "take3/cam2_0007.jpg", "keypoints": body(100)}]
    [read] = read_keypoints(save(tmp_path / "a.json", record), **CLIP)
    assert read.frames.tolist() == [7]


def test_an_identity_twice_in_a_picture_is_none(tmp_path):
    record = [{"image_id": f, "keypoints": body(x), "idx": 0} for f in range(3) for x in (100, 500)]
    people = read_keypoints(save(tmp_path / "a.json", record), **CLIP)
    assert [len(p) for p in people] == [3, 3]


def mmpose_person(x: float) -> dict:
    flat = np.array(body(x)).reshape(-1, 3)
    return {"keypoints": flat[:, :2].tolist(), "keypoint_scores": flat[:, 2].tolist()}


@pytest.mark.parametrize("first", [0, 1])
@pytest.mark.parametrize("wrapped", [True, False])
def test_mmpose_of_a_video(tmp_path, first, wrapped):
    frames = [
        {"frame_id": first, "instances": []},
        {"frame_id": first + 1, "instances": [mmpose_person(50)]},
    ]
    record = {"meta_info": {}, "instance_info": frames} if wrapped else frames
    [read] = read_keypoints(save(tmp_path / "m.json", record), **CLIP)
    assert read.frames.tolist() == [1]
    np.testing.assert_allclose(read.xy[0].ravel(), np.array(body(50)).reshape(-1, 3)[:, :2].ravel())
    np.testing.assert_allclose(read.score, 0.9)


def test_mmpose_of_one_picture(tmp_path):
    [read] = read_keypoints(save(tmp_path / "m.json", [mmpose_person(50)]), **CLIP)
    assert read.frames.tolist() == [0]


def coco(flag: float = 2) -> dict:
    return {
        "images": [
            {"id": 900 + n, "file_name": f"take/img_{n:04d}.png", "width": 640, "height": 480}
            for n in (1, 2, 3)
        ],
        "annotations": [
            {"id": 1, "image_id": 902, "keypoints": body(70, score=flag)},
            {"id": 2, "image_id": 903, "keypoints": body(72, score=flag)},
            {"id": 3, "image_id": 903, "bbox": [0, 0, 1, 1]},
        ],
    }


def test_a_coco_data_set_knows_its_size_and_numbers_its_pictures(tmp_path):
    record = coco()
    record["annotations"][0]["keypoints"][2] = 1
    [read] = read_keypoints(save(tmp_path / "c.json", record), fps=25.0)
    assert read.image_size == (640, 480)
    assert read.frames.tolist() == [1, 2]
    # A hidden joint, labelled 1, is half as sure as a visible one, labelled 2.
    assert read.score[0, 0] == 0.5
    np.testing.assert_array_equal(read.score[:, 1:], 1)


def test_coco_pictures_without_numbers_go_by_id(tmp_path):
    record = coco()
    for row, image in enumerate(record["images"]):
        image["file_name"] = "abc"[row] + ".png"
    [read] = read_keypoints(save(tmp_path / "c.json", record), fps=25.0)
    assert read.frames.tolist() == [902, 903]


def test_confidences_in_a_coco_data_set_are_kept(tmp_path):
    [read] = read_keypoints(save(tmp_path / "c.json", coco(0.25)), fps=25.0)
    np.testing.assert_allclose(read.score, 0.25)


def test_a_coco_data_set_of_another_video_is_refused(tmp_path):
    with pytest.raises(InputError, match="belong to another video"):
        read_keypoints(save(tmp_path / "c.json", coco()), fps=25.0, image_size=(64, 48))


def test_coco_pictures_of_two_sizes_are_no_clip(tmp_path):
    record = coco()
    record["images"][0]["width"] = 320
    with pytest.raises(InputError, match="pictures of 2 sizes"):
        read_keypoints(save(tmp_path / "c.json", record), fps=25.0)


def test_a_coco_person_in_no_picture_is_refused(tmp_path):
    record = coco()
    record["annotations"][0]["image_id"] = 1
    with pytest.raises(InputError, match="missing or odd entry: 1"):
        read_keypoints(save(tmp_path / "c.json", record), fps=25.0)


def openpose(folder, frames):
    folder.mkdir()
    for number, people in frames.items():
        record = {
            "version": 1.3,
            "people": [{"person_id": [-1], "pose_keypoints_2d": p} for p in people],
        }
        save(folder / f"clip_{number:012d}_keypoints.json", record)
    return folder


@pytest.mark.parametrize("first", [0, 1, 5])
def test_an_openpose_folder(tmp_path, first):
    blank = body(300, 25)
    blank[:3] = [0, 0, 0]
    people = [[], [blank, body(100, 25)], [body(105, 25)]]
    folder = openpose(tmp_path / "out", {first + n: p for n, p in enumerate(people)})
    read = read_keypoints(folder, **CLIP)
    start = 5 if first == 5 else 0
    assert [p.frames.tolist() for p in read] == [[start + 1], [start + 1, start + 2]]
    assert read[0].skeleton.name == "body25"
    assert np.isnan(read[0].xy[0, 0]).all()
    assert read[0].score[0, 0] == 0
    np.testing.assert_allclose(read[1].xy[:, 0, 0], [100, 105])


def test_openposes_minus_one_is_nobody_in_particular(tmp_path):
    folder = openpose(tmp_path / "out", {0: [body(100, 25)], 1: [body(101, 25)]})
    assert [p.person for p in read_keypoints(folder, **CLIP)] == [0]


def test_openposes_own_coco_model_is_refused_in_words(tmp_path):
    folder = openpose(tmp_path / "out", {0: [body(100, 18)]})
    with pytest.raises(InputError, match=r"18 keypoints a person.*--model_pose BODY_25"):
        read_keypoints(folder, **CLIP)


def test_a_folder_without_keypoints_is_refused(tmp_path):
    with pytest.raises(InputError, match=r"no file NAME_000000000000_keypoints\.json"):
        read_keypoints(tmp_path, **CLIP)


def test_a_folder_of_other_json_is_refused(tmp_path):
    save(tmp_path / "a_000_keypoints.json", {"faces": []})
    with pytest.raises(InputError, match="no list `people`"):
        read_keypoints(tmp_path, **CLIP)


def test_one_openpose_picture_points_to_its_folder(tmp_path):
    path = save(tmp_path / "a_000_keypoints.json", {"people": []})
    with pytest.raises(InputError, match="give the folder"):
        read_keypoints(path, **CLIP)


def test_whole_body_sets_are_cut_to_the_body(tmp_path):
    record = [{"image_id": 0, "keypoints": body(50, 133)}]
    [read] = read_keypoints(save(tmp_path / "w.json", record), **CLIP)
    assert read.skeleton.name == "coco17"
    np.testing.assert_allclose(read.xy[0, 16], np.array(body(50, 133)[48:50]))


def test_a_skeleton_may_be_named(tmp_path):
    path = save(tmp_path / "h.json", [{"image_id": 0, "keypoints": body(50)}])
    [read] = read_keypoints(path, **CLIP, skeleton="h36m17")
    assert read.skeleton.name == "h36m17"
    with pytest.raises(InputError, match="17 keypoints a person, but halpe26 has 26"):
        read_keypoints(path, **CLIP, skeleton="halpe26")
    with pytest.raises(UnknownNameError, match=r"no skeleton 'coco18'.*'coco17'"):
        read_keypoints(path, **CLIP, skeleton="coco18")


def test_not_a_number_in_a_file_is_unseen(tmp_path):
    flat = body(50)
    flat[0], flat[5], flat[7] = float("nan"), float("nan"), float("inf")
    [read] = read_keypoints(save(tmp_path / "n.json", [{"image_id": 0, "keypoints": flat}]), **CLIP)
    assert (read.score[0, :3] == 0).all()
    assert np.isnan(read.xy[0, :3]).all()
    assert np.isfinite(read.xy[0, 3:]).all()


def test_scores_above_one_are_held_at_one(tmp_path):
    record = [{"image_id": 0, "keypoints": body(50, score=4.2)}]
    [read] = read_keypoints(save(tmp_path / "s.json", record), **CLIP)
    np.testing.assert_array_equal(read.score, 1)


@pytest.mark.parametrize(
    ("record", "text"),
    [
        ([{"image_id": 0, "keypoints": body(50, 12)}], r"12 keypoints a person; known are 17"),
        ([{"image_id": 0, "keypoints": body(50)[:-1]}], "must be x, y, score for each joint"),
        ([{"image_id": 0, "keypoints": "many"}], "must be x, y, score for each joint"),
        ([{"image_id": 0, "keypoints": None}], "must be x, y, score for each joint"),
        (
            [{"keypoints": [[0, 0, 1]] * 17, "keypoint_scores": [1] * 17}],
            "2D keypoints are needed",
        ),
        (
            [{"image_id": n, "keypoints": body(50, 17 + 9 * n)} for n in (0, 1)],
            r"people with \[17, 26\] keypoints in one file",
        ),
        ([{"image_id": "first.jpg", "keypoints": body(50)}], "'first.jpg' holds no frame number"),
        ([{"image_id": -3, "keypoints": body(50)}], "-3 is no frame number"),
        ([{"image_id": 10**30, "keypoints": body(50)}], "is no frame number"),
        ([{"image_id": 0, "keypoints": body(50, score=0)}], "holds no person with a keypoint"),
        ([], "holds no person"),
        ([{"instances": None}], "without a list `instances`"),
        ({"instance_info": [3]}, "without a list `instances`"),
        ([{"frame_id": "x", "instances": []}], "no whole number"),
        ([1, 2, 3], "keypoints of no known kind; known: our .npz, COCO"),
        ({"poses": []}, "keypoints of no known kind"),
        ("text", "keypoints of no known kind"),
    ],
)
def test_json_of_another_kind_is_refused(tmp_path, record, text):
    with pytest.raises(InputError, match=text):
        read_keypoints(save(tmp_path / "b.json", record), **CLIP)


def test_a_file_that_is_no_json_is_refused(tmp_path):
    path = tmp_path / "b.json"
    path.write_bytes(b"\x00\x01 frame,x,y")
    with pytest.raises(InputError, match="not readable as JSON"):
        read_keypoints(path, **CLIP)


def test_a_missing_file_is_said(tmp_path):
    with pytest.raises(InputError, match=r"absent\.json: no such file"):
        read_keypoints(tmp_path / "absent.json", **CLIP)


def test_what_the_file_lacks_the_video_must_say(tmp_path):
    path = save(tmp_path / "a.json", [{"image_id": 0, "keypoints": body(50)}])
    with pytest.raises(
        InputError, match=r"does not say the frame rate; the video must: .*--from-2d"
    ):
        read_keypoints(path, image_size=(640, 480))
    with pytest.raises(InputError, match="does not say the picture's size; the video must"):
        read_keypoints(path, fps=30.0)
    with pytest.raises(InputError, match="the rate must be above 0"):
        read_keypoints(path, fps=0.0, image_size=(640, 480))

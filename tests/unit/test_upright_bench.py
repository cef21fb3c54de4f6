"""The bench of up and the floor, and what a lifted clip is told of its world."""

from dataclasses import dataclass, field, replace

import numpy as np
import pytest

from pose3d_cli.cli.bench_upright import _record
from pose3d_cli.detect.camera_motion import CameraMotion
from pose3d_cli.files.mocap_pack import write_pack
from pose3d_cli.learn.upright.bench import Found, measure, summaries
from pose3d_cli.learn.upright.views import PITCH_DEG, ROLL_DEG, askew_views, up_of
from pose3d_cli.pipeline.place import Placed
from pose3d_cli.pipeline.stand import Ground
from pose3d_cli.pose.camera import camera_to_pixels
from pose3d_cli.pose.feet import Stretch, find_contacts
from pose3d_cli.pose.floor import tilt_by_feet
from pose3d_cli.pose.skeleton import H36M17
from pose3d_cli.pose.up import Votes
from pose3d_cli.pose.upright import find_up
from pose3d_cli.pose.world import NO_FLOOR, rotation_with_up
from tests.angles import angle_deg
from tests.crowds import walker

ANKLES = [H36M17.index("left_ankle"), H36M17.index("right_ankle")]


def on_ground(clip):
    """The same, the ankles at the height that they have while a foot stands."""
    lowest = clip.xyz[:, ANKLES, 2].min()
    return replace(clip, xyz=clip.xyz + np.float32([0, 0, 0.08 - lowest]))


def people():
    """One who walks and one who stands, shifting a little."""
    walks = walker(0, 1.2)
    sway = 0.02 * np.sin(np.arange(len(walks)) / 20)[:, None] * [1, 0.5, 0]
    xyz = np.repeat(walks.xyz[:1], len(walks), axis=0)
    above = [row for row in range(17) if row not in ANKLES]
    xyz[:, above] += sway[:, None].astype(np.float32)
    return [on_ground(walks), on_ground(replace(walks, name="stands", xyz=xyz))]


@pytest.fixture(scope="module")
def views():
    return list(askew_views(people(), views=6, seed=3, noise=False))


def as_seen(view):
    """The truth, as if it had been lifted without an error."""
    root = view.xyz[:, 0]
    return Stretch(
        xyz=(view.xyz - root[:, None]).astype(np.float32),
        root=root,
        score=view.keypoints.score,
        time_s=view.keypoints.time_s,
    )


def test_cameras_look_down_and_are_rolled_as_they_say():
    np.testing.assert_allclose(up_of(0.0, 0.0), [0, -1, 0], atol=1e-12)
    np.testing.assert_allclose(up_of(90.0, 0.0), [0, 0, -1], atol=1e-12)
    np.testing.assert_allclose(up_of(0.0, 90.0), [1, 0, 0], atol=1e-12)


def test_views_are_of_the_motion_on_its_floor_whole_in_the_picture(views):
    assert len(views) == 12
    for view in views:
        assert PITCH_DEG[0] <= view.pitch_deg <= PITCH_DEG[1]
        assert ROLL_DEG[0] <= view.roll_deg <= ROLL_DEG[1]
        height = view.xyz @ view.up + view.camera_height_m
        assert height.min() == pytest.approx(0, abs=0.15)
        assert 1.4 < height.max() < 2.2
        assert view.xyz[..., 2].min() > 1
        seen = camera_to_pixels(view.xyz, view.camera)
        np.testing.assert_allclose(view.keypoints.xy, seen, atol=0.5)


def test_who_stays_on_the_spot_stands_whatever_the_clip_is_called(views):
    walks, stays = people()
    clips = [replace(stays, category="fight"), replace(stays, category="sit")]
    squats = stays.xyz.copy()
    squats[: len(squats) // 2, :, 2] -= 0.2
    clips += [replace(stays, category="sport", xyz=squats), replace(walks, category="fight")]
    found = [next(askew_views([clip], views=1, seed=3)).activity for clip in clips]
    assert found == ["stand", "sit", "sport", "fight"]


def test_the_same_arguments_give_the_same_views(views):
    again = list(askew_views(people(), views=6, seed=3, noise=False))
    np.testing.assert_array_equal(again[7].keypoints.xy, views[7].keypoints.xy)
    other = next(askew_views(people(), views=1, seed=4, noise=False))
    assert other.pitch_deg != views[0].pitch_deg


def test_errors_are_those_of_what_was_found(views):
    """Up is that of a lifted pose which is turned by ten degrees; so is the error."""
    for view in views:
        seen = as_seen(view)
        right = measure(view, seen)
        assert right.up_deg < 5
        cosine = view.up @ [0, -1, 0]
        assert right.level_deg == pytest.approx(np.degrees(np.arccos(cosine)))
        if view.activity == "stand":
            assert abs(right.floor_m) < 0.04
            assert right.floor_sure_m < 0.05
        c, s = np.cos(np.radians(10)), np.sin(np.radians(10))
        roll = np.array([[c, -s, 0], [s, c, 0], [0, 0, 1]], np.float32)
        wrong = Stretch(
            xyz=seen.xyz @ roll.T,
            root=np.tile(seen.root.mean(0), (len(seen.root), 1)),
            score=seen.score * 0,  # nor do feet say anything
            time_s=seen.time_s,
        )
        found = measure(view, wrong)
        assert 4 < found.up_deg < 16
        assert found.up_deg == pytest.approx(found.bodies_deg)
        assert np.isnan(found.floor_m)
        assert np.isnan(found.floor_sure_m)


def says(up, off_deg):
    """What a network says that saw one window, and how sure it is."""
    up = np.asarray(up) / np.linalg.norm(up)
    return Votes(
        up=up[None],
        ray=np.array([[0.0, 0.0, 1.0]]),
        weight=np.array([4.0]),
        across_deg=np.array([off_deg]),
        along_deg=np.array([off_deg]),
    )


def test_how_people_go_counts_as_far_as_it_is_sure(views):
    view = views[0]
    seen = as_seen(view)
    wrong = view.up + np.array([0.3, 0, 0])
    alone = measure(view, seen)
    assert np.isnan(alone.going_deg)
    for off_deg, least, most in ((0.05, 14, 18), (500.0, alone.up_deg - 0.5, alone.up_deg + 0.5)):
        found = measure(view, seen, [says(wrong, off_deg)])
        assert found.going_deg == pytest.approx(angle_deg(wrong, view.up), abs=0.01)
        assert least < found.up_deg < most
        assert found.bodies_deg == alone.bodies_deg
    assert measure(view, seen, [says(view.up, 2.0)]).up_sure_deg < alone.up_sure_deg


def test_up_says_a_fifth_more_than_if_its_sources_erred_apart(views):
    seen = as_seen(views[0])
    _, sure_deg = tilt_by_feet(find_up([seen]), find_contacts([seen]))
    assert measure(views[0], seen).up_sure_deg == pytest.approx(1.2 * sure_deg)


def test_a_clip_is_read_for_how_its_people_go_unless_its_camera_is_level(views):
    asked = []

    def read(people):
        asked.append(people)
        return [says(views[0].up, 1.0)]

    piece = placed(views[0])
    world = Ground("auto", read).world([piece], CameraMotion(), Told())
    assert asked == [[piece.keypoints]]
    assert world.up.startswith("by how bodies hold themselves and go about, 4.0 s of them, and by ")
    Ground(20.0, read).world([piece], CameraMotion(), Told())
    assert len(asked) == 2
    Ground("camera", read).world([piece], CameraMotion(), Told())
    assert len(asked) == 2


def test_figures_are_grouped_by_what_people_do(views):
    found = [measure(view, as_seen(view)) for view in views]
    groups = summaries([*found, replace(found[0], activity="dance")])
    assert list(groups) == ["stand", "walk", "dance", "walk and stand", "all others"]
    assert [groups[name].views for name in groups] == [6, 6, 1, 12, 1]
    middle, most = groups["walk and stand"].up_deg
    assert middle == pytest.approx(np.median([one.up_deg for one in found]))
    assert most == pytest.approx(np.percentile([one.up_deg for one in found], 90))
    off = np.array([one.up_deg / one.up_sure_deg for one in found])
    assert groups["walk and stand"].within == (off <= 1).mean()
    assert groups["walk and stand"].no_floor == np.mean([np.isnan(f.floor_sure_m) for f in found])
    assert groups["stand"].no_floor == 0


def test_the_command_gives_the_figures(pose3d, tiny_weights, tmp_path):
    write_pack(tmp_path / "mocap", [walker(0, 1.2)])
    split = walker(0, 1.2).split
    ran = pose3d(
        "bench", "upright", "--data", tmp_path / "mocap", "--weights", tiny_weights,
        "--split", split, "--views", "2",
    )  # fmt: skip
    assert "walk and stand" in ran.stdout
    assert "ankles-head" in ran.stdout
    pose3d("bench", "upright", "--data", tmp_path / "mocap", "--views", "0", code=2)


def test_what_was_not_measured_is_null():
    found = Found(
        activity="run", up_deg=2.0, level_deg=9.0, axis_deg=4.0, bodies_deg=2.0,
        going_deg=np.nan, up_sure_deg=5.0, floor_m=np.nan, floor_sure_m=np.nan,
    )  # fmt: skip
    record = _record(summaries([found])["run"])
    assert record["floor_mm"] == [None, None]
    assert record["up_deg"] == [2.0, 2.0]
    assert record["no_floor"] == 1.0


@dataclass
class Told:
    warnings: list[str] = field(default_factory=list)

    def warn(self, text):
        self.warnings.append(text)

    def stage(self, name, total):
        raise AssertionError("nothing to show")

    advance = note = stage


def placed(view):
    seen = as_seen(view)
    return Placed(0, view.keypoints, seen.xyz, view.xyz.astype(np.float32))


def test_a_still_camera_has_a_world_without_a_warning(views):
    told = Told()
    world = Ground("auto").world([placed(views[0])], CameraMotion(), told)
    assert told.warnings == []
    assert np.degrees(np.arccos(world.rotation[2] @ views[0].up)) < 5
    np.testing.assert_allclose(world.rotation, rotation_with_up(world.rotation[2]), atol=1e-9)


def test_a_camera_that_moves_is_told(views):
    told = Told()
    motion = CameraMotion(percent_s=7.5, share=0.4, known=1.0, moves=True)
    world = Ground("auto").world([placed(views[0])], motion, told)
    assert len(told.warnings) == 1
    assert (
        "the camera moves, by 7.5 % of the picture a second in 40 % of the clip"
        in (told.warnings[0])
    )
    assert "the camera moves" in world.floor


def test_up_that_nobody_tells_of_is_told(views):
    view = views[0]
    lying = placed(view)
    lying.xyz_root[:] = lying.xyz_root[..., [1, 0, 2]]
    told = Told()
    Ground("auto").world([lying], CameraMotion(), told)
    assert any("--up DEG" in warning for warning in told.warnings)
    told = Told()
    Ground(20.0).world([lying], CameraMotion(), told)
    assert told.warnings == []


def test_the_world_of_the_first_part_with_a_floor_is_that_of_all_later_ones(views):
    view = views[0]
    lying = placed(view)
    lying.xyz_root[:] = lying.xyz_root[..., [1, 0, 2]]
    ground = Ground("auto")
    first, second, third = (
        ground.world(pieces, CameraMotion(), Told()) for pieces in ([], [placed(view)], [lying])
    )
    assert first.floor == NO_FLOOR
    assert second.floor != NO_FLOOR
    assert third is second

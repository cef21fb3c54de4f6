import math
from dataclasses import replace

import numpy as np
import pytest
import torch

from pose3d_cli.files.mocap_pack import MocapClip
from pose3d_cli.learn.synthetic import detectors
from pose3d_cli.learn.synthetic.bodies import STATURE_M, draw_lengths, with_lengths
from pose3d_cli.learn.synthetic.cameras import look_at, outside, project
from pose3d_cli.learn.synthetic.detectors import detect
from pose3d_cli.learn.synthetic.generator import Generator, GeneratorConfig
from pose3d_cli.learn.synthetic.marks import marked_points
from pose3d_cli.learn.synthetic.motion import MocapWindows, recombine
from pose3d_cli.learn.synthetic.noise_file import measured_noise
from pose3d_cli.learn.synthetic.postures import ANGLES, draw_angles, draw_postures, pose_of
from pose3d_cli.lift.rotation import turn_back
from pose3d_cli.pose.skeleton import H36M17
from tests.bodies import posture
from tests.motion import standing


def random(seed=0):
    return torch.Generator().manual_seed(seed)


def at(pose, joint):
    return pose[..., H36M17.index(joint), :]


def test_zero_angles_stand_upright_with_arms_hanging():
    pose = pose_of(torch.zeros(1, 1, len(ANGLES)))[0, 0]
    assert at(pose, "head")[2] > at(pose, "thorax")[2] > at(pose, "pelvis")[2]
    assert at(pose, "left_ankle")[2] < at(pose, "left_knee")[2] < at(pose, "left_hip")[2]
    assert at(pose, "left_wrist")[2] < at(pose, "left_shoulder")[2]
    # x to the right, y forwards: the left hip is at negative x, the nose in front.
    assert at(pose, "left_hip")[0] < 0 < at(pose, "right_hip")[0]
    assert at(pose, "nose")[1] > at(pose, "thorax")[1]


@pytest.mark.parametrize(
    ("angle", "joint", "parent", "axis", "sign"),
    [
        ("left_leg_flexion", "left_knee", "left_hip", 1, 1),
        ("left_leg_hinge", "left_ankle", "left_knee", 1, -1),
        ("right_arm_abduction", "right_elbow", "right_shoulder", 0, 1),
        ("left_arm_abduction", "left_elbow", "left_shoulder", 0, -1),
        ("right_arm_hinge", "right_wrist", "right_elbow", 1, 1),
        ("trunk_pitch", "thorax", "pelvis", 1, 1),
        ("trunk_flexion", "thorax", "spine", 1, 1),
    ],
)
def test_a_quarter_turn_of_a_joint_goes_the_way_a_body_does(angle, joint, parent, axis, sign):
    angles = torch.zeros(1, 1, len(ANGLES))
    angles[..., ANGLES.index(angle)] = math.pi / 2
    pose = pose_of(angles)[0, 0]
    bone = at(pose, joint) - at(pose, parent)
    assert bone[axis] * sign > 0.9


def test_postures_keep_knees_and_elbows_within_human_limits():
    angles = draw_angles(500, random())
    for side in ("left", "right"):
        assert angles[:, ANGLES.index(f"{side}_arm_hinge")].min() >= 0
        assert angles[:, ANGLES.index(f"{side}_leg_hinge")].min() > -35
        assert angles[:, ANGLES.index(f"{side}_leg_hinge")].max() < 185


def test_postures_include_sitting_lying_and_raised_arms():
    pose = draw_postures(400, 3, 1.0, random())[:, 1]
    thigh = at(pose, "left_knee") - at(pose, "left_hip")
    trunk = at(pose, "thorax") - at(pose, "pelvis")
    arm = at(pose, "left_wrist") - at(pose, "left_shoulder")
    assert (thigh[:, 2] > -0.3).float().mean() > 0.15
    assert (trunk[:, 2].abs() < 0.8).float().mean() > 0.1
    assert (arm[:, 2] > 1).float().mean() > 0.05


def test_bodies_have_equal_sides_and_the_stature_they_should():
    lengths = draw_lengths(300, random())
    torch.testing.assert_close(lengths[:, H36M17.mirror], lengths)
    tall = [H36M17.index(j) for j in ("left_knee", "left_ankle", "spine", "thorax")]
    share = lengths[:, tall].sum(1) / STATURE_M
    assert share.mean() == pytest.approx(0.808, abs=0.003)
    assert 0.005 < share.std() < 0.02


def test_new_lengths_keep_directions():
    pose = draw_postures(4, 3, 1.0, random())
    lengths = draw_lengths(4, random())
    new = with_lengths(pose, lengths)
    for parent, joint in H36M17.bones:
        bone = at(new, joint) - at(new, parent)
        torch.testing.assert_close(
            bone.norm(dim=-1), lengths[:, H36M17.index(joint), None].expand(4, 3)
        )
        old = at(pose, joint) - at(pose, parent)
        cosine = torch.nn.functional.cosine_similarity(bone, old, dim=-1)
        assert cosine.min() > 0.999


def test_recombined_limbs_keep_their_shape_relative_to_the_trunk():
    body, arms, legs = draw_postures(30, 2, 1.0, random()).chunk(3)
    mixed = recombine(body, arms, legs, random(1))

    def elbow_bend(pose):
        upper = at(pose, "left_elbow") - at(pose, "left_shoulder")
        lower = at(pose, "left_wrist") - at(pose, "left_elbow")
        return torch.nn.functional.cosine_similarity(upper, lower, dim=-1)

    own, other = elbow_bend(mixed) - elbow_bend(body), elbow_bend(mixed) - elbow_bend(arms)
    assert (torch.minimum(own.abs(), other.abs()) < 1e-4).all()
    assert (other.abs() < 1e-4).any()
    assert (own.abs() < 1e-4).any()


def test_windows_of_mocap_stay_inside_one_clip():
    low, high = standing(seed=0), standing(frames=5, seed=1)
    far = MocapClip(**{**vars(high), "xyz": high.xyz + np.float32(100)})
    pose = MocapWindows([low, far], 27, 25.0).draw(200, random())
    apart = (pose - pose[:, :1]).norm(dim=-1)
    assert apart.max() < 5


def test_people_stand_before_the_camera_and_upright_in_most_pictures():
    view = look_at(
        with_lengths(draw_postures(1, 2, 1.0, random()), draw_lengths(1, random())).expand(
            400, -1, -1, -1
        ),
        random(),
    )
    assert view.root[..., 2].min() > 0.5
    pose = MocapWindows([standing()], 2, 25.0).draw(400, random())
    pose = with_lengths(pose, draw_lengths(400, random()))
    view = look_at(pose, random(2))
    upright = at(view.pose, "head")[..., 1] < at(view.pose, "pelvis")[..., 1]
    assert upright.float().mean() > 0.9


def test_without_noise_rays_and_target_are_the_same_people():
    clips = [standing()]
    generator = Generator(clips, GeneratorConfig(frames=5, noise=False, seed=3))
    batch = generator.draw(50)
    pose = turn_back(batch.rotation, batch.target)
    # With the true root the rays must be met exactly; solve for it from two joints' rays.
    n = batch.rays
    a = torch.zeros(*n.shape[:3], 2, 3)
    a[..., 0, 0], a[..., 1, 1] = 1, 1
    a[..., 2] = -n
    b = n * pose[..., 2:] - pose[..., :2]
    solved = torch.linalg.lstsq(
        a.reshape(-1, 34, 3).double(), b.reshape(-1, 34, 1).double()
    ).solution
    root = solved.view(50, 5, 1, 3).float()
    torch.testing.assert_close(project(pose + root), n, atol=2e-3, rtol=0)


def test_detectors_err_by_about_a_hundredth_of_the_body_and_lose_some_joints():
    pose = MocapWindows([standing()], 27, 25.0).draw(300, random())
    view = look_at(with_lengths(pose, draw_lengths(300, random())), random())
    rays, score = detect(view, 25.0, random())
    truth = project(view.pose + view.root[:, :, None])
    size = (truth.amax(2) - truth.amin(2)).amax(-1)[..., None]
    off = ((rays - truth).norm(dim=-1) / size)[score > 0.3]
    assert 0.008 < off.nanmedian() < 0.04
    assert rays.isnan().any()
    assert (score[rays.isnan().any(-1)] == 0).all()
    assert 0.005 < (score == 0).float().mean() < 0.1
    assert ((score >= 0) & (score <= 1)).all()


def test_noise_lasts_for_a_time_and_not_for_a_number_of_frames():
    pose = MocapWindows([standing()], 27, 25.0).draw(100, random())[:, :1].expand(-1, 27, -1, -1)
    view = look_at(with_lengths(pose, draw_lengths(100, random())), random())
    still = replace(view, root=view.root[:, :1].expand(-1, 27, -1))
    steps = []
    for rate_hz in (100.0, 25.0, 25 / 3):
        rays, _ = detect(still, rate_hz, random())
        steps.append((rays[:, 1:] - rays[:, :-1]).norm(dim=-1).nanmedian())
    assert steps[0] < 0.85 * steps[1]
    assert steps[1] < 0.85 * steps[2]


def test_equal_seeds_give_equal_batches_and_others_do_not():
    clips = [standing()]
    one, two, other = (
        Generator(clips, GeneratorConfig(frames=3, seed=seed)).draw(8) for seed in (1, 1, 2)
    )
    torch.testing.assert_close(one.x, two.x, rtol=0, atol=0)
    assert not torch.equal(one.x, other.x)


def test_input_is_finite_whatever_the_detector_lost():
    batch = Generator([standing()], GeneratorConfig(frames=9, seed=5)).draw(300)
    assert batch.rays.isnan().any()
    assert batch.x.isfinite().all()
    assert batch.target.isfinite().all()


def test_settings_out_of_range_are_refused():
    with pytest.raises(ValueError, match=r"postures \(1.5\) must be between 0 and 1"):
        GeneratorConfig(postures=1.5)
    with pytest.raises(ValueError, match=r"frames \(0\)"):
        GeneratorConfig(frames=0)


def test_cameras_stand_above_the_hips_more_often_than_below():
    pose = MocapWindows([standing()], 1, 25.0).draw(400, random())
    view = look_at(with_lengths(pose, draw_lengths(400, random())), random(3))
    # Seen from above, the head is nearer to the camera than the feet, in the direction of view.
    forwards = view.root / view.root.norm(dim=-1, keepdim=True)
    deep = (view.pose * forwards[:, :, None]).sum(-1)
    head, foot = (deep[..., H36M17.index(joint)] for joint in ("head", "left_ankle"))
    assert (head < foot).float().mean() > 0.6


@pytest.mark.parametrize("rate_hz", [25.0, 8.0])
def test_what_comes_and_goes_is_so_for_its_share_of_the_time_and_lasts_as_long_at_any_rate(rate_hz):
    share = torch.tensor([[0.05, 0.4]]).expand(3000, 2)
    is_so = detectors._bouts(share, 40, 0.5, rate_hz, random()).double()
    for kind, wanted in enumerate((0.05, 0.4)):
        assert float(is_so[..., kind].mean()) == pytest.approx(wanted, rel=0.1)
        assert float(is_so[:, 0, kind].mean()) == pytest.approx(wanted, rel=0.25)  # from the start
    ends = ((is_so[:, :-1] == 1) & (is_so[:, 1:] == 0)).double().sum() / is_so[:, :-1].sum()
    assert float(ends) == pytest.approx(1 - math.exp(-1 / (rate_hz * 0.5)), rel=0.1)


def test_scores_of_lost_joints_are_lower_and_a_limb_is_often_lost_as_a_whole():
    people, frames = 400, 20
    pose = pose_of(torch.zeros(people, frames, len(ANGLES))) * 0.3
    view = look_at(pose, random())
    rays, score = detect(view, 25.0, random(1))
    truth = project(view.pose + view.root[:, :, None])
    extent = (truth.amax(2) - truth.amin(2)).amax(-1)[..., None]
    shown = ~outside(view, truth) & rays.isfinite().all(-1)
    bad = ((rays - truth).norm(dim=-1) / extent > 0.12) & shown
    assert score[bad].mean() < score[shown & ~bad].mean() - 0.1
    lost = detectors._lost(4000, 2, measured_noise().lost, 25.0, random()).double()
    elbow, wrist, other = (
        lost[..., H36M17.index(j)] for j in ("left_elbow", "left_wrist", "right_wrist")
    )
    assert (elbow * wrist).mean() > 1.5 * (elbow * other).mean()


def test_detectors_of_the_generator_mark_both_sides_alike():
    pose = torch.from_numpy(posture()).float().expand(4000, 1, 17, 3)
    whole = torch.zeros(4000, dtype=torch.bool)
    marked = marked_points(pose, whole, measured_noise().marks, torch.Generator())
    offset = (marked - pose).mean((0, 1)).numpy()  # x to the right, y forwards
    left, right = H36M17.index("left_shoulder"), H36M17.index("right_shoulder")
    assert offset[left, 0] == pytest.approx(0.007, abs=0.002)  # inwards: to the right
    assert offset[right, 0] == pytest.approx(-0.007, abs=0.002)
    assert offset[H36M17.index("left_hip"), 1] == pytest.approx(0.017, abs=0.002)
    assert offset[H36M17.index("left_ankle"), 2] == pytest.approx(0.020, abs=0.002)


def test_each_part_of_each_steps_batch_has_random_numbers_of_its_own():
    generator = Generator([standing()], GeneratorConfig(frames=9))
    drawn = {}
    for key in ((3, 0), (3, 1), (4, 0)):
        generator.begin(*key)
        drawn[key] = generator.draw(2).x
    assert not torch.equal(drawn[3, 0], drawn[3, 1])
    assert not torch.equal(drawn[3, 0], drawn[4, 0])
    generator.begin(3, 1)
    assert torch.equal(generator.draw(2).x, drawn[3, 1])

import math
import re
from dataclasses import asdict, fields, is_dataclass, replace
from itertools import pairwise

import numpy as np
import pytest
import torch

from pose3d_cli.errors import InputError, Pose3DError, SettingsError, UnknownNameError
from pose3d_cli.learn.synthetic.cameras import look_at, outside, project
from pose3d_cli.learn.synthetic.detector_noise import Flips
from pose3d_cli.learn.synthetic.detectors import detect
from pose3d_cli.learn.synthetic.generator import Generator, GeneratorConfig
from pose3d_cli.learn.synthetic.noise_file import (
    find_noise,
    measured_noise,
    read_noise,
    shipped_noises,
    write_noise,
)
from pose3d_cli.learn.synthetic.postures import ANGLES, pose_of
from pose3d_cli.pose.skeleton import H36M17
from tests.motion import standing

MEASURED, GAUSSIAN = find_noise("measured"), find_noise("gaussian")


def random(seed=0):
    return torch.Generator().manual_seed(seed)


@pytest.fixture(scope="module")
def view():
    """People of nine frames, of whom some are cut by the picture."""
    return look_at(pose_of(torch.zeros(300, 9, len(ANGLES))) * 0.3, random())


def errors(view, noise, seed=1):
    """Errors as shares of the person, (people, frames, joints, 2), and scores."""
    rays, score = detect(view, 25.0, random(seed), noise)
    truth = project(view.pose + view.root[:, :, None])
    extent = (truth.amax(2) - truth.amin(2)).amax(-1)[..., None, None]
    return (rays - truth) / extent, score


def changed(noise, section, **values):
    return replace(noise, **{section: replace(getattr(noise, section), **values)})


def test_the_measured_noise_gives_the_batches_it_gave_when_it_was_constants():
    """Numbers of the generator before its noise became data."""
    config = GeneratorConfig(frames=9, rate_hz=25 / 3, seed=7)
    batch = Generator([standing()], config).draw(64)
    steps = (batch.rays[:, 1:] - batch.rays[:, :-1]).abs()
    found = [*batch.rays[5, 3, 2], *batch.rays[5, 3, 13], *batch.score[5, 3, [2, 13]]]
    found += [batch.score.mean(), batch.rays.nanmean(), steps.nanmean()]
    before = [-0.00382393, -0.03154496, -0.04221894, -0.09067130, 0.82820243, 0.96857131]
    before += [0.77180362, -0.05038228, 0.01179174]
    np.testing.assert_allclose([float(value) for value in found], before, rtol=1e-4)
    assert int(batch.rays.isnan().sum()) == 180
    assert int((batch.score == 0).sum()) == 233


def leaves(noise):
    """Each number of a noise: its section, its name, and another value for it."""
    for field in fields(noise):
        part = getattr(noise, field.name)
        if not is_dataclass(part):
            continue
        for key, value in asdict(part).items():
            if key == "offset_m":
                yield field.name, key, {**value, "knee": [0.1, 0.0, 0.0]}
            elif isinstance(value, dict):
                yield field.name, key, {**value, "knee": 0.5 + value.get("knee", 0.0)}
            elif isinstance(value, bool):
                yield field.name, key, not value
            else:
                yield field.name, key, value * 0.3


@pytest.mark.parametrize(("section", "key", "value"), list(leaves(MEASURED)))
def test_every_number_has_an_effect(view, section, key, value):
    noise = changed(MEASURED, section, **{key: value})
    for before, after in zip(errors(view, MEASURED), errors(view, noise), strict=True):
        if not torch.equal(before.nan_to_num(), after.nan_to_num()):
            return
    pytest.fail(f"{section}.{key} changes nothing")


def test_gaussian_noise_is_independent_unbiased_and_of_the_size_it_says(view):
    error, score = errors(view, GAUSSIAN)
    assert (score == 1).all()
    assert error.isfinite().all()
    assert float(error.std()) == pytest.approx(GAUSSIAN.jitter.spread, rel=0.02)
    assert float(error.mean((0, 1)).abs().max()) < 4 * GAUSSIAN.jitter.spread / math.sqrt(2700)
    apart = error / error.std()
    for one, other in (
        (apart[:, 1:], apart[:, :-1]),  # frames
        (apart[:, :, 1:], apart[:, :, :-1]),  # joints
        (apart[..., 0], apart[..., 1]),  # axes
        (apart[1:], apart[:-1]),  # people
    ):
        assert abs(float((one * other).mean())) < 0.02
    assert float((apart**4).mean()) == pytest.approx(3.0, abs=0.1)  # no tail


def test_half_of_the_errors_are_as_large_in_gaussian_noise_as_in_the_measured(view):
    limbs = [j for j, name in enumerate(H36M17.joints) if "_" in name]
    shown = ~outside(view, project(view.pose + view.root[:, :, None]))[..., limbs]
    found = [errors(view, noise)[0][:, :, limbs] for noise in (MEASURED, GAUSSIAN)]
    sizes = [error.norm(dim=-1)[shown].nanmedian() for error in found]
    assert float(sizes[0]) == pytest.approx(float(sizes[1]), rel=0.15)


def test_twice_the_spread_is_twice_the_error(view):
    twice = changed(GAUSSIAN, "jitter", spread=2 * GAUSSIAN.jitter.spread)
    torch.testing.assert_close(
        errors(view, twice)[0], 2 * errors(view, GAUSSIAN)[0], atol=1e-5, rtol=1e-3
    )


def test_each_joint_has_a_memory_of_its_own(view):
    memory = {"other": 0.01, "wrist": 10.0}
    noise = changed(GAUSSIAN, "jitter", memory_s=memory, slow=1.0, fresh=0.0)
    error = errors(view, noise)[0] / GAUSSIAN.jitter.spread
    kept = (error[:, 1:] * error[:, :-1]).mean((0, 1, 3))
    assert float(kept[H36M17.index("left_wrist")]) > 0.8
    assert float(kept[H36M17.index("left_elbow")]) < 0.1


def test_flips_are_as_often_as_is_said_and_of_what_is_said(view):
    still = changed(GAUSSIAN, "jitter", spread=1e-9)
    noise = replace(still, flips=Flips(body=0.0, legs=0.3, arms=0.0, lasts_s=0.5))
    moved = errors(view, noise)[0].norm(dim=-1) > 1e-4
    share = moved.float().mean((0, 1))
    assert float(share[H36M17.index("left_ankle")]) == pytest.approx(0.3, abs=0.06)
    assert float(share[H36M17.index("left_wrist")]) == 0


def test_scores_fall_with_the_error_as_steeply_as_is_said(view):
    quiet = changed(
        MEASURED, "scores", vague=0.0, joints_differ=0.0, frames_differ=0.0, cut_off=False
    )
    quiet = changed(quiet, "lost", gaps=0.0, gone=0.0)
    logits = []
    for factor in (1.0, math.e):
        worse = {kind: factor * value for kind, value in quiet.jitter.worse.items()}
        _, score = errors(view, changed(quiet, "jitter", worse=worse))
        logits.append(float(torch.logit(score.double(), eps=1e-9).median()))
    assert logits[0] - logits[1] == pytest.approx(MEASURED.scores.slope, abs=0.01)


def test_noises_that_come_with_the_program_are_told_and_read():
    assert shipped_noises() == ["blazepose", "gaussian", "measured", "movenet"]
    for name in shipped_noises():
        noise = find_noise(name)
        assert noise.name == name
        assert noise.about
    assert find_noise("measured") == measured_noise()


@pytest.mark.parametrize("name", shipped_noises())
def test_a_noise_survives_its_file(tmp_path, name):
    noise = find_noise(name)
    write_noise(tmp_path / f"{name}.toml", noise, assumed=["lost.gaps"])
    assert read_noise(tmp_path / f"{name}.toml") == noise
    text = (tmp_path / f"{name}.toml").read_text()
    lines = text.splitlines()
    assert all(
        before.startswith("# ") for before, line in pairwise(lines) if " = " in line and before
    )
    assert text.count("not measured") == 1


@pytest.mark.parametrize(
    ("old", "new", "error", "words"),
    [
        ("spread = 0.008", "spred = 0.008", UnknownNameError, "no setting 'spred'.*'spread'"),
        ("spread = 0.008", "", SettingsError, "lacks jitter.spread"),
        (
            "spread = 0.008",
            "spread = -1",
            SettingsError,
            "spread is -1.0; expected a number above 0",
        ),
        ("spread = 0.008", "spread = nan", SettingsError, "spread is nan"),
        ("spread = 0.008", 'spread = "much"', SettingsError, "spread is 'much'"),
        ("wrist = 0.16", "wrist = 1.6", SettingsError, "share of wrist is 1.6; expected a share"),
        ("wrist = 0.16", "wirst = 0.16", SettingsError, "share: no joint 'wirst'.*'wrist'"),
        (", other = 0.03", "", SettingsError, "share lacks 'other'"),
        ("[0.0, -0.017, 0.019]", "[0.0, 1.0]", SettingsError, "offset_m of hip"),
        ("body = 0.02", "body = 1.0", SettingsError, "must be below 1"),
        ("level = 2.4", "level = inf", SettingsError, "level is inf"),
        ("cut_off = true", "cut_off = 1", SettingsError, "cut_off is 1; expected true or false"),
        ("{ other = 0.246 }", "0.246", SettingsError, "memory_s is 0.246; expected a table"),
        ("[marks]", "[marks", InputError, "not a readable TOML file"),
        ("about = ", 'name = "x"\nabout = ', SettingsError, "leave out name"),
    ],
)
def test_a_fault_is_told_in_one_line(tmp_path, old, new, error, words):
    path = tmp_path / "mine.toml"
    write_noise(path, MEASURED)
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))
    with pytest.raises(error, match=words) as told:
        find_noise(str(path))
    assert "\n" not in str(told.value)
    assert str(path) in str(told.value)


def test_a_section_that_is_no_table_is_told(tmp_path):
    path = tmp_path / "mine.toml"
    write_noise(path, MEASURED)
    text = re.sub(r"\[lost\].*?(?=# Left)", "", path.read_text(), flags=re.DOTALL)
    path.write_text("lost = 3\n" + text)
    with pytest.raises(SettingsError, match=r"lost is 3; expected a table, \[lost\]"):
        find_noise(str(path))


def test_a_noise_that_there_is_not_is_told(tmp_path):
    with pytest.raises(SettingsError, match="no 'gausian'; did you mean 'gaussian'"):
        find_noise("gausian")
    with pytest.raises(Pose3DError, match=r"none.toml: no such file"):
        find_noise(str(tmp_path / "none.toml"))


def test_a_noise_without_the_generator_is_refused(pose3d, tmp_path):
    ran = pose3d("bench", "detector", tmp_path, "--detector-noise", "gaussian", code=2)
    assert "give --generator DIR with it" in ran.stderr

"""Recipes: what they say, what they make, and that they go on."""

from __future__ import annotations

import json
from dataclasses import asdict, replace

import pytest

from pose3d_cli.errors import ExitCode, InputError, SettingsError, UnknownNameError
from pose3d_cli.learn import ablation
from pose3d_cli.learn.recipe import follow, read_recipe, shipped_recipes
from pose3d_cli.learn.start import first_network
from pose3d_cli.learn.train import train
from pose3d_cli.lift import weights
from tests.motion import TINY, quiet, tiny_pack

_COMMON = 'preset = "tiny"\nbatch = 4\nsteps = 4\nwarmup = 1\nprecision = "fp32"\n'
CHAIN = f"""
about = "a small one"
[[run]]
name = "pre"
stage = "pretrain"
{_COMMON}pretrain.copies = 2
[[run]]
name = "fine"
init = "pre"
single_frames = 0.0
{_COMMON}"""


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return tiny_pack(tmp_path_factory.mktemp("mocap"))


def written(folder, text):
    path = folder / "own.toml"
    path.write_text(text)
    return str(path)


@pytest.mark.parametrize("name", shipped_recipes())
def test_a_shipped_recipe_has_both_stages_and_networks_that_follow_from_each_other(name):
    recipe = read_recipe(name)
    alone = {"ablation-noise": {"finetune"}, "upright-75": {"upright"}}
    assert {run.settings.stage for run in recipe.runs} == alone.get(name, {"pretrain", "finetune"})
    assert recipe.runs[-1].settings.stage != "pretrain"
    assert recipe.about
    configs = {run.name: first_network(run.settings, None).config for run in recipe.runs}
    assert all(configs[run.name] == configs[run.init] for run in recipe.runs if run.init)


def test_the_recipes_that_are_promised_are_there():
    ablations = {"ablation-xs", "ablation-hidden", "ablation-noise"}
    assert {"upright-75", "xs-27-cpu", "s-81", "base-81", "base-243", *ablations} <= set(
        shipped_recipes()
    )
    assert first_network(read_recipe("base-81").runs[0].settings, None).config.frames == 81


def test_runs_follow_from_one_another_and_are_made_once(data, tmp_path):
    recipe, told = read_recipe(written(tmp_path, CHAIN)), []

    def watch(name):
        return lambda progress: told.append((name, progress.step))

    places = {"data": data, "out": tmp_path / "out", "watch": watch, "device": "cpu"}
    reports = follow(recipe, **places)
    assert told == [("pre", 1), ("pre", 2), ("pre", 3), ("pre", 4)] + [
        ("fine", step) for step in range(1, 5)
    ]
    pre, fine = (weights.describe(reports[name].weights) for name in ("pre", "fine"))
    assert pre.more["stage"] == "pretrain"
    assert "copies=2" in pre.more["pretrain"]
    assert fine.more["init_sha256"] == weights.sha256(reports["pre"].weights)
    told.clear()
    again = follow(recipe, **places)
    assert told == []
    assert all(report.resumed for report in again.values())


def test_time_that_runs_out_stops_the_recipe_where_it_is(data, tmp_path):
    recipe = read_recipe(written(tmp_path, CHAIN))
    places = {"data": data, "out": tmp_path / "out", "watch": lambda _name: quiet, "device": "cpu"}
    reports = follow(recipe, **places, time_budget_s=0.0)
    assert list(reports) == ["pre"]
    assert reports["pre"].weights is None
    assert follow(recipe, **places)["fine"].weights is not None


def test_seeds_make_everything_once_for_each(tmp_path):
    recipe = read_recipe(written(tmp_path, "seeds = [3, 5]\n" + CHAIN))
    told = [(run.name, run.init, run.settings.seed) for run in recipe.runs]
    assert told == [
        ("pre-seed3", "", 3),
        ("fine-seed3", "pre-seed3", 3),
        ("pre-seed5", "", 5),
        ("fine-seed5", "pre-seed5", 5),
    ]


@pytest.mark.parametrize(
    ("text", "error", "words"),
    [
        ("about = 'nothing'", SettingsError, r"without a \[\[run\]\]"),
        ("[[run]]\nsteps = 3", SettingsError, "needs a name of its own"),
        ("[[run]]\nname='a'\n[[run]]\nname='a'", SettingsError, "needs a name of its own"),
        ("[[run]]\nname='a'\ninit='b'", SettingsError, "begins with 'b', made by none"),
        ("compare=['b']\n[[run]]\nname='a'", SettingsError, "compare: no run 'b'"),
        ("[[run]]\nname='a'\nstpes=3", UnknownNameError, "run 'a': no setting 'stpes'; did you"),
        ("[[run]]\nname='a'\npretrain.x=3", UnknownNameError, "pretrain: no setting 'x'"),
        ("[[run]]\nname='a'\nsteps='many'", SettingsError, "steps is 'many'"),
        ("[[run]\n", InputError, "not a readable TOML file"),
        ("sedes=[1]\n[[run]]\nname='a'", UnknownNameError, "no setting 'sedes'; did you mean 'see"),
        ("seeds=3\n[[run]]\nname='a'", SettingsError, "seeds is 3; expected whole numbers"),
        ("seeds=[true]\n[[run]]\nname='a'", SettingsError, r"seeds is \[True\]; expected whole"),
        ("seeds=[-1]\n[[run]]\nname='a'", SettingsError, r"seeds: seed \(-1\) must be"),
        ("compare='a'\n[[run]]\nname='a'", SettingsError, "compare is 'a'; expected names"),
        ("common=3\n[[run]]\nname='a'", SettingsError, "common is 3; expected settings"),
        ("[run]\nname='a'", SettingsError, "run is .*; expected runs, each under"),
        ("[[run]]\nname='a'\npretrain=3", SettingsError, "pretrain is 3; expected such as"),
        ("[[run]]\nname='../a'", SettingsError, "of letters, digits, - and _; found '../a'"),
    ],
)
def test_a_recipe_that_makes_no_sense_is_told_in_words(tmp_path, text, error, words):
    with pytest.raises(error, match=words):
        read_recipe(written(tmp_path, text))


def test_what_is_common_holds_for_every_run_that_does_not_say_otherwise(tmp_path):
    recipe = read_recipe(
        written(
            tmp_path,
            "[common]\nsteps = 7\nlr = 0.5\n[[run]]\nname='a'\n[[run]]\nname='b'\nsteps=9\n",
        )
    )
    assert [(run.settings.steps, run.settings.lr) for run in recipe.runs] == [(7, 0.5), (9, 0.5)]
    shared = "[common]\npretrain.copies=2\n[[run]]\nname='a'\n[[run]]\nname='b'\n"
    shared += "pretrain.mask='span'"
    runs = read_recipe(written(tmp_path, shared)).runs
    assert [(run.pretrain.copies, run.pretrain.mask) for run in runs] == [(2, "mixed"), (2, "span")]
    with pytest.raises(UnknownNameError, match="run 'a': no setting 'stpes'"):
        read_recipe(written(tmp_path, "[common]\nstpes = 7\n[[run]]\nname='a'\n"))


@pytest.mark.parametrize("name", ["xs-27-cup", "none.toml"])
def test_a_recipe_that_is_not_there_is_told_with_those_that_are(name):
    with pytest.raises(SettingsError, match=r"there is no .*xs-27-cpu"):
        read_recipe(name)


def test_changes_to_a_preset_make_another_network_and_must_be_settings_of_it(data, tmp_path):
    other = replace(TINY, network="depth=1, streams=gcn")
    report = train(other, data=data, out=tmp_path / "a", watch=quiet, device="cpu")
    config = weights.describe(report.weights).config
    plain = asdict(first_network(TINY, None).config)
    assert config == {**plain, "depth": 1, "streams": "gcn"}
    with pytest.raises(SettingsError, match="another network than --preset tiny;"):
        first_network(TINY, report.weights)
    assert first_network(other, report.weights).config.depth == 1
    for text, words in (
        ("dept=1", "no setting 'dept'; did you mean 'depth'"),
        ("depth", "--network depth: give it as key=value"),
        ("depth=x", "depth is 'x'; expected a whole number"),
    ):
        with pytest.raises((SettingsError, UnknownNameError), match=words):
            first_network(replace(TINY, network=text), None)


def test_the_command_makes_a_recipe_and_refuses_what_the_recipe_says(pose3d, data, tmp_path):
    recipe = written(tmp_path, CHAIN)
    arguments = ["train", "--recipe", recipe, "--data", data, "-o", tmp_path / "out"]
    done = pose3d(*arguments, "--validate-every", 2)
    assert done.stdout.strip() == str(tmp_path / "out" / "fine" / "weights.safetensors")
    code = ExitCode.USAGE
    refused = pose3d(*arguments, "--steps", 9, "--lr", 1, code=code)
    assert "--recipe says this itself: --lr, --steps; leave it out" in refused.stderr
    refused = pose3d(*arguments, "--init", "x", code=code)
    assert "leave out --init" in refused.stderr


def test_variants_are_compared_over_their_seeds(pose3d, tmp_path, monkeypatch):
    monkeypatch.setattr(ablation, "WINDOWS", 3)
    data = tiny_pack(tmp_path / "mocap", splits=("train", "val", "test"))
    more = (
        CHAIN
        + f"""[[run]]
name = "scratch"
single_frames = 0.0
{_COMMON}"""
    )
    recipe = written(tmp_path, "seeds = [0, 1]\ncompare = ['scratch', 'fine']\n" + more)
    out = tmp_path / "out"
    done = pose3d("train", "--recipe", recipe, "--data", data, "-o", out)
    results = json.loads((out / "results.json").read_text())
    assert list(results["variants"]) == ["scratch", "fine"]
    for errors in results["variants"].values():
        assert list(errors) == ["noisy", "clean", "hidden", "hidden_joints"]
        assert all(len(values) == 2 and values[0] != values[1] for values in errors.values())
    first, second = results["variants"]["fine"]["noisy"]
    told = f"{(first + second) / 2:.1f} ± {abs(first - second) / 2:.1f}"
    assert told in (out / "results.md").read_text()
    assert told in done.stdout

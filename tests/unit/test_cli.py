"""Flags, layers, errors and exit codes of the command line; what it says and where."""

from __future__ import annotations

import json
import subprocess
import sys
import tomllib
from dataclasses import asdict, fields
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from pose3d_cli import __version__
from pose3d_cli.cli import app as cli_app
from pose3d_cli.cli.flags import field_helps, with_flags
from pose3d_cli.cli.lift import tell
from pose3d_cli.cli.progress import Lines
from pose3d_cli.cli.screen import Screen, ScreenSettings, facts
from pose3d_cli.cli.table import table
from pose3d_cli.cli.train import RunSettings
from pose3d_cli.errors import ExitCode, InputError, NobodyFoundError, Pose3DError
from pose3d_cli.learn.settings import TrainSettings
from pose3d_cli.pipeline.batch_settings import BatchSettings
from pose3d_cli.pipeline.report import BatchReport, ClipReport
from pose3d_cli.pipeline.settings import LiftSettings

ROOT = Path(__file__).parents[2]
HEAVY = ["torch", "cv2", "numpy", "matplotlib", "scipy"]
COMMANDS = [
    ["lift"],
    ["export"],
    ["train"],
    ["eval"],
    ["view"],
    ["info"],
    ["doctor"],
    ["data", "import"],
    ["data", "check"],
    ["data", "convert"],
    ["weights", "list"],
    ["weights", "describe"],
    ["weights", "convert"],
    ["weights", "download"],
    ["weights", "verify"],
    ["weights", "path"],
    ["weights", "import"],
    ["bench", "lift"],
    ["bench", "seams"],
]


@pytest.mark.parametrize("arguments", [["--help"], ["lift", "--help"], ["train", "--help"]])
def test_help_is_light(arguments):
    script = (
        "import sys; from pose3d_cli.cli.app import app\n"
        f"try: app({arguments!r}, prog_name='pose3d')\n"
        f"finally: print([m for m in {HEAVY} if m in sys.modules], file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stderr.strip() == "[]"
    assert "--help" in done.stdout


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_every_command_has_help_with_an_example(pose3d, command):
    text = pose3d(*command, "--help").stdout
    example = text.split("Examples:")[1]
    assert f"pose3d {' '.join(command)}" in example
    assert "--json" in text


def test_no_command_is_forgotten(pose3d):
    assert len(COMMANDS) == 19
    text = pose3d("--help").stdout
    listed = text.split("Commands:")[1].split("Exit codes:")[0]
    assert {line.split()[0] for line in listed.splitlines() if line[:3].strip()} == {
        command[0] for command in COMMANDS
    }


def test_the_help_tells_every_exit_code(pose3d):
    text = pose3d("--help").stdout.split("Exit codes:")[1]
    told = {int(line.split()[0]) for line in text.splitlines() if line.strip()}
    assert told == set(ExitCode)


def test_the_version(pose3d):
    assert pose3d("--version").stdout == f"pose3d {__version__}\n"


@pytest.mark.parametrize(
    ("command", "classes"),
    [("lift", [LiftSettings, BatchSettings]), ("train", [RunSettings, TrainSettings])],
)
def test_every_setting_is_a_flag_with_the_docstring_as_help(pose3d, command, classes):
    text = " ".join(pose3d(command, "--help").stdout.replace("-\n", "-").split())
    names = [f.name for cls in classes for f in fields(cls)]
    assert len(names) > 15
    for cls in classes:
        for name, words in field_helps(cls).items():
            assert f"--{name.replace('_', '-')}" in text
            assert "".join(words.split()) in "".join(text.split())


def printed(result):
    return tomllib.loads(result.stdout)


def test_print_config_gives_what_config_reads_back(pose3d, tmp_path):
    usual = asdict(LiftSettings()) | asdict(BatchSettings())
    assert printed(pose3d("lift", "--print-config")) == usual
    path = tmp_path / "run.toml"
    path.write_text(pose3d("lift", "--print-config", "--fov", "50", "--no-mirror").stdout)
    again = printed(pose3d("lift", "--print-config", "--config", path))
    assert again == {**usual, "fov": 50.0, "mirror": False}


def test_flags_go_before_the_file_and_the_file_before_the_defaults(pose3d, tmp_path):
    path = tmp_path / "run.toml"
    path.write_text("fov = 40\nmax_gap = 0.1\nmirror = false\n")
    found = printed(pose3d("lift", "--print-config", "--config", path, "--fov", 60, "--mirror"))
    assert (found["fov"], found["max_gap"], found["mirror"]) == (60.0, 0.1, True)
    assert found["detector"] == "auto"


@pytest.mark.parametrize(
    ("flags", "camera"),
    [
        (["--intrinsics", "cam.toml"], (0, 0, "cam.toml")),
        (["--focal35", "28"], (0, 28, "")),
        (["--fov", "60"], (60, 0, "")),
        (["--focal35", "0"], (50, 0, "")),
        ([], (50, 0, "")),
    ],
)
def test_a_camera_flag_puts_out_the_camera_of_the_file(pose3d, tmp_path, flags, camera):
    path = tmp_path / "run.toml"
    path.write_text("fov = 50\nmax_gap = 0.1\n")
    found = printed(pose3d("lift", "--print-config", "--config", path, *flags))
    assert (found["fov"], found["focal35"], found["intrinsics"]) == camera
    assert found["max_gap"] == 0.1


def test_by_default_the_pace_of_the_detector_is_its_own(pose3d):
    assert printed(pose3d("lift", "--print-config"))["detect_every"] == "auto"
    for word, pace in (("auto", "auto"), (7, 7), (0, 0)):
        found = printed(pose3d("lift", "--print-config", "--detect-every", word))
        assert found["detect_every"] == pace
    for word in ("often", "2.5"):
        ran = pose3d("lift", "--print-config", "--detect-every", word, code=ExitCode.USAGE)
        assert "expected a whole number or auto" in ran.stderr


def test_up_is_found_or_level_or_given_in_degrees(pose3d, tmp_path):
    assert printed(pose3d("lift", "--print-config"))["up"] == "auto"
    for word, up in (("camera", "camera"), (22.5, 22.5), (-7, -7.0)):
        found = printed(pose3d("lift", "--print-config", "--up", word))["up"]
        assert found == up
        assert type(found) is type(up)
    path = tmp_path / "own.toml"
    path.write_text("up = 20\n")
    found = printed(pose3d("lift", "--print-config", "--config", path))["up"]
    assert (found, type(found)) == (20.0, float)
    for word, why in (("sky", "expected a number or auto or camera"), ("86.5", "degrees from -85")):
        ran = pose3d("lift", "--print-config", "--up", word, code=ExitCode.USAGE)
        assert why in ran.stderr


def test_set_stands_between_file_and_flags(pose3d, tmp_path):
    path = tmp_path / "run.toml"
    path.write_text("steps = 1\nlr = 1e-5\nbatch = 2\nout = 'a'\n")
    sets = ["--set", "lr=2e-5", "--set", "batch=3", "--set", "preset=tiny"]
    found = printed(pose3d("train", "--print-config", "--config", path, *sets, "--batch", 4))
    assert (found["steps"], found["lr"], found["batch"], found["preset"]) == (1, 2e-5, 4, "tiny")
    assert found["out"] == "a"


@pytest.mark.parametrize(
    ("text", "code", "words"),
    [
        ("fovv = 50", ExitCode.USAGE, "run.toml: no setting 'fovv'; did you mean 'fov'"),
        ("fov = 'wide'", ExitCode.USAGE, "run.toml: fov is 'wide'; expected a number"),
        ("mirror = 'no'", ExitCode.USAGE, "run.toml: mirror is 'no'; expected true or false"),
        ("detect_every = 2.5", ExitCode.USAGE, "detect_every is 2.5; expected a whole number"),
        ("detect_every = -1", ExitCode.USAGE, "detect_every (-1) must be at least 0"),
        ("fov = 500", ExitCode.USAGE, "fov (500.0) must be between 5 and 170 degrees"),
        (
            "render = 'of'",
            ExitCode.USAGE,
            "run.toml: render is 'of'; known: side-by-side, overlay, 3d, off",
        ),
        ("max_gap = -1", ExitCode.USAGE, "max_gap (-1.0) must be 0 s or more"),
        ("max_gap = nan", ExitCode.USAGE, "max_gap (nan) must be a finite number"),
        ("start = inf", ExitCode.USAGE, "start (inf) must be a finite number"),
        ("fov = 50\nfocal35 = 28", ExitCode.USAGE, "give one of fov, focal35 and intrinsics"),
        ("fov =", ExitCode.BAD_INPUT, "run.toml: not a readable TOML file"),
        (None, ExitCode.BAD_INPUT, "run.toml: no such file"),
    ],
)
def test_a_config_file_that_is_wrong(pose3d, tmp_path, text, code, words):
    path = tmp_path / "run.toml"
    if text is not None:
        path.write_text(text)
    result = pose3d("lift", "x.mp4", "--config", path, code=code)
    assert words in result.stderr
    assert result.stdout == ""


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--set", "lrr=1"], "--set lrr=1: no setting 'lrr'; did you mean 'lr'"),
        (["--set", "lr"], "--set lr: give it as key=value"),
        (["--set", "lr=fast"], "lr is 'fast'; expected a number"),
        (["--time-budget", "soon"], "time_budget (soon) must be such as 90m"),
        (["--time-budget", "0s"], "time_budget (0s) must be above 0"),
        (
            ["--set", "precision=fp16"],
            "--set precision=fp16: precision is 'fp16'; known: auto, bf16, fp32",
        ),
        (["--stage", "mesh"], "stage is 'mesh'; known: pretrain, finetune"),
        (["--mask-ratio", "2"], "mask_ratio (2.0) must be above 0"),
        (["--hidden-limbs", "2"], "hidden_limbs (2.0) must be between 0 and 1"),
        (["--rate-hz", "0"], "rate_hz (0.0) must be a number above 0"),
        (["--steps", "0"], "steps (0) must be at least 1"),
        ([], "give --data"),
    ],
)
def test_wrong_settings_of_a_training_run(pose3d, arguments, words):
    assert words in pose3d("train", *arguments, code=ExitCode.USAGE).stderr


@pytest.mark.parametrize(
    ("text", "seconds"), [("90m", 5400), ("1h30m", 5400), ("45s", 45), ("1.5h", 5400)]
)
def test_a_time_budget(text, seconds):
    assert RunSettings(time_budget=text).time_budget_s == seconds


def test_no_time_budget_is_all_the_time():
    assert RunSettings().time_budget_s == float("inf")


def test_a_wrong_command_line_shows_the_usage(pose3d):
    for arguments in (["lift", "--fvo", "3"], ["lift"], ["lfit", "a.mp4"]):
        result = pose3d(*arguments, code=ExitCode.USAGE)
        assert "Usage: pose3d" in result.stderr
        assert result.stdout == ""
    assert "Did you mean 'lift'" in result.stderr


def test_errors_are_json_where_json_is_asked_for(pose3d):
    for arguments, kind, code in [
        (["lift", "none.mp4", "--json"], "InputError", ExitCode.BAD_INPUT),
        (["lift", "--fvo", "--json"], "NoSuchOption", ExitCode.USAGE),
        (["weights", "describe", "--json", "none.safetensors"], "WeightsError", 4),
    ]:
        result = pose3d(*arguments, code=code)
        error = json.loads(result.stdout)["error"]
        assert (error["kind"], error["exit_code"]) == (kind, code)
        assert error["message"]
        assert result.stderr == ""


@pytest.fixture
def run():
    """Run `pose3d do` with a command of our own, told and ended as all commands are."""

    def run_command(command, *arguments, code=0):
        app = typer.Typer(cls=cli_app.ReportingGroup, rich_markup_mode=None)
        app.callback()(lambda: None)
        app.command("do")(with_flags(command))
        result = CliRunner().invoke(app, ["do", *arguments], prog_name="pose3d")
        assert result.exit_code == code, f"{result.output} {result.exception!r}"
        return result

    return run_command


def failing(error):
    def fail() -> None:
        raise error

    return fail


def test_a_bug_is_one_line_and_the_traceback_is_for_vv(run):
    bug = failing(ValueError("two\nlines"))
    told = run(bug, code=ExitCode.BUG).stderr
    assert told.startswith("pose3d: this is a bug (ValueError: two lines); run")
    assert told.count("\n") == 1
    assert "Traceback" in run(bug, "-vv", code=ExitCode.BUG).stderr


@pytest.mark.parametrize("kind", Pose3DError.__subclasses__())
def test_an_error_of_ours_has_its_own_code(run, kind):
    error = failing(kind("what is wrong"))
    assert run(error, code=kind.exit_code).stderr == "pose3d: what is wrong\n"
    told = json.loads(run(error, "--json", code=kind.exit_code).stdout)
    assert told == {
        "error": {
            "kind": kind.__name__,
            "message": "what is wrong",
            "exit_code": kind.exit_code,
        }
    }


def test_every_exit_code_but_those_without_an_error_has_one():
    codes = {kind.exit_code for kind in Pose3DError.__subclasses__()}
    without = {"OK", "BUG", "SOME_CLIPS_FAILED", "INTERRUPTED"}
    assert codes == {code for code in ExitCode if code.name not in without}


def test_an_interruption_is_130(run):
    told = run(failing(KeyboardInterrupt()), code=ExitCode.INTERRUPTED).stderr
    assert told.startswith("pose3d: interrupted")


def test_a_reader_that_goes_away_is_no_error():
    """`pose3d ... | head` must not end in a traceback."""
    done = subprocess.run(
        f"{sys.executable} -m pose3d_cli weights list --json | true",
        shell=True,
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert "Traceback" not in done.stderr
    assert "bug" not in done.stderr


def clip_report(clip="a.mp4"):
    return ClipReport(
        clip=Path(clip),
        outputs={"npz": Path("a.npz")},
        people=1,
        frames=3,
        seconds={"detect": 1.0, "lift": 0.5},
        warnings=[],
    )


def told(report, capsys, **settings):
    for path, outcome in (report.done | report.failed).items():
        tell(path, outcome, Screen(ScreenSettings(**settings)))
    shown = capsys.readouterr()
    return shown.out, shown.err


def test_results_go_to_stdout_and_words_to_stderr(capsys):
    report = BatchReport(done={Path("a.mp4"): clip_report()})
    summary = "a.mp4: 1 person in 3 frames, 1.5 s\n"
    assert told(report, capsys) == ("a.npz\n", summary)
    assert told(report, capsys, verbose=1)[1] == summary + "detect 1.0 s, lift 0.5 s\n"
    assert told(report, capsys, quiet=True) == ("a.npz\n", "")
    assert json.loads(told(report, capsys, json=True)[0])["outputs"] == {"npz": "a.npz"}


def test_failed_clips_are_told_with_the_others(capsys):
    error = NobodyFoundError("b.mp4: nobody")
    report = BatchReport(done={Path("a.mp4"): clip_report()}, failed={Path("b.mp4"): error})
    out, err = told(report, capsys)
    assert out == "a.npz\n"
    assert err.splitlines()[-1] == "pose3d: b.mp4: nobody"
    rows = [json.loads(line) for line in told(report, capsys, json=True)[0].splitlines()]
    assert rows[1]["clip"] == "b.mp4"
    assert rows[1]["error"]["exit_code"] == ExitCode.NOBODY_FOUND
    assert report.exit_code == ExitCode.SOME_CLIPS_FAILED
    assert BatchReport(failed={Path("b.mp4"): error}).exit_code == ExitCode.NOBODY_FOUND


def test_lines_of_progress_are_few_and_say_what_is_left(capsys):
    lines = Lines(every_s=1000.0)
    lines.start("detect", 3)
    for _ in range(3):
        lines.advance()
    assert capsys.readouterr().err == "detect (3) ...\n"
    lines = Lines(every_s=0.0)
    lines.start("train", 4)
    lines.at(1, "loss 3")
    lines.at(2, "loss 2")
    told = capsys.readouterr().err.splitlines()
    assert told[1] == "train 1/4, loss 3"
    assert told[2].startswith("train 2/4, loss 2, ")
    assert told[2].endswith(" s left")


def test_progress_on_a_terminal_takes_bars_away_at_the_end(capsys):
    pytest.importorskip("rich")
    from pose3d_cli.cli.progress import Bar

    bar = Bar()
    bar.start("detect", None)
    for _ in range(3):
        bar.advance()
    bar.start("lift", 2)  # a total that turns out wrong
    for _ in range(5):
        bar.advance()
    bar.stop()
    bar.stop()
    shown = capsys.readouterr()
    assert "5/5" in shown.err
    assert shown.out == ""


def test_quiet_shows_errors_and_nothing_else(capsys):
    screen = Screen(ScreenSettings(quiet=True))
    screen.stage("detect", 3)
    screen.advance()
    screen.warn("beware")
    screen.note("done")
    assert screen.error(InputError("a.mp4: broken")) == ExitCode.BAD_INPUT
    shown = capsys.readouterr()
    assert (shown.out, shown.err) == ("", "pose3d: a.mp4: broken\n")


def test_tables_and_facts():
    rows = [("mm", "mean"), ("MPJPE", "52.1"), ("P", "7.0", "x")]
    assert table(rows) == ["mm     mean", "MPJPE  52.1", "P       7.0  x"]
    assert table([]) == []
    about = {"a": 1.0, "b": {"c": [1, 2], "d": {}}, "e": None}
    assert facts(about) == ["a: 1", "b:", "  c: 1, 2", "  d: none", "e: none"]


def test_every_setting_needs_a_docstring():
    with pytest.raises(ValueError, match="no docstring below clip, outputs"):
        field_helps(ClipReport)


def test_the_program_is_named_pose3d(monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["/somewhere/else.py", "--version"])
    with pytest.raises(SystemExit) as ended:
        cli_app.main()
    assert ended.value.code == 0
    assert capsys.readouterr().out.startswith("pose3d ")

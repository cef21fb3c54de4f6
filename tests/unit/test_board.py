"""What a user sees of many clips: on a terminal, in a log, as JSON; and one line a clip."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from pose3d_cli.cli import progress_many
from pose3d_cli.cli.board import ScreenBoard
from pose3d_cli.cli.lift import tell
from pose3d_cli.cli.progress_many import ManyBars, ManyDisplay, ManyLines, make_many_display
from pose3d_cli.cli.screen import Screen, ScreenSettings
from pose3d_cli.errors import ExitCode, InputError
from pose3d_cli.files.plain_name import one_line, readable_name
from pose3d_cli.pipeline.report import Board, Reporter
from tests.batches import report_of, touch
from tests.clips import make_text
from tests.people import make_film, walking

ROOT = Path(__file__).parents[2]


def board_of(**settings):
    screen = Screen(ScreenSettings(**settings))
    return screen, ScreenBoard(screen)


def test_a_name_cannot_break_or_hide_in_a_line():
    assert one_line("a\nb\t\x1b[31m\u202e\udcff\u2028.mp4") == (
        r"a\nb\t\x1b[31m\u202e\udcff\u2028.mp4"
    )
    assert one_line("straße 東京 🎬.mp4") == "straße 東京 🎬.mp4"


def test_a_clip_is_one_line_whatever_its_name(capsys):
    odd = Path("new\nline\udcff.mp4")
    screen = Screen(ScreenSettings())
    tell(odd, report_of(odd, odd.with_suffix(".npz")), screen)
    tell(odd, InputError(f"{readable_name(odd)}: broken"), screen)
    shown = capsys.readouterr()
    assert shown.out == "new\\nline\\udcff.npz\n"
    assert shown.err.splitlines() == [
        r"new\nline\udcff.mp4: 1 person in 3 frames, 1.0 s",
        r"pose3d: new\nline\udcff.mp4: broken",
    ]
    screen = Screen(ScreenSettings(json=True))
    tell(odd, report_of(odd, odd.with_suffix(".npz"), is_kept=True), screen)
    tell(odd, InputError("broken"), screen)
    kept, failed = map(json.loads, capsys.readouterr().out.splitlines())
    assert kept["clip"] == failed["clip"] == str(odd)
    assert kept["status"] == "kept"
    assert failed["error"]["exit_code"] == ExitCode.BAD_INPUT


def test_a_bug_in_a_clip_says_which_and_shows_its_traceback_to_who_asks(capsys):
    try:
        raise ZeroDivisionError("by nought")
    except ZeroDivisionError as error:
        bug = error
    tell(Path("a.mp4"), bug, Screen(ScreenSettings()))
    assert capsys.readouterr().err.startswith("pose3d: a.mp4: this is a bug (ZeroDivisionError")
    tell(Path("a.mp4"), bug, Screen(ScreenSettings(verbose=2)))
    assert "Traceback" in capsys.readouterr().err


def test_a_single_clip_is_shown_as_ever():
    screen, board = board_of()
    assert isinstance(board, Board)
    board.begin(1)
    assert board.opened(Path("a.mp4")) is screen
    board.closed(Path("a.mp4"))


def test_what_is_alike_for_all_clips_is_said_once(capsys):
    _, board = board_of()
    board.begin(2)
    for clip in (Path("a.mp4"), Path("b.mp4")):
        one = board.opened(clip)
        assert isinstance(one, Reporter)
        one.note("detector: blazepose")
        one.warn("camera: assumed")
        one.warn("person 0: left out")
        one.warn(f"{clip}: damaged")
    assert capsys.readouterr().err.splitlines() == [
        "2 clips ...",
        "detector: blazepose",
        "pose3d: warning: camera: assumed",
        "pose3d: warning: a.mp4: person 0: left out",
        "pose3d: warning: a.mp4: damaged",
        "pose3d: warning: b.mp4: person 0: left out",
        "pose3d: warning: b.mp4: damaged",
    ]


def test_lines_tell_both_levels_and_what_is_left(capsys, monkeypatch):
    now_s = [0.0]
    monkeypatch.setattr(progress_many.time, "monotonic", lambda: now_s[0])
    lines = ManyLines(every_s=10.0)
    lines.begin(5)
    lines.counted(is_worked=False, is_failed=False)  # done already: tells no speed
    now_s[0] = 100.0
    slot = lines.opened("a.mp4")
    lines.closed(slot)
    now_s[0] = 140.0
    lines.counted(is_worked=True, is_failed=True)
    one, two = lines.opened("b.mp4"), lines.opened("c.mp4")
    one.stage, one.total, one.step = "detect", 120, 40
    two.stage = "write"
    lines.changed(one)
    lines.changed(two)
    assert capsys.readouterr().err.splitlines() == [
        "5 clips ...",
        "clips 2/5, 1 failed, 2 min left; b.mp4 detect 40/120; c.mp4 write 0",
    ]


def test_bars_of_all_and_of_each_in_work(capsys, monkeypatch):
    now_s = [0.0]
    monkeypatch.setattr(progress_many.time, "monotonic", lambda: now_s[0])
    bars = ManyBars()
    bars.begin(3)
    slots = [bars.opened(name) for name in ("a.mp4", "b.mp4")]
    for slot in slots:
        slot.stage, slot.total = "detect", 4
        bars.changed(slot)
    slots[0].stage, slots[0].total, slots[0].step = "lift", 2, 1
    bars.changed(slots[0])
    shown = {task.description: (task.completed, task.total) for task in bars._bars.tasks}
    assert shown == {"clips": (0, 3), "lift": (1, 2), "detect": (0, 4)}
    bars.closed(slots[0])
    bars.counted(is_worked=True, is_failed=True)
    shown = {task.description: task.completed for task in bars._bars.tasks}
    assert shown == {"clips": 1, "detect": 0}
    now_s[0] = 3600.0  # an hour for one of three
    bars.counted(is_worked=False, is_failed=False)
    fields = bars._bars.tasks[0].fields
    assert fields["note"] == "1 failed"
    assert fields["left"] == "1:00:00"
    bars._bars.console.print(bars._bars.make_tasks_table(bars._bars.tasks[:1]))
    assert "left 1:00:00 1 failed" in capsys.readouterr().err
    assert bars._bars.live.is_started
    bars.stop()
    assert not bars._bars.live.is_started
    bars.changed(slots[1])  # back after what was printed
    assert bars._bars.live.is_started
    bars.stop()
    assert capsys.readouterr().out == ""


def test_results_are_printed_with_the_bars_away(capsys, monkeypatch):
    monkeypatch.setattr(progress_many, "has_bars", lambda: True)
    screen, board = board_of()
    board.begin(2)
    one = board.opened(Path("a.mp4"))
    one.stage("detect", 3)
    tell(Path("a.mp4"), report_of("a.mp4", "a.npz"), screen)
    assert capsys.readouterr().out == "a.npz\n"
    bars = board._display._bars
    assert not bars.live.is_started
    one.advance()
    assert bars.live.is_started
    board.warn("beware")
    assert not bars.live.is_started
    board.note("found")  # text goes where the bars are not
    screen.close()


def test_quiet_is_quiet(capsys):
    assert type(make_many_display(quiet=True)) is ManyDisplay
    _, board = board_of(quiet=True)
    board.begin(2)
    one = board.opened(Path("a.mp4"))
    one.stage("detect", 3)
    one.advance()
    one.warn("beware")
    board.closed(Path("a.mp4"))
    board.counted(is_worked=True, is_failed=False)
    assert capsys.readouterr() == ("", "")


@pytest.fixture
def clips(tmp_path):
    folder = tmp_path / "in"
    folder.mkdir()
    make_film(folder / "a.mp4", walking(3, (320, 180)))
    make_text(folder / "b.mp4")
    (folder / "c.mp4").symlink_to("nowhere")
    return folder


def test_a_dry_run_says_what_would_be_done_and_writes_nothing(pose3d, clips, tiny_weights):
    before = sorted(clips.rglob("*"))
    flags = [clips, "--weights", tiny_weights, "--render", "off"]
    told = pose3d("lift", *flags, "--dry-run", "-o", clips / "out").stdout.splitlines()
    assert told[0] == f"{clips}/a.mp4: would be lifted to {clips}/out/a_pose3d (new)"
    assert told[2].startswith(f"{clips}/c.mp4: would fail: {clips}/c.mp4: is a link")
    assert sorted(clips.rglob("*")) == before
    pose3d("lift", clips / "a.mp4", *flags[1:])
    told = pose3d("lift", *flags, "--dry-run").stdout.splitlines()
    assert told[0] == f"{clips}/a.mp4: done already in {clips}/a_pose3d"
    rows = pose3d("lift", *flags, "--height", "1.8", "--dry-run", "--json").stdout.splitlines()
    rows = [json.loads(row) for row in rows]
    assert [row["plan"] for row in rows] == ["changed", "new", "failed"]
    assert rows[0] == {
        "clip": f"{clips}/a.mp4", "plan": "changed", "why": "other settings: height",
        "output": f"{clips}/a_pose3d",
    }  # fmt: skip


LOADED = """
import sys
from pose3d_cli.cli.app import app
if __name__ == "__main__":
    try:
        app(sys.argv[1:], prog_name="pose3d")
    finally:
        print(sorted({"torch", "scipy", "matplotlib"} & set(sys.modules)), file=sys.stderr)
"""


def test_a_dry_run_loads_nothing_slow_and_who_leads_no_network(clips, tiny_weights, tmp_path):
    script = tmp_path / "loaded.py"
    script.write_text(LOADED)
    for flag, loaded in (("--dry-run", []), ("--no-mirror", ["scipy"])):
        command = [sys.executable, script, "lift", clips, "--weights", tiny_weights, flag]
        done = subprocess.run(
            [*map(str, command), "--render", "off"],
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            check=False,
        )
        assert "a.mp4: " in done.stdout + done.stderr
        assert done.stderr.splitlines()[-1] == str(loaded)


def test_many_clips_end_to_end(pose3d, clips, tiny_weights):
    flags = [clips, "--weights", tiny_weights, "--render", "off", "--jobs", 2, "--json"]
    ran = pose3d("lift", *flags, code=ExitCode.SOME_CLIPS_FAILED)
    *rows, last = map(json.loads, ran.stdout.splitlines())
    assert last == {"totals": {"clips": 3, "done": 1, "kept": 0, "failed": 2, "left": 0}}
    told = {Path(row["clip"]).name: row for row in rows}
    assert told["a.mp4"]["status"] == "done"
    assert told["b.mp4"]["error"]["exit_code"] == ExitCode.BAD_INPUT
    assert "3 clips: 1 done, 2 failed" in ran.stderr
    assert {p.name for p in clips.glob("summary*")} == {"summary.json", "summary.csv"}
    ran = pose3d("lift", *flags, "--fail-fast", code=ExitCode.SOME_CLIPS_FAILED)
    first = json.loads(ran.stdout.splitlines()[0])
    assert first["status"] == "kept"


def test_a_list_and_no_input_at_all(pose3d, clips, tiny_weights):
    listing = touch(clips / "list.txt")
    listing.write_text("a.mp4\nnone.mp4\n")
    flags = ["--list", listing, "--weights", tiny_weights, "--dry-run"]
    assert len(pose3d("lift", *flags).stdout.splitlines()) == 2
    assert "give a video" in pose3d("lift", code=ExitCode.USAGE).stderr


def test_the_help_names_what_many_clips_need(pose3d):
    text = pose3d("lift", "--help").stdout
    for flag in ("--jobs N|auto", "--list", "--shard", "--redo", "--fail-fast", "--dry-run"):
        assert flag in text
    assert os.linesep.join(["  pose3d lift clips -o results --jobs auto"]) in text

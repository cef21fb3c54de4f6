"""Many clips: what is done with each, what is told, and what stops all."""

from __future__ import annotations

import csv
import json

import cv2
import numpy as np
import pytest

from pose3d_cli.errors import DeviceError, ExitCode, InputError, OutputError, WeightsError
from pose3d_cli.pipeline.batch import lift_all
from pose3d_cli.pipeline.batch_settings import BatchSettings
from pose3d_cli.pipeline.infer import ClipLifter
from pose3d_cli.pipeline.outputs import writable
from pose3d_cli.pipeline.plan import plan_batch
from pose3d_cli.pipeline.report import Board, Silent, SilentBoard
from pose3d_cli.pipeline.runner import InThisProcess
from pose3d_cli.pipeline.settings import LiftSettings
from tests.batches import Listener, StandIn, report_of, touch
from tests.people import make_film, walking


class Quick:
    """A runner that does to each task what `outcomes` says of its name, or a stand-in's work."""

    def __init__(self, outcomes=()):
        self.outcomes, self.seen, self.is_closed = dict(outcomes), [], False

    def run(self, tasks, board):
        try:
            for task in tasks:
                self.seen.append(task.clip.name)
                outcome = self.outcomes.get(task.clip.name)
                if outcome is None:
                    outcome = StandIn()(task, Silent())
                elif isinstance(outcome, BaseException) and not isinstance(outcome, Exception):
                    raise outcome
                yield task, outcome
        finally:
            self.is_closed = True


@pytest.fixture
def clips(tmp_path):
    for name in ("a.mp4", "b.mp4", "deep/c.mp4"):
        touch(tmp_path / "in" / name)
    return tmp_path / "in"


def run(inputs, runner, *, settings=None, board=None, **batch):
    told = {}
    report = lift_all(
        inputs,
        settings or LiftSettings(),
        board or SilentBoard(),
        lambda clip, outcome: told.update({clip.name: outcome}),
        batch=BatchSettings(**batch),
        runner=runner,
    )
    return report, told


def summary(folder, stem="summary"):
    record = json.loads((folder / f"{stem}.json").read_text())
    rows = list(csv.DictReader((folder / f"{stem}.csv").read_text().splitlines()))
    return record, rows


def test_a_clip_that_fails_or_has_a_bug_is_named_and_the_others_go_on(clips):
    error, bug = InputError("a: broken"), ZeroDivisionError("by nought")
    board = Listener()
    report, told = run([clips], Quick({"a.mp4": error, "b.mp4": bug}), board=board)
    assert told["a.mp4"] is error
    assert told["b.mp4"] is bug
    assert told["c.mp4"].people == 1
    assert report.exit_code == ExitCode.SOME_CLIPS_FAILED
    assert report.counts == {"clips": 3, "done": 1, "kept": 0, "failed": 2, "left": 0}
    assert (board.total, board.n_worked, board.n_failed) == (3, 3, 2)


def test_the_summary_has_a_row_a_clip_in_the_order_of_the_inputs(clips):
    class Backwards(Quick):
        def run(self, tasks, board):
            yield from super().run(tasks[::-1], board)

    touch(clips / "new\nline.mp4")
    (clips / ".summary.0123456789ab.json").write_text("left by a run that was killed")
    run([clips], Backwards({"b.mp4": InputError("b: broken"), "a.mp4": KeyError("x")}))
    record, rows = summary(clips)
    assert record["format"] == "pose3d-summary/1"
    assert record["totals"] == {"clips": 4, "done": 2, "kept": 0, "failed": 2, "left": 0}
    names = ["a.mp4", "b.mp4", "deep/c.mp4", "new\nline.mp4"]
    assert [row["input"] for row in record["clips"]] == [str(clips / name) for name in names]
    assert rows[1] == {
        "input": str(clips / "b.mp4"), "status": "failed", "error": "BAD_INPUT",
        "message": "b: broken", "people": "", "frames": "", "seconds": "", "output": "",
    }  # fmt: skip
    assert (rows[0]["error"], rows[0]["message"]) == ("BUG", "'x'")
    assert (rows[2]["people"], rows[2]["frames"], rows[2]["seconds"]) == ("1", "3", "1.0")
    assert rows[2]["output"] == str(clips / "deep" / "c_pose3d")
    assert rows[3]["input"].endswith(r"new\nline.mp4")
    assert len((clips / "summary.csv").read_text().splitlines()) == 5
    assert not list(clips.glob(".*"))
    sheet = cv2.imread(str(clips / "contact_sheet.jpg"))
    assert sheet.shape[0] < 300 < 4 * 320 < sheet.shape[1]


def test_where_the_summary_goes(clips, tmp_path):
    run([clips], Quick(), settings=LiftSettings(output=str(tmp_path / "out")))
    assert summary(tmp_path / "out")[0]["totals"]["done"] == 3
    assert not (clips / "summary.json").exists()
    run([clips / "a.mp4", clips / "b.mp4"], Quick())  # of no one folder: nowhere
    run([clips / "a.mp4"], Quick(), settings=LiftSettings(output=str(tmp_path / "one")))
    assert not list(tmp_path.rglob("one/summary*"))
    assert not (clips / "summary.json").exists()


def test_a_summary_that_cannot_be_written_is_a_warning(clips):
    (clips / "summary.json").mkdir()
    board = Listener()
    report, _ = run([clips], Quick(), board=board)
    assert report.exit_code == 0
    (warning,) = [text for kind, text in board.told if kind == "warn"]
    assert warning.startswith("no summary: ")


@pytest.mark.parametrize("stop", [KeyboardInterrupt(), SystemError("a bug of ours")])
def test_what_is_done_by_then_is_summed_up_when_all_is_stopped(clips, stop):
    class Stopped(Quick):
        def run(self, tasks, board):
            for number, ended in enumerate(super().run(tasks, board)):
                if number:
                    raise stop
                yield ended

    with pytest.raises(type(stop)):
        run([clips], Stopped())
    record, _ = summary(clips)
    assert record["totals"] == {"clips": 3, "done": 1, "kept": 0, "failed": 0, "left": 2}
    assert (clips / "contact_sheet.jpg").exists()


@pytest.mark.parametrize("error", [DeviceError("no cuda"), WeightsError("damaged")])
def test_what_would_fail_every_clip_ends_all(clips, error):
    runner = Quick({"a.mp4": error})
    with pytest.raises(type(error)):
        run([clips], runner)
    assert runner.seen == ["a.mp4"]
    assert runner.is_closed


def test_fail_fast_stops_at_the_first_failure(clips):
    runner = Quick({"a.mp4": InputError("a: broken")})
    report, told = run([clips], runner, fail_fast=True)
    assert list(told) == runner.seen == ["a.mp4"]
    assert runner.is_closed
    assert report.exit_code == ExitCode.SOME_CLIPS_FAILED
    assert report.counts["left"] == 2
    (clips / "0.mp4").symlink_to("nowhere")  # known before any work
    runner = Quick()
    run([clips], runner, fail_fast=True)
    assert runner.seen == []


def test_shards_share_out_all_clips_evenly_and_sum_up_apart(clips):
    for number in range(7):
        touch(clips / f"{number}.mp4")
    seen = []
    for number in (1, 2, 3):
        runner = Quick()
        run([clips], runner, shard=f"{number}/3")
        assert 3 <= len(runner.seen) <= 4
        assert summary(clips, f"summary-{number}-of-3")[0]["totals"]["done"] == len(runner.seen)
        assert (clips / f"contact_sheet-{number}-of-3.jpg").exists()
        seen += runner.seen
    assert len(seen) == len(set(seen)) == 10
    report, _ = run([clips / "a.mp4"], Quick(), shard="2/2")
    assert report.counts["clips"] == 0
    # The place of a clip does not hang on the part it falls to.
    touch(clips / "a.mov")
    parts = [plan_batch([clips], LiftSettings(), BatchSettings(shard=f"{i}/2")) for i in (1, 2)]
    names = {c.path.name: p.name for part in parts for c, p in part.places.items()}
    assert (names["a.mp4"], names["a.mov"]) == ("a.mp4_pose3d", "a.mov_pose3d")


@pytest.mark.parametrize(
    "wrong", [{"shard": "0/2"}, {"shard": "3/2"}, {"shard": "2"}, {"shard": "a/b"}, {"jobs": 0}]
)
def test_settings_that_make_no_sense_are_refused(wrong):
    with pytest.raises(ValueError, match=f"{next(iter(wrong))} .*must be"):
        BatchSettings(**wrong)


def test_keypoints_belong_to_one_clip(clips):
    with pytest.raises(InputError, match="--from-2d belongs to one clip, but 3 are given"):
        run([clips], Quick(), settings=LiftSettings(from_2d="x.json"))


class Real:
    """Lifts in this process, and keeps which clips."""

    def __init__(self, settings):
        self.lifter, self.seen = ClipLifter(settings), []

    def run(self, tasks, board):
        return InThisProcess(self._work).run(tasks, board)

    def _work(self, task, reporter):
        self.seen.append(task.clip.name)
        return self.lifter.lift(task.clip, task.folder, reporter)


def states(folder, settings, **batch):
    plan = plan_batch([folder], settings, BatchSettings(**batch))
    return {item.clip.name: (item.state, item.why) for item in plan.each()}


def test_what_is_done_is_kept_and_the_rest_gone_on_with(tmp_path, tiny_weights):
    settings = LiftSettings(weights=str(tiny_weights), render="off")
    folder = tmp_path / "in"
    folder.mkdir()
    for name in ("a.mp4", "b.mp4"):
        make_film(folder / name, walking(3, (320, 180)))
    runner = Real(settings)
    run([folder / "a.mp4"], runner, settings=settings)
    assert states(folder, settings) == {"a.mp4": ("done", ""), "b.mp4": ("new", "")}
    board = Listener()
    (folder / "gone.mp4").symlink_to("nowhere")
    report, told = run([folder], runner, settings=settings, board=board)
    (folder / "gone.mp4").unlink()
    assert runner.seen == ["a.mp4", "b.mp4"]
    assert told["a.mp4"].status == "kept"
    assert told["b.mp4"].status == "done"
    assert report.counts == {"clips": 3, "done": 1, "kept": 1, "failed": 1, "left": 0}
    assert (board.n_worked, board.n_failed) == (1, 1)  # the others say nothing of the time it takes
    assert [row["status"] for row in summary(folder)[1]] == ["kept", "done", "failed"]
    sheet = cv2.imread(str(folder / "contact_sheet.jpg"))
    assert np.std(sheet[60:180, 40:300]) > 20  # the still of the one that was kept
    other = LiftSettings(weights=str(tiny_weights), render="off", overwrite=False, height=1.8)
    assert states(folder, settings, redo=True)["a.mp4"] == ("changed", "--redo")
    report, told = run([folder], runner, settings=other)
    assert "has results already (other settings: height)" in str(told["a.mp4"])
    assert runner.seen == ["a.mp4", "b.mp4"]
    run([folder], runner, settings=settings, redo=True)
    assert runner.seen == ["a.mp4", "b.mp4"] * 2


def test_boards_that_show_nothing_are_boards():
    assert isinstance(SilentBoard(), Board)
    assert isinstance(Listener(), Board)
    report = report_of("a.mp4", "out/a_pose3d/a.npz")
    assert report.folder.name == "a_pose3d"


def test_a_new_folder_goes_again_if_nothing_came_to_lie_in_it(tmp_path):
    new = tmp_path / "out" / "a_pose3d"
    with pytest.raises(KeyError), writable(new):
        raise KeyError
    assert not (tmp_path / "out").exists()
    with writable(new):
        touch(new / "a.npz")
    assert new.is_dir()


def test_a_folder_that_was_there_stays(tmp_path):
    with pytest.raises(KeyError), writable(tmp_path):
        raise KeyError
    assert tmp_path.is_dir()


def test_a_place_that_cannot_be_written_is_told_before_any_work(tmp_path):
    file = touch(tmp_path / "file")
    with pytest.raises(OutputError, match="choose another folder with -o"), writable(file / "x"):
        pytest.fail("the work began")

"""Many clips, one report: a clip that fails is named, and the others go on."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path

from pose3d_cli.errors import (
    DeviceError,
    InputError,
    MissingExtraError,
    OutputError,
    SettingsError,
    UnknownNameError,
    WeightsError,
)
from pose3d_cli.pipeline.batch_settings import BatchSettings
from pose3d_cli.pipeline.infer import ClipLifter
from pose3d_cli.pipeline.jobs import how_many
from pose3d_cli.pipeline.outputs import writable
from pose3d_cli.pipeline.plan import Plan, plan_batch
from pose3d_cli.pipeline.ray_engine import RayActors
from pose3d_cli.pipeline.report import BatchReport, Board, ClipReport, Reporter
from pose3d_cli.pipeline.runner import InThisProcess, Runner, Task
from pose3d_cli.pipeline.settings import LiftSettings
from pose3d_cli.pipeline.summary import rows_of, with_still, write_contact_sheets, write_summary
from pose3d_cli.pipeline.workers import Workers

Tell = Callable[[Path, ClipReport | Exception], None]

# These would be the same for every clip: to go on would help nobody.
_OF_ALL = (DeviceError, MissingExtraError, SettingsError, UnknownNameError, WeightsError)


class Lifting:
    """The work of lifting a clip; models are loaded at the first, in whichever process.

    Args:
        settings: The same for all clips.
        is_one_of_many: Whether a still of each clip is wanted, for the sheet of all.
    """

    def __init__(self, settings: LiftSettings, *, is_one_of_many: bool) -> None:
        self._lifter = ClipLifter(settings)
        self._is_one_of_many = is_one_of_many

    def __call__(self, task: Task, reporter: Reporter) -> ClipReport:
        """Lift a clip."""
        report = self._lifter.lift(task.clip, task.folder, reporter)
        return with_still(report) if self._is_one_of_many else report


def lift_all(
    inputs: Sequence[Path],
    settings: LiftSettings,
    board: Board,
    tell: Tell = lambda _clip, _outcome: None,
    *,
    batch: BatchSettings | None = None,
    runner: Runner | None = None,
) -> BatchReport[ClipReport]:
    """Lift every clip, but for those that are done already.

    Several clips are lifted by processes of their own. Called from a program, that program must
    stand behind `if __name__ == "__main__":`, as with all of Python's processes.

    Args:
        inputs: Clips, folders of clips, and patterns.
        settings: The same for all.
        board: Shows progress.
        tell: Called with what became of a clip, as soon as it is known.
        batch: Which clips, by how many processes, and what is done again.
        runner: Does the work; by default this process for one clip, others for several.

    Raises:
        InputError: An input that names no clip, or clips whose results would replace each other;
            nothing has been lifted then.
        Pose3DError: What is wrong for all clips, such as weights that are not there.
    """
    batch = batch or BatchSettings()
    plan = plan_batch(inputs, settings, batch)
    return _Batch(plan, board, tell, runner).run()


class _Batch:
    """One run through all clips."""

    def __init__(self, plan: Plan, board: Board, tell: Tell, runner: Runner | None) -> None:
        self._plan, self._board, self._tell, self._runner = plan, board, tell, runner
        self._clips = [clip.path for clip in plan.places]
        self._report: BatchReport[ClipReport] = BatchReport(total=len(self._clips))

    def run(self) -> BatchReport[ClipReport]:
        self._board.begin(len(self._clips))
        if self._plan.note:
            self._board.note(self._plan.note)
        try:
            self._work()
        except BaseException:  # Ctrl-C too: what is done by now is worth knowing
            self._summarise()
            raise
        self._draw_kept()
        self._summarise()
        return self._report

    def _tasks(self) -> list[Task]:
        """Tell what is failed or done already, and return what is to be done."""
        tasks = []
        for item in self._plan.each():
            if item.state == "failed":
                self._end(item.clip, InputError(item.why), is_worked=False)
            elif item.kept is not None:
                self._end(item.clip, item.kept, is_worked=False)
            else:
                tasks.append(Task(clip=item.clip, folder=item.folder))
            if self._is_over:
                return []
        return tasks

    def _work(self) -> None:
        tasks = self._tasks()
        if not tasks:
            return
        runner = self._runner or self._usual_runner(len(tasks))
        with closing(runner.run(tasks, self._board)) as ended:
            for task, outcome in ended:
                if isinstance(outcome, _OF_ALL):
                    raise outcome
                self._end(task.clip, outcome)
                if self._is_over:
                    return

    @property
    def _is_over(self) -> bool:
        return self._plan.batch.fail_fast and bool(self._report.failed)

    def _usual_runner(self, n_tasks: int) -> Runner:
        settings, is_many = self._plan.settings, len(self._clips) > 1
        work = Lifting(settings, is_one_of_many=is_many and self._plan.summary is not None)
        batch = self._plan.batch
        if batch.engine == "ray":
            return RayActors(work, batch.jobs, settings.device, batch.gpus_per_job)
        if not is_many:
            return InThisProcess(work)
        count, threads = how_many(batch.jobs, n_tasks, device=settings.device)
        return Workers(work, count, threads)

    def _end(self, clip: Path, outcome: ClipReport | Exception, *, is_worked: bool = True) -> None:
        """Keep what became of a clip, and tell it."""
        if isinstance(outcome, Exception):
            self._report.failed[clip] = outcome
        else:
            self._report.done[clip] = outcome
        self._board.counted(is_worked=is_worked, is_failed=clip in self._report.failed)
        self._tell(clip, outcome)

    def _draw_kept(self) -> None:
        """Make the stills of clips that were done already."""
        files = self._plan.summary
        kept = [clip for clip, one in self._report.done.items() if one.is_kept]
        if files is None or not kept:
            return
        sheet = files.path("contact_sheet", ".jpg")
        reporter = self._board.opened(sheet)
        reporter.stage("draw", len(kept))
        for clip in kept:
            self._report.done[clip] = with_still(self._report.done[clip])
            reporter.advance()
        self._board.closed(sheet)

    def _summarise(self) -> None:
        """Write the summary; that it cannot be written fails no clip."""
        files = self._plan.summary
        rows = rows_of(self._clips, self._report)
        if files is None or not rows:
            return
        try:
            with writable(files.folder):
                write_summary(files, rows, self._report.counts)
                write_contact_sheets(files, rows, self._report.done.values())
        except OutputError as error:
            self._board.warn(f"no summary: {error}")

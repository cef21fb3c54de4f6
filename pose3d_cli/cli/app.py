"""The root of the command line, and the one place where an error becomes words and a code."""

from __future__ import annotations

import errno
import sys
from collections.abc import Callable
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from pose3d_cli import __version__
from pose3d_cli.cli import (
    bench,
    bench_clean,
    bench_detectors,
    bench_small,
    bench_upright,
    convert,
    data,
    doctor,
    evaluate,
    export,
    info,
    lift,
    models,
    train,
    view,
    weights,
)
from pose3d_cli.cli.flags import with_flags
from pose3d_cli.cli.screen import Screen, ScreenSettings, is_usage
from pose3d_cli.pipeline.stop import listen

_HELP = """Video in, 3D people out: joints in metres of everybody in a video.

\b
Start with:
  pose3d lift clip.mp4     3D poses of the people in a video, and a video to watch
  pose3d export clip_pose3d --to bvh,glb    the same for Blender, Unity, Unreal
  pose3d doctor            is everything there that is needed?
"""

_EXIT_CODES = """\b
Exit codes:
  0  all done
  1  a bug in pose3d: run again with -vv and report it
  2  wrong command line or setting
  3  input missing, unreadable, or not what it claims to be
  4  weights missing, damaged, or of another lifter
  5  an optional package is needed and absent
  6  some clips failed, others did not
  7  nobody was found in the video
  8  the device that was asked for is not there
  9  output cannot be written: read-only folder, full disk
  10  training diverged
  11  a data set is not here: what it is and where to get it is printed
  12  the process that worked on a clip crashed or was killed
  130  interrupted (Ctrl-C or SIGTERM)
"""


class ReportingGroup(TyperGroup):
    """The one place where an error becomes a message and an exit code."""

    def invoke(self, ctx: Any) -> Any:
        """Run the command; tell an error in one line, with a traceback only for -vv."""
        arguments = list(ctx.args)
        try:
            return super().invoke(ctx)
        except (typer.Exit, typer.Abort):
            raise
        except (Exception, KeyboardInterrupt) as error:  # the outermost place: nothing is hidden
            as_json = "--json" in arguments
            if _is_closed_pipe(error) or (is_usage(error) and not as_json):
                raise  # Typer ends quietly, or shows the usage
            screen = ctx.obj or Screen(ScreenSettings(json=as_json))
            raise typer.Exit(screen.error(error)) from error


def _is_closed_pipe(error: BaseException) -> bool:
    """Whether whoever read our output has gone, as `head` does."""
    return isinstance(error, OSError) and error.errno == errno.EPIPE


app = typer.Typer(
    cls=ReportingGroup,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,  # plain help: rich costs a third of the time and eats brackets
    epilog=_EXIT_CODES,
)


def _version(is_wanted: bool) -> bool:
    if is_wanted:
        typer.echo(f"pose3d {__version__}")
        raise typer.Exit
    return is_wanted


@app.callback(help=_HELP)
def root(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_version, is_eager=True, help="Print the version."),
    ] = False,
) -> None:
    """Hold what stands before a command."""


def _add(group: typer.Typer, name: str, command: Callable[..., None], **options: bool) -> None:
    """Put a command into a group; its module's EXAMPLES end its help."""
    module = sys.modules[command.__module__]
    epilog = "\b\nExamples:\n" + "\n".join(f"  {line}" for line in module.EXAMPLES[name])
    group.command(name, epilog=epilog)(with_flags(command, **options))


def _group(name: str, text: str) -> typer.Typer:
    group = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help=text)
    app.add_typer(group, name=name)
    return group


_add(app, "lift", lift.lift)
_add(app, "export", export.export)
_add(app, "train", train.train, settable=True)
_add(app, "eval", evaluate.evaluate)
_add(app, "view", view.view)
_add(app, "info", info.info)
_add(app, "doctor", doctor.doctor)
_DATA = _group("data", "Motion and keypoints for training.")
_add(_DATA, "import", data.import_)
_add(_DATA, "convert", convert.convert)
_add(_DATA, "detect", data.detect)
_add(_DATA, "render", data.render)
_add(_DATA, "check", data.check)
_WEIGHTS = _group("weights", "Weights files: what is there, what is in them, and those of others.")
_add(_WEIGHTS, "list", weights.list_)
_add(_WEIGHTS, "describe", weights.describe)
_add(_WEIGHTS, "download", models.download)
_add(_WEIGHTS, "verify", models.verify)
_add(_WEIGHTS, "path", models.path)
_add(_WEIGHTS, "import", models.import_)
_add(_WEIGHTS, "convert", weights.convert)
_BENCH = _group("bench", "Measure this machine, and detectors.")
_add(_BENCH, "lift", bench.lift)
_add(_BENCH, "seams", bench.seams)
_add(_BENCH, "track", bench.track)
_add(_BENCH, "clean", bench_clean.clean)
_add(_BENCH, "detect", bench_detectors.detect)
_add(_BENCH, "detector", bench_detectors.detector)
_add(_BENCH, "small", bench_small.small)
_add(_BENCH, "upright", bench_upright.upright)


def main() -> None:
    """Run the command line of this process; being told to end is Ctrl-C."""
    listen()
    app(prog_name="pose3d")

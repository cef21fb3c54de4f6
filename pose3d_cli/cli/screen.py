"""What a user sees: results on stdout; progress, warnings and errors on stderr."""

from __future__ import annotations

import json
import traceback
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

import typer

from pose3d_cli.cli.progress import Display, make_display
from pose3d_cli.errors import ExitCode, Pose3DError
from pose3d_cli.files.plain_name import one_line
from pose3d_cli.pipeline.stop import stop_if_told


@runtime_checkable
class Stoppable(Protocol):
    """What is taken away before something is printed."""

    def stop(self) -> None:
        """Go away; come back by yourself."""
        ...


@dataclass(frozen=True, kw_only=True)
class ScreenSettings:
    """How much is shown, and for whom."""

    json: bool = False
    """Print results and errors as lines of JSON on stdout."""
    quiet: bool = False
    """Show neither progress nor warnings."""
    verbose: int = 0
    """Say more; twice (-vv): show the traceback of an error."""


class Screen:
    """Shows what a command does and gives; the `Reporter` of the pipeline.

    Args:
        settings: How much to show.
    """

    def __init__(self, settings: ScreenSettings) -> None:
        self.settings = settings
        self._display: Display = make_display(quiet=settings.quiet)
        self._other: Stoppable | None = None

    def use(self, display: Stoppable) -> None:
        """Have another display of progress make room for what is printed."""
        self._other = display

    def close(self) -> None:
        """Take the progress display away."""
        if self._other is not None:
            self._other.stop()
        self._display.stop()

    def stage(self, name: str, total: int | None) -> None:
        """Begin a stage of `total` steps (None: nobody knows)."""
        stop_if_told()
        self._display.start(name, total)

    def advance(self) -> None:
        """Count one step of the stage."""
        stop_if_told()
        self._display.advance()

    def at(self, step: int, note: str) -> None:
        """Say how far the stage is, and something about it."""
        self._display.at(step, note)

    def warn(self, text: str) -> None:
        """Say what the user should know."""
        if not self.settings.quiet:
            self._say(f"warning: {text}", "yellow")

    def note(self, text: str) -> None:
        """Say in a line on stderr how it went."""
        if not self.settings.quiet:
            typer.echo(text, err=True)

    def detail(self, text: str) -> None:
        """Say what only `-v` asks for."""
        if self.settings.verbose:
            self.note(text)

    def show(self, record: Mapping[str, Any], lines: Iterable[object]) -> None:
        """Give a result on stdout: as JSON if that is asked for, else as `lines`."""
        self.close()
        if self.settings.json:
            typer.echo(_valid(json.dumps(record, ensure_ascii=False, default=str)))
        else:
            for line in lines:
                typer.echo(line)

    def error(self, error: BaseException, **facts: str) -> int:
        """Tell an error in one line and return its exit code.

        Args:
            error: One of ours, an interruption, a wrong command line, or a bug.
            facts: What else to put on the JSON line, such as the clip.
        """
        self.close()
        code, message = _words(error)
        if "clip" in facts:
            # A line a clip, whatever its name; a bug does not know which clip it was.
            message, clip = one_line(message), one_line(facts["clip"])
            message = message if clip in message else f"{clip}: {message}"
        if self.settings.json:
            kind = type(error).__name__
            told = {"kind": kind, "message": message, "exit_code": code}
            typer.echo(_valid(json.dumps({**facts, "error": told}, ensure_ascii=False)))
        else:
            self._say(message, "red")
        if self.settings.verbose > 1:
            typer.echo("".join(traceback.format_exception(error)), err=True)
        return code

    def _say(self, text: str, colour: str) -> None:
        typer.secho(f"pose3d: {text}", fg=colour, err=True)


def _words(error: BaseException) -> tuple[int, str]:
    """Return exit code and message of an error."""
    if isinstance(error, Pose3DError):
        return int(error.exit_code), str(error)
    if isinstance(error, KeyboardInterrupt):
        return int(ExitCode.INTERRUPTED), str(error) or "interrupted; no half-written file is left"
    if is_usage(error):
        return int(ExitCode.USAGE), error.format_message()  # type: ignore[attr-defined]
    what = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
    return int(ExitCode.BUG), (
        f"this is a bug ({' '.join(what.split())}); run the command again with -vv "
        "and report what it prints"
    )


def _valid(text: str) -> str:
    r"""Return JSON with `\udcff`, as it is read back, for parts of names that are no text."""
    return text.encode("utf-8", "backslashreplace").decode()


def is_usage(error: BaseException) -> bool:
    """Whether it is Typer that found the command line wrong."""
    return hasattr(error, "format_message") and hasattr(error, "exit_code")


def facts(record: Mapping[str, Any], indent: str = "") -> list[str]:
    """Return a record as lines `name: value`, records within it further in."""
    lines = []
    for name, value in record.items():
        if isinstance(value, Mapping) and value:
            lines += [f"{indent}{name}:", *facts(value, indent + "  ")]
        else:
            lines.append(f"{indent}{name}: {_plain(value)}")
    return lines


def _plain(value: Any) -> str:
    if isinstance(value, list | tuple):
        return ", ".join(_plain(part) for part in value) or "none"
    if isinstance(value, float):
        return f"{value:.6g}"
    return "none" if value in (None, {}) else str(value)

"""`pose3d doctor`."""

from __future__ import annotations

import typer

from pose3d_cli.cli.screen import Screen

EXAMPLES = {"doctor": ["pose3d doctor", "pose3d doctor --json"]}


def doctor(screen: Screen) -> None:
    """Check this installation and machine.

    Paste what it says into a bug report.
    """
    from pose3d_cli.pipeline.doctor import examine

    report = examine()
    screen.show(report.to_json(), report.lines())
    if report.exit_code:
        raise typer.Exit(report.exit_code)

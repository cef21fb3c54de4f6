import signal
import subprocess
import sys

SWALLOWED = """
import os, signal, sys
from pose3d_cli.cli.screen import Screen, ScreenSettings
from pose3d_cli.pipeline.stop import listen

class Dropped:
    def __del__(self):
        os.kill(os.getpid(), signal.{name})

listen()
screen = Screen(ScreenSettings(quiet=True))
screen.stage("draw", 3)
gone = Dropped()
del gone  # Python drops what is raised in there
try:
    screen.advance()
except KeyboardInterrupt:
    sys.exit(130)
"""


def run(name):
    return subprocess.run(
        [sys.executable, "-c", SWALLOWED.format(name=name)], capture_output=True, check=False
    ).returncode


def test_an_interrupt_that_python_drops_still_ends_the_work():
    assert run(signal.SIGINT.name) == 130
    assert run(signal.SIGTERM.name) == 130

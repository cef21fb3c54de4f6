"""Every error a user can meet, and the exit code it ends the program with."""

from __future__ import annotations

from enum import IntEnum


class ExitCode(IntEnum):
    """What the shell sees. 2 is Typer's own code for a wrong command line."""

    OK = 0
    BUG = 1
    USAGE = 2
    BAD_INPUT = 3
    BAD_WEIGHTS = 4
    MISSING_EXTRA = 5
    SOME_CLIPS_FAILED = 6
    NOBODY_FOUND = 7
    NO_DEVICE = 8
    CANNOT_WRITE = 9
    DIVERGED = 10
    DATA_MISSING = 11
    WORKER_DIED = 12
    INTERRUPTED = 130


class Pose3DError(Exception):
    """An error the user can mend. The message says what was found, why, and what to do."""

    exit_code = ExitCode.BAD_INPUT


class InputError(Pose3DError):
    """A file that is missing, unreadable, empty or not what it claims to be."""


class UnknownNameError(Pose3DError):
    """A lifter, detector, exporter or setting that does not exist."""

    exit_code = ExitCode.USAGE


class SettingsError(Pose3DError):
    """A setting whose value makes no sense."""

    exit_code = ExitCode.USAGE


class DataMissingError(Pose3DError):
    """A data set that is not here; the message says where to get it and what it looks like."""

    exit_code = ExitCode.DATA_MISSING


class WeightsError(Pose3DError):
    """A weights file that cannot be read, or that fits no known lifter."""

    exit_code = ExitCode.BAD_WEIGHTS


class MissingExtraError(Pose3DError):
    """An optional package is needed and absent."""

    exit_code = ExitCode.MISSING_EXTRA


class NobodyFoundError(Pose3DError):
    """A readable video in which no person was found."""

    exit_code = ExitCode.NOBODY_FOUND


class DeviceError(Pose3DError):
    """The device that was asked for is not there."""

    exit_code = ExitCode.NO_DEVICE


class OutputError(Pose3DError):
    """A file that cannot be written: read-only folder, full disk."""

    exit_code = ExitCode.CANNOT_WRITE


class DivergedError(Pose3DError):
    """A training run whose loss is no longer a number."""

    exit_code = ExitCode.DIVERGED


class WorkerDiedError(Pose3DError):
    """A process that worked on a clip crashed or was killed."""

    exit_code = ExitCode.WORKER_DIED

"""MMPose: any of its top-down models, in boxes of a person detector of ours.

Source: the OpenMMLab Pose Estimation Toolbox, MMPose 1.x, which the user installs.
"""

from __future__ import annotations

from pathlib import Path

from pose3d_cli.detect.boxes.shelf import person_detector
from pose3d_cli.detect.options import DetectorOptions
from pose3d_cli.detect.shelf import register_detector
from pose3d_cli.detect.topdown import TopDown
from pose3d_cli.errors import SettingsError


@register_detector("mmpose")
def mmpose(options: DetectorOptions) -> TopDown:
    """Return the detector of a config and its weights.

    Raises:
        SettingsError: Either is not told, or the config cannot be used.
        MissingExtraError: MMPose is not installed; the message holds the lines that do it.
        WeightsError: The weights cannot be read or do not fit the config.
    """
    for flag, value in (
        ("--mmpose-config", options.config),
        ("--mmpose-weights", options.checkpoint),
    ):
        if not value:
            raise SettingsError(f"--detector mmpose needs {flag} FILE")
    from pose3d_cli.detect.mmpose_net import MMPoseNet  # loads torch

    net = MMPoseNet(
        Path(options.config),
        Path(options.checkpoint),
        threads=options.many_threads,
        device=options.device,
    )
    people = person_detector(options)
    return TopDown(f"mmpose ({Path(options.config).stem}, boxes {people.name})", people, net)

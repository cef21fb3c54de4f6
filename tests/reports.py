"""Reports to draw: three lifters, and next to nothing."""

from __future__ import annotations

import numpy as np

from pose3d_cli.pose.skeleton import H36M17
from pose3d_cli.render.evaluation_page import Column, Example, Page
from pose3d_cli.render.palette import side

ODD = '<script>alert("x")</script> & $\\frac{$ 姿勢 _'
ACTIONS = [
    "Directions",
    "Discussion",
    "Eating",
    "Greeting",
    "Phoning",
    "Photo",
    "Posing",
    "Purchases",
    "Sitting",
]
FRAMES = 50_000


def facing_camera():
    """Somebody upright who looks into the camera, root-relative: their left is at our right."""
    xyz = np.zeros((17, 3))
    down = {"hip": 0, "knee": 0.45, "ankle": 0.9, "shoulder": -0.5, "elbow": -0.3, "wrist": -0.1}
    middle = {"pelvis": 0.0, "spine": -0.25, "thorax": -0.5, "nose": -0.62, "head": -0.75}
    for row, joint in enumerate(H36M17.joints):
        way = {"left": 1, "right": -1, "middle": 0}[side(joint)]
        xyz[row, :2] = (way * 0.2, down[joint.split("_")[1]]) if way else (0.0, middle[joint])
    xyz[H36M17.index("nose"), 2] = -0.1
    return xyz


def example(title="worst: S11/Photo 1", **changes):
    truth = facing_camera()
    return Example(
        **{"title": title, "error_mm": 287.65, "pose": truth * 1.1, "truth": truth, **changes}
    )


def column(label="ours", mm=50.0, **changes):
    random = np.random.default_rng(len(label))
    found = {
        "label": label,
        "figures": {"MPJPE": f"{mm:.1f} (44.0 to 46.2) mm", "PCK": f"{99 - mm / 10:.1f} %"},
        "joint_mm": {joint: mm + row + 0.25 for row, joint in enumerate(H36M17.joints)},
        "group_mm": {action: mm + 3.5 * row for row, action in enumerate(ACTIONS)},
        "frame_mm": random.gamma(4.0, mm / 4, FRAMES),
        "examples": [example(f"{kind}: S11/{label}") for kind in ("best", "median", "worst")],
    }
    return Column(**{**found, **changes})


FULL = Page(
    title=f"Three lifters {ODD}",
    words=["Averaged is the plain mean <of> actions."],
    pitfalls=["Beware & read."],
    notes=["ours was pre-trained on the test subjects' 2D."],
    columns=[column(), column("theirs", 40.0), column(ODD, 60.0)],
    comparisons=[("pair", "difference"), ("theirs - ours", "-9.87 (-10.1 to -8.4)")],
    facts={"data set": "h36m", "command": "pose3d eval --label '<a> & b'"},
    better={"MPJPE": "lower", "PCK": "higher"},
)
LEAST = Page(
    title="One frame",
    columns=[
        Column(
            label="tiny",
            figures={},
            joint_mm={"left_wrist": float("nan")},
            group_mm={"": 61.25},
            frame_mm=np.array([61.25]),
        )
    ],
)

"""The pelvis' path bent so that feet which stand stay where they are."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from jaxtyping import Bool, Float64
from scipy.sparse import bsr_array, csr_array, diags_array, eye_array, kron
from scipy.sparse.linalg import spsolve

from pose3d_cli.pose.clean.contact import ANKLES
from pose3d_cli.pose.clean.motion import Motion

# How far a path is taken to be off, how still a foot that stands, how straight what is added.
# Chosen on the val split: looser, feet slide less before they are held, but the path gets worse.
_ACROSS_M = 0.03
_ALONG_M = 0.10
_FEET_M_S = 0.3
_BEND_M_S2 = 2.0


def path_of_feet(motion: Motion, stands: Bool[np.ndarray, "frames 2"]) -> Motion:
    """Return a motion whose pelvis goes as the feet that stand say, near where it was placed.

    Least squares over the whole stretch: a foot that stands has no velocity (to 0.3 m/s); the
    pelvis is where it was placed (to 3 cm across the view, 10 cm along it, which is what one
    camera knows worst); and what is added to its path bends little (2 m/s^2).

    Args:
        motion: A stretch, all of it placed.
        stands: Which foot stands when, left and right.
    """
    n = len(motion)
    step_s = np.diff(motion.time_s)
    frame_s = float(np.median(step_s))
    foot = motion.xyz[:, ANKLES]
    both = (stands[1:] & stands[:-1]).astype(np.float64)  # (steps, feet)
    velocity = np.diff(foot, axis=0) / step_s[:, None, None]
    # Weights are a second's worth, so that frame rates do not matter.
    weight = frame_s * both.sum(1) / _FEET_M_S**2
    wanted = -(velocity * both[..., None]).sum(1) / np.maximum(both.sum(1), 1)[:, None]
    change = _rates(step_s)
    bend = change[1:] - change[:-1] if n > 2 else csr_array((0, n))
    bend = bend / frame_s
    smooth = change.T @ diags_array(weight) @ change + bend.T @ bend * (frame_s / _BEND_M_S2**2)
    system = kron(smooth, eye_array(3)) + _prior(motion.root) * frame_s
    right = (change.T @ (weight[:, None] * wanted)).ravel()
    added = spsolve(system.tocsc(), right).reshape(n, 3)
    return replace(motion, root=motion.root + added)


def _rates(step_s: Float64[np.ndarray, " steps"]) -> csr_array:
    """Return the matrix that makes velocities of positions."""
    n = len(step_s) + 1
    rates = diags_array([-1 / step_s, 1 / step_s], offsets=[0, 1], shape=(n - 1, n))
    return csr_array(rates)


def _prior(root: Float64[np.ndarray, "frames 3"]) -> bsr_array:
    """Return how much it weighs that the pelvis leaves its place: little along its ray."""
    ray = root / np.linalg.norm(root, axis=-1, keepdims=True)
    along = ray[:, :, None] * ray[:, None]
    blocks = along / _ALONG_M**2 + (np.eye(3) - along) / _ACROSS_M**2
    n = len(root)
    return bsr_array((blocks, np.arange(n), np.arange(n + 1)))

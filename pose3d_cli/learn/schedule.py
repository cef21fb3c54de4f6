"""The learning rate of a step: a pure function, so that a resumed run goes on as if uncut."""

from __future__ import annotations

import math

from pose3d_cli.learn.settings import TrainSettings


def learning_rate(step: int, settings: TrainSettings) -> float:
    """Return the rate of `step` (from 0).

    Each phase warms up, then falls as a half cosine; or the rate falls after each pass over the
    data, whatever the phase.
    """
    left = 1.0
    if settings.schedule == "exponential":
        left = settings.decay ** math.floor(step * settings.passes / settings.steps)
    if step < settings.single_steps:
        return left * _rise_and_fall(step, settings.single_steps, settings.lr, settings)
    place = step - settings.single_steps
    return left * _rise_and_fall(
        place, settings.steps - settings.single_steps, settings.window_lr, settings
    )


def _rise_and_fall(step: int, steps: int, peak: float, settings: TrainSettings) -> float:
    warmup = min(settings.warmup, steps // 2)
    if step < warmup:
        return peak * (step + 1) / warmup
    if settings.schedule == "exponential":
        return peak
    share = (step - warmup) / max(steps - warmup, 1)
    fall = (1 + math.cos(math.pi * share)) / 2
    return peak * (settings.final_lr + (1 - settings.final_lr) * fall)

"""Contextualised representations: predict what a teacher makes of joints the student cannot see.

Source: arXiv 2504.01764 (abstract and captions), with the teacher, target and loss of data2vec 2
(arXiv 2212.07525) where it leaves them open; independent writing. Differs from the paper's public
snapshot in that the teacher moves, targets are what blocks add, with unit variance, masked tokens
know their joint, and a masked joint looks to the lifter as one that was never seen.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise
from typing import cast

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel

from pose3d_cli.errors import DivergedError
from pose3d_cli.learn.ahead import Ahead
from pose3d_cli.learn.keypoint_windows import Views
from pose3d_cli.learn.masking import SAMPLERS
from pose3d_cli.learn.precision import autocast
from pose3d_cli.learn.pretrain_settings import PretrainSettings
from pose3d_cli.learn.settings import TrainSettings
from pose3d_cli.lift.blocks.encoder import JointEncoder

_JUDGED_FROM = 100
# A fresh network's blocks add a hundred-thousandth of what they are given, which is to count.
_LEAST_VARIANCE = 1e-14
_LEAST_TEACHER, _LEAST_PREDICTION = 0.1, 0.01


class Student(nn.Module):
    """A lifter's encoder that predicts masked tokens; the predictor is thrown away.

    Args:
        encoder: The lifter.
        channels: Of a target; a lifter's tokens have `encoder.embed.out_features`.
        own_token: Learn a vector that stands for what is masked, and throw it away, too. Otherwise
            the embedding of a joint that was never seen stands for it, which the lifter keeps.
    """

    def __init__(self, encoder: JointEncoder, channels: int, *, own_token: bool = False) -> None:
        super().__init__()
        dim = encoder.embed.out_features
        self.encoder = encoder
        self.token = nn.Parameter(0.02 * torch.randn(dim)) if own_token else None
        self.predict = nn.Linear(dim, channels)

    def forward(
        self, x: Float[Tensor, "b t j 3"], mask: Bool[Tensor, "b t j"]
    ) -> Float[Tensor, "b t j channels"]:
        """Return a prediction for every token, seen or not."""
        features = self.encoder.embed(x)
        never_seen = self.encoder.embed(torch.zeros_like(x[0, 0, 0]))
        token = never_seen if self.token is None else self.token.to(features.dtype)
        features = torch.where(mask[..., None], token, features)
        tokens: Tensor = self.predict(self.encoder.norm(self.encoder.encode(features)[-1]))
        return tokens


@dataclass(eq=False)
class SelfDistill:
    """The pre-training objective.

    Attributes:
        student: Learns.
        data: Source of windows; their 3D is not looked at.
        settings: Steps, batch, precision.
        pretrain: Mask, target, teacher.
        seen: As `student`, perhaps compiled.
        draw_apart: See `Ahead`.
    """

    student: Student
    data: Views
    settings: TrainSettings
    pretrain: PretrainSettings
    seen: nn.Module | None = None
    draw_apart: bool = False
    most_std: float = field(default=0.0, init=False)

    def __post_init__(self) -> None:
        self.step = 0
        self.batches = Ahead(self._draw, parts=self.settings.accumulate, apart=self.draw_apart)
        self.teacher = AveragedModel(self.student.encoder, avg_fn=self._average)  # type: ignore[arg-type]
        self.teacher.eval().requires_grad_(False)

    @property
    def _student(self) -> nn.Module:
        return self.student if self.seen is None else self.seen  # a compiled one has no truth value

    @property
    def waited_s(self) -> float:
        """Seconds that were waited for batches."""
        return self.batches.waited_s

    def _draw(self, step: int, part: int) -> tuple[Tensor, Tensor, Tensor]:
        """Return windows, scores, and a mask for each copy of each window."""
        self.data.begin(step, part)
        batch = self.data.draw(self.settings.batch)
        windows, frames, joints = batch.score.shape
        mask = SAMPLERS[self.pretrain.mask](
            windows * self.pretrain.copies,
            frames,
            joints,
            self.pretrain.mask_ratio,
            self.data.random,
        )
        return batch.x, batch.score, mask

    def losses(self, step: int, part: int, device: torch.device) -> dict[str, Tensor]:
        """Draw a part of the batch of `step`; return its loss and the signs of its health.

        Raises:
            DivergedError: Teacher or student say the same of everything.
        """
        self.step, copies = step, self.pretrain.copies
        x, score, mask = (drawn.to(device) for drawn in self.batches.get(step, part))
        with autocast(self.settings.precision, device):
            target, teacher_std = self._target(x, score)
            predicted = self._student(x.repeat(copies, 1, 1, 1), mask).float()
        target, score = target.repeat(copies, 1, 1, 1), score.repeat(copies, 1, 1)
        weight = score * mask
        error = (predicted - target).square().mean(-1)
        loss = (error * weight).sum() / weight.sum().clamp(min=1e-6)
        chosen = weight > 0
        prediction_std = predicted[chosen].std(0).mean()
        self._judge(step, float(teacher_std), float(prediction_std.detach()))
        return {
            "total": loss,
            "loss_over_variance": loss.detach() / target[chosen].var(0).mean(),
            "teacher_std": teacher_std,
            "prediction_std": prediction_std.detach(),
            "mask_ratio": mask.float().mean(),
            "ema": torch.tensor(self.pretrain.decay(step, self.settings.steps)),
        }

    def after_step(self) -> None:
        """Move the teacher; its batch statistics become the student's."""
        self.teacher.update_parameters(self.student.encoder)  # type: ignore[arg-type]

    def _average(self, old: Tensor, new: Tensor, _count: Tensor | int) -> Tensor:
        return torch.lerp(new, old, self.pretrain.decay(self.step, self.settings.steps))

    def _target(
        self, x: Float[Tensor, "b t j 3"], score: Float[Tensor, "b t j"]
    ) -> tuple[Float[Tensor, "b t j channels"], Float[Tensor, ""]]:
        """Return what is to be predicted, and how much it differs before it is normalised."""
        if self.pretrain.target == "coordinates":
            return x[..., :2], x[..., :2].std()
        teacher = cast(JointEncoder, self.teacher.module)
        blocks = self.pretrain.target_blocks or max(len(teacher.blocks) // 2, 1)
        with torch.no_grad():
            outputs = teacher.encode(teacher.embed(x), last=blocks + 1)
            known = (score > 0).float()
            said = outputs[1:]
            if self.pretrain.target == "change":
                said = [after - before for before, after in pairwise(outputs)]
            target = torch.stack([_normalised(s.float(), known) for s in said]).mean(0)
        return target, said[-1].float().flatten(0, 2).std(0).mean()

    def _judge(self, step: int, teacher_std: float, prediction_std: float) -> None:
        """Stop a run whose representations have become the same for everything."""
        self.most_std = max(self.most_std, teacher_std)
        if teacher_std < _LEAST_TEACHER * self.most_std:
            raise DivergedError(
                f"step {step}: the teacher's tokens hardly differ any more (std {teacher_std:.2g}, "
                f"{self.most_std:.2g} before): the run has collapsed. "
                "Lower --window-lr, or raise --ema-start, and start anew"
            )
        # Until the learning rate has risen, masked tokens are as alike as they began.
        judged = step > self.settings.warmup + _JUDGED_FROM
        if judged and prediction_std < _LEAST_PREDICTION:
            raise DivergedError(
                f"step {step}: the student predicts the same for every token "
                f"(std {prediction_std:.2g}): the run has collapsed. "
                "Lower --window-lr and start anew"
            )

    def state(self) -> dict[str, Tensor]:
        """Return the teacher and how far it reached, for a checkpoint."""
        teacher = {f"teacher.{name}": value for name, value in self.teacher.state_dict().items()}
        return {
            "most_std": torch.tensor(self.most_std, dtype=torch.float64),
            **teacher,
        }

    def set_state(self, state: dict[str, Tensor]) -> None:
        """Undo `state`."""
        self.most_std = float(state["most_std"])
        prefix = "teacher."
        self.teacher.load_state_dict(
            {n.removeprefix(prefix): v for n, v in state.items() if n.startswith(prefix)}
        )


def _normalised(
    tokens: Float[Tensor, "b t j c"], known: Float[Tensor, "b t j"]
) -> Float[Tensor, "b t j c"]:
    """Give each window's channels zero mean and unit variance over its known tokens.

    Layer normalisation would leave what all tokens share, which then dominates the target.
    """
    weight = (known / known.sum((1, 2), keepdim=True).clamp(min=1))[..., None]
    centred = tokens - (tokens * weight).sum((1, 2), keepdim=True)
    variance = (centred.square() * weight).sum((1, 2), keepdim=True)
    return centred * (variance + _LEAST_VARIANCE).rsqrt()

from __future__ import annotations

import pytest
import torch

from pose3d_cli.errors import DeviceError, ExitCode, UnknownNameError
from pose3d_cli.lift.device import resolve

HAS = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}


def test_the_cpu_is_always_there():
    assert resolve("cpu") == torch.device("cpu")


def test_auto_takes_what_is_there():
    best = next((kind for kind in ("cuda", "mps") if HAS[kind]), "cpu")
    assert resolve("auto").type == best


@pytest.mark.parametrize("kind", ["cuda", "mps"])
def test_a_device_asked_for_is_given_or_refused_but_never_another_one(kind):
    if HAS[kind]:
        assert resolve(kind).type == kind
        return
    with pytest.raises(
        DeviceError, match=rf"--device {kind}: not found.*this machine has: .*cpu"
    ) as e:
        resolve(kind)
    assert e.value.exit_code == ExitCode.NO_DEVICE


def test_an_unknown_kind_is_told_the_nearest():
    with pytest.raises(UnknownNameError, match="no device 'cude'; did you mean 'cuda'"):
        resolve("cude")

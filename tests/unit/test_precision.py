import pytest
import torch

from pose3d_cli.learn.precision import autocast, has_bf16

CPU = torch.device("cpu")


def kind(precision):
    one = torch.ones(2, 2)
    with autocast(precision, CPU):
        return (one @ one).dtype


def says(monkeypatch, **capabilities):
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: capabilities, raising=False)


def test_what_is_asked_for_is_done():
    assert kind("bf16") == torch.bfloat16
    assert kind("fp32") == torch.float32


@pytest.mark.parametrize("name", ["avx512_bf16", "amx_bf16", "bf16"])
def test_auto_takes_bf16_where_the_processor_has_it(monkeypatch, name):
    says(monkeypatch, **{name: True})
    assert kind("auto") == torch.bfloat16


def test_auto_takes_fp32_where_bf16_would_be_worked_out_in_software(monkeypatch):
    says(monkeypatch, avx2=True, avx512_f=True, avx512_bf16=False, amx_bf16=False)
    assert kind("auto") == torch.float32


def test_an_older_pytorch_that_cannot_tell_means_fp32(monkeypatch):
    monkeypatch.delattr(torch.cpu, "get_capabilities", raising=False)
    assert not has_bf16(CPU)
    assert not has_bf16(torch.device("mps"))

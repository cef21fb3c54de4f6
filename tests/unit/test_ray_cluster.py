"""How a Ray cluster is shared out, and what is said without one. Needs no Ray."""

from __future__ import annotations

import subprocess
import sys
from types import SimpleNamespace

import pytest

from pose3d_cli.errors import DeviceError, ExitCode, MissingExtraError
from pose3d_cli.pipeline.batch import lift_all
from pose3d_cli.pipeline.batch_settings import BatchSettings
from pose3d_cli.pipeline.ray_cluster import Node, Share, connected, share_of_gpu, share_out
from pose3d_cli.pipeline.report import SilentBoard
from pose3d_cli.pipeline.settings import LiftSettings
from tests.batches import touch

GIB = 2**30


@pytest.mark.parametrize("names", [["a.mp4"], ["a.mp4", "b.mp4"]])
def test_without_ray_one_line_names_the_extra(tmp_path, monkeypatch, names):
    monkeypatch.setitem(sys.modules, "ray", None)
    clips = [touch(tmp_path / name) for name in names]
    batch = BatchSettings(engine="ray", jobs=2)
    with pytest.raises(MissingExtraError, match=r"--engine ray .*pip install 'pose3d\[ray\]'") as e:
        lift_all(clips, LiftSettings(), SilentBoard(), batch=batch)
    assert e.value.exit_code == ExitCode.MISSING_EXTRA
    assert len(str(e.value).splitlines()) == 1


@pytest.mark.parametrize("gpus", [-1.0, 1.5])
def test_a_share_of_a_gpu_that_makes_no_sense_is_refused(gpus):
    with pytest.raises(ValueError, match=r"gpus_per_job .* must be"):
        BatchSettings(gpus_per_job=gpus)


@pytest.mark.parametrize("gpus", [0.0, 0.25, 1.0, 2.0])
def test_a_share_of_a_gpu_that_makes_sense_is_not(gpus):
    assert BatchSettings(gpus_per_job=gpus).gpus_per_job == gpus


@pytest.mark.parametrize(
    ("cpus", "jobs", "wanted"),
    [
        ([8], 1, (1, 8)),
        ([8], 3, (3, 2)),
        ([8], 16, (16, 1)),
        ([8, 8], 2, (2, 8)),
        ([8, 8], 3, (3, 4)),
        ([16, 4], 5, (5, 4)),
        ([0, 4], 2, (2, 2)),
        ([8, 4], "auto", (12, 1)),
    ],
)
def test_jobs_share_the_cores_of_all_nodes(monkeypatch, cpus, jobs, wanted):
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    count, share = share_out([Node(cpus=float(n)) for n in cpus], jobs, 0.0)
    assert (count, share.cpus) == wanted
    assert share.gpus == 0


def test_jobs_share_gpus_and_memory(monkeypatch):
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    nodes = [Node(cpus=16.0, gpus=1.0, memory=64.0 * GIB), Node(cpus=64.0, memory=64.0 * GIB)]
    assert share_out(nodes, "auto", 0.25) == (4, Share(cpus=4, gpus=0.25, memory=2 * GIB))
    assert share_out(nodes, "auto", 0.1)[0] == 10
    assert share_out(nodes, 2, 0.25) == (2, Share(cpus=8, gpus=0.25))
    assert share_out([Node(cpus=16.0, memory=7.0 * GIB)], "auto", 0.0)[0] == 3
    assert share_out([Node(cpus=16.0, gpus=8.0)], "auto", 2.0)[0] == 4


def test_threads_are_no_more_than_openmp_is_told(monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    assert share_out([Node(cpus=8.0)], 2, 0.0) == (2, Share(cpus=1))


@pytest.mark.parametrize("nodes", [[], [Node(cpus=0.0, gpus=1.0)], [Node(cpus=8.0)]])
def test_a_cluster_without_room_is_told(nodes):
    with pytest.raises(DeviceError, match=r"no node of the Ray cluster has a CPU and 0\.25 GPU"):
        share_out(nodes, 1, 0.25)


def test_gpus_are_taken_where_the_device_says_so():
    with_gpu, without = [Node(cpus=8.0), Node(cpus=8.0, gpus=1.0)], [Node(cpus=8.0)]
    told = {d: share_of_gpu(with_gpu, d, 0.5) for d in ("auto", "cuda", "cpu", "mps")}
    assert told == {"auto": 0.5, "cuda": 0.5, "cpu": 0, "mps": 0}
    assert share_of_gpu(without, "auto", 0.5) == 0
    assert share_of_gpu(without, "cuda", 0.5) == 0.5  # so that its absence is told


@pytest.mark.parametrize(
    ("address", "words"),
    [("ray://head:10001", "Ray's client is not supported"), ("127.0.0.1:1", "no Ray cluster")],
)
def test_addresses_that_lead_nowhere_are_told_before_ray_tries(monkeypatch, address, words):
    ended = []
    ray = SimpleNamespace(is_initialized=lambda: False, shutdown=lambda: ended.append(True))
    monkeypatch.setitem(sys.modules, "ray", ray)
    monkeypatch.setenv("RAY_ADDRESS", address)
    with pytest.raises(DeviceError, match=f"RAY_ADDRESS {address}: {words}"), connected():
        pytest.fail("it went on")


def test_no_more_than_needed_imports_ray():
    script = (
        "import sys; from pose3d_cli.cli import app; import pose3d_cli.pipeline.batch;"
        "print([name for name in sys.modules if name.split('.')[0] == 'ray'])"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert done.stdout == "[]\n"

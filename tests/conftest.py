from __future__ import annotations

import itertools
import json
import os
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

if "PYTEST_XDIST_WORKER" in os.environ:  # workers, and what they start, share the cores
    os.environ.setdefault("OMP_NUM_THREADS", "1")

GOLDEN = Path(__file__).parent / "golden"
_NUMBERS = itertools.count()


def pytest_addoption(parser):
    parser.addoption("--update-golden", action="store_true", help="write golden files anew")


@pytest.fixture(scope="session")
def caches(tmp_path_factory):
    return tmp_path_factory.mktemp("caches")


@pytest.fixture(autouse=True)
def cache(caches, monkeypatch):
    """A cache of networks of its own for each test, yet to be made; no download from afar."""
    folder = caches / str(next(_NUMBERS))
    monkeypatch.setenv("POSE3D_CACHE", str(folder))
    monkeypatch.delenv("POSE3D_OFFLINE", raising=False)
    return folder


@pytest.fixture
def golden(request):
    """Compare numbers with a file; `--update-golden` writes the file, for review in the diff."""

    def check(name, value, *, atol):
        path = GOLDEN / f"{name}.json"
        if request.config.getoption("--update-golden"):
            path.write_text(
                json.dumps(np.round(np.asarray(value, np.float64), 6).tolist(), indent=1) + "\n"
            )
        np.testing.assert_allclose(value, json.loads(path.read_text()), atol=atol)

    return check


@pytest.fixture
def pose3d():
    """Run the command line in this process; a wrong exit code fails with what was printed."""
    from pose3d_cli.cli.app import app

    def run(*arguments, code=0):
        result = CliRunner().invoke(app, [str(a) for a in arguments], prog_name="pose3d")
        assert result.exit_code == code, f"{result.stdout}\n{result.stderr}\n{result.exception!r}"
        return result

    return run


@pytest.fixture(scope="session")
def tiny_weights(tmp_path_factory):
    """Weights of a small network that has learnt nothing: quick, and every step is the real one."""
    from pose3d_cli.lift import weights
    from tests.nets import about, tiny

    path = tmp_path_factory.mktemp("weights") / "tiny.safetensors"
    weights.save(path, tiny("dualstream"), about("dualstream"))
    return path


@pytest.fixture(scope="session")
def tiny_upright(tmp_path_factory):
    """Weights of a small network of up that has learnt nothing."""
    from pose3d_cli.lift import weights
    from tests.nets import about_upright, tiny_upright

    path = tmp_path_factory.mktemp("weights") / "tiny-upright.safetensors"
    weights.save(path, tiny_upright(), about_upright())
    return path


@pytest.fixture(scope="session")
def rendered(tmp_path_factory):
    """Two small clips of a walking figure of boxes: their folder, settings and videos."""
    from pose3d_cli.learn.rendered.clips import RenderSettings, render_clips
    from tests.bodies import BoxyBodies, walking

    folder = tmp_path_factory.mktemp("rendered")
    settings = RenderSettings(clips=2, seconds=0.48, longer_side_px=96)
    done = list(render_clips([walking()], BoxyBodies(), folder, settings))
    assert [new for _, new in done] == [True, True]
    return folder, settings, [video for video, _ in done]


@pytest.fixture(autouse=True)
def no_proxies(monkeypatch):
    """Let no proxy of this machine stand before servers of tests."""
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy", "HTTP_PROXY", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def site():
    """A web server of our own."""
    from tests.servers import serving

    with serving() as running:
        yield running

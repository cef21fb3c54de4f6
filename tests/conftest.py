from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

GOLDEN = Path(__file__).parent / "golden"


def pytest_addoption(parser):
    parser.addoption("--update-golden", action="store_true", help="write golden files anew")


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

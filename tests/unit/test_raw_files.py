"""MATLAB's files, whole and cut off."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.io import savemat

from pose3d_cli.errors import InputError
from pose3d_cli.learn.convert.raw_files import read_mat


@pytest.mark.parametrize("form", ["4", "5", "5 compressed"])
def test_whole_matlab_files_of_all_forms_are_read(tmp_path, form):
    path = tmp_path / "a.mat"
    held = {"cameras": np.arange(3.0)[None], "rest": np.arange(40.0)[None]}
    savemat(path, held, format=form[0], do_compression="compressed" in form)
    np.testing.assert_array_equal(read_mat(path, ["cameras"])["cameras"], held["cameras"])
    path.write_bytes(path.read_bytes()[:-3])
    if form != "4":
        with pytest.raises(InputError, match="3 bytes are missing"):
            read_mat(path, ["cameras"])

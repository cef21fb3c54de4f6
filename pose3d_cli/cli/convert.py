"""`pose3d data convert`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pose3d_cli.cli.screen import Screen

EXAMPLES = {
    "convert": [
        "pose3d data convert human36m/extracted -o data",
        "pose3d data convert mpi_inf_3dhp -o data --dataset 3dhp",
        "pose3d eval dualstream-xs-27 --dataset h36m --data data --keypoints gt",
    ],
}


def convert(
    folder: Annotated[
        Path, typer.Argument(metavar="RAW_FOLDER", help="The data set as it is downloaded.")
    ],
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="DIR", help="Folder of the files.")
    ],
    screen: Screen,
    dataset: Annotated[
        str | None,
        typer.Option(help="h36m or 3dhp (default: what it looks like).", metavar="NAME"),
    ] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace what is there.")] = False,
) -> None:
    """Convert a raw data set to the files that `eval` and `train` read.

    Human3.6M: the extracted Poses_D3_Positions_S*.tgz (or VideoPose3D's .cdf.mat of them) give
    data_3d_h36m.npz and data_2d_h36m_gt.npz. MPI-INF-3DHP: annot.mat and annot_data.mat give
    data_train_3dhp.npz and data_test_3dhp.npz. Files appear once they were read back and found
    sound. 3DPW needs no conversion. CDF and test files of 3DHP need the extra `convert`:
    pip install 'pose3d[convert]'.
    """
    from pose3d_cli.learn.convert.run import convert_folder
    from pose3d_cli.pipeline.outputs import writable

    with writable(output):
        report = convert_folder(folder, output, dataset=dataset, overwrite=overwrite, steps=screen)
    screen.show(report.to_json(), report.lines())
    for text in report.warnings():
        screen.warn(text)
    for what, frames in report.done.items():
        screen.detail(f"{what}: {frames} frames")

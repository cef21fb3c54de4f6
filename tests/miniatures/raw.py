"""Raw distributions in small: Human3.6M's CDF files, and both kinds of 3DHP's MATLAB files."""

from __future__ import annotations

import numpy as np
from scipy.io import savemat

from tests.miniatures.h36m import positions_3d
from tests.miniatures.mpi_inf_3dhp import Facts, make_test, make_train

# Which of `annot.mat`'s 28 joints P-STMO's 17 are; the kept cameras; both as its script has them.
KEPT_28 = [7, 5, 14, 15, 16, 9, 10, 11, 23, 24, 25, 18, 19, 20, 4, 3, 6]
KEPT_CAMERAS = [0, 1, 2, 4, 5, 6, 7, 8]

RAW_NAMES = {"Photo": "TakingPhoto", "WalkDog": "WalkingDog"}


def write_cdf(path, pose, name="Pose"):
    """A CDF of one record with the variable `Pose`."""
    from cdflib import cdfwrite

    file = cdfwrite.CDF(path, cdf_spec={"Majority": "row_major"}, delete=True)
    about = {"Variable": name, "Data_Type": 44, "Num_Elements": 1, "Rec_Vary": True}
    file.write_var({**about, "Dim_Sizes": list(pose.shape[1:]), "Compress": 6}, var_data=pose)
    file.close()
    return path


def write_cdf_mat(path, pose):
    """What VideoPose3D's MATLAB script saves of a CDF: a cell with the frames."""
    cell = np.empty((1, 1), object)
    cell[0, 0] = pose[0].astype(np.float64)
    savemat(path, {"data": cell})
    return path


def raw_trials():
    """Millimetres (1, frames, 96) by subject and raw name; S11's corrupt trial is there too."""
    trials = {}
    for subject, own in positions_3d().items():
        for trial, xyz in own.items():
            action, _, number = trial.partition(" ")
            raw = " ".join(filter(None, [RAW_NAMES.get(action, action), number]))
            trials[subject, raw] = (xyz.reshape(1, -1, 96) * 1000).astype(np.float32)
    trials["S11", "Directions"] = np.full((1, 9, 96), 5, np.float32)
    trials["S1", "_ALL 1"] = np.full((1, 9, 96), 5, np.float32)
    return trials


def write_raw_h36m(folder, *, mats=("S9",)):
    """Every subject's folder; of `mats` as MATLAB saved them."""
    trials = raw_trials()
    for (subject, name), pose in trials.items():
        place = folder / subject / "MyPoseFeatures" / "D3_Positions"
        place.mkdir(parents=True, exist_ok=True)
        if subject in mats:
            write_cdf_mat(place / f"{name}.cdf.mat", pose)
        else:
            write_cdf(place / f"{name}.cdf", pose)
    (folder / "S1/MyPoseFeatures/D3_Positions/._Directions.cdf").write_bytes(b"a Mac's own file")
    return trials


def all_28(values, frames):
    """The 17 joints among 28 in each frame, the others far off; as (frames, 28 x channels)."""
    turns = -(-frames // len(values))
    values = np.concatenate([values, values[::-1]] * turns)[:frames]  # no jump where it turns
    out = np.full((frames, 28, values.shape[-1]), 77777.0)
    out[:, KEPT_28] = values
    return out.reshape(frames, -1)


def write_annot(path, shots, frames, numbers=range(14)):
    """An `annot.mat`: `shots` by camera; the other cameras have nonsense."""
    cells = {key: np.empty((14, 1), object) for key in ("annot2", "univ_annot3", "annot3")}
    for place, number in enumerate(numbers):
        shot = shots.get(str(number))
        for key, name, channels in (("annot2", "data_2d", 2), ("univ_annot3", "data_3d", 3)):
            known = shot is not None
            cells[key][place, 0] = (
                all_28(shot[name], frames) if known else np.full((2, 28 * channels), -1.0)
            )
        cells["annot3"][place, 0] = np.full((2, 84), -2.0)
    path.parent.mkdir(parents=True, exist_ok=True)
    about = {"cameras": np.array([list(numbers)], np.uint8), "frames": np.arange(3)[:, None]}
    savemat(path, {**about, **cells})
    return path


def write_raw_train(folder, take="S8 Seq2", frames=6060):
    """One sequence as it is downloaded, as long as the real one and a little longer."""
    shots = make_train(Facts())["S1 Seq1"][0]
    write_annot(folder / take.replace(" ", "/") / "annot.mat", shots, frames)
    return shots


def write_hdf5(path, arrays):
    """A MATLAB 7.3 file: HDF5 behind MATLAB's header, with the axes of MATLAB reversed."""
    import h5py

    path.parent.mkdir(parents=True, exist_ok=True)
    with h5py.File(path, "w", userblock_size=512) as file:
        for name, values in arrays.items():
            file[name] = values
    with path.open("r+b") as file:
        file.write(b"MATLAB 7.3 MAT-file".ljust(124) + b"\x00\x02IM")
    return path


def raw_test(shot):
    """What an `annot_data.mat` holds, as HDF5 has it."""
    return {
        "annot2": shot["data_2d"][:, None],
        "univ_annot3": shot["data_3d"][:, None],
        "annot3": shot["data_3d"][:, None] * 1.1,
        "valid_frame": shot["valid"][:, None],
    }


def write_raw_test(folder, frames=60):
    content = make_test(Facts(), frames)
    for name, shot in content.items():
        write_hdf5(folder / name / "annot_data.mat", raw_test(shot))
    return content

"""Raw data sets, as they are downloaded, to the files that `pose3d eval` and `train` read.

A module a data set finds its raw files and writes the field's npz files of them; `run` does the
rest. An npz holds object arrays without axes, each a dictionary, as `np.savez` makes of one:
`np.load(path, allow_pickle=True)["data"].item()` gives it back.
"""

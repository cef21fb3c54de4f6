"""Pickles that hold arrays are read; all others are refused, and nothing they ask for happens."""

from __future__ import annotations

import builtins
import functools
import io
import os
import pickle
import struct
import zipfile
from collections import OrderedDict

import numpy as np
import pytest

from pose3d_cli.errors import InputError
from pose3d_cli.files.object_arrays import read_object_npz, read_pickle
from pose3d_cli.files.pickled_arrays import ADMITTED

REAL = {
    "xy": np.arange(24, dtype=np.float32).reshape(2, 3, 4),
    "turned": np.asfortranarray(np.arange(6.0).reshape(2, 3)),
    "big endian": np.arange(5, dtype=">i4"),
    "flags": np.array([True, False]),
    "words": np.array(["s_09", "é"]),
    "bytes": np.array([b"a\xff", b"bc"]),
    "nothing": np.zeros((0, 17, 2)),
    "objects": np.array([{"a": 1}, None], dtype=object),
    "number": np.float64(2.5),
    "word": np.str_("S9"),
    "plain": [1, 2.5, None, True, "text", (1, b"\x00\xff"), OrderedDict(a=1)],
}


def written(path, data):
    path.write_bytes(data)
    return path


def alike(found, wanted):
    assert set(found) == set(wanted)
    for key, value in wanted.items():
        if isinstance(value, np.ndarray):
            assert isinstance(found[key], np.ndarray), key
            # As numpy does it, other machines' numbers come in the order of this one.
            assert found[key].dtype.newbyteorder("=") == value.dtype.newbyteorder("="), key
            np.testing.assert_array_equal(found[key], value)
        else:
            assert found[key] == value, key
            assert type(found[key]) is type(value), key


@pytest.mark.parametrize("protocol", [0, 1, 2, 3, 4, 5])
def test_arrays_in_containers_are_read_of_every_protocol(tmp_path, protocol):
    alike(read_pickle(written(tmp_path / "a.pkl", pickle.dumps(REAL, protocol))), REAL)


def test_arrays_of_numpy_1_are_read(tmp_path):
    data = pickle.dumps(REAL["xy"], 2)
    assert b"cnumpy._core.multiarray\n" in data
    older = data.replace(b"cnumpy._core.multiarray\n", b"cnumpy.core.multiarray\n")
    np.testing.assert_array_equal(read_pickle(written(tmp_path / "a.pkl", older)), REAL["xy"])


def python2_array(values, code):
    """The pickle that Python 2 with numpy 1 writes of an array: its bytes stand there as text."""
    raw = values.tobytes()
    return (
        b"\x80\x02cnumpy.core.multiarray\n_reconstruct\nq\x00cnumpy\nndarray\nq\x01K\x00\x85"
        b"U\x01b\x87R(K\x01K" + struct.pack("B", len(values)) + b"\x85cnumpy\ndtype\nq\x02U\x02"
        + code + b"K\x00K\x01\x87R(K\x03U\x01<NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb\x89T"
        + struct.pack("<I", len(raw)) + raw + b"tb."
    )  # fmt: skip


def test_arrays_of_python_2_are_read(tmp_path):
    values = np.array([-1.5, np.pi, 1e30], np.float32)
    assert max(values.tobytes()) > 127
    found = read_pickle(written(tmp_path / "a.pkl", python2_array(values, b"f4")))
    np.testing.assert_array_equal(found, values)


def test_text_of_python_2_comes_back_as_text(tmp_path):
    assert read_pickle(written(tmp_path / "a.pkl", b"\x80\x02U\x03S9\xe9.")) == "S9é"


def test_an_array_that_was_read_can_be_written_to_and_copied(tmp_path):
    found = read_pickle(written(tmp_path / "a.pkl", pickle.dumps(REAL, 4)))["xy"].copy()
    found[0, 0, 0] = 7
    assert found.astype(np.float64)[0, 0, 0] == 7


class Asks:
    """Pickles as a call of `function`."""

    def __init__(self, function, *arguments):
        self.call = (function, arguments)

    def __reduce__(self):
        return self.call


EVIL = {
    "os.system": (lambda mark: Asks(os.system, f"touch {mark}"), r"`posix\.system`"),
    "eval": (
        lambda mark: Asks(builtins.eval, f"open({str(mark)!r}, 'w').close()"),
        r"`(builtins|__builtin__)\.eval`",
    ),
    "open": (lambda mark: Asks(open, str(mark), "w"), r"`(_?io|builtins)\.open`"),
    "partial": (
        lambda mark: Asks(functools.partial, os.system, f"touch {mark}"),
        r"`functools\.partial`",
    ),
    "getattr": (lambda mark: Asks(getattr, "a", "upper"), r"`(builtins|__builtin__)\.getattr`"),
    "load": (lambda mark: Asks(np.load, str(mark)), r"`numpy\.load`"),
    "fields": (lambda mark: np.zeros(2, [("a", "f4"), ("b", "i4")]), r"numpy type 'V8'"),
    "time": (lambda mark: np.array(["2020-01-01"], "M8[D]"), r"numpy type 'M8'"),
}


@pytest.mark.parametrize("protocol", [0, 2, 4, 5])
@pytest.mark.parametrize(("make", "wants"), EVIL.values(), ids=EVIL)
def test_a_pickle_that_wants_more_is_refused_by_name_before_it_does_anything(
    tmp_path, make, wants, protocol
):
    mark = tmp_path / "mark"
    path = written(tmp_path / "a.pkl", pickle.dumps({"a": [make(mark)]}, protocol))
    with pytest.raises(InputError, match=rf"a\.pkl: refused to unpickle: it wants .*{wants}"):
        read_pickle(path)
    assert not mark.exists()


def test_the_same_pickles_do_harm_where_nothing_is_restricted(tmp_path):
    for name in ("os.system", "eval", "open"):
        mark = tmp_path / name
        pickle.loads(pickle.dumps(EVIL[name][0](mark)))
        assert mark.exists()


def test_python_2_names_of_dangerous_things_are_refused(tmp_path):
    for asked in (b"cos\nsystem\n", b"c__builtin__\neval\n", b"ccopy_reg\n_reconstructor\n"):
        path = written(tmp_path / "a.pkl", b"\x80\x02" + asked + b"U\x04true\x85R.")
        with pytest.raises(InputError, match="refused to unpickle: it wants"):
            read_pickle(path)


def dtype(code, order="|", *parts):
    """Opcodes that make a dtype and set its state."""
    out = io.BytesIO()
    out.write(b"cnumpy\ndtype\n" + pickle.dumps((code, False, True), 2)[2:-1] + b"R")
    state = (3, order, *(parts or (None, None, None)), -1, -1, 255)
    out.write(pickle.dumps(state, 2)[2:-1] + b"b")
    return out.getvalue()


def scalar(code, data):
    return b"\x80\x02cnumpy.core.multiarray\nscalar\n(" + dtype(code) + data + b"tR."


def array(shape, code, data, made=None):
    start = b"\x80\x02cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\x00\x85U\x01b\x87R("
    held = pickle.dumps(data, 3)[2:-1]
    shape = pickle.dumps(shape, 2)[2:-1]
    return start + b"K\x01" + shape + (made or dtype(code)) + b"\x89" + held + b"tb."


def test_a_scalar_of_python_objects_is_refused(tmp_path):
    path = written(tmp_path / "a.pkl", scalar("O8", b"C\x08" + bytes(range(8))))
    with pytest.raises(InputError, match="it wants Python objects where numbers or words belong"):
        read_pickle(path)


CROOKED = {
    "too few bytes": array((1000,), "f4", b"\0\0\0\0"),
    "below zero": array((-1,), "f4", b""),
    "many bytes": b"\x80\x02c__builtin__\nbytes\nM\xff\xff\x85R.",
    "no axes": array([1], "f4", b"\0\0\0\0"),
    "bytes for objects": array((1,), "O8", b"\1" * 8),
    "too few objects": array((9,), "O8", [None]),
    "too many objects": array((1,), "O8", [None, 1]),
    "no type": array((1,), "f4", b"\0\0\0\0", made=b"N"),
    "subtype": array((1,), "f4", b"\0\0\0\0", made=dtype("f4", "<", None, ("a",), {})),
    "short scalar": scalar("f8", b"C\x01a"),
    "long scalar": scalar("f8", b"C\x10" + bytes(16)),
    "bare class": b"\x80\x02cnumpy\nndarray\nK\x05\x85R.",
    "odd code": array((1,), "f4,O", b"\0" * 12),
}


@pytest.mark.parametrize("data", CROOKED.values(), ids=CROOKED)
def test_an_array_whose_parts_do_not_fit_is_refused(tmp_path, data):
    """Numpy itself would believe some of these, and read or write memory of others."""
    with pytest.raises(InputError, match=r"a\.pkl: (refused to unpickle|a pickle that is damaged)"):
        read_pickle(written(tmp_path / "a.pkl", data))


def test_flags_of_a_dtype_are_not_believed(tmp_path):
    data = array((2,), "f4", np.array([1, 2], np.float32).tobytes(), made=dtype("f4", "<"))
    np.testing.assert_array_equal(read_pickle(written(tmp_path / "a.pkl", data)), [1, 2])


@pytest.mark.parametrize("name", [name for name in ADMITTED if "ndarray" not in name])
def test_a_pickle_cannot_change_what_it_calls(tmp_path, name):
    module, _, what = name.rpartition(".")
    change = pickle.dumps((None, {"_function": 1, "__doc__": "changed"}), 2)[2:-1]
    data = b"\x80\x02c" + module.encode() + b"\n" + what.encode() + b"\n" + change + b"b."
    before = {key: id(getattr(ADMITTED[name], key, None)) for key in ("_function", "__doc__")}
    with pytest.raises(InputError):
        read_pickle(written(tmp_path / "a.pkl", data))
    assert before == {key: id(getattr(ADMITTED[name], key, None)) for key in before}


def test_a_pickle_that_is_cut_off_anywhere_is_damaged_and_no_bug(tmp_path):
    whole = pickle.dumps(REAL, 4)
    for length in range(0, len(whole) - 1, 7):
        with pytest.raises(InputError, match=r"a\.pkl: a pickle that is damaged or cut off"):
            read_pickle(written(tmp_path / "a.pkl", whole[:length]))


def test_a_file_with_other_bytes_in_it_is_read_or_refused_and_no_bug(tmp_path):
    random = np.random.default_rng(3)
    whole = np.frombuffer(pickle.dumps(REAL, 2), np.uint8)
    refused = 0
    for _ in range(300):
        spoilt = whole.copy()
        spoilt[random.integers(0, len(whole), 3)] = random.integers(0, 256, 3)
        try:
            read_pickle(written(tmp_path / "a.pkl", spoilt.tobytes()))
        except InputError:
            refused += 1
    assert refused > 100


def test_files_that_are_no_pickle_say_so(tmp_path):
    with pytest.raises(InputError, match=r"a\.pkl: a pickle that is damaged"):
        read_pickle(written(tmp_path / "a.pkl", b"This is text.\n"))
    with pytest.raises(InputError, match=r"b\.pkl: no such file"):
        read_pickle(tmp_path / "b.pkl")
    with pytest.raises(InputError, match="cannot be read"):
        read_pickle(tmp_path)


def test_a_zip_of_one_pickle_is_read_as_that(tmp_path):
    path = tmp_path / "a.pkl.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("readme.txt", "hello")
        archive.writestr("a.pkl", pickle.dumps(REAL, 4))
    alike(read_pickle(path), REAL)
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("b.pkl", pickle.dumps(Asks(os.system, "true")))
    with pytest.raises(InputError, match="a zip archive of 2 pickles; expected one"):
        read_pickle(path)
    with pytest.raises(InputError, match="a zip archive that cannot be read"):
        read_pickle(written(tmp_path / "cut.zip", path.read_bytes()[:60]))


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_objects_in_an_npz_come_as_themselves_and_arrays_as_arrays(tmp_path, save):
    nested = {"S1": {"Directions 1": REAL["xy"], "list": [REAL["xy"], REAL["words"]]}}
    two = np.array([{"a": 1}, {"b": 2}], dtype=object)
    save(tmp_path / "a.npz", positions=nested, plain=REAL["xy"], two=two)
    found = read_object_npz(tmp_path / "a.npz")
    assert list(found) == ["positions", "plain", "two"]
    alike(found["positions"]["S1"], nested["S1"] | {"list": found["positions"]["S1"]["list"]})
    np.testing.assert_array_equal(found["positions"]["S1"]["list"][0], REAL["xy"])
    np.testing.assert_array_equal(found["plain"], REAL["xy"])
    assert type(found["two"]) is np.ndarray
    assert found["two"].tolist() == two.tolist()


def test_an_npz_that_wants_more_is_refused_by_name(tmp_path):
    mark = tmp_path / "mark"
    np.savez(tmp_path / "a.npz", a=np.array(Asks(os.system, f"touch {mark}"), dtype=object))
    with pytest.raises(InputError, match=r"a\.npz: refused to unpickle: it wants `posix\.system`"):
        read_object_npz(tmp_path / "a.npz")
    assert not mark.exists()


def test_files_that_are_no_npz_say_so(tmp_path):
    with pytest.raises(InputError, match=r"not a readable \.npz file; damaged or of another kind"):
        read_object_npz(written(tmp_path / "a.npz", pickle.dumps(REAL)))
    with pytest.raises(InputError, match="no such file"):
        read_object_npz(tmp_path / "b.npz")
    with zipfile.ZipFile(tmp_path / "c.npz", "w") as archive:
        archive.writestr("readme.txt", "hello")
    with pytest.raises(InputError, match="a zip archive without arrays"):
        read_object_npz(tmp_path / "c.npz")
    np.savez_compressed(tmp_path / "d.npz", a=np.random.default_rng(0).normal(size=(99, 3)))
    whole = (tmp_path / "d.npz").read_bytes()
    with pytest.raises(InputError, match=r"not a readable \.npz"):
        read_object_npz(written(tmp_path / "e.npz", whole[: len(whole) // 2]))

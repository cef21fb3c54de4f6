"""What a restricted pickle may call: makers of numpy's arrays, which check each part first.

numpy's own are no good here: a damaged or hostile pickle can make them write to memory that is not
theirs. Nor may a pickle change what it calls, so that one file could spoil the reading of others.
"""

from __future__ import annotations

import math
import pickle
import re
from collections import OrderedDict
from collections.abc import Callable, Mapping
from typing import Any, Literal, NoReturn

import numpy as np

_CODE = re.compile(r"[<>|=]?(b1|[iu][1248]|f(2|4|8|16)|c(8|16|32)|[SU]\d{1,6}|O\d?)")


class RefusedError(pickle.UnpicklingError):
    """A pickle that wants what it may not have."""


class _Call:
    """A function that a pickle can call, and cannot look into or change."""

    __slots__ = ("_function",)

    _function: Callable[..., Any]

    def __init__(self, function: Callable[..., Any]) -> None:
        object.__setattr__(self, "_function", function)

    def __call__(self, *arguments: Any) -> Any:
        return self._function(*arguments)

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise RefusedError(f"it wants to change `{name}` of what it calls")


class _DType:
    """What a pickle says of a type of numbers, words or objects."""

    __slots__ = ("_code", "_order")

    def __init__(self, code: object) -> None:
        word = code.decode("latin1") if isinstance(code, bytes) else code
        if not isinstance(word, str) or not _CODE.fullmatch(word):
            raise RefusedError(f"it wants an array of numpy type {code!r}")
        self._code = word
        self._order: Literal["<", ">", "|", "="] = "="

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        _, order, *parts = state[:5]
        if parts != [None, None, None] or order not in ("<", ">", "|", "="):
            raise RefusedError("it wants an array of several fields")
        self._order = order

    def made(self) -> np.dtype[Any]:
        """Return the type itself."""
        made = np.dtype(self._code)
        return made.newbyteorder(self._order) if self._order in ("<", ">") else made


class _Array(np.ndarray):
    """An array that is filled once all its parts were looked at."""

    __slots__ = ()

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        shape, dtype, is_fortran, data = state[-4:]
        made = _made(dtype)
        n = _size(shape)
        if made.hasobject:
            _check(type(data) is list and len(data) == n, "objects")
        else:
            data = _bytes(data)
            _check(len(data) == n * made.itemsize, "numbers")
        checked: Any = (1, shape, made, bool(is_fortran), data)
        super().__setstate__(checked)


def _check(fits: bool, what: str) -> None:
    if not fits:
        raise pickle.UnpicklingError(f"an array with other {what} than its shape tells; damaged?")


def _made(dtype: Any) -> np.dtype[Any]:
    _check(isinstance(dtype, _DType), "type")
    return dtype.made()


def _size(shape: Any) -> int:
    _check(isinstance(shape, tuple) and all(type(n) is int and n >= 0 for n in shape), "axes")
    return math.prod(shape)


def _bytes(data: Any) -> bytes | bytearray:
    """Return an array's bytes, which Python 2 wrote as text."""
    if isinstance(data, str):
        return data.encode("latin1")
    _check(isinstance(data, (bytes, bytearray)), "bytes")
    return data


def _reconstruct(_kind: object, _shape: object = (), _code: object = b"b") -> _Array:
    return np.ndarray.__new__(_Array, (0,), np.int8)


def _dtype(code: object, _align: object = False, _copy: object = True) -> _DType:
    return _DType(code)


def _plain(dtype: object) -> np.dtype[Any]:
    made = _made(dtype)
    if made.hasobject:
        raise RefusedError("it wants Python objects where numbers or words belong")
    return made


def _scalar(dtype: object, data: object = b"") -> Any:
    made = _plain(dtype)
    held = _bytes(data)
    _check(len(held) == made.itemsize, "numbers")
    return np.frombuffer(held, made)[0] if made.itemsize else made.type()


def _frombuffer(buffer: object, dtype: object, shape: object, order: object) -> np.ndarray:
    made = _plain(dtype)
    held = _bytes(buffer)
    _check(len(held) == _size(shape) * made.itemsize and order in ("C", "F"), "numbers")
    flat = np.frombuffer(held, made) if held else np.zeros(0, made)
    return flat.reshape(shape, order=order)  # type: ignore[call-overload]


def _encode(text: object, encoding: object = "latin1") -> bytes:
    """Do what Python 2's text of bytes asks for, in the one way numpy writes it."""
    if not isinstance(text, str) or encoding not in ("latin1", "latin-1"):
        raise RefusedError(f"it wants text in {encoding!r}")
    return text.encode("latin1")


def _no_bytes() -> bytes:
    """Return the bytes of an empty array, which older protocols write as a call."""
    return b""


_NUMPY: Mapping[str, Callable[..., Any]] = {
    "multiarray._reconstruct": _reconstruct,
    "multiarray.scalar": _scalar,
    "numeric._frombuffer": _frombuffer,
}

ADMITTED: Mapping[str, object] = {
    "numpy.ndarray": object(),  # stands for itself; nothing may be made of it but by _reconstruct
    "numpy.dtype": _Call(_dtype),
    "collections.OrderedDict": OrderedDict,
    "_codecs.encode": _Call(_encode),
    "__builtin__.bytes": _Call(_no_bytes),
    "builtins.bytes": _Call(_no_bytes),
    **{
        f"numpy.{core}.{name}": _Call(make)
        for core in ("core", "_core")
        for name, make in _NUMPY.items()
    },
}
"""What a pickle may ask for, by module and name."""

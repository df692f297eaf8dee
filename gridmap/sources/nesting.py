"""Shapes within shapes within shapes: found before a reader that calls itself runs out of stack.

GEOS reads a collection inside a collection by calling itself, and a text of 100,000 brackets
ends the process without a word.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

#: Levels of a shape: an honest collection of multipolygons has five.
DEEPEST = 30

#: The head of a shape that holds shapes: order of bytes, then a type from 4 to 17, plain, with
#: the flags of PostGIS for z, m and SRID, or in the thousands of ISO 13249-3.
_HEAD = re.compile(
    rb"\x01(?:[\x04-\x11]\x00\x00[\x00\x20\x40\x60\x80\xa0\xc0\xe0]|[\xec-\xf9]\x03\x00\x00"
    rb"|[\xd4-\xe1]\x07\x00\x00|[\xbc-\xc9]\x0b\x00\x00)"
    rb"|\x00(?:[\x00\x20\x40\x60\x80\xa0\xc0\xe0]\x00\x00[\x04-\x11]|\x00\x00\x03[\xec-\xf9]"
    rb"|\x00\x00\x07[\xd4-\xe1]|\x00\x00\x0b[\xbc-\xc9])", re.DOTALL)


def drop_nested(values: NDArray[Any]) -> NDArray[Any]:
    """Return WKT or WKB in which shapes that are nested too deep are missing.

    Parameters
    ----------
    values : array of str or bytes
        Text may be WKT or the hexadecimal digits of WKB.

    Returns
    -------
    array of object

    Examples
    --------
    >>> deep = "GEOMETRYCOLLECTION (" * 99 + "POINT (1 1)" + ")" * 99
    >>> drop_nested(np.array(["POINT (1 1)", deep, None], dtype=object)).tolist()
    ['POINT (1 1)', None, None]
    """
    gone = [at for at, value in enumerate(values) if value is not None and _is_deep(value)]
    if not gone:
        return values
    kept = values.astype(object, copy=True)
    kept[gone] = None
    return kept


def read_wkb(values: NDArray[Any]) -> NDArray[Any]:
    """Read WKB; what cannot be read is missing, and so are curves and what is nested too deep.

    Parameters
    ----------
    values : array of bytes or str
        Text is the hexadecimal digits of WKB.

    Returns
    -------
    array of shapes

    Examples
    --------
    >>> read_wkb(np.array([shapely.Point(1, 2).wkb, b"?", None], dtype=object)).tolist()
    [<POINT (1 2)>, None, None]
    """
    return _read(shapely.from_wkb, values)


def read_wkt(values: NDArray[Any]) -> NDArray[Any]:
    """Read WKT; what cannot be read is missing, and so are curves and what is nested too deep.

    Parameters
    ----------
    values : array of str

    Returns
    -------
    array of shapes

    Examples
    --------
    >>> read_wkt(np.array(["POINT (1 2)", "?", "CURVEPOLYGON EMPTY"], dtype=object)).tolist()
    [<POINT (1 2)>, None, None]
    """
    return _read(shapely.from_wkt, values)


def _read(read: Callable[..., Any], values: NDArray[Any]) -> NDArray[Any]:
    values = drop_nested(values)
    try:
        return np.asarray(read(values, on_invalid="ignore"))
    except NotImplementedError:  # GEOS stops at the first curve: one by one, so that one is lost
        return np.array([None, *(_read_one(read, value) for value in values)], dtype=object)[1:]


def _read_one(read: Callable[..., Any], value: Any) -> Any:
    try:
        return read(value, on_invalid="ignore")
    except NotImplementedError:
        return None


def _is_deep(value: Any) -> bool:
    """Say whether one value is nested too deep; nearly all are told by their length or start."""
    if len(value) < 9 * DEEPEST:
        return False
    if isinstance(value, str):
        if value[:2] in ("00", "01"):
            try:
                return _is_deep(bytes.fromhex(value))
            except ValueError:
                return False
        if value.count("(") <= DEEPEST:
            return False
        signs = np.frombuffer(value.encode("ascii", errors="replace"), dtype=np.uint8)
        steps = (signs == ord("(")).astype(np.int32) - (signs == ord(")"))
        return bool(np.cumsum(steps).max() > DEEPEST)
    plain = bytes(value)
    if _HEAD.match(plain) is None:  # a point, a line or a polygon holds no shapes
        return False
    if plain[:5] in (b"\x01\x06\0\0\0", b"\x01\x05\0\0\0", b"\x01\x04\0\0\0"):
        inner = _HEAD.match(plain, 9)
        if inner is None and plain.count(plain[:5]) <= 1 and b"\x01\x07\0\0" not in plain:
            return False  # an ordinary multipart shape, told by quick searches
    return sum(1 for _ in _HEAD.finditer(plain)) > DEEPEST

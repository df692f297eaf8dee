"""How much a file may ask for: what is beyond these bounds is refused, or costs its row.

The bounds lie far above what a city or a province needs. Whoever has an honest need for more
raises one by ``limits=Limits(…)``, or in the table ``[limits]`` of ``gridmap.toml``.
"""

from __future__ import annotations

import stat
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from ..errors import SourceError


@dataclass(frozen=True, kw_only=True, slots=True, repr=False)
class Limits:
    """Bounds of what is read.

    Examples
    --------
    >>> Limits(file_bytes=2)
    Limits(file_bytes=2)
    >>> Limits(parts=0)
    Traceback (most recent call last):
    gridmap.errors.SourceError: the limit parts is 0: expected a whole number above 0
    """

    file_bytes: int = 50_000_000_000  # of a file
    whole_bytes: int = 4_000_000_000  # of a file that is held in memory as one piece
    unpacked_bytes: int = 20_000_000_000  # that come out of an archive
    unpacked_times: int = 200  # its own size, once above 100 MB
    members: int = 10_000  # files in an archive
    line_bytes: int = 10_000_000  # of a line of text
    columns: int = 10_000  # of a table of text
    vertices: int = 5_000_000  # of one shape
    parts: int = 200_000  # of one shape
    crossings: int = 1_000_000  # of one ring with itself
    pixels: int = 500_000_000  # of a raster that is read whole

    def __post_init__(self) -> None:
        for one in fields(self):
            value = getattr(self, one.name)
            if isinstance(value, bool) or not isinstance(value, int) or value < 1:
                raise SourceError(f"the limit {one.name} is {value!r}: expected a whole number "
                                  "above 0")


    def __repr__(self) -> str:
        moved = [f"{one.name}={getattr(self, one.name)}" for one in fields(self)
                 if getattr(self, one.name) != one.default]
        return f"Limits({', '.join(moved)})"


#: What holds where nobody says otherwise.
USUAL = Limits()

#: Below this size nothing is too much of a growth.
SMALL_BYTES = 100_000_000


def check_grown(size: int, path: Path, packed: int, limits: Limits) -> None:
    """Raise where a packed file of some bytes would grow beyond measure.

    Examples
    --------
    >>> check_grown(10**9, Path("a.zip"), 1_000, USUAL)
    Traceback (most recent call last):
    gridmap.errors.SourceError: a.zip would unpack to 1,000,000,000 bytes, beyond measure: it is \
not opened. Raise the limit unpacked_bytes or unpacked_times if that is what it should hold
    """
    if size > limits.unpacked_bytes or (
            size > SMALL_BYTES and size > limits.unpacked_times * packed):
        raise SourceError(
            f"{path} would unpack to {size:,} bytes, beyond measure: it is not opened. Raise the "
            "limit unpacked_bytes or unpacked_times if that is what it should hold"
        )


def check_files(path: Path, limits: Limits, *, whole: bool) -> None:
    """Raise unless a file and all that lie beside it are plain files of a size to be read.

    A pipe would be waited for without end, and a device never ends; GDAL opens what lies
    beside a file without being asked.

    Raises
    ------
    SourceError
        Names the file and what it is.
    """
    beside = [path]
    if path.is_dir():
        beside += path.iterdir()
    else:
        beside += [one for one in path.parent.iterdir() if one != path and
                   one.name.startswith((f"{path.stem}.", f"{path.name}-"))]
    for one in beside:
        try:
            mode, size = one.stat().st_mode, one.stat().st_size
        except FileNotFoundError:  # a link to nothing
            continue
        except OSError as error:
            raise SourceError(f"{one} cannot be read: {error.strerror or error}") from error
        if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):
            raise SourceError(f"{one} is a pipe or a device, not a file: it is not opened")
        most = limits.whole_bytes if whole else limits.file_bytes
        if one == path and stat.S_ISREG(mode) and size > most:
            name = "whole_bytes" if whole else "file_bytes"
            raise SourceError(
                f"{path} has {size:,} bytes, more than the {most:,} that are read. Split it, or "
                f"raise the limit {name}"
            )


def make_limits(entries: Mapping[str, Any]) -> Limits:
    """Return limits with some of them raised.

    Raises
    ------
    SourceError
        If there is no such limit, or a value is no whole number above 0.

    Examples
    --------
    >>> make_limits({"cells": 3})
    Traceback (most recent call last):
    gridmap.errors.SourceError: there is no limit cells. Limits are file_bytes, whole_bytes, \
unpacked_bytes, unpacked_times, members, line_bytes, columns, vertices, parts, crossings, pixels
    """
    known = [one.name for one in fields(Limits)]
    strange = [name for name in entries if name not in known]
    if strange:
        raise SourceError(f"there is no limit {strange[0]}. Limits are {', '.join(known)}")
    return Limits(**entries)

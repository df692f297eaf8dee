"""Compound files, as old Excel writes them: whether the chains of their sectors end.

A reader that follows a damaged chain in a circle takes all the memory there is, and the
process ends without a word. So the chains are walked here before anybody reads the file.
"""

from __future__ import annotations

import struct

import numpy as np
from numpy.typing import NDArray

from ..errors import SourceError

MAGIC = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"

_HEADER = 512
_IN_HEADER = 109  # places of allocation sectors that the header itself lists
_SPECIAL = 0xFFFFFFFA  # from here on a number is no sector: end of a chain, free, and so on


def check_compound(content: bytes) -> None:
    """Raise unless every chain of sectors in a compound file comes to an end.

    Parameters
    ----------
    content : bytes
        The whole file.

    Raises
    ------
    SourceError
        If its header is cut short or wrong, or a chain runs in a circle or out of the file.

    References
    ----------
    Microsoft, [MS-CFB] Compound File Binary File Format: sector shift at byte 30, first
    sector of the directory at 48, of the mini allocation table at 60, of further places of
    the allocation table at 68, the first 109 places from 76 on.
    """
    if len(content) < _HEADER or not content.startswith(MAGIC):
        raise SourceError("it is no compound file, or cut short within its header")
    shift = struct.unpack_from("<H", content, 30)[0]
    if shift not in (9, 12):
        raise SourceError("its header gives sectors of a size that there is not")
    sectors = _sectors(content, 1 << shift)
    first_mini, _, first_more = struct.unpack_from("<III", content, 60)
    first_name = struct.unpack_from("<I", content, 48)[0]
    table = _table(sectors, _places(content, sectors, first_more))
    _check_ends(table)
    _check_ends(_table(sectors, _chain(table, first_mini)))
    names = _chain(table, first_name)
    if not names or (max(names) + 2) << shift > len(content):
        raise SourceError("it ends before the names of its streams")


def _sectors(content: bytes, size: int) -> NDArray[np.uint32]:
    """Return the sectors after the header as rows of numbers, the last one filled up."""
    body = content[size:]
    body += bytes(-len(body) % size)
    return np.frombuffer(body, dtype="<u4").reshape(-1, size // 4)


def _places(content: bytes, sectors: NDArray[np.uint32], more: int) -> list[int]:
    """Return the sectors that hold the allocation table."""
    listed = list(struct.unpack_from(f"<{_IN_HEADER}I", content, 76))
    seen: set[int] = set()
    while more < _SPECIAL:
        if more in seen or more >= len(sectors):
            raise SourceError("the list of its allocation sectors does not end")
        seen.add(more)
        listed += sectors[more, :-1].tolist()
        more = int(sectors[more, -1])
    return [place for place in listed if place < _SPECIAL]


def _table(sectors: NDArray[np.uint32], places: list[int]) -> NDArray[np.uint32]:
    if any(place >= len(sectors) for place in places):
        raise SourceError("it ends before its allocation table")
    return sectors[places].ravel()


def _chain(table: NDArray[np.uint32], start: int) -> list[int]:
    """Return the sectors of a chain, which is known to end."""
    chain = []
    while start < _SPECIAL:
        if start >= len(table):
            raise SourceError("it ends before its allocation table")
        chain.append(start)
        start = int(table[start])
    return chain


def _check_ends(table: NDArray[np.uint32]) -> None:
    """Raise unless all chains end: after as many steps as there are sectors, none goes on.

    Each round doubles the number of steps, so that a few rounds are enough.
    """
    known = len(table)
    reach = np.where(table >= _SPECIAL, known, np.minimum(table, known)).astype(np.int64)
    reach = np.r_[reach, known]
    for _ in range(known.bit_length() + 1):
        reach = reach[reach]
    if (reach != known).any():
        raise SourceError("a chain of its sectors runs in a circle")

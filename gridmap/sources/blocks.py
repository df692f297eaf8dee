"""A text file in blocks of whole lines, by which two states of it are held against each other.

Blocks end where the text around an end of line says so, not at a number of bytes: rows that
come or go move the blocks behind them, and leave their borders where they were.
"""

from __future__ import annotations

import hashlib
import mmap
from collections.abc import Mapping, Sequence
from difflib import SequenceMatcher
from pathlib import Path
from typing import NamedTuple

import numpy as np

#: Bytes of a block at least, and what of its border is looked for in.
BLOCK_BYTES = 1 << 16

#: No line is longer in a file that is read in blocks, nor is its header.
_LINE_BYTES = 100_000

_MARK = b"\xef\xbb\xbf"


class Block(NamedTuple):
    """Some whole lines of a text."""

    hash: str
    lines: int


class Cut(NamedTuple):
    """A text in blocks: plain lines none of which is empty."""

    header: bytes  # the first line, without a byte order mark
    blocks: list[Block]
    starts: list[int]  # byte at which each block begins, and the end of the text


class Stretch(NamedTuple):
    """Blocks of a text that stand one after the other, in both states of it or in the new one."""

    old: int | None  # the first block in the old state; None where it has none of them
    new: int  # the first block in the new state
    size: int


def cut_text(
    path: Path, *, known: Mapping[str, int] | None = None, block_bytes: int = BLOCK_BYTES
) -> Cut | None:
    """Cut a text file into blocks of whole lines.

    Parameters
    ----------
    path : Path
        Text in an encoding that keeps ASCII bytes for ends of lines.
    known : mapping, optional
        Hash -> lines of blocks that were looked at before.
    block_bytes : int, default 65,536
        A block has so many bytes at least, and a quarter more at most where lines are short.

    Returns
    -------
    Cut or None
        None where a line is empty or very long, or has other control characters than tabs.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> file = pathlib.Path(tempfile.mkdtemp(), "a.csv")
    >>> _ = file.write_text("code,x\\n07,1\\n08,2\\n")
    >>> cut = cut_text(file)
    >>> cut.header, [block.lines for block in cut.blocks]
    (b'code,x\\n', [2])
    """
    known = known or {}
    if not path.stat().st_size:
        return None
    with path.open("rb") as stream, mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as body:
        start = body.find(b"\n", 0, _LINE_BYTES) + 1
        header = body[:start].removeprefix(_MARK)
        if not start or not _count_lines(header):
            return None
        blocks, starts = [], [start]
        while starts[-1] < len(body):
            end = _find_end(body, starts[-1], block_bytes)
            text = body[starts[-1]:end]
            name = hashlib.sha256(text).hexdigest()
            lines = known.get(name) or _count_lines(text)
            if not lines or len(text) > 2 * block_bytes + _LINE_BYTES:
                return None
            blocks.append(Block(name, lines))
            starts.append(end)
        return Cut(header, blocks, starts)


def _find_end(body: mmap.mmap, start: int, block_bytes: int) -> int:
    """Return the end of a block: of the ends of lines in reach the one whose text is least."""
    low, reach = start + block_bytes, max(block_bytes // 4, 128)
    if low + reach + 8 >= len(body):
        return len(body)
    octets = np.frombuffer(body[low - 8:low + reach + 8], dtype=np.uint8)
    ends = np.flatnonzero(octets[8:-8] == ord("\n")) + 9  # after the end of the line
    if not len(ends):
        end = body.find(b"\n", low + reach)
        return len(body) if end < 0 else end + 1
    words = np.ndarray((len(octets) - 7,), dtype="<u8", buffer=octets, strides=(1,))
    mixed = (words[ends - 9] ^ (words[ends] * np.uint64(0x9E3779B97F4A7C15)))
    mixed = (mixed ^ (mixed >> np.uint64(29))) * np.uint64(0xBF58476D1CE4E5B9)
    return int(low - 8 + ends[np.argmin(mixed ^ (mixed >> np.uint64(32)))])


def _count_lines(text: bytes) -> int:
    """Return the lines of a text; 0 where one is empty or holds odd control characters."""
    octets = np.frombuffer(text, dtype=np.uint8)
    end = octets == ord("\n")
    ends = int(np.count_nonzero(end))
    if text[:1] in (b"\n", b"\r") or (end[1:] & end[:-1]).any():
        return 0
    odd = int(np.count_nonzero(octets < ord(" "))) - ends
    if odd:  # else counting would be for nothing
        returns = text.count(b"\r")
        if odd != returns + text.count(b"\t") or returns != text.count(b"\r\n"):
            return 0
        if b"\n\r" in text:
            return 0
    return ends + (not text.endswith(b"\n"))


def match_blocks(old: Sequence[Block], new: Sequence[Block]) -> list[Stretch]:
    """Say which blocks of a text are those of an older state of it.

    A stretch that the old state has not ends with a block that it has, where one is left: if
    a quote is left open in it, then it shows there.

    Parameters
    ----------
    old, new : sequence of Block

    Returns
    -------
    list of Stretch
        All blocks of the new state, in order.

    Examples
    --------
    >>> a, b, c, d, x = (Block(name, 1) for name in "abcdx")
    >>> [tuple(one) for one in match_blocks([a, b, c, d], [a, x, c, d])]
    [(0, 0, 1), (None, 1, 2), (3, 3, 1)]
    """
    same = SequenceMatcher(None, old, new, autojunk=False).get_matching_blocks()
    told: list[Stretch] = []
    done = 0
    for first, start, count in same:
        skip = int(start > done)  # the first of these blocks goes with those before it
        if first + count == len(old) and start + count < len(new):
            count -= 1  # nothing showed so far that its last line ends
        if count > skip:
            if start + skip > done:
                told.append(Stretch(None, done, start + skip - done))
            told.append(Stretch(first + skip, start + skip, count - skip))
            done = start + count
    if done < len(new):
        told.append(Stretch(None, done, len(new) - done))
    return told

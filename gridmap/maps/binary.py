"""Numbers as compact bytes, and bytes as text that fits into a page.

A block is a run of numbers as LEB128 (seven bits a byte, the eighth says that more
follow), deflated and written in base64. The page reads it with ``page/engine/decode.js``.
"""

from __future__ import annotations

import base64
import json
import zlib
from typing import Any

import numpy as np


def varints(numbers: np.ndarray) -> bytes:
    """Write whole numbers of 0 to 2^42 as LEB128.

    Examples
    --------
    >>> list(varints(np.array([1, 127, 128, 300])))
    [1, 127, 128, 1, 172, 2]
    """
    rest = np.asarray(numbers, dtype="uint64")
    length = np.ones(len(rest), dtype="int64")
    for more in range(1, 6):
        length += (rest >> np.uint64(7 * more)) > 0
    written = np.zeros(length.sum(), dtype="uint8")
    start = np.cumsum(length) - length
    for place in range(int(length.max(initial=0))):
        here = length > place
        bits = (rest[here] >> np.uint64(7 * place)) & np.uint64(127)
        follows = np.where(length[here] > place + 1, 128, 0)
        written[start[here] + place] = bits.astype("uint8") | follows.astype("uint8")
    return written.tobytes()


def zigzag(numbers: np.ndarray) -> np.ndarray:
    """Map whole numbers of either sign to those from 0: 0, -1, 1, -2 to 0, 1, 2, 3.

    Examples
    --------
    >>> zigzag(np.array([0, -1, 1, -2])).tolist()
    [0, 1, 2, 3]
    """
    signed = np.asarray(numbers, dtype="int64")
    return ((signed << 1) ^ (signed >> 63)).astype("uint64")


def steps(numbers: np.ndarray) -> bytes:
    """Write whole numbers as the steps from one to the next, the first from 0.

    Examples
    --------
    >>> list(steps(np.array([5, 4, 6])))
    [10, 1, 4]
    """
    return varints(zigzag(np.diff(np.asarray(numbers, dtype="int64"), prepend=0)))


def pack(content: bytes, *, level: int = 9, repeats: bool = True) -> str:
    """Deflate bytes and write them in base64.

    Parameters
    ----------
    content : bytes
        What to pack.
    level : int, default 9
        Of deflate.
    repeats : bool, default True
        Whether to look for repeated runs. Without them, as in millions of points, coding
        single bytes is ten times faster and comes out a tenth smaller.

    Examples
    --------
    >>> unpack(pack(b"grid")), unpack(pack(b"grid", repeats=False))
    (b'grid', b'grid')
    """
    strategy = zlib.Z_DEFAULT_STRATEGY if repeats else zlib.Z_HUFFMAN_ONLY
    deflate = zlib.compressobj(level, zlib.DEFLATED, 15, 9, strategy)
    packed = deflate.compress(content) + deflate.flush()
    return base64.b64encode(packed).decode("ascii")


def pack_smaller(content: bytes) -> str:
    """Pack with or without a look for repeated runs, whichever comes out smaller.

    Examples
    --------
    >>> unpack(pack_smaller(b"grid"))
    b'grid'
    """
    return min(pack(content), pack(content, repeats=False), key=len)


def unpack(block: str) -> bytes:
    """Return the bytes of a block.

    Examples
    --------
    >>> unpack(pack(b""))
    b''
    """
    return zlib.decompress(base64.b64decode(block))


def pack_text(content: Any) -> str:
    """Pack anything that JSON can hold.

    Examples
    --------
    >>> unpack(pack_text({"name": "䶮"})).decode()
    '{"name":"䶮"}'
    """
    text = json.dumps(content, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return pack(text.encode("utf-8"))


def morton(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Interleave the bits of two whole numbers below 2^31, so that neighbours stay near.

    Examples
    --------
    >>> morton(np.array([1, 0, 3]), np.array([0, 1, 3])).tolist()
    [1, 2, 15]
    """
    return _spread(x) | (_spread(y) << np.uint64(1))


def _spread(numbers: np.ndarray) -> np.ndarray:
    spread = np.asarray(numbers).astype("uint64")
    for shift, mask in (
        (16, 0x0000FFFF0000FFFF), (8, 0x00FF00FF00FF00FF), (4, 0x0F0F0F0F0F0F0F0F),
        (2, 0x3333333333333333), (1, 0x5555555555555555),
    ):
        spread = (spread | (spread << np.uint64(shift))) & np.uint64(mask)
    return spread

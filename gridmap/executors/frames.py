"""Values as bytes between our own processes: large arrays stay apart and are never copied.

What comes through here was written a moment ago by the process at the other end of a pipe,
which this package started or was started by. No file, no socket and no input of a user is
ever unpickled.
"""

from __future__ import annotations

import mmap
import pickle
import struct
from pathlib import Path
from typing import IO, Any, NamedTuple

#: Where buffers begin in a file: what arrays and Arrow like best.
ALIGN = 64

_HEAD = struct.Struct("<QI")
_SIZE = struct.Struct("<Q")


class Packed(NamedTuple):
    """A value in two: how it hangs together, and its arrays as they lie in memory."""

    head: bytes | bytearray
    buffers: list[Any]


class Mapped(NamedTuple):
    """A value whose arrays lie in a file that workers map into memory.

    The file holds plain numbers only; how they hang together travels by pipe. So no file is
    ever unpickled.
    """

    head: bytes | bytearray
    path: str
    places: tuple[tuple[int, int], ...]  # first byte, and number of bytes


def pack(value: Any) -> Packed:
    """Return a value as bytes, ready to be sent; its arrays are not copied.

    Examples
    --------
    >>> import numpy as np
    >>> packed = pack({"a": np.arange(3)})
    >>> len(packed.buffers), unpack(packed)["a"].tolist()
    (1, [0, 1, 2])
    """
    kept: list[pickle.PickleBuffer] = []
    head = pickle.dumps(value, protocol=5, buffer_callback=kept.append)
    return Packed(head, [buffer.raw() for buffer in kept])


def unpack(packed: Packed) -> Any:
    """Return the value that was packed, in the process at the other end."""
    return pickle.loads(packed.head, buffers=packed.buffers)


def send(stream: IO[bytes], packed: Packed) -> None:
    """Write a packed value to a pipe: its head, then its buffers."""
    stream.write(_HEAD.pack(len(packed.head), len(packed.buffers)))
    stream.write(packed.head)
    for raw in packed.buffers:
        stream.write(_SIZE.pack(len(raw)))
        stream.write(raw)
    stream.flush()


def receive(stream: IO[bytes]) -> Packed:
    """Read a packed value from a pipe that one of our own processes holds at the other end.

    Raises
    ------
    EOFError
        If the other end is gone.
    """
    length, count = _HEAD.unpack(_read(stream, _HEAD.size))
    head = _read(stream, length)
    # writable, as what arrives is to be like what was sent
    return Packed(head, [_read(stream, _SIZE.unpack(_read(stream, _SIZE.size))[0])
                         for _ in range(count)])


def _read(stream: IO[bytes], size: int) -> bytearray:
    raw = bytearray(size)
    view, at = memoryview(raw), 0
    while at < size:
        got = stream.readinto(view[at:])  # type: ignore[attr-defined]
        if not got:
            raise EOFError("the other end of the pipe is gone")
        at += got
    return raw


def save_mapped(value: Any, path: Path) -> Mapped:
    """Write the arrays of a value to a file of plain numbers.

    Examples
    --------
    >>> import tempfile
    >>> import numpy as np
    >>> kept = save_mapped({"a": np.arange(3)}, Path(tempfile.mkdtemp(), "shared"))
    >>> load_mapped(kept)["a"].tolist()
    [0, 1, 2]
    """
    packed, places = pack(value), []
    with path.open("wb") as file:
        for raw in packed.buffers:
            file.write(b"\0" * (-file.tell() % ALIGN))
            places.append((file.tell(), len(raw)))
            file.write(raw)
    return Mapped(packed.head, str(path), tuple(places))


def load_mapped(kept: Mapped) -> Any:
    """Return the value; its arrays are read from the map, and cannot be written to."""
    if not any(length for _, length in kept.places):
        return pickle.loads(kept.head, buffers=[b"" for _ in kept.places])
    with open(kept.path, "rb") as file:
        view = memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
    return pickle.loads(
        kept.head, buffers=[view[first : first + length] for first, length in kept.places])

"""Values as bytes between our own processes: large arrays stay apart and are never copied."""

from __future__ import annotations

import mmap
import pickle
import struct
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

#: Where buffers begin in a file: what arrays and Arrow like best.
ALIGN = 64

_HEAD = struct.Struct("<QI")
_SIZE = struct.Struct("<Q")


class Mapped(NamedTuple):
    """A value whose arrays lie in a file that workers map into memory.

    The file holds plain numbers only; how they hang together travels by pipe. So no file is
    ever unpickled.
    """

    head: bytes
    path: str
    places: tuple[tuple[int, int], ...]  # first byte, and number of bytes


def send(stream: BinaryIO, value: Any) -> None:
    """Write a value to a pipe: its head, then its buffers."""
    buffers: list[pickle.PickleBuffer] = []
    head = pickle.dumps(value, protocol=5, buffer_callback=buffers.append)
    stream.write(_HEAD.pack(len(head), len(buffers)))
    stream.write(head)
    for buffer in buffers:
        raw = buffer.raw()
        stream.write(_SIZE.pack(raw.nbytes))
        stream.write(raw)
    stream.flush()


def receive(stream: BinaryIO) -> Any:
    """Read a value from a pipe that one of our own processes holds at the other end.

    Raises
    ------
    EOFError
        If the other end is gone.
    """
    length, count = _HEAD.unpack(_read(stream, _HEAD.size))
    head = _read(stream, length)
    # writable, as what arrives is to be like what was sent
    buffers = [_read(stream, _SIZE.unpack(_read(stream, _SIZE.size))[0]) for _ in range(count)]
    return pickle.loads(head, buffers=buffers)


def _read(stream: BinaryIO, size: int) -> bytearray:
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
    buffers: list[pickle.PickleBuffer] = []
    head = pickle.dumps(value, protocol=5, buffer_callback=buffers.append)
    places = []
    with path.open("wb") as file:
        for buffer in buffers:
            raw = buffer.raw()
            file.write(b"\0" * (-file.tell() % ALIGN))
            places.append((file.tell(), raw.nbytes))
            file.write(raw)
    return Mapped(head, str(path), tuple(places))


def load_mapped(kept: Mapped) -> Any:
    """Return the value; its arrays are read from the map, and cannot be written to."""
    size = Path(kept.path).stat().st_size
    if not size:
        return pickle.loads(kept.head, buffers=[b"" for _ in kept.places])
    with open(kept.path, "rb") as file:
        view = memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
    return pickle.loads(
        kept.head, buffers=[view[first : first + length] for first, length in kept.places])

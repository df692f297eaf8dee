"""Where arrays of Arrow lie in memory, and the boxes of those that are known by it."""

from __future__ import annotations

from collections.abc import Hashable, Iterator

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

#: What tells apart stretches of memory: kinds and addresses.
Memory = tuple[Hashable, ...]

#: West, south, east, north.
Box = tuple[float, float, float, float]

#: Rows whose box is told, by the memory of their western sides. Whoever tells it holds the
#: memory, and takes it back before letting go.
BOXES: dict[Memory, Box] = {}


def tell_array(array: pa.Array) -> Memory:
    """Return where an array lies; two that lie in the same place are the same.

    Examples
    --------
    >>> some = pa.array([1, 2, 3])
    >>> tell_array(some) == tell_array(some), tell_array(some) == tell_array(some.slice(1))
    (True, False)
    """
    held = [None if buffer is None else (buffer.address, buffer.size)
            for buffer in array.buffers()]
    words = tell_array(array.dictionary) if pa.types.is_dictionary(array.type) else ()
    return (array.type, array.offset, len(array), *held, words)


def measure_box(west: object, south: object, east: object, north: object) -> Box:
    """Return the box of some rows; see `squares.find_meeting`.

    Examples
    --------
    >>> measure_box([0.0, 1.0], [5.0, 6.0], [np.nan, 9.0], [np.nan, np.nan])
    (0.0, 5.0, 9.0, 6.0)
    """
    sides = [np.asarray(side) for side in (west, south, east, north)]
    # Adding 0 leaves one zero of two: which of them is less depends on the order of rows.
    least = [float(np.fmin.reduce(side, initial=np.nan)) + 0.0 for side in sides[:2]]
    most = [float(np.fmax.reduce(np.concatenate([one, two]), initial=np.nan)) + 0.0
            for one, two in ((sides[0], sides[2]), (sides[1], sides[3]))]
    return least[0], least[1], most[0], most[1]


def find_box(
    west: pa.ChunkedArray, south: pa.ChunkedArray, east: pa.ChunkedArray, north: pa.ChunkedArray
) -> Box:
    """Return the box of all rows of a table; rows whose box is known are not looked at.

    Examples
    --------
    >>> x = pa.chunked_array([[0.0], [5.0]])
    >>> none = pa.chunked_array([[None, None]], pa.float64())
    >>> find_box(x, x, none, none)
    (0.0, 0.0, 5.0, 5.0)
    """
    boxes, at = [], 0
    for chunk in west.chunks:
        known = BOXES.get(tell_array(chunk))
        boxes.append(known or measure_box(
            *(side.slice(at, len(chunk)).to_numpy() for side in (west, south, east, north))))
        at += len(chunk)
    sides = np.array(boxes).reshape(-1, 4).T
    return measure_box(*sides)


def find_near(
    column: pa.ChunkedArray, boxes: NDArray[np.float64]
) -> Iterator[tuple[int, int]]:
    """Yield stretches of rows, start and number, that may meet any of some boxes.

    Parameters
    ----------
    column : ChunkedArray
        The western sides of a table.
    boxes : array of float
        West, south, east, north of each.

    Examples
    --------
    >>> list(find_near(pa.chunked_array([[0.0], [5.0]]), np.array([[0.0, 0, 1, 1]])))
    [(0, 1), (1, 1)]
    """
    at = 0
    for chunk in column.chunks:
        west, south, east, north = BOXES.get(tell_array(chunk), (-np.inf, -np.inf, np.inf, np.inf))
        meets = ((boxes[:, 0] <= east) & (boxes[:, 1] <= north)
                 & (boxes[:, 2] >= west) & (boxes[:, 3] >= south))
        if meets.any():
            yield at, len(chunk)
        at += len(chunk)

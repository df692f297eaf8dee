"""Which of millions of boxes may meet any of a few: told by a table of squares, at one look each.

Summed-area table: F. Crow, *Summed-area tables for texture mapping*, SIGGRAPH 1984.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Flags = NDArray[np.bool_]
Floats = NDArray[np.float64]

#: Squares, either way, that the ground of boxes is told by: more of them for many rows.
_SQUARES, _FEWER = 1_024, 128
_MANY_ROWS = 200_000


def find_meeting(
    west: Floats, south: Floats, east: Floats, north: Floats, boxes: Floats
) -> Flags:
    """Say which rows may meet any of some boxes: all that do, and a few beside.

    The ground of the boxes is cut into squares; a table of sums tells at once whether any of
    the squares beneath a row is one of theirs.

    Parameters
    ----------
    west, south, east, north : array of float
        The box of each row; east and north are missing where it is a point, and all of them
        where it has no place.
    boxes : array of float
        West, south, east, north of each.

    Examples
    --------
    >>> x, y, none = np.array([0.0, 0.5, 9.0]), np.array([0.0, 9.0, 9.0]), np.full(3, np.nan)
    >>> find_meeting(x, y, none, none, np.array([[0.0, 0, 1, 1], [8, 8, 9, 9]])).tolist()
    [True, False, True]
    """
    flags = np.zeros(len(west), dtype=bool)
    if not len(boxes):
        return flags
    least, most = boxes[:, :2].min(axis=0), boxes[:, 2:].max(axis=0)
    near = np.flatnonzero((west <= most[0]) & (south <= most[1]))
    east, north = np.fmax(west[near], east[near]), np.fmax(south[near], north[near])
    inside = (east >= least[0]) & (north >= least[1])
    near, east, north = near[inside], east[inside], north[inside]
    many = _SQUARES if len(west) > _MANY_ROWS else _FEWER
    left, right = (_number(side, least[0], most[0], many) for side in (west[near], east))
    below, above = (_number(side, least[1], most[1], many) for side in (south[near], north))
    sums = _sum_squares(np.stack([_number(boxes[:, side], least[side % 2], most[side % 2], many)
                                  for side in range(4)]), many)
    squares = (sums[above + 1, right + 1] - sums[below, right + 1] - sums[above + 1, left]
               + sums[below, left])
    flags[near[squares > 0]] = True
    return flags


def widen(boxes: Floats, by: float) -> Floats:
    """Return boxes that reach farther on every side.

    Examples
    --------
    >>> widen(np.array([[0.0, 0.0, 1.0, 1.0]]), 0.5).tolist()
    [[-0.5, -0.5, 1.5, 1.5]]
    """
    return boxes + np.array([-by, -by, by, by])


def _number(values: Floats, least: float, most: float, many: int) -> NDArray[np.int64]:
    """Return the squares that coordinates lie in, in one direction."""
    step = max((most - least) / many, 1e-9)
    numbers: NDArray[np.int64] = np.clip((values - least) / step, 0, many).astype(np.int64)
    return numbers


def _sum_squares(boxes: NDArray[np.int64], many: int) -> NDArray[np.int64]:
    """Return how many squares below and left of each corner lie in any of some boxes."""
    west, south, east, north = boxes
    edges = np.zeros((many + 2, many + 2), dtype=np.int64)
    for rows, sides, sign in ((south, west, 1), (south, east + 1, -1), (north + 1, west, -1),
                               (north + 1, east + 1, 1)):
        np.add.at(edges, (rows, sides), sign)
    marked = edges.cumsum(axis=0).cumsum(axis=1)[:-1, :-1] > 0
    sums = np.zeros((many + 2, many + 2), dtype=np.int64)
    sums[1:, 1:] = marked.cumsum(axis=0).cumsum(axis=1)
    return sums

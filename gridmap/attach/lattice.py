"""A lattice over polygons: which square is wholly in one, and which edges cross the others.

For a square that edges cross, one side that none of them touches is looked for: all of it
has one label, the *base*. The label of a point in the square is the base plus the jumps of
the edges between the point and that side, which takes nothing but asking on which side of
an edge a point lies. Squares touched on all four sides borrow the edges of the squares
below them, down to the first with a free lower side.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..errors import SchemaError

#: Squares for each edge: fewer make longer lists of edges, more make more to look through.
SQUARES_PER_EDGE = 8
FEWEST, MOST = 1_000, 16_000_000

#: More squares than this are a mistake: their numbers would need eight bytes.
LARGEST = 200_000_000


class Lattice(NamedTuple):
    """Squares in rows from below and columns from the left, with an empty margin."""

    x: float
    y: float
    side: float
    columns: int
    rows: int


class Cells(NamedTuple):
    """Squares with what is needed to tell the label of any point in them.

    ``raster`` holds, row by row, for each square the number of the polygon that covers all
    of it, -1 where none does, `SHARED` where several do, and ``-2 - k`` for a square that
    edges cross, of which ``head[k]`` tells the base and ``first << 24 | count << 2 | side``:
    its edges are ``count`` rows of ``edges`` from ``first`` on, turned so that the free side
    lies below: from u1 to u2, at w1 + (u - u1) * slope, and the jump when going up over it.
    So a row is u1, u2, w1, slope, jump. Nearer to an edge than ``tolerance`` rounding can
    matter.
    """

    raster: NDArray[np.int32]
    head: NDArray[np.int64]
    edges: NDArray[np.float64]
    tolerance: float


#: In ``raster``: the square lies in several polygons, and no edge crosses it.
SHARED = int(np.iinfo(np.int32).min)


def lay_lattice(ends: NDArray[np.float64], *, side: float | None = None) -> Lattice:
    """Lay a lattice over edges, with a margin around them that no edge touches.

    The margin is one square and a half: edges must not run along the lines of the lattice,
    from where they would touch the squares on both sides.

    Parameters
    ----------
    ends : array of float
        x1, y1, x2, y2 of each edge.
    side : float, optional
        Side of a square; by default such that there are 8 squares for each edge.

    Returns
    -------
    Lattice

    Raises
    ------
    SchemaError
        If the side makes too many squares.

    Examples
    --------
    >>> lay_lattice(np.array([[0.0, 0.0, 4.0, 2.0]]), side=1.0)
    Lattice(x=-1.5, y=-1.5, side=1.0, columns=7, rows=5)
    """
    if not len(ends):
        return Lattice(0.0, 0.0, 1.0, 1, 1)
    left, below = ends[:, 0].min(), ends[:, 1::2].min()
    width, height = ends[:, 2].max() - left, ends[:, 1::2].max() - below
    if side is None:
        squares = min(max(SQUARES_PER_EDGE * len(ends), FEWEST), MOST)
        side = max(float(np.sqrt(width * height / squares)), max(width, height) / squares)
    columns, rows = int(width / side) + 3, int(height / side) + 3
    if columns * rows > LARGEST:
        raise SchemaError(
            f"side_m is {side:g}: that makes {columns * rows:,} squares, where {LARGEST:,} at "
            "most are needed"
        )
    margin = 1.5 * side
    return Lattice(float(left - margin), float(below - margin), float(side), columns, rows)

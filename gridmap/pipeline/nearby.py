"""Rows of a large table near some places, found among all of them once."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from . import arrow


class Nearby:
    """A table of millions of rows, of which those near some places are asked for.

    Parameters
    ----------
    table : Table
        Of a frame with places.

    Examples
    --------
    >>> from gridmap.sketch import sketch_points
    >>> near = Nearby(arrow.to_table(sketch_points((0, 0), (0.5, 0.5), (9, 9))))
    >>> near.take(np.array([[0.0, 0.0, 1.0, 1.0]])).index.tolist()
    ['e0', 'e1']
    """

    def __init__(self, table: pa.Table) -> None:
        self._all = table
        self._some = table.slice(0, 0)
        self._boxes = np.empty((0, 4))

    def take(self, boxes: NDArray[np.float64]) -> Any:
        """Return the frame of the rows that meet any of some boxes, and a few beside."""
        if not self._hold(boxes):
            self._some, self._boxes = _cut(self._all, boxes), boxes
            return arrow.to_frame(self._some)
        return arrow.to_frame(_cut(self._some, boxes))

    def _hold(self, boxes: NDArray[np.float64]) -> bool:
        """Say whether each box lies in one of those that rows were taken for."""
        west, south, east, north = self._boxes.T[:, :, None]
        inside = ((west <= boxes[:, 0]) & (south <= boxes[:, 1])
                  & (east >= boxes[:, 2]) & (north >= boxes[:, 3]))
        return bool(inside.any(axis=0).all())


def _cut(table: pa.Table, boxes: NDArray[np.float64]) -> pa.Table:
    return arrow.take(table, np.flatnonzero(arrow.find_meeting(table, boxes)))

"""Shapes that are too large to be worked on: a bound on vertices, parts and crossings."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from .account import Fault
from .limits import Limits

_NO_PLACE = "no place"

#: Smaller shapes are never tangled beyond measure; of larger ones so many edges are tried.
_FEW, _TRIED = 1_000, 200


def find_large(shapes: NDArray[Any], limits: Limits) -> list[Fault]:
    """Return the faults of shapes with too many vertices or parts.

    Examples
    --------
    >>> ring = shapely.Point(0, 0).buffer(1)
    >>> find_large(np.array([ring]), Limits(vertices=9))[0].reason
    'a shape of more than 9 vertices: raise the limit vertices if it is what it should be'
    """
    many = shapely.get_num_coordinates(shapes) > limits.vertices
    parts = shapely.get_num_geometries(shapes) > limits.parts
    told = "raise the limit {0} if it is what it should be"
    return [Fault(rows, _NO_PLACE, f"a shape of more than {most:,} {name}: {told.format(name)}")
            for rows, most, name in ((many, limits.vertices, "vertices"),
                                     (parts & ~many, limits.parts, "parts")) if rows.any()]


def without(shapes: NDArray[Any], rows: Sequence[NDArray[np.bool_]]) -> NDArray[Any]:
    """Return shapes of which some are missing."""
    if not rows:
        return shapes
    kept = shapes.copy()
    kept[np.logical_or.reduce(list(rows))] = None
    return kept


def find_tangled(shapes: NDArray[Any], invalid: NDArray[np.bool_], limits: Limits) -> Fault:
    """Return the fault of invalid shapes whose edges cross so often that mending has no end.

    The crossings are estimated from some of the edges.
    """
    tangled = np.zeros(len(shapes), dtype=bool)
    large = invalid & (shapely.get_num_coordinates(shapes) > _FEW)
    for at in np.flatnonzero(large):  # few
        tangled[at] = _crossings(shapes[at]) > limits.crossings
    return Fault(tangled, _NO_PLACE, f"edges that cross each other more than {limits.crossings:,} "
                 "times: it is not mended")


def _crossings(shape: Any) -> float:
    places, ring = shapely.get_coordinates(shapely.get_rings(shapely.get_parts(shape)),
                                           return_index=True)
    joined = np.flatnonzero(ring[1:] == ring[:-1])
    if not len(joined):
        return 0.0
    edges = shapely.linestrings(np.stack([places[joined], places[joined + 1]], axis=1))
    tried = edges[np.linspace(0, len(edges) - 1, min(_TRIED, len(edges))).astype(int)]
    met = shapely.STRtree(edges).query(tried, predicate="crosses").shape[1]
    return met / len(tried) * len(edges) / 2

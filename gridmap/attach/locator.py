"""The locator: which polygon covers a point, for millions of points.

Most points lie in a square of the lattice that is wholly in one polygon; the others ask the
few edges in their square. Where rounding could matter, on a border or within about 1e-9 m
of it, and where polygons overlap, GEOS decides, so that every answer is the one of GEOS.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any

import numpy as np
from geopandas import GeoDataFrame
from numpy.typing import NDArray
from pandas import Index

from .. import _compiling as compiling
from ..errors import SchemaError
from . import edges, exact, lattice, places, squares
from .edges import BITS, ONE
from .exact import Held
from .lattice import SHARED, Cells, Lattice
from .places import NOWHERE, UNSETTLED

ENGINES = ("compiled", "numpy", "geos")

#: Points that the numpy engine looks at together: what fits into the cache of a core.
CHUNK = 1 << 16


@dataclass(frozen=True, eq=False, slots=True)
class Locator:
    """Polygons made ready to tell which of them covers a point. Make it by `build_locator`."""

    codes: Index  # as given
    by_code: NDArray[np.intp]  # positions in ``codes``, in order of code
    polygons: NDArray[np.object_]  # in order of code
    crs: Any
    lattice: Lattice
    cells: Cells
    engine: str


def build_locator(
    grids: GeoDataFrame, *, engine: str | None = None, side_m: float | None = None
) -> Locator:
    """Make polygons ready to tell which of them covers a point.

    Parameters
    ----------
    grids : GeoDataFrame
        Valid polygons whose index is called grid, unit, territory or work_grid, in any CRS.
    engine : {"compiled", "numpy", "geos"}, optional
        "compiled" is the fastest and needs numba, which takes a few seconds when it is used
        for the first time; "geos" builds nothing. By default the first that is there. All
        give the same answers.
    side_m : float, optional
        Side of the squares of the lattice, in the unit of the CRS; by default chosen by the
        number of edges.

    Returns
    -------
    Locator

    Raises
    ------
    SchemaError
        If ``grids`` does not follow its schema, the engine is not there, or ``side_m`` makes
        more than 200 million squares.
    TilingError
        If a polygon is not valid.

    Examples
    --------
    >>> from gridmap.sketch import sketch_grids
    >>> locator = build_locator(sketch_grids("AB"), engine="numpy")
    >>> locate_points(locator, np.array([1.5, 1.0]), np.array([0.5, 0.5])).position.tolist()
    [1, 0]
    """
    places.check_holders(grids)
    chosen = engine or ("compiled" if find_spec("numba") else "numpy")
    if engine is None:
        _tell_compiling()
    if chosen not in ENGINES or (chosen == "compiled" and not find_spec("numba")):
        raise SchemaError(
            f"engine is {engine!r}: {', '.join(ENGINES)} is needed, and numba for the first"
        )
    by_code = places.order_of_code(grids)
    polygons = grids.geometry.to_numpy()[by_code]
    found = edges.find_edges(polygons if chosen != "geos" else polygons[:0])
    laid = lattice.lay_lattice(found.ends, side=side_m)
    cells = squares.build_cells(found, laid)
    return Locator(grids.index, by_code, polygons, grids.crs, laid, cells, chosen)


def locate_points(
    locator: Locator, x: NDArray[np.float64], y: NDArray[np.float64]
) -> Held:
    """Return the position of the polygon that holds each point.

    Among the polygons that cover a point, border included, the one whose code sorts first
    holds it.

    Parameters
    ----------
    locator : Locator
    x, y : array of float
        In the CRS of the locator. A coordinate that is not finite is nowhere.

    Returns
    -------
    Held
        ``position`` in ``locator.codes``, -1 where no polygon covers the point, and whether
        the point lies on the border of a polygon that covers it.

    Examples
    --------
    >>> from gridmap.sketch import sketch_grids
    >>> locator = build_locator(sketch_grids("AB"), engine="geos")
    >>> locate_points(locator, np.array([1.0]), np.array([0.5]))
    Held(position=array([0], dtype=int32), border=array([ True]))
    """
    x, y = np.ascontiguousarray(x, np.float64), np.ascontiguousarray(y, np.float64)
    number = _ENGINES[locator.engine](locator, x, y)
    border = np.zeros(len(x), dtype=bool)
    left = np.flatnonzero(number == UNSETTLED)
    if len(left):
        exactly = exact.find_first(locator.polygons, x[left], y[left])
        number[left] = exactly.position
        border[left] = exactly.border
    order = np.append(locator.by_code, NOWHERE).astype(np.int32)
    if np.array_equal(order[:-1], np.arange(len(order) - 1)):
        return Held(number, border)
    return Held(order[number], border)  # the last place answers for NOWHERE


def find_numbers(
    locator: Locator, x: NDArray[np.float64], y: NDArray[np.float64]
) -> NDArray[np.int32]:
    """Return the number of the polygon in order of code, for points that lie on no border.

    Parameters
    ----------
    locator : Locator
        With another engine than "geos".
    x, y : array of float
        Points in exactly one polygon, farther from every edge than rounding goes.

    Returns
    -------
    array of int

    Examples
    --------
    >>> from gridmap.sketch import sketch_grids
    >>> locator = build_locator(sketch_grids("AB").iloc[::-1], engine="numpy")
    >>> find_numbers(locator, np.array([0.5]), np.array([0.5])).tolist()
    [0]
    """
    return _ENGINES[locator.engine](locator, np.ascontiguousarray(x), np.ascontiguousarray(y))


def _tell_compiling() -> None:
    """Warn once where the kernel has to be compiled first, or numba is absent."""
    kernel = None
    if compiling.HAS_NUMBA:
        from . import kernels  # loads numba

        kernel = kernels.locate_points
    compiling.tell_compiling("locating points", kernel, lasts="some seconds",
                             slower="about three times slower")


def _locate_compiled(
    locator: Locator, x: NDArray[np.float64], y: NDArray[np.float64]
) -> NDArray[np.int32]:
    from . import kernels  # loads numba

    position = np.empty(len(x), dtype=np.int32)
    kernels.locate_points(x, y, *locator.lattice, *_kept(locator.cells), position)
    return position


def _kept(cells: Cells) -> Cells:
    """Give squares without a head one to read, so that the kernel needs no case for it."""
    if len(cells.head):
        return cells
    return cells._replace(head=np.zeros((1, 2), dtype=np.int64))


def _locate_numpy(
    locator: Locator, x: NDArray[np.float64], y: NDArray[np.float64]
) -> NDArray[np.int32]:
    position = np.empty(len(x), dtype=np.int32)
    for start in range(0, len(x), CHUNK):
        part = slice(start, start + CHUNK)
        position[part] = _look_up(locator, x[part], y[part])
    return position


def _look_up(
    locator: Locator, x: NDArray[np.float64], y: NDArray[np.float64]
) -> NDArray[np.int32]:
    laid, cells = locator.lattice, locator.cells
    inverse = 1.0 / laid.side  # as in the kernel; a product is cheaper than a quotient
    u, w = (x - laid.x) * inverse, (y - laid.y) * inverse
    inside = (u >= 0) & (u < laid.columns) & (w >= 0) & (w < laid.rows)
    if not inside.all():
        u, w = np.where(inside, u, 0), np.where(inside, w, 0)  # the margin is empty
    square = w.astype(np.int32) * np.int32(laid.columns) + u.astype(np.int32)
    position = cells.raster.take(square)
    position[position == SHARED] = UNSETTLED
    crossed = np.flatnonzero(position < NOWHERE)
    crossed = crossed[position[crossed] != UNSETTLED]
    label, sure = _follow(cells, -2 - position[crossed], x[crossed], y[crossed])
    covers = (label + (ONE >> 1)) >> BITS
    settled = np.where(covers == 1, label - ONE - 1, NOWHERE)
    position[crossed] = np.where(sure & (covers <= 1), settled, UNSETTLED)
    return position


def _follow(
    cells: Cells, number: NDArray[np.int32], x: NDArray[np.float64], y: NDArray[np.float64]
) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Walk along the edges in the squares of points: all first ones, all second ones, …"""
    head = cells.head[number]
    label, entry = head[:, 0].copy(), head[:, 1]
    side = entry & 3
    u, w = np.where(side < 2, x, y), np.where(side < 2, y, x)
    w = np.where(side & 1, -w, w)
    row, counts = entry >> 24, entry >> 2 & 0x3FFFFF
    sure = np.ones(len(x), dtype=bool)
    # The longest lists first: then the points still on their way are always the first ones.
    order = np.argsort(-counts, kind="stable")
    todo = np.searchsorted(-counts[order], -np.arange(counts.max(initial=0)))
    label, u, w, row = label[order], u[order], w[order], row[order]
    for step, active in enumerate(todo):
        line = cells.edges[row[:active] + step]
        at = u[:active]
        with np.errstate(invalid="ignore"):  # an upright edge has no slope
            above = w[:active] - (line[:, 2] + (at - line[:, 0]) * line[:, 3])
        right = line[:, 0] <= at
        label[:active] += np.where(right & (at < line[:, 1]) & (above > 0), line[:, 4],
                                   0).astype(np.int64)
        sure[:active] &= ~(right & (at <= line[:, 1]) & ~(np.abs(above) > cells.tolerance))
    back = np.empty_like(order)
    back[order] = np.arange(len(order))
    return label[back], sure[back]


def _ask_geos(
    locator: Locator, x: NDArray[np.float64], y: NDArray[np.float64]
) -> NDArray[np.int32]:
    return np.where(np.isfinite(x) & np.isfinite(y), UNSETTLED, NOWHERE).astype(np.int32)


_ENGINES = {"compiled": _locate_compiled, "numpy": _locate_numpy, "geos": _ask_geos}

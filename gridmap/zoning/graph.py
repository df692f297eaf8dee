"""The units as a graph: who borders whom, on how many metres."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import shapely
from geopandas import GeoDataFrame
from numpy.typing import NDArray
from scipy.sparse import coo_array, csr_array

from ..rules import BarrierRule
from . import barriers as lines
from . import segments


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class UnitGraph:
    """Units by position, with the borders between them as arcs, each in both directions.

    The arcs of unit ``i`` are ``start[i]`` to ``start[i + 1]``: ``neighbour`` says who,
    ``length`` on how many metres (0 for a bridge), ``barrier`` how strongly a grid border
    is wanted there (0 to 1). ``area`` and ``outline`` are of the unit in m² and metres,
    ``place`` is a point in it.
    """

    start: NDArray[np.int64]
    neighbour: NDArray[np.int64]
    length: NDArray[np.float64]
    barrier: NDArray[np.float64]
    area: NDArray[np.float64]
    outline: NDArray[np.float64]
    place: NDArray[np.float64]

    @property
    def size(self) -> int:
        """Number of units."""
        return len(self.area)

    @property
    def source(self) -> NDArray[np.int64]:
        """The unit that each arc starts from."""
        return np.repeat(np.arange(self.size), np.diff(self.start))


def build_graph(
    units: GeoDataFrame,
    *,
    barriers: GeoDataFrame | None = None,
    barrier_rule: BarrierRule | None = None,
    snap_m: float = 0.05,
) -> UnitGraph:
    """Make the graph of units that share a border.

    Two units are neighbours when they share more than a point (rook adjacency). Borders
    that do not match vertex by vertex are found as long as they run within ``snap_m``.

    Parameters
    ----------
    units : GeoDataFrame
        Polygons in a CRS in metres. Their order is kept: position in the graph is
        position in the frame.
    barriers : GeoDataFrame, schema BARRIERS, optional
        Lines that grids should follow, in the same CRS.
    barrier_rule : BarrierRule, optional
        Weights of their kinds; without it every line counts fully.
    snap_m : float, default 0.05
        How far apart two outlines may run and still be one border, in metres.

    Returns
    -------
    UnitGraph
        Units that border nobody have no arc.

    Examples
    --------
    >>> from gridmap.sketch import sketch_units
    >>> graph = build_graph(sketch_units("AB", "AC"))
    >>> graph.neighbour.tolist(), graph.length.tolist()
    ([1, 2, 0, 2, 0, 1], [1.0, 1.0, 1.0, 1.0, 1.0, 1.0])
    """
    shapes = units.geometry.to_numpy()
    shared = segments.share_segments(segments.cut_segments(shapes), snap_m=snap_m)
    strength = np.zeros(len(shared.length))
    if barriers is not None and len(barriers):
        strength = lines.measure_strength(shared, barriers, barrier_rule)
    start, neighbour, length = _rows(len(shapes), shared, shared.length)
    wanted = _rows(len(shapes), shared, shared.length * strength)[2]
    return UnitGraph(
        start=start,
        neighbour=neighbour,
        length=length,
        barrier=np.divide(wanted, length, out=np.zeros(len(length)), where=length > 0),
        area=shapely.area(shapes),
        outline=shapely.length(shapes),
        place=shapely.get_coordinates(shapely.point_on_surface(shapes)),
    )


def _rows(
    size: int, shared: segments.Shared, value: NDArray[np.float64]
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]:
    """Add up values per pair and lay them out as rows, both ways, neighbours in order."""
    rows = np.concatenate([shared.first, shared.second])
    columns = np.concatenate([shared.second, shared.first])
    both = coo_array((np.concatenate([value, value]), (rows, columns)), shape=(size, size))
    # Adding up in a fixed order keeps both directions of a border equal to the last bit.
    table = csr_array(both)
    table.sum_duplicates()
    table.sort_indices()
    return table.indptr.astype(np.int64), table.indices.astype(np.int64), table.data


def keep_arcs(graph: UnitGraph, keep: NDArray[np.bool_]) -> UnitGraph:
    """Return the graph with only those arcs for which ``keep`` is true.

    Examples
    --------
    >>> from gridmap.sketch import sketch_units
    >>> graph = build_graph(sketch_units("AB"))
    >>> keep_arcs(graph, graph.length > 2).neighbour.tolist()
    []
    """
    ends = np.concatenate([[0], np.cumsum(keep)])
    return UnitGraph(
        start=ends[graph.start].astype(np.int64),
        neighbour=graph.neighbour[keep],
        length=graph.length[keep],
        barrier=graph.barrier[keep],
        area=graph.area,
        outline=graph.outline,
        place=graph.place,
    )


def add_bridges(
    graph: UnitGraph, first: NDArray[np.int64], second: NDArray[np.int64]
) -> UnitGraph:
    """Return the graph with arcs of no length between pairs that do not touch.

    Examples
    --------
    >>> from gridmap.sketch import sketch_units
    >>> graph = build_graph(sketch_units("A.B"))
    >>> add_bridges(graph, np.array([0]), np.array([1])).neighbour.tolist()
    [1, 0]
    """
    if not len(first):
        return graph
    source = np.concatenate([graph.source, first, second])
    neighbour = np.concatenate([graph.neighbour, second, first])
    none = np.zeros(2 * len(first))
    order = np.lexsort((neighbour, source))
    count = np.bincount(source, minlength=graph.size)
    return UnitGraph(
        start=np.concatenate([[0], np.cumsum(count)]).astype(np.int64),
        neighbour=neighbour[order],
        length=np.concatenate([graph.length, none])[order],
        barrier=np.concatenate([graph.barrier, none])[order],
        area=graph.area,
        outline=graph.outline,
        place=graph.place,
    )


def take_units(graph: UnitGraph, which: NDArray[np.int64]) -> UnitGraph:
    """Return the graph of some units alone, in the order given, and the arcs among them.

    Examples
    --------
    >>> from gridmap.sketch import sketch_units
    >>> graph = build_graph(sketch_units("ABC"))
    >>> take_units(graph, np.array([2, 1])).neighbour.tolist()
    [1, 0]
    """
    from .kernels import arcs  # numba is slow to load

    start, arc, neighbour = arcs.take(graph.start, graph.neighbour, which)
    return UnitGraph(
        start=start,
        neighbour=neighbour,
        length=graph.length[arc],
        barrier=graph.barrier[arc],
        area=graph.area[which],
        outline=graph.outline[which],
        place=graph.place[which],
    )


def find_parts(graph: UnitGraph) -> tuple[int, NDArray[np.int64]]:
    """Return how many connected parts a graph has, and the part of each unit.

    Parts are numbered by their first unit.

    Examples
    --------
    >>> from gridmap.sketch import sketch_units
    >>> count, part = find_parts(build_graph(sketch_units("AB.C")))
    >>> count, part.tolist()
    (2, [0, 0, 1])
    """
    from .kernels import arcs  # numba is slow to load

    part, count = arcs.find_parts(graph.start, graph.neighbour)
    return int(count), part

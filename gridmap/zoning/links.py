"""Declared links between units that do not touch: bridges, ferries, tunnels."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from pandas import DataFrame, Index

from ..errors import PartitionError, listed
from . import graph as graphs
from .graph import UnitGraph


def add_links(graph: UnitGraph, codes: Index, links: DataFrame) -> UnitGraph:
    """Return the graph with declared links, as arcs of no length.

    Parameters
    ----------
    graph : UnitGraph
        Of units in the order of ``codes``.
    codes : Index
    links : DataFrame
        Columns ``unit`` and ``linked``: pairs of codes, in either direction. A pair that
        touches anyway changes nothing.

    Raises
    ------
    PartitionError
        If a column is absent or a code is not known.

    Examples
    --------
    >>> from gridmap.sketch import sketch_units
    >>> units = sketch_units("A.B")
    >>> ferry = DataFrame({"unit": ["A"], "linked": ["B"]})
    >>> add_links(graphs.build_graph(units), units.index, ferry).neighbour.tolist()
    [1, 0]
    """
    if not {"unit", "linked"} <= set(links.columns):
        raise PartitionError("links: columns unit and linked are needed, a pair of codes a row")
    ends = [_positions(codes, links[column].to_numpy()) for column in ("unit", "linked")]
    first, second = np.minimum(*ends), np.maximum(*ends)
    pairs = np.unique(first * np.int64(graph.size) + second)
    known = graph.source * np.int64(graph.size) + graph.neighbour
    new = pairs[~np.isin(pairs, known) & (pairs // graph.size != pairs % graph.size)]
    return graphs.add_bridges(graph, new // graph.size, new % graph.size)


def _positions(codes: Index, wanted: NDArray[np.object_]) -> NDArray[np.int64]:
    at = codes.get_indexer(Index(wanted))
    if (at < 0).any():
        unknown = [str(code) for code in wanted[at < 0]]
        raise PartitionError(f"links: {listed(unknown)} are no units", rows=unknown)
    return np.asarray(at, np.int64)

"""Distances or times along roads: to the nearest of many sources, or to each of them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import scipy  # its parts are loaded when they are first named
from numpy.typing import NDArray

from .network import Floats, Integers, Network, Spots, find_spots

#: Sources whose ways are searched together: 64 rows of 200,000 nodes are 100 MB.
TOGETHER = 64


class Pairs(NamedTuple):
    """What is near what: a place, a source, and the distance between the two."""

    place: Integers
    source: Integers
    distance: Floats


def measure_distances(network: Network, places: Floats, sources: Floats) -> Floats:
    """Return the distance of each place to the nearest source along a network.

    A place walks straight to the nearest point of the network, along it, and straight to the
    source.

    Parameters
    ----------
    network : Network
        As from `build_network`.
    places, sources : array of float
        x and y of each, in the CRS of the network.

    Returns
    -------
    array of float
        Metres, or minutes where the network has speeds; missing where no source can be
        reached.

    Examples
    --------
    >>> import geopandas, shapely, pandas as pd
    >>> from gridmap.coverage import build_network
    >>> road = geopandas.GeoDataFrame(
    ...     {"kind": ["road"]}, geometry=[shapely.LineString([(0, 0), (4, 0), (4, 3)])],
    ...     index=pd.Index(["r"], name="barrier", dtype="str"), crs="EPSG:32651")
    >>> network = build_network(road)
    >>> measure_distances(network, np.array([[1.0, 1.0]]), np.array([[4.0, 2.0]])).tolist()
    [6.0]
    """
    if not len(sources) or not len(places):
        return np.full(len(places), np.nan)
    return measure_from_spots(network, find_spots(network, places), sources)


def measure_from_spots(network: Network, spots: Spots, sources: Floats) -> Floats:
    """Return what `measure_distances` does, for places that are on the network already.

    Examples
    --------
    >>> import shapely
    >>> pieces = np.array([shapely.LineString([(0, 0), (4, 0)])])
    >>> ends = np.array([[0.0, 0.0], [4.0, 0.0]])
    >>> network = Network(ends, np.array([0]), np.array([1]), np.array([4.0]), pieces)
    >>> spots = find_spots(network, np.array([[1.0, 0.0]]))
    >>> measure_from_spots(network, spots, np.array([[3.0, 0.0]])).tolist()
    [2.0]
    """
    if not len(sources):
        return np.full(len(spots.piece), np.nan)
    starts = find_spots(network, sources)
    return _walk_to(_find_sides(network, spots, starts), reach_nodes(network, starts))


def _in_order(spots: Spots) -> Integers:
    return np.lexsort((spots.along, spots.piece))


def reach_nodes(network: Network, starts: Spots) -> Floats:
    """Return the distance of each node, and then of each start's spot, to the nearest start.

    The starts cut their pieces: a spot becomes a node, in order along the network, and the
    start itself another one, a walk away from it.

    Examples
    --------
    >>> import shapely
    >>> pieces = np.array([shapely.LineString([(0, 0), (4, 0)])])
    >>> ends = np.array([[0.0, 0.0], [4.0, 0.0]])
    >>> network = Network(ends, np.array([0]), np.array([1]), np.array([4.0]), pieces)
    >>> reach_nodes(network, find_spots(network, np.array([[1.0, 0.5]]))).tolist()
    [1.5, 3.5, 0.5]
    """
    order = _in_order(starts)
    size, cuts = len(network.nodes), len(order)
    graph = _cut(network, starts, order)
    reached: Floats = scipy.sparse.csgraph.dijkstra(
        graph, directed=False, indices=size + cuts + np.arange(cuts), min_only=True)
    return _by_start(reached, size, order)


def _by_start(reached: Floats, size: int, order: Integers) -> Floats:
    """Leave out the starts, and bring their spots from the order of cuts into their own."""
    told = reached[: size + len(order)].copy()
    told[size + order] = reached[size : size + len(order)]
    return told


def _cut(network: Network, starts: Spots, order: Integers) -> scipy.sparse.csr_array:
    """Return the graph whose pieces are cut at the spots of starts, in the given order."""
    piece, along, away = starts.piece[order], starts.along[order], starts.away[order]
    size, cuts = len(network.nodes), len(order)
    spot = size + np.arange(cuts)
    new = np.diff(piece, prepend=-1) != 0
    last = np.append(new[1:], True)
    whole = np.ones(len(network.tail), dtype=bool)
    whole[piece] = False
    before = np.where(new, network.tail[piece], np.roll(spot, 1))
    gap = np.where(new, along, along - np.roll(along, 1))
    tail = np.concatenate([network.tail[whole], before, spot[last], spot])
    head = np.concatenate([network.head[whole], spot, network.head[piece[last]], spot + cuts])
    pace = network.per_metre
    rest = np.maximum(network.length[piece[last]] - along[last], 0.0)  # rounding can be below 0
    cost = np.concatenate([(network.length * pace)[whole], gap * pace[piece],
                           rest * pace[piece[last]], away * network.aside])
    return scipy.sparse.csr_array((cost, (tail, head)), shape=(size + 2 * cuts,) * 2)


class _Sides(NamedTuple):
    """The node or start on either side of each spot, and how far it is to there."""

    left: Integers
    right: Integers
    to_left: Floats
    to_right: Floats


def _find_sides(network: Network, spots: Spots, starts: Spots) -> _Sides:
    order = _in_order(starts)
    size = len(network.nodes)
    # Starts sorted along the network, as numbers that can be searched: piece, then share.
    share = starts.along[order] / network.length[starts.piece[order]]
    key = starts.piece[order] + np.clip(share, 0, 1) * 0.5
    at = spots.piece + np.clip(spots.along / network.length[spots.piece], 0, 1) * 0.5
    right = np.searchsorted(key, at, side="left")
    pace = network.per_metre[spots.piece]
    away = spots.away * network.aside
    ends: list[Integers] = []
    ways: list[Floats] = []
    for step, end, ahead in ((right - 1, network.tail, False), (right, network.head, True)):
        inside = (step >= 0) & (step < len(key))
        start = order[np.clip(step, 0, len(key) - 1)]
        inside &= starts.piece[start] == spots.piece
        far = network.length[spots.piece] if ahead else np.zeros(len(at))
        where = np.where(inside, starts.along[start], far)
        ends.append(np.where(inside, size + start, end[spots.piece]))
        ways.append(away + np.abs(where - spots.along) * pace)
    return _Sides(ends[0], ends[1], ways[0], ways[1])


def _walk_to(sides: _Sides, reached: Floats) -> Floats:
    """Go on from the node or start on either side of each spot."""
    total = np.minimum(reached[sides.left] + sides.to_left, reached[sides.right] + sides.to_right)
    return np.where(np.isfinite(total), total, np.nan)


def measure_pairs(
    network: Network, places: Floats, sources: Floats, *, within: float
) -> Pairs:
    """Return the distance of every place to every source that is not farther than a limit.

    Parameters
    ----------
    network : Network
        As from `build_network`.
    places, sources : array of float
        x and y of each, in the CRS of the network.
    within : float
        The limit, in metres or, where the network has speeds, in minutes.

    Returns
    -------
    Pairs
        In order of source, then place.

    Examples
    --------
    >>> import shapely
    >>> pieces = np.array([shapely.LineString([(0, 0), (9, 0)])])
    >>> ends = np.array([[0.0, 0.0], [9.0, 0.0]])
    >>> network = Network(ends, np.array([0]), np.array([1]), np.array([9.0]), pieces)
    >>> xy = np.array([[1.0, 0.0], [4.0, 0.0], [9.0, 0.0]])
    >>> measure_pairs(network, xy, xy[:1], within=3).distance.tolist()
    [0.0, 3.0]
    """
    empty = np.empty(0, dtype=np.intp)
    if not len(places) or not len(sources):
        return Pairs(empty, empty, np.empty(0))
    spots, starts = find_spots(network, places), find_spots(network, sources)
    nodes = len(network.nodes) + len(starts.piece)
    near = _list_places(_find_sides(network, spots, starts), nodes)
    found = []
    for source, reached in _search(network, starts, within):
        place, distance = _near_places(near, reached, within)
        found.append(Pairs(place, np.full(len(place), source), distance))
    return Pairs(*(np.concatenate(part) for part in zip(*found, strict=True)))


def measure_table(
    network: Network, places: Floats, sources: Floats, *, within: float = np.inf
) -> NDArray[np.float32]:
    """Return the distance of every source to every place, one row for each source.

    Parameters
    ----------
    network : Network
        As from `build_network`.
    places, sources : array of float
        x and y of each, in the CRS of the network.
    within : float, optional
        How far to search.

    Returns
    -------
    array of float32
        Metres or minutes; infinite where it is farther, or no way leads.

    Examples
    --------
    >>> import shapely
    >>> pieces = np.array([shapely.LineString([(0, 0), (9, 0)])])
    >>> ends = np.array([[0.0, 0.0], [9.0, 0.0]])
    >>> network = Network(ends, np.array([0]), np.array([1]), np.array([9.0]), pieces)
    >>> measure_table(network, np.array([[1.0, 0.0], [4.0, 0.0]]), ends[:1]).tolist()
    [[1.0, 4.0]]
    """
    table = np.full((len(sources), len(places)), np.inf, dtype=np.float32)
    if not len(places) or not len(sources):
        return table
    spots, starts = find_spots(network, places), find_spots(network, sources)
    sides = _find_sides(network, spots, starts)
    for source, reached in _search(network, starts, within):
        row = _walk_to(sides, reached)
        table[source] = np.where(row <= within, row, np.inf)
    return table


def _search(
    network: Network, starts: Spots, within: float
) -> Iterator[tuple[int, Floats]]:
    """Yield for each start how far it is to every node, and to every start's spot."""
    order = _in_order(starts)
    size, cuts = len(network.nodes), len(order)
    graph = _cut(network, starts, order)
    number = np.empty(cuts, dtype=np.intp)
    number[order] = np.arange(cuts)
    for first in range(0, cuts, TOGETHER):  # in batches: a row for each source takes memory
        batch = np.arange(first, min(first + TOGETHER, cuts))
        reached = scipy.sparse.csgraph.dijkstra(graph, directed=False, limit=within,
                                   indices=size + cuts + number[batch])
        for source, row in zip(batch, reached, strict=True):
            yield int(source), _by_start(row, size, order)


class _Near(NamedTuple):
    """The places that are next to each node or start: those of n from first[n] on."""

    first: Integers
    place: Integers
    way: Floats


def _list_places(sides: _Sides, size: int) -> _Near:
    node = np.concatenate([sides.left, sides.right])
    place = np.tile(np.arange(len(sides.left)), 2)
    way = np.concatenate([sides.to_left, sides.to_right])
    order = np.lexsort((place, node))
    first = np.searchsorted(node[order], np.arange(size + 1))
    return _Near(first, place[order], way[order])


def _near_places(near: _Near, reached: Floats, within: float) -> tuple[Integers, Floats]:
    """Return the places within a limit and their distance, by the nodes that were reached."""
    nodes = np.flatnonzero(np.isfinite(reached))
    counts = near.first[nodes + 1] - near.first[nodes]
    skipped = np.cumsum(counts) - counts
    rows = np.arange(counts.sum()) + np.repeat(near.first[nodes] - skipped, counts)
    distance = np.repeat(reached[nodes], counts) + near.way[rows]
    inside = distance <= within * (1 + 1e-12)
    place, distance = near.place[rows[inside]], distance[inside]
    order = np.lexsort((distance, place))
    place, distance = place[order], distance[order]
    new = np.diff(place, prepend=-1) != 0  # of the ways to a place the shorter
    return place[new], distance[new]

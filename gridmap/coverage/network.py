"""Roads as a network, and the nearest spot on it for every place."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import scipy  # its parts are loaded when they are first named
import shapely
from geopandas import GeoDataFrame
from numpy.typing import NDArray

from .. import schema
from ..errors import SchemaError, listed

#: Below this many places asking the tree of pieces takes less time than sampling them.
FEW_PLACES = 2_000

#: How many samples of the network are looked at around a place.
NEAREST = 8

Floats = NDArray[np.float64]
Integers = NDArray[np.intp]


class Network(NamedTuple):
    """Straight pieces of roads between nodes; where two roads share a point, they meet."""

    nodes: Floats  # x and y of each node
    tail: Integers  # node at the start of each piece
    head: Integers  # node at its end
    length: Floats  # of each piece in metres
    pieces: NDArray[np.object_]  # the same as lines
    pace: Floats | None = None  # minutes for a metre of each piece; None counts metres
    aside: float = 1.0  # the same for a metre beside the roads

    @property
    def unit(self) -> str:
        """What distances are counted in: "m" or "min"."""
        return "m" if self.pace is None else "min"

    @property
    def per_metre(self) -> Floats:
        """Metres or minutes that a metre of each piece counts."""
        return np.ones(len(self.length)) if self.pace is None else self.pace


class Spots(NamedTuple):
    """Places on the network: a piece, how far along it, and how far away from it."""

    piece: Integers
    along: Floats
    away: Floats


def build_network(
    lines: GeoDataFrame,
    *,
    snap_m: float = 0.01,
    speeds_kmh: Mapping[str, float] | float | None = None,
    aside_kmh: float = 4.8,
) -> Network:
    """Turn lines into a network that distances or times can be measured along.

    Parameters
    ----------
    lines : GeoDataFrame, schema BARRIERS
        Roads or paths, in a CRS in metres, all of them open both ways. They meet where they
        share a point, ends or not: a bridge over another road does not.
    snap_m : float, default 0.01
        Points are the same if they round to the same multiple of this.
    speeds_kmh : mapping of str to float, or float, optional
        Kilometres an hour on each kind of line, or on all: 4.8 for walking, and for driving
        those of the classes of roads. Everything measured along the network is then in
        minutes; without it, in metres. One-way streets are taken to be open both ways.
    aside_kmh : float, default 4.8
        The speed beside the roads, from a place to the nearest of them.

    Returns
    -------
    Network

    Raises
    ------
    SchemaError
        If ``lines`` does not follow its schema, there are none, or a kind has no speed above
        0.
    CRSError
        If the CRS is not in metres.

    Examples
    --------
    >>> import geopandas, pandas as pd
    >>> road = geopandas.GeoDataFrame(
    ...     {"kind": ["road"]}, geometry=[shapely.LineString([(0, 0), (4, 0), (4, 3)])],
    ...     index=pd.Index(["r"], name="barrier", dtype="str"), crs="EPSG:32651")
    >>> build_network(road).length.tolist()
    [4.0, 3.0]
    """
    schema.check_frame(lines, schema.BARRIERS, argument="lines")
    schema.check_metric_crs(lines=lines)
    if not len(lines):
        raise SchemaError("lines: there are none, and a network needs some")
    paces = None if speeds_kmh is None else _paces(lines, speeds_kmh, aside_kmh)
    parts, line = shapely.get_parts(lines.geometry.to_numpy(), return_index=True)
    xy, part = shapely.get_coordinates(parts, return_index=True)
    xy = np.round(xy / snap_m) * snap_m
    nodes, node = np.unique(xy, axis=0, return_inverse=True)
    joined = (part[1:] == part[:-1]) & (node[1:] != node[:-1])
    tail, head = node[:-1][joined], node[1:][joined]
    ends = np.sort(np.column_stack([tail, head]), axis=1)
    pairs, pair = np.unique(ends, axis=0, return_inverse=True)
    tail, head = pairs.T
    length = np.hypot(*(nodes[head] - nodes[tail]).T)
    pieces = shapely.linestrings(np.stack([nodes[tail], nodes[head]], axis=1))
    if paces is None:
        return Network(nodes, tail, head, length, pieces)
    pace = np.full(len(pairs), np.inf)  # of two lines on the same piece the faster counts
    np.minimum.at(pace, pair, paces[line[part[:-1][joined]]])
    return Network(nodes, tail, head, length, pieces, pace, 0.06 / aside_kmh)


def _paces(
    lines: GeoDataFrame, speeds_kmh: Mapping[str, float] | float, aside_kmh: float
) -> Floats:
    """Return the minutes that a metre takes on each line."""
    if isinstance(speeds_kmh, Mapping):
        speed = lines["kind"].map(dict(speeds_kmh)).to_numpy(dtype="float64")
    else:
        speed = np.full(len(lines), float(speeds_kmh))
    slow = ~(speed > 0)
    if slow.any():
        raise SchemaError(
            f"speeds_kmh: {listed(sorted(lines['kind'][slow].unique()))} have no speed above 0. "
            "Give one to every kind of line, or leave the lines out that nobody goes along.",
            rows=[str(code) for code in lines.index[slow]],
        )
    if not aside_kmh > 0:
        raise SchemaError(f"aside_kmh is {aside_kmh}: a speed above 0 is needed")
    paces: Floats = 0.06 / speed
    return paces


def find_spots(network: Network, xy: Floats) -> Spots:
    """Return the nearest spot on the network for each place, of equals on the first piece.

    Examples
    --------
    >>> pieces = np.array([shapely.LineString([(0, 0), (4, 0)])])
    >>> ends = np.array([[0.0, 0.0], [4.0, 0.0]])
    >>> network = Network(ends, np.array([0]), np.array([1]), np.array([4.0]), pieces)
    >>> find_spots(network, np.array([[1.0, 2.0]]))
    Spots(piece=array([0]), along=array([1.]), away=array([2.]))
    """
    if len(xy) < FEW_PLACES:
        return _ask_tree(network, xy)
    # Samples along the pieces, no farther than half a step from any spot: the piece of one
    # of the nearest samples is the nearest piece, if the last of them is far enough away.
    # Three times as fast as asking the tree of pieces for 580,000 places.
    step = float(np.median(network.length)) / 4 or 1.0
    counts = np.ceil(network.length / step).astype(np.intp)
    sampled = np.repeat(np.arange(len(counts)), counts)
    rank = np.arange(len(sampled)) - np.repeat(np.cumsum(counts) - counts, counts)
    share = (rank + 0.5) / counts[sampled]
    tail, head = network.nodes[network.tail[sampled]], network.nodes[network.head[sampled]]
    samples = tail + share[:, None] * (head - tail)
    near, sample = scipy.spatial.KDTree(samples).query(xy, k=min(NEAREST, len(samples)))
    piece = sampled[sample]
    along, away = _project(network, piece, xy)
    best = np.lexsort((piece, away))[:, :1]
    piece, along, away = (np.take_along_axis(v, best, 1)[:, 0] for v in (piece, along, away))
    doubtful = np.flatnonzero(near[:, -1] < away + step / 2)
    if len(doubtful):
        asked = _ask_tree(network, xy[doubtful])
        piece[doubtful], along[doubtful], away[doubtful] = asked
    return Spots(piece, along, away)


def _project(network: Network, piece: Integers, xy: Floats) -> tuple[Floats, Floats]:
    """Return how far along each of some pieces a place is nearest, and how near."""
    tail, head = network.nodes[network.tail[piece]], network.nodes[network.head[piece]]
    way, off = head - tail, xy[:, None] - tail
    length = network.length[piece]
    along = np.clip((way * off).sum(axis=2) / length, 0, length)
    gap = off - way * (along / length)[:, :, None]
    return along, np.hypot(gap[:, :, 0], gap[:, :, 1])


def _ask_tree(network: Network, xy: Floats) -> Spots:
    points = shapely.points(xy)
    place, piece = shapely.STRtree(network.pieces).query_nearest(points)
    first = np.full(len(xy), len(network.pieces))
    np.minimum.at(first, place, piece)
    lines = network.pieces[first]
    return Spots(first, shapely.line_locate_point(lines, points), shapely.distance(lines, points))

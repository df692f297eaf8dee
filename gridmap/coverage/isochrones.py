"""The area that can be reached: along roads from one source, or around assets by grid."""

from __future__ import annotations

import numpy as np
import shapely
from geopandas import GeoDataFrame
from numpy.typing import NDArray
from pandas import DataFrame

from .. import schema
from ..errors import SchemaError
from . import network, pairs, walking
from .network import Network

Floats = NDArray[np.float64]


def build_isochrones(
    roads: Network, sources: GeoDataFrame, *, within_m: float | None = None,
    within_min: float | None = None, aside_m: float = 25.0,
) -> GeoDataFrame:
    """Return the land along the roads that each source reaches within a distance or time.

    Parameters
    ----------
    roads : Network
        As from `build_network`.
    sources : GeoDataFrame
        Points, in the CRS of the network; the walk to the next road counts.
    within_m : float, optional
        The distance along the roads, for a network in metres.
    within_min : float, optional
        The minutes along the roads, for a network with speeds.
    aside_m : float, default 25.0
        How far to both sides of a road the land reaches.

    Returns
    -------
    GeoDataFrame
        Same index and order as ``sources``: length_m, of all roads in reach, and a polygon,
        empty where no road is near enough.

    Raises
    ------
    SchemaError
        If the limit is not in the unit of the network, is not above 0, or a source has no
        place.
    CRSError
        If ``sources`` is not in metres.

    Examples
    --------
    >>> import geopandas, pandas as pd
    >>> road = geopandas.GeoDataFrame(
    ...     {"kind": ["road"]}, geometry=[shapely.LineString([(0, 0), (40, 0), (40, 30)])],
    ...     index=pd.Index(["r"], name="barrier", dtype="str"), crs="EPSG:32651")
    >>> from gridmap.sketch import sketch_points
    >>> reached = build_isochrones(network.build_network(road), sketch_points((30, 0)),
    ...                            within_m=20)
    >>> reached["length_m"].tolist()
    [40.0]
    """
    schema.check_metric_crs(sources=sources)
    name, limit = (("within_m", within_m) if roads.unit == "m" else ("within_min", within_min))
    if not (limit is not None and limit > 0 and aside_m > 0):
        raise SchemaError(f"{name} and aside_m: limits above 0 are needed, for the network "
                          f"counts in {roads.unit}")
    shapes = sources.geometry.to_numpy()
    absent = shapely.is_missing(shapes) | shapely.is_empty(shapes)
    if absent.any():
        raise SchemaError(f"sources: {int(absent.sum()):,} have no place",
                          rows=[str(code) for code in sources.index[absent]])
    lines = [_reach_along(roads, xy, limit) for xy in shapely.get_coordinates(shapes)]
    length = [float(shapely.length(line).sum()) for line in lines]
    areas = [shapely.union_all(shapely.buffer(line, aside_m)) for line in lines]
    frame = DataFrame({"length_m": length}, index=sources.index)
    return GeoDataFrame(frame, geometry=areas, crs=sources.crs)


def _reach_along(roads: Network, xy: Floats, within: float) -> NDArray[np.object_]:
    """Return the pieces of road, or parts of them, within a limit of one place."""
    start = network.find_spots(roads, xy[None])
    left = within - walking.reach_nodes(roads, start)
    # From what is left at each end to metres on the piece.
    tail, head = (left[end] / roads.per_metre for end in (roads.tail, roads.head))
    near = np.flatnonzero((tail > 0) | (head > 0))
    ends = [(near, np.zeros(len(near)), np.minimum(tail[near], roads.length[near])),
            (near, np.maximum(roads.length[near] - head[near], 0), roads.length[near])]
    piece, along, away = start
    own = np.maximum(within - away * roads.aside, 0.0) / roads.per_metre[piece]
    ends.append((piece, np.maximum(along - own, 0), np.minimum(along + own, roads.length[piece])))
    parts = [_between(roads, *end) for end in ends]
    merged = shapely.line_merge(shapely.union_all(np.concatenate(parts)))
    return np.atleast_1d(shapely.get_parts(merged))


def _between(
    roads: Network, piece: NDArray[np.intp], start: Floats, stop: Floats
) -> NDArray[np.object_]:
    there = stop > start
    piece, start, stop = piece[there], start[there], stop[there]
    tail = roads.nodes[roads.tail[piece]]
    step = (roads.nodes[roads.head[piece]] - tail) / roads.length[piece][:, None]
    ends = np.stack([tail + step * start[:, None], tail + step * stop[:, None]], axis=1)
    lines: NDArray[np.object_] = shapely.linestrings(ends)
    return lines


def measure_area_reach(grids: GeoDataFrame, assets: GeoDataFrame) -> DataFrame:
    """Measure the share of each grid's area that assets reach in a straight line.

    Parameters
    ----------
    grids : GeoDataFrame, schema GRIDS
        In a CRS in metres.
    assets : GeoDataFrame, schema ASSETS
        In the same CRS. An area reaches what lies in it, a point without a radius nothing.

    Returns
    -------
    DataFrame
        One row for every grid, and for each kind with a radius ``area_in_reach_share_`` and
        the kind, 0 to 1. Circles have 32 corners: up to 0.7 % of their area is left out.

    Raises
    ------
    SchemaError
        If a frame does not follow its schema.
    CRSError
        If the CRS differ or are not in metres.

    Examples
    --------
    >>> from gridmap.sketch import sketch_grids, sketch_points
    >>> boards = sketch_points((1, 0.5), kind="board").assign(radius_m=9.0).rename_axis("asset")
    >>> measure_area_reach(sketch_grids("AB"), boards)["area_in_reach_share_board"].to_dict()
    {'A': 1.0, 'B': 1.0}
    """
    schema.check_frame(grids, schema.GRIDS, argument="grids")
    schema.check_frame(assets, schema.ASSETS, argument="assets")
    schema.check_metric_crs(grids=grids, assets=assets)
    shapes = grids.geometry.to_numpy()
    whole = shapely.area(shapes)
    area = pairs.find_areas(assets)
    reaching = assets[(assets["radius_m"] > 0) | area]
    radius = reaching["radius_m"].where(~area[(assets["radius_m"] > 0) | area], 0.0)
    columns = {}
    for kind in sorted(reaching["kind"].unique()):
        some = reaching["kind"] == kind
        circles = shapely.buffer(reaching.geometry[some].to_numpy(), radius[some].to_numpy(),
                                 quad_segs=8)
        columns[f"area_in_reach_share_{kind}"] = _covered(shapes, circles) / whole
    return DataFrame(columns, index=grids.index)


def _covered(shapes: NDArray[np.object_], circles: NDArray[np.object_]) -> Floats:
    """Return the area of each polygon under circles: those near it, not all of the city."""
    polygon, circle = shapely.STRtree(circles).query(shapes, predicate="intersects")
    order = np.argsort(polygon, kind="stable")
    covered = np.zeros(len(shapes))
    for rows in np.split(order, np.flatnonzero(np.diff(polygon[order])) + 1):
        if len(rows):
            number = polygon[rows[0]]
            under = shapely.union_all(circles[circle[rows]])
            covered[number] = shapely.area(shapely.intersection(under, shapes[number]))
    return covered

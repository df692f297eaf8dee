"""Whether coordinates are shifted (GCJ-02, BD-09): asked of a layer that is known to be right.

The shift of a place is known to a metre once its kind is known. So the question is only
whether undoing it brings a layer closer to the reference than leaving it, and closer than
moving it as far in any other direction: that other directions fit worse is the evidence
that it is not luck.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import shapely
from geopandas import GeoDataFrame
from numpy.typing import NDArray
from pandas import DataFrame
from pyproj import CRS, Transformer
from scipy.special import ndtr

from ..errors import CRSError
from . import offsets, samples

_SAMPLE = 4_000
_FAR_M = 300.0  # places further off than this say no more than that they do not fit
_BLOCK_M = 1_000.0  # places in one block speak with one voice
_DIRECTIONS = 12
_SURE = 0.95

_OFFSETS: dict[str, Callable[..., offsets.Pair] | None] = {
    "none": None, "GCJ-02": offsets.from_gcj02, "BD-09": offsets.from_bd09,
}


class _Match(NamedTuple):
    """Places to hold against shapes, in one CRS in metres."""

    places: samples.Places
    tree: shapely.STRtree
    moves_places: bool  # False where the reference's places are held against the frame


def find_offset(frame: GeoDataFrame, reference: GeoDataFrame, *, seed: int = 0) -> DataFrame:
    """Find out whether a layer is shifted to GCJ-02 or BD-09, held against a true one.

    Borders are held against borders, and points or small shapes against the shapes they
    should lie in or on. For each offset the layer is moved back, and the distance measured
    that is left; so it is for moves of the same length in eleven other directions.

    Parameters
    ----------
    frame : GeoDataFrame
        The layer in question, in a CRS.
    reference : GeoDataFrame
        A layer of the same ground that is known to be right: boundary, buildings, roads.
    seed : int, default 0
        For the choice of places, where there are more than 4,000.

    Returns
    -------
    DataFrame
        Index ``offset``: none, GCJ-02, BD-09, the likeliest first. ``distance_m`` is the
        mean distance left over (300 m at most for any place), ``confidence`` (0 to 1) how
        sure it is that nothing else fits better, ``suggestion`` the option to declare;
        "look at a map" where no offset reaches a confidence of 0.95. Nothing is applied.
        Outside the extent of the shift the answer is none.

    Raises
    ------
    CRSError
        If a layer has no CRS, or no shape.

    Examples
    --------
    >>> from gridmap.sketch import sketch_grids
    >>> towns = sketch_grids("ABCD", "EFGH", side_m=3_000)
    >>> towns = towns.set_geometry(towns.translate(4e5, 4.1e6)).to_crs(4326)
    >>> shifted = towns.set_geometry(shapely.transform(
    ...     towns.geometry.to_numpy(), offsets.to_gcj02, interleaved=False), crs=4326)
    >>> find_offset(shifted, towns)["suggestion"].tolist()[0]
    'offset = "GCJ-02"'
    >>> find_offset(towns, towns).index[0]
    'none'
    """
    for name, layer in (("frame", frame), ("reference", reference)):
        if layer.crs is None or layer.empty or layer.geometry.is_empty.all():
            raise CRSError(f"{name} has no CRS or no shape, so nothing can be held against it")
    metric = CRS(reference.to_crs(4326).estimate_utm_crs())
    match = _match(frame.to_crs(metric), reference.to_crs(metric), seed)
    moves = {name: _displacement(match, metric, undo) for name, undo in _OFFSETS.items()}
    if not np.abs(moves["GCJ-02"]).max() > 1.0:
        return _table([_nowhere(name) for name in _OFFSETS])
    left = {name: _distances(match, move) for name, move in moves.items()}
    others = [_distances(match, _turned(moves[name], turn))
              for name in ("GCJ-02", "BD-09") for turn in range(1, _DIRECTIONS)]
    blocks = _blocks(match.places)
    return _table([_row(name, left, others, blocks) for name in _OFFSETS])


def _table(rows: list[dict[str, object]]) -> DataFrame:
    table = DataFrame(rows).set_index("offset")
    table = table.sort_values("confidence", ascending=False, kind="stable")
    table.index = pd.Index(table.index, dtype="str", name="offset")
    return table.astype({"suggestion": "str"})


def _nowhere(name: str) -> dict[str, object]:
    """Say that places outside the extent of the shift are not shifted."""
    certain = name == "none"
    return {"offset": name, "distance_m": np.nan, "confidence": float(certain),
            "suggestion": "no offset is needed" if certain else "look at a map"}


def _match(frame: GeoDataFrame, reference: GeoDataFrame, seed: int) -> _Match:
    """Choose what to hold against what: borders, or points against shapes."""
    own, other = _size(frame), _size(reference)
    alike = 0.1 < (own + 1.0) / (other + 1.0) < 10.0
    if alike and own > 1.0:
        borders = shapely.boundary(reference.geometry.to_numpy())
        return _Match(samples.sample_vertices(frame.geometry.to_numpy(), _SAMPLE, seed=seed),
                      shapely.STRtree(_segments(borders)), True)
    if own <= other:
        return _Match(samples.sample_places(frame.geometry.to_numpy(), _SAMPLE, seed=seed),
                      shapely.STRtree(reference.geometry.to_numpy()), True)
    return _Match(samples.sample_places(reference.geometry.to_numpy(), _SAMPLE, seed=seed),
                  shapely.STRtree(frame.geometry.to_numpy()), False)


def _size(frame: GeoDataFrame) -> float:
    """Return the median area of polygons in m², 0 for points and lines."""
    return float(np.median(shapely.area(frame.geometry.to_numpy())))


def _segments(borders: NDArray[Any]) -> NDArray[Any]:
    """Cut borders into pieces, so that the nearest one is found by its box."""
    lines = shapely.get_parts(shapely.get_parts(borders))
    places, line = shapely.get_coordinates(lines, return_index=True)
    joined = line[1:] == line[:-1]
    ends = np.stack([places[:-1][joined], places[1:][joined]], axis=1)
    return np.asarray(shapely.linestrings(ends))


def _displacement(
    match: _Match, metric: CRS, undo: Callable[..., offsets.Pair] | None
) -> samples.Places:
    """Return how far each place moves in metres when an offset is undone."""
    if undo is None:
        return np.zeros_like(match.places)
    way = Transformer.from_crs(metric, 4326, always_xy=True)
    lon, lat = way.transform(match.places[:, 0], match.places[:, 1])
    x, y = way.transform(*undo(lon, lat), direction="INVERSE")
    moved = np.column_stack([x, y]) - match.places
    return moved if match.moves_places else -moved


def _turned(move: samples.Places, turn: int) -> samples.Places:
    angle = 2.0 * np.pi * turn / _DIRECTIONS
    cos, sin = np.cos(angle), np.sin(angle)
    return move @ np.array([[cos, sin], [-sin, cos]])


def _distances(match: _Match, move: samples.Places) -> NDArray[np.float64]:
    """Return the distance of each moved place to the nearest shape, 300 m at most."""
    points = shapely.points(match.places + move)
    left = np.full(len(points), _FAR_M)
    left[match.tree.query(points, predicate="intersects")[0]] = 0.0
    away = np.flatnonzero(left)  # to ask for a distance is slow where shapes are large
    found, distance = match.tree.query_nearest(
        points[away], max_distance=_FAR_M, return_distance=True, all_matches=False
    )
    left[away[found[0]]] = distance
    return left


def _blocks(places: samples.Places) -> NDArray[np.int64]:
    _, block = np.unique(np.floor(places / _BLOCK_M), axis=0, return_inverse=True)
    return np.asarray(block.ravel())


def _row(
    name: str, left: dict[str, NDArray[np.float64]], others: list[NDArray[np.float64]],
    blocks: NDArray[np.int64],
) -> dict[str, object]:
    rivals = [distance for other, distance in left.items() if other != name] + others
    confidence = min(_confidence(rival - left[name], blocks) for rival in rivals)
    option = "no offset is needed" if name == "none" else f'offset = "{name}"'
    return {
        "offset": name, "distance_m": float(left[name].mean()), "confidence": confidence,
        "suggestion": option if confidence >= _SURE else "look at a map",
    }


def _confidence(gain: NDArray[np.float64], blocks: NDArray[np.int64]) -> float:
    """Return how sure it is that the mean gain is above 0, from the spread among blocks."""
    totals = np.bincount(blocks, weights=gain)
    mean, count = float(gain.mean()), len(totals)
    spread = float(np.sqrt(np.sum((totals - np.bincount(blocks) * mean) ** 2))) / len(gain)
    if count < 2 or spread == 0.0:
        return 0.5 if mean == 0.0 or count < 2 else float(mean > 0.0)
    return float(ndtr(mean / spread))

"""Bring borders together that differ by less than the snapping distance.

Only loose vertices move, and a vertex moves wherever it occurs, so that what matched
before still matches. A vertex close to a loose segment of another polygon is put into it.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pandas as pd
import shapely

from . import rings, scope
from .rings import Flags, Floats, Ints, Rings, Segments, Shapes
from .scope import Known


class Knitted(NamedTuple):
    """Polygons after knitting, and which of them changed."""

    shapes: Shapes
    changed: Flags
    took: Flags  # those that had loose segments, or were to change
    spots: Floats  # the ends of what was loose


def knit(
    shapes: Shapes, group: Ints, weight: Ints, *, snap_m: float, known: Known | None = None
) -> Knitted:
    """Join loose vertices within ``snap_m``, and put them into loose segments they touch.

    Parameters
    ----------
    shapes : array of polygons
        Valid, the parents among them.
    group, weight : array
        For each shape, as in `rings.loose`.
    snap_m : float
        How far a vertex may move, in metres.
    known : Known, optional
        As in `scope.find_loose`.

    Returns
    -------
    Knitted
        A shape that would collapse keeps its vertices.
    """
    flat = rings.flatten(shapes)
    places = rings.place_ids(flat.xy)
    pieces = rings.segments(flat, places)
    open_ = scope.find_loose(flat, pieces, group, weight, known)
    took = np.zeros(len(shapes), dtype=bool)
    spots = scope.find_ends(flat, pieces, open_)
    if not open_.any():
        return Knitted(shapes, took.copy(), took, spots)
    took[pieces.owner[open_]] = True
    moved, touched = _join_vertices(flat, places, pieces, open_, weight, snap_m)
    places = rings.place_ids(moved.xy)
    pieces = rings.segments(moved, places)
    open_ = scope.find_loose(moved, pieces, group, weight, known)
    full, grown = _insert_vertices(moved, places, pieces, open_, snap_m)
    changed = touched | grown
    took |= changed
    if not changed.any():
        return Knitted(shapes, changed, took, spots)
    return Knitted(*_take_over(shapes, full, changed), took, spots)


def _take_over(shapes: Shapes, full: Rings, changed: Flags) -> tuple[Shapes, Flags]:
    multi = shapely.get_type_id(shapes) == 6
    some = changed[full.owner[full.part[full.ring]]]
    rebuilt = rings.rebuild(_without_repeats(full, some), len(shapes), multi=multi)
    usable = changed & np.array([shape is not None for shape in rebuilt])
    broken = np.flatnonzero(usable)[~shapely.is_valid(rebuilt[usable])]
    if len(broken):
        rebuilt[broken] = make_valid(rebuilt[broken])
        usable[broken] = ~shapely.is_empty(rebuilt[broken])
    knitted = shapes.copy()
    knitted[usable] = rebuilt[usable]
    return knitted, usable


def make_valid(shapes: Shapes) -> Shapes:
    """Mend crossing and touching rings; what has no area is dropped."""
    return np.asarray(
        shapely.make_valid(shapes, method="structure", keep_collapsed=False)
    )


def _join_vertices(
    flat: Rings, places: Ints, pieces: Segments, open_: Flags, weight: Ints, snap_m: float
) -> tuple[Rings, Flags]:
    """Move loose vertices onto the best one within reach.

    Best is one of a parent, then one that many polygons share, then the most western,
    then southern: never one that merely comes first in the frame.
    """
    touched = np.zeros(len(weight), dtype=bool)
    at = np.r_[pieces.start[open_], pieces.start[open_] + 1]
    at = at[~pd.Series(places[at]).duplicated().to_numpy()]
    spots, xy = places[at], flat.xy[at]
    pairs = _find_pairs(xy, snap_m) if snap_m else np.empty((0, 2), dtype="int64")
    if not len(pairs):
        return flat, touched
    owner = flat.owner[flat.part[flat.ring]]
    uses = np.bincount(places, minlength=places.max() + 1)
    parental = np.bincount(places, weights=weight[owner] < 0, minlength=places.max() + 1) > 0
    rank = np.empty(len(spots), dtype="int64")
    rank[np.lexsort((xy[:, 1], xy[:, 0], -uses[spots], ~parental[spots]))] = np.arange(len(spots))
    centre = _centres(rank, pairs)
    moving = centre != np.arange(len(spots))
    target = np.arange(places.max() + 1)
    target[spots[moving]] = -1 - centre[moving]
    hit = target[places] < 0
    moved = flat.xy.copy()
    moved[hit] = xy[-1 - target[places[hit]]]
    touched[owner[hit]] = True
    return flat._replace(xy=moved), touched


def _find_pairs(xy: Floats, reach_m: float) -> Ints:
    """Return the pairs of places within reach of each other, each once."""
    points = shapely.points(xy)
    one, two = shapely.STRtree(points).query(points, predicate="dwithin", distance=reach_m)
    return np.stack([one, two], axis=1)[one < two].astype("int64")


def _centres(rank: Ints, pairs: Ints) -> Ints:
    """Gather points round the best of their neighbours; no chains of points.

    A point that is best among its free neighbours becomes a centre and takes them all.
    """
    size = len(rank)
    centre = np.full(size, -1, dtype="int64")
    one, two = np.r_[pairs[:, 0], pairs[:, 1]], np.r_[pairs[:, 1], pairs[:, 0]]
    while len(one):
        best = np.full(size, size, dtype="int64")
        np.minimum.at(best, one, rank[two])
        heads = (centre < 0) & (best > rank) & (best < size)
        own = heads[one] & (centre[two] < 0)
        followers, leaders = two[own], one[own]
        order = np.lexsort((rank[leaders], followers))
        followers, leaders = followers[order], leaders[order]
        first = np.r_[True, followers[1:] != followers[:-1]][: len(followers)]
        centre[followers[first]] = leaders[first]
        centre[heads] = np.flatnonzero(heads)
        free = (centre[one] < 0) & (centre[two] < 0)
        one, two = one[free], two[free]
    alone = centre < 0
    centre[alone] = np.flatnonzero(alone)
    return centre


def _insert_vertices(
    flat: Rings, places: Ints, pieces: Segments, open_: Flags, snap_m: float
) -> tuple[Rings, Flags]:
    """Put loose vertices into the loose segments of other polygons that pass them."""
    grown = np.zeros(int(flat.owner.max()) + 1, dtype=bool)
    at, owner = pieces.start[open_], pieces.owner[open_]
    if not len(at):
        return flat, grown
    both = np.r_[at, at + 1]
    both = both[~pd.Series(places[both]).duplicated().to_numpy()]
    spots, xy = places[both], flat.xy[both]
    tree = shapely.STRtree(shapely.points(xy))
    # a hair above 0, so that a vertex on the line is found although the line is rounded
    reach = max(snap_m, 1e-7)
    seg, spot = tree.query(rings.lines(flat, at), predicate="dwithin", distance=reach)
    spot_ids = spots[spot]
    own = _own_vertices(places, flat, owner[seg], spot_ids)
    ends = (places[at[seg]] == spot_ids) | (places[at[seg] + 1] == spot_ids)
    seg, spot = seg[~(ends | own)], spot[~(ends | own)]
    start, end = flat.xy[at[seg]], flat.xy[at[seg] + 1]
    along = ((xy[spot] - start) * (end - start)).sum(1) / ((end - start) ** 2).sum(1)
    inside = (along > 0) & (along < 1)
    seg, spot, along = seg[inside], spot[inside], along[inside]
    if not len(seg):
        return flat, grown
    order = np.lexsort((along, at[seg]))
    where, new = at[seg][order] + 1, xy[spot[order]]
    grown[owner[seg]] = True
    ring = np.insert(flat.ring, where, flat.ring[where - 1])
    return flat._replace(xy=np.insert(flat.xy, where, new, axis=0), ring=ring), grown


def _own_vertices(places: Ints, flat: Rings, owner: Ints, spots: Ints) -> Flags:
    """Say of pairs (polygon, place) whether the place is a vertex of the polygon."""
    width = np.int64(places.max()) + 1
    vertices = flat.owner[flat.part[flat.ring]] * width + places
    return np.asarray(pd.Series(owner * width + spots).isin(vertices))


def _without_repeats(flat: Rings, some: Flags) -> Rings:
    """Keep the chosen vertices, a place that follows itself once, and close each ring."""
    xy, ring = flat.xy[some], flat.ring[some]
    again = np.r_[False, (ring[1:] == ring[:-1]) & (xy[1:] == xy[:-1]).all(axis=1)]
    return flat._replace(xy=xy[~again], ring=ring[~again])

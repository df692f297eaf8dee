"""Faces between lines: the common ground of repairing tilings and building units.

Lines are noded once, all together, so that every face shares its border with its
neighbours to the last bit. Faces then only change owner; no coordinate is computed twice.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pandas as pd
import scipy  # its parts are loaded when they are first named
import shapely

from . import rings
from .rings import Flags, Floats, Ints, Shapes

#: Up to so many faces are grouped without scipy.
_FEW = 2_000


class Borders(NamedTuple):
    """Which faces share a border, both ways round, and how long it is in metres."""

    face: Ints
    other: Ints
    length: Floats


class NotNodedError(Exception):
    """Lines that cannot be noded without moving some; never leaves this room."""


def build_faces(linework: Shapes, *, exact: bool = False) -> Shapes:
    """Node lines and return the polygons between them, sorted from west to east.

    Parameters
    ----------
    linework : array of lines
    exact : bool, default False
        Node them where they cross and move nothing. What comes out at a place then depends
        on the lines there alone. Otherwise, where some of them run along each other within
        rounding, all lines everywhere are snapped a little.

    Raises
    ------
    NotNodedError
        If that cannot be done exactly.
    """
    if not len(linework):
        return np.empty(0, dtype=object)
    noded = _node(linework) if exact else shapely.union_all(linework)
    faces = np.asarray(shapely.get_parts(shapely.polygonize([noded])))
    return faces[sort_places(faces)]


def _node(linework: Shapes) -> shapely.Geometry:
    try:
        return shapely.node(shapely.multilinestrings(shapely.get_parts(linework)))
    except shapely.errors.GEOSException as error:
        raise NotNodedError(str(error)) from error


def lowest(size: int, face: Ints, owner: Ints) -> Ints:
    """For each face, the lowest owner in the rows of (face, owner); -1 where there is none."""
    found = np.full(size, np.iinfo("int64").max)
    np.minimum.at(found, face, owner)
    return np.where(found == np.iinfo("int64").max, -1, found).astype("int64")


def find_covers(points: Shapes, polygons: Shapes) -> tuple[Ints, Ints]:
    """Rows of (point, polygon that covers it), in order.

    Asked polygon by polygon, which GEOS then prepares: many points of large polygons take
    a tenth of the time that they take the other way round.
    """
    polygon, point = shapely.STRtree(points).query(polygons, predicate="intersects")
    order = np.lexsort((polygon, point))
    return point[order].astype("int64"), polygon[order].astype("int64")


def sort_places(shapes: Shapes) -> Ints:
    """Return the order of shapes by the corners of their boxes, then area."""
    if not len(shapes):
        return np.empty(0, dtype="int64")
    west, south, east, north = shapely.bounds(shapes).T
    return np.lexsort((shapely.area(shapes), north, east, south, west)).astype("int64")


def find_borders(faces: Shapes) -> Borders:
    """Find the faces that share a border: the same segment, to the last bit."""
    flat = rings.flatten(faces)
    pieces = rings.segments(flat, rings.place_ids(flat.xy))
    other = across(pieces)
    between = (other >= 0) & (other != pieces.owner)
    at = pieces.start[between]
    return sum_borders(
        pieces.owner[between], other[between], np.hypot(*(flat.xy[at + 1] - flat.xy[at]).T)
    )


def sum_borders(face: Ints, other: Ints, length: Floats) -> Borders:
    """Add up the lengths of the same pair, in the order of the faces."""
    width = np.int64(max(face.max(initial=0), other.max(initial=0))) + 1
    row, pair = pd.factorize(face * width + other, sort=True)
    total = np.bincount(row, length, minlength=len(pair)).astype("float64")
    return Borders(pair // width, pair % width, total)


def across(pieces: rings.Segments) -> Ints:
    """For each segment, the owner on its other side; -1 where there is none."""
    order = np.argsort(pieces.key, kind="stable")
    twice = np.flatnonzero(pieces.key[order[:-1]] == pieces.key[order[1:]])
    one, two = order[twice], order[twice + 1]
    other = np.full(len(pieces.key), -1, dtype="int64")
    other[one], other[two] = pieces.owner[two], pieces.owner[one]
    return other


def count_groups(labels: Ints, borders: Borders) -> Ints:
    """Number the connected groups of faces that bear the same label."""
    same = labels[borders.face] == labels[borders.other]
    size = len(labels)
    if size <= _FEW:
        return _number_groups(size, borders.face[same], borders.other[same])
    links = scipy.sparse.coo_matrix(
        (np.ones(same.sum(), dtype="int8"), (borders.face[same], borders.other[same])),
        shape=(size, size),
    )
    found = scipy.sparse.csgraph.connected_components(links, directed=False)
    return np.asarray(found[1], dtype="int64")


def _number_groups(size: int, one: Ints, two: Ints) -> Ints:
    """Number connected groups in the order of their first faces, as scipy does.

    Loading scipy for a few faces takes a thousand times as long.
    """
    first = np.arange(size)
    while True:
        least = first.copy()
        np.minimum.at(least, one, first[two])
        np.minimum.at(least, two, first[one])
        least = least[least]
        if np.array_equal(least, first):
            return np.unique(first, return_inverse=True)[1].astype("int64")
        first = least


def longest_border(borders: Borders, labels: Ints, asking: Flags, allowed: Flags) -> Ints:
    """For each asking face, the label that it shares most border with, else -1.

    Parameters
    ----------
    borders : Borders
    labels : array
        Label of each face; below 0 where it has none.
    asking : array of bool
        The faces that look for a label.
    allowed : array of bool
        For each row of ``borders``, whether the other face's label may be taken.

    Returns
    -------
    array
        The smallest label where two share equally much, to a millimetre.
    """
    chosen = np.full(len(labels), -1, dtype="int64")
    use = asking[borders.face] & allowed & (labels[borders.other] >= 0)
    if not use.any():
        return chosen
    face, label, length = sum_borders(
        borders.face[use], labels[borders.other[use]], borders.length[use])
    order = np.lexsort((label, -length.round(3), face))
    first = order[np.r_[True, face[order][1:] != face[order][:-1]]]
    chosen[face[first]] = label[first]
    return chosen


def dissolve(faces: Shapes, labels: Ints) -> pd.Series:
    """Join the faces of each label from 0 up; those below 0 are left out."""
    order = np.argsort(labels, kind="stable")
    order = order[labels[order] >= 0]
    sorted_labels = labels[order]
    starts = np.flatnonzero(np.r_[True, sorted_labels[1:] != sorted_labels[:-1]])
    if not len(order):
        return pd.Series([], dtype=object, index=pd.Index([], dtype="int64"))
    groups = np.split(faces[order], starts[1:])
    # one call for each label: a union over all of them at once would join neighbours
    joined = [g[0] if len(g) == 1 else unite(g) for g in groups]
    return pd.Series(joined, index=sorted_labels[starts], dtype=object)


def unite(faces: Shapes) -> shapely.Geometry:
    """Join faces that share borders to the last bit.

    The quick way drops shared borders and computes nothing; where crumbs of a nanometre
    overlap, it refuses, and the slow way joins them.
    """
    try:
        return shapely.coverage_union_all(faces)
    except shapely.errors.GEOSException:
        return shapely.union_all(faces)

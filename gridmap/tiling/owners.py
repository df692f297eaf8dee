"""Decide which polygon each face belongs to: overlaps, gaps, and parts that came loose."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pandas as pd
import shapely

from ..rules import TilingRule
from . import mesh, split
from .mesh import Borders
from .rings import Flags, Floats, Ints, Shapes

#: Rules by which the polygon that stands first wins: polygons stand in the order of their
#: codes, or of seniority.
_BY_POSITION = ("order", "seniority")


class Faces(NamedTuple):
    """Faces with what covers them; polygons are positions, the first in order first."""

    shapes: Shapes
    home: Ints  # group of the parent that holds the face; -1 outside all parents
    face: Ints  # rows of (face, polygon): which polygons of that home cover it
    polygon: Ints
    covers: Ints  # how many of them there are, per face


class Decided(NamedTuple):
    """Who owns each face in the end, and who had it before its part came loose."""

    faces: Faces
    labels: Ints  # -1 where nobody does
    given_by: Ints  # -1, or the polygon that the face was taken from to keep it in one part


def decide(faces: Faces, homes: Ints, area: Floats, parts: Ints, rule: TilingRule) -> Decided:
    """Give every face inside a parent to one polygon.

    Parameters
    ----------
    faces : Faces
    homes, area, parts : array
        For each polygon its group, its area in square metres, and how many parts it had.
    rule : TilingRule

    Returns
    -------
    Decided
        The faces may be more than before: long gaps are cut where neighbours change.
    """
    labels = np.full(len(faces.shapes), -1, dtype="int64")
    sole = faces.covers[faces.face] == 1
    labels[faces.face[sole]] = faces.polygon[sole]
    borders = mesh.find_borders(faces.shapes)
    _protect(faces, labels, area, rule)
    _decide_overlaps(faces, labels, borders, rule)
    faces, labels, borders = _cut_long_gaps(faces, labels, borders)
    _fill_gaps(faces, labels, borders, homes)
    given_by = _join_parts(faces, labels, borders, homes, parts, rule)
    return Decided(faces, labels, given_by)


def _protect(faces: Faces, labels: Ints, area: Floats, rule: TilingRule) -> None:
    """Let polygons that others mostly cover keep their land, the smallest first.

    Otherwise an enclave whose neighbour has no hole for it would lose everything. Where
    overlaps go by order, only those that would vanish are protected.
    """
    own = np.bincount(labels[labels >= 0], shapely.area(faces.shapes[labels >= 0]),
                      minlength=len(area))
    least = np.zeros(len(area)) if rule.overlaps in _BY_POSITION else area / 2
    inside = np.bincount(faces.polygon, minlength=len(area)) > 0
    weak = np.flatnonzero(inside & (own <= least))
    for polygon in weak[np.lexsort((weak, area[weak].round(6)))]:  # few, and each sees the last
        held = faces.face[faces.polygon == polygon]
        labels[held[labels[held] < 0]] = polygon


def _decide_overlaps(faces: Faces, labels: Ints, borders: Borders, rule: TilingRule) -> None:
    open_ = (faces.covers > 1) & (labels < 0)
    if rule.overlaps not in _BY_POSITION:
        width = np.int64(faces.polygon.max(initial=0)) + 1
        covers = faces.face * width + faces.polygon
        choose = mesh.longest_border if rule.overlaps == "border" else _Compact(faces.shapes)
        while open_.any():
            claim = labels[borders.other]
            claims = pd.Series(borders.face * width + claim)
            allowed = claims.isin(covers).to_numpy() & (claim >= 0)
            chosen = choose(borders, labels, open_, allowed)
            if not (chosen >= 0).any():
                break
            labels[chosen >= 0] = chosen[chosen >= 0]
            open_ &= labels < 0
    pairs = open_[faces.face]
    first = mesh.lowest(len(labels), faces.face[pairs], faces.polygon[pairs])
    labels[open_] = first[open_]


class _Compact:
    """Choose the neighbour whose Polsby-Popper gains most from a face."""

    def __init__(self, shapes: Shapes) -> None:
        self.area = shapely.area(shapes)
        self.length = shapely.length(shapes)

    def __call__(self, borders: Borders, labels: Ints, asking: Flags, allowed: Flags) -> Ints:
        chosen = np.full(len(labels), -1, dtype="int64")
        use = asking[borders.face] & allowed
        if not use.any():
            return chosen
        size = labels.max() + 1
        known = labels >= 0
        area = np.bincount(labels[known], self.area[known], minlength=size)
        length = np.bincount(labels[known], self.length[known], minlength=size)
        inner = (labels[borders.face] == labels[borders.other]) & known[borders.face]
        length -= np.bincount(labels[borders.face[inner]], borders.length[inner], minlength=size)
        votes = mesh.sum_borders(
            borders.face[use], labels[borders.other[use]], borders.length[use])
        face, label = votes.face, votes.other
        longer = length[label] + self.length[face] - 2 * votes.length
        now = area[label] / length[label] ** 2
        then = (area[label] + self.area[face]) / longer**2
        order = np.lexsort((label, (now - then).round(9), face))
        first = order[np.r_[True, face[order][1:] != face[order][:-1]]]
        chosen[face[first]] = label[first]
        return chosen


def _cut_long_gaps(
    faces: Faces, labels: Ints, borders: Borders
) -> tuple[Faces, Ints, Borders]:
    gaps = (labels < 0) & (faces.home >= 0)
    chosen = split.find_long(faces.shapes, labels, gaps, borders)
    if not len(chosen):
        return faces, labels, borders
    pieces, source = split.split_gaps(faces.shapes, labels, chosen)
    kept = np.ones(len(labels), dtype=bool)
    kept[chosen] = False
    rank = np.cumsum(kept) - 1
    more = Faces(
        shapes=np.concatenate([faces.shapes[kept], pieces]),
        home=np.r_[faces.home[kept], faces.home[source]],
        face=rank[faces.face],  # a gap has no polygon, so that no row is lost
        polygon=faces.polygon,
        covers=np.r_[faces.covers[kept], np.zeros(len(pieces), dtype="int64")],
    )
    labels = np.r_[labels[kept], np.full(len(pieces), -1)]
    return more, labels, mesh.find_borders(more.shapes)


def _fill_gaps(faces: Faces, labels: Ints, borders: Borders, homes: Ints) -> None:
    """Give gaps to the neighbour at home with the longest border, from the edge inwards."""
    while True:
        gaps = (labels < 0) & (faces.home >= 0)
        claim = labels[borders.other]
        allowed = (claim >= 0) & (homes[claim] == faces.home[borders.face])
        chosen = mesh.longest_border(borders, labels, gaps, allowed)
        if not (chosen >= 0).any():
            return
        labels[chosen >= 0] = chosen[chosen >= 0]


def _join_parts(
    faces: Faces, labels: Ints, borders: Borders, homes: Ints, parts: Ints, rule: TilingRule
) -> Ints:
    """Give parts that came loose, and slivers, to their neighbours.

    A polygon keeps as many parts as it had, the largest ones. A part without a neighbour
    stays where it is.
    """
    given_by = np.full(len(labels), -1, dtype="int64")
    area = shapely.area(faces.shapes)
    for _ in range(8):  # a joined part may bridge two others; it settles in two or three
        group = mesh.count_groups(labels, borders)
        size = np.bincount(group, area).astype("float64")
        owner = np.full(len(size), -1, dtype="int64")
        owner[group] = labels
        extra = _extra_parts(owner, size, parts, rule)
        between = group[borders.face] != group[borders.other]
        whole = mesh.sum_borders(group[borders.face[between]], group[borders.other[between]],
                                 borders.length[between])
        claim = owner[whole.other]
        allowed = ((claim >= 0) & (claim != owner[whole.face]) & ~extra[whole.other]
                   & (homes[claim] == homes[owner[whole.face]]))
        chosen = mesh.longest_border(whole, owner, extra, allowed)
        moving = chosen[group] >= 0
        if not moving.any():
            break
        given_by[moving & (given_by < 0)] = labels[moving & (given_by < 0)]
        labels[moving] = chosen[group[moving]]
    return given_by


def _extra_parts(owner: Ints, size: Floats, parts: Ints, rule: TilingRule) -> Flags:
    """Say which groups of faces are one part too many, or slivers beside a larger part."""
    order = np.lexsort((np.arange(len(size)), -size.round(6), owner))
    start = np.r_[True, owner[order][1:] != owner[order][:-1]]
    first = np.maximum.accumulate(np.where(start, np.arange(len(order)), 0))
    rank = np.empty(len(size), dtype="int64")
    rank[order] = np.arange(len(order)) - first
    allowed = np.where(owner >= 0, parts[owner], 1)
    return np.asarray(
        (owner >= 0) & ((rank >= allowed) | ((rank > 0) & (size < rule.sliver_m2)))
    )

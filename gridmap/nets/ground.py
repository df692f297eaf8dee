"""The common ground of all schemes: the pieces of land that each scheme claims as a whole."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import shapely
from pandas import DataFrame

from .. import ledger
from ..rules import NetRule
from ..tiling import frames, mesh
from ..tiling.mesh import Borders
from ..tiling.rings import Flags, Ints, Shapes
from ..zoning import dissolve
from . import snap
from .intake import Given, note

#: How often thin land is joined; it settles in two or three.
ROUNDS = 6

#: Nobody claims the place, or no territory holds it. Never leaves this room.
NONE = -1
_NO_ONE = np.empty(0, dtype=np.int64)


class Ground(NamedTuple):
    """Pieces of land, sorted by territory and place; those outside of all come last."""

    shapes: Shapes
    territory: Ints  # position, NONE outside
    claims: Ints  # piece × scheme -> work grid, NONE where the scheme has none
    piece: Ints  # rows of (piece, work grid): all that cover it
    work_grid: Ints
    borders: Borders  # between pieces, both ways round
    swallowed: Ints  # work grids too thin to claim a piece
    swallowed_by: Ints  # the piece each of them lies in, NONE where there is none

    @property
    def inside(self) -> Flags:
        """Which pieces lie in a territory: the atoms."""
        return self.territory != NONE


def build_ground(given: Given, rule: NetRule) -> tuple[Ground, DataFrame]:
    """Lay all schemes over each other and return the pieces between their borders.

    Borders within ``rule.same_border_m`` are united first, junior ones moving to senior
    ones and all to those of territories. What is still thinner than that joins the neighbour
    from which it differs in the most junior scheme, so that the senior border stays.

    Parameters
    ----------
    given : Given
    rule : NetRule

    Returns
    -------
    ground : Ground
    changes : DataFrame, schema CHANGES
    """
    layers = [given.lands, *(given.layer(rank) for rank in range(len(given.names)))]
    net = snap.snap_borders(layers, reach_m=rule.same_border_m)
    lines = shapely.linestrings(net.xy[net.ends])
    chains = shapely.get_parts(shapely.line_merge(shapely.multilinestrings(lines)))
    faces = mesh.build_faces(chains)
    spots = find_middles(faces, 2 * rule.same_border_m)
    face, land = shapely.STRtree(given.lands).query(spots, predicate="intersects")
    territory = mesh.lowest(len(faces), face, land)
    face, work_grid = shapely.STRtree(given.shapes).query(spots, predicate="intersects")
    known = territory != NONE
    known[face] = True
    faces, territory = faces[known], territory[known]
    rank = np.cumsum(known) - 1
    covers = _Covers(len(faces), rank[face], work_grid.astype(np.int64), given)
    borders = mesh.find_borders(faces)
    notes = []
    for _ in range(ROUNDS):  # a face and a thin one at its end may be thin together
        like, thin = _join_thin(faces, territory, covers.claims(), borders, rule)
        ground = _gather(faces, territory, covers.take(like), borders)
        joined = thin & (like != np.arange(len(like)))
        notes.append(_note_thin(faces, territory, joined, given))
        if not joined.any():
            break
        faces, territory, borders = ground.shapes, ground.territory, ground.borders
        covers = _Covers(len(faces), ground.piece, ground.work_grid, given)
    return _find_swallowed(ground, given), ledger.join_changes(*notes)


def find_middles(faces: Shapes, margin: float) -> Shapes:
    """Return a point well inside each face: at least ``margin`` from its edge if possible."""
    spots = shapely.point_on_surface(faces)
    close = shapely.distance(spots, shapely.boundary(faces)) < margin
    circles = shapely.maximum_inscribed_circle(faces[close], tolerance=margin / 20)
    spots[close] = shapely.get_point(circles, 0)
    return np.asarray(spots)


class _Covers:
    """Which work grids cover each face."""

    def __init__(self, size: int, face: Ints, work_grid: Ints, given: Given) -> None:
        order = np.lexsort((work_grid, face))
        self.size, self.given = size, given
        self.face, self.work_grid = face[order], work_grid[order]

    def claims(self) -> Ints:
        """Return for each face and scheme the work grid whose code sorts first."""
        claims = np.full((self.size, len(self.given.names)), NONE, dtype=np.int64)
        back = slice(None, None, -1)  # the first one is written last
        claims[self.face[back], self.given.rank[self.work_grid[back]]] = self.work_grid[back]
        return claims

    def take(self, like: Ints) -> _Covers:
        """Let each face be covered like the face of the given number."""
        count = np.bincount(self.face, minlength=self.size)
        start = np.cumsum(count) - count
        many = count[like]
        face = np.repeat(np.arange(len(like)), many)
        step = np.arange(len(face)) - np.repeat(np.cumsum(many) - many, many)
        return _Covers(len(like), face, self.work_grid[np.repeat(start[like], many) + step],
                       self.given)

    def kind(self) -> Ints:
        """Number the faces that are covered by the same work grids alike."""
        with np.errstate(over="ignore"):
            mixed = (self.work_grid.astype(np.uint64) + np.uint64(1)) * np.uint64(
                0x9E3779B97F4A7C15)
            mixed ^= mixed >> np.uint64(31)
            mixed *= np.uint64(0xBF58476D1CE4E5B9)
            total = np.zeros(self.size, dtype=np.uint64)
            np.add.at(total, self.face, mixed ^ (mixed >> np.uint64(27)))
        return np.unique(total, return_inverse=True)[1].astype(np.int64)


def _join_thin(
    faces: Shapes, territory: Ints, claims: Ints, borders: Borders, rule: NetRule
) -> tuple[Ints, Flags]:
    """Say which face each thin one is like; the others are like themselves."""
    thin = frames.mean_width(faces) < rule.same_border_m
    like = np.arange(len(faces))
    settled = ~thin
    near = thin[borders.face] & (territory[borders.face] == territory[borders.other])
    face, other = borders.face[near], borders.other[near]
    length = borders.length[near].round(3)
    schemes = claims.shape[1]
    for least in range(schemes, -1, -1):  # first those that differ in the most junior scheme
        while True:
            differs = claims[face] != claims[other]
            senior = np.where(differs.any(axis=1), differs.argmax(axis=1), schemes)
            use = ~settled[face] & settled[other] & (senior >= least)
            if not use.any():
                break
            order = np.lexsort((other[use], -length[use], -senior[use], face[use]))
            first = order[np.flatnonzero(np.diff(face[use][order], prepend=-1))]
            one, two = face[use][first], other[use][first]
            like[one], claims[one] = like[two], claims[two]
            settled[one] = True
    return like, thin


def _gather(faces: Shapes, territory: Ints, covers: _Covers, borders: Borders) -> Ground:
    """Put faces together that belong to the same territory and work grids."""
    keys = np.stack([territory, covers.kind()], axis=1)
    kind = np.unique(keys, axis=0, return_inverse=True)[1].ravel()
    group = mesh.count_groups(kind.astype(np.int64), borders)
    first = np.unique(group, return_index=True)[1]
    shapes = dissolve.dissolve(faces, group, len(first))
    last = np.where(territory == NONE, np.iinfo(np.int64).max, territory)[first]
    place = np.argsort(mesh.sort_places(shapes))
    order = np.lexsort((place, last))
    rank = np.argsort(order)
    claims = covers.claims()[first][order]
    chosen = covers.take(first[order])
    between = group[borders.face] != group[borders.other]
    whole = mesh.sum_borders(rank[group[borders.face[between]]],
                             rank[group[borders.other[between]]], borders.length[between])
    return Ground(shapes[order], territory[first][order], claims, chosen.face,
                  chosen.work_grid, whole, _NO_ONE, _NO_ONE)


def _find_swallowed(ground: Ground, given: Given) -> Ground:
    """Find the work grids that claim nothing any more, and the pieces they lie in."""
    lost = np.setdiff1d(np.arange(len(given.codes)), ground.work_grid)
    spots = shapely.point_on_surface(given.shapes[lost])
    at, piece = shapely.STRtree(ground.shapes).query(spots, predicate="intersects")
    return ground._replace(swallowed=lost, swallowed_by=mesh.lowest(len(lost), at, piece))


def _note_thin(faces: Shapes, territory: Ints, joined: Flags, given: Given) -> DataFrame:
    """Write one row for each territory in which thin land joined its neighbours."""
    inside = np.flatnonzero(joined & (territory != NONE))
    area = np.bincount(territory[inside], shapely.area(faces[inside]),
                               minlength=len(given.territories))
    count = np.bincount(territory[inside], minlength=len(given.territories))
    some = np.flatnonzero(count)
    return note(given.territories[some], "slivers joined", area_m2=area[some],
                note=[f"{n:,} of them" for n in count[some]])

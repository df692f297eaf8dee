"""Which polygons of a tiling are looked at where only some of them changed.

A polygon is quiet where mending never asked for it: it has no loose segment, none of its
vertices moved, and no fault touches it. What it was asked by are the polygons whose boxes meet
its own; where none of them changed and none takes part, it is quiet again. So only polygons
that changed or took part before are mended, with those that prove that nothing was felt beyond.
All of them are mended together: lines are noded at once, as they are where all is mended, so
that every number comes out of the same numbers.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import shapely

from . import rings
from .frames import Homes
from .rings import Flags, Floats, Ints, Rings, Segments, Shapes

#: Boxes that are this much nearer than borders that snap still meet: more than any rounding.
_HAIR_M = 1e-6

#: Segments of parents are asked for by so many at once: they mostly follow each other.
_RUN = 32


class Known(NamedTuple):
    """What is known of some shapes before anybody looks at their segments."""

    sound: Flags  # of the shapes: no segment of theirs is loose
    windows: shapely.STRtree  # segments of parents that lie outside of all these are not loose


class Scope(NamedTuple):
    """Polygons that may take part, and those that are looked at to prove that no others do."""

    near: Flags  # where something changed, or a change was felt
    beside: Flags  # these, and those whose box meets theirs: they are tried, and must be quiet
    far: Flags  # took part before, with nothing near that changed: they do again what they did
    looked: Flags  # all these, and those whose box meets theirs, so that they are seen whole
    parents: Flags  # the parents that are looked at
    known: Known
    tree: shapely.STRtree  # the boxes of all polygons

    @property
    def inner(self) -> Flags:
        """The polygons that may take part."""
        return self.near | self.far

    def pick(self) -> Ints:
        """Return the positions of what is looked at, polygons before parents."""
        return np.flatnonzero(np.concatenate([self.looked, self.parents])).astype("int64")

    def check(self, took: Flags, spots: Floats, shapes: Shapes) -> None:
        """Raise if anything was felt by a polygon that may not take part.

        Parameters
        ----------
        took : array of bool
            The polygons that took part.
        spots : array
            Ends of loose segments: no polygon that is left out may have a vertex there.
        shapes : array of polygons
            As they are now: none may reach for one that would have to be tried as well.

        Raises
        ------
        Felt
        """
        felt = took & ~self.inner
        felt |= find_meeting(self.tree, shapely.points(spots)) & ~self.looked
        felt |= find_meeting(self.tree, shapes[self.near]) & ~self.beside
        felt |= find_meeting(self.tree, shapes[self.far]) & ~self.looked
        if felt.any():
            raise Felt(felt)


class Felt(Exception):  # noqa: N818  inside only, and caught here
    """A change was felt by polygons that were held to be quiet; never leaves this room."""

    def __init__(self, polygons: Flags) -> None:
        super().__init__()
        self.polygons = polygons


def lay_out(
    shapes: Shapes, homes: Homes, took: Flags, felt: Flags, places: Shapes, snap_m: float
) -> Scope:
    """Choose what is looked at.

    Parameters
    ----------
    shapes : array of polygons
    homes : Homes
        With at least one parent.
    took : array of bool
        The polygons that took part when all of them were mended.
    felt : array of bool
        Those that are known to feel what changed.
    places : array of boxes
        Where polygons or parents changed since, as they were and as they are.
    snap_m : float
        How far a vertex may move, in metres.
    """
    boxes, places = _boxes(shapes, snap_m), _boxes(places, snap_m)
    tree = shapely.STRtree(boxes)
    near, more = felt | find_meeting(tree, places), took
    while more.any():
        beside = near | find_meeting(tree, boxes[near])
        more = took & beside & ~near
        near = near | more
    beside, far = near | find_meeting(tree, boxes[near]), took & ~near
    tried = beside | far
    looked = tried | find_meeting(tree, boxes[tried])
    windows = shapely.STRtree(np.concatenate([boxes[tried], places]))
    parents = np.zeros(len(homes.shapes), dtype=bool)
    parents[windows.query(_boxes(homes.shapes, snap_m))[0]] = True
    sound = np.concatenate([~tried[looked], np.zeros(parents.sum(), dtype=bool)])
    return Scope(near, beside, far, looked, parents, Known(sound, windows), tree)


def find_meeting(tree: shapely.STRtree, shapes: Shapes) -> Flags:
    """Say which boxes of a tree the boxes of any of some shapes meet."""
    flags = np.zeros(len(tree.geometries), dtype=bool)
    flags[tree.query(shapes)[1]] = True
    return flags


def _boxes(shapes: Shapes, snap_m: float) -> Shapes:
    west, south, east, north = shapely.bounds(shapes).T
    reach = snap_m + _HAIR_M
    return np.asarray(shapely.box(west - reach, south - reach, east + reach, north + reach))


def find_loose(
    flat: Rings, pieces: Segments, group: Ints, weight: Ints, known: Known | None
) -> Flags:
    """Say of each segment whether it is loose; see `rings.loose`.

    Parameters
    ----------
    flat, pieces : Rings, Segments
    group, weight : array
    known : Known, optional
        Where not all shapes of a layer are there: what their absence makes look loose.
    """
    open_ = rings.loose(pieces, group, weight)
    if known is None:
        return open_
    open_ &= ~known.sound[pieces.owner]
    of_parents = np.flatnonzero(open_ & (weight[pieces.owner] < 0))
    at = pieces.start[of_parents]
    open_[of_parents] = False
    open_[of_parents[_find_seen(flat.xy[at], flat.xy[at + 1], known.windows)]] = True
    return open_


def _find_seen(start: Floats, end: Floats, windows: shapely.STRtree) -> Ints:
    """Return the segments whose box meets any window: first of runs of them, then of each."""
    low, high = np.minimum(start, end), np.maximum(start, end)
    if not len(low):
        return np.empty(0, dtype="int64")
    first = np.arange(0, len(low), _RUN)
    runs = shapely.box(*np.minimum.reduceat(low, first).T, *np.maximum.reduceat(high, first).T)
    run = np.zeros(len(first), dtype=bool)
    run[windows.query(runs)[0]] = True
    some = np.flatnonzero(np.repeat(run, _RUN)[: len(low)])
    boxes = shapely.box(*low[some].T, *high[some].T)
    return np.asarray(some[np.unique(windows.query(boxes)[0])])


def find_ends(flat: Rings, pieces: Segments, some: Flags) -> Floats:
    """Return where the chosen segments begin and end."""
    at = pieces.start[some]
    return np.concatenate([flat.xy[at], flat.xy[at + 1]])


def reach_beyond(shapes: Shapes, took: Flags, spots: Floats, snap_m: float) -> bool:
    """Say whether any spot lies outside the boxes of all polygons that took part.

    Then parents are loose where no polygon is: what lies there cannot be told from those.
    """
    boxes = shapely.STRtree(_boxes(shapes[took], snap_m))
    return len(np.unique(boxes.query(shapely.points(spots))[0])) < len(spots)

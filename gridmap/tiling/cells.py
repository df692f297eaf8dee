"""Divide blocks into cells of so many households, along lines between their buildings."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import shapely

from . import mesh, nearest
from .nearest import Lines, Seeds
from .rings import Flags, Floats, Ints, Shapes

#: Walls are sampled at this distance, so that cell borders pass between long buildings.
STEP_M = 8.0
#: Buildings that share a wall are drawn apart by this share of their size.
SHRINK = 0.96


class Places(NamedTuple):
    """Where households live: one row per place."""

    xy: Floats
    weight: Floats
    footprint: Shapes  # None where a place is a mere point

    def take(self, rows: Ints) -> Places:
        """Return the places at these positions."""
        return Places._make(column[rows] for column in self)


def divide_crowded(
    shapes: Shapes, places: Places, block: Ints, *, largest: float, exact: bool = False
) -> tuple[Shapes, Ints]:
    """Divide blocks into contiguous cells of about ``largest`` households at most.

    The places of a block are halved again and again across their longer extent, in the
    proportion of their households, and every point of the block goes to the group of the
    nearest building. A building that a border would cut goes whole to its own group. A
    single place above ``largest`` is a cell of its own.

    Parameters
    ----------
    shapes : array of polygons
        All blocks: a tiling to the last bit.
    places, block
        Where households live in the blocks to divide, and in which of them.
    largest : float
        Households of a cell at most.
    exact : bool, default False
        As in `mesh.build_faces`.

    Returns
    -------
    cells, block : array
        They tile the blocks; a block that is not divided is one of them.
    """
    group = _group_blocks(places, block, largest)
    seeds = _seeds(places, group, block)
    between = nearest.find_between(shapes, seeds)
    crossed = _find_crossed(places.footprint, block, between)
    walls = Lines(shapely.boundary(places.footprint[crossed]), block[crossed])
    faces, owner, label = nearest.divide_blocks(shapes, seeds, between, walls, exact=exact)
    label = np.where(label < 0, group.max(initial=0) + 1 + owner, label)
    inner = shapely.point_on_surface(faces)
    face, rank = shapely.STRtree(places.footprint[crossed]).query(inner, predicate="intersects")
    mine = block[crossed][rank] == owner[face]
    whose = mesh.lowest(len(faces), face[mine], rank[mine])
    label = np.where(whose >= 0, np.append(group[crossed], -1)[whose], label)
    weight = np.zeros(len(faces))
    face, place = shapely.STRtree(shapely.points(places.xy)).query(faces, predicate="contains")
    order = np.argsort(place, kind="stable")  # so that sums do not depend on the tree
    np.add.at(weight, face[order], places.weight[place[order]])
    return _contiguous(faces, owner, label, weight, largest / 3)


def _group_blocks(places: Places, block: Ints, largest: float) -> Ints:
    """Group the places of each block; numbers run on from block to block."""
    group = np.zeros(len(block), dtype="int64")
    order = np.argsort(block, kind="stable")
    starts = np.flatnonzero(np.diff(block[order])) + 1
    done = 0
    for some in np.split(order, starts) if len(order) else []:  # each block has its own halving
        group[some] = done + group_places(places.xy[some], places.weight[some], largest=largest)
        done = int(group[some].max()) + 1
    return group


def group_places(xy: Floats, weight: Floats, *, largest: float) -> Ints:
    """Group places by halving, so that no group is heavier than ``largest`` if it can be.

    Places at the same spot stay together. Groups are numbered as they are cut: west before
    east, south before north.
    """
    group = np.zeros(len(xy), dtype="int64")
    todo = [np.lexsort((xy[:, 1], xy[:, 0]))]
    done = 0
    while todo:
        some = todo.pop()
        total = weight[some].sum()
        halves = _halve(xy[some], weight[some], int(np.ceil(total / largest)))
        if halves is None:
            group[some] = done
            done += 1
        else:
            todo += [some[halves[1]], some[halves[0]]]
    return group


def _halve(xy: Floats, weight: Floats, wanted: int) -> tuple[Ints, Ints] | None:
    """Cut places in two across their longer extent, in the proportion of whole groups."""
    if wanted < 2:
        return None
    extent = np.ptp(xy, axis=0)
    axis = int(extent[1] > extent[0])
    order = np.lexsort((xy[:, 1 - axis], xy[:, axis]))
    along = xy[order, axis]
    gaps = np.flatnonzero(np.diff(along) > 0.01) + 1
    if not len(gaps):
        return None
    before = np.cumsum(weight[order])[gaps - 1]
    cut = gaps[np.argmin(np.abs(before - weight.sum() * (wanted // 2) / wanted))]
    return order[:cut], order[cut:]


def _seeds(places: Places, group: Ints, block: Ints) -> Seeds:
    """Points that claim the land around buildings for their group.

    A footprint beside another group is sampled along its walls, drawn in a little, so that
    two houses that share a wall do not share a seed.
    """
    every = Seeds(places.xy, group, block)
    walled = _built(places.footprint)
    walled &= nearest.find_frontier(every, int(block.max(initial=-1)) + 1)
    footprints = places.footprint[walled]
    xy, owner = shapely.get_coordinates(
        shapely.segmentize(footprints, STEP_M), return_index=True)
    middle = shapely.get_coordinates(shapely.centroid(footprints))
    corners = middle[owner] + (xy - middle[owner]) * SHRINK
    whose = np.r_[np.flatnonzero(~walled), np.flatnonzero(walled)[owner]]
    return Seeds(np.concatenate([places.xy[~walled], corners]), group[whose], block[whose])


def _built(footprint: Shapes) -> Flags:
    return np.asarray(shapely.get_dimensions(footprint) == 2)


def _find_crossed(footprint: Shapes, block: Ints, between: Lines) -> Ints:
    """Find the buildings that a border between cells of their block runs through."""
    built = np.flatnonzero(_built(footprint))
    line, rank = shapely.STRtree(footprint[built]).query(between.shapes, predicate="intersects")
    return np.unique(built[rank[between.block[line] == block[built[rank]]]])


def _contiguous(
    faces: Shapes, owner: Ints, label: Ints, weight: Floats, enough: float
) -> tuple[Shapes, Ints]:
    """Keep the largest part of each group whole.

    Another part becomes a cell of its own where ``enough`` households live in it, and goes
    to whom it borders on most in its block where they do not.
    """
    borders = mesh.find_borders(faces)
    home = owner[borders.face] == owner[borders.other]
    borders = mesh.Borders(*(column[home] for column in borders))
    area = shapely.area(faces)
    while True:
        part = mesh.count_groups(label, borders)
        size, lives = np.bincount(part, area), np.bincount(part, weight)
        biggest = np.zeros(label.max() + 1)
        np.maximum.at(biggest, label, size[part])
        stray = size[part] < biggest[label]
        own = stray & (lives[part] > enough)
        label = np.unique(np.where(own, label.max() + 1 + part, label), return_inverse=True)[1]
        stray &= ~own
        kept = np.where(stray, -1, label)
        moved = mesh.longest_border(borders, kept, stray, np.ones(len(borders.face), dtype=bool))
        if not (moved >= 0).any():
            break
        label = np.where(moved >= 0, moved, label)
    part = mesh.count_groups(label, borders)
    first = np.unique(part, return_index=True)[1]
    return mesh.dissolve(faces, part).to_numpy(dtype=object), owner[first]

"""Divide a block into cells of so many households, along lines between its buildings."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import shapely

from . import mesh, nearest
from .rings import Floats, Ints, Shapes

#: Walls are sampled at this distance, so that cell borders pass between long buildings.
STEP_M = 8.0
#: Buildings that share a wall are drawn apart by this share of their size.
SHRINK = 0.96


class Places(NamedTuple):
    """Where households live in one block: one row per place."""

    xy: Floats
    weight: Floats
    footprint: Shapes  # None where a place is a mere point

    def take(self, rows: Ints) -> Places:
        """Return the places at these positions."""
        return Places._make(column[rows] for column in self)


def divide_block(block: shapely.Polygon, places: Places, *, largest: float) -> Shapes:
    """Divide a block into contiguous cells of at most ``largest`` households.

    The places are halved again and again across their longer extent, in the proportion of
    their households, and every point of the block goes to the group of the nearest
    building. A single place above ``largest`` is a cell of its own.

    Parameters
    ----------
    block : Polygon
    places : Places
        Inside the block.
    largest : float
        Households of a cell at most.

    Returns
    -------
    array of polygons
        They tile the block; the block alone where it cannot be divided.
    """
    group = group_places(places.xy, places.weight, largest=largest)
    if group.max(initial=0) == 0:
        return np.array([block])
    seeds, owner = _seeds(places)
    none = np.empty(0, dtype=object)
    divided = nearest.divide_nearest(block, seeds, group[owner], none)
    crossed = none if divided is None else _find_crossed(places, group, *divided)
    if len(crossed):
        walls = shapely.get_rings(shapely.get_parts(places.footprint[crossed]))
        divided = nearest.divide_nearest(block, seeds, group[owner], walls)
    if divided is None:
        return np.array([block])
    faces, label = divided
    if len(crossed):
        inner = shapely.point_on_surface(faces)
        face, rank = shapely.STRtree(places.footprint[crossed]).query(
            inner, predicate="intersects")
        whose = mesh.lowest(len(faces), face, rank)
        label = np.where(whose >= 0, np.append(group[crossed], -1)[whose], label)
    weight = np.zeros(len(faces))
    place, face = shapely.STRtree(faces).query(shapely.points(places.xy), predicate="within")
    np.add.at(weight, face, places.weight[place])
    return _contiguous(faces, label, weight, largest / 3)


def _find_crossed(places: Places, group: Ints, faces: Shapes, label: Ints) -> Ints:
    """Find the buildings that reach into the land of another group."""
    built = np.flatnonzero(shapely.get_dimensions(places.footprint) == 2)
    rank, face = shapely.STRtree(faces).query(places.footprint[built])
    other = label[face] != group[built[rank]]
    rank, face = rank[other], face[other]
    common = shapely.intersection(places.footprint[built[rank]], faces[face])
    return np.unique(built[rank[shapely.area(common) > 0]])


def _contiguous(faces: Shapes, label: Ints, weight: Floats, enough: float) -> Shapes:
    """Keep the largest part of each group whole.

    Another part becomes a cell of its own where ``enough`` households live in it, and goes
    to whom it borders on most where they do not.
    """
    borders = mesh.find_borders(faces)
    area = shapely.area(faces)
    while True:
        part = mesh.count_groups(label, borders)
        size, lives = np.bincount(part, area), np.bincount(part, weight)
        biggest = np.zeros(label.max() + 2)
        np.maximum.at(biggest, label, size[part])
        stray = (size[part] < biggest[label]) | (label < 0)
        own = stray & (lives[part] > enough)
        label = np.where(own, label.max() + 1 + part, label)
        stray &= ~own
        kept = np.where(stray, -1, label)
        moved = mesh.longest_border(borders, kept, stray, np.ones(len(borders.face), dtype=bool))
        if not (moved >= 0).any():
            return mesh.dissolve(faces, mesh.count_groups(label, borders)).to_numpy(dtype=object)
        label = np.where(moved >= 0, moved, label)


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


def _seeds(places: Places) -> tuple[Floats, Ints]:
    """Points whose nearest neighbour regions are the buildings, and whose they are.

    A footprint is sampled along its walls, drawn in a little, so that two houses that
    share a wall do not share a seed.
    """
    built = np.array([shape is not None for shape in places.footprint], dtype=bool)
    walls = shapely.segmentize(places.footprint[built], STEP_M)
    xy, owner = shapely.get_coordinates(walls, return_index=True)
    middle = shapely.get_coordinates(shapely.centroid(places.footprint[built]))
    corners = middle[owner] + (xy - middle[owner]) * SHRINK
    return (np.concatenate([places.xy[~built], corners]),
            np.r_[np.flatnonzero(~built), np.flatnonzero(built)[owner]])

"""Where households live: divide the blocks that hold too many, find the buildings cut."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pandas as pd
import shapely
from geopandas import GeoDataFrame

from . import cells, frames, mesh
from .blocks import Blocks
from .cells import Places
from .rings import Floats, Ints, Shapes

#: A building counts as cut when more than this lies in a second unit.
CUT_M2 = 1.0


class Living(NamedTuple):
    """Elements as places: first the footprints, sorted by code, then the other points."""

    points: Shapes
    places: Places
    codes: pd.Index  # of the footprints


def locate(elements: GeoDataFrame) -> Living:
    """Give every place a point and a weight.

    The weight is the households of its elements, or their count where no row has any
    households. Points inside a footprint add to it; points at one place are one.
    """
    shapes = frames.shapes_of(elements)
    weight = elements["count"]
    if "households" in elements and elements["households"].notna().any():
        weight = elements["households"]
    weights = weight.fillna(0).to_numpy("float64")
    built = np.flatnonzero(shapely.get_dimensions(shapes) == 2)
    built = built[np.argsort(elements.index[built].to_numpy(dtype=object), kind="stable")]
    bare = np.ones(len(shapes), dtype=bool)
    bare[built] = False
    spots, extra = gather(shapely.get_coordinates(shapes[bare]), weights[bare])
    footprints, loads = shapes[built], weights[built]
    spot, house = shapely.STRtree(footprints).query(shapely.points(spots), predicate="intersects")
    holder = mesh.lowest(len(spots), spot, house)
    free = holder < 0
    loads = loads + np.bincount(holder[~free], extra[~free], minlength=len(footprints))
    spots, lonely = gather(spots[free].round(3), extra[free])
    places = np.concatenate([shapely.point_on_surface(footprints), shapely.points(spots)])
    outline = np.concatenate([footprints, np.full(len(spots), None)])
    return Living(places, Places(shapely.get_coordinates(places), np.r_[loads, lonely], outline),
                  elements.index[built])


def gather(xy: Floats, weight: Floats) -> tuple[Floats, Floats]:
    """Return each spot once, west to east, and the weights there added up.

    They are added in order of size where they are no whole numbers, so that the order of
    the rows leaves no trace in the last digit.
    """
    if (weight % 1 != 0).any():
        order = np.argsort(weight, kind="stable")
        xy, weight = xy[order], weight[order]
    # One complex number for each place: numpy sorts those ten times as fast as rows.
    keys = (np.ascontiguousarray(xy) + 0.0).view(np.complex128).ravel()
    spots, of = np.unique(keys, return_inverse=True)
    sums = np.bincount(of.ravel(), weight, minlength=len(spots)).astype("float64")
    return spots.view(np.float64).reshape(-1, 2), sums


def divide(
    blocks: Blocks, living: Living, *, largest: float, exact: bool = False
) -> Blocks:
    """Divide the blocks that hold more than ``largest`` households; sites stay whole."""
    place, block = _inside(living.points, blocks.shapes)
    weight = np.bincount(block, living.places.weight[place], minlength=len(blocks.shapes))
    heavy = (weight > largest) & (blocks.site < 0)
    place, block = place[heavy[block]], block[heavy[block]]
    if not len(place):
        return blocks
    shapes, source = cells.divide_crowded(
        blocks.shapes, living.places.take(place), block, largest=largest, exact=exact)
    times = np.bincount(source, minlength=len(blocks.shapes))
    more = blocks.take(source)
    again = np.ones(len(source), dtype=bool)  # what was joined is told once
    again[np.unique(source, return_index=True)[1]] = False
    return more._replace(
        shapes=shapes, kind=np.where(times[source] > 1, "cell", more.kind),
        joined=np.where(again, 0.0, more.joined), shards=np.where(again, 0, more.shards))


def _inside(points: Shapes, shapes: Shapes) -> tuple[Ints, Ints]:
    """Rows of (place, block); a place on a border goes to the first block."""
    place, block = mesh.find_covers(points, shapes)
    first = np.r_[True, place[1:] != place[:-1]][: len(place)]
    return place[first], block[first]


def find_cut(living: Living, units: Shapes) -> Ints:
    """Find the buildings of which more than `CUT_M2` lies in a second unit."""
    built = np.flatnonzero(shapely.get_dimensions(living.places.footprint) == 2)
    footprints = living.places.footprint[built]
    tree = shapely.STRtree(footprints)
    inside = np.zeros(len(built), dtype=bool)
    inside[tree.query(units, predicate="contains")[1]] = True
    left = np.flatnonzero(~inside)
    rank, unit = shapely.STRtree(units).query(footprints[left])
    rank = left[rank]
    area = shapely.area(shapely.intersection(footprints[rank], units[unit]))
    parts = np.bincount(rank[area > CUT_M2], minlength=len(built))
    return built[parts > 1]

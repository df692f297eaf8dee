"""Entrances of buildings: which building each belongs to, and the polygon that most lie in."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import shapely
from geopandas import GeoDataFrame
from numpy.typing import NDArray

from .. import schema
from ..errors import SchemaError, listed
from . import places, points
from .locator import Locator
from .places import NOWHERE


class Voted(NamedTuple):
    """Footprints that have an entrance in a polygon."""

    row: NDArray[np.intp]  # position of the footprint
    position: NDArray[np.intp]  # position of the polygon that most of its entrances lie in


def vote(elements: GeoDataFrame, entrances: GeoDataFrame, ready: Locator) -> Voted:
    """Return the polygon that most entrances of each footprint lie in.

    Parameters
    ----------
    elements : GeoDataFrame
        Footprints.
    entrances : GeoDataFrame, schema ELEMENTS
        Points. Their column ``building`` says which footprint they belong to; without the
        column they belong to the footprint that covers them, of several to the one whose code
        sorts first.
    ready : Locator
        Of the polygons, in the same CRS.

    Returns
    -------
    Voted
        Of equally many entrances the polygon whose code sorts first. Footprints without an
        entrance in any polygon are left out.

    Raises
    ------
    SchemaError
        If entrances are no points, or name a building that is not in ``elements``.

    Examples
    --------
    >>> from gridmap.attach.locator import build_locator
    >>> from gridmap.sketch import sketch_grids, sketch_points
    >>> home = sketch_points((0.9, 0.5))
    >>> home = home.set_geometry(home.buffer(0.3))  # most of it in A
    >>> doors = sketch_points((1.1, 0.5), (1.1, 0.6), (0.8, 0.5))
    >>> vote(home, doors, build_locator(sketch_grids("AB"), engine="geos")).position.tolist()
    [1]
    """
    places.check_attached(entrances, footprints=False)
    schema.check_metric_crs(elements=elements, entrances=entrances)
    row = find_buildings(elements, entrances)
    position = points.hold_places(places.find_places(entrances), ready)[0]
    valid = (row != NOWHERE) & (position != NOWHERE)
    size = len(ready.by_code)
    rank = np.empty(size, dtype=np.int64)
    rank[ready.by_code] = np.arange(size)
    pair, votes = np.unique(row[valid] * size + rank[position[valid]], return_counts=True)
    order = np.lexsort((pair, -votes, pair // max(size, 1)))
    building = pair[order] // max(size, 1)
    first = order[np.flatnonzero(np.diff(building, prepend=-1))]
    return Voted(pair[first] // max(size, 1), ready.by_code[pair[first] % max(size, 1)])


def find_buildings(elements: GeoDataFrame, entrances: GeoDataFrame) -> NDArray[np.int64]:
    """Return the position of the footprint that each entrance belongs to, -1 for none.

    Parameters
    ----------
    elements, entrances : GeoDataFrame
        See `vote`.

    Returns
    -------
    array of int

    Raises
    ------
    SchemaError
        If an entrance names a building that is not in ``elements``.

    Examples
    --------
    >>> from gridmap.sketch import sketch_points
    >>> doors = sketch_points((0, 0), (9, 9))
    >>> find_buildings(doors, doors.assign(building=["e1", None])).tolist()
    [1, -1]
    """
    if "building" in entrances:
        row = np.asarray(elements.index.get_indexer(entrances["building"]), dtype=np.int64)
        strange = entrances["building"][(row == NOWHERE) & entrances["building"].notna()]
        if len(strange):
            raise SchemaError(
                f"entrances: column building names {listed(strange)}, which no element is "
                "called. Leave it missing where the building is not known.",
                rows=[str(code) for code in strange.index],
            )
        return row
    by_code = np.argsort(elements.index.to_numpy(dtype=object), kind="stable")
    shapes = elements.geometry.to_numpy()[by_code]
    shapes = np.where(shapely.get_dimensions(shapes) == 2, shapes, None)
    door, shape = shapely.STRtree(shapes).query(
        entrances.geometry.to_numpy(), predicate="intersects")
    first = np.full(len(entrances), len(shapes), dtype=np.int64)
    np.minimum.at(first, door, shape)
    return np.append(by_code, NOWHERE)[first].astype(np.int64)

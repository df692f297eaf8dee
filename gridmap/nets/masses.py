"""What elements weigh in a crosswalk, and where: households, people, buildings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import shapely
from geopandas import GeoDataFrame
from numpy.typing import NDArray

from .. import schema
from ..attach import locator, places, points
from ..errors import SchemaError
from .weights import NOBODY

BASES = ("area", "households", "people", "buildings")


class Counted(NamedTuple):
    """Elements that have a place, and what each of them counts."""

    x: NDArray[np.float64]
    y: NDArray[np.float64]
    mass: Mapping[str, NDArray[np.float64]]  # basis -> mass of each


def check_elements(elements: GeoDataFrame, bases: Sequence[str]) -> None:
    """Raise unless elements can be counted by all of some bases.

    Raises
    ------
    SchemaError
        If they do not follow their schema, or lack a column.

    Examples
    --------
    >>> from gridmap.sketch import sketch_points
    >>> check_elements(sketch_points((0, 0)), ("buildings",))
    """
    places.check_attached(elements, footprints=True)
    if elements.index.name != schema.ELEMENTS.index:
        raise SchemaError(f"elements: the index is called {elements.index.name!r}, not 'element'")
    absent = [b for b in bases if b in ("households", "people") and b not in elements]
    if absent:
        raise SchemaError(
            f"elements: column {' and '.join(absent)} is absent, by which the crosswalk is to go"
        )


def count_places(elements: GeoDataFrame, bases: Sequence[str]) -> Counted:
    """Return a point for every element that has a place, and its mass by each basis.

    A footprint counts at a point inside it. A missing count is nothing.

    Parameters
    ----------
    elements : GeoDataFrame, schema ELEMENTS
    bases : sequence of str
        Out of households, people and buildings.

    Returns
    -------
    Counted

    Examples
    --------
    >>> from gridmap.sketch import sketch_points
    >>> homes = sketch_points((0.5, 0.5), kind="building")
    >>> count_places(homes, ("buildings",)).mass["buildings"].tolist()
    [1.0]
    """
    shapes = elements.geometry.to_numpy()
    flat = np.flatnonzero((shapely.get_dimensions(shapes) == 2) & ~shapely.is_empty(shapes))
    spots = shapes.copy()
    spots[flat] = shapely.point_on_surface(shapes[flat])
    found = places.places_of(spots)
    there = np.flatnonzero(found.reason == None)  # noqa: E711
    some = elements.iloc[there]
    mass = {basis: _mass(some, basis) for basis in bases}
    return Counted(found.x[there], found.y[there], mass)


def _mass(elements: GeoDataFrame, basis: str) -> NDArray[np.float64]:
    if basis == "buildings":
        values = elements["count"].where(elements["kind"] == "building", 0)
    else:
        values = elements[basis]
    return np.asarray(values.fillna(0).to_numpy("float64"))


def find_holder(polygons: GeoDataFrame, counted: Counted) -> NDArray[np.int64]:
    """Return the position of the polygon that holds each place, or ``NOBODY``.

    Parameters
    ----------
    polygons : GeoDataFrame
        In order of their codes; of several that cover a place the first holds it.
    counted : Counted

    Examples
    --------
    >>> from gridmap.sketch import sketch_grids, sketch_points
    >>> find_holder(sketch_grids("AB"), count_places(sketch_points((1.5, 0.5)), ())).tolist()
    [1]
    """
    if not len(polygons) or not len(counted.x):
        return np.full(len(counted.x), NOBODY, dtype=np.int64)
    ready = points.make_ready(polygons, len(counted.x))
    held = locator.locate_points(ready, counted.x, counted.y)
    return held.position.astype(np.int64)

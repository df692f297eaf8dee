"""What the attaching steps share: polygons in order of code, places, and the answer."""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

import numpy as np
import pandas as pd
import shapely
from geopandas import GeoDataFrame
from numpy.typing import NDArray
from pandas import DataFrame

from .. import ledger, schema
from ..errors import SchemaError, TilingError, listed
from ..schema import Schema

#: Frames of polygons that things can be attached to, by the name of their index.
HOLDERS: dict[str, Schema] = {
    s.index: s for s in (schema.GRIDS, schema.UNITS, schema.TERRITORIES, schema.SCHEMES)
}

#: Frames of places that can be attached, by the name of their index.
ATTACHED: dict[str, Schema] = {
    s.index: s for s in (schema.ELEMENTS, schema.ASSETS, schema.EVENTS, schema.VISITS)
}

#: Position of a place that no polygon holds. Never leaves this room.
NOWHERE = -1

#: How an element was found, by the number that stands for it while it is looked for.
WAYS = pd.array(["inside", "border", "nearest", "largest", "entrance"], dtype="str")
INSIDE, BORDER, NEAREST, LARGEST, ENTRANCE = range(5)

#: A place that only GEOS can settle. Never leaves the locator.
UNSETTLED = -9


class Attachment(NamedTuple):
    """Elements with the polygon that holds them."""

    elements: GeoDataFrame  # as given, and the two columns `grid` (or unit, …) and `how`
    by_grid: DataFrame  # one row for every polygon: counts of each kind, households, people
    rejects: DataFrame  # schema REJECTS, one row for every element without a polygon


class Places(NamedTuple):
    """Coordinates of the elements, and why a row has none."""

    x: NDArray[np.float64]
    y: NDArray[np.float64]
    reason: NDArray[np.object_]  # None where the coordinates serve


class Held(NamedTuple):
    """Which polygon holds each element, and how it was found."""

    position: NDArray[np.integer]  # -1 where none does
    way: NDArray[np.int8]  # position in `WAYS`, -1 where none does
    reason: NDArray[np.object_]  # why a row has no coordinates; None where it has some


def check_holders(grids: GeoDataFrame) -> Schema:
    """Raise unless a frame holds polygons that things can be attached to.

    Parameters
    ----------
    grids : GeoDataFrame
        Polygons with an index called grid, unit, territory or work_grid.

    Returns
    -------
    Schema
        The one that the index belongs to.

    Raises
    ------
    SchemaError
        If the index has another name, is not unique text, or a geometry is missing or no
        polygon.
    TilingError
        If a polygon is not valid: no point lies inside or outside of it for certain.

    Examples
    --------
    >>> from gridmap.sketch import sketch_units
    >>> check_holders(sketch_units("AB")).name
    'UNITS'
    """
    known = HOLDERS.get(str(grids.index.name))
    if known is None:
        raise SchemaError(
            f"grids: the index is called {grids.index.name!r}, not {' or '.join(HOLDERS)}: it "
            "names the new column"
        )
    schema.check_frame(grids, replace(known, columns=()), argument="grids")
    shapes = grids.geometry.to_numpy()
    wrong = ~shapely.is_valid(shapes)
    if wrong.any():
        codes = grids.index[wrong]
        reason = shapely.is_valid_reason(shapes[wrong][0])
        raise TilingError(
            f"grids: {len(codes):,} polygons are not valid: {listed(codes)} ({reason} in the "
            "first). Mend them with repair_tiling(grids).",
            rows=[str(code) for code in codes],
        )
    return known


def check_attached(elements: GeoDataFrame, *, footprints: bool) -> None:
    """Raise unless a frame holds elements, assets, events or visits to attach.

    A missing geometry is allowed here: such a row becomes a reject.

    Parameters
    ----------
    elements : GeoDataFrame
        Schema ELEMENTS, ASSETS, EVENTS or VISITS, told by the name of the index.
    footprints : bool
        Whether polygons are allowed beside points.

    Raises
    ------
    SchemaError
        If the frame follows none of them, or holds lines, or polygons where points are needed.

    Examples
    --------
    >>> from gridmap.sketch import sketch_points
    >>> check_attached(sketch_points((0.5, 0.5)), footprints=False)
    """
    known = ATTACHED.get(str(elements.index.name))
    if known is None:
        raise SchemaError(
            f"elements: the index is called {elements.index.name!r}, not "
            f"{' or '.join(ATTACHED)}: it tells which schema the rows follow"
        )
    schema.check_frame(elements, replace(known, geometry=()), argument="elements")
    if not isinstance(elements, GeoDataFrame) or elements._geometry_column_name is None:
        raise SchemaError("elements: it has no geometry")
    allowed = [-1, 0, 3, 6] if footprints else [-1, 0]  # missing, point, (multi)polygon
    wrong = ~np.isin(shapely.get_type_id(elements.geometry.to_numpy()), allowed)
    if wrong.any():
        codes = elements.index[wrong]
        way = "" if footprints else ". Footprints go through attach_footprints"
        kinds = sorted(set(elements.geometry[wrong].geom_type))
        raise SchemaError(
            f"elements: geometry is {listed(kinds)} in {listed(codes)}, where "
            f"{'points or polygons are' if footprints else 'points are'} needed{way}.",
            rows=[str(code) for code in codes],
        )


def find_places(elements: GeoDataFrame) -> Places:
    """Return the coordinates of points, and the reason where a row has none.

    Parameters
    ----------
    elements : GeoDataFrame
        Points; a missing or empty geometry or a coordinate that is not finite has a reason.

    Returns
    -------
    Places

    Examples
    --------
    >>> from gridmap.sketch import sketch_points
    >>> find_places(sketch_points((0.5, float("nan")))).reason.tolist()
    ['a coordinate is not a number']
    """
    return places_of(elements.geometry.to_numpy())


def places_of(shapes: NDArray[np.object_]) -> Places:
    """Return the coordinates of an array of points; see `find_places`.

    Examples
    --------
    >>> places_of(np.array([shapely.Point(), None])).reason.tolist()
    ['the geometry is empty', 'there is no geometry']
    """
    xy, row = shapely.get_coordinates(shapes, return_index=True)
    x, y = np.full((2, len(shapes)), np.nan)
    x[row], y[row] = xy.T
    reason = np.full(len(shapes), None, dtype=object)
    faulty = np.flatnonzero(~(np.isfinite(x) & np.isfinite(y)))
    if len(faulty):
        absent = shapely.is_missing(shapes[faulty])
        empty = shapely.is_empty(shapes[faulty]) & ~absent
        reason[faulty] = np.select(
            [absent, empty],
            ["there is no geometry", "the geometry is empty"],
            "a coordinate is not a number",
        )
    return Places(x, y, reason)


def order_of_code(grids: GeoDataFrame) -> NDArray[np.intp]:
    """Return the positions of the rows in order of their codes.

    Examples
    --------
    >>> from gridmap.sketch import sketch_grids
    >>> order_of_code(sketch_grids("AB").iloc[::-1]).tolist()
    [1, 0]
    """
    return np.argsort(grids.index.to_numpy(dtype=object), kind="stable")


def write_holders(
    elements: GeoDataFrame,
    position: NDArray[np.integer],
    way: NDArray[np.int8],
    codes: pd.Index,
) -> GeoDataFrame:
    """Return the elements with the code of their polygon and how it was found.

    Parameters
    ----------
    elements : GeoDataFrame
        What was attached.
    position : array of int
        Position in ``codes`` for each row, -1 for none.
    way : array of int
        Position in `WAYS` for each row, -1 for none.
    codes : Index
        Codes of the polygons; the name of the index becomes the name of the column.

    Returns
    -------
    GeoDataFrame

    Examples
    --------
    >>> from gridmap.sketch import sketch_points
    >>> codes, way = pd.Index(["A"], name="grid"), np.array([INSIDE])
    >>> write_holders(sketch_points((0, 0)), np.array([0]), way, codes)["grid"].tolist()
    ['A']
    """
    take = pd.api.extensions.take
    held = take(codes.astype("str").array, position, allow_fill=True)
    return elements.assign(**{str(codes.name): held, "how": take(WAYS, way, allow_fill=True)})


def write_rejects(
    elements: GeoDataFrame,
    position: NDArray[np.integer],
    reason: NDArray[np.object_],
    codes: pd.Index,
) -> DataFrame:
    """Write a reject for every element that no polygon holds.

    Parameters
    ----------
    elements : GeoDataFrame
        What was attached.
    position : array of int
        Position of the polygon, -1 for none.
    reason : array of text or None
        Why a row has no coordinates; None for a row that is outside of all.
    codes : Index
        Codes of the polygons.

    Returns
    -------
    DataFrame, schema REJECTS

    Examples
    --------
    >>> from gridmap.sketch import sketch_points
    >>> nowhere, codes = np.array([-1]), pd.Index(["A"], name="grid")
    >>> write_rejects(sketch_points((9, 9)), nowhere, np.array([None]), codes)["note"].tolist()
    ['outside every grid']
    """
    unplaced = reason != None  # noqa: E711  (element by element)
    outside = (position == NOWHERE) & ~unplaced
    return ledger.join_changes(
        ledger.note_changes(elements.index[unplaced], step="attach", what="no place",
                            note=reason[unplaced]),
        ledger.note_changes(elements.index[outside], step="attach", what="outside",
                            note=f"outside every {codes.name}"),
    )


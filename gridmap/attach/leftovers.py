"""Elements that no grid holds, and elements that are there twice."""

from __future__ import annotations

import numpy as np
import shapely
from geopandas import GeoDataFrame
from pandas import DataFrame, Series

from .. import schema
from ..errors import SchemaError, listed
from . import elements as doors
from .places import Attachment


def attach_leftovers(attached: Attachment, territories: GeoDataFrame) -> Attachment:
    """Give elements that no grid holds to the community they lie in (属地兜底).

    Parameters
    ----------
    attached : Attachment
        As from `attach_points`, `attach_footprints` or `attach_elements`.
    territories : GeoDataFrame, schema TERRITORIES
        Communities, in the same CRS; of those that overlap the one whose code sorts first
        takes an element.

    Returns
    -------
    Attachment
        ``elements``: the column ``territory`` says which community took a row that no grid
        holds, and ``how`` is "fallback" there; other rows keep what they have. ``rejects``:
        only what no community takes either. ``by_grid`` stays as it is.

    Raises
    ------
    SchemaError
        If ``territories`` has another index, or does not follow its schema.
    CRSError
        If the CRS differ or are not in metres.

    Examples
    --------
    >>> from gridmap.sketch import sketch_grids, sketch_points
    >>> towns = sketch_grids("TT").rename_axis("territory")
    >>> attached = doors.attach_elements(sketch_points((0.5, 0.5), (1.5, 0.5)), sketch_grids("A"))
    >>> attach_leftovers(attached, towns).elements[["grid", "territory", "how"]].values.tolist()
    [['A', nan, 'inside'], [nan, 'T', 'fallback']]
    """
    if territories.index.name != schema.TERRITORIES.index:
        raise SchemaError(
            f"territories: the index is called {territories.index.name!r}, not 'territory'"
        )
    elements = attached.elements
    left = elements["how"].isna()
    taken = doors.attach_elements(elements[left], territories)
    found = taken.elements["territory"].dropna()
    before = elements.get("territory", Series(np.nan, elements.index, dtype="str"))
    how = elements["how"].where(~elements.index.isin(found.index), "fallback")
    told = elements.assign(territory=found.reindex(elements.index).fillna(before), how=how)
    return Attachment(told, attached.by_grid, taken.rejects)


def find_repeated(
    elements: GeoDataFrame, *, place_m: float | None = 0.1, columns: tuple[str, ...] = ("kind",)
) -> DataFrame:
    """Return elements that stand in the same place as another one like them.

    Parameters
    ----------
    elements : GeoDataFrame, schema ELEMENTS or the like
        Points or footprints, which count at their centre, in a CRS in metres. Rows without a
        place repeat nothing.
    place_m : float or None, default 0.1
        Places in one square of this side, counted from (0, 0), are the same. None: wherever
        they stand, as for addresses that are written twice.
    columns : tuple of str, default ("kind",)
        What else must be equal, such as the text of an address; missing equals missing,
        except where places do not count: there a row with a missing value repeats nothing.

    Returns
    -------
    DataFrame
        One row for every element of a group of two or more, in order of code: ``first``, the
        code of the group that sorts first, and ``rows``, how many the group has. So the rows
        whose code is not ``first`` can be dropped, or their counts added up.

    Raises
    ------
    SchemaError
        If a column is absent, or ``place_m`` is not above 0.
    CRSError
        If the CRS is not in metres.

    Examples
    --------
    >>> from gridmap.sketch import sketch_points
    >>> homes = sketch_points((0.5, 0.5), (1.5, 0.5), (0.5, 0.5))
    >>> find_repeated(homes)["first"].to_dict()
    {'e0': 'e0', 'e2': 'e0'}
    >>> homes = homes.assign(address=["甲路1号", "甲路1号", "乙路2号"])
    >>> find_repeated(homes, place_m=None, columns=("address",))["first"].to_dict()
    {'e0': 'e0', 'e1': 'e0'}
    """
    schema.check_metric_crs(elements=elements)
    absent = [name for name in columns if name not in elements]
    if absent or not (place_m is None or place_m > 0):
        raise SchemaError(
            f"elements: column {listed(absent)} is absent" if absent else
            f"place_m is {place_m}: a side above 0 in metres is needed"
        )
    keys = _keys(elements, place_m, list(columns)).sort_index()
    group = keys.groupby(list(keys.columns), dropna=False, sort=False).ngroup()
    codes = Series(keys.index, index=keys.index).groupby(group)
    told = DataFrame({"first": codes.transform("first"), "rows": codes.transform("size")})
    told = told[told["rows"] > 1]
    return told.astype({"first": "str", "rows": "int64"}).rename_axis(elements.index.name)


def _keys(elements: GeoDataFrame, place_m: float | None, columns: list[str]) -> DataFrame:
    """Return what must be equal, for the rows that can repeat another."""
    if place_m is None:
        return DataFrame(elements[columns]).dropna()
    xy, row = shapely.get_coordinates(
        shapely.centroid(elements.geometry.to_numpy()), return_index=True
    )
    squares = np.floor(xy / place_m)
    placed = DataFrame(elements[columns]).iloc[row]
    return placed.assign(x_square=squares[:, 0], y_square=squares[:, 1])

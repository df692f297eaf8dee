"""Territories made of the units that name them."""

from __future__ import annotations

import numpy as np
import pandas as pd
import shapely
from geopandas import GeoDataFrame

from ..errors import SchemaError
from .frames import shapes_of


def build_territories(units: GeoDataFrame, *, level: str = "community") -> GeoDataFrame:
    """Dissolve units into the territories that they name.

    Parameters
    ----------
    units : GeoDataFrame
        Polygons with a column ``territory``, such as units or grids; a tiling.
    level : str, default "community"
        The level of the new territories.

    Returns
    -------
    GeoDataFrame, schema TERRITORIES
        One row for each territory, sorted by code, without parents. Where ``units`` touch
        without sharing every corner, their union is exact all the same.

    Raises
    ------
    SchemaError
        If ``units`` has no territory, or misses it in some rows.

    Examples
    --------
    >>> from gridmap.sketch import sketch_units
    >>> build_territories(sketch_units("AB", "AB")).area.to_dict()
    {'T': 4.0}
    """
    if "territory" not in units or units["territory"].isna().any():
        raise SchemaError("units needs a column territory that is filled in every row")
    order = np.argsort(units["territory"].to_numpy(dtype=object), kind="stable")
    codes = units["territory"].to_numpy(dtype=object)[order]
    starts = np.flatnonzero(np.r_[True, codes[1:] != codes[:-1]][: len(codes)])
    groups = np.split(shapes_of(units)[order], starts[1:]) if len(codes) else []
    index = pd.Index([codes[at] for at in starts], dtype="str", name="territory")
    columns = {
        "level": pd.Series(level, index=index, dtype="str"),
        "parent": pd.Series(None, index=index, dtype="str"),
    }
    # A union walks all corners, where a coverage union would trust that they match.
    shapes = [shapely.union_all(group) for group in groups]
    return GeoDataFrame(columns, geometry=shapes, index=index, crs=units.crs)

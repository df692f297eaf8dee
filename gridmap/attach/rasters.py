"""Counts of a raster summed up by polygon: every pixel shared out, nothing lost."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import shapely
from geopandas import GeoDataFrame
from pandas import DataFrame

from ..errors import CRSError
from ..sources.raster import Raster
from . import cutting, points
from .places import NOWHERE


class RasterSums(NamedTuple):
    """What a raster holds in each polygon, and outside of all."""

    by_grid: DataFrame  # one row for every polygon
    left_over: float  # in pixels, or parts of them, that no polygon covers


def attach_raster(raster: Raster, grids: GeoDataFrame, *, measure: str = "people") -> RasterSums:
    """Sum the counts of a raster up by polygon, each pixel by the shares of its area.

    Parameters
    ----------
    raster : Raster
        As from `load_raster`; a missing count is no count.
    grids : GeoDataFrame
        Valid polygons whose index is called grid, unit, territory or work_grid, in any CRS:
        they are brought to that of the raster.
    measure : str, default "people"
        The name of the column to make.

    Returns
    -------
    RasterSums
        The sums of all polygons and what is left over add up to the sum of the raster, to
        the rounding of sums. Where polygons overlap, the one whose code sorts first has it.

    Raises
    ------
    SchemaError
        If ``grids`` does not follow its schema.
    CRSError
        If ``grids`` has no CRS.
    TilingError
        If a polygon is not valid.

    Examples
    --------
    >>> from gridmap.sketch import CRS, sketch_grids
    >>> raster = Raster(np.array([[8.0, 4.0]]), 0.5, 1.0, 1.0, 1.0, CRS)  # from 0.5 to 2.5
    >>> sums = attach_raster(raster, sketch_grids("AB"))
    >>> sums.by_grid["people"].to_dict(), sums.left_over
    ({'A': 4.0, 'B': 6.0}, 2.0)
    """
    if grids.crs is None:
        raise CRSError("grids has no CRS. Set the one it was made in: grids.set_crs(…).")
    row, column = np.nonzero(raster.values > 0)
    counts = raster.values[row, column]
    left = raster.left + column * raster.width
    above = raster.above - row * raster.height
    pixels = shapely.box(left, above - raster.height, left + raster.width, above)
    ready = points.make_ready(grids.to_crs(raster.crs), len(pixels))
    pieces = cutting.cut_footprints(pixels, ready)
    mass = counts[pieces.row] * pieces.share
    held = pieces.position != NOWHERE
    sums = np.bincount(pieces.position[held], weights=mass[held], minlength=len(grids))
    told = np.empty(len(grids))
    told[ready.by_code] = sums
    return RasterSums(DataFrame({measure: told}, index=grids.index), float(mass[~held].sum()))

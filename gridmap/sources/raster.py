"""Population rasters: one band of counts out of a GeoTIFF."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..errors import SourceError


class Raster(NamedTuple):
    """Counts in rectangular pixels, rows from above."""

    values: NDArray[np.float64]  # missing where there is no count
    left: float
    above: float
    width: float  # of a pixel, in the unit of the CRS
    height: float
    crs: Any


def load_raster(path: str | Path, *, band: int = 1, crs: Any = None) -> Raster:
    """Read a band of counts, such as people per pixel.

    Parameters
    ----------
    path : str or Path
        A GeoTIFF, or anything else that rasterio reads.
    band : int, default 1
        Which band.
    crs : any CRS, optional
        What the file is in when it does not say.

    Returns
    -------
    Raster
        No-data and values below 0 are missing.

    Raises
    ------
    SourceError
        If rasterio is not installed, the file cannot be read, is turned, or in no CRS.

    Examples
    --------
    >>> load_raster("nowhere.tif")
    Traceback (most recent call last):
    gridmap.errors.SourceError: there is no file nowhere.tif
    """
    if not Path(path).is_file():
        raise SourceError(f"there is no file {path}")
    try:
        import rasterio
    except ImportError as error:
        raise SourceError(
            f"{path}: rasters need rasterio: pip install 'gridmap[raster]'"
        ) from error
    try:
        with rasterio.open(path) as source:
            read = source.read(band, masked=True).astype("float64")
            turn, known = source.transform, source.crs or crs
    except (rasterio.errors.RasterioError, IndexError) as error:
        raise SourceError(f"{path} cannot be read as a raster: {error}") from error
    if turn.b or turn.d or turn.a <= 0 or turn.e >= 0:
        raise SourceError(f"{path}: rows must run from west to east, and from north to south")
    if known is None:
        raise SourceError(f"{path} does not say its CRS: say it by crs=…")
    values = read.filled(np.nan)
    values[~(values >= 0)] = np.nan
    return Raster(values, turn.c, turn.f, turn.a, -turn.e, known)

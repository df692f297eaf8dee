"""Population rasters: one band of counts out of a GeoTIFF."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..errors import SourceError
from . import limits as bounds
from .limits import USUAL, Limits

#: Drivers of GDAL that open rasters, by the first bytes of their files: none of them reaches
#: for other files or addresses.
DRIVERS = {b"II*\0": "GTiff", b"MM\0*": "GTiff", b"II+\0": "GTiff", b"MM\0+": "GTiff",
           b"\x89PNG": "PNG", b"\xff\xd8\xff": "JPEG"}

#: What GDAL opens beside a raster, as a raster of any kind.
_BESIDE = (".ovr", ".msk", ".OVR", ".MSK")


class Raster(NamedTuple):
    """Counts in rectangular pixels, rows from above."""

    values: NDArray[np.float64]  # missing where there is no count
    left: float
    above: float
    width: float  # of a pixel, in the unit of the CRS
    height: float
    crs: Any


@contextmanager
def open_raster(path: Path, *, limits: Limits = USUAL) -> Iterator[Any]:
    """Open a GeoTIFF, PNG or JPEG with rasterio, and nothing that only looks like one.

    Parameters
    ----------
    path : Path
    limits : Limits, optional
        How large the file may be; how many pixels are read is the caller's to check.

    Yields
    ------
    rasterio dataset

    Raises
    ------
    SourceError
        If rasterio is not installed, or the file is absent, damaged or of another kind, as a
        virtual raster is, which may name any file or address.
    """
    if not path.exists():
        raise SourceError(f"there is no file {path}")
    bounds.check_files(path, limits, whole=False)
    driver = _find_driver(path)
    if driver is None:
        raise SourceError(f"{path} is no GeoTIFF, PNG or JPEG that can be read as a raster: it is "
                          "not opened")
    for ending in _BESIDE:
        beside = path.with_name(path.name + ending)
        if beside.is_file() and _find_driver(beside) != "GTiff":
            raise SourceError(f"{beside} is no TIFF, as an overview of {path.name} should be: it "
                              "is not opened")
    said = path.with_name(path.name + ".aux.xml")
    if said.is_file() and b"OVERVIEW_FILE" in said.read_bytes()[:bounds.SMALL_BYTES]:
        raise SourceError(f"{said} names another file to read in place of {path.name}: it is not "
                          "opened")
    try:
        import rasterio
    except ImportError as error:
        raise SourceError(
            f"{path}: rasters need rasterio: pip install 'gridmap[raster]'"
        ) from error
    try:
        with (rasterio.Env(CPL_VSIL_CURL_ALLOWED_EXTENSIONS=".none"),
              rasterio.open(path.resolve(), driver=driver) as source):
            yield source
    except rasterio.errors.RasterioError as error:
        raise SourceError(f"{path} cannot be read as a raster: {error}") from error


def _find_driver(path: Path) -> str | None:
    with path.open("rb") as stream:
        start = stream.read(8)
    if "!" in str(path.resolve()):  # after which GDAL looks for another file
        return None
    return next((name for mark, name in DRIVERS.items() if start.startswith(mark)), None)


def load_raster(
    path: str | Path, *, band: int = 1, crs: Any = None, limits: Limits = USUAL
) -> Raster:
    """Read a band of counts, such as people per pixel.

    Parameters
    ----------
    path : str or Path
        A GeoTIFF.
    band : int, default 1
        Which band.
    crs : any CRS, optional
        What the file is in when it does not say.
    limits : Limits, optional
        How many pixels the raster may have.

    Returns
    -------
    Raster
        No-data and values below 0 are missing.

    Raises
    ------
    SourceError
        If rasterio is not installed, the file cannot be read, has too many pixels, is turned,
        or in no CRS.

    Examples
    --------
    >>> load_raster("nowhere.tif")
    Traceback (most recent call last):
    gridmap.errors.SourceError: there is no file nowhere.tif
    """
    try:
        with open_raster(Path(path), limits=limits) as source:
            if source.width * source.height > limits.pixels:
                raise SourceError(
                    f"{path} has {source.width:,} by {source.height:,} pixels, more than the "
                    f"{limits.pixels:,} that are read: cut it, or raise the limit pixels")
            read = source.read(band, masked=True).astype("float64")
            turn, known = source.transform, source.crs or crs
    except (IndexError, MemoryError) as error:
        raise SourceError(f"{path} cannot be read as a raster: {error}") from error
    if turn.b or turn.d or turn.a <= 0 or turn.e >= 0:
        raise SourceError(f"{path}: rows must run from west to east, and from north to south")
    if known is None:
        raise SourceError(f"{path} does not say its CRS: say it by crs=…")
    values = read.filled(np.nan)
    values[~(values >= 0)] = np.nan
    return Raster(values, turn.c, turn.f, turn.a, -turn.e, known)

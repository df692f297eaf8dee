"""Pictures with a place, such as aerial photographs: read for a page, in Web Mercator."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..errors import SourceError
from . import raster

#: Web Mercator: the projection of every page.
_PAGE_CRS = "EPSG:3857"


class Picture(NamedTuple):
    """A picture in Web Mercator, north up."""

    pixels: NDArray[np.uint8]  # rows, columns, (red, green, blue, alpha)
    bounds: tuple[float, float, float, float]  # west, south, east, north in metres


def load_picture(path: str | Path, *, longest: int = 2048) -> Picture:
    """Read a picture in any CRS, projected to Web Mercator and no larger than asked for.

    Parameters
    ----------
    path : str or Path
        A GeoTIFF of one band (grey, or colours of a table), three (red, green, blue) or four
        (and alpha), or a PNG or JPEG with a CRS beside it. Bands that are not bytes are
        stretched from their 2nd to their 98th percentile.
    longest : int, default 2048
        Pixels of the longer side, at most. A larger file is read coarser, never whole.

    Returns
    -------
    Picture
        Transparent where the file has no data.

    Raises
    ------
    SourceError
        If rasterio is not installed, the file is absent, no raster, in no CRS, or far from
        the land that Web Mercator shows.

    Examples
    --------
    >>> load_picture("nowhere.tif")
    Traceback (most recent call last):
    gridmap.errors.SourceError: there is no file nowhere.tif
    """
    try:
        with raster.open_raster(Path(path)) as source:
            if source.crs is None:
                raise SourceError(
                    f"{path} does not say its CRS, so that it has no place on a map. Write one "
                    "into it, for example by gdal_edit.py -a_srs EPSG:4490")
            return _project(source, longest)
    except (ValueError, MemoryError) as error:
        raise SourceError(f"{path} cannot be read as a picture: {error}") from error


def _project(source: Any, longest: int) -> Picture:
    import rasterio.enums
    import rasterio.vrt
    import rasterio.warp

    turn, width, height = rasterio.warp.calculate_default_transform(
        source.crs, _PAGE_CRS, source.width, source.height, *source.bounds)
    shrink = max(1.0, max(width, height) / longest)
    wide, high = max(1, round(width / shrink)), max(1, round(height / shrink))
    west, north = turn.c, turn.f
    east, south = west + turn.a * width, north + turn.e * height
    place = rasterio.Affine((east - west) / wide, 0, west, 0, (south - north) / high, north)
    table = _colour_table(source)
    way = rasterio.enums.Resampling.nearest if table is not None else (
        rasterio.enums.Resampling.bilinear)
    masked = rasterio.enums.ColorInterp.alpha in source.colorinterp or source.nodata is not None
    with rasterio.vrt.WarpedVRT(source, crs=_PAGE_CRS, transform=place, width=wide, height=high,
                                resampling=way, add_alpha=not masked) as flat:
        bands = flat.read(list(range(1, min(source.count, 4) + 1)))
        seen = flat.dataset_mask() > 0
    return Picture(_coloured(bands, table, seen), (west, south, east, north))


def _colour_table(source: Any) -> NDArray[np.uint8] | None:
    try:
        colours = source.colormap(1)
    except ValueError:
        return None
    table = np.zeros((256, 4), dtype="uint8")
    for value, colour in colours.items():
        if 0 <= value < 256:
            table[value] = colour
    return table


def _coloured(
    bands: NDArray[Any], table: NDArray[np.uint8] | None, seen: NDArray[np.bool_]
) -> NDArray[np.uint8]:
    if table is not None and len(bands) == 1:
        pixels = table[np.clip(bands[0], 0, 255).astype("uint8")]
    else:
        shown = bands[:3] if len(bands) >= 3 else bands[:1].repeat(3, axis=0)
        if shown.dtype != np.uint8:
            shown = _stretched(shown, seen)
        pixels = np.dstack([*shown, np.full(seen.shape, 255, dtype="uint8")])
    pixels[~seen] = 0
    return np.ascontiguousarray(pixels, dtype="uint8")


def _stretched(bands: NDArray[Any], seen: NDArray[np.bool_]) -> NDArray[np.uint8]:
    values = bands.astype("float64")
    known = values[:, seen]
    known = known[np.isfinite(known)]
    if not known.size:
        return np.zeros(bands.shape, dtype="uint8")
    low, high = np.percentile(known, (2, 98))
    scaled = 255 * (np.nan_to_num(values, nan=low) - low) / max(high - low, 1e-12)
    return np.clip(scaled, 0, 255).astype("uint8")

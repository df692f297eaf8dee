"""A layer as PMTiles: vector tiles in one file, with every row at every zoom."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

import pyogrio

from .published import PublishedLayer
from .vector import WGS84

#: GDAL drops rows of a tile beyond these; a net is wanted whole.
_NOTHING_DROPPED = {"MAX_SIZE": 1 << 30, "MAX_FEATURES": 1 << 24}

#: The layer is about one tile at the zoom that fits; below the first zoom a grid is less than a
#: point, and above the last a map enlarges what it has.
_FIRST, _LAST = -2, 5

#: In tiles of the last zoom a step is 2.4 to 0.6 m at the equator.
_COARSEST, _FINEST = 12, 14


def save_tiles(layers: Sequence[PublishedLayer], file: Path) -> list[str]:
    """Write a layer as PMTiles of Mapbox vector tiles; return what was changed."""
    layer = layers[0]
    placed = layer.frame.to_crs(WGS84)
    first, last = choose_zooms(tuple(placed.total_bounds))
    pyogrio.write_dataframe(
        placed, file, layer=layer.name, driver="PMTiles",
        dataset_options={"NAME": layer.note.title, "DESCRIPTION": layer.note.line,
                         "TYPE": "overlay", "MINZOOM": first, "MAXZOOM": last,
                         **_NOTHING_DROPPED},
    )
    return [f"zooms {first} to {last}; missing figures are left out of a tile"]


def choose_zooms(bounds: tuple[float, float, float, float]) -> tuple[int, int]:
    """Return the first and the last zoom of tiles for a layer of some size.

    Parameters
    ----------
    bounds : (west, south, east, north)
        In degrees.

    Examples
    --------
    A city of 60 km, and a town of 8 km.

    >>> choose_zooms((114.0, 30.3, 114.6, 30.8)), choose_zooms((122.3, 36.0, 122.4, 36.07))
    ((7, 14), (9, 14))
    """
    west, south, east, north = bounds
    middle = math.radians((south + north) / 2)
    # A degree of latitude is stretched as the projection stretches it there.
    wide = max(east - west, (north - south) / max(math.cos(middle), 0.1), 1e-6)
    fits = math.floor(math.log2(360 / wide))
    last = min(max(fits + _LAST, _COARSEST), _FINEST)
    return max(min(fits + _FIRST, last), 0), last

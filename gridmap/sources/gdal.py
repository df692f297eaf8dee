"""GDAL behind one narrow door: known endings, proven content, one driver each.

Some of GDAL's drivers reach out over the network or to other files when they are handed
the right few bytes, whatever the file is called. So a file is given to GDAL only when its
own bytes show that it is what its ending says.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pyogrio.errors import DataLayerError, DataSourceError, FeatureError

from ..errors import SourceError
from . import contents

#: Endings that go to GDAL, and the driver that reads them.
DRIVERS = {
    ".shp": "ESRI Shapefile", ".gpkg": "GPKG", ".fgb": "FlatGeobuf", ".gdb": "OpenFileGDB",
    ".kml": "KML", ".pbf": "OSM", ".osm": "OSM", ".geojson": "GeoJSON", ".json": "GeoJSON",
}

#: Marks by which other drivers of GDAL know their files, in text of any kind. Whatever has
#: one of them near its start is not opened.
_FOREIGN = (b"<OGRVRTDataSource", b"<OGRVRT", b"<VRTDataset", b"<GDAL_WMS", b"<OGRWFSDataSource",
            b"gdal_streamed_alg", b"<WMS_Capabilities", b"<TMS", b"<wfs:", b"<csw:",
            b"ogr_fdw", b"<GDAL_WMTS", b"<MiniDriver")

_START_BYTES = 65_536

#: pyogrio raises IndexError for a file without layers, and NameError for a damaged CRS.
FAULTS = (DataSourceError, DataLayerError, FeatureError, ValueError, RuntimeError,
          IndexError, OSError, AttributeError, NameError)


def check_content(path: Path) -> None:
    """Raise unless the bytes of a file are of the kind that its ending says.

    Raises
    ------
    SourceError
        If the content is of another kind.
    """
    ending = path.suffix.lower()
    if "!" in str(path.resolve()) or str(path).startswith("/vsi"):
        raise SourceError(f"{path} has an exclamation mark in its name, after which GDAL looks "
                          "for another file, or one of GDAL's own folders (/vsi…): rename it")
    if path.is_dir():
        if ending != ".gdb" or not any(path.glob("a0000000*.gdbtable")):
            raise SourceError(f"{path} is a folder, and no file geodatabase (.gdb)")
        return
    with path.open("rb") as stream:
        start = stream.read(_START_BYTES)
    if not start:
        raise SourceError(f"{path} is empty")
    foreign = [mark.decode().strip("<:") for mark in _FOREIGN if mark in start]
    if foreign or not _is_kind(ending, start):
        kind = DRIVERS.get(ending, "file of that kind")
        found = f", it looks like {foreign[0]}" if foreign else ""
        raise SourceError(f"{path} ends in {ending}, but is no {kind}{found}: it is not opened")
    if ending in (".kml", ".osm"):
        with path.open("rb") as stream:
            contents.check_xml(stream, path, ending[1:])
    elif ending == ".gpkg":
        contents.check_package(path)


def _is_kind(ending: str, start: bytes) -> bool:
    text = start.lstrip(b"\xef\xbb\xbf \t\r\n\x1e")
    if ending == ".gpkg":
        return start.startswith(b"SQLite format 3\0")
    if ending == ".fgb":
        return start[:3] == b"fgb" and start[4:7] == b"fgb"
    if ending == ".shp":
        return start.startswith(b"\x00\x00\x27\x0a")
    if ending == ".pbf":
        return b"OSMHeader" in start[:64]
    if ending == ".osm":
        return (text.startswith(b"<?xml") and b"<osm" in start) or text.startswith(b"<osm")
    if ending == ".kml":
        return text.startswith(b"<") and b"<kml" in start
    return text[:1] in (b"{", b"[")


@contextmanager
def quietly() -> Iterator[list[str]]:
    """Collect what GDAL warns of, in place of printing it; each sentence once.

    The list is filled when the block ends.
    """
    told: list[str] = []
    with warnings.catch_warnings(record=True) as noticed:
        warnings.simplefilter("always")
        try:
            yield told
        finally:
            told += dict.fromkeys(str(warning.message) for warning in noticed)

"""GeoJSON and TopoJSON, read feature by feature: one bad feature is one reject."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import shapely
from pandas import DataFrame
from pyproj import CRS

from ..errors import CRSError, SourceError, listed
from . import cells, topology
from . import crs as crs_room
from .account import Lost
from .encodings import find_encoding, known_encoding
from .raw import Raw, check_columns, make_raw

_GEOMETRIES = ("Point", "MultiPoint", "LineString", "MultiLineString", "Polygon", "MultiPolygon",
               "GeometryCollection")
_NEXT_FEATURE = re.compile(r'\{\s*"(?:type"\s*:\s*"Feature"|properties"|geometry"|id")')


#: Endings of files with one feature a line.
LINES = (".geojsonl", ".geojsons", ".ndjson", ".jsonl")


#: Broken features after which no more are looked for: each costs a walk of its own.
_MOST_FAULTS = 2_000

#: Collections within collections that are followed.
_DEEPEST = 30


class _Feature(NamedTuple):
    properties: dict[str, Any]
    shape: Any
    reason: str | None  # why there is no shape


class _Document(NamedTuple):
    features: list[Any]
    crs: Any
    notes: list[tuple[str, str]]
    lost: list[Lost]


def read_geojson(
    path: Path, wanted: list[str], *, layer: str | None = None, encoding: str | None = None
) -> Raw:
    """Read columns and geometry of a GeoJSON or TopoJSON file.

    Parameters
    ----------
    path : Path
        A collection of features, one feature, a bare geometry, a list of features, one
        feature a line, or a topology.
    wanted : list of str
        Properties to read; others never enter. ``id`` is the feature's own where no
        property is called so.
    layer : str, optional
        Object of a topology with several.
    encoding : str, optional
        Overrules what the bytes show; UTF-8 is the rule.

    Returns
    -------
    Raw
        Properties as text. One row for each feature; what is no feature is lost by number.

    Raises
    ------
    SourceError
        If it is no JSON, or JSON of another kind.
    """
    text, notes = _decode(path, encoding)
    document = _parse(text, path, layer)
    features, lost = [], list(document.lost)
    gone = {one.row for one in lost}
    number = 0
    for entry in document.features:  # features are nested, so there is no column to work on
        number += 1
        while number in gone:
            number += 1
        reason = _fault_of_feature(entry)
        if reason is None:
            features.append(_feature(entry))
        else:
            lost.append(Lost(number, reason))
    headers = list(dict.fromkeys(name for one in features for name in one.properties))
    check_columns(wanted if features else [], headers, path)
    table = DataFrame({name: cells.to_text_of([one.properties.get(name) for one in features])
                       for name in wanted}, index=range(len(features)))
    shapes = np.array([None, *(one.shape for one in features)], dtype=object)[1:]
    lost.sort(key=lambda one: one.row or 0)
    raw = make_raw(table, headers, geometry=shapes, crs=document.crs,
                   notes=[*notes, *document.notes], lost=lost)
    return raw._replace(reasons=np.array([None, *(one.reason for one in features)])[1:])


def _decode(path: Path, given: str | None) -> tuple[str, list[tuple[str, str]]]:
    content = path.read_bytes()
    if not content.strip():
        raise SourceError(f"{path} is empty")
    name = known_encoding(given) if given else None
    if given and name is None:
        raise SourceError(f"there is no encoding {given!r}, asked for {path}")
    found = find_encoding(content)
    chosen = name or found.name
    evidence = f"{given}, said by the user" if given else found.evidence
    text = content.decode(chosen, errors="replace").lstrip("\ufeff")
    return text, [("encoding", f"{chosen}: {evidence}")]


def _parse(text: str, path: Path, layer: str | None) -> _Document:
    if path.suffix.lower() in LINES:
        document = _gather(_each_line(text), None)
        if document.lost and not document.features:
            raise SourceError(f"{path} has no line that is JSON: {document.lost[0].reason}")
        return document
    try:
        whole = json.loads(text)
    except (ValueError, RecursionError) as error:
        whole = _without_last_commas(text)
        if whole is None:
            return _salvage(text, path, error)
    if isinstance(whole, list):
        return _Document(whole, CRS.from_epsg(4326), [], [])
    if not isinstance(whole, dict):
        raise SourceError(f"{path} is JSON, but neither GeoJSON nor TopoJSON")
    kind = whole.get("type")
    if kind == "Topology":
        return _Document(topology.features(whole, layer, path), _crs(whole, path), [], [])
    if kind == "FeatureCollection":
        features = whole.get("features")
        if not isinstance(features, list):
            raise SourceError(f"{path} is a FeatureCollection without a list of features")
        return _Document(features, _crs(whole, path), [], [])
    if kind == "Feature":
        return _Document([whole], _crs(whole, path), [], [])
    if kind in _GEOMETRIES:
        return _Document([{"type": "Feature", "properties": {}, "geometry": whole}],
                         _crs(whole, path), [], [])
    raise SourceError(
        f"{path} is JSON of type {_word(kind)}: expected FeatureCollection, Feature, Topology or "
        f"a geometry ({listed(_GEOMETRIES, show=10)})"
    )


def _word(kind: Any) -> str:
    """Name a type as the file does, where it is a plain word: anything else may be anybody's."""
    plain = isinstance(kind, str) and kind.isascii() and kind.isalpha() and len(kind) <= 20
    return repr(kind) if plain or kind is None else "of its own"


def _without_last_commas(text: str) -> Any:
    """Read JSON whose only fault is a comma before a closing bracket."""
    try:
        return json.loads(re.sub(r",(\s*[\]}])", r"\1", text))
    except (ValueError, RecursionError):
        return None


def _crs(whole: dict[str, Any], path: Path) -> CRS:
    """Return the CRS of the old "crs" member; without one GeoJSON is in WGS 84.

    References
    ----------
    RFC 7946, section 4.
    """
    member = whole.get("crs")
    properties = member.get("properties") if isinstance(member, dict) else None
    name = properties.get("name") if isinstance(properties, dict) else None
    if not isinstance(name, str) or "CRS84" in name:
        return CRS.from_epsg(4326)
    try:
        return crs_room.crs_of_text(name)
    except CRSError:
        raise SourceError(
            f"{path} says that its CRS is {name!r}, which does not exist. Take that member out, "
            "and say the right one with crs"
        ) from None


def _salvage(text: str, path: Path, error: Exception) -> _Document:
    """Read what can be read of broken JSON, feature by feature, or one feature a line."""
    document = _gather(_pieces(text), error)
    if not document.features:
        raise SourceError(f"{path} is no JSON that can be read: {error}") from error
    return document


def _gather(entries: Iterator[Any], error: Exception | None) -> _Document:
    """Sort entries into features and lost ones; an entry that is an exception was not read."""
    features: list[Any] = []
    lost: list[Lost] = []
    for number, entry in enumerate(entries, start=1):
        if isinstance(entry, Exception):
            lost.append(Lost(number, f"damaged JSON: {entry}"))
        else:
            features.append(entry)
    notes = []
    if lost and error is not None:
        notes.append(("read feature by feature", f"the file is damaged: {error}"))
    return _Document(features, CRS.from_epsg(4326), notes, lost)


def _each_line(text: str) -> Iterator[Any]:
    for line in text.splitlines():
        bare = line.strip(" \t\x1e")
        if bare:
            try:
                yield json.loads(bare)
            except (ValueError, RecursionError) as error:
                yield error


def _pieces(text: str) -> Iterator[Any]:
    decoder = json.JSONDecoder()
    listing = re.search(r'"features"\s*:\s*\[', text)
    at, faults = (listing.end() if listing else 0), 0
    while True:
        start = _NEXT_FEATURE.search(text, at)
        if start is None:
            return
        try:
            entry, at = decoder.raw_decode(text, start.start())
            yield entry
        except (ValueError, RecursionError) as error:
            faults += 1
            if faults > _MOST_FAULTS:
                return
            at = start.end()
            following = _FEATURE_TYPE.search(text, at)
            at = following.start() if following else len(text)
            yield error


_FEATURE_TYPE = re.compile(r'\{\s*"type"\s*:\s*"Feature"')


def _fault_of_feature(entry: Any) -> str | None:
    """Say why an entry of a collection is no feature, None where it is one."""
    if not isinstance(entry, dict):
        return f"{'null' if entry is None else type(entry).__name__} in the place of a feature"
    if entry.get("type") != "Feature":
        return f"an entry of type {_word(entry.get('type'))} in the place of a feature"
    properties = entry.get("properties")
    if properties is not None and not isinstance(properties, dict):
        return f"properties are {type(properties).__name__}, not an object"
    return None


def _feature(entry: dict[str, Any]) -> _Feature:
    properties = dict(entry.get("properties") or {})
    if "id" in entry and not isinstance(entry["id"], (dict, list)):
        properties.setdefault("id", entry["id"])
    shape, reason = _shape(entry.get("geometry"))
    return _Feature(properties, shape, reason)


def _shape(geometry: Any, depth: int = 0) -> tuple[Any, str | None]:
    if geometry is None:
        return None, "the feature has no geometry"
    if not isinstance(geometry, dict) or geometry.get("type") not in _GEOMETRIES:
        return None, "the geometry is of no type that GeoJSON knows"
    if geometry["type"] == "GeometryCollection":
        if depth >= _DEEPEST:
            return None, f"collections within collections, more than {_DEEPEST} deep"
        return _collection(geometry.get("geometries"), depth + 1)
    coordinates = geometry.get("coordinates")
    if not isinstance(coordinates, list):
        return None, "the geometry has no coordinates"
    if not coordinates:
        return shapely.from_wkt(f"{geometry['type'].upper()} EMPTY"), None
    try:
        return shapely.geometry.shape(
            {"type": geometry["type"], "coordinates": _in_two(coordinates)}), None
    except (ValueError, TypeError, IndexError, KeyError, AttributeError, RecursionError,
            OverflowError,
            shapely.errors.ShapelyError):
        return None, f"the coordinates do not make a {geometry['type']}"


def _in_two(coordinates: list[Any]) -> list[Any]:
    """Keep x and y of every position, at whatever depth."""
    if coordinates and not isinstance(coordinates[0], list):
        if len(coordinates) < 2 or not all(isinstance(n, (int, float)) and not isinstance(n, bool)
                                           for n in coordinates[:2]):
            raise ValueError("a position needs two numbers")
        return coordinates[:2]
    return [_in_two(part) for part in coordinates]


def _collection(parts: Any, depth: int) -> tuple[Any, str | None]:
    if not isinstance(parts, list):
        return None, "the collection has no geometries"
    made = [_shape(part, depth) for part in parts]
    reason = next((reason for _, reason in made if reason), None)
    if reason is not None:
        return None, reason
    if len(made) == 1:
        return made[0]
    return shapely.GeometryCollection([shape for shape, _ in made]), None

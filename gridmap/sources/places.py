"""Geometry out of a file: points from columns, shapes made valid, the rest named."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import shapely
from numpy.typing import NDArray
from pandas import Series

from ..errors import SourceError
from . import account, cells, measure, nesting, offsets
from .account import Fault, Note
from .limits import USUAL, Limits
from .raw import Raw

_BACK = {"GCJ-02": offsets.from_gcj02, "BD-09": offsets.from_bd09}

_NO_PLACE = "no place"

#: Metres, with the number of a zone before them, end below 1e8; a phone number is above 1e10.
_FARTHEST = 1e9
_TYPES = ("nothing", "Point", "LineString", "LinearRing", "Polygon", "MultiPoint",
          "MultiLineString", "MultiPolygon", "GeometryCollection")


class Places(NamedTuple):
    """Where rows are: coordinates of points that are not built yet, or shapes."""

    x: NDArray[np.float64] | None
    y: NDArray[np.float64] | None
    shapes: NDArray[Any] | None
    faults: tuple[Fault, ...]
    notes: tuple[Note, ...]
    crs: Any = None  # what the geometry says of itself, as SRID=4326;POINT (…) does


def find_places(raw: Raw, columns: Mapping[str, Any], geometry: tuple[str, ...], *,
                limits: Limits = USUAL) -> Places:
    """Take the shapes of rows, from geometry or from columns x and y, or wkt.

    Parameters
    ----------
    raw : Raw
        Rows of a file.
    columns : mapping
        ``x`` and ``y``, or ``wkt``, name the columns of a table without geometry.
    geometry : tuple of str
        Types that the schema wants; a multipart shape of one part becomes that part where
        only single ones are wanted.
    limits : Limits, optional
        How large one shape may be.

    Returns
    -------
    Places

    Raises
    ------
    SourceError
        If there is neither geometry nor columns to make it from.
    """
    if "x" in columns or "y" in columns:
        return _points(raw, columns)
    if "wkt" in columns:
        shapes, srid, unread = _from_text(raw.table[columns["wkt"]])
        fault = Fault(unread, _NO_PLACE, "geometry as text that cannot be read")
        places = _sound(shapes, geometry, limits)
        return places._replace(faults=(fault, *places.faults), crs=srid)
    if raw.geometry is not None:
        places = _sound(raw.geometry, geometry, limits)
        return places._replace(faults=(*_known_reasons(raw), *places.faults))
    raise SourceError(
        "the table has no geometry: name its coordinate columns, as in "
        "columns = { x = \"lon\", y = \"lat\" } or { wkt = \"geom\" }"
    )


def _points(raw: Raw, columns: Mapping[str, Any]) -> Places:
    if "x" not in columns or "y" not in columns:
        raise SourceError("columns has only one of x and y: both are needed")
    read = {name: cells.to_numbers(raw.table[columns[name]]).to_numpy() for name in "xy"}
    blank = account.nowhere(len(raw.table))
    for name in "xy":
        if np.isnan(read[name]).any():
            blank |= account.is_blank(raw.table[columns[name]])
    bad = np.isnan(read["x"]) | np.isnan(read["y"])
    beyond = (np.abs(read["x"]) > _FARTHEST) | (np.abs(read["y"]) > _FARTHEST)
    faults = (
        Fault(blank, _NO_PLACE, "no coordinates"),
        Fault(bad, _NO_PLACE, "coordinates that are no finite numbers"),
        Fault(beyond, _NO_PLACE, "coordinates larger than those of any place"),
    )
    return Places(read["x"], read["y"], None, faults, ())


def _from_text(values: Series) -> tuple[NDArray[Any], int | None, NDArray[np.bool_]]:
    """Read WKT, WKT with a SRID before it, or WKB in hexadecimal digits."""
    texts = values.astype(object).where(values.notna(), None).to_numpy()
    filled = values.dropna()
    if len(filled) and isinstance(filled.iloc[0], bytes):
        shapes = nesting.read_wkb(texts)
        return shapes, None, np.asarray(values.notna()) & shapely.is_missing(shapes)
    sample = "" if filled.empty else str(filled.iloc[0]).strip()
    if re.fullmatch(r"(00|01)[0-9A-Fa-f]+", sample):
        shapes = nesting.read_wkb(texts)
        ids = set(shapely.get_srid(shapes[~shapely.is_missing(shapes)]).tolist()) - {0}
    else:
        told = values.str.extract(r"^\s*SRID=(\d+);", expand=False)
        bare = texts if told.isna().all() else np.array(
            [t if t is None else t.partition(";")[2] or t for t in texts], dtype=object)
        shapes = nesting.read_wkt(bare)
        ids = {int(number) for number in told.dropna().unique()}
    if len(ids) > 1:
        raise SourceError(f"geometry names several CRS: {sorted(ids)}. Split the file by CRS")
    unread = np.asarray(values.notna()) & shapely.is_missing(shapes)
    return shapes, next(iter(ids), None), unread


def _known_reasons(raw: Raw) -> list[Fault]:
    if raw.reasons is None:
        return []
    told = sorted({reason for reason in raw.reasons if reason})
    return [Fault(raw.reasons == reason, _NO_PLACE, reason) for reason in told]


def _sound(shapes: NDArray[Any], geometry: tuple[str, ...], limits: Limits) -> Places:
    """Keep sound shapes of the wanted types, mend what is safe to mend, name the rest."""
    large = measure.find_large(shapes, limits)
    shapes = measure.without(shapes, [fault.rows for fault in large])
    if shapely.has_z(shapes).any() or shapely.has_m(shapes).any():
        shapes = shapely.force_2d(shapes)
    kinds = shapely.get_type_id(shapes)
    missing, empty = kinds < 0, shapely.is_empty(shapes)
    sides = np.abs(shapely.bounds(shapes))
    endless = ~missing & ~empty & ~np.isfinite(sides).all(axis=1)
    beyond = ~missing & ~empty & (sides > _FARTHEST).any(axis=1)
    good = ~(missing | empty | endless | beyond)
    invalid = account.nowhere(len(shapes))
    checked = good & (kinds != 0)  # a point with finite coordinates is valid
    with np.errstate(all="ignore"):  # coordinates beyond all measure overflow
        invalid[checked] = ~shapely.is_valid(shapes[checked])
        tangled = measure.find_tangled(shapes, invalid, limits)
        invalid &= ~tangled.rows
        shapes, gone = _made_valid(shapes, invalid)
    shapes = _unwrapped(shapes, geometry)
    kinds = shapely.get_type_id(shapes)
    wanted = [_TYPES.index(name) - 1 for name in geometry]
    wrong = good & ~gone & ~tangled.rows & ~np.isin(kinds, wanted)
    needed = " or ".join(geometry)
    faults = [
        *large, tangled,
        Fault(missing, _NO_PLACE, "no geometry, or none that can be read"),
        Fault(empty, _NO_PLACE, "empty geometry"),
        Fault(endless, _NO_PLACE, "coordinates are not finite"),
        Fault(beyond, _NO_PLACE, "coordinates larger than those of any place"),
        Fault(gone, _NO_PLACE, "invalid geometry, of which nothing is left when made valid"),
    ]
    faults += [Fault(wrong & (kinds == kind), _NO_PLACE,
                     f"{_TYPES[kind + 1]}, where {needed} is needed")
               for kind in np.unique(kinds[wrong])]
    note = Note(invalid, "made valid", note="a ring touched or crossed itself")
    return Places(None, None, shapes, tuple(faults), (note,))


def _made_valid(
    shapes: NDArray[Any], invalid: NDArray[np.bool_]
) -> tuple[NDArray[Any], NDArray[np.bool_]]:
    """Mend rings that touch or cross themselves; keep parts of the same dimension only.

    Every point of the old shape's inside that has a side stays inside: parts are told by
    the structure of rings, holes stay holes.
    """
    gone = account.nowhere(len(shapes))
    if not invalid.any():
        return shapes, gone
    shapes = shapes.copy()
    before = shapely.get_dimensions(shapes[invalid])
    valid = shapely.make_valid(shapes[invalid], method="structure", keep_collapsed=False)
    for at in np.flatnonzero(shapely.get_type_id(valid) == 7):  # few; parts of mixed kinds
        parts = shapely.get_parts(valid[at])
        valid[at] = shapely.union_all(parts[shapely.get_dimensions(parts) == before[at]])
    shapes[invalid] = valid
    gone[invalid] = shapely.is_empty(valid) | ~shapely.is_valid(valid)
    return shapes, gone


def _unwrapped(shapes: NDArray[Any], geometry: tuple[str, ...]) -> NDArray[Any]:
    """Take the one part out of multipart shapes where the schema wants single ones."""
    kinds = shapely.get_type_id(shapes)
    for single, multiple in (("Point", 4), ("LineString", 5), ("Polygon", 6)):
        if single in geometry and f"Multi{single}" not in geometry and (kinds == multiple).any():
            alone = (kinds == multiple) & (shapely.get_num_geometries(shapes) == 1)
            shapes = shapes.copy()
            shapes[alone] = shapely.get_geometry(shapes[alone], 0)
    return shapes


def bounds_of(places: Places) -> tuple[float, float, float, float] | None:
    """Return west, south, east and north of all places, None where there is none."""
    if places.x is not None and places.y is not None:
        x, y = places.x[np.isfinite(places.x)], places.y[np.isfinite(places.y)]
    else:
        shapes = np.empty(0, dtype=object) if places.shapes is None else places.shapes
        sides = shapely.bounds(shapes)
        sides = sides[np.isfinite(sides).all(axis=1)]
        x, y = sides[:, [0, 2]].ravel(), sides[:, [1, 3]].ravel()
    if not len(x) or not len(y):
        return None
    return float(x.min()), float(y.min()), float(x.max()), float(y.max())


def swap_axes(places: Places) -> Places:
    """Return places whose second coordinate is the one to the east."""
    if places.shapes is None:
        return places._replace(x=places.y, y=places.x)
    turned = shapely.transform(places.shapes, lambda pairs: pairs[:, ::-1])
    return places._replace(shapes=np.asarray(turned))


def build_shapes(places: Places, kept: NDArray[np.bool_], offset: str | None) -> NDArray[Any]:
    """Return the shapes of the rows that are kept, moved back from a declared offset.

    Raises
    ------
    SourceError
        If the offset has another name than GCJ-02 or BD-09.
    """
    if offset is not None and offset not in _BACK:
        raise SourceError(f"there is no offset {offset!r}: expected GCJ-02 or BD-09")
    everything = bool(kept.all())
    if places.shapes is not None:
        shapes = places.shapes if everything else places.shapes[kept]
        if offset is None:
            return shapes
        return np.asarray(shapely.transform(shapes, _BACK[offset], interleaved=False))
    x, y = places.x, places.y
    if x is None or y is None:
        return np.empty(0, dtype=object)
    if not everything:
        x, y = x[kept], y[kept]
    if offset is not None:
        x, y = _BACK[offset](x, y)
    with cells.collector_paused():
        return np.asarray(shapely.points(x, y))

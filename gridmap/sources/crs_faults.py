"""Coordinates that are not where their CRS says: found by evidence, never corrected here."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import shapely
from geopandas import GeoDataFrame
from pandas import DataFrame
from pyproj import CRS
from pyproj.exceptions import ProjError

from ..errors import CRSError
from ..schema import crs_name
from . import samples

#: Places looked at; and the share of them that has to lie where it should.
_SAMPLE, _FITS = 1_000, 0.8

_COLUMNS = ("what", "share_before", "share_after", "evidence", "suggestion")


class _Reading(NamedTuple):
    """One way to read the coordinates of a file."""

    what: str
    crs: CRS
    swapped: bool


def find_crs_faults(
    frame: GeoDataFrame, reference: GeoDataFrame | None = None, *, seed: int = 0
) -> DataFrame:
    """Find out whether coordinates are where their CRS says, and what would explain them.

    Places of the frame are held against the extent of a reference, read as the frame says
    and in other ways: axes swapped, degrees taken for metres and the reverse, web Mercator,
    another zone of CGCS2000 or UTM. Without a reference the area for which the frame's CRS
    is made takes its place, which only finds gross faults.

    Parameters
    ----------
    frame : GeoDataFrame
        Shapes of any kind; its CRS may be missing.
    reference : GeoDataFrame, optional
        A layer that is known to be right and covers the same ground, such as the boundary.
    seed : int, default 0
        For the choice of places, where there are more than 1,000.

    Returns
    -------
    DataFrame
        Index ``number``; empty where at least 80 % of the places lie where they should.
        Else one row for each reading that brings them there, the likeliest first: what is
        wrong, the share inside before and after (0 to 1), the evidence in a sentence and a
        suggestion: the option to declare. Where no reading does, one row says so.

    Raises
    ------
    CRSError
        If the reference has no CRS, or no shape.

    Examples
    --------
    >>> from gridmap.sketch import sketch_grids
    >>> towns = sketch_grids("AB", side_m=5_000).translate(4e5, 4.1e6).to_frame("geometry")
    >>> swapped = towns.set_geometry(shapely.transform(
    ...     towns.to_crs(4326).geometry.to_numpy(), lambda places: places[:, ::-1]), crs=4326)
    >>> faults = find_crs_faults(swapped, towns.set_geometry("geometry", crs=32651))
    >>> faults[["what", "suggestion"]].to_numpy().tolist()
    [['axes swapped', 'crs = "EPSG:4326 yx"']]
    """
    extent = _extent(frame, reference)
    places = samples.sample_places(frame.geometry.to_numpy(), _SAMPLE, seed=seed)
    if not len(places):
        return _table([])
    before = 0.0
    if frame.crs is not None:
        if extent is None:
            return _table([])
        before = _share(places, _Reading("", CRS(frame.crs), False), extent)
        if before >= _FITS:
            return _table([])
    found: list[tuple[float, _Reading]] = []
    for reading in _readings(frame, reference, places):
        share = 0.0 if extent is None else _share(places, reading, extent)
        if share >= _FITS and not any(_is_same(reading, other) for _, other in found):
            found.append((share, reading))
    found.sort(key=lambda pair: -pair[0])  # stable: equal shares stay in order of likelihood
    said = crs_name(frame)
    where = "the reference" if reference is not None else "the area that the CRS is made for"
    return _table([_row(said, before, share, reading, where) for share, reading in found[:3]]
                  or [_nothing_fits(said, before, where)])


def _extent(frame: GeoDataFrame, reference: GeoDataFrame | None) -> Any:
    if reference is not None:
        if reference.crs is None or reference.geometry.is_empty.all():
            raise CRSError("reference has no CRS or no shape: give a layer that is known to be "
                           "right, such as the boundary")
        return samples.extent_of(reference)
    area = None if frame.crs is None else CRS(frame.crs).area_of_use
    if area is None:
        return None
    return shapely.box(area.west, area.south, area.east, area.north).buffer(0.5)


def _share(places: samples.Places, reading: _Reading, extent: Any) -> float:
    """Return the share of places inside an extent, read in one way."""
    turned = places[:, ::-1] if reading.swapped else places
    degrees = samples.move(turned, reading.crs, 4326)
    return float(shapely.intersects_xy(extent, degrees[:, 0], degrees[:, 1]).mean())


def _readings(
    frame: GeoDataFrame, reference: GeoDataFrame | None, places: samples.Places
) -> Iterator[_Reading]:
    """Return ways to read the coordinates, the likeliest first."""
    own = None if frame.crs is None else CRS(frame.crs)
    if own is not None:
        yield _Reading("axes swapped", own, True)
    degrees = bool((np.abs(places) <= 180).all())
    what = _what(own, degrees=degrees)
    for crs in _systems(reference, places, degrees=degrees):
        if crs != own:
            zone = what == "another CRS" and own is not None and _is_zone_of(own, crs)
            yield _Reading("another zone" if zone else what, crs, False)
    for crs in _systems(reference, places, degrees=degrees):
        if crs != own:
            yield _Reading(f"{what}, and axes swapped", crs, True)


def _what(own: CRS | None, *, degrees: bool) -> str:
    if own is None:
        return "CRS missing"
    if degrees and not own.is_geographic:
        return "degrees in a CRS in metres"
    if not degrees and own.is_geographic:
        return "metres in a CRS in degrees"
    return "another CRS"


def _systems(
    reference: GeoDataFrame | None, places: samples.Places, *, degrees: bool
) -> Iterator[CRS]:
    if degrees:
        yield CRS.from_epsg(4326)
        return
    yield CRS.from_epsg(3857)
    if reference is not None and CRS(reference.crs).is_projected:
        yield CRS(reference.crs)
    longitude = _longitude(reference)
    for code in _zones(places, longitude):
        try:
            yield CRS.from_epsg(code)
        except ProjError:
            continue


def _longitude(reference: GeoDataFrame | None) -> float | None:
    return None if reference is None else float(samples.extent_of(reference).centroid.x)


def _zones(places: samples.Places, longitude: float | None) -> list[int]:
    """Return EPSG codes of zones: CGCS2000 in 3°, without and with their number, then UTM.

    With a known longitude only zones near it are tried, the nearest first.
    """
    plain = {4534 + n: 75.0 + 3 * n for n in range(21)}
    numbered = {4513 + n: 75.0 + 3 * n for n in range(21)}
    utm = {(32601 if places[:, 1].mean() >= 0 else 32701) + n: -177.0 + 6 * n for n in range(60)}
    first = {**numbered, **plain} if float(places[:, 0].min()) > 13e6 else plain
    middles = {**first, **utm}
    if longitude is None:
        return list(first)
    near = [code for code, middle in middles.items() if abs(middle - longitude) <= 6]
    return sorted(near, key=lambda code: (code in utm, abs(middles[code] - longitude)))


def _is_zone_of(own: CRS, other: CRS) -> bool:
    """Say whether two CRS are the same projection around different meridians."""
    one, two = own.coordinate_operation, other.coordinate_operation
    if one is None or two is None or own.geodetic_crs != other.geodetic_crs:
        return False
    return one.method_name == two.method_name


def _is_same(one: _Reading, other: _Reading) -> bool:
    return one.crs == other.crs and one.swapped == other.swapped


def _row(
    said: str, before: float, after: float, reading: _Reading, where: str
) -> dict[str, object]:
    name = ":".join(reading.crs.to_authority() or (str(reading.crs.name), ""))
    turned = " yx" if reading.swapped else ""
    read = f"read as {name}{' with its axes swapped' if reading.swapped else ''}"
    as_said = "nothing is said" if said == "no CRS" else f"as {said} {before:.0%}"
    return {
        "what": reading.what, "share_before": before, "share_after": after,
        "evidence": f"{read}, {after:.0%} of the places lie in {where}; {as_said}",
        "suggestion": f'crs = "{name}{turned}"',
    }


def _nothing_fits(said: str, before: float, where: str) -> dict[str, object]:
    return {
        "what": "no CRS fits", "share_before": before, "share_after": np.nan,
        "evidence": f"as {said} {before:.0%} of the places lie in {where}, and no CRS that was "
                    "tried brings them there",
        "suggestion": "ask where the file comes from",
    }


def _table(rows: list[dict[str, object]]) -> DataFrame:
    kinds = {"what": "str", "share_before": "float64", "share_after": "float64",
             "evidence": "str", "suggestion": "str"}
    table = DataFrame(rows, columns=list(_COLUMNS)).astype(kinds)
    return table.set_axis(pd.RangeIndex(len(table), name="number"), axis="index")



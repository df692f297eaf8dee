"""Which coordinates a file is in, and which metres fit it."""

from __future__ import annotations

import json
import re
from typing import Any

from geopandas import GeoDataFrame
from pyproj import CRS
from pyproj.exceptions import ProjError

from ..errors import CRSError
from ..schema import crs_name

Bounds = tuple[float, float, float, float]

#: What makes PROJ open files of its own choice: definitions with init=, and grids with a path.
_FILES = re.compile(r"init\s*=|grids\s*=\s*@?[^,\s\"']*[/\\]|PARAMETERFILE\s*\[[^\]]*[/\\]",
                    re.IGNORECASE)

#: The 3-degree zones of CGCS2000 without a zone number in the easting: EPSG:4534 is around
#: 75° E, and each next code 3° further, up to EPSG:4554 around 135° E.
_FIRST_ZONE, _FIRST_MERIDIAN, _ZONES = 4534, 75.0, 21


def crs_of_text(told: Any) -> CRS:
    """Return the CRS that a file names, by a code, WKT or PROJJSON.

    Parameters
    ----------
    told : str or dict
        As it stands in the file.

    Returns
    -------
    pyproj.CRS

    Raises
    ------
    CRSError
        If it is none, or PROJ would open files that it names, which may be anything.

    Examples
    --------
    >>> crs_of_text("EPSG:4490").to_epsg()
    4490
    >>> crs_of_text("+init=/dev/zero:1")
    Traceback (most recent call last):
    gridmap.errors.CRSError: a CRS that names files is not read: PROJ would open them. Give an \
EPSG code
    """
    if _FILES.search(told if isinstance(told, str) else json.dumps(told)):
        raise CRSError("a CRS that names files is not read: PROJ would open them. Give an EPSG "
                       "code")
    try:
        return CRS.from_user_input(told)
    except ProjError as error:
        raise CRSError(f"{str(told)[:60]!r} is no CRS: give an EPSG code") from error


def metric_crs(*frames: GeoDataFrame) -> CRS:
    """Return the projected CRS in metres that fits frames best.

    A frame that is in metres already keeps its CRS where its middle lies in the zone, or no
    further than a quarter of a degree outside it.
    Coordinates on CGCS2000 get the 3° zone whose meridian is nearest to the middle; all
    others their UTM zone.

    Parameters
    ----------
    *frames : GeoDataFrame
        One or more; the first that is in metres decides, else the middle of all.

    Returns
    -------
    pyproj.CRS

    Raises
    ------
    CRSError
        If a frame has no CRS, or all are empty.

    Examples
    --------
    >>> from gridmap.sketch import sketch_grids
    >>> metric_crs(sketch_grids("A").set_crs(4326, allow_override=True)).to_epsg()
    32631
    """
    for frame in frames:
        if frame.crs is None:
            raise CRSError("a frame has no CRS. Set the one it was made in: frame.set_crs(…).")
    filled = [frame for frame in frames if len(frame) and not frame.geometry.is_empty.all()]
    if not filled:
        raise CRSError("no frame holds a place, so no CRS in metres can be chosen")
    for frame in filled:
        if _is_metric(frame.crs) and _reaches(frame):
            return CRS(frame.crs)
    try:
        if "2000" in str(filled[0].crs.datum) and "China" in str(filled[0].crs.datum):
            return _chinese_zone(_middle(filled[0])[0])
        return CRS(filled[0].estimate_utm_crs())
    except (RuntimeError, ProjError, OverflowError, ValueError) as error:
        raise CRSError(
            f"no CRS in metres fits: as {crs_name(filled[0])} the coordinates lie beyond the "
            "world. See what explains them with find_crs_faults(frame), or gridmap check"
        ) from error


def _is_metric(crs: CRS) -> bool:
    return bool(crs.is_projected) and crs.axis_info[0].unit_name == "metre"


def _middle(frame: GeoDataFrame) -> tuple[float, float]:
    west, south, east, north = frame.to_crs(4326).total_bounds
    return (west + east) / 2, (south + north) / 2


def _reaches(frame: GeoDataFrame) -> bool:
    """Say whether the middle lies inside the area that the CRS is made for."""
    area = frame.crs.area_of_use
    if area is None or ("Mercator" in str(frame.crs.name) and "Pseudo" in str(frame.crs.name)):
        return False
    lon, lat = _middle(frame)
    margin = 0.25  # degrees: a layer that straddles two zones may stay in the one it is in
    return bool(area.west - margin <= lon <= area.east + margin
                and area.south - margin <= lat <= area.north + margin)


def _chinese_zone(lon: float) -> CRS:
    zone = min(max(round((lon - _FIRST_MERIDIAN) / 3.0), 0), _ZONES - 1)
    return CRS.from_epsg(_FIRST_ZONE + zone)


def choose_crs(
    found: Any, given: str | None, path: object, *, bounds: Bounds | None = None
) -> tuple[CRS, str | None]:
    """Return the CRS of a file, and a note where the user's word was needed.

    Parameters
    ----------
    found : CRS or None
        What the file says.
    given : str or None
        What the user says.
    path : object
        For the message.
    bounds : (west, south, east, north), optional
        Of the coordinates, so that the message can say what they look like.

    Returns
    -------
    (CRS, note or None)

    Raises
    ------
    CRSError
        If neither says anything, or the user's CRS does not exist.
    """
    if given is None and found is None:
        raise CRSError(
            f"{path} does not say which CRS its coordinates are in.{_looks_like(bounds)} Say it "
            "with crs = \"EPSG:4326\" for degrees, or the code of the projection"
        )
    if given is None:
        return plain_crs(CRS(found)), None
    try:
        crs = plain_crs(CRS.from_user_input(given))
    except ProjError as error:
        raise CRSError(f"there is no CRS {given!r}, asked for {path}") from error
    if found is None:
        return crs, f"{given}, said by the user; the file says nothing"
    said = plain_crs(CRS(found))
    if said == crs:
        return crs, None
    name = crs_name(GeoDataFrame(geometry=[], crs=said))
    return crs, f"{given}, said by the user; the file says {name}"


def crs_of_srid(srid: int, path: object) -> CRS:
    """Return the CRS that geometry names by its number.

    Raises
    ------
    CRSError
        If there is none.

    Examples
    --------
    >>> crs_of_srid(4550, "homes.csv").name
    'CGCS2000 / 3-degree Gauss-Kruger CM 123E'
    """
    try:
        return CRS.from_epsg(srid)
    except ProjError:
        raise CRSError(
            f"{path} says SRID={srid}, which is no CRS. Write its geometry without it, and say "
            "the CRS with crs"
        ) from None


def split_axes(given: str | None) -> tuple[str | None, bool]:
    """Tell a CRS from the word that says latitude or northing comes first.

    Examples
    --------
    >>> split_axes("EPSG:4326 yx"), split_axes("EPSG:4326")
    (('EPSG:4326', True), ('EPSG:4326', False))
    """
    if given is None or not given.endswith(" yx"):
        return given, False
    return given.removesuffix(" yx").strip(), True


def plain_crs(crs: CRS) -> CRS:
    """Return a CRS under its EPSG code where it has one, with the same coordinates.

    Longitude before latitude is what every file here has, so that OGC:CRS84 and EPSG:4326
    are the same.

    Examples
    --------
    >>> plain_crs(CRS.from_user_input("OGC:CRS84")).to_epsg()
    4326
    """
    if crs.to_authority() in (("OGC", "CRS84"), ("OGC", "CRS84h")):
        return CRS.from_epsg(4326)
    if crs.to_authority() is not None:
        return crs
    code = crs.to_epsg(min_confidence=90)
    return crs if code is None else CRS.from_epsg(code)


def _looks_like(bounds: Bounds | None) -> str:
    """Say in one sentence what coordinates without a CRS look like."""
    if bounds is None or any(not -1e12 < number < 1e12 for number in bounds):
        return ""
    west, south, east, north = bounds
    extent = f" They run from {west:,.6g} to {east:,.6g} and from {south:,.6g} to {north:,.6g}"
    if max(abs(west), abs(east)) <= 180 and max(abs(south), abs(north)) <= 90:
        return f"{extent}, which looks like degrees."
    zone = int(west // 1_000_000)
    if 13 <= zone <= 45 and zone == int(east // 1_000_000):
        return f"{extent}: metres, with the number of the zone ({zone}) before the easting."
    return f"{extent}, which looks like metres."

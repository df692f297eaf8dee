"""Whether files lie where they say: each held against the others, and nothing applied."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
import shapely
from geopandas import GeoDataFrame, GeoSeries
from pandas import DataFrame
from pyproj import CRS, Transformer
from pyproj.exceptions import ProjError

from .. import sources
from ..errors import CRSError
from ..schema import POLYGONS
from ..sources import samples
from .load import ReadFile

#: A file counts as lying on another where this share of its places does.
_FITS = 0.8
#: Below this share of places where they should be, a run would work on another country.
_ELSEWHERE = 0.05
_SAMPLE = 300
#: Extent in which coordinates may be shifted: west, south, east, north.
_SHIFTED_LAND = (72.004, 0.8293, 137.8347, 55.8271)
_UNDO: dict[str, Callable[..., Any]] = {
    "GCJ-02": sources.to_gcj02, "BD-09": sources.to_bd09,
}
_SURE = 0.95
#: Kinds of files in the order in which they are trusted, where nothing else speaks.
_TRUST = ("territories", "units", "grids", "elements", "barriers", "sites", "assets", "schemes",
          "events", "visits")


class Evidence(NamedTuple):
    """One thing that was found out about the coordinates of a file."""

    severity: str
    what: str
    layer: str
    note: str
    suggestion: str
    place: Any  # the box of the file in degrees, where it can be shown


def find_evidence(
    files: Sequence[ReadFile],
    *,
    reference: GeoDataFrame | None = None,
    unplaced: Sequence[ReadFile] = (),
    say: Callable[[str, ReadFile], str] | None = None,
) -> list[Evidence]:
    """Find files whose coordinates are not where their CRS says, or shifted.

    Parameters
    ----------
    files : sequence of ReadFile
        Files with and without places; the others are passed over.
    reference : GeoDataFrame, optional
        A layer that is known to be right. Without one, the file on which most others lie is
        taken for right.
    unplaced : sequence of ReadFile
        Files that do not say which CRS they are in; their frames have none.
    say : callable, optional
        Turns an option and a file into a sentence about what to set where.

    Returns
    -------
    list of Evidence
        For each file at most one about its CRS and one about an offset.

    Examples
    --------
    >>> find_evidence([])
    []
    """
    say = say or _in_toml
    with np.errstate(all="ignore"):  # coordinates beyond all measure overflow
        return _find(files, reference, unplaced, say)


def _find(
    files: Sequence[ReadFile], reference: GeoDataFrame | None, unplaced: Sequence[ReadFile],
    say: Callable[[str, ReadFile], str],
) -> list[Evidence]:
    placed = [file for file in files if is_placed(file.loaded.frame)]
    gross = {file.told for file in placed if _is_gross(file, placed)}
    trusted = [file for file in placed if file.told not in gross]
    best = _most_agreed(trusted)
    base = reference if reference is not None else best.loaded.frame if best else None
    found, misplaced = [], set(gross)
    for file in [*placed, *(unplaced if base is not None else ())]:
        is_base = base is None or (reference is None and best is not None and file is best)
        if is_base and file in placed and file.told not in gross:
            continue
        faults = _crs_faults(file, None if is_base else base)
        if len(faults):
            misplaced.add(file.told)
            found.append(_misplaced(file, faults, say, held=not is_base))
    for file in placed:
        if file.told not in misplaced:
            others = [reference] if reference is not None else [
                other.loaded.frame for other in _by_detail(trusted)
                if other is not file and other.told not in misplaced]
            found += _find_shift(file, others[:2], say)
    return found


def _in_toml(option: str, file: ReadFile) -> str:
    return f"set {option} for {file.source.path.name} in gridmap.toml"


def is_placed(frame: Any) -> bool:
    """Say whether a frame has rows with places in a CRS of the earth."""
    if not isinstance(frame, GeoDataFrame) or not len(frame) or frame.crs is None:
        return False
    return is_earthly(CRS(frame.crs))


def is_earthly(crs: CRS) -> bool:
    """Say whether a CRS has a way to degrees: one of a drawing board has none."""
    try:
        Transformer.from_crs(crs, 4326)
    except ProjError:
        return False
    return True


def _is_gross(file: ReadFile, placed: Sequence[ReadFile]) -> bool:
    """Say whether a file lies beyond the area that its CRS is made for, and alone.

    Files in metres that lie on each other may well be in a zone of their own, or in none.
    """
    places, crs = _degrees(file.loaded.frame), CRS(file.loaded.frame.crs)
    area = crs.area_of_use
    if area is None or not len(places):
        return False
    if _lies_on(places, shapely.box(area.west, area.south, area.east, area.north).buffer(0.5)):
        return False
    if crs.is_geographic:
        return True
    return not any(_lies_on(places, samples.extent_of(other.loaded.frame))
                   for other in placed if other is not file)


def _crs_faults(file: ReadFile, reference: GeoDataFrame | None) -> DataFrame:
    try:
        return sources.find_crs_faults(file.loaded.frame, reference)
    except CRSError:
        return sources.find_crs_faults(file.loaded.frame)


def _most_agreed(files: Sequence[ReadFile]) -> ReadFile | None:
    """Return the file on which most others lie; of equals the kind that is trusted first."""
    if not files:
        return None
    extents = [samples.extent_of(file.loaded.frame) for file in files]
    for extent in extents:
        shapely.prepare(extent)
    places = [_degrees(file.loaded.frame) for file in files]
    votes = [sum(_lies_on(places[at], extent) for at in range(len(files)) if files[at] is not file)
             for file, extent in zip(files, extents, strict=True)]
    rank = {name: number for number, name in enumerate(_TRUST)}
    return min(zip(votes, files, strict=True),
               key=lambda pair: (-pair[0], rank.get(pair[1].name, len(rank))))[1]


def _degrees(frame: GeoDataFrame) -> samples.Places:
    places = samples.sample_places(frame.geometry.to_numpy(), _SAMPLE)
    return samples.move(places, CRS(frame.crs), 4326)


def _lies_on(places: samples.Places, extent: Any) -> bool:
    held = shapely.intersects_xy(extent, places[:, 0], places[:, 1])
    return bool(len(held)) and float(held.mean()) >= _FITS


def _misplaced(
    file: ReadFile, faults: DataFrame, say: Callable[[str, ReadFile], str], *, held: bool
) -> Evidence:
    """Say what is likeliest; it blocks only where another layer or the world speaks for it."""
    likeliest = faults.iloc[0]
    option = str(likeliest["suggestion"])
    frame = file.loaded.frame
    elsewhere = frame.crs is None or (
        likeliest["share_before"] < _ELSEWHERE and (held or box_of(frame) is None))
    return Evidence(
        "blocks the run" if elsewhere else "look at this", str(likeliest["what"]), file.told,
        str(likeliest["evidence"]), say(option, file) if "=" in option else option, None,
    )


def _by_detail(files: Sequence[ReadFile]) -> list[ReadFile]:
    """Return files in the order of what they can tell about a shift: footprints first."""
    def detail(file: ReadFile) -> tuple[bool, int]:
        polygons = file.loaded.frame.geometry.geom_type.isin(POLYGONS).mean() > 0.5
        return (not polygons, -len(file.loaded.frame) if file.name != "schemes" else 0)

    return sorted(files, key=detail)


def _find_shift(
    file: ReadFile, others: Sequence[GeoDataFrame], say: Callable[[str, ReadFile], str]
) -> list[Evidence]:
    """Find out whether a file is shifted otherwise than it is said to be."""
    frame = file.loaded.frame
    if not may_be_shifted(file):
        return []
    said = getattr(file.source, "offset", None)
    if said is not None:
        moved = shapely.transform(frame.geometry.to_numpy(), _UNDO[said], interleaved=False)
        frame = frame.set_geometry(GeoSeries(moved, index=frame.index, crs=frame.crs))
    for other in others:
        answers = sources.find_offset(frame, other)
        likeliest = answers.iloc[0]
        if likeliest["confidence"] < _SURE:
            continue
        name = str(answers.index[0])
        if name == (said or "none"):
            return []
        option = "no offset" if name == "none" else f'offset = "{name}"'
        sure, after, before = (float(value) for value in (
            likeliest["confidence"], likeliest["distance_m"],
            answers["distance_m"].to_dict()[said or "none"]))
        note = (f"confidence {sure:.1%}: taken as {name} {after:,.0f} m are left to the other "
                f"layer, as it is {before:,.0f} m")
        return [Evidence("look at this", "offset not needed" if name == "none"
                         else "coordinates shifted", file.told, note, say(option, file),
                         box_of(file.loaded.frame))]
    return [] if others else [_unchecked(file, say)]


def _unchecked(file: ReadFile, say: Callable[[str, ReadFile], str]) -> Evidence:
    return Evidence(
        "look at this", "offset not checked", file.told,
        "degrees in China may be shifted (GCJ-02, BD-09); only another layer can tell", "", None)


def may_be_shifted(file: ReadFile) -> bool:
    """Say whether coordinates are degrees in the extent where they may be shifted."""
    frame = file.loaded.frame
    if not is_placed(frame) or not CRS(frame.crs).is_geographic:
        return False
    west, south, east, north = frame.total_bounds
    return bool(_SHIFTED_LAND[0] <= west and east <= _SHIFTED_LAND[2]
                and _SHIFTED_LAND[1] <= south and north <= _SHIFTED_LAND[3])


def box_of(frame: GeoDataFrame) -> Any:
    """Return the box around a frame in degrees, None where it lies beyond the world."""
    with np.errstate(all="ignore"):
        corners = shapely.get_coordinates(shapely.box(*frame.total_bounds))
        places = samples.move(corners, CRS(frame.crs), 4326)
    if not len(places) or not (np.abs(places) <= (180, 90)).all():
        return None
    return shapely.box(*places.min(axis=0), *places.max(axis=0))

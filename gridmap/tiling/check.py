"""Prove that polygons tile, or say in one message where they do not."""

from __future__ import annotations

from geopandas import GeoDataFrame
from pandas import DataFrame

from ..errors import TilingError, listed
from ..rules import TilingRule
from . import faults, frames


def check_tiling(
    polygons: GeoDataFrame,
    parent: GeoDataFrame | None = None,
    *,
    holes: GeoDataFrame | None = None,
    rule: TilingRule | None = None,
) -> None:
    """Raise unless polygons tile their parent: valid, no gap, no overlap, nothing outside.

    Parameters
    ----------
    polygons : GeoDataFrame
        Polygons in a CRS in metres, indexed by code.
    parent : GeoDataFrame, optional
        What they should fill. Without it only overlaps and enclosed gaps count.
    holes : GeoDataFrame, optional
        Polygons indexed by name that may stay open, as in `find_gaps`.
    rule : TilingRule, optional
        Faults thinner than ``rule.snap_m`` are let pass.

    Raises
    ------
    TilingError
        If they do not; the message counts the faults of each kind, ``rows`` has all codes.
    SchemaError, CRSError
        As in `find_gaps`.

    Examples
    --------
    >>> from gridmap.sketch import sketch_grids
    >>> check_tiling(sketch_grids("AAB", "ACB"))
    >>> check_tiling(sketch_grids("AAA", "A.B", "ABB"))
    Traceback (most recent call last):
    gridmap.errors.TilingError: grids leave 1 gap, 1.0 m² in all: between A, B (1.0 m²). \
Grids of a tiling may share borders only. See them with find_gaps(grids), or mend them with \
repair_tiling(grids).
    """
    rule = rule or TilingRule()
    frames.check_polygons(polygons, parent, holes)
    told: list[str] = []
    rows: list[str] = []
    looks: list[str] = []
    name = frames.plural(polygons)
    both = name if parent is None else f"{name}, parent"
    for sentence, codes, look in (
        _tell_invalid(polygons),
        _tell_overlaps(faults.find_overlaps(polygons, rule=rule)),
        _tell_gaps(faults.find_gaps(polygons, parent, holes=holes, rule=rule)),
        _tell_outside(polygons, parent, rule),
    ):
        if sentence:
            told.append(sentence)
            rows.extend(codes)
            looks.append(look.format(name=name, both=both))
    if told:
        raise TilingError(
            f"{name} {'; they '.join(told)}. {name.capitalize()} of a tiling may share borders "
            f"only. See them with {' and '.join(looks)}, or mend them with "
            f"repair_tiling({both}).",
            rows=list(dict.fromkeys(rows)),
        )


_Fault = tuple[str, list[str], str]


def _tell_invalid(polygons: GeoDataFrame) -> _Fault:
    odd = polygons.index[~polygons.is_valid]
    if not len(odd):
        return "", [], ""
    rings_ = "ring that crosses or touches itself" if len(odd) == 1 else (
        "rings that cross or touch themselves")
    return (f"have {len(odd):,} {rings_}: {listed(odd)}", [str(code) for code in odd],
            "{name}.is_valid_reason()")


def _tell_overlaps(overlaps: GeoDataFrame) -> _Fault:
    if not len(overlaps):
        return "", [], ""
    places = [f"{row.first}/{row.second} ({row.area_m2:,.1f} m²)" for row in overlaps.itertuples()]
    codes = [*overlaps["first"], *overlaps["second"]]
    return (f"overlap in {_places(overlaps)}: {listed(places)}",
            [str(code) for code in codes], "find_overlaps({name})")


def _tell_gaps(gaps: GeoDataFrame) -> _Fault:
    if not len(gaps):
        return "", [], ""
    places = [f"between {listed(row.neighbours.split(', '))} ({row.area_m2:,.1f} m²)"
              for row in gaps.itertuples()]
    count = f"{len(gaps):,} gap{'s' if len(gaps) > 1 else ''}"
    codes = [code for names in gaps["neighbours"] for code in names.split(", ") if code]
    return (f"leave {count}, {gaps['area_m2'].sum():,.1f} m² in all: {listed(places)}",
            codes, "find_gaps({both})")


def _tell_outside(
    polygons: GeoDataFrame, parent: GeoDataFrame | None, rule: TilingRule
) -> _Fault:
    if parent is None:
        return "", [], ""
    outside = faults.find_outside(polygons, parent, rule=rule)
    if not len(outside):
        return "", [], ""
    places = [f"{row.id} ({row.area_m2:,.1f} m²)" for row in outside.itertuples()]
    return (f"leave their parent in {_places(outside)}: {listed(places)}",
            [str(code) for code in outside["id"]], "find_outside({both})")


def _places(rows: DataFrame) -> str:
    many = "s" if len(rows) > 1 else ""
    return f"{len(rows):,} place{many}, {rows['area_m2'].sum():,.1f} m² in all"

"""The page of a check: every fault of the input as a place that can be clicked."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import shapely
from geopandas import GeoDataFrame
from pandas import DataFrame, isna

from ..errors import listed
from . import faultwords, layers, pages, words
from .offline import Map

#: More faults than this are counted and left to the file for machines.
MOST = 5_000
#: Shapes with more vertices than this are drawn simplified, to about a metre.
_VERTICES, _SIMPLER = 300, 1e-5
_DIGITS = 7  # of degrees: 1 cm

#: Faults that have shapes of their own are listed before those of single rows.
_STEPS = {"check": 0, "load": 1, "mend": 2}

#: A fault may cover next to nothing; these are the columns of it that get into a page.
SHOWN = ("severity", "what", "layer", "id", "area_m2", "note", "suggestion")


def draw_faults(
    faults: GeoDataFrame,
    *,
    territories: GeoDataFrame | None = None,
    polygons: Mapping[str, GeoDataFrame] | None = None,
    coarse: bool = False,
    title: words.Name = "",
    language: str = "auto",
) -> Map:
    """Compose the page of a check: a list of faults, and a mark on the map for each.

    A press on either selects the other, goes there and tells what was found, where, why and
    what to do.

    Parameters
    ----------
    faults : GeoDataFrame
        As in ``diagnose_inputs(config).faults``: in degrees, a missing shape where a fault has
        no place. Only severity, kind, layer, code, area, note, suggestion and place get into
        the page. Faults without a place are told once for each kind and layer. Of more than
        5,000 some of each kind are counted only.
    territories : GeoDataFrame, schema TERRITORIES, optional
        Drawn under the faults, with names.
    polygons : mapping, optional
        Name to further polygons whose borders are drawn.
    coarse : bool, default False
        Whether places of single elements are rounded; the page says so.
    title : text or (English, 中文), default ""
        Heading of the page.
    language : {"auto", "en", "zh"}, default "auto"
        Language at the start.

    Returns
    -------
    Map

    Examples
    --------
    >>> from shapely import Point
    >>> faults = GeoDataFrame(
    ...     {"severity": ["mended"], "step": ["check"], "what": ["gap"], "layer": ["towns"],
    ...      "id": ["A, B"], "area_m2": [2.5], "note": [None], "suggestion": ["nothing"]},
    ...     geometry=[Point(9.5, 47.1)], crs=4326)
    >>> page = draw_faults(faults, title="Towns")
    >>> [kind["name"]["zh"] for kind in page.extra["faults"]["kinds"]]
    ['空隙']
    """
    page = Map(title=title, language=language)
    page.extra["faults"] = {**_content(faults), "coarse": coarse}
    borders = [] if territories is None else list(pages.draw_borders(territories))
    if borders:
        layers.draw_land(borders[-1]).add_to(page)
    for name, frame in (polygons or {}).items():
        outline = layers.draw_territories(frame, weight=0.6, name=name)
        if not borders:
            layers.draw_land(outline).add_to(page)
        outline.add_to(page)
    for layer in borders:
        layer.add_to(page)
    return page


def _content(faults: GeoDataFrame) -> dict[str, Any]:
    severities = list(faultwords.SEVERITIES)
    counts = faults["severity"].value_counts()
    chosen = faults[list(SHOWN)].assign(place=faults.geometry.to_numpy())
    placed = ~chosen["place"].isna()
    kept = _choose(chosen[placed])
    lines = _lines(chosen[~placed])
    names = list(dict.fromkeys(zip(
        [*kept["severity"], *(line["severity"] for line in lines)],
        [*kept["what"], *(line["what"] for line in lines)], strict=True)))
    step = dict(zip(faults["what"], faults["step"], strict=True))
    names.sort(key=lambda name: (severities.index(name[0]), _STEPS.get(step[name[1]], 9)))
    number = {name: at for at, name in enumerate(names)}
    rows = [_row(row, number) for row in kept.to_dict("records")]
    rows += [_row({**line, "place": None}, number) for line in lines]
    return {
        "severities": [{"name": word._asdict(), "colour": faultwords.COLOURS[name]}
                       for name, word in faultwords.SEVERITIES.items()],
        "counts": [int(counts.get(name, 0)) for name in severities],
        "kinds": [{"severity": severities.index(severity),
                   "name": faultwords.name_fault(what)._asdict(),
                   "advice": faultwords.advise(what)._asdict()} for severity, what in names],
        "rows": rows,
        "left": int(placed.sum()) - len(kept),
    }


def _choose(faults: DataFrame) -> DataFrame:
    """Return at most so many faults as a page holds, of each kind and layer alike many."""
    rank = faults.groupby(["severity", "what", "layer"]).cumcount().to_numpy()
    return faults.iloc[np.sort(np.argsort(rank, kind="stable")[:MOST])]


def _lines(faults: DataFrame) -> list[dict[str, Any]]:
    """Tell faults without a place once for each kind and layer, with their first codes."""
    lines = []
    keys = ["severity", "what", "layer", "suggestion"]
    for key, rows in faults.groupby(keys, dropna=False, sort=False):
        codes = rows["id"].dropna().tolist()
        shown = ", ".join(codes[:3]) + (f" +{len(codes) - 3:,}" if len(codes) > 3 else "")
        notes = rows["note"].dropna()
        lines.append({**dict(zip(keys, key, strict=True)), "id": shown, "rows": len(rows),
                      "area_m2": np.nan, "note": notes.iloc[0] if len(notes) else None})
    return lines


def _row(row: Mapping[Any, Any], number: Mapping[tuple[str, str], int]) -> dict[str, Any]:
    told = faultwords.advise(row["what"]).en
    area = row["area_m2"]
    return {
        "kind": number[row["severity"], row["what"]], "id": listed(_text(row["id"]).split(", ")),
        "layer": _text(row["layer"]), "note": _text(row["note"]),
        "advice": "" if row["suggestion"] == told else _text(row["suggestion"]),
        "area": None if isna(area) else round(float(area), 3), "rows": int(row.get("rows", 1)),
        **_place(row["place"]),
    }


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _place(shape: Any) -> dict[str, Any]:
    """Return the point of a fault, and where it is a polygon its rings and box."""
    if shape is None:
        return {"place": None}
    if shape.geom_type == "Point":
        return {"place": [round(shape.x, _DIGITS), round(shape.y, _DIGITS)]}
    if shapely.get_num_coordinates(shape) > _VERTICES:
        shape = shapely.simplify(shape, _SIMPLER)
    point = shape.representative_point()
    rings = [[_ring(ring) for ring in (part.exterior, *part.interiors)]
             for part in shapely.get_parts(shape) if part.geom_type == "Polygon"]
    box = [round(side, _DIGITS) for side in shape.bounds]
    return {"place": [round(point.x, _DIGITS), round(point.y, _DIGITS)], "rings": rings,
            "box": box}


def _ring(ring: Any) -> list[list[float]]:
    places = shapely.get_coordinates(ring)[:-1].round(_DIGITS)
    return [[float(x), float(y)] for x, y in places]

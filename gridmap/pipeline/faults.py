"""Faults as rows: one form for what readers, evidence, tilings and later steps find."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import geopandas
import numpy as np
import pandas as pd
import shapely
from geopandas import GeoDataFrame, GeoSeries
from pandas import DataFrame, Series

from ..errors import GridmapError, listed
from ..maps import faultwords
from .evidence import Evidence, is_placed
from .load import ReadFile

#: From worst to least, as the table shows them.
SEVERITIES = ("blocks the run", "mended", "look at this")

COLUMNS = ("severity", "step", "what", "layer", "id", "area_m2", "note", "suggestion")

#: How the kind of a fault begins where its row does not go on.
REJECTED = "rejected: "

#: What changes begin or end with where something was altered; all others are only noticed.
_ALTERED_ENDS = (" mended", " undone", " matched", " filled", " decided", " given", " joined",
                 " valid", " the parent")
_ALTERED = ("swallowed", "characters left out of codes")
_LACKING = ("no figure given",)

#: Files of which a row is one thing, and side of the squares in which its place is shown
#: where the publication profile shows no single things.
SINGLE = ("elements", "events", "visits")
_COARSE_M = 100.0


class Diagnosis(NamedTuple):
    """What was found in the input of a run, or in files."""

    findings: DataFrame  # one line for each kind of fault and layer, severest first
    faults: GeoDataFrame  # one row for each fault, in degrees, without a shape where it has none
    territories: GeoDataFrame | None  # to draw under the faults, schema TERRITORIES
    polygons: Mapping[str, GeoDataFrame]  # further polygons to draw, by name
    coarse: bool  # places of single elements are rounded


def make_faults(
    *, severity: object, step: object, what: object, layer: object, ids: Any, note: object = None,
    area_m2: object = None, suggestion: object = None, shapes: Any = None,
) -> GeoDataFrame:
    """Return faults in the one form, shapes in degrees.

    Examples
    --------
    >>> make_faults(severity="mended", step="load", what="code mended", layer="a.csv",
    ...             ids=["7"])["suggestion"].tolist()
    ['write codes as text in the source, never as numbers']
    """
    ids = list(ids)
    columns = {"severity": severity, "step": step, "what": what, "layer": layer, "id": ids,
               "area_m2": area_m2, "note": note, "suggestion": suggestion}
    table = DataFrame(columns, index=range(len(ids)), columns=list(COLUMNS))
    table = table.astype({name: "float64" if name == "area_m2" else "str" for name in COLUMNS})
    general = table["what"].map(lambda name: faultwords.advise(name).en).astype("str")
    table["suggestion"] = table["suggestion"].where(table["suggestion"].notna(), general)
    places = GeoSeries([None] * len(ids) if shapes is None else list(shapes), crs=4326,
                       index=table.index)
    return GeoDataFrame(table, geometry=places, crs=4326)


def faults_of_file(file: ReadFile) -> GeoDataFrame:
    """Return what a reader rejected, mended and noticed, each row where its code is.

    Parameters
    ----------
    file : ReadFile

    Returns
    -------
    GeoDataFrame
        As `make_faults`; a row whose code is in the frame stands at its place.
    """
    loaded = file.loaded
    told = _tell(loaded.changes, loaded.rejects, layer=file.told)
    return told.set_geometry(_look_up(told["id"], loaded.frame))


def faults_of_step(
    changes: DataFrame, rejects: DataFrame, frames: Mapping[str, Any]
) -> GeoDataFrame:
    """Return what a later step rejected, mended and noticed, each row where its code is.

    Parameters
    ----------
    changes, rejects : DataFrame, schema CHANGES
        Only those of the step.
    frames : mapping
        Name of a layer to its frame: the first that has a code is the layer of the row.
    """
    told = _tell(changes, rejects, layer="")
    for name, frame in frames.items():
        here = (told["layer"] == "") & told["id"].isin(frame.index)
        told.loc[here, "layer"] = name
        places = _look_up(told["id"], frame)
        told = told.set_geometry(told.geometry.where(~here, places))
    return told


def _tell(changes: DataFrame, rejects: DataFrame, *, layer: str) -> GeoDataFrame:
    what = changes["what"]
    altered = (what.str.endswith(_ALTERED_ENDS) | what.isin(_ALTERED)) & ~what.isin(_LACKING)
    severity = altered.map({True: "mended", False: "look at this"})
    rows = pd.concat([rejects.assign(severity="look at this", what=REJECTED + rejects["what"]),
                      changes.assign(severity=severity)], ignore_index=True)
    about_file = rows["id"].isna() & rows["before"].notna()
    note = rows["note"].where(~about_file, rows["note"] + ": " + rows["before"])
    return make_faults(severity=rows["severity"], step=rows["step"], what=rows["what"],
                       layer=layer, ids=rows["id"], note=note, area_m2=rows["area_m2"])


def _look_up(ids: Series, frame: Any) -> GeoSeries:
    """Return the place of each code in a frame as a point in degrees, else nothing."""
    nowhere = GeoSeries([None] * len(ids), index=ids.index, crs=4326)
    if not is_placed(frame):
        return nowhere
    at = frame.index.get_indexer(ids.to_numpy())
    held = frame.geometry.iloc[at[at >= 0]]
    points = GeoSeries(held.representative_point(), crs=frame.crs).to_crs(4326)
    placed = nowhere.to_numpy().copy()
    placed[at >= 0] = points.to_numpy()
    placed[~_on_earth(placed)] = None
    return GeoSeries(placed, index=ids.index, crs=4326)


def _on_earth(shapes: Any) -> np.ndarray:
    west, south, east, north = shapely.bounds(shapes).T
    with np.errstate(invalid="ignore"):
        return np.asarray((west >= -180) & (east <= 180) & (south >= -90) & (north <= 90))


def faults_of_places(
    places: GeoDataFrame, *, severity: object, step: str = "check"
) -> GeoDataFrame:
    """Return places of faults, as `find_fault_places` finds them, in the one form."""
    shapes = places.geometry.to_crs(4326) if len(places) else places.geometry
    return make_faults(severity=severity, step=step, what=places["what"].to_numpy(),
                       layer=places["layer"].to_numpy(), ids=places["id"],
                       area_m2=places["area_m2"].to_numpy(), shapes=shapes)


def faults_of_evidence(found: Sequence[Evidence]) -> GeoDataFrame:
    """Return what was found out about coordinates in the one form."""
    rows = DataFrame(found, columns=list(Evidence._fields))
    suggestion = rows["suggestion"].where(rows["suggestion"] != "")
    return make_faults(severity=rows["severity"], step="check", what=rows["what"],
                       layer=rows["layer"], ids=[None] * len(rows), note=rows["note"],
                       suggestion=suggestion, shapes=rows["place"])


def faults_of_error(
    error: GridmapError, *, what: str, layer: str, step: str = "load",
    suggestion: str | None = None,
) -> GeoDataFrame:
    """Return an error that stops a run in the one form: its rows are in the message."""
    return make_faults(severity="blocks the run", step=step, what=what, layer=layer, ids=[None],
                       note=f"{type(error).__name__}: {error}", suggestion=suggestion)


def join_faults(parts: Sequence[GeoDataFrame]) -> GeoDataFrame:
    """Put faults together, the severest first, and number them from F0001 on."""
    filled = [part for part in parts if len(part)]
    if not filled:
        empty = make_faults(severity="", step="", what="", layer="", ids=[])
        return empty.set_axis(pd.Index([], dtype="str", name="fault"), axis="index")
    faults = pd.concat(filled, ignore_index=True)
    rank = faults["severity"].map({name: number for number, name in enumerate(SEVERITIES)})
    faults = faults.iloc[np.argsort(rank.to_numpy(), kind="stable")]
    names = pd.Index([f"F{n:04}" for n in range(1, len(faults) + 1)], dtype="str", name="fault")
    return faults.set_axis(names, axis="index")


def round_places(faults: GeoDataFrame, *, single: Any) -> GeoDataFrame:
    """Return faults with the chosen points moved to the middle of squares of 100 m.

    Parameters
    ----------
    faults : GeoDataFrame
        In degrees.
    single : array of bool
        Which rows are single elements.
    """
    shapes = faults.geometry.to_numpy().copy()
    chosen = np.asarray(single) & ~shapely.is_missing(shapes)
    if not chosen.any():
        return faults
    points = faults.geometry[chosen]
    metric = points.to_crs(points.estimate_utm_crs())
    xy = np.floor(np.column_stack([metric.x, metric.y]) / _COARSE_M) * _COARSE_M + _COARSE_M / 2
    middles = geopandas.GeoSeries(shapely.points(xy), crs=metric.crs).to_crs(4326)
    shapes[chosen] = middles.to_numpy()
    return faults.set_geometry(GeoSeries(shapes, index=faults.index, crs=4326))


def group_faults(faults: GeoDataFrame) -> DataFrame:
    """Say each kind of fault once for each layer, with its count and the first few codes.

    Parameters
    ----------
    faults : GeoDataFrame
        As `join_faults` returns them.

    Returns
    -------
    DataFrame
        Columns ``severity``, ``step``, ``what``, ``layer``, ``rows``, ``note`` and
        ``suggestion``, the severest first.
    """
    keys = ["severity", "step", "what", "layer", "suggestion"]
    faults = faults.assign(layer=_joined_layers(faults))
    lines = [
        {**dict(zip(keys, key, strict=True)), "rows": len(rows), "note": _told(rows)}
        for key, rows in faults.groupby(keys, dropna=False)
    ]
    columns = ["severity", "step", "what", "layer", "rows", "note", "suggestion"]
    found = DataFrame(lines, columns=columns)
    rank = {name: number for number, name in enumerate(SEVERITIES)}
    order = np.array([rank[severity] for severity in found["severity"]], dtype=int)
    stays = np.array([not what.startswith(REJECTED) for what in found["what"]], dtype=bool)
    return found.iloc[np.lexsort((stays, order))].reset_index(drop=True)


def _joined_layers(faults: DataFrame) -> Series:
    """Name the layer of each row; what needs nothing done is told once for all files."""
    layers = faults["layer"].copy()
    quiet = faults["id"].isna() & (faults["suggestion"] == faultwords.NOTHING.en)
    for _, rows in faults[quiet].groupby(["severity", "step", "what"]):
        names = rows["layer"].unique()
        layers[rows.index] = names[0] if len(names) == 1 else f"{len(names):,} files"
    return layers


def _told(rows: DataFrame) -> str:
    """Say which rows, how much land, and the first of the reasons."""
    area = rows["area_m2"].sum()
    parts = [
        listed(_short_ids(rows["id"].dropna())) if rows["id"].notna().any() else "",
        f"{area:,.2f} m² in all" if area > 0 else "",
        str(rows["note"].dropna().iloc[0]) if rows["note"].notna().any() else "",
    ]
    return "; ".join(part for part in parts if part)


def _short_ids(ids: Series) -> list[str]:
    """Return the codes of each fault, at most three of many neighbours; the first in full."""
    first = [listed(code.split(", ")) for code in ids.iloc[:3]]
    return [*first, *ids.iloc[3:]]

"""Frames and figures of a run as what its files hold: rows, layers, and pages as text."""

from __future__ import annotations

from typing import Any

from geopandas import GeoDataFrame
from pandas import DataFrame

from .. import coverage, maps, schema
from ..workspace import Layer
from ..workspace.config import Config
from ..workspace.rowgroups import RowGroups
from . import arrow, grouped
from .summary import explain_sizes

#: What is kept of the frames of a run, in the order they are written.
KNOWN = {"grids": schema.GRIDS, "territories": schema.TERRITORIES, "units": schema.UNITS,
         "elements": schema.ELEMENTS, "assets": schema.ASSETS}

#: So many bytes stand in a row of a table that holds bytes.
_PIECE = 1 << 20


def lay_out_frame(name: str, frame: GeoDataFrame) -> GeoDataFrame | RowGroups:
    """Return the columns of a frame that its schema knows, as row groups where that can be."""
    kept = pick_columns(name, frame)
    try:
        rows = grouped.lay_out_rows(grouped.Placed(arrow.to_table(kept)), list_columns(name))
    except arrow.Unfit:
        return kept
    return kept if rows is None else rows


def list_columns(name: str) -> list[str]:
    """Return the columns of a frame that are written, in their order."""
    return [column.name for column in KNOWN[name].columns]


def pick_columns(name: str, frame: GeoDataFrame) -> GeoDataFrame:
    """Return the columns of a frame that its schema knows."""
    columns = [c for c in list_columns(name) if c in frame]
    kept: GeoDataFrame = frame[[*columns, "geometry"]]
    return kept


def lay_out(
    config: Config, shown: GeoDataFrame, published: coverage.Published,
    territories: GeoDataFrame, assets: GeoDataFrame | None,
) -> dict[str, Layer]:
    """Return the layers of the package of grids."""
    style = maps.draw_qgis_style(shown, config.settings.figure, suppressed=published.suppressed)
    columns = ["name", "level", "parent", "geometry"]
    land = territories[[c for c in columns if c in territories]]
    layers = {"grids": Layer(shown, style), "territories": Layer(land)}
    if assets is not None:
        layers["assets"] = Layer(assets[["kind", "radius_m", "grid", "geometry"]])
    return layers


def draw_page(
    config: Config, shown: GeoDataFrame, published: coverage.Published, **frames: Any
) -> str:
    """Draw the map of a run as HTML."""
    page = maps.draw_page(
        shown, figure=config.settings.figure, suppressed=published.suppressed,
        title=config.settings.name, publication=config.publication, **frames)
    html: str = page.get_root().render()
    return html


def draw_report(
    *, config: Config, shown: GeoDataFrame, published: coverage.Published, changes: DataFrame,
    **told: Any,
) -> str:
    """Draw the report of a run as HTML."""
    return maps.draw_report(
        shown, title=config.settings.name, reasons=explain_sizes(changes),
        size=config.profile.size, suppressed=published.suppressed,
        publication=config.publication, **told)


def cut_bytes(package: bytes | None) -> list[bytes]:
    """Return bytes in rows, as a table can hold them."""
    return [(package or b"")[at:at + _PIECE] for at in range(0, len(package or b""), _PIECE)]

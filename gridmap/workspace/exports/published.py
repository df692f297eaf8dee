"""The layers of a workspace as they were published, with where they come from.

They are read from the packages of a run, never from ``frames``: columns and small counts are
those that the publication profile lets out.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd
import pyogrio
from geopandas import GeoDataFrame
from pandas import DataFrame

from ...errors import WorkspaceError, listed
from .. import manifest, store

#: How the note of an export begins, and how one is known again.
MARK = "gridmap export, publication profile"

#: A share that is not applicable is missing, but nobody withholds it.
_NOT_WITHHELD = "not applicable"


class Note(NamedTuple):
    """What an export says of itself: which profile let it out, and of what it was made."""

    title: str
    publication: str
    layer: str
    rows: int
    withheld: int | None  # cells that small counts keep back; None where the run lists none
    source: str  # the package it was read from
    sha256: str  # of that package

    @property
    def line(self) -> str:
        """The note in one line, for formats that keep no more."""
        kept = ("cells withheld are not listed" if self.withheld is None
                else f"{self.withheld:,} cells withheld")
        return (f'{MARK} "{self.publication}": {self.layer} of {self.title}, {self.rows:,} rows, '
                f"{kept}, from {self.source} {self.sha256[:12]}")

    @property
    def entries(self) -> dict[str, str]:
        """The note as names and texts, for formats that keep a table."""
        return {"note": self.line, "made_by": "gridmap",
                **{name: "not listed" if value is None else str(value)
                   for name, value in self._asdict().items()}}


class PublishedLayer(NamedTuple):
    """A layer that may be handed on."""

    name: str
    frame: GeoDataFrame  # the code is the first column
    note: Note
    style: str | None  # QML
    withheld: DataFrame  # id, column, reason of every cell that is withheld


def list_layers(workspace: str | Path) -> list[str]:
    """Return the names of the layers that a workspace has published.

    Parameters
    ----------
    workspace : str or Path
        A workspace, or one of its versions, such as ``out@0002``.

    Raises
    ------
    WorkspaceError
        If it is no workspace, or holds no package.

    Examples
    --------
    >>> list_layers("nowhere")
    Traceback (most recent call last):
    gridmap.errors.WorkspaceError: nowhere has no manifest.json, so it is no workspace. Make one \
with: gridmap run
    """
    place = store.find_version(workspace).resolve()
    return list(_find_packages(place, manifest.load_manifest(_named(workspace, place))))


def load_published(workspace: str | Path, layer: str = "grids") -> PublishedLayer:
    """Read a layer as a run published it.

    Parameters
    ----------
    workspace : str or Path
        A workspace, or one of its versions, such as ``out@0002``.
    layer : str, default "grids"
        One of `list_layers`.

    Returns
    -------
    PublishedLayer
        Rows in the order of the package. Its CRS is that of the run.

    Raises
    ------
    WorkspaceError
        If it is no workspace, holds no such layer, or the package was altered since it was
        written.

    Examples
    --------
    >>> import tempfile
    >>> from gridmap.sketch import sketch_grids
    >>> from gridmap.workspace import Contents, Layer, save_workspace
    >>> shown = {"grids": {"grids": Layer(sketch_grids("AB"))}}
    >>> folder = tempfile.mkdtemp()
    >>> facts = {"name": "Two", "publication": "shared"}
    >>> _ = save_workspace(folder, Contents({}, shown, {}, {}, facts))
    >>> load_published(folder).frame["grid"].tolist()
    ['A', 'B']
    """
    # The link is followed once: a run may turn it to another version meanwhile.
    place = store.find_version(workspace).resolve()
    facts = manifest.load_manifest(_named(workspace, place))
    layers = _find_packages(place, facts)
    if layer not in layers:
        raise WorkspaceError(
            f"{store.name_version(workspace)} has published no layer {layer!r}. It has "
            f"{listed(layers, show=9)}"
        )
    package = layers[layer]
    digest = manifest.hash_file(package)
    if facts["outputs"].get(package.name) != digest:
        raise WorkspaceError(
            f"{package.name} of {store.name_version(place)} was altered since it was written, so "
            "it is not handed on. See what else was with: gridmap verify"
        )
    frame = pyogrio.read_dataframe(package, layer=layer)
    table = place / "suppressed.csv"
    withheld = _find_withheld(table, frame)
    note = Note(str(facts.get("name", store.name_version(workspace))),
                str(facts.get("publication", "unknown")), layer, len(frame),
                len(withheld) if table.is_file() else None, package.name, digest)
    return PublishedLayer(layer, frame, note, _load_style(package, layer), withheld)


def _named(workspace: str | Path, place: Path) -> Path:
    """Return a path for messages: what the user wrote where it is a plain folder."""
    return place if place.is_dir() else Path(workspace)


def _find_packages(place: Path, facts: dict[str, Any]) -> dict[str, Path]:
    """Return the package of each layer; of two with the same name the first by file."""
    found: dict[str, Path] = {}
    for name in sorted(facts["outputs"]):
        if "/" in name or not name.endswith(".gpkg"):
            continue
        for layer, kind in pyogrio.list_layers(place / name):
            if kind is not None:
                found.setdefault(str(layer), place / name)
    if not found:
        raise WorkspaceError(f"{store.name_version(place)} has published no layers")
    return found


def _find_withheld(table: Path, frame: GeoDataFrame) -> DataFrame:
    """Return the cells of a layer that are missing because they are withheld."""
    columns = ["id", "column", "reason"]
    if not table.is_file():
        return DataFrame(columns=columns, dtype="str")
    told = pd.read_csv(table, dtype="str", encoding="utf-8-sig", keep_default_na=False)
    code = frame.columns[0]
    here = (told["level"].eq(code) & told["id"].isin(frame[code])
            & told["column"].isin(frame.columns) & told["reason"].ne(_NOT_WITHHELD))
    return told.loc[here, columns].reset_index(drop=True)


def _load_style(package: Path, layer: str) -> str | None:
    """Return the style that QGIS opens a layer with."""
    with closing(sqlite3.connect(f"{package.as_uri()}?immutable=1", uri=True)) as opened:
        if not opened.execute("SELECT 1 FROM sqlite_master WHERE name = 'layer_styles'"
                              ).fetchone():
            return None
        found = opened.execute("SELECT styleQML FROM layer_styles WHERE f_table_name = ?",
                               (layer,)).fetchone()
    return None if found is None else str(found[0])

"""Versions of a net on disk: workspaces, bare layers of grids, and lineages between them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import geopandas
import pandas as pd
from geopandas import GeoDataFrame
from pandas import DataFrame

from .. import redraw, schema, sources
from ..errors import SourceError, WorkspaceError, listed
from . import store

#: Where a run leaves the full frames for the next step of work.
FRAMES = "frames"

#: What a table of lineage is called, with anything after it.
LINEAGES = "lineage*.csv"


class Version(NamedTuple):
    """A net as it was at some time."""

    name: str
    grids: GeoDataFrame  # schema GRIDS, in a CRS in metres
    units: GeoDataFrame | None = None  # schema UNITS
    territories: GeoDataFrame | None = None  # schema TERRITORIES


def load_version(path: str | Path, *, columns: Mapping[str, str] | None = None) -> Version:
    """Read a net: the workspace of a run, or a file with a layer of grids.

    Parameters
    ----------
    path : str or Path
        A folder that `save_run` wrote, one of its versions, such as ``out@0002``, or a file of
        polygons in any format.
    columns : mapping, optional
        For a file: column of GRIDS (or ``grid``, the code) -> column of the file, where the
        file calls it otherwise.

    Returns
    -------
    Version
        Named by the folder or file. Grids of a file without territories are all in one.

    Raises
    ------
    WorkspaceError
        If there is nothing, or the folder is no workspace.
    SourceError, CRSError
        If the file cannot be read, or does not say its CRS.

    Examples
    --------
    >>> import tempfile
    >>> from gridmap.sketch import sketch_grids
    >>> file = Path(tempfile.mkdtemp()) / "net2026.gpkg"
    >>> sketch_grids("AB").reset_index().to_file(file)
    >>> version = load_version(file)
    >>> version.name, version.grids.index.tolist()
    ('net2026', ['A', 'B'])
    """
    place = store.find_version(path)
    if not place.exists():
        raise WorkspaceError(f"there is no {place}: a workspace folder or a file of grids is "
                             "needed")
    if place.is_file():
        grids = _load_grids(place, dict(columns or {}))
        return Version(place.stem, _to_metres(grids))
    # The link is followed once: a run may turn it to another version while frames are read.
    frames = place.resolve() / FRAMES
    if not (frames / "grids.parquet").is_file():
        raise WorkspaceError(
            f"{place} holds no {FRAMES}/grids.parquet, so it is no workspace. Make one with: "
            "gridmap run"
        )
    return Version(store.name_version(place), geopandas.read_parquet(frames / "grids.parquet"),
                   _read_if_there(frames / "units.parquet"),
                   _read_if_there(frames / "territories.parquet"))


def _read_if_there(file: Path) -> GeoDataFrame | None:
    return geopandas.read_parquet(file) if file.is_file() else None


def _load_grids(file: Path, columns: dict[str, str]) -> GeoDataFrame:
    known = [schema.GRIDS.index, *(c.name for c in schema.GRIDS.columns)]
    there = sources.list_columns(file)
    wanted = {name: name for name in known if name in there} | columns
    if "grid" not in wanted:
        raise SourceError(
            f"{file.name} has no column grid, but {listed(there, show=9)}. Say which holds the "
            "code of the grid: grid=COLUMN."
        )
    constants = {} if "territory" in wanted else {"territory": "all"}
    loaded = sources.load_grids(file, columns=wanted, constants=constants)
    if len(loaded.rejects):
        notes = loaded.rejects["note"].fillna(loaded.rejects["what"]).unique()
        raise SourceError(
            f"{file.name}: {len(loaded.rejects):,} of {loaded.rows_in:,} rows are no grids: "
            f"{listed(notes)}. A version must be whole: mend the file.",
            rows=[str(code) for code in loaded.rejects["id"]],
        )
    return loaded.frame


def _to_metres(grids: GeoDataFrame) -> GeoDataFrame:
    if grids.crs is not None and grids.crs.is_projected:
        return grids
    return grids.to_crs(sources.metric_crs(grids))


def name_versions(versions: Sequence[Version], paths: Sequence[str | Path]) -> list[Version]:
    """Give versions names that differ: with their folder, where the last name is the same.

    Examples
    --------
    >>> from gridmap.sketch import sketch_grids
    >>> one = Version("out", sketch_grids("AB"))
    >>> [v.name for v in name_versions([one, one], ["2025/out", "2026/out"])]
    ['2025/out', '2026/out']
    """
    names = [version.name for version in versions]
    if len(set(names)) < len(names):
        names = ["/".join(Path(path).resolve().with_suffix("").parts[-2:]) for path in paths]
    if len(set(names)) < len(names):
        names = [f"{name} ({number})" for number, name in enumerate(names, start=1)]
    return [version._replace(name=name) for version, name in zip(versions, names, strict=True)]


def compare_versions(old: Version, new: Version) -> DataFrame:
    """Build the lineage from one version to the next.

    Households are counted where the units of the old version lie, else those of the new one,
    else by area.

    Parameters
    ----------
    old, new : Version

    Returns
    -------
    DataFrame, schema LINEAGE
        With the names of both versions.

    Examples
    --------
    >>> from gridmap.sketch import sketch_grids
    >>> compare_versions(Version("1", sketch_grids("AAB")),
    ...                  Version("2", sketch_grids("ACB")))["kind"].tolist()
    ['changed', 'split', 'kept']
    """
    crs = old.grids.crs
    units = old.units if old.units is not None else new.units
    return redraw.build_lineage(
        old.grids, new.grids.to_crs(crs), versions=(old.name, new.name),
        units=None if units is None else units.to_crs(crs),
    )


def load_lineages(
    paths: Iterable[str | Path], *, columns: Mapping[str, str] | None = None
) -> list[DataFrame]:
    """Read the lineages of a net, or make them from its versions.

    Parameters
    ----------
    paths : iterable of str or Path
        Tables of lineage (CSV, as ``gridmap diff --table`` writes them), folders with such
        tables, called ``lineage`` and anything, or two or more versions, oldest first: each
        is compared with the next.
    columns : mapping, optional
        As in `load_version`.

    Returns
    -------
    list of DataFrame, schema LINEAGE
        Oldest first.

    Raises
    ------
    WorkspaceError
        If there is nothing, or a single version, which has no lineage.
    SchemaError
        If a table is no lineage, or tables make no single row of versions.

    Examples
    --------
    >>> import tempfile
    >>> from gridmap.sketch import sketch_grids
    >>> from gridmap.workspace import save_table
    >>> lineage = redraw.build_lineage(sketch_grids("AB"), sketch_grids("AA"),
    ...                                versions=("2025", "2026"))
    >>> file = Path(tempfile.mkdtemp()) / "lineage_2026.csv"
    >>> save_table(file, lineage)
    >>> load_lineages([file.parent])[0]["kind"].tolist()
    ['changed', 'merged']
    """
    places = [store.find_version(path) for path in paths]
    absent = [place for place in places if not place.exists()]
    if absent:
        raise WorkspaceError(f"there is no {listed(absent)}")
    tables: list[Path] = []
    versions: list[Path] = []
    for place in places:
        found = sorted(place.glob(LINEAGES)) if place.is_dir() else []
        if place.suffix == ".csv":
            tables.append(place)
        elif found:
            tables += found
        else:
            versions.append(place)
    if len(versions) == 1:
        raise WorkspaceError(
            f"{versions[0]} is one version without a table of lineage. Give two versions or "
            "more, or what gridmap diff OLD NEW --table lineage.csv wrote"
        )
    loaded = name_versions([load_version(v, columns=columns) for v in versions], versions)
    built = [compare_versions(*pair) for pair in pairwise(loaded)]
    return redraw.order_lineages([*map(_load_lineage, tables), *built])


def _load_lineage(file: Path) -> DataFrame:
    texts = [c.name for c in schema.LINEAGE.columns if c.kind == "text"]
    table = pd.read_csv(file, dtype=dict.fromkeys(texts, "str"), encoding="utf-8-sig",
                        keep_default_na=False, na_values=[""])
    if schema.LINEAGE.index in table:
        table = table.set_index(schema.LINEAGE.index)
    for name in (name for name in ("old", "new", "old_version", "new_version") if name in table):
        # The apostrophe that keeps a spreadsheet from reading a formula is not of the code.
        table[name] = table[name].str.replace(r"^'(?=[=+\-@])", "", regex=True)
    schema.check_frame(table, schema.LINEAGE, argument=str(file.name))
    return table

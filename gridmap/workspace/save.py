"""Write a whole workspace or nothing: built beside, then put in place in one step."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd
import pyogrio
from geopandas import GeoDataFrame
from pandas import DataFrame

from ..errors import WorkspaceError

MANIFEST = "manifest.json"

#: GeoPackage writes a time of change; a fixed one keeps the same input at the same bytes.
_FIXED_TIME = "2000-01-01T00:00:00.000Z"

#: Cells that a spreadsheet would take for a formula.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


class Layer(NamedTuple):
    """A layer of a GeoPackage with the style that QGIS opens it with."""

    frame: GeoDataFrame
    style: str | None = None  # QML


class Contents(NamedTuple):
    """What a workspace holds, by file name without folder."""

    frames: Mapping[str, GeoDataFrame | DataFrame]  # GeoParquet
    packages: Mapping[str, Mapping[str, Layer]]  # GeoPackage -> layers
    tables: Mapping[str, DataFrame]  # CSV
    pages: Mapping[str, str]  # HTML
    facts: Mapping[str, Any]  # manifest


def save_workspace(folder: str | Path, contents: Contents) -> list[Path]:
    """Write a workspace folder in one step.

    Everything is written into a new folder beside the old one, which is replaced only when
    all is there; after an interruption the old one stands.

    Parameters
    ----------
    folder : str or Path
        The workspace. It is made, or replaced if it is a workspace already.
    contents : Contents
        What to write.

    Returns
    -------
    list of Path
        The files, the manifest last.

    Raises
    ------
    WorkspaceError
        If the folder holds something that is no workspace, or cannot be written.
    """
    target = Path(folder)
    check_replaceable(target)
    fresh = target.parent / f".{target.name}.new"
    try:
        shutil.rmtree(fresh, ignore_errors=True)
        fresh.mkdir(parents=True)
        names = _write(fresh, contents)
        _swap(fresh, target)
    except OSError as error:
        raise WorkspaceError(
            f"the workspace {target} cannot be written: {error.strerror or error}. What was "
            "there before is still there; make room or choose another folder in [run] workspace"
        ) from error
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
    return [target / name for name in names]


def check_replaceable(target: Path) -> None:
    """Raise unless a folder is absent, empty, or a workspace of gridmap.

    Raises
    ------
    WorkspaceError
        If writing there would remove somebody's files.

    Examples
    --------
    >>> check_replaceable(Path("a_folder_that_does_not_exist"))
    """
    if not target.exists():
        return
    if not target.is_dir():
        raise WorkspaceError(f"{target} is a file; [run] workspace needs a folder")
    if any(target.iterdir()) and not (target / MANIFEST).is_file():
        raise WorkspaceError(
            f"{target} holds files but no {MANIFEST}, so it is no workspace and is not replaced. "
            "Empty it, or choose another folder in [run] workspace"
        )


def _write(fresh: Path, contents: Contents) -> list[str]:
    for name, frame in contents.frames.items():
        (fresh / "frames").mkdir(exist_ok=True)
        frame.to_parquet(fresh / "frames" / f"{name}.parquet", compression="zstd")
    profile = contents.facts.get("publication")
    note = f'gridmap, publication profile "{profile}"' if profile else "gridmap"
    for name, layers in contents.packages.items():
        save_package(fresh / f"{name}.gpkg", layers, note=note)
    for name, table in contents.tables.items():
        save_table(fresh / f"{name}.csv", table)
    for name, page in contents.pages.items():
        (fresh / f"{name}.html").write_text(page, encoding="utf-8")
    names = sorted(str(p.relative_to(fresh)) for p in fresh.rglob("*") if p.is_file())
    facts = {**contents.facts, "outputs": {name: hash_file(fresh / name) for name in names}}
    text = json.dumps(facts, ensure_ascii=False, indent=1, sort_keys=True)
    (fresh / MANIFEST).write_text(text + "\n", encoding="utf-8")
    return [*names, MANIFEST]


def _swap(fresh: Path, target: Path) -> None:
    """Put the new folder in the place of the old one; the old one goes last."""
    old = target.parent / f".{target.name}.old"
    shutil.rmtree(old, ignore_errors=True)
    if target.exists():
        os.replace(target, old)
    os.replace(fresh, target)
    shutil.rmtree(old, ignore_errors=True)


def hash_file(path: Path) -> str:
    """Return the SHA-256 of a file as hexadecimal text."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def save_table(path: Path, table: DataFrame) -> None:
    """Write a table as CSV in UTF-8 with a byte order mark, safe to open in a spreadsheet.

    A text that a spreadsheet would take for a formula gets an apostrophe in front.
    """
    texts = [name for name in table.columns if pd.api.types.is_string_dtype(table[name])]
    safe = table.assign(**{name: table[name].map(_harmless, na_action="ignore")
                           for name in texts})
    if pd.api.types.is_string_dtype(safe.index):
        safe.index = safe.index.map(_harmless).astype("str").rename(table.index.name)
    safe.to_csv(path, encoding="utf-8-sig", lineterminator="\n")


def _harmless(text: str) -> str:
    return f"'{text}" if text.startswith(_FORMULA) else text


def save_package(path: Path, layers: Mapping[str, Layer], *, note: str = "") -> None:
    """Write a GeoPackage whose layers open styled in QGIS, and say in each what made it."""
    with _fixed_time():
        for name, layer in layers.items():
            frame = layer.frame.reset_index()
            pyogrio.write_dataframe(frame, path, layer=name, driver="GPKG", promote_to_multi=True)
    with sqlite3.connect(path) as package:
        package.execute("UPDATE gpkg_contents SET description = ?", (note,))
    package.close()
    _save_styles(path, {name: layer.style for name, layer in layers.items() if layer.style})


@contextmanager
def _fixed_time() -> Iterator[None]:
    before = pyogrio.get_gdal_config_option("OGR_CURRENT_DATE")
    pyogrio.set_gdal_config_options({"OGR_CURRENT_DATE": _FIXED_TIME})
    try:
        yield
    finally:
        pyogrio.set_gdal_config_options({"OGR_CURRENT_DATE": before})


def _save_styles(path: Path, styles: Mapping[str, str]) -> None:
    """Fill the table layer_styles, where QGIS looks for the default style of a layer."""
    with sqlite3.connect(path) as package:
        package.execute(
            "CREATE TABLE layer_styles (id INTEGER PRIMARY KEY, f_table_catalog TEXT, "
            "f_table_schema TEXT, f_table_name TEXT, f_geometry_column TEXT, styleName TEXT, "
            "styleQML TEXT, styleSLD TEXT, useAsDefault BOOLEAN, description TEXT, owner TEXT, "
            "ui TEXT, update_time DATETIME)"
        )
        package.execute(
            "INSERT INTO gpkg_contents (table_name, data_type, identifier, last_change) "
            "VALUES ('layer_styles', 'attributes', 'layer_styles', ?)", (_FIXED_TIME,)
        )
        package.executemany(
            "INSERT INTO layer_styles (f_table_catalog, f_table_schema, f_table_name, "
            "f_geometry_column, styleName, styleQML, styleSLD, useAsDefault, description, owner, "
            "update_time) VALUES ('', '', ?, 'geom', ?, ?, '', 1, '', '', ?)",
            [(name, name, style, _FIXED_TIME) for name, style in styles.items()],
        )
    package.close()

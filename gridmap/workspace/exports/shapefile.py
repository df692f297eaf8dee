"""A layer as a shapefile: UTF-8, names that fit, and no text cut without a word."""

from __future__ import annotations

import zipfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import pandas as pd
import pyogrio
from geopandas import GeoDataFrame

from ...errors import SchemaError, listed
from .published import Note, PublishedLayer
from .targets import note_beside
from .vector import is_many

#: What dBASE holds, in bytes of UTF-8.
_NAME_BYTES, _TEXT_BYTES = 10, 254

#: Short names that say more than the first ten letters.
_SHORT = {
    "compactness": "compact", "events_closed_in_grid": "ev_closed",
    "households_in_reach_share": "hh_reach", "department": "dept",
}

#: dBASE and the archive both keep a date; a fixed one keeps the bytes the same.
_FIXED_DATE = "2000-01-01"
_FIXED_TIME = (2000, 1, 1, 0, 0, 0)


def save_shapefile(layers: Sequence[PublishedLayer], file: Path) -> list[str]:
    """Write a layer as a shapefile with its side files and a note; return what was changed.

    Raises
    ------
    SchemaError
        If a text is longer than dBASE holds.
    """
    layer = layers[0]
    names = shorten_names(layer.frame.columns.drop(layer.frame.geometry.name))
    _check_texts(layer.frame)
    pyogrio.write_dataframe(
        layer.frame.rename(columns=names), file, driver="ESRI Shapefile",
        promote_to_multi=is_many(layer.frame), encoding="UTF-8",
        layer_options={"DBF_DATE_LAST_UPDATE": _FIXED_DATE},
    )
    told = [f"column {name} is called {short}" for name, short in names.items() if name != short]
    note_beside(file).write_text(_write_note(layer.note, names), encoding="utf-8", newline="\n")
    return told


def save_zip(layers: Sequence[PublishedLayer], file: Path) -> list[str]:
    """Write a layer as a shapefile in one zip archive; return what was changed."""
    parts = file.with_name(f"{file.name}.parts")
    parts.mkdir()
    told = save_shapefile(layers, parts / f"{layers[0].name}.shp")
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.comment = layers[0].note.line.encode()
        for part in sorted(parts.iterdir()):
            entry = zipfile.ZipInfo(part.name, _FIXED_TIME)
            entry.compress_type, entry.external_attr = zipfile.ZIP_DEFLATED, 0o644 << 16
            archive.writestr(entry, part.read_bytes())
            part.unlink()
    parts.rmdir()
    return told


def shorten_names(columns: Iterable[str]) -> dict[str, str]:
    """Give every column a name of at most ten bytes that no other has.

    Parameters
    ----------
    columns : iterable of str

    Returns
    -------
    dict
        Column -> name. A name that fits is kept, whatever the others are; where two would be
        the same but for capitals, which dBASE does not tell apart, the later is numbered.

    Examples
    --------
    >>> shorten_names(["households", "households_in_reach_share", "网格类型"])
    {'households': 'households', 'households_in_reach_share': 'hh_reach', '网格类型': '网格类'}
    >>> shorten_names(["population_2025", "population_2026"])
    {'population_2025': 'population', 'population_2026': 'populati_2'}
    """
    given = list(columns)
    taken: set[str] = set()
    short: dict[str, str] = {}
    for name in sorted(given, key=lambda name: _cut(name, _NAME_BYTES) != name):
        wanted = tried = _cut(_SHORT.get(name, name), _NAME_BYTES)
        number = 1
        while tried.casefold() in taken:
            number += 1
            ending = f"_{number}"
            tried = _cut(wanted, _NAME_BYTES - len(ending)) + ending
        taken.add(tried.casefold())
        short[name] = tried
    return {name: short[name] for name in given}


def _cut(text: str, size: int) -> str:
    """Return as many whole characters from the front as fit into so many bytes."""
    return text.encode("utf-8")[:size].decode("utf-8", errors="ignore")


def _check_texts(frame: GeoDataFrame) -> None:
    """Raise if a text is longer than dBASE holds, which GDAL would cut."""
    code = frame.columns[0]
    for name in frame.columns:
        if not pd.api.types.is_string_dtype(frame[name]):
            continue
        long = frame[name].map(lambda text: len(text.encode("utf-8")) > _TEXT_BYTES,
                               na_action="ignore").eq(True)
        if long.any():
            rows = [str(row) for row in frame.loc[long, code]]
            raise SchemaError(
                f"column {name} has texts longer than {_TEXT_BYTES} bytes, which a shapefile "
                f"cannot hold, in {listed(rows)}. Export to .gpkg or .fgb instead", rows=rows)


def _write_note(note: Note, names: Mapping[str, str]) -> str:
    lines = [f"{name}: {value}" for name, value in note.entries.items()]
    lines += ["", "A shapefile keeps ten bytes of a name. Missing texts are empty.",
              "column in the file: column of gridmap"]
    lines += [f"{short}: {name}" for name, short in names.items()]
    return "\n".join(lines) + "\n"

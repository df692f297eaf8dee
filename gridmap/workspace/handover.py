"""A frame as a file for others: any encoding they need, and not a character lost on the way."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pyogrio
from geopandas import GeoDataFrame
from pandas import DataFrame

from ..errors import WorkspaceError, listed
from ..sources import encodings
from .save import make_harmless

_DRIVERS = {".gpkg": "GPKG", ".geojson": "GeoJSON", ".fgb": "FlatGeobuf",
            ".shp": "ESRI Shapefile"}

#: Bytes that a shapefile's table has for a header and for a cell.
_HEADER_BYTES, _CELL_BYTES = 10, 254


def save_layer(
    frame: GeoDataFrame | DataFrame, path: str | Path, *, encoding: str = "UTF-8"
) -> Path:
    """Write a frame as one file for other programs, by the ending of its name.

    Parameters
    ----------
    frame : GeoDataFrame or DataFrame
        Its index becomes the first column.
    path : str or Path
        ``.gpkg``, ``.geojson``, ``.fgb``, ``.parquet``, ``.shp`` or ``.csv``. A file of that
        name is replaced. In a CSV file geometry is WKT, and a text that a spreadsheet would take
        for a formula gets an apostrophe in front.
    encoding : str, default "UTF-8"
        Of the text in ``.shp`` and ``.csv``, such as ``"GBK"``; all others are UTF-8. A
        shapefile gets a ``.cpg`` that says it, a CSV file in UTF-8 a byte order mark.

    Returns
    -------
    Path
        The file.

    Raises
    ------
    SourceError
        If the encoding does not have a character of the frame; the message names it.
    WorkspaceError
        If the ending is unknown, the format has no such encoding, or a shapefile would cut
        a header or a cell short.

    Examples
    --------
    >>> import tempfile
    >>> from gridmap.sketch import sketch_grids
    >>> grids = sketch_grids("AB").assign(name=["龑村", "䶮家"])
    >>> folder = Path(tempfile.mkdtemp())
    >>> save_layer(grids, folder / "grids.csv", encoding="GB18030").name
    'grids.csv'
    >>> save_layer(grids, folder / "grids.shp", encoding="GBK")
    Traceback (most recent call last):
    gridmap.errors.SourceError: GBK has no character for 䶮 (U+4DAE): it would be lost. Write \
UTF-8 or GB18030 instead.
    """
    file = Path(path)
    ending = file.suffix.lower()
    if ending not in (*_DRIVERS, ".csv", ".parquet"):
        known = listed(sorted([*_DRIVERS, ".csv", ".parquet"]), show=10)
        raise WorkspaceError(f"{file} ends in {ending or 'nothing'}: choose one of {known}")
    rows = frame.reset_index()
    encodings.check_encoding_holds(_texts(rows), encoding)
    name = encodings.known_encoding(encoding) or encoding
    if ending not in (".csv", ".shp") and name != "UTF-8":
        raise WorkspaceError(
            f"{file} would be UTF-8, as {ending} always is: leave encoding out, or write .csv or "
            f".shp in {encoding}"
        )
    if not isinstance(frame, GeoDataFrame) and ending not in (".csv", ".parquet"):
        raise WorkspaceError(
            f"the frame has no geometry, which {file} needs: write .csv or .parquet"
        )
    try:
        _write(rows, file, ending, encoding)
    except (OSError, pyogrio.errors.DataSourceError) as error:
        raise WorkspaceError(f"{file} cannot be written: {error}") from error
    return file


def _texts(rows: DataFrame) -> list[str]:
    """Return every text of a frame once, headers among them."""
    texts = [str(name) for name in rows.columns]
    for name in rows.columns:
        if pd.api.types.is_string_dtype(rows[name]):
            texts += rows[name].dropna().unique().tolist()
    return texts


def _write(rows: DataFrame, file: Path, ending: str, encoding: str) -> None:
    if ending == ".parquet":
        rows.to_parquet(file, index=False)
    elif ending == ".csv":
        plain = rows.to_wkt() if isinstance(rows, GeoDataFrame) else rows
        mark = "utf-8-sig" if encoding.upper() in ("UTF-8", "UTF8") else encoding
        make_harmless(plain).to_csv(file, index=False, encoding=mark, lineterminator="\n")
    else:
        options = {"encoding": encoding} if ending == ".shp" else {}
        if ending == ".shp":
            _check_widths(rows, file, encoding)
        pyogrio.write_dataframe(rows, file, driver=_DRIVERS[ending], **options)


def _check_widths(rows: DataFrame, file: Path, encoding: str) -> None:
    """Raise where the table of a shapefile would cut a header or a cell short."""
    wide = [n for n in rows.columns if n != "geometry" and len(n.encode(encoding)) > _HEADER_BYTES]
    if wide:
        raise WorkspaceError(
            f"{file} would cut the header {listed(wide)} to {_HEADER_BYTES} bytes: rename it, or "
            "write .gpkg"
        )
    for name in rows.columns:
        if pd.api.types.is_string_dtype(rows[name]):
            size = rows[name].dropna().map(lambda text: len(text.encode(encoding)))
            if (size > _CELL_BYTES).any():
                raise WorkspaceError(
                    f"{file} would cut {int((size > _CELL_BYTES).sum()):,} cells of {name} to "
                    f"{_CELL_BYTES} bytes: write .gpkg instead"
                )

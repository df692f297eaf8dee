"""The format of an export, chosen by the end of its name."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from ...errors import WorkspaceError, listed
from . import shapefile, targets, tiles, vector, workbook
from .published import PublishedLayer, load_published


class Format(NamedTuple):
    """How a kind of file is written."""

    name: str
    save: Callable[[Sequence[PublishedLayer], Path], list[str]]  # returns what it changed
    many: bool = False  # whether it holds several layers


class Exported(NamedTuple):
    """What was written."""

    file: Path
    kind: str  # name of the format
    rows: dict[str, int]  # layer -> rows
    withheld: int | None  # cells that the profile keeps back; None where they are not listed
    told: tuple[str, ...]  # what the format could not keep as it was


#: End of a file's name -> its format.
FORMATS = {
    ".gpkg": Format("GeoPackage", vector.save_geopackage, many=True),
    ".parquet": Format("GeoParquet", vector.save_geoparquet),
    ".fgb": Format("FlatGeobuf", vector.save_flatgeobuf),
    ".geojson": Format("GeoJSON", vector.save_geojson),
    ".shp": Format("shapefile", shapefile.save_shapefile),
    ".zip": Format("shapefile in a zip archive", shapefile.save_zip),
    ".pmtiles": Format("PMTiles", tiles.save_tiles),
    ".xlsx": Format("Excel workbook", workbook.save_workbook),
}


def save_export(
    workspace: str | Path,
    target: str | Path,
    *,
    layers: Sequence[str] = ("grids",),
    force: bool = False,
) -> Exported:
    """Write what a workspace has published as a file for others.

    Columns and counts are those of the publication profile of the run. The file says which
    profile that was, how many cells are withheld, and what it was made of. The same workspace
    gives the same bytes.

    Parameters
    ----------
    workspace : str or Path
        A workspace, or one of its versions, such as ``out@0002``.
    target : str or Path
        Its end chooses the format: .gpkg, .parquet, .fgb, .geojson, .shp, .zip (a shapefile
        in an archive), .pmtiles or .xlsx. It appears whole or not at all.
    layers : sequence of str, default ("grids",)
        Layers of `list_layers`; only a GeoPackage holds several.
    force : bool, default False
        Replace a file that is no export of gridmap. An export is replaced anyway.

    Returns
    -------
    Exported

    Raises
    ------
    WorkspaceError
        If there is no such workspace or layer, the end of the name is unknown, the format
        holds one layer only, or the target is somebody's file or cannot be written.
    SchemaError
        If the format cannot hold a text, which would be cut.

    Examples
    --------
    >>> save_export("out", "grids.dxf")
    Traceback (most recent call last):
    gridmap.errors.WorkspaceError: grids.dxf: the end of the name chooses the format, and .dxf \
is none of .gpkg, .parquet, .fgb, .geojson, .shp, .zip, .pmtiles and .xlsx
    """
    file = Path(target)
    form = check_export(file, layers=layers, force=force)
    chosen = [load_published(workspace, name) for name in dict.fromkeys(layers)]
    with targets.written_whole(file) as place:
        told = form.save(chosen, place)
    counts = [one.note.withheld for one in chosen if one.note.withheld is not None]
    return Exported(file, form.name, {one.name: len(one.frame) for one in chosen},
                    sum(counts) if counts else None, tuple(told))


def check_export(
    target: str | Path, *, layers: Sequence[str] = ("grids",), force: bool = False
) -> Format:
    """Return the format of an export; raise what `save_export` would of its target.

    Raises
    ------
    WorkspaceError
        If the end of the name is unknown, the format holds one layer only, or the target is
        somebody's file, a folder, or in no folder.
    """
    file = Path(target)
    form = choose_format(file)
    if len(layers) != 1 and not form.many:
        raise WorkspaceError(f"{file.name}: a {form.name} holds one layer, not {listed(layers)}. "
                             "Name one, or export to .gpkg")
    targets.check_target(file, force=force)
    return form


def choose_format(file: Path) -> Format:
    """Return the format that the end of a file's name stands for.

    Raises
    ------
    WorkspaceError
        If it stands for none.

    Examples
    --------
    >>> from pathlib import Path
    >>> choose_format(Path("net.SHP")).name
    'shapefile'
    """
    form = FORMATS.get(file.suffix.lower())
    if form is None:
        *some, last = FORMATS
        raise WorkspaceError(
            f"{file.name}: the end of the name chooses the format, and {file.suffix or 'nothing'} "
            f"is none of {', '.join(some)} and {last}")
    return form

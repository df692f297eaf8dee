"""``gridmap export``: what a workspace has published, in the formats that others open."""

from __future__ import annotations

import argparse
import json
from typing import Any

from ..errors import WorkspaceError
from .options import add_telling, find_workspace

#: How the address of a database begins.
_DATABASE = ("postgis://", "postgresql://", "postgres://")


def add_parser(commands: Any) -> None:
    """Add the command to the parser of all commands."""
    command = commands.add_parser(
        "export", help="write published layers as GeoPackage, GeoParquet, FlatGeobuf, GeoJSON, "
                       "shapefile, PMTiles, Excel, or into PostGIS")
    command.add_argument("workspace",
                         help="a workspace, a version such as out@0002, or a gridmap.toml")
    command.add_argument("targets", nargs="+", metavar="TARGET",
                         help="files, whose ends choose the format: .gpkg .parquet .fgb .geojson "
                              ".shp .zip .pmtiles .xlsx; or postgis://…")
    command.add_argument("--layer", action="append", default=[], metavar="NAME", dest="layers",
                         help="what to export (default: grids); a GeoPackage and PostGIS hold "
                              "several, and 'all' is all")
    command.add_argument("--schema", metavar="NAME",
                         help="where the tables of PostGIS go (default: gridmap)")
    command.add_argument("--force", action="store_true",
                         help="replace a file that is no export of gridmap")
    add_telling(command)
    command.set_defaults(command=_export)


def _export(options: argparse.Namespace) -> int:
    from ..workspace import exports

    named = find_workspace(options.workspace)
    layers = options.layers or ["grids"]
    if "all" in layers:
        layers = exports.list_layers(named)
    if options.schema is not None and not any(
            target.startswith(_DATABASE) for target in options.targets):
        raise WorkspaceError(f"--schema {options.schema} is for tables of PostGIS, but no target "
                             "is a database: name one, as postgis://user@host/database")
    for target in options.targets:  # all are looked at before the first is written
        if not target.startswith(_DATABASE):
            exports.check_export(target, layers=layers, force=options.force)
    done = []
    for target in options.targets:
        database = target.startswith(_DATABASE)
        told = (_into_database(named, target, layers, options.schema) if database
                else _into_file(named, target, layers, force=options.force))
        if not options.quiet and not options.json:
            _tell(told)
        done.append(told)
    if options.json:
        print(json.dumps({"workspace": named, "exports": done}, ensure_ascii=False))
    return 0


def _into_file(named: str, target: str, layers: list[str], *, force: bool) -> dict[str, Any]:
    from ..workspace import exports

    written = exports.save_export(named, target, layers=layers, force=force)
    return {"target": str(written.file), "format": written.kind, "rows": written.rows,
            "withheld": written.withheld, "told": list(written.told)}


def _into_database(
    named: str, url: str, layers: list[str], schema: str | None
) -> dict[str, Any]:
    from ..workspace.postgis import save_postgis

    chosen = {} if schema is None else {"schema": schema}
    saved = save_postgis(named, url, layers=layers, **chosen)
    # Not the address: what stands in it is nobody's who reads a log.
    return {"target": "the database", "format": "PostGIS", "rows": dict(saved.tables),
            "told": list(saved.notes)}


def _tell(told: dict[str, Any]) -> None:
    rows = ", ".join(f"{count:,} {name}" for name, count in told["rows"].items())
    withheld = f", {told['withheld']:,} cells withheld" if told.get("withheld") else ""
    print(f"{told['target']}: {told['format']}, {rows}{withheld}")
    for line in told["told"]:
        print(f"  {line}")

"""``gridmap diff``: what became of every grid from one version to the next."""

from __future__ import annotations

import argparse
import json
from typing import TYPE_CHECKING, Any

from .options import add_columns, add_telling, read_columns

if TYPE_CHECKING:
    from pandas import DataFrame

    from ..workspace.versions import Version

#: So many grids are told of on the terminal; the table has all.
SHOWN = 20


def add_parser(commands: Any) -> None:
    """Add the command to the parser of all commands."""
    command = commands.add_parser(
        "diff", help="tell what became of every grid from one version to the next")
    command.add_argument("old", help="workspace folder, or file with the grids before")
    command.add_argument("new", help="the same after")
    command.add_argument("--table", metavar="FILE", help="write the lineage, in full, as CSV")
    command.add_argument("--map", metavar="FILE", help="write a page with before and after")
    command.add_argument("--publication", default="shared",
                         help="what the page may show: internal, shared, public or a file")
    add_columns(command)
    add_telling(command)
    command.set_defaults(command=_diff)


def _diff(options: argparse.Namespace) -> int:
    columns = read_columns(options)
    from .. import redraw, rules, workspace
    from ..errors import WorkspaceError
    from ..workspace import versions

    publication = rules.load_publication(options.publication)
    paths = [options.old, options.new]
    old, new = versions.name_versions(
        [versions.load_version(path, columns=columns) for path in paths], paths)
    lineage = versions.compare_versions(old, new)
    try:
        if options.table:
            workspace.save_table(options.table, lineage)
        if options.map:
            _save_map(options.map, (old, new), lineage, publication)
    except OSError as error:
        raise WorkspaceError(
            f"{error.filename} cannot be written: {error.strerror}. Choose another with --table "
            "FILE or --map FILE, in a folder that exists"
        ) from error
    sums = redraw.measure_lineage(lineage)
    if options.json:
        print(json.dumps({
            "old": old.name, "new": new.name,
            "summary": {k: None if v != v else float(v) for k, v in sums.items()},
            "lineage": json.loads(lineage.to_json(orient="records")),
        }, ensure_ascii=False))
    elif not options.quiet:
        _print(old.name, new.name, lineage)
        for file in filter(None, (options.table, options.map)):
            print(file)
    return 0


def _save_map(
    file: str, pair: tuple[Version, Version], lineage: DataFrame, publication: Any
) -> None:
    from .. import maps

    old, new = pair
    page = maps.draw_difference(
        old.grids, new.grids, lineage, publication=publication, names=(old.name, new.name),
        territories=new.territories if new.territories is not None else old.territories,
        title=(f"What became of grids: {old.name}\u00a0→\u00a0{new.name}",
               f"网格变更：{old.name}\u00a0→\u00a0{new.name}"),
    )
    page.save(file)


def _print(old: str, new: str, lineage: DataFrame) -> None:
    from rich.console import Console
    from rich.table import Table

    from .. import redraw

    console, sums = Console(), redraw.measure_lineage(lineage)
    summary = Table(title=f"{old} → {new}", title_justify="left")
    summary.add_column("figure")
    summary.add_column("value", justify="right")
    for name, value in sums.items():
        unknown, share = value != value, name == "share moved"
        summary.add_row(str(name), "not known" if unknown else
                        f"{value:.1%}" if share else f"{value:,.0f}")
    console.print(summary)
    told = redraw.describe_lineage(lineage)
    if told.empty:
        console.print("Nothing changed: every grid is what it was.")
        return
    grids = Table(title="What became of grids", title_justify="left")
    grids.add_column("code", no_wrap=True)
    for name in ("", "where it went, or came from"):
        grids.add_column(name, overflow="fold")
    for code, fate, words in told.head(SHOWN).itertuples():
        grids.add_row(str(code), fate, words)
    console.print(grids)
    if len(told) > SHOWN:
        console.print(f"and {len(told) - SHOWN:,} more: --table FILE has all")

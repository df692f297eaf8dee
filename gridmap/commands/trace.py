"""``gridmap trace``: the way of one code through the versions of a net."""

from __future__ import annotations

import argparse
import json
from typing import Any

from .options import add_columns, add_telling, read_columns


def add_parser(commands: Any) -> None:
    """Add the command to the parser of all commands."""
    command = commands.add_parser(
        "trace", help="follow a code back to what it came from, and forth")
    command.add_argument("code", help="code of a grid")
    command.add_argument("places", nargs="+", metavar="PLACE",
                         help="versions, oldest first, or tables of lineage, or their folder")
    command.add_argument("--at", metavar="VERSION", help="look the code up in this version")
    command.add_argument("--least", type=float, default=0.0, metavar="SHARE",
                         help="leave out ways that carry no more than this share (0 to 1)")
    add_columns(command)
    add_telling(command)
    command.set_defaults(command=_trace)


def _trace(options: argparse.Namespace) -> int:
    columns = read_columns(options)
    if not 0 <= options.least <= 1:
        from ..errors import ConfigError

        raise ConfigError(f"--least is {options.least:g}: a share from 0 to 1 is needed")
    from .. import redraw
    from ..workspace import versions

    lineages = versions.load_lineages(options.places, columns=columns)
    told = redraw.trace(options.code, lineages, at=options.at, least=options.least)
    if options.json:
        print(json.dumps({"code": options.code,
                          "ways": json.loads(told.to_json(orient="records"))},
                         ensure_ascii=False))
    elif not options.quiet:
        _print(options.code, told)
    return 0


def _print(code: str, told: Any) -> None:
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table

    # Codes are long and must not be broken: the table has no borders to spare room.
    table = Table(title=f"The way of {code}", title_justify="left", box=SIMPLE_HEAD,
                  padding=(0, 1, 0, 0), pad_edge=False)
    for name in ("", "version", "from", "to", "what"):
        table.add_column(name, no_wrap=True, overflow="fold")
    for name in ("households", "share"):
        table.add_column(name, justify="right")
    for row in told.itertuples():
        there = [str(c) if c == c else "no grid" for c in (row.old, row.new)]
        households = "unknown" if row.households != row.households else f"{row.households:,.0f}"
        table.add_row(row.direction, f"{row.old_version} → {row.new_version}", *there, row.kind,
                      households, f"{row.share:.1%}")
    Console().print(table)

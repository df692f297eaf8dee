"""``gridmap redraw``: bring the net in use back into range, and write the bill."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .options import (
    add_columns,
    add_config,
    add_telling,
    hides_progress,
    load_config,
    read_columns,
)

if TYPE_CHECKING:
    from ..pipeline.redraw_net import Redrawn


def add_parser(commands: Any) -> None:
    """Add the command to the parser of all commands."""
    command = commands.add_parser(
        "redraw", help="bring the net in use back into range, moving little, with a bill")
    add_config(command)
    command.add_argument("--grids", metavar="PATH",
                         help="the net in use: a workspace folder or a file with grids; the "
                              "workspace of the configuration by default")
    command.add_argument("--workspace", metavar="DIR",
                         help="write here; beside the workspace, with -redrawn, by default")
    command.add_argument("--households", type=int, metavar="N",
                         help="move so many households at most")
    command.add_argument("--grids-touched", type=int, metavar="N",
                         help="touch so many grids at most")
    command.add_argument("--lock", action="append", default=[], metavar="GRID",
                         help="leave this grid as it is; may be given several times")
    command.add_argument("--seed", type=int, help="another seed draws other grids")
    add_columns(command)
    add_telling(command)
    command.set_defaults(command=_redraw)


def _redraw(options: argparse.Namespace) -> int:
    named, options.workspace = options.workspace, None
    config = load_config(options)
    from .. import console
    from ..pipeline import redraw_net
    from ..redraw.budget import Budget
    from ..workspace import versions

    version = versions.load_version(
        options.grids or config.workspace, columns=read_columns(options))
    budget = Budget(households=options.households, grids=options.grids_touched)
    with console.watch(quiet=hides_progress(options)) as progress:
        done = redraw_net.redraw_net(
            config, version.grids, budget=budget, locked=options.lock, progress=progress)
        folder = Path(named) if named else config.workspace.with_name(
            f"{config.workspace.name}-redrawn")
        files = redraw_net.save_redraw(done, config, folder, progress=progress)
    if options.json:
        _print_json(done, files)
    elif not options.quiet:
        _print(done, files)
    return 0


def _print_json(done: Redrawn, files: list[Path]) -> None:
    import json

    bill = done.net.bill
    print(json.dumps({
        "bill": {k: None if v != v else float(v) for k, v in bill.totals.items()},
        "measures": json.loads(bill.measures.to_json(orient="index")),
        "out_of_range": json.loads(done.net.changes.to_json(orient="records")),
        "files": [str(file) for file in files],
    }, ensure_ascii=False))


def _print(done: Redrawn, files: list[Path]) -> None:
    from rich.console import Console
    from rich.table import Table

    from ..redraw.bill import describe_bill

    console, changes = Console(), done.net.changes
    console.print(describe_bill(done.net.bill), highlight=False)
    if len(changes):
        table = Table(title="Not reached, or noticed", title_justify="left")
        for name in ("what", "rows", "first", "way out"):
            table.add_column(name, overflow="fold")
        for what, rows in changes.groupby("what", sort=True):
            table.add_row(str(what), f"{len(rows):,}", str(rows["id"].iloc[0]),
                          str(rows["note"].iloc[0]))
        console.print(table)
    console.print(f"{len(files)} files in {files[0].parent}", highlight=False)

"""The command line: ``gridmap COMMAND``, one command per public step.

Exit code 0: done. 1: wrong input, or a version that does not hold, told in one message.
2: wrong usage. 3: another run is writing the workspace; try later. 130: interrupted.
"""

from __future__ import annotations

import argparse
import gc
import json
import sys
from collections.abc import Sequence

from .commands import (
    atlas,
    check,
    diff,
    export,
    log,
    new,
    profiles,
    prune,
    reconcile,
    redraw,
    restore,
    run,
    serve,
    trace,
    verify,
)
from .errors import BusyError, GridmapError
from .version import __version__

#: The exit code that asks a script to try later.
BUSY = 3

#: In the order in which ``gridmap --help`` tells of them: that of a first day.
_COMMANDS = (new, check, run, reconcile, redraw, diff, trace, export, verify, log, restore, prune,
             profiles, atlas, serve)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line.

    Parameters
    ----------
    arguments : sequence of str, optional
        Words after ``gridmap``; those of the process by default.

    Returns
    -------
    int
        The exit code.
    """
    options = _parser().parse_args(arguments)
    try:
        code: int = options.command(options)
    except GridmapError as error:
        _tell_error(options, error)
        return BUSY if isinstance(error, BusyError) else 1
    except KeyboardInterrupt:
        print("interrupted: nothing more was written", file=sys.stderr)
        return 130
    if arguments is None:
        gc.freeze()  # the process ends: all that it holds need not be looked through once more
    return code


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="gridmap", description="From raw files to one net of service grids."
    )
    parser.add_argument("--version", action="version", version=f"gridmap {__version__}")
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    for command in _COMMANDS:
        command.add_parser(commands)
    return parser


def _tell_error(options: argparse.Namespace, error: GridmapError) -> None:
    if getattr(options, "json", False):
        told = {"error": type(error).__name__, "message": str(error), "rows": list(error.rows)}
        print(json.dumps(told, ensure_ascii=False))
    else:
        print(f"{type(error).__name__}: {error}", file=sys.stderr)

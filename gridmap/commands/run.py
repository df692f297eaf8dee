"""``gridmap run``: do the main job and write the workspace."""

from __future__ import annotations

import argparse
from typing import Any

from .options import add_config, add_drawing, add_telling, load_config


def add_parser(commands: Any) -> None:
    """Add the command to the parser of all commands."""
    command = commands.add_parser("run", help="do the main job and write the workspace")
    add_config(command)
    command.add_argument("--workspace", help="write here instead of [run] workspace")
    add_drawing(command)
    add_telling(command)
    command.set_defaults(command=_run)


def _run(options: argparse.Namespace) -> int:
    config = load_config(options)
    from .. import console, pipeline

    with console.watch(quiet=options.quiet or options.json) as progress:
        done = pipeline.run(config, progress=progress)
        files = pipeline.save_run(done, config, progress=progress)
    if options.json:
        console.print_run_json(done, [str(file) for file in files])
    elif not options.quiet:
        console.print_run(done, config, [str(file) for file in files])
    return 0

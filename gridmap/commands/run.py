"""``gridmap run``: do the main job and write the workspace."""

from __future__ import annotations

import argparse
import gc
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from .options import add_config, add_drawing, add_telling, add_waiting, hides_progress, load_config


def add_parser(commands: Any) -> None:
    """Add the command to the parser of all commands."""
    command = commands.add_parser("run", help="do the main job and write the workspace")
    add_config(command)
    command.add_argument("--workspace", help="write here instead of [run] workspace")
    add_drawing(command)
    add_waiting(command)
    add_telling(command)
    command.add_argument("--fresh", action="store_true",
                         help="do every step again, whatever is kept of earlier runs")
    command.add_argument("--explain", action="store_true",
                         help="say of every step whether it ran or was reused, and why")
    command.add_argument("--since", metavar="DATE|VERSION",
                         help="say what changed since a version, or since a day: inputs, rules, "
                              "territories, grids and files")
    command.set_defaults(command=_run)


def _run(options: argparse.Namespace) -> int:
    config = load_config(options)
    from .. import console, pipeline, workspace
    from ..errors import GridmapError
    from ..workspace import history

    with _collect_seldom(), workspace.hold_workspace(
            config.workspace, wait_s=options.wait) as place:
        reading = workspace.read_inputs(config)
        with console.watch(quiet=hides_progress(options)) as progress:
            try:
                done = pipeline.run_again(config, reading=reading, fresh=options.fresh,
                                          progress=progress)
            except (GridmapError, OSError, RuntimeError, ValueError):
                workspace.check_inputs(reading)  # what changed on the way may be the reason
                raise
        event = history.last_made(place)
        since = pipeline.find_since(place, options.since) if options.since else None
    files = [str(file) for file in done.files]
    if options.json:
        console.print_run_json(done, files, event, since)
    elif not options.quiet:
        console.print_run(done, config, files, event)
    if options.explain and not options.json:
        console.print_steps(done.steps)
    if since is not None and not options.json:
        print(since.told)
    return 0


#: Objects made since the last look for cycles, before Python looks again: 700 by itself.
_SELDOM = 50_000


@contextmanager
def _collect_seldom() -> Iterator[None]:
    """Let Python look less often for objects that hold each other, while the block runs.

    A run makes millions of shapes and hardly a cycle. Each look walks all that was loaded:
    looks took a second of a run that did a small edit, and found nothing.
    """
    before = gc.get_threshold()
    gc.freeze()
    gc.set_threshold(_SELDOM, *before[1:])
    try:
        yield
    finally:
        gc.set_threshold(*before)
        gc.unfreeze()

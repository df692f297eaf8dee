"""``gridmap restore``: let a workspace stand for an earlier version again."""

from __future__ import annotations

import argparse
import json
from typing import Any

from .options import add_telling, add_waiting, find_workspace


def add_parser(commands: Any) -> None:
    """Add the command to the parser of all commands."""
    command = commands.add_parser(
        "restore", help="make an earlier version current again; later ones stay")
    command.add_argument("workspace", nargs="?", default=".",
                         help="a workspace or a gridmap.toml; that of this folder by default")
    command.add_argument("version", help="number of the version, or both: out@0002")
    add_waiting(command)
    add_telling(command)
    command.set_defaults(command=_restore)


def _restore(options: argparse.Namespace) -> int:
    from .. import workspace

    place, _, number = options.version.rpartition("@")
    named = find_workspace(place or options.workspace)
    restored = workspace.restore_version(named, number, wait_s=options.wait)
    if options.json:
        print(json.dumps({"workspace": named, "version": restored}))
    elif not options.quiet:
        print(f"{named} is version {restored}. Later versions stay; the next run makes a new one.")
    return 0

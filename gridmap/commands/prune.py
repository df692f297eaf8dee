"""``gridmap prune``: remove old versions, and tell the room on the disk that it frees."""

from __future__ import annotations

import argparse
import json
import sys
from typing import Any

from .options import add_telling, add_waiting, find_workspace


def add_parser(commands: Any) -> None:
    """Add the command to the parser of all commands."""
    command = commands.add_parser(
        "prune", help="remove old versions; without --yes only tell which",
        description="Remove old versions for good. The current one always stays. Where both "
                    "limits are given, a version goes that is past both.")
    command.add_argument("workspace", nargs="?", default=".",
                         help="a workspace or a gridmap.toml; that of this folder by default")
    command.add_argument("--keep", type=int, metavar="N", help="spare the last N versions")
    command.add_argument("--older-than", type=float, metavar="DAYS", dest="older_than_days",
                         help="spare versions younger than this")
    command.add_argument("--steps", action="store_true",
                         help="also forget what steps of earlier runs made: the next run does all "
                              "of them again")
    command.add_argument("--yes", action="store_true", help="remove them; nothing is removed "
                                                            "without it")
    add_waiting(command)
    add_telling(command)
    command.set_defaults(command=_prune)


def _prune(options: argparse.Namespace) -> int:
    from .. import workspace

    named = find_workspace(options.workspace)
    limits = {"keep": options.keep, "older_than_days": options.older_than_days}
    if options.steps and options.keep is None and options.older_than_days is None:
        limits["keep"] = sys.maxsize
    going = (workspace.prune_versions(named, **limits, wait_s=options.wait) if options.yes
             else workspace.find_prunable(named, **limits))
    steps = 0
    if options.steps:
        steps = workspace.prune_steps(named, remove=options.yes, wait_s=options.wait)
    freed = int(going["bytes"].sum()) + steps
    if options.json:
        print(json.dumps({"workspace": named, "removed": options.yes, "bytes": freed,
                          "versions": going.index.tolist(), "steps_bytes": steps}))
    elif not options.quiet:
        for number, size in going["bytes"].items():
            print(f"{number}  {size / 1e6:,.1f} MB")
        if options.steps:
            print(f"steps {steps / 1e6:,.1f} MB")
        state = "removed" if options.yes else "would go: say --yes to remove them"
        print(f"{len(going)} versions, {freed / 1e6:,.1f} MB, {state}")
    return 0

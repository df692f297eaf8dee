"""``gridmap verify``: prove that a version is what was written, and that it holds."""

from __future__ import annotations

import argparse
import json
from typing import Any

from .options import add_telling, find_workspace

_MORE = """
Every byte is read. Grids must tile, the ledger must close, and every element must lie in the
grid that its row says. The exit code is 1 where something does not hold.
"""


def add_parser(commands: Any) -> None:
    """Add the command to the parser of all commands."""
    command = commands.add_parser("verify", help="prove that a version holds", epilog=_MORE)
    command.add_argument("workspace", nargs="?", default=".",
                         help="a workspace, a version such as out@0002, or a gridmap.toml; that "
                              "of this folder by default")
    command.add_argument("version", nargs="?", help="number of the version, or all; the current "
                                                    "one by default")
    add_telling(command)
    command.set_defaults(command=_verify)


def _verify(options: argparse.Namespace) -> int:
    from .. import workspace
    from ..workspace import store

    if options.version is None and (options.workspace.isdigit() or options.workspace == "all"):
        options.workspace, options.version = ".", options.workspace
    named = find_workspace(options.workspace)
    paths = [named]
    if options.version == "all":
        place = store.find_place(named)
        paths = [f"{named}@{number}" for number in store.list_numbers(place)] or [named]
    elif options.version:
        paths = [f"{named}@{options.version}"]
    proofs = [workspace.verify_version(path) for path in paths]
    names = [store.name_version(proof.folder) for proof in proofs]
    if options.json:
        print(json.dumps({"versions": [
            {"version": name, "proven": proof.proven,
             "faults": json.loads(proof.faults.to_json(orient="records"))}
            for name, proof in zip(names, proofs, strict=True)
        ]}, ensure_ascii=False))
    else:
        for name, proof in zip(names, proofs, strict=True):
            for fault in proof.faults.itertuples():
                print(f"{name}: {fault.what}: {fault.name}: {fault.note}")
            if not options.quiet:
                state = f"{len(proof.faults)} faults" if len(proof.faults) else "holds"
                print(f"{name}: {state}; {', '.join(proof.proven) or 'nothing proven'}")
    return int(any(len(proof.faults) for proof in proofs))

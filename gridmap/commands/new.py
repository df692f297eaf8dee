"""``gridmap new``: a commented configuration to start from."""

from __future__ import annotations

import argparse
from typing import Any


def add_parser(commands: Any) -> None:
    """Add the command to the parser of all commands."""
    command = commands.add_parser("new", help="write a commented gridmap.toml to start from")
    command.add_argument("folder", help="folder to make")
    command.set_defaults(command=_new)


def _new(options: argparse.Namespace) -> int:
    from ..workspace import save_scaffold

    print(f"Wrote {save_scaffold(options.folder)}. Edit it, then: gridmap check {options.folder}")
    return 0

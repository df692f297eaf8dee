"""``gridmap profiles``: the profiles that are shipped."""

from __future__ import annotations

import argparse
from typing import Any


def add_parser(commands: Any) -> None:
    """Add the command to the parser of all commands."""
    command = commands.add_parser("profiles", help="list the profiles that are shipped")
    command.set_defaults(command=_profiles)


def _profiles(options: argparse.Namespace) -> int:
    from .. import rules

    for name in rules.list_profiles():
        profile = rules.load_profile(name)
        size = profile.size
        print(f"{name:18} {profile.title}: {size.minimum:,g} to {size.maximum:,g} {size.measure}")
    return 0

"""``gridmap check``: diagnose the input."""

from __future__ import annotations

import argparse
from typing import Any

from .options import add_config, add_telling, load_config


def add_parser(commands: Any) -> None:
    """Add the command to the parser of all commands."""
    command = commands.add_parser("check", help="diagnose the input without writing anything")
    add_config(command)
    add_telling(command)
    command.set_defaults(command=_check)


def _check(options: argparse.Namespace) -> int:
    config = load_config(options)
    from .. import console, pipeline

    with console.watch(quiet=options.quiet or options.json) as progress:
        findings = pipeline.find_faults(config, progress=progress)
    if options.json:
        console.print_findings_json(findings)
    elif not options.quiet:
        console.print_findings(findings)
    return int((findings["severity"] == "blocks").any())

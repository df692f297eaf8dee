"""The command line: ``gridmap COMMAND``, one command per public step.

Exit code 0: done. 1: wrong input, told in one message. 2: wrong usage.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from .errors import GridmapError
from .version import __version__

if TYPE_CHECKING:
    from .pipeline import Run
    from .workspace import Config


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
        return 1
    return code


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="gridmap", description="From raw files to one net of service grids."
    )
    parser.add_argument("--version", action="version", version=f"gridmap {__version__}")
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    run = commands.add_parser("run", help="do the main job and write the workspace")
    run.add_argument("config", help="gridmap.toml, or the folder that holds it")
    run.add_argument("--workspace", help="write here instead of [run] workspace")
    check = commands.add_parser("check", help="diagnose the input without writing anything")
    check.add_argument("config", help="gridmap.toml, or the folder that holds it")
    for command in (run, check):
        command.add_argument("--quiet", action="store_true", help="print errors only")
        command.add_argument("--json", action="store_true", help="print one JSON object")
    new = commands.add_parser("new", help="write a commented gridmap.toml to start from")
    new.add_argument("folder", help="folder to make")
    profiles = commands.add_parser("profiles", help="list the profiles that are shipped")
    run.set_defaults(command=_run)
    check.set_defaults(command=_check)
    new.set_defaults(command=_new)
    profiles.set_defaults(command=_profiles)
    return parser


def _tell_error(options: argparse.Namespace, error: GridmapError) -> None:
    if getattr(options, "json", False):
        told = {"error": type(error).__name__, "message": str(error), "rows": list(error.rows)}
        print(json.dumps(told, ensure_ascii=False))
    else:
        print(f"{type(error).__name__}: {error}", file=sys.stderr)


def _new(options: argparse.Namespace) -> int:
    from .workspace import save_scaffold

    print(f"Wrote {save_scaffold(options.folder)}. Edit it, then: gridmap check {options.folder}")
    return 0


def _profiles(options: argparse.Namespace) -> int:
    from . import rules

    for name in rules.list_profiles():
        profile = rules.load_profile(name)
        size = profile.size
        print(f"{name:18} {profile.title}: {size.minimum:,g} to {size.maximum:,g} {size.measure}")
    return 0


def _load_config(options: argparse.Namespace) -> Config:
    from dataclasses import replace

    from .workspace import load_config

    config = load_config(options.config)
    if getattr(options, "workspace", None):
        from pathlib import Path

        folder = str(Path(options.workspace).resolve())
        config = replace(config, settings=replace(config.settings, workspace=folder))
    return config


def _run(options: argparse.Namespace) -> int:
    config = _load_config(options)  # first: a wrong one is told before the slow imports
    from . import console, pipeline

    with console.watch(quiet=options.quiet or options.json) as progress:
        done = pipeline.run(config, progress=progress)
        files = pipeline.save_run(done, config, progress=progress)
    _tell_run(options, config, done, [str(file) for file in files])
    return 0


def _tell_run(options: argparse.Namespace, config: Config, done: Run, files: list[str]) -> None:
    from . import console

    if options.json:
        console.print_run_json(done, files)
    elif not options.quiet:
        console.print_run(done, config, files)


def _check(options: argparse.Namespace) -> int:
    config = _load_config(options)  # first: a wrong one is told before the slow imports
    from . import console, pipeline

    with console.watch(quiet=options.quiet or options.json) as progress:
        findings = pipeline.find_faults(config, progress=progress)
    if options.json:
        console.print_findings_json(findings)
    elif not options.quiet:
        console.print_findings(findings)
    return int((findings["severity"] == "blocks").any())

"""Options that several commands share."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..workspace import Config


def add_config(command: argparse.ArgumentParser) -> None:
    """Let a command take the configuration as its first word."""
    command.add_argument("config", help="gridmap.toml, or the folder that holds it")


def add_telling(command: argparse.ArgumentParser) -> None:
    """Let a command be quiet, or talk to scripts."""
    command.add_argument("--quiet", action="store_true", help="print errors only")
    command.add_argument("--json", action="store_true", help="print one JSON object")


def hides_progress(options: argparse.Namespace) -> bool:
    """Say whether nobody watches: asked to be quiet, or no terminal there, as under cron."""
    return bool(options.quiet or options.json or not sys.stderr.isatty())


def find_workspace(word: str) -> str:
    """Return the workspace that a word names: itself, or that of a configuration.

    Parameters
    ----------
    word : str
        A workspace, a version such as ``out@0002``, a ``gridmap.toml``, or its folder.
    """
    from pathlib import Path

    path = Path(word)
    if path.suffix == ".toml" or (path / "gridmap.toml").is_file():
        from .. import workspace

        return str(workspace.load_config(path).workspace)
    return word


def add_waiting(command: argparse.ArgumentParser) -> None:
    """Let a command wait for another run that is writing the workspace."""
    command.add_argument("--wait", type=float, default=0.0, metavar="SECONDS",
                         help="wait so long for another run on this workspace to end; by default "
                              "end at once with code 3")


def add_drawing(command: argparse.ArgumentParser) -> None:
    """Let a command overrule how grids are looked for."""
    command.add_argument("--effort", choices=("draft", "normal", "best"),
                         help="how long grids are looked for, instead of [run] effort")
    command.add_argument("--time-limit", type=float, metavar="SECONDS", dest="time_limit_s",
                         help="draw grids for so long at most, and keep the best so far")
    command.add_argument("--workers", type=int, metavar="N",
                         help="threads that draw side by side; the outcome is the same")
    command.add_argument("--seed", type=int, help="another seed draws other grids")


def add_columns(command: argparse.ArgumentParser) -> None:
    """Let a command say what the columns of a file are called."""
    command.add_argument("--column", action="append", default=[], metavar="NAME=COLUMN",
                         help="what a file calls grid, territory or households, each with "
                              "an option of its own: --column grid=CODE")


def read_columns(options: argparse.Namespace) -> dict[str, str]:
    """Return the columns that were named, by the names of the schema."""
    odd = [pair for pair in options.column if "=" not in pair.strip("=")]
    if odd:
        from ..errors import ConfigError, listed

        raise ConfigError(f"--column {listed(odd)}: NAME=COLUMN is needed, such as grid=CODE")
    return dict(pair.split("=", 1) for pair in options.column)


def load_config(options: argparse.Namespace) -> Config:
    """Return the configuration that was named, with what the options overrule.

    Call it before any slow import: a wrong configuration is then told at once.
    """
    from dataclasses import replace

    from .. import workspace

    config = workspace.load_config(options.config)
    if getattr(options, "workspace", None):
        import os

        folder = os.path.abspath(options.workspace)
        config = replace(config, settings=replace(config.settings, workspace=folder))
    overruled = {name: value for name in ("effort", "time_limit_s", "workers", "seed")
                 if (value := getattr(options, name, None)) is not None}
    if overruled:
        config = replace(config, settings=replace(config.settings, **overruled))
    return config

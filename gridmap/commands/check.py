"""``gridmap check``: diagnose the input of a run, or files by themselves."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .options import add_telling, hides_progress, load_config

if TYPE_CHECKING:
    from ..pipeline import Diagnosis

_MORE = """
Nothing that is found is put right in your files, and no suggestion is followed: declare it in
gridmap.toml, or with an option here. The exit code is 1 where something blocks the run.
"""


def add_parser(commands: Any) -> None:
    """Add the command to the parser of all commands."""
    command = commands.add_parser(
        "check", help="find every fault of the input, and show it on a map", epilog=_MORE,
        description="Find every fault of the input of a run, or of files by themselves.",
    )
    command.add_argument("input", nargs="+", help="a gridmap.toml, the folder that holds it, "
                         "or files of boundaries and elements of any format")
    command.add_argument("--to", metavar="FOLDER", help="write check.html and check.json here; "
                         "by default into a folder beside the workspace that ends in -check, or "
                         "into check for files by themselves")
    command.add_argument("--no-files", action="store_true", help="write nothing")
    files = command.add_argument_group("for files without a gridmap.toml")
    files.add_argument("--parent", metavar="FILE", help="what the polygons should fill")
    files.add_argument("--reference", metavar="FILE",
                       help="a layer of the same ground that is known to be right")
    files.add_argument("--kind", choices=("territories", "elements", "lines"),
                       help="what the files hold; found out where it is not said")
    files.add_argument("--code", metavar="COLUMN", help="the column that names each row")
    files.add_argument("--layer", help="the layer of a file with several; all by default")
    files.add_argument("--crs", help='what the coordinates of files are in that do not say it, '
                       'such as "EPSG:4326"')
    files.add_argument("--offset", choices=("GCJ-02", "BD-09"),
                       help="that coordinates in degrees are shifted")
    files.add_argument("--encoding", help="of text, where its bytes do not prove it")
    add_telling(command)
    command.set_defaults(command=_check)


def _check(options: argparse.Namespace) -> int:
    diagnosis, name, folder = (
        _check_run(options) if _is_run(options.input) else _check_files(options))
    from .. import console, pipeline

    written: list[Path] = []
    if not options.no_files:
        written = pipeline.save_check(diagnosis, options.to or folder, name=name)
    if options.json:
        console.print_check_json(diagnosis, [str(file) for file in written])
    elif not options.quiet:
        console.print_check(diagnosis, [str(file) for file in written])
    return int((diagnosis.findings["severity"] == "blocks the run").any())


def _is_run(words: list[str]) -> bool:
    """Say whether the input is a configuration: one TOML file, or a folder that holds one."""
    if len(words) > 1:
        return False
    only = Path(words[0])
    return only.suffix == ".toml" or (only.is_dir() and only.suffix != ".gdb")


def _check_run(options: argparse.Namespace) -> tuple[Diagnosis, str, Path]:
    options.config = options.input[0]
    config = load_config(options)
    from .. import console, pipeline

    with console.watch(quiet=hides_progress(options)) as progress:
        diagnosis = pipeline.diagnose_inputs(config, progress=progress)
    folder = config.workspace.with_name(f"{config.workspace.name}-check")
    return diagnosis, config.settings.name, folder


def _check_files(options: argparse.Namespace) -> tuple[Diagnosis, str, Path]:
    from .. import console, pipeline

    reading = pipeline.FileReading(
        kind=options.kind, code=options.code, layer=options.layer, crs=options.crs,
        offset=options.offset, encoding=options.encoding)
    with console.watch(quiet=hides_progress(options)) as progress:
        diagnosis = pipeline.diagnose_files(
            options.input, parent=options.parent, reference=options.reference,
            reading=reading, progress=progress)
    first = Path(options.input[0]).name
    more = len(options.input) - 1
    return diagnosis, f"{first} +{more}" if more else first, Path("check")

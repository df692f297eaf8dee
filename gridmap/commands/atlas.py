"""``gridmap atlas``: one page for each grid as PDF, as an atlas, boards or cards."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from .options import add_columns, add_telling, hides_progress, read_columns

_KINDS = {"atlas": "atlas", "board": "board", "cards": "card"}


def add_parser(commands: Any) -> None:
    """Add the command to the parser of all commands."""
    command = commands.add_parser(
        "atlas", help="print every grid: an atlas, notice boards or contact cards as PDF")
    command.add_argument("workspace", nargs="?",
                         help="workspace folder, gridmap.toml, or the folder that holds it")
    command.add_argument("--kind", choices=tuple(_KINDS), default="atlas",
                         help="what is printed (default: atlas)")
    command.add_argument("--paper", choices=("A1", "A2", "A3", "A4"),
                         help="paper; the layout is scaled, or more cards share a sheet")
    command.add_argument("--grids", action="append", default=[], metavar="CODES",
                         help="only these: codes with commas between, or a file, one a line")
    command.add_argument("--territory", action="append", default=[], metavar="CODE",
                         help="only the grids in it, by code or name; may stand several times")
    command.add_argument("--posts", metavar="FILE",
                         help="table of contact lines, with --column grid=… and contact=…")
    add_columns(command)
    command.add_argument("--qr", default="{grid}", metavar="TEXT",
                         help="what QR codes say, such as https://example.org/g/{grid}")
    command.add_argument("--text", action="append", default=[], metavar="NAME=TEXT",
                         help="a field that is the same on all pages: title or note")
    command.add_argument("--language", choices=("zh", "en"), default="zh")
    command.add_argument("--font", metavar="FILE", help="a font that has all characters")
    command.add_argument("--template", metavar="FILE", help="a layout of your own (TOML)")
    command.add_argument("--show-template", choices=tuple(_KINDS), metavar="KIND",
                         help="print the layout of atlas, board or cards, to be changed")
    command.add_argument("--publication", help="internal, shared, public or a file, instead of "
                         "that of the workspace")
    command.add_argument("--output", "--out", dest="out", metavar="FILE",
                         help="the PDF (default: atlas.pdf, board.pdf or cards.pdf)")
    command.add_argument("--workers", type=int, default=1, metavar="N",
                         help="processes that draw side by side; the outcome is the same")
    add_telling(command)
    command.set_defaults(command=_atlas)


def _atlas(options: argparse.Namespace) -> int:
    if options.show_template:
        from ..maps.paper import template as layouts

        print(layouts.read_template(_KINDS[options.show_template]), end="")
        return 0
    from ..errors import ConfigError

    if not options.workspace:
        raise ConfigError("gridmap atlas needs a workspace, or --show-template KIND")
    columns, texts = read_columns(options), _read_texts(options.text)
    from .. import console
    from ..maps.paper import template as layouts
    from ..pipeline import printing
    from ..sources.posts import load_posts

    layout = layouts.load_template(options.template or _KINDS[options.kind])
    if options.paper:
        layout = layouts.fit_paper(layout, options.paper)
    posts = load_posts(options.posts, columns=columns) if options.posts else None
    prints = printing.load_prints(options.workspace)
    codes = [code for given in options.grids for code in _read_codes(given)]
    chosen = None
    if options.grids or options.territory:
        chosen = printing.choose_grids(prints, codes=codes, places=options.territory)
    made = printing.make_plan(
        prints, publication=options.publication, chosen=chosen, posts=posts, texts=texts,
        template=layout, qr=options.qr, language=options.language,
        font=Path(options.font) if options.font else None)
    with console.watch(quiet=hides_progress(options)) as progress:
        printed = printing.save_atlas(
            made, options.out or f"{options.kind}.pdf", grids=prints.grids,
            territories=prints.territories, workers=max(options.workers, 1), progress=progress)
    if options.json:
        print(json.dumps({"file": str(printed.file), "pages": printed.pages,
                          "grids": printed.grids, "chunks_kept": printed.kept},
                         ensure_ascii=False))
    elif not options.quiet:
        print(f"{printed.file}: {printed.pages:,} pages for {printed.grids:,} grids")
    return 0


def _read_texts(pairs: list[str]) -> dict[str, str]:
    from ..errors import ConfigError, listed

    odd = [pair for pair in pairs if "=" not in pair]
    if odd:
        raise ConfigError(f"--text {listed(odd)}: NAME=TEXT is needed, such as note=…")
    return dict(pair.split("=", 1) for pair in pairs)


def _read_codes(given: str) -> list[str]:
    """Return codes from a file, one a line, or from what stands between commas."""
    file = Path(given)
    text = file.read_text(encoding="utf-8-sig") if file.is_file() else given.replace(",", "\n")
    return [line.strip() for line in text.splitlines() if line.strip()]

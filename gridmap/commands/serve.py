"""``gridmap serve``: look at tiles and pages on this machine."""

from __future__ import annotations

import argparse
from typing import Any


def add_parser(commands: Any) -> None:
    """Add the command to the parser of all commands."""
    command = commands.add_parser(
        "serve", help="serve a file or a folder to browsers on this machine, for tiles")
    command.add_argument("path", help="a file such as grids.pmtiles, or a folder")
    command.add_argument("--port", type=int, default=0,
                         help="where to listen on 127.0.0.1; by default any that is free")
    command.add_argument("--quiet", action="store_true", help="print the address only")
    command.set_defaults(command=_serve)


def _serve(options: argparse.Namespace) -> int:
    from ..workspace import serving

    with serving.open_server(options.path, port=options.port) as server:
        told = server.url if options.quiet else f"{server.url}  (Ctrl+C ends it)"
        print(told, flush=True)
        server.serve_forever()
    return 0

"""``gridmap log``: the versions of a workspace, and what happened to it."""

from __future__ import annotations

import argparse
import json
from typing import Any

from .options import add_telling, find_workspace

#: So many names of changed files are told; --json has all.
SHOWN = 3


def add_parser(commands: Any) -> None:
    """Add the command to the parser of all commands."""
    command = commands.add_parser("log", help="tell the versions of a workspace, and its events")
    command.add_argument("workspace", nargs="?", default=".",
                         help="a workspace or a gridmap.toml; that of this folder by default")
    command.add_argument("--since", metavar="TIME",
                         help="leave out what was before: 2026-03-01, 7d or 12h")
    add_telling(command)
    command.set_defaults(command=_log)


def _log(options: argparse.Namespace) -> int:
    from .. import workspace

    named = find_workspace(options.workspace)
    history = workspace.load_history(named, since=options.since)
    if options.json:
        print(json.dumps({"workspace": named,
                          "events": json.loads(history.to_json(orient="records"))},
                         ensure_ascii=False))
    elif not options.quiet:
        before: dict[str, float] = {}
        for event in history.to_dict("records"):
            print(_tell(event, before))
            before = event["counts"] if isinstance(event["counts"], dict) else before
    return 0


def _tell(event: dict[Any, Any], before: dict[str, float]) -> str:
    """Return an event in one line; the current version has a star."""
    known = {name: value for name, value in event.items()
             if not (isinstance(value, float) and value != value) and value is not None}
    star = "*" if known["current"] and known["event"] in ("made", "recovered") else " "
    told = [f"{known['time']}  {known.get('version', '-'):>4}{star} {known['event']:9}"]
    if known["event"] == "made":
        names = known.get("files_changed") or []
        more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
        told.append(f"{len(names)} files changed"
                    + (f" ({', '.join(names[:SHOWN])}{more})" if names else ""))
        told += [_count(name, value, before) for name, value in known.get("counts", {}).items()
                 if name in ("grids", "households", "people")]
    if "seconds" in known:
        told.append(f"{known['seconds']:,.1f} s")
    if known.get("note"):
        told.append(str(known["note"]))
    if not known["there"] and known["event"] == "made":
        told.append("pruned since")
    return "  ".join(told)


def _count(name: str, value: float, before: dict[str, float]) -> str:
    step = value - before.get(name, value)
    return f"{value:,.0f} {name}" + (f" ({step:+,.0f})" if step else "")

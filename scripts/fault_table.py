#!/usr/bin/env python3
"""Try what may go wrong in a night, and print what became of it.

    python scripts/fault_table.py                     every fault, with 200 kills
    python scripts/fault_table.py --kills 20 --towns drawn
    python scripts/fault_table.py --only kills --json faults.json

Every fault meets `gridmap run` on a town of its own, in a process of its own. Afterwards the
workspace must be one whole version, byte by byte that of an undisturbed run; every older
version must be what it was; and the next run must end in the same bytes as one that nothing
disturbed. Some faults need Linux, and root to mount a small disk: those that cannot be tried
are told as such. Exit code 1 where something was lost.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

import fault_town as towns
from fault_town import Town
from fault_trials import TRIALS, Tried

ROOT = Path(__file__).resolve().parents[1]
TOWNS = ("drawn town", "sample city")


class Row(NamedTuple):
    """One line of the table."""

    fault: str
    tried: int
    whole: int  # times that nothing was lost
    same: int  # times that the next run ended in the bytes of an undisturbed one
    note: str
    seconds: float


def main() -> int:
    """Try the faults; return 1 where something was lost."""
    options = read_options()
    rows: list[Row] = []
    with tempfile.TemporaryDirectory(prefix="gridmap-faults-") as folder:
        made = [towns.make_town(Path(folder) / name.split()[0], name, ROOT)
                for name in TOWNS if name.split()[0] in options.towns]
        dice = random.Random(options.seed)
        for name, trial in TRIALS.items():
            if options.only and name not in options.only:
                continue
            for town in made:
                for row in tell(trial, town, share(options.kills, town, made), dice):
                    rows.append(row)
                    if options.json:  # now: an interrupt leaves what was tried before
                        text = json.dumps(list_rows(rows), ensure_ascii=False, indent=1)
                        Path(options.json).write_text(text + "\n", encoding="utf-8")
    print_table(rows)
    return int(any(row.whole < row.tried or row.same < row.tried for row in rows))


def read_options() -> argparse.Namespace:
    """Read the words of the command."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--kills", type=int, default=200, help="kill -9 so many times")
    parser.add_argument("--towns", nargs="+", default=["drawn", "sample"],
                        choices=["drawn", "sample"], help="a small one, and the sample city")
    parser.add_argument("--seed", type=int, default=0, help="other moments")
    parser.add_argument("--only", nargs="+", choices=list(TRIALS), help="these faults alone")
    parser.add_argument("--json", metavar="FILE", help="rows for scripts/write_benchmarks.py")
    return parser.parse_args()


def share(kills: int, town: Town, made: list[Town]) -> int:
    """Return how many of all kills a town gets: a tenth for the larger of two."""
    large = kills // 10 if len(made) > 1 else 0
    return large if large and town.name == "sample city" else kills - large


def tell(
    trial: Callable[[Town, int, random.Random], Iterable[Tried]], town: Town, kills: int,
    dice: random.Random,
) -> Iterator[Row]:
    """Do a trial in a town, and yield its rows."""
    began = time.monotonic()
    for tried in trial(town, kills, dice):
        seconds, began = time.monotonic() - began, time.monotonic()
        row = Row(f"{tried.fault} ({town.name})", tried.tried, tried.whole, tried.same,
                  tried.note, seconds)
        print(f"{row.fault}: {row.whole} whole, {row.same} same of {row.tried}, "
              f"{seconds:,.0f} s", file=sys.stderr, flush=True)
        yield row


def print_table(rows: list[Row]) -> None:
    """Print the table as Markdown."""
    print("| fault | tried | nothing lost | next run the same | what is told |")
    print("|---|---:|---:|---:|---|")
    for row in rows:
        print(f"| {row.fault} | {row.tried} | {row.whole} | {row.same} | {row.note} |")


def list_rows(rows: list[Row]) -> list[dict[str, object]]:
    """Return rows as scripts/write_benchmarks.py takes them."""
    told: list[dict[str, object]] = []
    for row in rows:
        if not row.tried:
            told.append({"work": row.fault, "measure": f"not tried: {row.note}", "value": None,
                         "target": None, "ok": True})
            continue
        for measure, value in (("nothing lost, of times tried", row.whole),
                               ("next run the same bytes", row.same)):
            told.append({"work": row.fault, "measure": measure, "value": value,
                         "target": row.tried, "ok": value == row.tried})
    return told


if __name__ == "__main__":
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    sys.exit(main())

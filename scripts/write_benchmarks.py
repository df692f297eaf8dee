#!/usr/bin/env python3
"""Write docs/benchmarks.md from what the benches measured.

    python scripts/bench_attach.py --json measured/attach.json
    python scripts/write_benchmarks.py measured

Every bench writes rows of work, measure, value, target, ok, peer and peer_value; a file is
one section, in the order of their names here and others after them.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]

TITLES = {
    "city": "The main job at the scale of a city",
    "zoning": "Zone design",
    "attach": "Attaching elements",
    "sources": "Reading and converting",
    "tiling": "Mending tilings",
    "nets": "Many nets into one",
    "redraw": "Redrawing a net in use",
    "coverage": "Coverage, siting and disclosure",
    "maps": "Pages",
}

HEAD = """# Benchmarks

Written by `scripts/write_benchmarks.py` from what the benches measured, not by hand. Times
are CPU seconds unless they say otherwise, on one of two shared cores of a virtual machine;
peers ran on the same input, most of them in the same run. A target that was missed says so.
Each section is made again by `python scripts/bench_NAME.py`.
"""


def main() -> int:
    """Write the page; say where."""
    if len(sys.argv) != 2 or not Path(sys.argv[1]).is_dir():
        print(__doc__, file=sys.stderr)
        return 2
    files = {file.stem: file for file in sorted(Path(sys.argv[1]).glob("*.json"))}
    names = [*(name for name in TITLES if name in files),
             *(name for name in files if name not in TITLES)]
    sections = [make_section(name, json.loads(files[name].read_text(encoding="utf-8")))
                for name in names]
    page = ROOT / "docs" / "benchmarks.md"
    page.write_text("\n".join([HEAD, *sections]), encoding="utf-8")
    print(f"wrote {page.relative_to(ROOT)}: {len(sections)} sections")
    return 0


def make_section(name: str, rows: list[dict[str, Any]]) -> str:
    """Return one table: a row for each figure, works named once."""
    lines = [f"## {TITLES.get(name, name)}", "", f"`scripts/bench_{name}.py`", "",
             "| work | measure | value | target | | peer | its value |",
             "|---|---|---:|---:|---|---|---:|"]
    last = ""
    for row in rows:
        work = row["work"] if row["work"] != last else ""
        last = row["work"]
        met = "" if row.get("target") is None else "met" if row.get("ok") else "**missed**"
        cells = [work, row["measure"], say(row["value"]), say(row.get("target")), met,
                 row.get("peer") or "", say(row.get("peer_value"))]
        lines.append("| " + " | ".join(str(cell).replace("|", "/") for cell in cells) + " |")
    return "\n".join([*lines, ""])


def say(value: Any) -> str:
    """Write a number with as many digits as it is worth."""
    if value is None or value != value:
        return ""
    if isinstance(value, str):
        return value
    size = abs(value)
    if float(value).is_integer() and size < 1e15:
        return f"{int(value):,}"
    if size >= 1000:
        return f"{value:,.0f}"
    return f"{value:.4g}"


if __name__ == "__main__":
    sys.exit(main())

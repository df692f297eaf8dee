#!/usr/bin/env python3
"""Write docs/benchmarks.md from what the benches measured.

    python scripts/bench_attach.py --json measured/attach.json
    python scripts/write_benchmarks.py measured

Every bench writes rows of work, measure, value, target, ok, peer and peer_value; a file is
one section, in the order of their names here and others after them. Sections of the page that
were not measured again stay as they are.
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
    "atlas": "Printing",
    "batch": "Workers and scaling",
    "incremental": "Running again after a change",
    "faults": "What a night may bring",
}

#: A work with more peers than this is shown as a table of its own.
MANY = 3

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
    page = ROOT / "docs" / "benchmarks.md"
    files = {file.stem: file for file in sorted(Path(sys.argv[1]).glob("*.json"))}
    sections = keep_sections(page) | {
        TITLES.get(name, name): make_section(name, json.loads(file.read_text(encoding="utf-8")))
        for name, file in files.items()
    }
    order = [*TITLES.values(), *sections]
    told = [sections[title] for title in sorted(sections, key=order.index)]
    page.write_text("\n".join([HEAD, *told]), encoding="utf-8")
    print(f"wrote {page.relative_to(ROOT)}: {len(sections)} sections, {len(files)} of them anew")
    return 0


def keep_sections(page: Path) -> dict[str, str]:
    """Return the sections of a page as they are, by their headings."""
    text = page.read_text(encoding="utf-8") if page.is_file() else ""
    parts = text.split("\n## ")[1:]
    return {part.split("\n")[0]: f"## {part}".rstrip("\n") + "\n" for part in parts}


def make_section(name: str, rows: list[dict[str, Any]]) -> str:
    """Return one section: a table, and one more for each work that has many peers."""
    works = list(dict.fromkeys(row["work"] for row in rows))
    several = {work for work in works
               if len({row.get("peer") for row in rows if row["work"] == work}) > MANY}
    plain = [row for row in rows if row["work"] not in several]
    script = "fault_table" if name == "faults" else f"bench_{name}"
    lines = [f"## {TITLES.get(name, name)}", "", f"`scripts/{script}.py`", ""]
    for work in works:
        if work in several:
            lines += [f"### {work}", "",
                      *compare([row for row in rows if row["work"] == work]), ""]
    return "\n".join([*lines, *(list_rows(plain) if plain else []), ""])


def list_rows(rows: list[dict[str, Any]]) -> list[str]:
    """Return a table with a row for each figure, works named once."""
    lines = ["| work | measure | value | target | | peer | its value |",
             "|---|---|---:|---:|---|---|---:|"]
    last = ""
    for row in rows:
        work = row["work"] if row["work"] != last else ""
        last = row["work"]
        met = "" if not say(row.get("target")) else "met" if row.get("ok") else "**missed**"
        cells = [work, row["measure"], say(row["value"]), say(row.get("target")), met,
                 row.get("peer") or "", say(row.get("peer_value"))]
        lines.append("| " + " | ".join(str(cell).replace("|", "/") for cell in cells) + " |")
    return lines


def compare(rows: list[dict[str, Any]]) -> list[str]:
    """Return a table with a row for gridmap, its targets, and each peer; measures as columns."""
    measures = list(dict.fromkeys(row["measure"] for row in rows if row["measure"] != "fault"))
    ours, asked, peers = {}, {}, {}
    for row in rows:
        ours.setdefault(row["measure"], row["value"])
        if say(row.get("target")):
            asked.setdefault(
                row["measure"], say(row["target"]) + ("" if row.get("ok") else " **missed**"))
        if row.get("peer"):
            peers.setdefault(row["peer"], {})[row["measure"]] = row.get("peer_value")
    lines = ["| | " + " | ".join(measures) + " |", "|---|" + "---:|" * len(measures),
             "| **gridmap** | " + " | ".join(say(ours.get(m)) for m in measures) + " |",
             "| *target* | " + " | ".join(asked.get(m, "") for m in measures) + " |"]
    return lines + [f"| {peer} | " + " | ".join(say(told.get(m)) for m in measures) + " |"
                    for peer, told in peers.items()]


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

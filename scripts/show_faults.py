#!/usr/bin/env python3
"""Show what becomes of difficult files and of the planted defects of the sample city.

    scripts/show_faults.py FOLDER          a table for every file below a folder
    scripts/show_faults.py FOLDER --write  the same, into docs/faults.md

Each file is read as `gridmap check FILE` reads it. A row of a table says how many rows the
file holds, how many went on, how many of these were mended, and how many were rejected; these
must add up, or the exit code is 1.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
import warnings
from collections import Counter
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))  # so that it runs from a bare checkout as well

import gridmap as gm  # noqa: E402
from gridmap.errors import CRSError, GridmapError  # noqa: E402
from gridmap.pipeline import Diagnosis  # noqa: E402
from gridmap.sources import Loaded, loaders, peek  # noqa: E402

PAGE = ROOT / "docs" / "faults.md"

#: Files that stand beside another one and are read with it.
SIDE = (".dbf", ".shx", ".prj", ".cpg", ".sbn", ".sbx", ".qix", ".xml", ".qmd", ".ovr")

#: Notices of the projects that the files come from.
NOTICES = ("LICENSE", "ATTRIBUTION", "README", "SOURCE", "NOTICE")


def main(arguments: list[str] | None = None) -> int:
    """Read the command line, and print or write the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, help="folder of difficult files")
    parser.add_argument("--write", action="store_true", help="write docs/faults.md")
    options = parser.parse_args(arguments)
    lines = list_outcomes(options.folder)
    planted = list_planted(gm.diagnose_inputs(gm.load_config(ROOT / "data" / "sample")))
    text = write_page(lines, planted)
    if options.write:
        PAGE.write_text(text, encoding="utf-8", newline="\n")
    else:
        print(text)
    lost = [line for line in lines if line["rows"] != line["on"] + line["rejected"]]
    missed = [line for line in planted if line["found"] < line["planted"]]
    return 1 if lost or missed else 0


def list_outcomes(folder: Path) -> list[dict[str, Any]]:
    """Return a line for each file, or each layer of a file with several."""
    files = [file for file in sorted(folder.rglob("*"))
             if file.is_file() and file.stem not in NOTICES and not is_side_file(file)]
    return [line for file in files for line in _list_layers(file, folder)]


def is_side_file(file: Path) -> bool:
    """Say whether a file stands beside another one and is read with it."""
    main = [file.with_suffix(ending) for ending in (".shp", ".SHP")]
    named = file.with_suffix("") if file.suffix.lower() == ".xml" else None
    return file.suffix.lower() in SIDE and (
        any(one.is_file() for one in main) or (named is not None and named.is_file()))


def _list_layers(file: Path, folder: Path) -> list[dict[str, Any]]:
    name = file.relative_to(folder).as_posix()
    try:
        layers = peek.list_layers(file)
    except GridmapError as error:
        return [_refused(name, error, folder)]
    return [_read(file, layer, f"{name} · {layer}" if layer else name, folder)
            for layer in layers]


def _read(file: Path, layer: str | None, name: str, folder: Path) -> dict[str, Any]:
    """Read one layer; where it lacks nothing but its CRS it is read as degrees."""
    assumed = ""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            columns = peek.peek_file(file, layer=layer).columns
            try:
                loaded = _load(file, layer, columns, None)
            except CRSError:
                assumed = "CRS missing, said to be EPSG:4326"
                loaded = _load(file, layer, columns, "EPSG:4326")
    except GridmapError as error:
        return _refused(name, error, folder)
    return _told(name, loaded, assumed)


def _load(file: Path, layer: str | None, columns: dict[str, Any], crs: str | None) -> Loaded:
    if {"x", "wkt"} & set(columns) or file.suffix.lower() not in peek.TABLES:
        return loaders.load_frame(file, peek.ANYTHING, columns=columns, layer=layer, crs=crs)
    figures = {name: column for name, column in columns.items() if name != "site"}
    if "site" not in columns:
        return loaders.load_frame(file, peek.ANYTHING, columns=columns, layer=layer, crs=crs)
    return gm.load_table(file, key=str(columns["site"]), columns=figures)


def _told(name: str, loaded: Loaded, assumed: str) -> dict[str, Any]:
    reasons = Counter(loaded.rejects["note"])
    changed = loaded.changes[loaded.changes["id"].notna()]
    mended = Counter(changed["what"])
    why = [f"{count} × {reason}" for reason, count in sorted(reasons.items())]
    why += [f"{count} × {what}" for what, count in sorted(mended.items())]
    why += [assumed] if assumed else []
    kind = "rejected" if len(loaded.rejects) else "mended" if len(changed) else "read"
    return {"file": name, "kind": kind, "rows": loaded.rows_in, "on": len(loaded.frame),
            "mended": changed["id"].nunique(), "rejected": len(loaded.rejects),
            "why": "; ".join(why)}


def _refused(name: str, error: GridmapError, folder: Path) -> dict[str, Any]:
    reason = str(error).replace(f"{folder}/", "").split("\n")[0].split(" Known endings")[0]
    reason = re.sub(r"\S*/gridmap-\S*/", "", reason)
    return {"file": name, "kind": "refused", "rows": 0, "on": 0, "mended": 0, "rejected": 0,
            "why": reason}


def list_planted(diagnosis: Diagnosis) -> list[dict[str, Any]]:
    """Return a line for each kind of planted defect: how many, found by which line."""
    truth = json.loads((ROOT / "data/truth/defects.json").read_text(encoding="utf-8"))
    faults = diagnosis.faults
    lines = [_torn(fault, faults) for fault in truth["borders"]]
    for key, (source, what, layers) in PLANTED.items():
        codes = set(truth[source][key.partition(": ")[2]])
        same = faults[(faults["what"] == what) & faults["layer"].str.contains(layers)]
        found = codes & set(same["id"])
        where = "assets" if layers == "." else layers
        lines.append({"defect": key.replace("_", " "), "planted": len(codes),
                      "found": len(found), "line": f"{what} ({where})"})
    table = faults[(faults["layer"] == "tables: community_population.csv")]
    mended = table[table["what"] == "code mended"]["id"]
    codes = set(truth["table"]["code_mendable"])
    lines.append({"defect": "table: code mendable", "planted": len(codes),
                  "found": len(codes & set(mended)), "line": "code mended (tables)"})
    total = int((table["what"] == "rejected: code missing").sum())
    lines.append({"defect": "table: total row without a code", "planted": 1, "found": total,
                  "line": "rejected: code missing (tables)"})
    return lines + _personal(faults)


#: Planted defect -> (its part of the truth, the line of the check, the layer of the line).
PLANTED = {
    "addresses: code_mendable": ("addresses", "territory mended", "addresses"),
    "addresses: code_hopeless": ("addresses", "rejected: territory unreadable", "addresses"),
    "addresses: code_blank": ("addresses", "territory blank", "addresses"),
    "addresses: without_place": ("addresses", "rejected: no place", "addresses"),
    "addresses: same_row_twice": ("addresses", "rejected: row repeated", "addresses"),
    "addresses: same_id_two_places": ("addresses", "rejected: code repeated", "addresses"),
    "addresses: same_place_two_ids": ("addresses", "same place as another", "address"),
    "addresses: in_the_sea": ("addresses", "outside every territory", "address"),
    "population: without_place": ("population", "rejected: no place", "population"),
    "population: same_id_twice": ("population", "rejected: row repeated", "population"),
    "population: in_the_sea": ("population", "outside every territory", "population"),
    "population: on_border": ("population", "on a border", "population"),
    "assets: same_row_twice": ("assets", "rejected: row repeated", "assets"),
    "assets: in_the_sea": ("assets", "outside every territory", "."),
    "assets: on_border": ("assets", "on a border", "."),
    "workers: code_mendable": ("workers", "territory mended", "workers"),
    "workers: code_hopeless": ("workers", "rejected: territory unreadable", "workers"),
}


def _torn(fault: dict[str, Any], faults: Any) -> dict[str, Any]:
    """Return the line of one torn border: found where the check has a place for it."""
    from shapely import Point

    kind = "gap" if "gap" in fault["what"] else "overlap"
    same = faults[faults["what"].str.startswith(kind) & faults.geometry.notna()].to_crs(4550)
    near = same[same.distance(Point(fault["x"], fault["y"])) < 1]
    between = " and ".join(code for code in (fault["owner"], fault["neighbour"]) if code)
    return {"defect": f"borders: {fault['what']} of {fault['area_m2']:,.2f} m², {between}",
            "planted": 1, "found": min(len(near), 1),
            "line": f"{', '.join(sorted(set(near['what'])))} (territories: community)"}


def _personal(faults: Any) -> list[dict[str, Any]]:
    told = faults[faults["what"] == "personal column left out"]
    planted = {"addresses": ("户主", "联系电话"), "workers": ("姓名", "联系电话", "身份证号")}
    return [
        {"defect": f"{name}: personal columns {', '.join(headers)}", "planted": len(headers),
         "found": sum(told[told["layer"].str.contains(name)]["note"].str.contains(h).any()
                      for h in headers), "line": f"personal column left out ({name})"}
        for name, headers in planted.items()
    ]


def write_page(lines: list[dict[str, Any]], planted: list[dict[str, Any]]) -> str:
    """Return the page: what was planted, and what became of every difficult file."""
    kinds = Counter(line["kind"] for line in lines)
    sums = {name: sum(line[name] for line in lines)
            for name in ("rows", "on", "mended", "rejected")}
    text = [
        "<!-- Written by scripts/show_faults.py --write: run it again, do not edit. -->", "",
        "# What becomes of difficult input", "",
        "## Planted defects of the sample city", "",
        "Each is found by the line of `gridmap check data/sample` that is named beside it.", "",
        "| planted defect | planted | found | line of the check |", "|---|---|---|---|",
        *(f"| {one['defect']} | {one['planted']} | {one['found']} | {one['line']} |"
          for one in planted), "",
        "## Deliberately difficult files", "",
        "Files out of the test suites of other projects, which are not part of this repository. "
        "*Read*: every row went on as it is. *Mended*: every row went on, some were altered. "
        "*Rejected*: some rows did not go on. *Refused*: nothing could be read. Rows in are "
        "always rows on plus rejects.", "",
        f"{len(lines)} files and layers: {kinds['read']} read, {kinds['mended']} mended, "
        f"{kinds['rejected']} with rejects, {kinds['refused']} refused. {sums['rows']:,} rows "
        f"in = {sums['on']:,} on + {sums['rejected']:,} rejected; {sums['mended']:,} mended. "
        "Files that stand beside a shapefile are read with it.", "",
        "| file | outcome | rows in | on | mended | rejected | why |",
        "|---|---|---|---|---|---|---|",
        *(f"| {_cell(one['file'])} | {one['kind']} | {one['rows']} | {one['on']} | "
          f"{one['mended']} | {one['rejected']} | {_cell(one['why'])} |" for one in lines), "",
    ]
    return "\n".join(text)


def _cell(text: str) -> str:
    plain = "".join(c if c.isprintable() else " " for c in text)
    short = plain if len(plain) <= 300 else plain[:297] + "…"
    return short.replace("|", "\\|").replace("[", "\\[").replace("<", "&lt;")


if __name__ == "__main__":
    sys.exit(main())

#!/usr/bin/env python3
"""Redraw the grids of Chiayi and Taichung after a simulated growth, and print the bill.

    python scripts/redraw_real.py                    both cities
    python scripts/redraw_real.py chiayi --page DIR  and pages of the bill and of both nets

The growth, the same each time: households of every unit change by a log-normal factor of
spread 0.12; 6 % of the grids double (new estates), and 4 % keep three tenths (demolition).
Units are the official ones in the folder that GRIDMAP_REAL_DATA names. Grids of 300 to 500
households stay inside their town.
"""

from __future__ import annotations

import argparse
import os
import time
from pathlib import Path

import numpy as np
from bench_zoning_inputs import load_real
from geopandas import GeoDataFrame
from pandas import Series

import gridmap

SEED = 7
CREDITS = "MIT, Taiwan Open Government Data"


def grow(units: GeoDataFrame, assignment: Series, seed: int = SEED) -> GeoDataFrame:
    """Return units with the households and people of some years later."""
    rng = np.random.default_rng(seed)
    codes = np.unique(assignment.to_numpy(str))
    factor = np.ones(len(codes))
    order = rng.permutation(len(codes))
    doubled, emptied = round(0.06 * len(codes)), round(0.10 * len(codes))
    factor[order[:doubled]], factor[order[doubled:emptied]] = 2.0, 0.3
    drift = rng.lognormal(0, 0.12, len(units))
    at = np.searchsorted(codes, assignment.reindex(units.index).to_numpy(str))
    change = drift * factor[at]
    return units.assign(
        households=np.round(units["households"] * change).astype("int64"),
        people=np.round(units["people"] * change).astype("int64"),
    )


def redraw(folder: Path, name: str, page: Path | None) -> None:
    units = load_real(folder, name)
    size = gridmap.load_profile("urban").size
    net = gridmap.partition(units, size)
    later = grow(units, net.assignment)
    start = time.process_time()
    redrawn = gridmap.repartition(net.grids, later, size)
    spent = time.process_time() - start
    print(f"{name}: {len(units):,} units, {len(net.grids):,} grids, redrawn in {spent:.1f} CPU s")
    print(gridmap.describe_bill(redrawn.bill))
    told = redrawn.changes.groupby("what").size()
    for what, count in told.items():
        print(f"  {count:,} {what}")
    print()
    if page is not None:
        from gridmap.pipeline.redraw_net import Redrawn, draw_bill

        done = Redrawn(net.grids, redrawn, later, None, redrawn.changes)
        page.mkdir(parents=True, exist_ok=True)
        internal, title = gridmap.load_publication("internal"), name.title()
        drawn = draw_bill(done, internal, title=title)
        (page / f"redraw-{name}.html").write_text(drawn.get_root().render(), encoding="utf-8")
        sheet = gridmap.write_bill(redrawn.bill, publication=internal, title=title,
                                   changes=redrawn.changes, page=f"redraw-{name}.html",
                                   credits=CREDITS)
        (page / f"bill-{name}.html").write_text(sheet, encoding="utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("cities", nargs="*", default=["chiayi", "taichung"])
    parser.add_argument("--page", type=Path, help="write a page of each city into this folder")
    asked = parser.parse_args()
    root = Path(__file__).resolve().parent.parent
    folder = os.environ.get("GRIDMAP_REAL_DATA", root.parent / "shared" / "data")
    for name in asked.cities:
        redraw(Path(folder), name, asked.page)


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
"""Make the sample city: the bundled one in data/sample, or one of any size elsewhere.

    scripts/make_sample.py                          data/sample and data/truth, as bundled
    scripts/make_sample.py --check                  compare them with a fresh making
    scripts/make_sample.py --scale 5000000 --out D  the same kind of city, 5,000,000 elements
"""

from __future__ import annotations

import argparse
import json
import resource
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent)]  # so that it runs from a bare checkout as well

from sample.city import build_city  # noqa: E402
from sample.config import save_config  # noqa: E402
from sample.defects import plant_defects  # noqa: E402
from sample.files import MADE_WITH, list_makers, save_city, save_truth  # noqa: E402
from sample.picture import draw_city  # noqa: E402
from sample.plan import Plan, plan_for_elements  # noqa: E402

BUNDLED = HERE.parent / "data"


def main(arguments: list[str] | None = None) -> int:
    """Read the command line and make the city."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seed", type=int, default=1, help="same seed, same bytes (default 1)")
    parser.add_argument("--scale", type=int, metavar="N", help="make about N elements")
    parser.add_argument("--out", type=Path, help="folder to write into")
    parser.add_argument("--draw", type=Path, metavar="PNG", help="draw the city as well")
    parser.add_argument("--check", action="store_true",
                        help="make the bundled city in a temporary folder and compare the bytes")
    options = parser.parse_args(arguments)
    if options.scale is not None and options.out is None:
        parser.error("--scale needs --out: a city at scale does not belong into data/sample")
    if options.check:
        return check_bundled(options.seed)
    plan = (Plan(seed=options.seed) if options.scale is None
            else plan_for_elements(options.scale, seed=options.seed))
    make(plan, options.out or BUNDLED, picture=options.draw)
    return 0


def make(plan: Plan, folder: Path, *, picture: Path | None = None) -> None:
    """Make a city and write it to ``sample`` and ``truth`` below a folder."""
    start = time.perf_counter()
    flawed = plant_defects(build_city(plan))
    save_city(flawed, folder / "sample")
    save_config(folder / "sample" / "gridmap.toml", name="Sample city",
                big=plan.big)
    save_truth(flawed, folder / "truth")
    city = flawed.city
    if picture is not None:
        draw_city(city, picture)
    counts = {"communities": len(city.communities), "addresses": len(city.addresses),
              "buildings": len(city.buildings), "population records": len(city.population),
              "households": int(flawed.truth["totals"]["households"])}
    print(f"{folder}: " + ", ".join(f"{n:,} {what}" for what, n in counts.items()))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{time.perf_counter() - start:.1f} s, peak memory {peak:,.0f} MB")


def check_bundled(seed: int) -> int:
    """Return 1 and name the files where a fresh making differs from the bundled city."""
    with tempfile.TemporaryDirectory() as name:
        fresh = Path(name)
        make(Plan(seed=seed), fresh)
        files = sorted(f.relative_to(fresh) for f in fresh.rglob("*") if f.is_file())
        files.remove(Path(MADE_WITH))  # a newer library with the same bytes is no difference
        differing = [f for f in files if not (BUNDLED / f).is_file()
                     or (BUNDLED / f).read_bytes() != (fresh / f).read_bytes()]
    for file in differing:
        print(f"differs: {file}")
    noted = json.loads((BUNDLED / MADE_WITH).read_text(encoding="utf-8"))
    if differing and noted != list_makers():
        print(f"the bundled city was made with {noted}, here are {list_makers()}")
    return 1 if differing else 0


if __name__ == "__main__":
    sys.exit(main())

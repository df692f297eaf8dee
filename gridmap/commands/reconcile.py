"""``gridmap reconcile``: make one net out of the schemes of many departments."""

from __future__ import annotations

import argparse
import json
from typing import TYPE_CHECKING, Any

from .options import add_config, add_telling, hides_progress, load_config

if TYPE_CHECKING:
    from pandas import DataFrame, Series


def add_parser(commands: Any) -> None:
    """Add the command to the parser of all commands."""
    command = commands.add_parser(
        "reconcile", help="make one net out of the schemes of many departments")
    add_config(command)
    command.add_argument("--workspace", help="write here, with -net after the name; beside the "
                         "workspace by default")
    command.add_argument("--keep-sizes", action="store_true",
                         help="leave grids as large as the schemes have them")
    command.add_argument("--new-codes", action="store_true",
                         help="issue codes by the rule of the profile")
    add_telling(command)
    command.set_defaults(command=_reconcile)


def _reconcile(options: argparse.Namespace) -> int:
    config = load_config(options)
    from .. import console, pipeline

    with console.watch(quiet=hides_progress(options)) as progress:
        done = pipeline.reconcile_schemes(config, sized=not options.keep_sizes,
                                          coded=options.new_codes, progress=progress)
        files = pipeline.save_net(done, config, progress=progress)
    summary = pipeline.measure_net(done)
    against = pipeline.publish_against(done.net, config.publication)
    if options.json:
        print(json.dumps({
            "summary": {k: None if v != v else float(v) for k, v in summary.items()},
            "against": json.loads(against.to_json(orient="records")),
            "files": [str(file) for file in files],
        }, ensure_ascii=False))
    elif not options.quiet:
        _print(summary, against, str(files[-1].parent))
    return 0


def _print(summary: Series, against: DataFrame, folder: str) -> None:
    print(f"One net of {summary['grids']:,.0f} grids, {summary['kept']:,.0f} of them as a "
          f"scheme has them.")
    share = summary["area_share_contested"]
    print(f"{summary['contested']:,.0f} of {summary['atoms']:,.0f} places are contested, "
          f"{share:.1%} of the land.")
    chosen = against[against["what"] == "drawn differently"]
    columns = (chosen[c].tolist() for c in ("first", "second", "places", "households", "area_m2"))
    for first, second, places, households, area in zip(*columns, strict=True):
        many = "few or unknown" if households != households else f"{households:,.0f}"
        print(f"  {first} against {second}: {places:,} places, {many} households, "
              f"{area / 1e4:,.1f} ha")
    print(f"Written to {folder}")

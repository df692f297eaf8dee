"""What a redraw costs: who moves, what is touched, what has to be printed anew."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from geopandas import GeoDataFrame
from pandas import DataFrame, Index, Series

from .. import schema
from ..errors import SchemaError

#: What can become of a grid.
FATES = ("kept", "changed", "split", "merged", "new", "retired")

#: Assets of this kind bear the grid's code and borders, and are printed anew with them.
BOARD = "notice board"


class Bill(NamedTuple):
    """What a redraw costs.

    ``totals``: households_moved, people_moved, moved_share, must_move (households, or what
    sizes a grid: no drawing that brings all grids into range moves less), grids_before,
    grids_after, grids_touched, the number of grids of each fate, workers_affected,
    notice_boards and contact_cards to print (missing where no frame was given).
    ``by_grid``: a row for every code, old and new: territory, fate, households before,
    after, in and out, size_state and compactness before and after, workers, notice_boards
    and contact_cards. ``moves``: households, people and units from each old grid to each
    new one, also those that stay. ``measures``: the figures of the net before and after.
    """

    totals: Series
    by_grid: DataFrame
    moves: DataFrame
    measures: DataFrame


def measure_moves(units: DataFrame, before: Series, after: Series) -> DataFrame:
    """Count what went from each old grid to each new one, also what stayed.

    Parameters
    ----------
    units : DataFrame, schema UNITS
    before, after : Series
        The grid of each unit; missing before where a unit had none.

    Returns
    -------
    DataFrame
        Columns ``before`` (missing for new units), ``after``, ``units``, ``households`` and
        ``people``, sorted.

    Examples
    --------
    >>> from gridmap.sketch import sketch_units
    >>> units = sketch_units("AAB")
    >>> before, after = Series({"A": "G", "B": "G"}), Series({"A": "G", "B": "H"})
    >>> measure_moves(units, before, after)[["before", "after", "households"]].values.tolist()
    [['G', 'G', 2], ['G', 'H', 1]]
    """
    rows = DataFrame({
        "before": before.reindex(units.index).to_numpy(object),
        "after": after.reindex(units.index).to_numpy(object),
        "units": 1,
        "households": units["households"].to_numpy(),
        "people": units["people"].to_numpy(),
    })
    told = rows.groupby(["before", "after"], dropna=False, sort=True).sum().reset_index()
    return told.astype({"before": "str", "after": "str"})


def find_fates(moves: DataFrame) -> Series:
    """Say what became of each grid, old or new: one of kept, changed, split, merged, new, retired.

    A grid is split where most of a new grid came out of it, and merged where most of a
    retired one went into it; where both hold, it is split. Any other that gained or lost a
    unit is changed.

    Examples
    --------
    >>> moves = DataFrame({"before": ["G", "G", "K"], "after": ["G", "H", "K"],
    ...                    "units": [2, 1, 1], "households": [5, 4, 3], "people": [9, 8, 7]})
    >>> find_fates(moves).to_dict()
    {'G': 'split', 'H': 'new', 'K': 'kept'}
    """
    old, new = moves["before"].dropna().unique(), moves["after"].unique()
    codes = Index(np.union1d(old.astype(str), new.astype(str)), dtype="str", name="grid")
    fate = Series("kept", index=codes, dtype="str", name="fate")
    crossing = moves[moves["before"].ne(moves["after"])]
    fate[fate.index.isin([*crossing["before"].dropna(), *crossing["after"]])] = "changed"
    ranked = crossing.dropna(subset="before").sort_values(
        ["households", "units", "before", "after"], ascending=[False, False, True, True])
    gone = ranked[~ranked["before"].isin(new)].drop_duplicates("before")
    begun = ranked[~ranked["after"].isin(old)].drop_duplicates("after")
    fate[fate.index.isin(gone["after"])] = "merged"
    fate[fate.index.isin(begun["before"])] = "split"
    fate[~fate.index.isin(old)] = "new"
    fate[~fate.index.isin(new)] = "retired"
    return fate


def make_bill(
    units: GeoDataFrame,
    before: Series,
    after: Series,
    *,
    measured: tuple[DataFrame, DataFrame],
    totals: tuple[Series, Series],
    must_move: float,
    workers: DataFrame | None = None,
    assets: GeoDataFrame | None = None,
) -> Bill:
    """Write the bill of going from one assignment to another.

    Parameters
    ----------
    units : GeoDataFrame, schema UNITS
    before, after : Series
        The grid of each unit.
    measured, totals : pairs
        ``by_grid`` and ``totals`` of `measure_partition` before and after.
    must_move : float
    workers : DataFrame, schema WORKERS with column grid, optional
    assets : GeoDataFrame, schema ASSETS, optional
        Notice boards among them are printed anew where their grid is touched.
    """
    moves = measure_moves(units, before, after)
    by_grid = _by_grid(moves, measured)
    touched = by_grid.index[by_grid["fate"] != "kept"]
    by_grid["workers"] = _count_workers(workers, by_grid.index)
    by_grid["notice_boards"] = _count_boards(assets, units, after, by_grid.index)
    by_grid["contact_cards"] = by_grid["households_in"]
    cross = moves[moves["before"].notna() & (moves["before"] != moves["after"])]
    rows = by_grid.loc[touched]
    figures: dict[str, float] = {
        "households_moved": cross["households"].sum(),
        "people_moved": cross["people"].sum(),
        "moved_share": cross["households"].sum() / max(units["households"].sum(), 1),
        "must_move": must_move,
        "grids_before": moves["before"].nunique(),
        "grids_after": moves["after"].nunique(),
        "grids_touched": len(touched),
        **{f"grids_{fate}": int((by_grid["fate"] == fate).sum()) for fate in FATES},
        "workers_affected": rows["workers"].sum(min_count=1),
        "notice_boards": rows["notice_boards"].sum(min_count=1),
        "contact_cards": rows["contact_cards"].sum(),
    }
    measures = DataFrame({"before": totals[0], "after": totals[1]})
    measures.index.name = "measure"
    return Bill(Series(figures, name="bill", dtype="float64"), by_grid, moves, measures)


def _by_grid(moves: DataFrame, measured: tuple[DataFrame, DataFrame]) -> DataFrame:
    fate = find_fates(moves)
    first, second = (one.reindex(fate.index) for one in measured)
    cross = moves[moves["before"].ne(moves["after"])]
    went = cross.groupby("before")["households"].sum().reindex(fate.index, fill_value=0)
    came = cross.groupby("after")["households"].sum().reindex(fate.index, fill_value=0)
    return DataFrame({
        "territory": second["territory"].fillna(first["territory"]).astype("str"),
        "fate": fate,
        "households_before": first["households"],
        "households_after": second["households"],
        "households_in": came,
        "households_out": went,
        "size_state_before": first["size_state"],
        "size_state_after": second["size_state"],
        "compactness_before": first["compactness"],
        "compactness_after": second["compactness"],
    })


def _count_workers(workers: DataFrame | None, codes: Index) -> Series:
    if workers is None:
        return Series(np.nan, index=codes)
    schema.check_frame(workers, schema.WORKERS, argument="workers")
    if "grid" not in workers:
        raise SchemaError("workers: column grid is absent. A bill needs the grid of every post.")
    return workers["grid"].value_counts().reindex(codes, fill_value=0).astype("float64")


def _count_boards(
    assets: GeoDataFrame | None, units: GeoDataFrame, after: Series, codes: Index
) -> Series:
    """Count notice boards per new grid, by the unit they stand in."""
    if assets is None:
        return Series(np.nan, index=codes)
    schema.check_metric_crs(units=units, assets=assets)
    boards = assets[assets["kind"] == BOARD].sort_index()
    board_at, unit_at = units.sindex.query(boards.geometry, predicate="intersects")
    holder = Series(after.reindex(units.index).to_numpy(object)[unit_at]).groupby(board_at).min()
    counts = holder.astype("str").value_counts()
    return counts.reindex(codes, fill_value=0).astype("float64")


def describe_bill(bill: Bill) -> str:
    """Write a bill as lines of text, for a terminal or a letter.

    Examples
    --------
    >>> from gridmap import SizeRule, repartition
    >>> from gridmap.sketch import sketch_units
    >>> units = sketch_units("ABCD").assign(households=[4, 4, 1, 1])
    >>> now = Series({"A": "G", "B": "G", "C": "H", "D": "H"})
    >>> redrawn = repartition(now, units, SizeRule(minimum=4, target=5, maximum=6))
    >>> print(describe_bill(redrawn.bill).splitlines()[0])
    households moved      4 of 10 (40.0 %), at least 2 must move
    """
    t = bill.totals
    moves = bill.moves
    everybody = moves["households"].sum()
    share = 100 * t["moved_share"]
    fates = ", ".join(f"{t[f'grids_{fate}']:,.0f} {fate}" for fate in FATES)
    lines = [
        f"households moved      {t['households_moved']:,.0f} of {everybody:,.0f} "
        f"({share:.1f} %), {_tell_least(t)}",
        f"people moved          {t['people_moved']:,.0f}",
        f"grids                 {t['grids_before']:,.0f} before, {t['grids_after']:,.0f} after, "
        f"{t['grids_touched']:,.0f} touched",
        f"                      {fates}",
        f"contact cards         {t['contact_cards']:,.0f} to print",
    ]
    if not np.isnan(t["notice_boards"]):
        lines.append(f"notice boards         {t['notice_boards']:,.0f} to print")
    if not np.isnan(t["workers_affected"]):
        lines.append(f"workers affected      {t['workers_affected']:,.0f}")
    told = bill.measures
    for name in ("in_range_share", "contiguous_share", "compactness_mean", "size_min",
                 "size_mean", "size_max"):
        before, after = float(told["before"][name]), float(told["after"][name])
        lines.append(f"{name:<21} {before:,.4g} before, {after:,.4g} after")
    return "\n".join(lines)


def _tell_least(totals: Series) -> str:
    """Say what cannot be spared, or what would be needed where grids were left out of range."""
    least = f"at least {totals['must_move']:,.0f}"
    if totals["households_moved"] >= totals["must_move"]:
        return f"{least} must move"
    return f"{least} would have to move for every grid to be in range"

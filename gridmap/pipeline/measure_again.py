"""Whom assets reach, added up again in the grids and squares that a change touches."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa
from geopandas import GeoDataFrame
from numpy.typing import NDArray
from pandas import DataFrame, Index

from .. import coverage
from ..coverage import measure, sums, uncovered
from . import changed, columns, service
from .changed import Flags, Rows
from .columns import Numbers
from .service import Placed, Places

#: Above this share of all places the whole is added up at once.
MOST = 0.3

#: Column and row of squares, as one number each.
Squares = NDArray[np.complex128]


class Past(NamedTuple):
    """What was added up in the run before, and of what."""

    placed: Placed
    added: coverage.Added
    spots: pa.Table | None  # None where all assets are as they were
    reach: pa.Table | None  # what was known of each spot; None as well


class Now(NamedTuple):
    """What is added up in this run."""

    placed: Placed
    rows: Rows  # of the elements, against those of the run before
    demand: Any  # as from `service.find_demand`
    reach: Any  # as from `service.measure_reach`


class _Moved(NamedTuple):
    """Elements that are not as they were, or not in the grid that they were in."""

    new: Places  # where they stand
    old: Places  # where they stood, of both kinds those that are gone as well
    grid: Numbers  # of all elements, in positions of words
    words: Index
    touched: Flags  # of the words


def add_again(
    past: Past, now: Now, grids: GeoDataFrame
) -> tuple[coverage.Added, str] | None:
    """Add up the grids and squares that a change touches; take over all others.

    A grid is summed from all its places in order of code, or not at all; so is a square.

    Parameters
    ----------
    past : Past
    now : Now
    grids : GeoDataFrame, schema GRIDS

    Returns
    -------
    added : Added
        As `coverage.add_reach` gives it, to the last bit.
    told : str
        How many places were looked at.

    Or None, where a part does not tell what the whole would: places share what assets do,
    kinds appear or vanish, or too much changed.
    """
    kinds = now.reach["kinds"]
    if not kinds or not all(kinds.values()):
        return None
    moved = _find_moved(past.placed, now)
    table = now.demand.table("rows")
    row, spot = table["row"].to_numpy(), table["spot"].to_numpy()
    stale = _find_stale(past, now, spot)
    if stale is None or len(moved.new) > MOST * len(moved.grid):
        return None
    held = moved.grid[row]
    moved.touched[held[stale]] = True
    summed = np.flatnonzero(moved.touched[held])
    squares = _find_squares(past.placed, now, moved, row[stale])
    spots = now.demand.table("spots")
    gathered = np.flatnonzero(_lie_in(squares, spots)[spot])
    if max(len(summed), len(gathered)) > MOST * len(row):
        return None
    added = _join(past.added, now, grids, (summed, gathered), moved, squares)
    return None if added is None else (added, f"{len(summed):,} of {len(row):,} places")


# --- what changed -----------------------------------------------------------------------------


def _find_moved(old: Placed, now: Now) -> _Moved:
    """Find the elements that changed, and the grids that hold or held them."""
    was, words = columns.read_words(old.columns["grid"])
    grid, named = columns.read_words(now.placed.columns["grid"])
    every = named.append(words[named.get_indexer(words) < 0])
    if not words.equals(every[:len(words)]):
        was = np.append(every.get_indexer(words), -1).astype(np.int32)[was]  # -1 is the last
    before = columns.carry_over(was, now.rows.was)
    new = np.flatnonzero(~now.rows.same | (before != grid))
    stood = now.rows.was[new]
    gone = np.union1d(now.rows.gone, stood[stood >= 0])
    touched = np.zeros(len(every) + 1, dtype=bool)
    touched[grid[new]] = True
    touched[was[gone]] = True
    touched[-1] = False  # the last place answers for no grid
    return _Moved(new, gone, grid, every, touched)


def _find_stale(past: Past, now: Now, spot: NDArray[np.integer]) -> Places | None:
    """Return the places of demand whose assets do another thing; None where kinds differ."""
    if past.spots is None or past.reach is None:
        return np.empty(0, dtype=np.intp)
    known = now.reach.table("spots")
    if known.column_names != past.reach.column_names:
        return None
    at, new = service.match_spots(
        *(service.read_spots(table) for table in (past.spots, now.demand.table("spots"))))
    at[new] = -1
    return np.flatnonzero(~changed.compare_values(past.reach, known, at)[spot])


def _find_squares(old: Placed, now: Now, moved: _Moved, stale: NDArray[np.integer]) -> Squares:
    """Return the squares in which a place changed, sorted."""
    was = columns.take_rows(old.columns, ("grid",), moved.old)["grid"].is_valid().to_numpy()
    is_in = moved.grid[moved.new] >= 0
    here = np.union1d(moved.new[is_in], stale)
    xy = np.concatenate([service.find_middles(old.elements, moved.old[was]),
                         service.find_middles(now.placed.elements, here)])
    return np.unique(_number(*xy.T))


def _number(x: changed.Floats, y: changed.Floats) -> Squares:
    squares: Squares = np.floor(x / measure.PLACE_M) + 1j * np.floor(y / measure.PLACE_M)
    return squares


def _lie_in(squares: Squares, spots: pa.Table) -> Flags:
    """Say which spots lie in some squares; they stand from west to east."""
    inside = np.zeros(len(spots), dtype=bool)
    x, y = (spots[name].to_numpy() for name in ("x", "y"))
    if not len(squares) or not len(x):
        return inside
    # One square more on both sides, for what rounding does.
    sides = np.array([squares[0].real - 1, squares[-1].real + 2]) * measure.PLACE_M
    some = slice(*np.searchsorted(x, sides))
    number = _number(x[some], y[some])
    at = np.minimum(np.searchsorted(squares, number), len(squares) - 1)
    inside[some] = squares[at] == number
    return inside


# --- what is added up -------------------------------------------------------------------------


def _join(
    past: coverage.Added, now: Now, grids: GeoDataFrame, places: tuple[Places, Places],
    moved: _Moved, squares: Squares,
) -> coverage.Added | None:
    summed, gathered = (service.read_some(now.placed, now.demand, now.reach, some)
                        for some in places)
    fresh = sums.sum_reach(*summed, grids)
    if list(fresh) != list(past.sums):
        return None
    at = past.sums.index.get_indexer(grids.index)
    touched = grids.index.get_indexer(moved.words[moved.touched[:-1]])
    stale = at < 0
    stale[touched[touched >= 0]] = True
    mended = {str(name): np.where(stale, fresh[name], columns.carry_over(
        past.sums[name].to_numpy(), at)) for name in fresh}
    return coverage.Added(
        DataFrame(mended, index=grids.index),
        _join_squares(past.squares, squares,
                      uncovered.gather_uncovered(*gathered, place_m=measure.PLACE_M)))


def _join_squares(old: DataFrame, squares: Squares, fresh: DataFrame) -> DataFrame:
    """Put squares in the place of those that were there, in order."""
    number = old["column"].to_numpy() + 1j * old["row"].to_numpy()
    kept = old[~np.isin(number, squares)]
    if not len(fresh):
        return kept.reset_index(drop=True)
    joined = pd.concat([kept, fresh], ignore_index=True)
    kind = np.unique(joined["kind"].to_numpy(dtype=object), return_inverse=True)[1]
    order = np.lexsort((joined["row"], joined["column"], kind))
    return joined.iloc[order].reset_index(drop=True)

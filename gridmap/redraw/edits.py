"""Single edits of a draft: split, merge, move, cut by a line, undo and redo."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import numpy as np
import pandas as pd
import shapely
from geopandas import GeoDataFrame
from numpy.typing import NDArray
from pandas import Index

from ..errors import PartitionError, listed
from . import bill, checks, cuts, frames, repartition
from .draft import Draft, Edit, Step
from .repartition import Repartition


def split_grid(drawn: Draft, grid: str, *, parts: int = 2) -> Edit:
    """Split a grid into parts of about the same size; the largest keeps the code.

    Parameters
    ----------
    drawn : Draft
    grid : str
        Its code.
    parts : int, default 2

    Returns
    -------
    Edit

    Raises
    ------
    PartitionError
        If the grid is locked, has fewer units than parts, or cannot be split in such parts
        that each hangs together.

    Examples
    --------
    >>> from pandas import Series
    >>> from gridmap import SizeRule, start_draft
    >>> from gridmap.sketch import sketch_units
    >>> size = SizeRule(minimum=1, target=1, maximum=2)
    >>> drawn = start_draft(Series({"A": "T-0001", "B": "T-0001"}), sketch_units("AB"), size)
    >>> split_grid(drawn, "T-0001").grids.index.tolist()
    ['T-0001', 'T-0002']
    """
    number = drawn.number(grid)
    units = drawn.members(number)
    if not 2 <= parts <= len(units):
        raise PartitionError(
            f"grid {grid} has {len(units):,} units and cannot be split into {parts}", rows=[grid])
    part = cuts.halve(drawn, units, parts)
    return _edit(drawn, units, cuts.number_parts(drawn, units, part))


def merge_grids(drawn: Draft, grids: Collection[str]) -> Edit:
    """Merge grids into the one of them with most households, which keeps its code.

    Parameters
    ----------
    drawn : Draft
    grids : collection of str
        Codes of two grids or more.

    Returns
    -------
    Edit

    Raises
    ------
    PartitionError
        If there are fewer than two, one is locked, or they do not lie in one territory and
        in one piece.

    Examples
    --------
    >>> from pandas import Series
    >>> from gridmap import SizeRule, start_draft
    >>> from gridmap.sketch import sketch_units
    >>> now = Series({"A": "G", "B": "H", "C": "K"})
    >>> drawn = start_draft(now, sketch_units("ABC"), SizeRule(minimum=1, target=2, maximum=3))
    >>> merge_grids(drawn, ["G", "K"])
    Traceback (most recent call last):
    gridmap.errors.PartitionError: G would lie in pieces that do not touch. Move the units \
between them as well.
    """
    numbers = [drawn.number(code) for code in sorted(set(grids))]
    if len(numbers) < 2:
        raise PartitionError("merging needs two grids or more")
    homes = drawn.land.units["households"].to_numpy()
    held = [(-float(homes[drawn.members(n)].sum()), drawn.name(n), n) for n in numbers]
    units = np.concatenate([drawn.members(n) for n in numbers])
    return _edit(drawn, units, np.full(len(units), min(held)[2], np.int64))


def move_units(drawn: Draft, units: Collection[str], to: str | None) -> Edit:
    """Move units into another grid, or into a new one.

    Parameters
    ----------
    drawn : Draft
    units : collection of str
        Their codes.
    to : str or None
        Code of the grid; None begins a new one.

    Returns
    -------
    Edit

    Raises
    ------
    PartitionError
        If a unit or the grid is unknown or locked, or a grid would fall to pieces or lie in
        several territories.

    Examples
    --------
    >>> from pandas import Series
    >>> from gridmap import SizeRule, start_draft
    >>> from gridmap.sketch import sketch_units
    >>> now = Series({"A": "G", "B": "G", "C": "H"})
    >>> drawn = start_draft(now, sketch_units("ABC"), SizeRule(minimum=1, target=1, maximum=2))
    >>> int(move_units(drawn, ["B"], "H").bill["households_moved"])
    1
    """
    at = drawn.land.units.index.get_indexer(Index(sorted(set(units))))
    if (at < 0).any() or not len(at):
        unknown = sorted(set(units) - set(drawn.land.units.index))
        raise PartitionError(f"units {listed(unknown)} are not in the draft", rows=unknown)
    number = drawn.begin() if to is None else drawn.number(to)
    return _edit(drawn, np.asarray(at, np.int64), np.full(len(at), number, np.int64))


def draw_border(
    drawn: Draft, line: shapely.LineString, *, grids: Sequence[str] | None = None
) -> Edit:
    """Cut grids by a line: each unit goes to the side that holds a point inside it.

    Parameters
    ----------
    drawn : Draft
    line : LineString
        In the CRS of the units.
    grids : sequence of str, optional
        These are taken together and divided by the line anew, so that the line becomes the
        border between them; by default every grid that the line crosses from border to
        border is cut on its own.

    Returns
    -------
    Edit
        Codes go to parts so that as many households as possible keep theirs.

    Raises
    ------
    PartitionError
        If the line cuts no grid, or a grid is locked or would fall to pieces.

    Examples
    --------
    >>> from pandas import Series
    >>> from gridmap import SizeRule, start_draft
    >>> from gridmap.sketch import sketch_units
    >>> now = Series({"A": "G", "B": "G", "C": "H"})
    >>> drawn = start_draft(now, sketch_units("ABC"), SizeRule(minimum=1, target=1, maximum=2))
    >>> edit = draw_border(drawn, shapely.LineString([(1, -1), (1, 2)]), grids=["G", "H"])
    >>> drawn.assignment.tolist()
    ['G', 'H', 'H']
    """
    if grids is None:
        lots = [[n] for n in drawn.find_near(line.bounds)]
    else:
        lots = [[drawn.number(code) for code in sorted(set(grids))]]
    units, after = [], []
    for numbers in lots:
        some = np.concatenate([drawn.members(n) for n in numbers])
        part = cuts.sides(drawn, some, line)
        if part.max(initial=0) > 0:
            units.append(some)
            after.append(cuts.number_parts(drawn, some, part))
    if not units:
        raise PartitionError(
            "the line cuts no grid: draw it across one, from outside to outside, so that units "
            "lie on both sides")
    return _edit(drawn, np.concatenate(units), np.concatenate(after))


def undo(drawn: Draft) -> Edit:
    """Undo the last edit.

    Parameters
    ----------
    drawn : Draft

    Returns
    -------
    Edit

    Raises
    ------
    PartitionError
        If there is none.

    Examples
    --------
    >>> from pandas import Series
    >>> from gridmap import SizeRule, start_draft
    >>> from gridmap.sketch import sketch_units
    >>> now = Series({"A": "G", "B": "G", "C": "H"})
    >>> drawn = start_draft(now, sketch_units("ABC"), SizeRule(minimum=1, target=1, maximum=2))
    >>> edit = move_units(drawn, ["B"], "H")
    >>> int(undo(drawn).bill["households_moved"]), drawn.assignment.tolist()
    (0, ['G', 'G', 'H'])
    """
    return drawn.turn_back()


def redo(drawn: Draft) -> Edit:
    """Do the edit again that was undone last.

    Parameters
    ----------
    drawn : Draft

    Returns
    -------
    Edit

    Raises
    ------
    PartitionError
        If there is none, or another edit came in between.

    Examples
    --------
    >>> from pandas import Series
    >>> from gridmap import SizeRule, start_draft
    >>> from gridmap.sketch import sketch_units
    >>> now = Series({"A": "G", "B": "G", "C": "H"})
    >>> drawn = start_draft(now, sketch_units("ABC"), SizeRule(minimum=1, target=1, maximum=2))
    >>> edit = move_units(drawn, ["B"], "H")
    >>> edit = undo(drawn)
    >>> int(redo(drawn).bill["households_moved"])
    1
    """
    return drawn.turn_back(forward=True)


def finish_draft(
    drawn: Draft, *, workers: pd.DataFrame | None = None, assets: GeoDataFrame | None = None
) -> Repartition:
    """Return the net as it is now, with the whole bill; the draft can be edited further.

    Parameters
    ----------
    drawn : Draft
    workers, assets : optional
        For the bill, as in `repartition`.

    Returns
    -------
    Repartition

    Examples
    --------
    >>> from pandas import Series
    >>> from gridmap import SizeRule, start_draft
    >>> from gridmap.sketch import sketch_units
    >>> now = Series({"A": "G", "B": "G", "C": "H"})
    >>> drawn = start_draft(now, sketch_units("ABC"), SizeRule(minimum=1, target=1, maximum=2))
    >>> int(finish_draft(drawn).bill.totals["households_moved"])
    0
    """
    from . import tasks  # numba is slow to load

    land, label, after = drawn.land, drawn.label, drawn.assignment
    grids, numbers = frames.build_grids(land, label, drawn.known)
    grids.index = Index([drawn.name(int(n)) for n in numbers], dtype="str", name="grid")
    measured = (repartition.measure_net(land, repartition.name_units(land, land.label)),
                repartition.measure_net(land, after))
    return Repartition(grids.sort_index(), after, land.changes, bill.make_bill(
        land.units, repartition.old_assignment(land), after,
        measured=(measured[0].by_grid, measured[1].by_grid),
        totals=(measured[0].totals, measured[1].totals),
        must_move=tasks.must_move(land, tasks.find_bounds(land, {})),
        workers=workers, assets=assets))


def _edit(drawn: Draft, units: NDArray[np.int64], after: NDArray[np.int64]) -> Edit:
    """Check an edit, carry it out and remember it."""
    before = drawn.label[units]
    moved = before != after
    if not moved.any():
        raise PartitionError("the edit changes nothing: every unit is in that grid already")
    order = np.argsort(units[moved], kind="stable")
    step = Step(units[moved][order], before[moved][order], after[moved][order])
    checks.check_step(drawn, step)
    answer = drawn.carry_out(step)
    drawn.remember(step)
    return answer

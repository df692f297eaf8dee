"""Grids drawn again in the territories whose units changed, and nowhere else."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa
from geopandas import GeoDataFrame
from pandas import DataFrame, Index, Series
from pyarrow import Table

from .. import ledger, tiling, zoning
from . import arrow, changed
from .changed import Flags, Shapes

#: Above this share of all units the whole is drawn at once.
MOST = 0.4

#: Notes that look at all territories together; where there is one, the whole is drawn.
_OF_ALL = ("code rule not applicable", "code rule too short", "search cut short",
           "number of grids not reached")


def sort_changes(changes: DataFrame) -> DataFrame:
    """Put rows of a drawing in order of what and which, whatever order they were drawn in.

    Examples
    --------
    >>> two = ledger.join_changes(ledger.note_changes(["B"], step="partition", what="b"),
    ...                           ledger.note_changes(["A"], step="partition", what="a"))
    >>> sort_changes(two)["id"].tolist()
    ['A', 'B']
    """
    return ledger.join_changes(changes.sort_values(["what", "id", "note"], kind="stable"))


class Units(NamedTuple):
    """The units of a run as a table, and the territory that each stays in, by its code."""

    table: Table
    home: Series


def draw_again(
    old: Units, new: Units, before: Any, places: Shapes, draw: Callable[[Flags], zoning.Partition],
) -> tuple[dict[str, Any], str] | None:
    """Draw the grids of territories that a change touches; take over all others.

    Parameters
    ----------
    old, new : Units
        Of the run before and of this one.
    before : Outputs
        What the step gave then.
    places : array of geometries
        Barriers that are not as they were.
    draw : callable
        Draws the units that are flagged.

    Returns
    -------
    made : dict
        ``grids``, ``assignment`` and ``changes``, as for the whole.
    told : str
        How many territories were drawn.
    """
    stale, drawn = _choose(old, new, places)
    codes = Index(new.home.unique())
    if drawn.mean() > MOST or before["changes"]["what"].isin(_OF_ALL).any():
        return None
    kept_grids, changes = before["grids"], before["changes"]
    old_home = {**kept_grids["territory"].to_dict(), **old.home.to_dict()}
    kept_grids = kept_grids[kept_grids["territory"].isin(codes)
                            & ~kept_grids["territory"].isin(stale)]
    kept = _pick(changes, old_home, lambda home: home in codes and home not in stale)
    grids, assignment = [kept_grids], [before["assignment"]["grid"]]
    assignment[0] = assignment[0][assignment[0].isin(kept_grids.index)]
    fresh: DataFrame | None = ledger.join_changes()
    if drawn.any():
        part = draw(drawn)
        if part.changes["what"].isin(_OF_ALL).any():
            return None
        home = {**part.grids["territory"].to_dict(), **new.home.to_dict()}
        mine = part.grids[part.grids["territory"].isin(stale)]
        grids.append(mine)
        assignment.append(part.assignment[part.assignment.isin(mine.index)])
        fresh = _pick(part.changes, home, stale.__contains__)
    if kept is None or fresh is None:
        return None
    joined = GeoDataFrame(pd.concat(grids)).sort_index()
    # The last digits of an area depend on where the layer lies: measured for all together.
    made = {"grids": joined.assign(area_m2=tiling.measure_area(joined)),
            "assignment": pd.concat(assignment).sort_index(),
            "changes": sort_changes(ledger.join_changes(kept, fresh))}
    return made, f"{len(stale):,} of {len(codes):,} territories"


def _choose(old: Units, new: Units, places: Shapes) -> tuple[set[str], Flags]:
    """Return the territories to draw, and the units of those and of all that touch them.

    What is told of a grid names the territory beside it, so that a change is felt in those
    that touch it as well.
    """
    rows = changed.compare_tables(old.table, new.table)
    home, shapes = new.home, arrow.join_shapes(new.table)
    moved = old.home.to_numpy()[rows.was] != home.to_numpy()  # of new ones it says nothing
    gone = arrow.join_shapes(old.table.take(pa.array(rows.gone)))
    now = ~rows.same | moved | changed.find_near(
        shapes, np.concatenate([places, gone]), reach_m=1.0)
    stale = set(home[changed.find_touching(shapes, _whole(home, now))])
    drawn = set(home[changed.find_touching(shapes, home.isin(stale).to_numpy())])
    return stale, home.isin(drawn).to_numpy()


def _whole(home: Series, flags: Flags) -> Flags:
    """Flag all units of a territory of which one is flagged."""
    return home.isin(set(home[flags])).to_numpy()


def _pick(
    changes: DataFrame, home: dict[Any, str], wanted: Callable[[str], bool]
) -> DataFrame | None:
    """Return the rows of some territories; None where a row belongs to none."""
    of = [home.get(code) for code in changes["id"]]
    if any(one is None for one in of):
        return None
    return changes[np.array([wanted(str(one)) for one in of], dtype=bool)]

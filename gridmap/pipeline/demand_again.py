"""Who asks for service, found again among the elements that changed, and nowhere else."""

from __future__ import annotations

from bisect import bisect_left
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ..coverage.reach import gather_spots
from . import columns, service
from .changed import Floats, Rows
from .service import Placed, Places

#: So many rows of demand are put in their place one by one; more are sorted anew.
FEW = 20_000


class _Demand(NamedTuple):
    """Rows of demand in order of code, and the spot of each."""

    rows: Places
    spot: Places
    spots: Floats


def find_demand_again(
    now: Placed, held: pa.ChunkedArray, rows: Rows, before: Any
) -> tuple[dict[str, Any], str] | None:
    """Find demand as `service.find_demand` does, looking at the rows that changed.

    Parameters
    ----------
    now : Placed
    held : ChunkedArray
        The grid of each element in the run before.
    rows : Rows
        Of the elements, against those of the run before.
    before : Outputs
        What the step gave then.

    Returns
    -------
    made, told
        Or None, where so much is new that all is sorted.
    """
    inside = [grid.is_valid().to_numpy() for grid in (held, now.columns["grid"])]
    still = columns.stand_still(rows.was, len(held))
    was = columns.carry_over(inside[0], rows.was, still=still)
    some = np.flatnonzero(~rows.same | (was != inside[1]))
    stood = rows.was[some]
    gone = np.zeros(len(held), dtype=bool)
    gone[rows.gone] = True
    gone[stood[stood >= 0]] = True
    table = before.table("rows")
    row, spot = table["row"].to_numpy(), table["spot"].to_numpy()
    left = np.flatnonzero(gone[row])
    more = some[service.find_wanted(now, some)]
    if len(more) > FEW:
        return None
    told = f"{len(more):,} of {len(row) - len(left) + len(more):,} places"
    spots = service.read_spots(before.table("spots"))
    old = _Demand(row, spot, spots)
    xy = service.find_middles(now.elements, more)
    if still and _is_same(old, left, more, xy):
        return {"rows": table, "spots": before.table("spots")}, told
    kept = np.ones(len(row), dtype=bool)
    kept[left] = False
    stays = old._replace(rows=_bring(row[kept], rows.was, len(held)), spot=spot[kept])
    return service.write_demand(*_put_in(stays, more, xy, now.elements)), told


def _is_same(old: _Demand, left: Places, more: Places, xy: Floats) -> bool:
    """Say whether what comes is what leaves."""
    order = np.argsort(old.rows[left])
    return np.array_equal(old.rows[left][order], more) and (
        old.spots[old.spot[left][order]].tobytes() == xy.tobytes())


def _bring(row: Places, was: Places, size: int) -> Places:
    """Return where rows stand now, of so many."""
    back = np.full(size, -1)
    known = np.flatnonzero(was >= 0)
    back[was[known]] = known
    return back[row]


def _put_in(stays: _Demand, more: Places, xy: Floats, elements: pa.Table) -> _Demand:
    """Put rows in their place by code, and their spots from west to east."""
    name = elements.schema.pandas_metadata["index_columns"][0]
    codes = elements[name]
    order = pc.sort_indices(columns.take_rows(elements, (name,), more)[name]).to_numpy()
    more, xy = more[order], xy[order]
    # One by one: few are new, and each is found in some twenty looks.
    places = np.array([bisect_left(stays.rows, codes[int(row)].as_py(),
                                   key=lambda one: codes[int(one)].as_py())
                       for row in more], dtype=np.intp)
    spots, kept, fresh = _join_spots(stays, xy)
    return _Demand(np.insert(stays.rows, places, more), np.insert(kept, places, fresh), spots)


def _join_spots(stays: _Demand, xy: Floats) -> tuple[Floats, Places, Places]:
    """Return the spots of what stays and of what comes, and which each of both is at."""
    if (stays.spots == 0).any() or (xy == 0).any():  # below zero there is another zero
        spots = gather_spots(np.concatenate([stays.spots[stays.spot], xy]))
        return spots.xy, spots.of[:len(stays.spot)], spots.of[len(stays.spot):]
    more = gather_spots(xy)
    at, new = service.match_spots(stays.spots, more.xy)
    used = np.bincount(stays.spot, minlength=len(stays.spots)) > 0
    used[np.delete(at, new)] = True
    left = stays.spots[used]
    before = np.searchsorted(service.as_numbers(left), service.as_numbers(more.xy[new]))
    # So many new ones stand before each that is left.
    shift = np.cumsum(np.bincount(before, minlength=len(left) + 1))[:len(left)]
    number = np.zeros(len(used), dtype=np.intp)
    number[used] = np.arange(len(left)) + shift
    found = number[at] if len(number) else np.zeros(len(at), dtype=np.intp)
    found[new] = before + np.arange(len(new))
    return np.insert(left, before, more.xy[new], axis=0), number[stays.spot], found[more.of]

"""Where the next sites go so that everybody is as near to one as can be: the p-median."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import shapely
from geopandas import GeoDataFrame
from numpy.typing import NDArray
from pandas import DataFrame, Series
from scipy import optimize, sparse
from scipy.spatial import distance

from ..errors import SchemaError
from . import siting, swaps, walking
from .network import Network
from .siting import Sites

Floats = NDArray[np.float64]
Singles = NDArray[np.float32]
Integers = NDArray[np.intp]

#: Distances that are held at once: 200 million take 800 MB.
MOST_DISTANCES = 200_000_000

#: Up to so many distances HiGHS proves the best choice within seconds; it gets half a minute.
FEW_DISTANCES = 30_000
PROOF_S = 30.0

#: A tenth of the sites is thrown in anew as often as the size allows, and at most so often.
KICKS = 20
KICKED_DISTANCES = 50_000_000

#: How often all candidates are tried; the last rounds only find that nothing is better.
ROUNDS = 12


class _Problem(NamedTuple):
    """Households, how far they have it now, and how far to each candidate."""

    table: Singles  # candidates by places
    now: Floats  # to the nearest existing site; the limit where there is none
    households: Floats
    any_now: bool  # whether there are existing sites


class _State(NamedTuple):
    """The sites, and the nearest and second nearest of each place; -1 is an existing one."""

    sites: Integers
    nearest: Integers
    first: Floats
    second: Floats


def choose_medians(
    candidates: GeoDataFrame,
    elements: GeoDataFrame,
    *,
    count: int,
    existing: GeoDataFrame | None = None,
    network: Network | None = None,
    within: float | None = None,
    gather_m: float | None = None,
) -> Sites:
    """Choose sites so that the mean distance of households to the nearest one is least.

    Parameters
    ----------
    candidates : GeoDataFrame
        Points where a site could be, with a unique index, in a CRS in metres.
    elements : GeoDataFrame, schema ELEMENTS
        With ``households``, in the same CRS; footprints count at their centre.
    count : int
        How many candidates to choose.
    existing : GeoDataFrame, optional
        Points that stay.
    network : Network, optional
        Roads to measure along; by default in a straight line.
    within : float, optional
        Whoever has it farther counts as this far, in metres or, along a network with speeds,
        in minutes: nearer limits are searched faster. By default there is none, but where no
        way leads at all counts as twice the longest way.
    gather_m : float, optional
        Households in one square of this side count at their common centre.

    Returns
    -------
    Sites
        ``chosen``: the candidates, in order of code, with the ``households`` that are nearest
        to each. ``totals``: sites, households, mean_before (missing without existing sites)
        and mean_after (in metres or minutes), bound (the mean that no choice can better) and
        gap (the relative distance to it).

    Raises
    ------
    SchemaError
        If a number is out of range, there are too many pairs of places and candidates to
        hold, or a frame does not follow its schema.
    CRSError
        If the CRS differ or are not in metres.

    References
    ----------
    S. L. Hakimi (1964), "Optimum locations of switching centers". R. Whitaker (1983), "A fast
    algorithm for the greedy interchange of large-scale clustering and median location
    problems". The bound is Lagrangian, after G. Cornuéjols and others (1977); small problems
    are solved by HiGHS.

    Examples
    --------
    >>> from gridmap.sketch import sketch_points
    >>> homes = sketch_points((0, 0), (1, 0), (9, 0)).assign(households=[3, 4, 5])
    >>> spots = sketch_points((0, 0), (1, 0), (9, 0))
    >>> choose_medians(spots, homes, count=2).totals[["mean_after", "gap"]].tolist()
    [0.25, 0.0]
    """
    siting.check_candidates(candidates, elements, existing)
    if not 0 < count <= len(candidates):
        raise SchemaError(f"count is {count}: 1 to {len(candidates)}, the candidates, is needed")
    spots = candidates.sort_index()
    xy, households = siting.find_living(elements)
    if gather_m is not None:
        xy, households = _gather(xy, households, gather_m)
    if len(xy) * len(spots) > MOST_DISTANCES:
        raise SchemaError(
            f"elements: {len(xy):,} places with households and {len(spots):,} candidates are "
            f"{len(xy) * len(spots):,} distances, and {MOST_DISTANCES:,} can be held. Gather "
            "the places by gather_m=…"
        )
    problem = _state(xy, households, spots, existing, network, within)
    if not len(xy):
        return _tell(spots, problem, np.arange(count), np.nan)
    found = _improve(problem, _choose_greedily(problem, count))
    bound = _bound(problem, count, found)
    if problem.table.size <= FEW_DISTANCES:
        found, bound = _solve(problem, count, found, bound)
    return _tell(spots, problem, found, bound)


def _gather(xy: Floats, households: Floats, side: float) -> tuple[Floats, Floats]:
    if not side > 0:
        raise SchemaError(f"gather_m is {side}: a side above 0 in metres is needed")
    square, place = np.unique(np.floor(xy / side), axis=0, return_inverse=True)
    sums = np.bincount(place, weights=households, minlength=len(square))
    means = [np.bincount(place, weights=households * axis) / sums for axis in xy.T]
    return np.column_stack(means), sums.astype("float64")


def _state(
    xy: Floats,
    households: Floats,
    spots: GeoDataFrame,
    existing: GeoDataFrame | None,
    network: Network | None,
    within: float | None,
) -> _Problem:
    if within is not None and not within > 0:
        raise SchemaError(f"within is {within}: a limit above 0 is needed")
    limit = np.inf if within is None else within
    sites: Floats = shapely.get_coordinates(spots.geometry.to_numpy())
    table = _distances(xy, sites, network, limit)
    now = np.full(len(xy), np.inf)
    if existing is not None and len(existing):
        there: Floats = shapely.get_coordinates(existing.geometry.to_numpy())
        now = _nearest(xy, there, network)
    known = table[np.isfinite(table)]
    if within is None:
        ways = now[np.isfinite(now)]
        limit = 2 * max(float(known.max(initial=0)), float(ways.max(initial=0)))
    some = existing is not None and len(existing) > 0
    return _Problem(np.minimum(table, np.float32(limit)), np.minimum(now, limit), households, some)


def _distances(xy: Floats, sites: Floats, network: Network | None, limit: float) -> Singles:
    if network is not None:
        return walking.measure_table(network, xy, sites, within=limit)
    table = np.empty((len(sites), len(xy)), dtype=np.float32)
    for row, site in enumerate(sites):  # row by row, so that only singles are held
        table[row] = np.hypot(*(xy - site).T)
    return table


def _nearest(xy: Floats, there: Floats, network: Network | None) -> Floats:
    if network is not None:
        ways = walking.measure_distances(network, xy, there)
        return np.where(np.isnan(ways), np.inf, ways)
    near = [distance.cdist(xy[n : n + 10_000], there).min(axis=1)
            for n in range(0, len(xy), 10_000)]
    return np.concatenate(near) if near else np.empty(0)


def _choose_greedily(problem: _Problem, count: int) -> Integers:
    """Choose what saves most, one after the other; what a site saves only grows less."""
    best = problem.now.copy()
    saved = np.array([_saving(problem, site, best) for site in range(len(problem.table))])
    chosen: list[int] = []
    while len(chosen) < count:
        while True:  # a saving that was measured long ago is too large, and is measured anew
            site = int(saved.argmax())
            anew = _saving(problem, site, best)
            if anew >= saved[site] * (1 - 1e-9):
                break
            saved[site] = anew
        chosen.append(site)
        saved[site] = -1.0
        best = np.minimum(best, problem.table[site])
    return np.array(sorted(chosen), dtype=np.intp)


def _saving(problem: _Problem, site: int, best: Floats) -> float:
    near = np.flatnonzero(problem.table[site] < best)
    return _sum(problem.households[near], best[near] - problem.table[site, near])


def _sum(weights: Floats, values: Floats) -> float:
    """Return a weighted sum: not by BLAS, whose threads change the last digit, and wait."""
    return float((weights * values).sum())


def _look(problem: _Problem, sites: Integers, places: Integers | None = None) -> _State:
    """Return the nearest and second nearest of the sites for all places, or some."""
    asked = np.arange(len(problem.now)) if places is None else places
    rows = np.vstack([problem.now[asked], problem.table[np.ix_(sites, asked)]])
    nearest = rows.argmin(axis=0)
    first = rows[nearest, np.arange(len(asked))].copy()
    rows[nearest, np.arange(len(asked))] = np.inf
    return _State(sites, nearest - 1, first, rows.min(axis=0))


def _exchange(problem: _Problem, sites: Integers) -> Integers:
    """Exchange a site for another one as long as the sum of distances grows less."""
    state = _look(problem, sites)
    for _ in range(ROUNDS):
        before = _sum(problem.households, state.first)
        closing = _close(problem, state)
        for site in range(len(problem.table)):
            if site not in state.sites:
                after = _try(problem, state, site, closing, 1e-7 * before)
                if after is not state:
                    state, closing = after, _close(problem, after)
        if _sum(problem.households, state.first) >= before * (1 - 1e-7):
            break
    return np.sort(state.sites)


def _improve(problem: _Problem, sites: Integers) -> Integers:
    """Exchange sites, throw some of them in anew, and keep the best that comes of it."""
    best = _exchange(problem, sites)
    size = len(problem.table)
    if len(best) == size:
        return best
    least, chance = _sum(problem.households, _look(problem, best).first), np.random.default_rng(0)
    for _ in range(min(KICKS, KICKED_DISTANCES // problem.table.size)):
        trial = _exchange(problem, swaps.throw_in(best, size, chance))
        if (less := _sum(problem.households, _look(problem, trial).first)) < least * (1 - 1e-9):
            best, least = trial, less
    return best


def _close(problem: _Problem, state: _State) -> Floats:
    """Return what closing each site would cost, if its places went to their second nearest."""
    own = state.nearest >= 0
    more = problem.households * np.minimum(state.second - state.first, 1e300)
    return np.bincount(state.nearest[own], weights=more[own],
                       minlength=len(state.sites)).astype("float64")


def _try(
    problem: _Problem, state: _State, site: int, closing: Floats, least: float
) -> _State:
    """Let a candidate take the place of the site that can best be closed, if that saves."""
    # Only whom the candidate is nearer to than their second nearest makes a difference.
    near = np.flatnonzero(problem.table[site] < state.second)
    way = problem.table[site, near].astype("float64")
    first, second, held = state.first[near], state.second[near], state.nearest[near]
    households = problem.households[near]
    saved = _sum(households, np.maximum(first - way, 0.0))
    if not saved:
        return state
    own = held >= 0
    spared = households * np.minimum(second - np.maximum(first, way), 1e300)
    lost = closing - np.bincount(held[own], weights=spared[own], minlength=len(closing))
    worst = int(lost.argmin())
    if saved - lost[worst] <= max(least, 1e-300):
        return state
    sites = state.sites.copy()
    sites[worst] = site
    return _look_again(problem, state, sites, worst)


def _look_again(problem: _Problem, state: _State, sites: Integers, place: int) -> _State:
    """Return the state after one site became another, looking again only where it matters."""
    way = problem.table[sites[place]].astype("float64")
    again = np.flatnonzero(problem.table[state.sites[place]] <= state.second)
    nearer = way < state.first
    second = np.where(nearer, state.first, np.minimum(state.second, way))
    first = np.where(nearer, way, state.first)
    nearest = np.where(nearer, place, state.nearest)
    looked = _look(problem, sites, again)
    nearest[again], first[again] = looked.nearest, looked.first
    second[again] = looked.second
    return _State(sites, nearest, first, second)


def _bound(problem: _Problem, count: int, found: Integers, *, steps: int = 150) -> float:
    """Return the sum of distances that no choice can better, by Lagrangian relaxation."""
    state = _look(problem, found)
    reached = _sum(problem.households, state.first)
    size = len(problem.table)
    # Prices above the way to the so-manyth candidate are not needed, nor are farther pairs.
    near = min(size, 3 * -(-size // count) + 4) - 1
    cap = _so_manyth(problem.table, near)
    site, place = np.nonzero(problem.table <= cap)
    starts = np.searchsorted(site, np.arange(size))
    there = np.bincount(site, minlength=size) > 0
    cost = problem.table[site, place] * problem.households[place]
    now, top = problem.now * problem.households, cap * problem.households
    prices = np.minimum(problem.households * (state.first + np.minimum(state.second, cap)) / 2,
                        top)
    best, scale, since = -np.inf, 1.0, 0
    for _ in range(steps):
        left = np.minimum(cost - prices[place], 0.0)
        earned = np.zeros(size)
        earned[there] = np.add.reduceat(left, starts[there]) if len(left) else 0.0
        chosen = np.argsort(earned, kind="stable")[:count]
        bound = prices.sum() + np.minimum(now - prices, 0).sum() + earned[chosen].sum()
        since = 0 if bound > best + 1e-7 * abs(best) else since + 1
        best = max(best, float(bound))
        if best >= reached * (1 - 1e-7):
            break
        if since >= 6:
            scale, since = scale / 2, 0
        slope: Floats = 1.0 - (now < prices).astype("float64")
        for one in chosen[there[chosen]]:
            pairs = slice(starts[one], starts[one] + np.searchsorted(site[starts[one]:], one + 1))
            slope[place[pairs][left[pairs] < 0]] -= 1.0
        step = scale * (reached - bound) / max(_sum(slope, slope), 1.0)
        prices = np.clip(prices + step * slope, 0.0, top)
    return min(best, reached)


def _so_manyth(table: Singles, rank: int) -> Floats:
    """Return the way of each place to its candidate of a rank, from 0 for the nearest."""
    blocks = [np.partition(np.ascontiguousarray(table[:, n : n + 2_000].T), rank, axis=1)[:, rank]
              for n in range(0, table.shape[1], 2_000)]
    return np.concatenate(blocks).astype("float64")


def _solve(
    problem: _Problem, count: int, found: Integers, bound: float
) -> tuple[Integers, float]:
    """Return the best choice, proven if the time suffices, and the bound."""
    size, places = problem.table.shape
    # Variables: sites, then who goes to which site, then who stays with what there is.
    ways = np.vstack([problem.table, problem.now]) * problem.households
    flows = ways.size
    cost = np.concatenate([np.zeros(size), ways.ravel()])
    each = sparse.hstack([sparse.csr_array((places, size)),
                          sparse.kron(np.ones((1, size + 1)), sparse.eye_array(places))])
    only = sparse.hstack([
        sparse.kron(sparse.eye_array(size), -np.ones((places, 1))),
        sparse.eye_array(size * places, flows),
    ])
    number = np.concatenate([np.ones(size), np.zeros(flows)])[None]
    answer = optimize.milp(
        cost, integrality=np.concatenate([np.ones(size), np.zeros(flows)]),
        bounds=optimize.Bounds(0, 1),
        constraints=[optimize.LinearConstraint(each.tocsr(), 1, 1),
                     optimize.LinearConstraint(only.tocsr(), -np.inf, 0),
                     optimize.LinearConstraint(number, count, count)],
        options={"mip_rel_gap": 1e-9, "time_limit": PROOF_S},
    )
    if answer.mip_dual_bound is not None and np.isfinite(answer.mip_dual_bound):
        bound = max(bound, float(answer.mip_dual_bound))
    if answer.x is None:
        return found, bound
    solved = np.flatnonzero(answer.x[:size] > 0.5)
    known, new = (_sum(problem.households, _look(problem, sites).first)
                  for sites in (found, solved))
    return (solved if new < known else found), bound


def _tell(spots: GeoDataFrame, problem: _Problem, found: Integers, bound: float) -> Sites:
    state = _look(problem, found)
    whole = problem.households.sum()
    own = state.nearest >= 0
    served = np.bincount(state.nearest[own], weights=problem.households[own],
                         minlength=len(found))
    frame = DataFrame({"households": np.round(served).astype(np.int64)}, index=spots.index[found])
    sums = {"mean_before": _sum(problem.households, problem.now) if problem.any_now else np.nan,
            "mean_after": _sum(problem.households, state.first), "bound": bound}
    figures = {"sites": float(len(found)), "households": float(whole)}
    figures |= {name: float(sum_ / whole) if whole else np.nan for name, sum_ in sums.items()}
    after, least = figures["mean_after"], figures["bound"]
    gap = after / least - 1 if least else np.inf if after else 0.0
    figures["gap"] = max(gap, 0.0) if abs(gap) > 1e-9 else 0.0
    return Sites(frame, Series(figures, name="totals", dtype="float64"))

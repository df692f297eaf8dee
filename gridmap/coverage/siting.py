"""Where the next sites go: most households in reach, or fewest sites, with a proven gap."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import shapely
from geopandas import GeoDataFrame
from numpy.typing import NDArray
from pandas import DataFrame, Series
from scipy import optimize, sparse

from .. import schema
from ..errors import SchemaError
from . import swaps, walking
from .network import Network
from .pairs import straight_pairs
from .swaps import Problem
from .walking import Pairs

Floats = NDArray[np.float64]


class Sites(NamedTuple):
    """The sites chosen, in the order of how much each adds."""

    chosen: DataFrame  # indexed as the candidates: households that each adds
    totals: Series  # what is reached, what could be at best, and the gap between the two


def choose_sites(
    candidates: GeoDataFrame,
    elements: GeoDataFrame,
    *,
    radius_m: float | None = None,
    count: int | None = None,
    share: float | None = None,
    existing: GeoDataFrame | None = None,
    network: Network | None = None,
    reach_min: float | None = None,
    seconds: float = 60.0,
) -> Sites:
    """Choose sites: where do the next so many go, or how many does a share of households take?

    Parameters
    ----------
    candidates : GeoDataFrame
        Points where a site could be, with a unique index, in a CRS in metres. A column
        ``capacity``, households that one can serve, limits them.
    elements : GeoDataFrame, schema ELEMENTS
        With ``households``, in the same CRS; footprints count at their centre.
    radius_m : float
        Reach of a site, the end included: in a straight line, or along the network.
    count : int, optional
        Choose so many candidates that reach the most households.
    share : float, optional
        Choose the fewest candidates with which this share of households, 0 to 1, is reached.
        One of ``count`` and ``share`` is needed.
    existing : GeoDataFrame, optional
        Points that stay and reach as far, without a limit of capacity; what they reach
        needs no other site.
    network : Network, optional
        Roads to measure reach along, as from `build_network`.
    reach_min : float, optional
        In place of ``radius_m``, the minutes that a site reaches along a network with speeds.
    seconds : float, default 60.0
        Time for the proof. When it runs out, the best that was found is returned with its
        gap, and another run may find another.

    Returns
    -------
    Sites
        ``chosen``: the candidates, those that add most first and of equals by code, with
        ``households``, which each adds to those before it. ``totals``: sites, households,
        share_before, share_after, bound (the share or the number of sites that no choice can
        better) and gap (the relative distance to it; 0 is proven best). Missing where the
        share cannot be reached by all candidates together.

    Raises
    ------
    SchemaError
        If not exactly one of ``count`` and ``share`` is given, a number is out of range, the
        reach is not in the unit of the network, or a frame does not follow its schema.
    CRSError
        If the CRS differ or are not in metres.

    References
    ----------
    R. Church and C. ReVelle (1974), "The maximal covering location problem". C. Toregas and
    others (1971), "The location of emergency service facilities". Solved by HiGHS.

    Examples
    --------
    >>> from gridmap.sketch import sketch_points
    >>> homes = sketch_points((0, 0), (1, 0), (9, 0)).assign(households=[3, 4, 5])
    >>> spots = sketch_points((0.5, 0), (9, 0), (20, 0))
    >>> choose_sites(spots, homes, radius_m=1.0, count=1).chosen["households"].to_dict()
    {'e0': 7}
    """
    reach = _check_reach(radius_m, reach_min, network)
    _check(candidates, elements, existing, count, share)
    spots = candidates.sort_index()
    problem = _state(spots, elements, existing, reach, network)
    capacity = spots["capacity"].to_numpy(dtype="float64") if "capacity" in spots else None
    first = _search(problem, capacity, count, share)
    best, bound = _solve(problem, capacity, count, share, first, seconds)
    return _tell(spots, problem, capacity, best, bound, share)


def _check_reach(
    radius_m: float | None, reach_min: float | None, network: Network | None
) -> float:
    timed = network is not None and network.unit == "min"
    name, reach = ("reach_min", reach_min) if timed else ("radius_m", radius_m)
    if reach is None or not reach > 0:
        raise SchemaError(f"{name} is {reach}: a {'time' if timed else 'distance'} above 0 in "
                          f"{'minutes' if timed else 'metres'} is needed")
    return reach


def _check(
    candidates: GeoDataFrame,
    elements: GeoDataFrame,
    existing: GeoDataFrame | None,
    count: int | None,
    share: float | None,
) -> None:
    check_candidates(candidates, elements, existing)
    if (count is None) == (share is None):
        raise SchemaError("one of count and share is needed, and not both")
    if count is not None and not 0 < count <= len(candidates):
        raise SchemaError(f"count is {count}: 1 to {len(candidates)}, the candidates, is needed")
    if share is not None and not 0 < share <= 1:
        raise SchemaError(f"share is {share}: above 0, and 1 at most is needed")


def check_candidates(
    candidates: GeoDataFrame, elements: GeoDataFrame, existing: GeoDataFrame | None
) -> None:
    """Raise unless sites can be chosen among candidates for elements with households.

    Examples
    --------
    >>> from gridmap.sketch import sketch_points
    >>> check_candidates(sketch_points((0, 0)), sketch_points((1, 1)).assign(households=1), None)
    """
    frames = {"candidates": candidates, "elements": elements}
    schema.check_metric_crs(**frames, **({} if existing is None else {"existing": existing}))
    if "households" not in elements:
        raise SchemaError("elements: column households is absent: whom should a site reach?")
    if not candidates.index.is_unique:
        raise SchemaError("candidates: the index is not unique")


def _state(
    spots: GeoDataFrame,
    elements: GeoDataFrame,
    existing: GeoDataFrame | None,
    reach: float,
    network: Network | None,
) -> Problem:
    xy, people = find_living(elements)
    whole, before = people.sum(), 0.0
    if existing is not None and len(existing) and len(xy):
        served = np.zeros(len(xy), dtype=bool)
        served[_find_near(xy, existing, reach, network).place] = True
        before = people[served].sum()
        xy, people = xy[~served], people[~served]
    near = _find_near(xy, spots, reach, network)
    by_place = sparse.csr_array((np.ones(len(near.place)), (near.place, near.source)),
                                shape=(len(xy), len(spots)))
    groups: dict[tuple[int, ...], float] = {}
    ends = by_place.indptr
    for number, start, stop in zip(people, ends[:-1], ends[1:], strict=True):
        if stop > start:  # a dictionary is the grouping
            reached = tuple(by_place.indices[start:stop].tolist())
            groups[reached] = groups.get(reached, 0.0) + number
    keys = sorted(groups)
    sizes = [len(key) for key in keys]
    indices = np.fromiter((c for key in keys for c in key), dtype=np.intp, count=sum(sizes))
    starts = np.concatenate([[0], np.cumsum(sizes, dtype=np.intp)])
    matrix = sparse.csr_array((np.ones(len(indices)), indices, starts),
                              shape=(len(keys), len(spots)))
    return Problem(matrix, np.array([groups[key] for key in keys]), before, whole)


def find_living(elements: GeoDataFrame) -> tuple[Floats, Floats]:
    """Return x, y and the households of all elements that stand for any.

    Examples
    --------
    >>> from gridmap.sketch import sketch_points
    >>> find_living(sketch_points((0, 0), (1, 2)).assign(households=[0, 3]))
    (array([[1., 2.]]), array([3.]))
    """
    households = elements["households"].fillna(0).to_numpy(dtype="float64")
    shapes = shapely.centroid(elements.geometry.to_numpy())
    live = (households > 0) & ~(shapely.is_missing(shapes) | shapely.is_empty(shapes))
    return shapely.get_coordinates(shapes[live]), households[live]


def _find_near(
    xy: Floats, points: GeoDataFrame, reach: float, network: Network | None
) -> Pairs:
    sources: Floats = shapely.get_coordinates(points.geometry.to_numpy())
    if network is not None:
        return walking.measure_pairs(network, xy, sources, within=reach)
    # Just beyond the radius, so that rounding does not lose what lies on it.
    limits = np.full(len(sources), reach * (1 + 1e-12))
    return straight_pairs(xy, sources, np.arange(len(sources)), limits)


def _served(problem: Problem, capacity: Floats | None, chosen: NDArray[np.intp]) -> float:
    """Return the households that chosen candidates serve together, beside existing ones."""
    if not len(chosen):
        return 0.0
    reach = problem.reach[:, chosen]
    if capacity is None:
        return float(problem.households[reach.sum(axis=1) > 0].sum())
    group, site = reach.nonzero()
    if not len(group):
        return 0.0
    rows = _allot(problem.households, group, site, capacity[chosen])
    return -float(optimize.linprog(-np.ones(len(group)), A_ub=rows[0], b_ub=rows[1],
                                   bounds=(0, None), method="highs").fun)


def _allot(
    households: Floats, group: NDArray[np.intp], site: NDArray[np.intp], capacity: Floats
) -> tuple[sparse.csr_array, Floats]:
    """Return the rows that no group and no site is given more than it has."""
    number = np.arange(len(group))
    ones = np.ones(len(group))
    each = sparse.csr_array((ones, (group, number)), shape=(len(households), len(group)))
    full = sparse.csr_array((ones, (site, number)), shape=(len(capacity), len(group)))
    return sparse.vstack([each, full]), np.concatenate([households, capacity])


def _search(
    problem: Problem, capacity: Floats | None, count: int | None, share: float | None
) -> NDArray[np.intp]:
    """Return a good choice: greedy, and without capacities bettered by exchanges."""
    needed = np.inf if share is None else share * problem.whole - problem.before
    first = swaps.choose_greedily(problem, capacity, count=count, needed=needed)
    if capacity is not None or not len(problem.households):
        return first
    if count is not None:
        return swaps.improve_sites(problem, first)
    return swaps.drop_sites(problem, first, needed)


def _solve(
    problem: Problem,
    capacity: Floats | None,
    count: int | None,
    share: float | None,
    first: NDArray[np.intp],
    seconds: float,
) -> tuple[NDArray[np.intp], float]:
    """Return the best choice and the bound of HiGHS; the first one where it is as good."""
    groups, sites = problem.reach.shape
    if not groups:
        reached = share is None or share * problem.whole <= problem.before + 1e-6
        return first, 0.0 if reached else np.nan
    rows, upper, flows = _rows(problem, capacity)
    if count is not None:
        cost = np.concatenate([np.zeros(sites), -flows])
        extra = np.concatenate([np.ones(sites), np.zeros(len(flows))])
        limits = [optimize.LinearConstraint(extra[None], count, count)]
    else:
        cost = np.concatenate([np.ones(sites), np.zeros(len(flows))])
        extra = np.concatenate([np.zeros(sites), flows])
        needed = (share or 0.0) * problem.whole - problem.before
        limits = [optimize.LinearConstraint(extra[None], needed - 1e-6, np.inf)]
    top = np.concatenate([np.ones(sites), np.full(len(flows), np.inf)])
    answer = optimize.milp(
        cost, integrality=np.concatenate([np.ones(sites), np.zeros(len(flows))]),
        bounds=optimize.Bounds(0, top),
        constraints=[optimize.LinearConstraint(rows, -np.inf, upper), *limits],
        options={"time_limit": seconds, "mip_rel_gap": 1e-6},
    )
    if answer.status == 2:  # even all candidates together do not reach the share
        return first, np.nan
    known = answer.mip_dual_bound is not None and np.isfinite(answer.mip_dual_bound)
    bound = abs(float(answer.mip_dual_bound)) if known else np.inf if share is None else 0.0
    if count is not None and capacity is None and answer.status == 1:  # the time ran out
        bound = min(bound, swaps.bound_reach(problem, count, _served(problem, None, first)))
    if answer.x is None:
        return first, np.ceil(bound - 1e-6) + 0.0 if share is not None else bound
    found = np.flatnonzero(answer.x[:sites] > 0.5)
    if share is not None:
        return (found if len(found) <= len(first) else first), np.ceil(bound - 1e-6) + 0.0
    as_good = _served(problem, capacity, first) >= _served(problem, capacity, found) - 1e-6
    return (first if as_good else found), bound


def _rows(
    problem: Problem, capacity: Floats | None
) -> tuple[sparse.csr_array, Floats, Floats]:
    """Return rows over sites and flows that must not exceed a limit, and what a flow carries.

    Without capacity a flow is the share of a group that is reached: no more than its sites
    there are. With capacity it is the households of a group that go to one of its sites.
    """
    groups, sites = problem.reach.shape
    if capacity is None:
        once = sparse.hstack([sparse.csr_array((groups, sites)), sparse.eye_array(groups)])
        only = sparse.hstack([-problem.reach, sparse.eye_array(groups)])
        rows = sparse.vstack([once, only]).tocsr()
        return rows, np.concatenate([np.ones(groups), np.zeros(groups)]), problem.households
    group, site = problem.reach.nonzero()
    flows, _ = _allot(problem.households, group, site, capacity)
    spent = sparse.vstack([sparse.csr_array((groups, sites)), -sparse.diags_array(capacity)])
    limits = np.concatenate([problem.households, np.zeros(sites)])
    return sparse.hstack([spent, flows]).tocsr(), limits, np.ones(len(group))


def _tell(
    spots: GeoDataFrame,
    problem: Problem,
    capacity: Floats | None,
    chosen: NDArray[np.intp],
    bound: float,
    share: float | None,
) -> Sites:
    order = _greedy_order(problem, capacity, chosen)
    sums = _sum_up(problem, capacity, order)
    added = np.round(np.diff(sums, prepend=0.0)).astype(np.int64)
    frame = DataFrame({"households": added}, index=spots.index[order])
    reached = problem.before + (sums[-1] if sums else 0.0)
    figures = {
        "sites": len(order), "households": reached,
        "share_before": problem.before / problem.whole if problem.whole else np.nan,
        "share_after": reached / problem.whole if problem.whole else np.nan,
    }
    if share is None:
        bound = (problem.before + bound) / problem.whole if problem.whole else np.nan
    figures["bound"] = bound
    told, best = (bound, figures["share_after"]) if share is None else (len(order), bound)
    figures["gap"] = max(told / best - 1, 0.0) if best else 0.0 * told
    return Sites(frame, Series(figures, name="totals", dtype="float64"))


def _sum_up(problem: Problem, capacity: Floats | None, order: NDArray[np.intp]) -> list[float]:
    """Return what the first, the first two, … of some sites serve together."""
    if capacity is not None:
        return [_served(problem, capacity, order[: n + 1]) for n in range(len(order))]
    if not len(order):
        return []
    reach = problem.reach[:, order].tocoo()
    first = np.full(len(problem.households), len(order))
    np.minimum.at(first, reach.coords[0], reach.coords[1])
    added = np.bincount(first, weights=problem.households, minlength=len(order) + 1)
    return [float(sum_) for sum_ in np.cumsum(added[: len(order)])]


def _greedy_order(
    problem: Problem, capacity: Floats | None, chosen: NDArray[np.intp]
) -> NDArray[np.intp]:
    """Put the chosen in the order in which each adds most to those before it."""
    chosen = np.sort(chosen)
    part = problem._replace(reach=problem.reach[:, chosen].tocsr())
    limit = None if capacity is None else capacity[chosen]
    order: NDArray[np.intp] = chosen[
        swaps.choose_greedily(part, limit, count=len(chosen) or None)]
    return order

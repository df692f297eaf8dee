"""Where the next sites go: most households in reach, or fewest sites, with a proven gap."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import shapely
from geopandas import GeoDataFrame
from numpy.typing import NDArray
from pandas import DataFrame, Series
from scipy import optimize, sparse
from scipy.spatial import KDTree

from .. import schema
from ..errors import SchemaError

Floats = NDArray[np.float64]


class Sites(NamedTuple):
    """The sites chosen, in the order of how much each adds."""

    chosen: DataFrame  # indexed as the candidates: households that each adds
    totals: Series  # what is reached, what could be at best, and the gap between the two


class _Problem(NamedTuple):
    """Groups of households that the same candidates reach."""

    reach: sparse.csr_array  # groups by candidates, 1 where in reach
    households: Floats  # of each group
    before: float  # households that existing sites reach already
    whole: float  # all households


def choose_sites(
    candidates: GeoDataFrame,
    elements: GeoDataFrame,
    *,
    radius_m: float,
    count: int | None = None,
    share: float | None = None,
    existing: GeoDataFrame | None = None,
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
        Straight-line reach of a site, the end included.
    count : int, optional
        Choose so many candidates that reach the most households.
    share : float, optional
        Choose the fewest candidates with which this share of households, 0 to 1, is reached.
        One of ``count`` and ``share`` is needed.
    existing : GeoDataFrame, optional
        Points that stay and reach as far, without a limit of capacity; what they reach
        needs no other site.
    seconds : float, default 60.0
        Time for the search. When it runs out, the best that was found is returned with its
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
        If not exactly one of ``count`` and ``share`` is given, a number is out of range, or a
        frame does not follow its schema.
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
    _check(candidates, elements, existing, radius_m, count, share)
    spots = candidates.sort_index()
    problem = _state(spots, elements, existing, radius_m)
    capacity = spots["capacity"].to_numpy(dtype="float64") if "capacity" in spots else None
    first = _greedy(problem, capacity, count, share)
    best, bound = _solve(problem, capacity, count, share, first, seconds)
    return _tell(spots, problem, capacity, best, bound, share)


def _check(
    candidates: GeoDataFrame,
    elements: GeoDataFrame,
    existing: GeoDataFrame | None,
    radius_m: float,
    count: int | None,
    share: float | None,
) -> None:
    frames = {"candidates": candidates, "elements": elements}
    schema.check_metric_crs(**frames, **({} if existing is None else {"existing": existing}))
    if "households" not in elements:
        raise SchemaError("elements: column households is absent: whom should a site reach?")
    if not candidates.index.is_unique:
        raise SchemaError("candidates: the index is not unique")
    if (count is None) == (share is None):
        raise SchemaError("one of count and share is needed, and not both")
    if count is not None and not 0 < count <= len(candidates):
        raise SchemaError(f"count is {count}: 1 to {len(candidates)}, the candidates, is needed")
    if share is not None and not 0 < share <= 1:
        raise SchemaError(f"share is {share}: above 0, and 1 at most is needed")
    if not radius_m > 0:
        raise SchemaError(f"radius_m is {radius_m}: a distance above 0 in metres is needed")


def _state(
    spots: GeoDataFrame,
    elements: GeoDataFrame,
    existing: GeoDataFrame | None,
    radius_m: float,
) -> _Problem:
    households = elements["households"].fillna(0).to_numpy(dtype="float64")
    shapes = shapely.centroid(elements.geometry.to_numpy())
    live = (households > 0) & ~(shapely.is_missing(shapes) | shapely.is_empty(shapes))
    xy, people = shapely.get_coordinates(shapes[live]), households[live]
    whole = people.sum()
    before = 0.0
    if existing is not None and len(existing) and len(xy):
        served = KDTree(_places(existing)).query(xy)[0] <= radius_m
        before = people[served].sum()
        xy, people = xy[~served], people[~served]
    # Just beyond the radius, so that rounding does not lose what lies on it.
    near = KDTree(_places(spots)).query_ball_point(xy, radius_m * (1 + 1e-12), return_sorted=True)
    groups: dict[tuple[int, ...], float] = {}
    for reached, number in zip(near, people, strict=True):  # a dictionary is the grouping
        if reached:
            groups[tuple(reached)] = groups.get(tuple(reached), 0.0) + number
    keys = sorted(groups)
    sizes = [len(key) for key in keys]
    indices = np.fromiter((c for key in keys for c in key), dtype=np.intp, count=sum(sizes))
    starts = np.concatenate([[0], np.cumsum(sizes, dtype=np.intp)])
    reach = sparse.csr_array((np.ones(len(indices)), indices, starts),
                             shape=(len(keys), len(spots)))
    return _Problem(reach, np.array([groups[key] for key in keys]), before, whole)


def _places(points: GeoDataFrame) -> Floats:
    xy: Floats = shapely.get_coordinates(points.geometry.to_numpy())
    return xy


def _served(problem: _Problem, capacity: Floats | None, chosen: NDArray[np.intp]) -> float:
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


def _greedy(
    problem: _Problem, capacity: Floats | None, count: int | None, share: float | None
) -> NDArray[np.intp]:
    """Choose what adds most, one after the other: a first answer, and rarely far off."""
    limit = np.full(problem.reach.shape[1], np.inf) if capacity is None else capacity
    left = problem.households.copy()
    columns = problem.reach.tocsc()
    needed = np.inf if share is None else share * problem.whole - problem.before
    chosen: list[int] = []
    while len(chosen) < (count or len(limit)) and needed > 1e-9:
        gain = np.minimum(columns.T @ left, limit)
        gain[chosen] = -1.0
        best = int(gain.argmax())
        if gain[best] <= 0 and count is None:
            break
        rows = columns.indices[columns.indptr[best] : columns.indptr[best + 1]]
        keep = 1 - gain[best] / left[rows].sum() if left[rows].sum() > 0 else 1.0
        left[rows] *= max(keep, 0.0)
        needed -= max(gain[best], 0.0)
        chosen.append(best)
    return np.array(chosen, dtype=np.intp)


def _solve(
    problem: _Problem,
    capacity: Floats | None,
    count: int | None,
    share: float | None,
    first: NDArray[np.intp],
    seconds: float,
) -> tuple[NDArray[np.intp], float]:
    """Return the best choice and the bound of HiGHS; the greedy one where it is as good."""
    groups, sites = problem.reach.shape
    if not groups:
        return first, np.nan if share is not None else 0.0
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
    bound = abs(float(answer.mip_dual_bound)) if answer.mip_dual_bound is not None else np.inf
    if answer.x is None:
        return first, bound
    found = np.flatnonzero(answer.x[:sites] > 0.5)
    if share is not None:
        return (found if len(found) <= len(first) else first), np.ceil(bound - 1e-6)
    as_good = _served(problem, capacity, first) >= _served(problem, capacity, found) - 1e-6
    return (first if as_good else found), bound


def _rows(
    problem: _Problem, capacity: Floats | None
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
    problem: _Problem,
    capacity: Floats | None,
    chosen: NDArray[np.intp],
    bound: float,
    share: float | None,
) -> Sites:
    order = _greedy_order(problem, capacity, chosen)
    sums = [_served(problem, capacity, order[: n + 1]) for n in range(len(order))]
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


def _greedy_order(
    problem: _Problem, capacity: Floats | None, chosen: NDArray[np.intp]
) -> NDArray[np.intp]:
    """Put the chosen in the order in which each adds most to those before it."""
    part = problem._replace(reach=problem.reach[:, np.sort(chosen)].tocsr())
    limit = None if capacity is None else capacity[np.sort(chosen)]
    order: NDArray[np.intp] = np.sort(chosen)[_greedy(part, limit, len(chosen) or None, None)]
    return order

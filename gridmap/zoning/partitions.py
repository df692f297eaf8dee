"""From units to grids: the one call that draws them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import NamedTuple

import numpy as np
from geopandas import GeoDataFrame
from pandas import DataFrame, Index, Series

from .. import ledger, schema
from ..errors import PartitionError, listed
from ..executors.base import Executor
from ..rules import BarrierRule, CodeRule, SizeRule
from . import codes, finish, intake, maximum, plan, reasons
from .effort import EFFORTS
from .intake import Asked
from .weights import DrawingWeights, tame

#: Told how many units are done, and how many there are.
Progress = Callable[[int, int], None]


class Partition(NamedTuple):
    """Grids made from units."""

    grids: GeoDataFrame  # schema GRIDS
    assignment: Series  # unit -> grid, every unit once
    changes: DataFrame  # schema CHANGES: what was altered, and why


def partition(
    units: GeoDataFrame,
    size: SizeRule | Mapping[str, SizeRule],
    *,
    within: str = "territory",
    size_by: str | None = None,
    workload: Mapping[str, float] | None = None,
    barriers: GeoDataFrame | None = None,
    barrier_rule: BarrierRule | None = None,
    dedicated: Collection[str] = (),
    links: DataFrame | None = None,
    locked: Series | None = None,
    homes: GeoDataFrame | None = None,
    counts: Mapping[str, int] | None = None,
    weights: DrawingWeights | None = None,
    code: CodeRule | None = None,
    seed: int = 0,
    effort: str = "normal",
    workers: int = 1,
    progress: Progress | None = None,
    time_limit_s: float | None = None,
    snap_m: float = 0.05,
    executor: Executor | None = None,
) -> Partition:
    """Draw grids out of units: whole units, contiguous, in range, and compact.

    Every unit goes to exactly one grid, and every grid lies inside one territory. Units of
    a dedicated kind, and units that alone hold more than a grid may, have a grid of their
    own. Parts of a territory that touch no other part get their own grids where they are
    large enough; a smaller one is linked to the nearest part and named in ``changes``.

    Parameters
    ----------
    units : GeoDataFrame, schema UNITS
        In a CRS in metres. The order of rows does not matter.
    size : SizeRule or mapping of str to SizeRule
        The range of a grid, and limits on other measures. Where totals do not allow it,
        grids are drawn as well as possible, rather too small than too large, and the reason
        is in ``changes``.
    within : str, default "territory"
        Column of units with the territory that no grid may cross.
    size_by : str, optional
        Column of units that picks the rule where ``size`` is a mapping: "urban", "rural".
        A territory goes by the value with most households.
    workload : mapping of str to float, optional
        Columns of units and their weights: their sum sizes a grid, in place of the measure
        of the rule, whose range is then in that unit.
    barriers : GeoDataFrame, schema BARRIERS, optional
        Lines that grids should follow, in the same CRS.
    barrier_rule : BarrierRule, optional
        How strongly, by kind; without it every line counts fully.
    dedicated : collection of str, default ()
        Kinds of units that have a grid of their own.
    links : DataFrame, optional
        Pairs of units that count as neighbours although they do not touch, such as the
        landings of a ferry: columns ``unit`` and ``linked``.
    locked : Series, optional
        Grids that stay as they are: unit -> code of the grid, for all of their units.
    homes : GeoDataFrame, optional
        Points that a grid each should lie around, as near as the rest allows.
    counts : mapping of str to int, optional
        Number of grids of some territories, by their code, instead of the one that fits the
        size. Grids of single units count; a part that touches no other has one at least.
    weights : DrawingWeights, optional
        How much compactness, barriers, short ways and the like count against one another.
    code : CodeRule, optional
        How codes are laid out; the territory's code and four digits by default.
    seed : int, default 0
        Another seed gives another drawing; the same gives the same.
    effort : {"normal", "draft", "best"}
        How long to look for better grids.
    workers : int, default 1
        Threads; the outcome does not depend on it.
    progress : callable, optional
        Called with (units done, units in all), from any thread; `watch` makes a bar of it.
    time_limit_s : float, optional
        Seconds after which the search ends with what it has, which then depends on the
        machine. An interrupt does the same; a second one is raised.
    snap_m : float, default 0.05
        How far apart two outlines may run and still be one border, in metres.
    executor : Executor, optional
        Draws in processes, here or on a cluster, in place of the threads of ``workers``; the
        outcome is the same.

    Returns
    -------
    Partition
        ``grids`` sorted by code, ``assignment`` sorted by unit, and ``changes`` with a row
        for every grid out of range, dedicated, in pieces, or joined to an island. A maximum
        is exceeded only by a unit that does so alone, by a locked grid, or where the number
        of grids was asked for.

    Raises
    ------
    SchemaError, CRSError
        If a frame does not follow its schema, or frames are not in one CRS in metres.
    TilingError
        If a polygon is not valid.
    PartitionError
        If units lack a column that was named, or an argument contradicts the units.
    CodeError
        If the code rule issues no codes.

    See Also
    --------
    measure_partition : The figures of any assignment.

    Examples
    --------
    >>> from gridmap.sketch import sketch_units
    >>> units = sketch_units("ABCD", "EFGH")
    >>> drawn = partition(units, SizeRule(minimum=4, target=4, maximum=4))
    >>> drawn.assignment.to_dict()["A"], drawn.assignment.to_dict()["H"]
    ('T-0001', 'T-0002')
    >>> drawn.grids["households"].tolist()
    [4, 4]
    """
    intake.check_units(units, within)
    _check(effort, workers, units, within, counts)
    codes.check_territories(code or finish.PLAIN, Series(dtype="str"))
    if units.empty:
        return _nothing(units)
    from . import search  # numba is slow to load
    from .kernels import compiled

    compiled.tell_about_compiling()

    units, wishes = units.sort_index(), tame(weights or DrawingWeights())
    given = intake.take_units(units, size, Asked(
        within=within, size_by=size_by, workload=workload, barriers=barriers,
        barrier_rule=barrier_rule, dedicated=dedicated, links=links, locked=locked,
        homes=homes, weights=wishes, snap_m=snap_m,
    ))
    drawing = plan.make_plan(given, seed=seed, wanted=counts)
    label, whole = search.draw(
        drawing, EFFORTS[effort], wishes, workers=workers, progress=progress,
        time_limit_s=time_limit_s, executor=executor,
    )
    label = maximum.keep_maximum(drawing, label)
    label = finish.number_alone(drawing, label)
    grids = finish.build_grids(units, given, label)
    kept = {} if locked is None else _kept(locked, label, units.index, grids.index)
    issued, unfit = finish.issue(grids, code or finish.PLAIN, kept)
    grids.index = Index(issued, dtype="str", name="grid")
    changes = [unfit, finish.explain(drawing, label, grids, counts or {})]
    if not whole:
        changes.append(reasons.note([None], "search cut short"))
    return Partition(
        grids.sort_index(),
        Series(issued.to_numpy()[label], index=units.index, name="grid", dtype="str"),
        ledger.join_changes(*changes),
    )


def _check(
    effort: str,
    workers: int,
    units: GeoDataFrame,
    within: str,
    counts: Mapping[str, int] | None,
) -> None:
    if effort not in EFFORTS:
        raise PartitionError(f"effort is {effort!r}: expected {listed(sorted(EFFORTS))}")
    if workers < 1:
        raise PartitionError(f"workers is {workers}: at least 1 is needed")
    unknown = sorted(set(counts or {}) - set(units[within]))
    if unknown:
        raise PartitionError(f"counts names {listed(unknown)}, in which no unit lies")


def _nothing(units: GeoDataFrame) -> Partition:
    grids = schema.empty_frame(schema.GRIDS, crs=units.crs)
    index = Index([], dtype="str", name="unit")
    return Partition(grids, Series(dtype="str", name="grid", index=index), ledger.join_changes())


def _kept(
    locked: Series, label: np.ndarray, units: Index, grids: Index
) -> dict[str, str]:
    """Return the codes of locked grids, by the name that the grid has so far."""
    at = units.get_indexer(locked.index)
    return dict(zip(grids[label[at]], locked.to_numpy(str), strict=True))

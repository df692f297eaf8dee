"""From units to grids: the one call that draws them."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import NamedTuple

import numpy as np
import pandas as pd
import shapely
from geopandas import GeoDataFrame
from numpy.typing import NDArray
from pandas import DataFrame, Series

from .. import ledger, schema
from ..errors import PartitionError, SchemaError, listed
from ..rules import BarrierRule, CodeRule, SizeRule
from ..tiling import areas
from . import codes, counts, dissolve, measure, plan, reasons
from . import graph as graphs
from .effort import EFFORTS
from .plan import Given, Plan
from .qualities import Qualities
from .weights import DrawingWeights

#: Told how many units are done, and how many there are.
Progress = Callable[[int, int], None]

PLAIN = CodeRule(name="plain", parts=(codes.PLAIN_DIGITS,))


class Partition(NamedTuple):
    """Grids made from units."""

    grids: GeoDataFrame  # schema GRIDS
    assignment: Series  # unit -> grid, every unit once
    changes: DataFrame  # schema CHANGES: what was altered, and why


def partition(
    units: GeoDataFrame,
    size: SizeRule,
    *,
    within: str = "territory",
    barriers: GeoDataFrame | None = None,
    barrier_rule: BarrierRule | None = None,
    dedicated: Collection[str] = (),
    code: CodeRule | None = None,
    seed: int = 0,
    effort: str = "normal",
    weights: DrawingWeights | None = None,
    workers: int = 1,
    progress: Progress | None = None,
    time_limit_s: float | None = None,
    snap_m: float = 0.05,
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
    size : SizeRule
        The range of a grid, and limits on other measures. Where totals do not allow it,
        grids are drawn as well as possible and the reason is in ``changes``.
    within : str, default "territory"
        Column of units with the territory that no grid may cross.
    barriers : GeoDataFrame, schema BARRIERS, optional
        Lines that grids should follow, in the same CRS.
    barrier_rule : BarrierRule, optional
        How strongly, by kind; without it every line counts fully.
    dedicated : collection of str, default ()
        Kinds of units that have a grid of their own.
    code : CodeRule, optional
        How codes are laid out; the territory's code and four digits by default.
    seed : int, default 0
        Another seed gives another drawing; the same gives the same.
    effort : {"normal", "draft", "best"}
        How long to look for better grids.
    weights : DrawingWeights, optional
        How much compactness, barriers, short ways and the like count against one another.
    workers : int, default 1
        Threads; the outcome does not depend on it.
    progress : callable, optional
        Called with (units done, units in all), from any thread.
    time_limit_s : float, optional
        Seconds after which the search ends with what it has, which then depends on the
        machine. An interrupt does the same; a second one is raised.
    snap_m : float, default 0.05
        How far apart two outlines may run and still be one border, in metres.

    Returns
    -------
    Partition
        ``grids`` sorted by code, ``assignment`` sorted by unit, and ``changes`` with a row
        for every grid out of range, dedicated, or joined to an island.

    Raises
    ------
    SchemaError, CRSError
        If a frame does not follow its schema, or frames are not in one CRS in metres.
    PartitionError
        If units lack the measure of the rule, or ``effort`` is not known.
    CodeError
        If a territory has more grids than the code rule has numbers.

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
    _check(units, size, within, effort, workers)
    if units.empty:
        return _nothing(units)
    units = units.sort_index()
    given = _take(
        units, size, within=within, barriers=barriers, barrier_rule=barrier_rule,
        dedicated=dedicated, weights=weights or DrawingWeights(), snap_m=snap_m,
    )
    drawing = plan.make_plan(given, size, seed=seed)
    from . import search  # numba is slow to load

    label, whole = search.draw(
        drawing, EFFORTS[effort], weights or DrawingWeights(), workers=workers,
        progress=progress, time_limit_s=time_limit_s,
    )
    drawn = _finish(units, given, drawing, _number_alone(drawing, label), size, code or PLAIN)
    if whole:
        return drawn
    return drawn._replace(
        changes=ledger.join_changes(drawn.changes, reasons.note([None], "search cut short"))
    )


def _take(
    units: GeoDataFrame,
    size: SizeRule,
    *,
    within: str,
    barriers: GeoDataFrame | None,
    barrier_rule: BarrierRule | None,
    dedicated: Collection[str],
    weights: DrawingWeights,
    snap_m: float,
) -> Given:
    """Take what is needed of sorted units as arrays."""
    load = measure.loads_of(units, size)
    graph = graphs.build_graph(
        units, barriers=barriers, barrier_rule=barrier_rule, snap_m=snap_m
    )
    everybody = units[["households", "people"]].sum(axis=1).to_numpy()
    own = np.zeros(len(units), bool)
    if "kind" in units:
        own = units["kind"].isin(list(dedicated)).to_numpy()
    return Given(
        codes=units.index.to_numpy(str),
        territory=units[within].to_numpy(str),
        shapes=units.geometry.to_numpy(),
        graph=graph,
        load=load,
        empty=everybody + load[:, 0] == 0,
        own=own,
        qualities=_qualities(units, graph, weights),
    )


def _qualities(
    units: GeoDataFrame, graph: graphs.UnitGraph, weights: DrawingWeights
) -> Qualities:
    """Return what should be alike in a grid: the place of units, and chosen columns."""
    values: list[NDArray[np.float64]] = []
    pull: list[float] = []
    if weights.travel:
        values += [graph.place[:, 0], graph.place[:, 1]]
        pull += [weights.travel, weights.travel]
    for column, weight in weights.likeness.items():
        if column not in units or not units[column].notna().all():
            raise PartitionError(
                f"units: column {column}, which grids should be alike in, is absent or has "
                "missing values. Fill it, or leave it out of likeness."
            )
        values.append(units[column].to_numpy(np.float64))
        pull.append(weight)
    table = np.stack(values, axis=1) if values else np.zeros((len(units), 0))
    return Qualities(table, np.array(pull), bool(weights.travel))


def _check(units: GeoDataFrame, size: SizeRule, within: str, effort: str, workers: int) -> None:
    schema.check_frame(units, schema.UNITS, argument="units")
    schema.check_metric_crs(units=units)
    if within not in units or units[within].isna().any():
        raise SchemaError(
            f"units: column {within}, which grids must stay within, is absent or has missing "
            "values. Attach the territory of every unit first."
        )
    if effort not in EFFORTS:
        raise PartitionError(f"effort is {effort!r}: expected {listed(sorted(EFFORTS))}")
    if workers < 1:
        raise PartitionError(f"workers is {workers}: at least 1 is needed")


def _nothing(units: GeoDataFrame) -> Partition:
    grids = schema.empty_frame(schema.GRIDS, crs=units.crs)
    index = pd.Index([], dtype="str", name="unit")
    return Partition(grids, Series(dtype="str", name="grid", index=index), ledger.join_changes())


def _number_alone(drawing: Plan, label: NDArray[np.int64]) -> NDArray[np.int64]:
    """Number the grids of single units, after those that were drawn."""
    alone = np.flatnonzero(drawing.parts.part < 0)
    host = drawing.parts.host[alone]
    label = label.copy()
    label[alone] = label.max() + 1 + np.unique(host, return_inverse=True)[1]
    return label


def _finish(
    units: GeoDataFrame,
    given: Given,
    drawing: Plan,
    label: NDArray[np.int64],
    size: SizeRule,
    rule: CodeRule,
) -> Partition:
    count = int(label.max()) + 1
    first = np.unique(label, return_index=True)[1]
    own = np.bincount(label, given.own, minlength=count) > 0
    grids = GeoDataFrame(
        {
            "territory": given.territory[first],
            "kind": np.where(own, "dedicated", "comprehensive"),
            "households": units["households"].groupby(label).sum().to_numpy(),
            "people": units["people"].groupby(label).sum().to_numpy(),
        },
        geometry=dissolve.dissolve(given.shapes, label, count),
        index=pd.Index(given.codes[first], dtype="str", name="grid"),
        crs=units.crs,
    ).astype({"territory": "str", "kind": "str"})
    grids.insert(4, "area_m2", areas.measure_area(grids))
    issued, unfit = _issue(grids, rule)
    assignment = Series(issued.to_numpy()[label], index=units.index, name="grid", dtype="str")
    grids.index = pd.Index(issued, dtype="str", name="grid")
    changes = _explain(given, drawing, label, grids, size)
    return Partition(grids.sort_index(), assignment, ledger.join_changes(unfit, changes))


def _issue(grids: GeoDataFrame, rule: CodeRule) -> tuple[Series, DataFrame]:
    """Issue codes by the rule, and by the plain layout where it does not fit."""
    unfit = codes.find_unfit_territories(grids["territory"], rule)
    odd = grids["territory"].isin(unfit)
    issued = pd.concat([
        codes.issue_codes(some, layout)
        for some, layout in ((grids[~odd], rule), (grids[odd], PLAIN)) if len(some)
    ]).reindex(grids.index)
    lengths = [f"{len(territory)} characters" for territory in unfit]
    return issued, reasons.note(
        unfit, "code rule not applicable", before=f"{rule.name}: {rule.prefix} characters",
        after=lengths,
    )


def _explain(
    given: Given,
    drawing: Plan,
    label: NDArray[np.int64],
    grids: GeoDataFrame,
    size: SizeRule,
) -> DataFrame:
    """Write why each odd grid is odd; ``grids`` are in the order of their numbers."""
    count = len(grids)
    sums = measure.sum_loads(drawing.load, label, count)
    by_grid = DataFrame(sums, columns=list(counts.measures_of(size)), index=grids.index)
    part = np.full(count, -1)
    part[label] = drawing.parts.part
    faults = np.array([number.fault for number in drawing.counts] + [""], dtype=object)
    hosts = drawing.parts.host
    alone = np.full(count, None, dtype=object)
    alone[label[hosts >= 0]] = given.codes[hosts[hosts >= 0]]
    sole = grids["territory"].map(grids["territory"].value_counts()).to_numpy() == 1
    by_grid = by_grid.assign(
        state=measure.size_states(sums, size), fault=faults[part], alone=alone,
        dedicated=(grids["kind"] == "dedicated").to_numpy(), sole=sole,
    )
    return ledger.join_changes(
        reasons.explain_sizes(by_grid, size),
        _bridged(given, drawing, label, grids),
        _pockets(given, drawing, label, grids),
    )


def _bridged(
    given: Given, drawing: Plan, label: NDArray[np.int64], grids: GeoDataFrame
) -> DataFrame:
    """Name every grid that a bridge holds together."""
    pairs = drawing.parts.bridges
    pairs = pairs[label[pairs[:, 0]] == label[pairs[:, 1]]]
    gap = shapely.distance(given.shapes[pairs[:, 0]], given.shapes[pairs[:, 1]])
    return reasons.explain_bridges(
        [(given.codes[a], given.codes[b]) for a, b in pairs],
        list(grids.index[label[pairs[:, 0]]]), list(gap),
    )


def _pockets(
    given: Given, drawing: Plan, label: NDArray[np.int64], grids: GeoDataFrame
) -> DataFrame:
    """Name every grid of a single unit that took up units cut off by it."""
    host = drawing.parts.host
    taken = np.flatnonzero((host >= 0) & (host != np.arange(len(host))))
    return reasons.explain_pockets(list(given.codes[taken]), list(grids.index[label[taken]]))

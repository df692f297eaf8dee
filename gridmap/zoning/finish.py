"""From numbered grids to frames: polygons, codes, and the reasons of what is odd."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pandas as pd
import shapely
from geopandas import GeoDataFrame
from numpy.typing import NDArray
from pandas import DataFrame, Index, Series

from .. import ledger
from ..rules import CodeRule
from ..tiling import areas
from . import codes, dissolve, measure, reasons, sizes
from .plan import Given, Plan

PLAIN = CodeRule(name="plain", parts=(codes.PLAIN_DIGITS,))


def number_alone(plan: Plan, label: NDArray[np.int64]) -> NDArray[np.int64]:
    """Number the grids of single units and locked ones, after those that were drawn."""
    alone = np.flatnonzero(plan.parts.part < 0)
    label = label.copy()
    label[alone] = label.max() + 1 + np.unique(plan.parts.host[alone], return_inverse=True)[1]
    return label


def build_grids(
    units: GeoDataFrame, given: Given, label: NDArray[np.int64]
) -> GeoDataFrame:
    """Return grids in the order of their numbers, named by their first unit."""
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
        index=Index(given.codes[first], dtype="str", name="grid"),
        crs=units.crs,
    ).astype({"territory": "str", "kind": "str"})
    grids.insert(4, "area_m2", areas.measure_area(grids))
    return grids


def issue(
    grids: GeoDataFrame, rule: CodeRule, kept: Mapping[str, str]
) -> tuple[Series, DataFrame]:
    """Issue codes by the rule, by the plain layout where it does not fit or has too few.

    Parameters
    ----------
    grids : GeoDataFrame
    rule : CodeRule
    kept : mapping of str to str
        Codes of locked grids, by the name of the grid.

    Returns
    -------
    codes : Series
        On the index of ``grids``.
    changes : DataFrame, schema CHANGES
    """
    locked = grids.index.isin(list(kept))
    unfit = codes.find_unfit_territories(grids["territory"][~locked], rule)
    crowded = _find_crowded(grids["territory"], rule).difference(unfit)
    odd = grids["territory"].isin([*unfit, *crowded])
    plain = _widen(PLAIN, grids["territory"][odd])
    issued = [Series(kept, dtype="str")] if kept else []
    issued += [
        codes.issue_codes(some, layout, taken=kept.values())
        for some, layout in ((grids[~odd & ~locked], rule), (grids[odd & ~locked], plain))
        if len(some)
    ]
    lengths = [f"{len(territory)} characters" for territory in unfit]
    return pd.concat(issued).reindex(grids.index), ledger.join_changes(
        reasons.note(unfit, "code rule not applicable", after=lengths,
                     before=f"{rule.name}: {rule.territory} characters"),
        reasons.note([] if rule == PLAIN else list(crowded), "code rule too short",
                     before=f"{rule.name}: {rule.capacity:,} numbers"),
    )


def _find_crowded(territories: Series, rule: CodeRule) -> Index:
    """Return the territories with more grids than the rule has numbers, sorted."""
    counts = territories.value_counts()
    return counts.index[counts > rule.capacity].sort_values()


def _widen(rule: CodeRule, territories: Series) -> CodeRule:
    """Return the rule with as long a sequence as the largest territory needs."""
    most = int(territories.value_counts().max()) if len(territories) else 0
    return replace(rule, parts=(max(rule.parts[-1], len(str(most))),))


def explain(
    plan: Plan, label: NDArray[np.int64], grids: GeoDataFrame, wanted: Mapping[str, int]
) -> DataFrame:
    """Write why each odd grid is odd; ``grids`` are in the order of their numbers."""
    given = plan.given
    names = grids.index
    return ledger.join_changes(
        reasons.explain_sizes(_by_grid(plan, label, grids), given.sizes.ranges),
        _bridged(plan, label, names),
        _in_pieces(plan, label, grids),
        _pockets(plan, label, names),
        _missed(grids, wanted),
        reasons.note(
            [f"home {i + 1}" for i in np.flatnonzero(given.home_unit < 0)], "home outside"
        ),
    )


def _by_grid(plan: Plan, label: NDArray[np.int64], grids: GeoDataFrame) -> DataFrame:
    given, count = plan.given, len(grids)
    sums = sizes.sum_loads(given.sizes.load, label, count)
    first = np.unique(label, return_index=True)[1]
    row = given.sizes.row[first]
    faults = np.array([number.fault for number in plan.counts] + [""], dtype=object)
    host = plan.parts.host[first]
    alone = np.full(count, None, dtype=object)
    alone[host >= 0] = given.codes[host[host >= 0]]
    territory = grids["territory"]
    filled = np.bincount(label, given.sizes.load[:, 0] > 0, minlength=count)
    return DataFrame(sums, columns=list(given.sizes.ranges[0].measures), index=grids.index).assign(
        state=sizes.size_states(sums, given.sizes.ranges, row),
        fault=faults[plan.parts.part[first]],
        alone=alone,
        dedicated=(grids["kind"] == "dedicated").to_numpy(),
        locked=given.locked[first] >= 0,
        sole=(territory.map(territory.value_counts()) == 1).to_numpy(),
        where=_neighbours(plan, label, territory),
        mean_unit=sums[:, 0] / np.maximum(filled, 1),
        row=row,
    )


def _neighbours(plan: Plan, label: NDArray[np.int64], territory: Series) -> list[str]:
    """Name the territory of each grid, and the one that it has the longest border with."""
    graph, given = plan.given.graph, plan.given
    across = np.flatnonzero(given.territory[graph.source] != given.territory[graph.neighbour])
    border = DataFrame({
        "grid": label[graph.source[across]],
        "beside": given.territory[graph.neighbour[across]],
        "length": graph.length[across],
    }).groupby(["grid", "beside"]).sum().reset_index()
    order = border.sort_values(["length", "beside"], ascending=[False, True])
    longest = order.drop_duplicates("grid").set_index("grid")["beside"].to_dict()
    return [
        f"territory {name}, beside {longest[grid]}" if grid in longest else f"territory {name}"
        for grid, name in enumerate(territory)
    ]


def _bridged(plan: Plan, label: NDArray[np.int64], names: Index) -> DataFrame:
    """Name every grid that a bridge holds together."""
    given, pairs = plan.given, plan.parts.bridges
    pairs = pairs[label[pairs[:, 0]] == label[pairs[:, 1]]]
    gap = shapely.distance(given.shapes[pairs[:, 0]], given.shapes[pairs[:, 1]])
    return reasons.explain_bridges(
        [(given.codes[a], given.codes[b]) for a, b in pairs],
        list(names[label[pairs[:, 0]]]), list(gap),
    )


def _in_pieces(plan: Plan, label: NDArray[np.int64], grids: GeoDataFrame) -> DataFrame:
    """Name every grid in pieces because it was locked so, or a unit of it is."""
    given, names = plan.given, grids.index
    locked = np.unique(label[given.locked >= 0])
    torn = locked[measure.count_pieces(given.graph, label, len(names))[locked] > 1]
    parts = shapely.get_num_geometries(given.shapes)
    several = np.flatnonzero((parts > 1) & (shapely.get_num_geometries(
        grids.geometry.to_numpy()) > 1)[label])
    several = several[~np.isin(label[several], torn)]
    first = several[np.unique(label[several], return_index=True)[1]]
    return reasons.explain_pieces(
        [*names[torn], *names[label[first]]],
        ["locked"] * len(torn)
        + [f"unit {given.codes[unit]} lies in {parts[unit]} pieces" for unit in first],
    )


def _pockets(plan: Plan, label: NDArray[np.int64], names: Index) -> DataFrame:
    """Name every grid of a single unit that took up units cut off by it."""
    host = plan.parts.host
    taken = np.flatnonzero(
        (host >= 0) & (host != np.arange(len(host))) & (plan.given.locked < 0)
    )
    return reasons.explain_pockets(
        list(plan.given.codes[taken]), list(names[label[taken]])
    )


def _missed(grids: GeoDataFrame, wanted: Mapping[str, int]) -> DataFrame:
    """Name every territory that did not get the number of grids asked for."""
    made = grids["territory"].value_counts()
    missed = [name for name in sorted(wanted) if made.get(name, 0) != wanted[name]]
    return reasons.note(
        missed, "number of grids not reached", before=[str(wanted[name]) for name in missed],
        after=[str(made.get(name, 0)) for name in missed],
    )

"""Taking what a redraw needs out of frames: who borders whom, and who is where so far."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import NamedTuple

import numpy as np
import pandas as pd
from geopandas import GeoDataFrame
from numpy.typing import NDArray
from pandas import DataFrame, Index, Series

from .. import ledger, schema
from ..errors import PartitionError, listed
from ..rules import SizeRule
from ..zoning import graph as graphs
from ..zoning import intake, links, sizes
from ..zoning.graph import UnitGraph
from ..zoning.sizes import Sizes

STEP = "redraw"


class Ground(NamedTuple):
    """Units in the order of their codes, and the net that is in use.

    ``whole`` has all borders, ``graph`` only those that a grid may grow across. ``old`` is
    the grid of each unit so far, a position in ``codes`` or -1; ``label`` the grid it is in
    before anything is redrawn, where borders of territories have moved or units are new:
    numbers past ``codes`` are grids that begin. ``fixed`` are grids that stay.
    """

    units: GeoDataFrame
    whole: UnitGraph
    graph: UnitGraph
    sizes: Sizes
    within: str
    codes: NDArray[np.str_]
    old: NDArray[np.int64]
    label: NDArray[np.int64]
    fixed: NDArray[np.bool_]
    dedicated: NDArray[np.bool_]
    changes: DataFrame

    @property
    def size(self) -> int:
        """How many grids there are, those that begin included."""
        return len(self.fixed)


def take_ground(
    grids: GeoDataFrame | Series,
    units: GeoDataFrame,
    size: SizeRule | Mapping[str, SizeRule],
    *,
    within: str,
    size_by: str | None,
    workload: Mapping[str, float] | None,
    locked: Collection[str],
    dedicated: Collection[str],
    declared: DataFrame | None,
    snap_m: float,
) -> Ground:
    """Take frames as arrays; see `repartition` for the arguments."""
    intake.check_units(units, within)
    units = units.sort_index()
    assignment, told = find_assignment(grids, units)
    codes, old = _number(assignment, units)
    unknown = sorted(set(locked) - set(codes))
    if unknown:
        raise PartitionError(
            f"locked names {listed(unknown)}, which no unit is in. Name grids by their codes.",
            rows=unknown,
        )
    whole = graphs.build_graph(units, snap_m=snap_m)
    if declared is not None:
        whole = links.add_links(whole, units.index, declared)
    territory = np.unique(units[within].to_numpy(str), return_inverse=True)[1]
    own = _dedicated(grids, units, codes, old, dedicated)
    fixed = np.isin(codes, list(locked)) | own
    label = _begin(whole, territory, old, fixed, units)
    held = np.concatenate([fixed, np.zeros(label.max(initial=-1) + 1, bool)])
    held = held[: max(len(codes), label.max(initial=-1) + 1)]
    gathered = sizes.gather_sizes(
        units, size, within=within, size_by=size_by, workload=workload)
    inside = _open_arcs(whole, territory, label, held)
    graph = _bridged(units, inside, label, territory)
    return Ground(units, whole, graph, gathered, within, codes, old, label, held,
                  np.concatenate([own, np.zeros(len(held) - len(own), bool)]),
                  ledger.join_changes(told, _tell_begun(units, codes, old, label)))


def find_assignment(
    grids: GeoDataFrame | Series, units: GeoDataFrame
) -> tuple[Series, DataFrame]:
    """Return the grid of each unit, missing where it has none, and what was odd.

    A unit belongs to the grid that holds a point inside it, of several the one whose code
    sorts first.

    Examples
    --------
    >>> from gridmap.sketch import sketch_grids, sketch_units
    >>> assignment, changes = find_assignment(sketch_grids("GGH"), sketch_units("ABC"))
    >>> assignment.to_dict(), len(changes)
    ({'A': 'G', 'B': 'G', 'C': 'H'}, 0)
    """
    if isinstance(grids, GeoDataFrame):
        schema.check_frame(grids, schema.GRIDS, argument="grids")
        schema.check_metric_crs(units=units, grids=grids)
        ordered = grids.sort_index()
        points = units.geometry.representative_point()
        unit_at, grid_at = ordered.sindex.query(points, predicate="intersects")
        first = np.full(len(units), len(ordered))
        np.minimum.at(first, unit_at, grid_at)
        names = np.array([*ordered.index, None], dtype=object)
        found = Series(names[first], index=units.index, dtype="str", name="grid")
        lost = ordered.index.difference(found.dropna().unique())
        return found, ledger.note_changes(
            lost, step=STEP, what="grid without units",
            note="no unit lies in the grid: its code is retired")
    if grids.index.has_duplicates:
        twice = grids.index[grids.index.duplicated()].unique()
        raise PartitionError(f"assignment repeats {listed(twice)}. It must name a unit once.",
                             rows=[str(code) for code in twice])
    gone = grids.index.difference(units.index)
    return grids.reindex(units.index).astype("str").rename("grid"), ledger.note_changes(
        sorted(gone), step=STEP, what="unit is gone",
        note="the unit had a grid, but is not among the units any more")


def _number(
    assignment: Series, units: GeoDataFrame
) -> tuple[NDArray[np.str_], NDArray[np.int64]]:
    known = assignment.notna().to_numpy()
    codes, at = np.unique(assignment[known].to_numpy(str), return_inverse=True)
    old = np.full(len(units), -1, np.int64)
    old[known] = at
    return codes, old


def _dedicated(
    grids: GeoDataFrame | Series, units: GeoDataFrame, codes: NDArray[np.str_],
    old: NDArray[np.int64], kinds: Collection[str],
) -> NDArray[np.bool_]:
    """Return which grids are dedicated: by their kind, or by that of a unit in them."""
    own = np.zeros(len(codes), bool)
    if isinstance(grids, GeoDataFrame):
        own = (grids["kind"].reindex(codes) == "dedicated").to_numpy()
    if "kind" in units and kinds:
        some = units["kind"].isin(list(kinds)).to_numpy() & (old >= 0)
        own = own | (np.bincount(old[some], minlength=len(codes)) > 0)
    return np.asarray(own, bool)


def _begin(
    graph: UnitGraph, territory: NDArray[np.int64], old: NDArray[np.int64],
    fixed: NDArray[np.bool_], units: GeoDataFrame,
) -> NDArray[np.int64]:
    """Return the grid of each unit once borders of territories and new units are heeded.

    Of a grid that lies in several territories now, the part with most households keeps the
    code, and the first of equals; the others begin as grids of their own. A new unit goes
    to the neighbour in its territory with the longest border; where there is none, new
    units that touch begin a grid together.
    """
    if not len(old):
        return old.copy()
    weight = units["households"].to_numpy(float) + 1e-6
    label = _split_at_borders(old, territory, weight)
    label = _split_torn(graph, territory, old, label, weight)
    stays = np.append(fixed, np.zeros(label.max() + 2, bool))
    source = graph.source
    near = territory[source] == territory[graph.neighbour]
    while True:  # new units, from the rim inwards
        some = near & (label[source] < 0) & (label[graph.neighbour] >= 0)
        some &= ~stays[label[graph.neighbour]]
        if not some.any():
            break
        rows = pd.DataFrame({
            "unit": source[some], "grid": label[graph.neighbour[some]],
            "border": graph.length[some],
        })
        border = rows.groupby(["unit", "grid"], sort=True)["border"].sum().reset_index()
        best = border.sort_values(["unit", "border", "grid"], ascending=[True, False, True])
        best = best.drop_duplicates("unit")
        label[best["unit"].to_numpy()] = best["grid"].to_numpy()
    fresh = label < 0
    if fresh.any():
        piece = graphs.find_parts(graphs.keep_arcs(
            graph, near & fresh[source] & fresh[graph.neighbour]))[1]
        label[fresh] = label.max() + 1 + np.unique(piece[fresh], return_inverse=True)[1]
    return label


def _split_at_borders(
    old: NDArray[np.int64], territory: NDArray[np.int64], weight: NDArray[np.float64]
) -> NDArray[np.int64]:
    known = np.flatnonzero(old >= 0)
    label = old.copy()
    rows = pd.DataFrame({"grid": old[known], "territory": territory[known],
                         "weight": weight[known]})
    held = rows.groupby(["grid", "territory"], sort=True)["weight"].sum().reset_index()
    held = held.sort_values(["grid", "weight", "territory"], ascending=[True, False, True])
    rest = held[held.duplicated("grid")].sort_values(["grid", "territory"])
    number = {(g, t): old.max() + 1 + i for i, (g, t) in
              enumerate(zip(rest["grid"], rest["territory"], strict=True))}
    if number:
        keys = zip(rows["grid"], rows["territory"], strict=True)
        label[known] = [number.get(key, key[0]) for key in keys]
    return label


def _split_torn(
    graph: UnitGraph, territory: NDArray[np.int64], old: NDArray[np.int64],
    label: NDArray[np.int64], weight: NDArray[np.float64],
) -> NDArray[np.int64]:
    """Let pieces that a new border has torn off a grid begin grids of their own."""
    source = graph.source
    before = _count_pieces(graph, old, (old[source] == old[graph.neighbour]))
    near = (label[source] == label[graph.neighbour]) & (
        territory[source] == territory[graph.neighbour])
    piece = graphs.find_parts(graphs.keep_arcs(graph, near & (label[source] >= 0)))[1]
    known = np.flatnonzero((label >= 0) & (before[old] == 1))
    rows = pd.DataFrame({"grid": label[known], "piece": piece[known], "weight": weight[known]})
    held = rows.groupby(["grid", "piece"], sort=True)["weight"].sum().reset_index()
    held = held.sort_values(["grid", "weight", "piece"], ascending=[True, False, True])
    rest = np.sort(held.loc[held.duplicated("grid"), "piece"].to_numpy())
    torn = np.isin(piece, rest)
    label = label.copy()
    label[torn] = label.max() + 1 + np.searchsorted(rest, piece[torn])
    return label


def _count_pieces(
    graph: UnitGraph, label: NDArray[np.int64], joined: NDArray[np.bool_]
) -> NDArray[np.int64]:
    piece = graphs.find_parts(graphs.keep_arcs(graph, joined))[1]
    owner = label[np.unique(piece, return_index=True)[1]]
    return np.bincount(owner[owner >= 0], minlength=max(int(label.max()) + 1, 1))


def _open_arcs(
    graph: UnitGraph, territory: NDArray[np.int64], label: NDArray[np.int64],
    fixed: NDArray[np.bool_],
) -> UnitGraph:
    """Drop arcs across territories, and those between grids that stay and others."""
    source = graph.source
    keep = territory[source] == territory[graph.neighbour]
    apart = label[source] != label[graph.neighbour]
    shut = fixed[label[source]] | fixed[label[graph.neighbour]]
    return graphs.keep_arcs(graph, keep & ~(apart & shut))


def _bridged(
    units: GeoDataFrame, graph: UnitGraph, label: NDArray[np.int64],
    territory: NDArray[np.int64],
) -> UnitGraph:
    """Link the pieces of grids that lie in several, so that none loses a piece unasked."""
    joined = graphs.keep_arcs(graph, label[graph.source] == label[graph.neighbour])
    _, piece = graphs.find_parts(joined)
    first = np.unique(piece, return_index=True)[1]
    owner = label[first]
    torn = np.flatnonzero(np.bincount(owner, minlength=1) > 1)
    pairs = []
    shapes = units.geometry.to_numpy()
    for grid in torn:  # few: islands, and grids that were torn before
        mine = np.flatnonzero(owner == grid)
        groups = [np.flatnonzero(piece == one) for one in mine]
        pairs += [_closest(shapes, groups[0], group) for group in groups[1:]]
    if not pairs:
        return graph
    ends = np.array(pairs, np.int64)
    return graphs.add_bridges(graph, ends[:, 0], ends[:, 1])


def _closest(
    shapes: NDArray[np.object_], one: NDArray[np.int64], other: NDArray[np.int64]
) -> tuple[int, int]:
    import shapely

    far = shapely.distance(shapes[one][:, None], shapes[other][None, :])
    at = np.unravel_index(int(np.argmin(far)), far.shape)
    return int(one[at[0]]), int(other[at[1]])


def _tell_begun(
    units: GeoDataFrame, codes: NDArray[np.str_], old: NDArray[np.int64],
    label: NDArray[np.int64],
) -> DataFrame:
    """Note units that got a grid because they are new, or left one at a new border."""
    names = Index(codes)
    new = np.flatnonzero(old < 0)
    cut = np.unique(old[(old >= 0) & (label != old)])
    return ledger.join_changes(
        ledger.note_changes(units.index[new], step=STEP, what="new unit",
                            note="the unit had no grid: it joined a neighbour"),
        ledger.note_changes(names[cut], step=STEP, what="cut by a border of territories",
                            note="the grid lay in several territories: the part with most "
                                 "households keeps the code"),
    )

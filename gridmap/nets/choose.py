"""The proposal for the one net: which atoms go together, and why."""

from __future__ import annotations

import heapq
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from ..rules import NetRule, SizeRule
from ..tiling.rings import Floats, Ints
from . import fit, votes
from .clusters import Clusters
from .ground import NONE, Ground
from .intake import Given
from .votes import Votes

AGREED, SENIORITY, COST, SIZE = "agreed", "seniority", "cost", "size"
REMNANT, FALLBACK = "remnant", "fallback"

#: A metre of border weighs like so many households, so that empty land is decided as well.
EMPTY_METRE = 1e-3


@dataclass(slots=True)
class Chosen:
    """Which atom went to which grid, and what was done on the way."""

    label: Ints  # atom -> number of its grid
    why: np.ndarray  # atom -> word
    joined: list[tuple[int, str, str]] = field(default_factory=list)  # atom, what, note
    odd: list[tuple[int, str, str]] = field(default_factory=list)  # first atom, what, note


@dataclass(frozen=True, slots=True)
class Weighed:
    """Atoms with what they weigh; counts are None where nobody counted."""

    mass: Floats  # for shares: households where there are any, and a little land; above 0
    area: Floats
    counts: dict[str, Floats | None]  # households, people

    def sizes(self, measure: str) -> Floats | None:
        """Return the sizes that a size rule goes by."""
        return self.area if measure == "area_m2" else self.counts[measure]


def choose_grids(
    ground: Ground, given: Given, rule: NetRule, weighed: Weighed, agreement: Floats, *,
    size: SizeRule | None,
) -> Chosen:
    """Put atoms together to grids: kept where schemes agree, decided by rule where not.

    Every grid is one piece inside one territory, since clusters grow over common borders only.

    Parameters
    ----------
    ground : Ground
    given : Given
    rule : NetRule
    weighed : Weighed
        Of all pieces, those outside of territories too.
    agreement : array of float
        Of all pieces.
    size : SizeRule, optional

    Returns
    -------
    Chosen
        Of the atoms.
    """
    count = int(ground.inside.sum())
    asked = votes.count_votes(ground)
    claimed = (ground.claims[:count] != NONE).any(axis=1)
    way = SENIORITY if rule.decide == "seniority" else COST
    why = np.where(agreement[:count] < 1, way, AGREED).astype(object)
    why[~claimed] = FALLBACK
    clusters = Clusters(count, asked, _gains(asked, weighed))
    chosen = Chosen(clusters.head, why)
    if way == SENIORITY:
        first = (ground.claims[:count] != NONE).argmax(axis=1)
        label = np.where(claimed, ground.claims[np.arange(count), first], NONE)
        clusters.unite_alike(label, zip(asked.first.tolist(), asked.second.tolist(),
                                        strict=True))
    else:
        unite_by_gain(clusters)
    _join_remnants(clusters, chosen, _Held(ground, weighed, clusters), rule)
    if size is not None:
        clusters = fit.fit_sizes(clusters, chosen, asked, weighed, size, claimed)
    _join_unclaimed(clusters, chosen, weighed, claimed, rule)
    chosen.label = clusters.head.copy()
    return chosen


def _gains(asked: Votes, weighed: Weighed) -> Floats:
    """Return what uniting two atoms gains: households of those who see no border there."""
    weight = asked.length * EMPTY_METRE
    households = weighed.counts["households"]
    if households is not None:
        weight = weight + np.minimum(households[asked.first], households[asked.second])
    return np.asarray((asked.asked - 2.0 * asked.drawn) * weight)


def unite_by_gain(clusters: Clusters) -> None:
    """Unite the two neighbours that gain most, again and again, while there is any gain.

    References
    ----------
    M. Keuper et al., Efficient decomposition of image and mesh graphs by lifted multicuts,
    ICCV 2015: greedy additive edge contraction.
    """
    heap = [(-edge.gain, one, two) for one, near in clusters.edges.items()
            for two, edge in near.items() if one < two and edge.gain > 0]
    heapq.heapify(heap)
    while heap:
        gain, one, two = heapq.heappop(heap)
        edge = clusters.edges.get(one, {}).get(two)
        if edge is None or edge.gain != -gain:
            continue
        low = clusters.unite(one, two)
        for other, after in clusters.edges[low].items():
            if after.gain > 0:
                heapq.heappush(heap, (-after.gain, min(low, other), max(low, other)))


class _Held:
    """Which shares of work grids each cluster holds."""

    def __init__(self, ground: Ground, weighed: Weighed, clusters: Clusters) -> None:
        mass = weighed.mass[ground.piece]
        whole = np.bincount(ground.work_grid, mass)
        inside = ground.inside[ground.piece]
        rows = pd.DataFrame({
            "cluster": clusters.head[ground.piece[inside]],
            "work_grid": ground.work_grid[inside],
            "share": mass[inside] / whole[ground.work_grid[inside]]})
        self.shares: dict[int, dict[int, float]] = {}
        sums = rows.groupby(["cluster", "work_grid"])["share"].sum().reset_index()
        columns = (sums[name].tolist() for name in ("cluster", "work_grid", "share"))
        for cluster, at, share in zip(*columns, strict=True):  # a dictionary for each cluster
            self.shares.setdefault(cluster, {})[at] = share

    def most(self, cluster: int) -> float:
        """Return the largest share of a work grid in a cluster; 1 where nobody claims it."""
        return max(self.shares.get(cluster, {}).values(), default=1.0)

    def unite(self, one: int, two: int, low: int) -> None:
        parts = [self.shares.pop(c, {}) for c in (one, two)]
        self.shares[low] = {w: sum(p.get(w, 0.0) for p in parts) for p in parts for w in p}


def _join_remnants(clusters: Clusters, chosen: Chosen, held: _Held, rule: NetRule) -> None:
    """Let clusters that hold too little of every work grid join a neighbour, least first."""
    heap = [(held.most(c), c) for c in clusters.members]
    heap = [entry for entry in heap if entry[0] < rule.remnant_share]
    heapq.heapify(heap)
    while heap:
        share, cluster = heapq.heappop(heap)
        if cluster not in clusters.members or held.most(cluster) != share:
            continue
        other = clusters.best(cluster)
        if other is None:
            chosen.odd.append((cluster, "remnant kept",
                               "no other grid of its territory borders on it"))
            continue
        moved = list(clusters.members[cluster])
        chosen.joined += [(atom, "remnant joined", f"{share:.1%} of its work grid")
                          for atom in moved]
        chosen.why[moved] = REMNANT
        low = clusters.unite(cluster, other)
        held.unite(cluster, other, low)
        if held.most(low) < rule.remnant_share:
            heapq.heappush(heap, (held.most(low), low))


def _join_unclaimed(
    clusters: Clusters, chosen: Chosen, weighed: Weighed, claimed: np.ndarray, rule: NetRule
) -> None:
    """Let small land that nobody claims and where nobody lives join a neighbour."""
    households = weighed.counts["households"]
    for atom in np.flatnonzero(~claimed).tolist():
        cluster = int(clusters.head[atom])
        members = clusters.members.get(cluster, [])
        if claimed[members].any():
            continue  # it has joined a neighbour already
        lived = 0.0 if households is None else households[members].sum()
        if weighed.area[members].sum() >= rule.fallback_m2 or lived > 0:
            continue
        other = clusters.best(cluster)
        if other is not None:
            chosen.joined += [(m, "unclaimed land joined", "too small for a grid")
                              for m in members]
            clusters.unite(cluster, other)

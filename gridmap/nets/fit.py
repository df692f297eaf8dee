"""Grids that are too large or too small, mended where schemes disagree and only there."""

from __future__ import annotations

import heapq
from typing import TYPE_CHECKING

import numpy as np

from ..errors import SchemaError
from ..rules import SizeRule
from ..tiling.rings import Flags, Floats, Ints
from .clusters import Clusters, Edge
from .votes import Votes

if TYPE_CHECKING:
    from .choose import Chosen, Weighed


def fit_sizes(
    clusters: Clusters, chosen: Chosen, asked: Votes, weighed: Weighed, size: SizeRule,
    claimed: Flags,
) -> Clusters:
    """Divide what is too large along borders that some scheme draws, and unite what is too
    small over borders that some scheme does not.

    A border on which all schemes agree stays, whatever the size; what is out of its size for
    that is named.

    Raises
    ------
    SchemaError
        If the size rule goes by a count and nobody counted.
    """
    sizes = weighed.sizes(size.measure)
    if sizes is None:
        raise SchemaError(
            f"the size rule goes by {size.measure}: give elements with that column, or leave "
            "the size rule out"
        )
    label = _divide_large(clusters, chosen, sizes, size)
    if (label != clusters.head).any():
        apart = Clusters(len(label), asked, np.zeros(len(asked.first)))
        apart.unite_alike(label, zip(asked.first.tolist(), asked.second.tolist(), strict=True))
        clusters = apart
    _unite_small(clusters, chosen, sizes, size, claimed)
    return clusters


def _divide_large(
    clusters: Clusters, chosen: Chosen, sizes: Floats, size: SizeRule
) -> Ints:
    label = clusters.head.copy()
    for cluster, members in clusters.members.items():
        if sizes[members].sum() <= size.maximum or len(members) == 1:
            continue
        parts = _gather(members, chosen, clusters, sizes, size)
        if _strain(parts, sizes, size) < _strain([members], sizes, size):
            for part in parts:
                label[part] = min(part)
                if min(part) != cluster:
                    chosen.why[part] = "size"
                    chosen.joined += [(atom, "too large, divided", "") for atom in part]
    return label


def _strain(parts: list[list[int]], sizes: Floats, size: SizeRule) -> float:
    """Return by how much parts are out of their size, all together."""
    held = np.array([sizes[part].sum() for part in parts])
    return float((np.maximum(held - size.maximum, 0) + np.maximum(size.minimum - held, 0)).sum())


def _gather(
    members: list[int], chosen: Chosen, clusters: Clusters, sizes: Floats, size: SizeRule
) -> list[list[int]]:
    """Let the atoms of a cluster grow together again, up to the largest size."""
    inner = clusters.within(members)
    held = {atom: sizes[atom] for atom in members}
    while True:
        choices = [(round(edge.agreement, 9), -round(edge.length, 3), one, two)
                   for one, near in inner.edges.items() for two, edge in near.items()
                   if one < two and held[one] + held[two] <= size.maximum]
        if not choices:
            return list(inner.members.values())
        *_, one, two = min(choices)
        held[inner.unite(one, two)] = held[one] + held[two]


def _unite_small(
    clusters: Clusters, chosen: Chosen, sizes: Floats, size: SizeRule, claimed: Flags
) -> None:
    held = {c: float(sizes[m].sum()) for c, m in clusters.members.items()}
    land = {c for c, m in clusters.members.items() if claimed[m].any()}
    heap = [(held[c], c) for c in land if held[c] < size.minimum]
    heapq.heapify(heap)
    while heap:
        much, cluster = heapq.heappop(heap)
        if held.get(cluster) != much:
            continue

        def may(other: int, edge: Edge, much: float = much) -> bool:
            return (other in land and edge.agreement < 1 - 1e-9
                    and held[other] + much <= size.maximum)

        other = clusters.best(cluster, may)
        if other is None:
            continue
        moved = list(clusters.members[cluster])
        chosen.joined += [(atom, "too small, joined", f"{much:,.0f} {size.measure}")
                          for atom in moved]
        chosen.why[moved] = "size"
        total = held.pop(other) + held.pop(cluster)
        low = clusters.unite(cluster, other)
        land.difference_update((cluster, other))
        land.add(low)
        held[low] = total
        if total < size.minimum:
            heapq.heappush(heap, (total, low))
    _tell_odd(clusters, chosen, held, land, size)


def _tell_odd(
    clusters: Clusters, chosen: Chosen, held: dict[int, float], land: set[int], size: SizeRule
) -> None:
    """Name the grids that stay out of their size, and why."""
    for cluster in sorted(land):
        state = size.state(held[cluster])
        if state == "in range":
            continue
        edges = clusters.edges[cluster].values()
        if state == "large":
            lone = len(clusters.members[cluster]) == 1
            reason = "no scheme divides it" if lone else "no division found that fits better"
        elif all(edge.agreement > 1 - 1e-9 for edge in edges):
            reason = "all schemes agree on its borders"
        else:
            reason = "with any neighbour that may join it, it would be too large"
        chosen.odd.append((cluster, f"too {state}",
                           f"{held[cluster]:,.0f} {size.measure}: {reason}"))

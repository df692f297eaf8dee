"""Atoms that grow together to grids: clusters that know their neighbours."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import NamedTuple

import numpy as np

from ..tiling.rings import Floats, Ints
from .votes import Votes


class Edge(NamedTuple):
    """A border between two clusters."""

    length: float
    drawn: float  # metres × schemes that draw it
    asked: float  # metres × schemes that might
    gain: float  # what uniting the two would gain

    @property
    def agreement(self) -> float:
        """Return the share of schemes that draw it; 1 where nobody was asked."""
        return self.drawn / self.asked if self.asked else 1.0


class Clusters:
    """Clusters of atoms; each bears the number of its first atom."""

    def __init__(self, size: int, votes: Votes, gain: Floats) -> None:
        self.head = np.arange(size)
        self.members: dict[int, list[int]] = {i: [i] for i in range(size)}
        self.edges: dict[int, dict[int, Edge]] = {i: {} for i in range(size)}
        rows = zip(votes.first.tolist(), votes.second.tolist(), votes.length.tolist(),
                   (votes.drawn * votes.length).tolist(), (votes.asked * votes.length).tolist(),
                   gain.tolist(), strict=True)
        for one, two, *parts in rows:
            self.edges[one][two] = self.edges[two][one] = Edge(*parts)
        self.first_edges = {atom: dict(near) for atom, near in self.edges.items()}

    def within(self, members: list[int]) -> Clusters:
        """Return clusters of single atoms out of some, with the borders that they were given."""
        inner = Clusters.__new__(Clusters)
        inner.head = np.arange(len(self.head))
        inner.members = {atom: [atom] for atom in members}
        inner.edges = {atom: {other: edge for other, edge in self.first_edges[atom].items()
                              if other in inner.members} for atom in members}
        return inner

    def unite(self, one: int, two: int) -> int:
        """Unite two neighbours and return the number of the new cluster."""
        low, high = min(one, two), max(one, two)
        members = self.members.pop(high)
        self.members[low] += members
        self.head[members] = low
        for other, edge in self.edges.pop(high).items():
            del self.edges[other][high]
            if other != low:
                old = self.edges[low].get(other)
                new = edge if old is None else Edge(*(a + b for a, b in
                                                      zip(edge, old, strict=True)))
                self.edges[low][other] = self.edges[other][low] = new
        return low

    def unite_alike(self, label: Ints, pairs: Iterable[tuple[int, int]]) -> None:
        """Unite atoms that border on each other and bear the same label."""
        for one, two in pairs:
            if label[one] == label[two] and self.head[one] != self.head[two]:
                self.unite(int(self.head[one]), int(self.head[two]))

    def best(
        self, cluster: int, allowed: Callable[[int, Edge], bool] | None = None
    ) -> int | None:
        """Return the neighbour to unite with: least agreed border, then longest, then first."""
        choices = [(round(edge.agreement, 9), -round(edge.length, 3), other)
                   for other, edge in self.edges[cluster].items()
                   if allowed is None or allowed(other, edge)]
        return min(choices)[2] if choices else None

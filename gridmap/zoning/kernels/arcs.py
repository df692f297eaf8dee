"""Cutting and ordering the arcs of a graph."""

from __future__ import annotations

import math

import numpy as np

from .compiled import compiled


@compiled
def take(start, neighbour, which):  # type: ignore[no-untyped-def]
    """Return the arcs among some units: new starts, the old arcs, and new neighbours."""
    size = len(start) - 1
    new = np.full(size, -1, np.int64)
    for i in range(len(which)):
        new[which[i]] = i
    begin = np.zeros(len(which) + 1, np.int64)
    total = 0
    for i in range(len(which)):
        for arc in range(start[which[i]], start[which[i] + 1]):
            total += 1 if new[neighbour[arc]] >= 0 else 0
        begin[i + 1] = total
    kept = np.empty(total, np.int64)
    target = np.empty(total, np.int64)
    filled = 0
    for i in range(len(which)):
        for arc in range(start[which[i]], start[which[i] + 1]):
            if new[neighbour[arc]] >= 0:
                kept[filled] = arc
                target[filled] = new[neighbour[arc]]
                filled += 1
    return begin, kept, target


@compiled
def by_bearing(start, neighbour, place):  # type: ignore[no-untyped-def]
    """Return the arcs in an order that goes round each unit, from west by south."""
    order = np.arange(len(neighbour))
    bearing = np.empty(len(neighbour))
    for u in range(len(start) - 1):
        for arc in range(start[u], start[u + 1]):
            v = neighbour[arc]
            bearing[arc] = math.atan2(place[v, 1] - place[u, 1], place[v, 0] - place[u, 0])
        # Insertion: a unit has six neighbours or so.
        for arc in range(start[u] + 1, start[u + 1]):
            mine = order[arc]
            at = arc
            while at > start[u] and _after(bearing, neighbour, order[at - 1], mine):
                order[at] = order[at - 1]
                at -= 1
            order[at] = mine
    return order


@compiled
def _after(bearing, neighbour, one, other):  # type: ignore[no-untyped-def]
    if bearing[one] != bearing[other]:
        return bearing[one] > bearing[other]
    return neighbour[one] > neighbour[other]


@compiled
def find_parts(start, neighbour):  # type: ignore[no-untyped-def]
    """Return the connected part of each unit, numbered by first unit, and their count."""
    size = len(start) - 1
    part = np.full(size, -1, np.int64)
    queue = np.empty(size, np.int64)
    parts = 0
    for root in range(size):
        if part[root] >= 0:
            continue
        part[root] = parts
        queue[0] = root
        head, tail = 0, 1
        while head < tail:
            u = queue[head]
            head += 1
            for arc in range(start[u], start[u + 1]):
                v = neighbour[arc]
                if part[v] < 0:
                    part[v] = parts
                    queue[tail] = v
                    tail += 1
        parts += 1
    return part, parts

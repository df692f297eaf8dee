"""First drawing of grids: halve the units again and again by where their weight lies."""

from __future__ import annotations

import numpy as np

from .compiled import compiled


@compiled
def halve(place, weight, count):  # type: ignore[no-untyped-def]
    """Return a grid 0 to ``count - 1`` for each unit, by a weighted k-d tree.

    The units are cut across the longer side of their box, so that the weight on either
    side is as the number of grids there. Every grid gets a unit; equal places are taken in
    the order of the units.
    """
    size = len(weight)
    label = np.zeros(size, np.int32)
    order = np.arange(size)
    waiting = np.empty((128, 4), np.int64)  # first, past the last, grids, number of the first
    waiting[0] = np.array([0, size, count, 0])
    depth = 1
    while depth > 0:
        depth -= 1
        first, last, grids, number = waiting[depth]
        if grids == 1:
            label[order[first:last]] = number
            continue
        some = order[first:last]
        spread = np.empty(2)
        for axis in range(2):
            side = place[some, axis]
            spread[axis] = side.max() - side.min()
        axis = 0 if spread[0] >= spread[1] else 1
        some = some[np.argsort(place[some, axis], kind="mergesort")]
        order[first:last] = some
        left = grids // 2
        cut = _cut(weight, some, left, grids)
        waiting[depth] = np.array([first, first + cut, left, number])
        waiting[depth + 1] = np.array([first + cut, last, grids - left, number + left])
        depth += 2
    return label


@compiled
def halve_parts(place, weight, parts):  # type: ignore[no-untyped-def]
    """Return a grid for each unit, part by part, numbered on from the first of the part."""
    label = np.empty(len(weight), np.int32)
    for row in range(len(parts)):
        first, last = parts[row, 0], parts[row, 1]
        grids = parts[row, 3] - parts[row, 2]
        label[first:last] = parts[row, 2] + halve(place[first:last], weight[first:last], grids)
    return label


@compiled
def _cut(weight, some, left, grids):  # type: ignore[no-untyped-def]
    """Return how many units go left, so that the weight there is ``left / grids`` of all."""
    total = 0.0
    for unit in some:
        total += weight[unit]
    wanted = total * left / grids
    so_far = 0.0
    cut = 0
    while cut < len(some) and so_far + 0.5 * weight[some[cut]] < wanted:
        so_far += weight[some[cut]]
        cut += 1
    return max(left, min(cut, len(some) - (grids - left)))

"""Making every grid contiguous, whatever it looked like before."""

from __future__ import annotations

import numpy as np

from .compiled import compiled


@compiled
def join_pieces(start, neighbour, length, weight, label, count):  # type: ignore[no-untyped-def]
    """Give every stray piece of a grid to the neighbouring grid with the longest border.

    The piece with the most weight (then units, then the first unit) stays. ``label`` is
    changed in place. Returns how many pieces went to another grid. All units must be
    connected, or pieces without a neighbour stay as they are.
    """
    moved = 0
    while True:
        piece, grid, mass, units = _find_pieces(start, neighbour, weight, label)
        pieces = len(grid)
        stays = np.full(count, -1, np.int64)
        for p in range(pieces):
            s = stays[grid[p]]
            if s < 0 or mass[p] > mass[s] or (mass[p] == mass[s] and units[p] > units[s]):
                stays[grid[p]] = p
        members, begin = _members(piece, units)
        border = np.full(count, -1.0)
        met = np.empty(count, np.int64)
        given = 0
        for p in range(pieces):
            if stays[grid[p]] != p:
                some = members[begin[p] : begin[p + 1]]
                given += _give_away(
                    start, neighbour, length, label, piece, stays, some, border, met
                )
        moved += given
        if given == 0:
            return moved


@compiled
def _find_pieces(start, neighbour, weight, label):  # type: ignore[no-untyped-def]
    """Number the connected pieces by first unit; return their grids, masses, unit counts."""
    size = len(label)
    piece = np.full(size, -1, np.int64)
    grid = np.empty(size, np.int64)
    mass = np.zeros(size)
    units = np.zeros(size, np.int64)
    queue = np.empty(size, np.int64)
    pieces = 0
    for root in range(size):
        if piece[root] >= 0:
            continue
        piece[root] = pieces
        grid[pieces] = label[root]
        queue[0] = root
        head, tail = 0, 1
        while head < tail:
            u = queue[head]
            head += 1
            mass[pieces] += weight[u]
            for arc in range(start[u], start[u + 1]):
                v = neighbour[arc]
                if piece[v] < 0 and label[v] == label[u]:
                    piece[v] = pieces
                    queue[tail] = v
                    tail += 1
        units[pieces] = tail
        pieces += 1
    return piece, grid[:pieces], mass[:pieces], units[:pieces]


@compiled
def _members(piece, units):  # type: ignore[no-untyped-def]
    """List the units piece by piece, and where each piece begins."""
    begin = np.zeros(len(units) + 1, np.int64)
    begin[1:] = np.cumsum(units)
    fill = begin[:-1].copy()
    members = np.empty(len(piece), np.int64)
    for u in range(len(piece)):
        members[fill[piece[u]]] = u
        fill[piece[u]] += 1
    return members, begin


@compiled
def _give_away(  # type: ignore[no-untyped-def]
    start, neighbour, length, label, piece, stays, some, border, met
):
    """Give one piece to the grid whose staying piece it has the longest border with.

    ``border`` is -1 everywhere, before and after.
    """
    old = label[some[0]]
    found = 0
    for u in some:
        for arc in range(start[u], start[u + 1]):
            grid = label[neighbour[arc]]
            # Only pieces that stay may take: a piece given away in this round is not yet
            # part of the one that it joins.
            if grid != old and piece[neighbour[arc]] == stays[grid]:
                if border[grid] < 0.0:
                    border[grid] = 0.0
                    met[found] = grid
                    found += 1
                border[grid] += length[arc]
    best = -1
    for i in range(found):
        grid = met[i]
        if best < 0 or border[grid] > border[best] or (
            border[grid] == border[best] and grid < best
        ):
            best = grid
    for i in range(found):
        border[met[i]] = -1.0
    if best < 0:
        return 0
    for u in some:
        label[u] = best
    return 1

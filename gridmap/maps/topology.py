"""Borders of a tiling, each once: rings cut into arcs, and arcs written as small numbers."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np


class Rings(NamedTuple):
    """Rings without their closing vertex."""

    vertices: np.ndarray  # (n, 2) int64
    starts: np.ndarray  # first vertex of each ring
    sizes: np.ndarray  # vertices in each ring
    shape: np.ndarray  # the polygon that each ring belongs to
    part: np.ndarray  # the part of it
    inner: np.ndarray  # whether the ring is a hole


class Arcs(NamedTuple):
    """Borders between the vertices where neighbours change."""

    vertices: np.ndarray  # positions of the vertices of all arcs, one arc after the other
    sizes: np.ndarray  # vertices of each arc
    references: np.ndarray  # arcs in the order of rings: twice the number, plus 1 if backwards
    arcs_per_ring: np.ndarray


def find_arcs(rings: Rings) -> Arcs:
    """Cut rings where neighbours change, and keep each piece once.

    Examples
    --------
    >>> square = np.array([[0, 0], [1, 0], [1, 1], [0, 1]])
    >>> one = Rings(square, np.array([0]), np.array([4]), np.array([0]), np.array([0]),
    ...             np.array([False]))
    >>> find_arcs(one).vertices.tolist()
    [0, 1, 2, 3, 0]
    """
    place = _identify(rings.vertices)
    ring = np.repeat(np.arange(len(rings.starts)), rings.sizes)
    cut = _cuts(rings, place, ring)
    turned = _turn(rings, ring, cut)  # each ring starts at its first cut
    place, cut = place[turned], cut[turned]
    begin = np.flatnonzero(cut)
    size = np.diff(begin, append=len(cut))
    after = np.arange(1, len(cut) + 1)
    after[rings.starts + rings.sizes - 1] = rings.starts  # rings are closed
    end = begin + size - 1
    first = _edge(place[begin], place[after[begin]])
    last = _edge(place[end], place[after[end]])
    key = np.minimum(first, last)  # two arcs that share an end edge are the same border
    _, one, same = np.unique(key, return_index=True, return_inverse=True)
    order = np.argsort(one)  # arcs are numbered as they first occur
    number = np.empty_like(order)
    number[order] = np.arange(len(order))
    kept = one[order]
    arc = number[same]
    backwards = (place[begin] != place[begin[kept[arc]]]) | (
        place[after[begin]] != place[after[begin[kept[arc]]]]
    )
    vertices = count_up(begin[kept], size[kept] + 1)
    ends = np.cumsum(size[kept] + 1) - 1
    vertices[ends] = after[end[kept]]
    per_ring = np.bincount(ring[begin], minlength=len(rings.starts))
    return Arcs(turned[vertices], size[kept] + 1, 2 * arc + backwards, per_ring)


def _identify(vertices: np.ndarray) -> np.ndarray:
    """Number places: equal coordinates, equal number."""
    return np.unique(vertices[:, 0] << 32 | vertices[:, 1], return_inverse=True)[1]


def _edge(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    return np.minimum(one, other).astype("int64") << 32 | np.maximum(one, other)


def _cuts(rings: Rings, place: np.ndarray, ring: np.ndarray) -> np.ndarray:
    """Mark the vertices where arcs begin: neighbours differ there between rings."""
    index = np.arange(len(place))
    before, after = index - 1, index + 1
    before[rings.starts] = rings.starts + rings.sizes - 1
    after[rings.starts + rings.sizes - 1] = rings.starts
    pair = _edge(place[before], place[after])
    places = int(place.max(initial=-1)) + 1
    least = np.full(places, np.iinfo("int64").max)
    most = np.full(places, -1)
    np.minimum.at(least, place, pair)
    np.maximum.at(most, place, pair)
    cut = (least != most)[place]
    # A ring that touches nobody is cut at its lowest place, the same in a hole and its filling.
    uncut = np.bincount(ring[cut], minlength=len(rings.starts)) == 0
    lowest = np.minimum.reduceat(place, rings.starts) if len(place) else place
    single = uncut[ring] & (place == lowest[ring])
    occurrence = np.flatnonzero(single)
    cut[occurrence[np.diff(ring[occurrence], prepend=-1) != 0]] = True
    return cut


def _turn(rings: Rings, ring: np.ndarray, cut: np.ndarray) -> np.ndarray:
    """Return the order of vertices in which every ring starts at its first cut."""
    at = np.flatnonzero(cut)
    first = at[np.diff(ring[at], prepend=-1) != 0] - rings.starts
    offset = np.arange(len(ring)) - rings.starts[ring]
    return rings.starts[ring] + (offset + first[ring]) % rings.sizes[ring]


def count_up(starts: np.ndarray, sizes: np.ndarray) -> np.ndarray:
    """Count upwards from each start, one run after the other.

    Examples
    --------
    >>> count_up(np.array([5, 0]), np.array([2, 3])).tolist()
    [5, 6, 0, 1, 2]
    """
    before = np.cumsum(sizes) - sizes
    return np.arange(sizes.sum()) + np.repeat(starts - before, sizes)


def miss(values: np.ndarray, sizes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the ends of arcs, and by how much each vertex between them misses its forecast.

    The page knows both ends of an arc before it reads what lies between. A vertex is
    expected one share of the way that is left, or halfway between that and the step before
    repeated. In a made-up city that saves a quarter of the bytes of plain steps, in real
    base units of three towns 2 to 6 %.

    Parameters
    ----------
    values : array of int
        One coordinate of the vertices, arc after arc.
    sizes : array of int
        Vertices of each arc, at least 2.

    Returns
    -------
    (array, array)
        First and last value of each arc, in turn; and the misses, arc after arc.

    Examples
    --------
    >>> ends, missed = miss(np.array([0, 10, 21, 30]), np.array([4]))
    >>> ends.tolist(), missed.tolist()
    ([0, 30], [0, 1])
    """
    last = np.cumsum(sizes) - 1
    first = last - sizes + 1
    place = np.arange(len(values)) - np.repeat(first, sizes)
    left = np.repeat(sizes, sizes) - place  # steps to the end, this one included
    between = np.flatnonzero((place > 0) & (left > 1))
    step = np.diff(values, prepend=0)
    share = (np.repeat(values[last], sizes)[between] - values[between - 1]) // left[between]
    expected = np.where(place[between] > 1, (share + step[between - 1]) >> 1, share)
    return np.column_stack([values[first], values[last]]).ravel(), step[between] - expected

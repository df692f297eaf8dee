"""Cut long gaps where the neighbours along them change.

A gap between two towns may run past ten polygons. Given whole to one of them it would make
a tentacle, so it is cut across where two neighbours meet, from vertex to vertex: no new
place comes into being, and what lies around stays as it is.
"""

from __future__ import annotations

import numpy as np
import scipy  # its parts are loaded when they are first named
import shapely

from . import mesh, rings
from .rings import Flags, Ints, Shapes

#: A gap is long below this ratio of area to perimeter (1 for a circle, 0.2 for 1 to 14).
LONG = 0.2
#: A neighbour with this share of the border of a gap runs along all of it and may have it.
ALONG = 0.4


def find_long(faces: Shapes, labels: Ints, gaps: Flags, borders: mesh.Borders) -> Ints:
    """Return the long gaps that no neighbour runs along.

    The moat that remains round a polygon drawn too small is long, but it borders on that
    polygon everywhere and goes back to it whole.
    """
    named = gaps[borders.face] & (labels[borders.other] >= 0)
    shares = mesh.sum_borders(
        borders.face[named], labels[borders.other[named]], borders.length[named])
    most = np.zeros(len(faces))
    np.maximum.at(most, shares.face, shares.length)
    total = np.bincount(shares.face, shares.length, minlength=len(faces))
    roundness = 4 * np.pi * shapely.area(faces) / np.maximum(shapely.length(faces), 1e-12) ** 2
    return np.flatnonzero(gaps & (most < ALONG * total) & (roundness < LONG))


def split_gaps(faces: Shapes, labels: Ints, chosen: Ints) -> tuple[Shapes, Ints]:
    """Cut the chosen faces across.

    Parameters
    ----------
    faces, labels : array
        All faces, and their labels; below 0 where there is none.
    chosen : array
        Positions of the faces to cut.

    Returns
    -------
    pieces, face : array
        Pieces of the chosen faces, and the face that each comes from.
    """
    triangles, source = shapely.get_parts(
        shapely.constrained_delaunay_triangles(faces[chosen]), return_index=True)
    flat = rings.flatten(np.concatenate([faces, triangles]))
    places = rings.place_ids(flat.xy)
    pieces = rings.segments(flat, places)
    inner = pieces.owner >= len(faces)
    sides = rings.Segments(*(column[~inner] for column in pieces))
    junctions = _junctions(sides, places, labels, chosen)
    links = _inner_edges(rings.Segments(*(column[inner] for column in pieces)), flat, places)
    links["one"] -= len(faces)
    links["two"] -= len(faces)
    cut = _choose_cuts(links, source, junctions)
    piece = _components(links["one"][~cut], links["two"][~cut], len(triangles))
    joined = mesh.dissolve(triangles, piece)
    first = np.unique(piece, return_index=True)[1]
    return joined.to_numpy(dtype=object), chosen[source[first]]


Edges = dict[str, np.ndarray]


def _junctions(sides: rings.Segments, places: Ints, labels: Ints, chosen: Ints) -> Edges:
    """Rows of (gap, vertex, label): the labels that the border has at each vertex."""
    other = mesh.across(sides)
    named = np.where(other >= 0, labels[other], -1)
    rank = np.full(len(labels), -1, dtype="int64")
    rank[chosen] = np.arange(len(chosen))
    gap = rank[sides.owner]
    mine = gap >= 0
    rows = np.unique(np.concatenate([
        np.stack([gap[mine], places[sides.start[mine]], named[mine]], axis=1),
        np.stack([gap[mine], places[sides.start[mine] + 1], named[mine]], axis=1),
    ]), axis=0)
    return {"gap": rows[:, 0], "place": rows[:, 1], "label": rows[:, 2]}


def _inner_edges(pieces: rings.Segments, flat: rings.Rings, places: Ints) -> Edges:
    """Edges between two triangles: both triangles, both ends, and the length."""
    other = mesh.across(pieces)
    once = (other >= 0) & (pieces.owner < other)
    at = pieces.start[once]
    return {
        "one": pieces.owner[once].copy(), "two": other[once].copy(),
        "start": places[at], "end": places[at + 1],
        "length": np.hypot(*(flat.xy[at + 1] - flat.xy[at]).T),
        "x": flat.xy[at].sum(1) + flat.xy[at + 1].sum(1),
    }


def _choose_cuts(links: Edges, source: Ints, junctions: Edges) -> Flags:
    """Choose the shortest edge from each junction that ends on another side of the gap.

    A junction is a vertex where two neighbours meet. An edge that ends where only these
    two are would cut the gap lengthwise, as from the tip of a sliver.
    """
    labels_at: dict[tuple[int, int], set[int]] = {}
    for gap, place, label in zip(
        junctions["gap"].tolist(), junctions["place"].tolist(), junctions["label"].tolist(),
        strict=True,
    ):
        labels_at.setdefault((gap, place), set()).add(label)
    cut = np.zeros(len(links["one"]), dtype=bool)
    taken: set[tuple[int, int]] = set()
    # shortest first: the first edge that fits a junction is the one
    for edge in np.lexsort((links["x"], links["length"].round(6))).tolist():
        gap = int(source[links["one"][edge]])
        ends = (gap, int(links["start"][edge])), (gap, int(links["end"][edge]))
        for here, there in (ends, ends[::-1]):
            meeting = labels_at[here]
            if here in taken or len(meeting - {-1}) < 2 or labels_at[there] <= meeting:
                continue
            taken.add(here)
            cut[edge] = True
    return cut


def _components(one: Ints, two: Ints, size: int) -> Ints:
    links = scipy.sparse.coo_matrix(
        (np.ones(len(one), dtype="int8"), (one, two)), shape=(size, size))
    found = scipy.sparse.csgraph.connected_components(links, directed=False)
    return np.asarray(found[1], dtype="int64")

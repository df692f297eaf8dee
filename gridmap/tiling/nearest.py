"""Lines that are equally far from two groups of points."""

from __future__ import annotations

import numpy as np
import shapely
from scipy.spatial import Voronoi, cKDTree

from . import mesh
from .rings import Floats, Ints, Shapes

#: Points nearer to each other than this are one: a millimetre.
DIGITS = 3


def divide_nearest(
    block: shapely.Polygon, xy: Floats, label: Ints, more_lines: Shapes
) -> tuple[Shapes, Ints] | None:
    """Divide a block into faces, each nearest to points of one label.

    Parameters
    ----------
    block : Polygon
    xy, label : array
        Points and their labels. Of points at one place the first counts.
    more_lines : array of lines
        Divide the block as well.

    Returns
    -------
    faces, label : array
        They tile the block. None where lines run so close together that they do not.
    """
    xy, label = _once(xy, label)
    walls = shapely.get_rings(np.array([block]))
    between = find_between(xy, label, np.array(block.bounds))
    faces = mesh.faces_inside(block, np.concatenate([walls, between, more_lines]))
    if faces is None:
        return None
    inner = shapely.get_coordinates(shapely.point_on_surface(faces))
    return faces, label[cKDTree(xy).query(inner)[1]]


def find_between(xy: Floats, label: Ints, bounds: Floats) -> Shapes:
    """Return the edges of the Voronoi diagram between points of different labels."""
    if not len(label) or (label == label[0]).all():
        return np.empty(0, dtype=object)
    middle = (bounds[:2] + bounds[2:]) / 2
    reach = 4 * max(np.ptp(bounds.reshape(2, 2), axis=0).max(), np.abs(xy - middle).max(), 1.0)
    # four points far away, so that every edge inside the block has two ends
    far = np.array([[-1, -1], [-1, 1], [1, -1], [1, 1]]) * reach
    diagram = Voronoi(np.concatenate([xy - middle, far]))
    one, two = diagram.ridge_points.T
    labels = np.r_[label, -1, -1, -1, -1]
    apart = (labels[one] != labels[two]) & (labels[one] >= 0) & (labels[two] >= 0)
    ends = np.array([e for e, kept in zip(diagram.ridge_vertices, apart, strict=True) if kept])
    ends = ends[(ends >= 0).all(axis=1)]
    return np.asarray(shapely.linestrings(diagram.vertices[ends] + middle))


def _once(xy: Floats, label: Ints) -> tuple[Floats, Ints]:
    rounded = xy.round(DIGITS)
    _, first = np.unique(rounded, axis=0, return_index=True)
    first.sort()
    return rounded[first], label[first]

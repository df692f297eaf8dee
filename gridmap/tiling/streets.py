"""Share out the land of streets among the sites beside it.

Compounds end at their walls, and lines run in the middle of streets. The strip between
them would enclose the compounds like a moat: a unit without anybody in it, that no grid
could leave to another without cutting the compounds off.
"""

from __future__ import annotations

import numpy as np
import shapely

from . import knit, mesh, nearest
from .blocks import Blocks
from .mesh import Borders
from .rings import Ints, Shapes

#: Walls are sampled at this distance to find the land that is nearest to them.
STEP_M = 10.0
#: What is wide reaches this far over the border of its block.
CLEAR_M = 0.5


def share_streets(
    blocks: Blocks, borders: Borders, *, street_m: float, homes: Shapes | None
) -> tuple[Blocks, Borders]:
    """Give strips narrower than ``street_m`` beside sites to the nearest site.

    Parameters
    ----------
    blocks, borders
        Blocks with whole sites, and which of them touch inside one territory.
    street_m : float
        Strips narrower than this are streets.
    homes : array of points, optional
        Where households live: a strip that holds one is no street.

    Returns
    -------
    blocks, borders
        Blocks that are all street are gone; others may have become several.
    """
    beside = (blocks.site[borders.face] < 0) & (blocks.site[borders.other] >= 0)
    chosen, first = np.unique(borders.face[beside], return_index=True)
    if not len(chosen) or street_m <= 0:
        return blocks, borders
    sites = np.split(borders.other[beside], first[1:])
    lived_in = shapely.STRtree(homes if homes is not None else np.empty(0, dtype=object))
    pieces: list[Shapes] = []
    labels: list[Ints] = []
    for block, around in zip(chosen, sites, strict=True):  # each has walls of its own
        parts, label = _share_block(
            blocks.shapes[block], blocks.shapes[around], lived_in, street_m / 2)
        pieces.append(parts)
        labels.append(np.where(label < 0, block, around[label]))
    return _put_together(blocks, chosen, pieces, labels)


def _put_together(
    blocks: Blocks, chosen: Ints, pieces: list[Shapes], labels: list[Ints]
) -> tuple[Blocks, Borders]:
    kept = np.ones(len(blocks.shapes), dtype=bool)
    kept[chosen] = False
    source = np.r_[np.flatnonzero(kept), np.repeat(chosen, [len(some) for some in pieces])]
    label = np.concatenate([np.flatnonzero(kept), *labels])
    more = blocks.take(source)
    one = np.ones(len(source), dtype="int64")
    shapes = np.concatenate([blocks.shapes[kept], *pieces])
    more = more._replace(shapes=knit.knit(shapes, one, one, snap_m=0.0).shapes)
    borders = mesh.find_borders(more.shapes)
    home = more.territory[borders.face] == more.territory[borders.other]
    borders = Borders(*(column[home] for column in borders))
    # a block that a site lies across falls into parts; a strip cut off from its site is one
    return more.merge(mesh.count_groups(label, borders), borders, told=False)


def _share_block(
    block: shapely.Polygon, sites: Shapes, lived_in: shapely.STRtree, reach: float
) -> tuple[Shapes, Ints]:
    """Cut a block into its wide parts (label -1) and strips (label of the nearest site)."""
    wide = _wide_parts(block, reach)
    if _all_wide(block, wide):
        return np.array([block]), np.array([-1])
    xy, owner = shapely.get_coordinates(shapely.segmentize(sites, STEP_M), return_index=True)
    outline = shapely.get_rings(wide)
    divided = nearest.divide_nearest(block, xy, owner.astype("int64"), outline)
    if divided is None:
        return np.array([block]), np.array([-1])
    faces, label = divided
    inner = shapely.point_on_surface(faces)
    label[~shapely.dwithin(faces, sites[label], 2 * reach)] = -1
    label[shapely.STRtree(wide).query(inner, predicate="intersects")[0]] = -1
    label[lived_in.query(faces, predicate="contains")[0]] = -1
    return faces, label


def _all_wide(block: shapely.Polygon, wide: Shapes) -> bool:
    return bool(shapely.area(shapely.intersection(wide, block)).sum() > 0.999 * block.area)


def _wide_parts(block: shapely.Polygon, reach: float) -> Shapes:
    """What is left of a block after it shrinks and grows again.

    It grows a little further, so that its outline crosses that of the block: two lines
    that run a nanometre apart cannot be noded.
    """
    core = block.buffer(-reach, join_style="mitre")
    return np.asarray(shapely.get_parts(core.buffer(reach + CLEAR_M, join_style="mitre")))

"""Share out the land of streets among the sites beside it.

Compounds end at their walls, and lines run in the middle of streets. The strip between
them would enclose the compounds like a moat: a unit without anybody in it, that no grid
could leave to another without cutting the compounds off.
"""

from __future__ import annotations

import numpy as np
import shapely

from . import mesh, nearest
from .blocks import Blocks
from .mesh import Borders
from .nearest import Lines, Seeds
from .rings import Ints, Shapes

#: Walls are sampled at this distance to find the land that is nearest to them.
STEP_M = 10.0
#: What is wide reaches this far over the border of its block.
CLEAR_M = 0.5


def share_streets(
    blocks: Blocks, borders: Borders, *, street_m: float, homes: Shapes | None,
    exact: bool = False,
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
    exact : bool, default False
        As in `mesh.build_faces`.

    Returns
    -------
    blocks, borders
        Blocks that are all street are gone; others may have become several.
    """
    beside = (blocks.site[borders.face] < 0) & (blocks.site[borders.other] >= 0)
    if street_m <= 0 or not beside.any():
        return blocks, borders
    wide, owner = _wide_parts(blocks.shapes, np.unique(borders.face[beside]), street_m / 2)
    narrow = _find_narrow(blocks.shapes, np.unique(borders.face[beside]), wide, owner)
    beside &= narrow[borders.face]
    if not beside.any():
        return blocks, borders
    seeds = _walls(blocks.shapes, borders.face[beside], borders.other[beside])
    some = narrow[owner]
    outlines = Lines(shapely.boundary(wide[some]), owner[some])
    divided = nearest.divide_blocks(
        blocks.shapes, seeds, nearest.find_between(blocks.shapes, seeds), outlines,
        exact=exact)
    faces, block, label = divided
    site = np.where(label >= 0, label, block)
    inner = shapely.point_on_surface(faces)
    far = ~shapely.dwithin(faces, blocks.shapes[site], street_m)
    far[shapely.STRtree(wide).query(inner, predicate="intersects")[0]] = True
    if homes is not None:
        far[shapely.STRtree(homes).query(faces, predicate="contains")[0]] = True
    return _put_together(blocks, faces, block, np.where(far, block, site))


def _put_together(
    blocks: Blocks, faces: Shapes, block: Ints, label: Ints
) -> tuple[Blocks, Borders]:
    more = blocks.take(block)._replace(shapes=faces)
    more = more._replace(joined=np.zeros(len(faces)), shards=np.zeros(len(faces), dtype="int64"))
    borders = mesh.find_borders(faces)
    home = more.territory[borders.face] == more.territory[borders.other]
    borders = Borders(*(column[home] for column in borders))
    # a block that a site lies across falls into parts; a strip cut off from its site is one
    return more.merge(mesh.count_groups(label, borders), borders, told=False)


def _wide_parts(shapes: Shapes, chosen: Ints, reach: float) -> tuple[Shapes, Ints]:
    """What is left of blocks after they shrink and grow again, and of which block.

    They grow a little further, so that outlines cross: two lines that run a nanometre
    apart cannot be noded.
    """
    cores = shapely.buffer(shapes[chosen], -reach, join_style="mitre")
    wide, owner = shapely.get_parts(
        shapely.buffer(cores, reach + CLEAR_M, join_style="mitre"), return_index=True)
    return np.asarray(wide), chosen[owner]


def _find_narrow(shapes: Shapes, chosen: Ints, wide: Shapes, owner: Ints) -> np.ndarray:
    """Say which of the chosen blocks have strips: more than a thousandth of their area."""
    inside = shapely.area(shapely.intersection(wide, shapes[owner]))
    covered = np.bincount(owner, inside, minlength=len(shapes))
    narrow = np.zeros(len(shapes), dtype=bool)
    narrow[chosen] = covered[chosen] < 0.999 * shapely.area(shapes[chosen])
    return narrow


def _walls(shapes: Shapes, block: Ints, site: Ints) -> Seeds:
    """Points along the walls of the sites beside each block."""
    xy, row = shapely.get_coordinates(shapely.segmentize(shapes[site], STEP_M), return_index=True)
    return Seeds(xy, site[row], block[row])

"""Prove that polygons still tile after some of them changed, by a look at those alone."""

from __future__ import annotations

import numpy as np
import shapely
from geopandas import GeoDataFrame

from ..rules import TilingRule
from . import faults, frames, rings
from .rings import Flags, Ints, Segments


def is_tiling_still(
    old: GeoDataFrame, new: GeoDataFrame, changed: tuple[Flags, Flags], *,
    rule: TilingRule | None = None,
) -> bool:
    """Say whether polygons tile because they did before, and the change kept its ground.

    The border of a valid polygon tells its ground. Where the borders of the polygons that
    changed add up to the same segments as before, as many of them cover any place as did
    before, so that no gap opened; and no overlap did where they, and those whose box theirs
    meets, have none.

    Parameters
    ----------
    old, new : GeoDataFrame
        Polygons in a CRS in metres, indexed by code; ``old`` passed `check_tiling`.
    changed : pair of arrays of bool
        The polygons of each that are not, to the last bit, in the other.
    rule : TilingRule, optional
        As in `check_tiling`.

    Returns
    -------
    bool
        False where that cannot be said: then only `check_tiling` knows.

    Raises
    ------
    SchemaError, CRSError
        As in `check_tiling`.

    Examples
    --------
    >>> from gridmap.sketch import sketch_grids
    >>> old, new = sketch_grids("AABC", "AABC"), sketch_grids("ABBC", "AABC")
    >>> changed = np.array([True, True, False])
    >>> is_tiling_still(old, old, (~changed & changed,) * 2)
    True
    >>> is_tiling_still(old, new, (changed, changed))  # a border has more corners now
    True
    >>> is_tiling_still(old, sketch_grids("A.BC", "AABC"), (changed, changed))
    False
    """
    frames.check_polygons(new, None)
    before, after = (frames.shapes_of(frame[flags])
                     for frame, flags in zip((old, new), changed, strict=True))
    if not len(before) and not len(after):
        return True
    kept = new[~changed[1]]
    boxes = shapely.box(*shapely.bounds(np.concatenate([before, after])).T)
    near = np.unique(shapely.STRtree(frames.shapes_of(kept)).query(boxes)[1])
    beside = frames.shapes_of(kept.iloc[near])
    shapes = np.concatenate([after, before, beside])
    if not shapely.is_valid(shapes).all():
        return False
    owner = np.repeat([0, 1, 2], [len(after), len(before), len(beside)])
    flat = rings.flatten(shapes)
    pieces = rings.segments(flat, rings.place_ids(flat.xy))
    then, now = (_add_up(pieces, owner != left_out) for left_out in (0, 1))
    if not all(np.array_equal(*pair) for pair in zip(then, now, strict=True)):
        return False
    patch = GeoDataFrame(geometry=np.concatenate([after, beside]), crs=new.crs)
    return faults.find_overlaps(patch, rule=rule).empty


def _add_up(pieces: Segments, counted: Flags) -> tuple[Ints, Flags]:
    """Return the sum of each segment over some polygons, and whether it is loose."""
    mine = counted[pieces.owner]
    size = int(pieces.key.max(initial=-1)) + 1
    turn, key = pieces.turn[mine], pieces.key[mine]
    left, right = (np.bincount(key[turn == way], minlength=size) for way in (1, -1))
    total = (left - right).astype("int64")
    return total, (total != 0) | (left > 1) | (right > 1)

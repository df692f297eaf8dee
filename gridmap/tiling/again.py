"""Mend a tiling again after some of it changed, round the change and nowhere else."""

from __future__ import annotations

import numpy as np
from geopandas import GeoDataFrame
from pandas import Index

from ..rules import TilingRule
from . import frames, repair, scope
from .repair import Repaired
from .rings import Shapes

#: Above this share of all polygons all of them are mended.
MOST = 0.5

#: How often what felt a change is taken in before all polygons are mended.
_TRIES = 4


def repair_and_tell(
    polygons: GeoDataFrame, parent: GeoDataFrame | None = None, *, rule: TilingRule
) -> Repaired:
    """Mend a tiling like `repair_tiling`, and tell what `repair_again` asks for.

    Raises
    ------
    SchemaError, CRSError
        As in `repair_tiling`.

    Examples
    --------
    >>> from gridmap.sketch import sketch_grids
    >>> broken = sketch_grids("AAA..", "A.BCD", "ABB..")
    >>> repair_and_tell(broken, rule=TilingRule()).took.tolist()
    ['A', 'B']
    """
    frames.check_polygons(polygons, parent)
    done = repair.repair_layer(
        frames.in_order(polygons, rule), parent, np.empty(0, dtype=object), rule)
    return done._replace(polygons=frames.put_shapes(polygons, done.polygons))


def repair_again(
    polygons: GeoDataFrame, parent: GeoDataFrame, *, rule: TilingRule, took: Index,
    places: Shapes,
) -> Repaired | None:
    """Mend a tiling of which some changed since it was mended: the same, bit for bit.

    Parameters
    ----------
    polygons, parent : GeoDataFrame
        As in `repair_tiling`, as they are now.
    rule : TilingRule
        The same as then.
    took : Index
        The polygons that took part then, and nothing was alone; see `Repaired`.
    places : array of boxes
        Of all polygons and parents that changed, that are new or gone, as they were and as
        they are.

    Returns
    -------
    Repaired or None
        None where that cannot be said, or would not be quicker: then all are to be mended.

    Raises
    ------
    SchemaError, CRSError
        As in `repair_tiling`.

    Examples
    --------
    >>> from gridmap.sketch import sketch_grids
    >>> import shapely
    >>> parent, smaller = sketch_grids("P" * 18), sketch_grids(".ABCDEFGHIJKLMNOPQ")
    >>> done = repair_again(smaller, parent, rule=TilingRule(), took=Index([], dtype="str"),
    ...                     places=np.array([shapely.box(0, 0, 2, 1)]))
    >>> done.polygons.area[["A", "B"]].tolist(), done.took.tolist()
    ([2.0, 1.0], ['A'])
    """
    frames.check_polygons(polygons, parent)
    layer = frames.in_order(polygons, rule)
    shapes, homes = frames.shapes_of(layer), frames.find_homes(layer, parent)
    before, near = layer.index.isin(took), np.zeros(len(layer), dtype=bool)
    for _ in range(_TRIES):
        chosen = scope.lay_out(shapes, homes, before, near, places, rule.snap_m)
        if chosen.looked.mean() > MOST:
            return None
        try:
            done = repair.repair_layer(layer, parent, np.empty(0, dtype=object), rule, chosen)
        except scope.Felt as felt:
            near = near | felt.polygons
        else:
            return done._replace(polygons=frames.put_shapes(polygons, done.polygons))
    return None

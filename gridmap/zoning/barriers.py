"""Borders of units that run along a road, a river or a railway."""

from __future__ import annotations

import numpy as np
import shapely
from geopandas import GeoDataFrame
from numpy.typing import NDArray

from .. import schema
from ..rules import BarrierRule
from .segments import Shared


def measure_strength(
    shared: Shared,
    barriers: GeoDataFrame,
    rule: BarrierRule | None = None,
    *,
    reach_m: float = 3.0,
) -> NDArray[np.float64]:
    """Return how strong the barrier along each piece of border is, 0 to 1.

    A piece runs along a barrier when both its ends and its middle lie within ``reach_m``
    of lines of one weight. Of several weights the highest counts.

    Parameters
    ----------
    shared : Shared
        Pieces of border, as `share_segments` returns them.
    barriers : GeoDataFrame, schema BARRIERS
        In the CRS of the pieces.
    rule : BarrierRule, optional
        Weights per kind; a kind that it does not name has none. Without a rule every
        line counts fully.
    reach_m : float, default 3.0
        How far a line may run from the border, in metres.

    Raises
    ------
    SchemaError, CRSError
        If barriers do not follow their schema, or are not in metres.

    Examples
    --------
    >>> from gridmap.sketch import sketch_units
    >>> from gridmap.zoning.segments import cut_segments, share_segments
    >>> units = sketch_units("ABC", side_m=100)
    >>> shared = share_segments(cut_segments(units.geometry.to_numpy()))
    >>> road = GeoDataFrame({"kind": ["primary"]}, index=["r"], crs=units.crs,
    ...     geometry=[shapely.LineString([(100, -50), (100, 150)])]).rename_axis("barrier")
    >>> measure_strength(shared, road, BarrierRule(weights={"primary": 0.6})).tolist()
    [0.6, 0.0]
    """
    schema.check_frame(barriers, schema.BARRIERS, argument="barriers")
    schema.check_metric_crs(barriers=barriers)
    weights = barriers["kind"].map(dict(rule.weights) if rule else dict.fromkeys(
        barriers["kind"], 1.0)).fillna(0.0).to_numpy(np.float64)
    lines = barriers.geometry.to_numpy()
    strength = np.zeros(len(shared.length))
    for weight in np.unique(weights[weights > 0]):  # few: one for each weight, strongest last
        strength[_along(shared.ends, lines[weights == weight], reach_m)] = weight
    return strength


def _along(
    ends: NDArray[np.float64], lines: NDArray[np.object_], reach_m: float
) -> NDArray[np.int64]:
    """Return the pieces whose middle and both ends lie within reach of a line."""
    tree = shapely.STRtree(lines)
    found = np.arange(len(ends))
    middle = (ends[:, :2] + ends[:, 2:]) / 2
    for xy in (middle, ends[:, :2], ends[:, 2:]):
        near = tree.query(shapely.points(xy[found]), predicate="dwithin", distance=reach_m)[0]
        found = found[np.unique(near)]
    return found

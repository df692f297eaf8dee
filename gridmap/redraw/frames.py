"""From numbered grids back to frames: polygons and codes; what was not touched stays as it is."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pandas as pd
from geopandas import GeoDataFrame
from numpy.typing import NDArray
from pandas import Index, Series

from ..rules import CodeRule
from ..tiling import areas
from ..zoning import codes, dissolve
from .ground import Ground

PLAIN = CodeRule(name="plain", parts=(codes.PLAIN_DIGITS,))


def build_grids(
    ground: Ground, label: NDArray[np.int64], known: GeoDataFrame | None
) -> tuple[GeoDataFrame, NDArray[np.int64]]:
    """Return grids in the order of their numbers, and the number of each.

    Grids are named by the number, as text. Those of ``known`` whose units are the same keep
    their geometry.
    """
    numbers, dense = np.unique(label, return_inverse=True)
    units, count = ground.units, len(numbers)
    first = np.unique(dense, return_index=True)[1]
    begun = np.append(ground.dedicated, np.zeros(int(numbers.max(initial=0)) + 1, bool))
    grids = GeoDataFrame(
        {
            "territory": units[ground.within].to_numpy(str)[first],
            "kind": np.where(begun[numbers], "dedicated", "comprehensive"),
            "households": units["households"].groupby(dense).sum().to_numpy(),
            "people": units["people"].groupby(dense).sum().to_numpy(),
        },
        geometry=_shapes(ground, label, numbers, dense, known),
        index=Index(numbers.astype(str), dtype="str", name="grid"),
        crs=units.crs,
    ).astype({"territory": "str", "kind": "str"})
    grids.insert(4, "area_m2", areas.measure_area(grids) if count else Series(dtype="float64"))
    return grids, numbers


def _shapes(
    ground: Ground, label: NDArray[np.int64], numbers: NDArray[np.int64],
    dense: NDArray[np.int64], known: GeoDataFrame | None,
) -> NDArray[np.object_]:
    """Return the polygon of each grid, dissolving only those that differ."""
    shapes = ground.units.geometry.to_numpy()
    if known is None:
        return dissolve.dissolve(shapes, dense, len(numbers))
    moved = label != ground.old
    differs = np.zeros(max(int(label.max()) + 1, len(ground.codes)), bool)
    differs[label[moved]] = True
    left = ground.old[moved]
    differs[left[left >= 0]] = True
    out = np.empty(len(numbers), dtype=object)
    same = ~differs[numbers]
    out[same] = known.geometry.reindex(ground.codes[numbers[same]]).to_numpy()
    some = np.flatnonzero(differs[label])
    if len(some):
        which, small = np.unique(dense[some], return_inverse=True)
        out[which] = dissolve.dissolve(shapes[some], small, len(which))
    return out


def issue(
    ground: Ground, grids: GeoDataFrame, numbers: NDArray[np.int64], rule: CodeRule | None,
    retired: Iterable[str],
) -> NDArray[np.str_]:
    """Return the code of each grid: its own, or a new one that was never used."""
    new = numbers >= len(ground.codes)
    out = np.empty(len(numbers), dtype=object)
    out[~new] = ground.codes[numbers[~new]]
    if new.any():
        taken = {*ground.codes.tolist(), *retired}
        some = grids[new]
        rule = rule or PLAIN
        odd = some["territory"].isin(codes.find_unfit_territories(some["territory"], rule))
        issued = [codes.issue_codes(part, layout, taken=taken)
                  for part, layout in ((some[~odd], rule), (some[odd], PLAIN)) if len(part)]
        out[new] = pd.concat(issued).reindex(some.index).to_numpy(object)
    return out.astype(str)


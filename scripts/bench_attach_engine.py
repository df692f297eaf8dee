"""The locator in the shape that another bench asks for: build(polygons), attach(index, x, y)."""

from __future__ import annotations

import os
from typing import Any

import geopandas
import numpy as np
import pandas as pd

from gridmap import build_locator, locate_points
from gridmap.attach.locator import Locator

#: compiled, numpy or geos; the fastest that is there by default.
ENGINE = os.environ.get("ATTACH_ENGINE")


def build(polygons: Any) -> Locator:
    """Make polygons ready; the first of several that cover a point holds it."""
    codes = pd.Index([f"{n:07}" for n in range(len(polygons))], name="grid", dtype="str")
    frame = geopandas.GeoDataFrame(geometry=list(polygons), index=codes, crs=32651)
    return build_locator(frame, engine=ENGINE)


def attach(ready: Locator, x: Any, y: Any) -> Any:
    """Return the number of the polygon of each point, -1 for none."""
    return locate_points(ready, x, y).position


# Compile, or read what was compiled before: not part of what is measured.
_square = build(geopandas.GeoSeries.from_wkt(["POLYGON ((0 0, 9 0, 9 9, 0 9, 0 0))"]).to_numpy())
attach(_square, np.array([5.0]), np.array([5.0]))

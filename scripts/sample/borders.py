"""Torn borders: gaps, overlaps and slivers between communities, and a gap at the sea."""

from __future__ import annotations

from typing import Any

import numpy as np
import shapely
import shapely.ops
from numpy.typing import NDArray
from pandas import DataFrame
from shapely import STRtree

from .city import City
from .streets import Shapes


def tear_borders(city: City) -> tuple[DataFrame, list[dict[str, Any]]]:
    """Cut gaps, overlaps and slivers into the borders, far from any building."""
    rng = city.plan.random("borders")
    codes = city.communities["code"].to_numpy()
    shapes = city.communities["geometry"].to_numpy().copy()
    spots = _quiet_spots(city, shapes, rng)
    noted: list[dict[str, Any]] = []
    jobs = [("gap", 17.0), ("gap", 9.0), ("overlap", 21.0), ("overlap", 12.0), ("overlap", 6.0),
            ("sliver gap", 0.03), ("sliver overlap", 0.03)]
    for (what, size), (spot, strip, first, second) in zip(jobs, spots, strict=False):
        if what.startswith("sliver"):
            patch = shapely.buffer(strip, size, cap_style="flat")
        else:
            patch = _lens(spot, size)
        patch = shapely.intersection(patch, shapes[first])
        if what.endswith("gap"):
            shapes[first] = shapely.difference(shapes[first], patch)
        else:
            shapes[second] = shapely.union(shapes[second], patch)
        noted.append({"what": what, "owner": codes[first], "neighbour": codes[second],
                      "area_m2": round(float(patch.area), 3), "open": False,
                      "x": round(spot.x, 2), "y": round(spot.y, 2)})
    noted.append(_bite_coast(city, shapes, codes))
    frame = city.communities.assign(geometry=shapes)
    return frame, noted


def _lens(spot: shapely.Point, radius: float) -> shapely.Polygon:
    """A blob that is longer than wide, on whole centimetres."""
    turn = np.linspace(0, 2 * np.pi, 18, endpoint=False)
    ring = np.column_stack([1.5 * radius * np.cos(turn), 0.8 * radius * np.sin(turn)])
    return shapely.Polygon(np.round(ring + np.array([spot.x, spot.y]), 2))


def _quiet_spots(city: City, shapes: Shapes, rng: np.random.Generator) -> list[tuple]:
    """Return spots on borders of two communities with no building near, far apart."""
    first, second = STRtree(shapes).query(shapes, predicate="touches")
    pairs = np.column_stack([first, second])[first < second]
    homes = STRtree(np.concatenate([
        shapely.points(city.addresses["x"], city.addresses["y"]),
        city.buildings["geometry"].to_numpy()]))
    found: list[tuple] = []
    for a, b in rng.permutation(pairs):
        shared = shapely.get_parts(shapely.intersection(shapes[a], shapes[b]))
        lines = shapely.get_parts(shapely.line_merge(shapely.multilinestrings(
            shared[shapely.get_type_id(shared) == 1])))
        line = max(lines, key=lambda g: g.length, default=None)
        if line is None or line.length < 160.0:
            continue
        for share in (0.5, 0.35, 0.65):
            spot = line.interpolate(share, normalized=True)
            lonely = not len(homes.query(spot, predicate="dwithin", distance=45.0))
            apart = all(spot.distance(other[0]) > 400.0 for other in found)
            if lonely and apart:
                strip = shapely.ops.substring(line, line.project(spot) - 8, line.project(spot) + 8)
                found.append((spot, strip, int(a), int(b)))
                break
        if len(found) == 7:
            break
    return found


def _bite_coast(city: City, shapes: Shapes, codes: NDArray[np.str_]) -> dict[str, Any]:
    """Leave out a piece of shore, so that the gap is open to the sea."""
    rng = city.plan.random("shore")
    homes = STRtree(shapely.points(city.addresses["x"], city.addresses["y"]))
    coast = city.barriers["geometry"].to_numpy()[(city.barriers["kind"] == "coast").to_numpy()]
    county = city.counties["geometry"].to_numpy()
    main = max(shapely.get_parts(county), key=lambda g: g.area)
    for line in coast[rng.permutation(len(coast))]:
        if line.length < 150:
            continue
        spot = line.interpolate(0.5, normalized=True)
        if len(homes.query(spot, predicate="dwithin", distance=90.0)) or spot.distance(main) > 1:
            continue
        patch = _lens(spot, 38.0)
        held = np.flatnonzero(shapely.intersects(shapes, patch))
        if len(held) == 1:
            owner = int(held[0])
            area = shapely.intersection(shapes[owner], patch).area
            shapes[owner] = shapely.difference(shapes[owner], patch)
            return {"what": "gap", "owner": codes[owner], "neighbour": None,
                    "area_m2": round(float(area), 3), "open": True,
                    "x": round(spot.x, 2), "y": round(spot.y, 2)}
    raise RuntimeError("no quiet stretch of coast for the gap: try another seed")

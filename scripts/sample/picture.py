"""A picture of the city, to look at whether it is one."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

import numpy as np
import shapely
from pandas import DataFrame

from .city import City
from .streets import Shapes

#: class: colour of the casing, colour of the road, width in points on a page of the whole city.
ROADS = {"residential": ("#cfcabb", "#ffffff", 0.9), "tertiary": ("#c4bda8", "#ffffff", 1.5),
         "secondary": ("#cbb06a", "#fbe9b0", 2.1), "primary": ("#c9884a", "#f8cf8f", 2.9),
         "motorway": ("#b5552f", "#ee8f62", 3.4)}
SITES = {"compound": "#f0dcdc", "school": "#f7e3a1", "hospital": "#f5b5b0", "park": "#b6dca0",
         "mall": "#d9c3ea", "office": "#c5cdf0", "estate": "#d5d3d0"}


def draw_city(city: City, path: Path, *, box: tuple[float, ...] | None = None,
              borders: bool = True, dpi: int = 90) -> None:
    """Draw the city as a planner's map; ``box`` is west, south, width, height in shares."""
    from matplotlib import pyplot as plt
    from PIL import Image

    figure, axes = plt.subplots(figsize=(16, 12.2))
    axes.set_facecolor("#c9dfe9")
    wide = 1.0 if box is None else min(3.2, 1 / box[2] ** 0.7)
    _fill(axes, _cover(city, "abroad"), "#e3e1da")
    _fill(axes, city.counties["geometry"].to_numpy(), "#f4f1e6", edge="#8aa2ad", width=0.8)
    _fill(axes, _cover(city, "hill"), "#cfe0b8")
    for kind, colour in SITES.items():
        chosen = (city.sites["kind"] == kind).to_numpy()
        _fill(axes, city.sites["geometry"].to_numpy()[chosen], colour)
    for group in (list(ROADS)[:2], list(ROADS)[2:]):
        for casing in (True, False):
            for kind in group:
                outer, inner, width = ROADS[kind]
                _draw(axes, _kind(city.roads, kind), outer if casing else inner,
                      (width + 0.9 if casing else width) * wide * 0.8)
        if group[0] == "residential":  # only larger roads have a bridge
            _fill(axes, _cover(city, "water"), "#a9cbdc")
    rail = _kind(city.barriers, "railway")
    _draw(axes, rail, "#555555", 1.9 * wide)
    _draw(axes, rail, "#ffffff", 1.1 * wide, dashes=(0, (6, 6)))
    lived = {"high-rise": "#7d5a6e", "slabs": "#a0746f", "old town": "#b08d63",
             "village": "#9c8a63"}
    use = city.buildings["use"].to_numpy()
    for kind in np.unique(use):
        _fill(axes, city.buildings["geometry"].to_numpy()[use == kind], lived.get(kind, "#7f7f8c"))
    if borders:
        _draw(axes, shapely.boundary(city.communities["geometry"].to_numpy()), "#7a3c8f",
              0.8 * wide, dashes=(0, (5, 3)))
        _draw(axes, shapely.boundary(city.towns["geometry"].to_numpy()), "#7a3c8f", 1.8 * wide)
    _frame(axes, city, box)
    drawn = BytesIO()
    figure.savefig(drawn, dpi=dpi, bbox_inches="tight", pad_inches=0.05)
    plt.close(figure)
    with Image.open(drawn) as image:  # a palette makes a quarter of the file
        image.convert("RGB").quantize(80, dither=Image.Dither.NONE).save(path, optimize=True)


def _cover(city: City, kind: str) -> Shapes:
    return _kind(city.land_cover, kind)


def _kind(frame: DataFrame, kind: str) -> Shapes:
    return frame["geometry"].to_numpy()[(frame["kind"] == kind).to_numpy()]


def _fill(axes: object, shapes: Shapes, colour: str, *, edge: str = "none",
          width: float = 0.0) -> None:
    from matplotlib.collections import PolyCollection

    rings = [np.asarray(p.exterior.coords) for p in shapely.get_parts(shapes)]
    axes.add_collection(PolyCollection(rings, facecolors=colour, edgecolors=edge,  # type: ignore
                                       linewidths=width))


def _draw(axes: object, shapes: Shapes, colour: str, width: float, *,
          dashes: object = "solid") -> None:
    from matplotlib.collections import LineCollection

    lines = [np.asarray(line.coords) for line in shapely.get_parts(shapes)]
    axes.add_collection(LineCollection(lines, colors=colour, linewidths=width,  # type: ignore
                                       linestyles=[dashes], capstyle="round"
                                       if dashes == "solid" else "butt"))


def _frame(axes: object, city: City, box: tuple[float, ...] | None) -> None:
    low_x, low_y, top_x, top_y = shapely.total_bounds(city.counties["geometry"].to_numpy())
    wide, high = top_x - low_x, top_y - low_y
    west, south, width, height = box or (-0.02, -0.02, 1.04, 1.04)
    axes.set_xlim(low_x + west * wide, low_x + (west + width) * wide)  # type: ignore
    axes.set_ylim(low_y + south * high, low_y + (south + height) * high)  # type: ignore
    axes.set_aspect("equal")  # type: ignore
    axes.set_xticks([])  # type: ignore
    axes.set_yticks([])  # type: ignore

"""Show grids: pages that open anywhere, pictures, reports and QGIS styles."""

from .layers import (
    draw_footprints,
    draw_grids,
    draw_land,
    draw_lines,
    draw_points,
    draw_reach,
    draw_territories,
)
from .notebook import explore
from .offline import Map
from .pages import draw_page
from .pictures import draw_picture
from .qgis import draw_qgis_style
from .report import draw_report
from .style import ClassRule, measure_classes

__all__ = [
    "ClassRule",
    "Map",
    "draw_footprints",
    "draw_grids",
    "draw_land",
    "draw_lines",
    "draw_page",
    "draw_picture",
    "draw_points",
    "draw_qgis_style",
    "draw_reach",
    "draw_report",
    "draw_territories",
    "explore",
    "measure_classes",
]

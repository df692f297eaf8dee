"""Show grids: pages that open anywhere, pictures, reports and QGIS styles.

The parts are loaded when they are first used: folium and matplotlib take their time.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .._rooms import give_names

if TYPE_CHECKING:
    from .bills import hide_small_totals, write_bill
    from .compare import draw_comparison
    from .difference import draw_difference
    from .encode import Encoded, encode_tiling
    from .faults import draw_faults
    from .hollow import fill_page
    from .kept import read_layers, write_layers
    from .layers import draw_grids, draw_land, draw_lines, draw_territories
    from .notebook import explore
    from .offline import Map
    from .pages import compose_page, draw_beside, draw_hollow, draw_page
    from .paper.atlas import draw_atlas
    from .paper.template import Template, list_templates, load_template
    from .pictures import draw_picture
    from .qgis import draw_qgis_style
    from .report import draw_report
    from .sizes import draw_size_picture, find_size_figure
    from .style import ClassRule, measure_classes
    from .things import draw_footprints, draw_points, draw_reach
    from .tilings import lay_out_grids

__all__ = [
    "ClassRule",
    "Encoded",
    "Map",
    "Template",
    "compose_page",
    "draw_atlas",
    "draw_beside",
    "draw_comparison",
    "draw_difference",
    "draw_faults",
    "draw_footprints",
    "draw_grids",
    "draw_hollow",
    "draw_land",
    "draw_lines",
    "draw_page",
    "draw_picture",
    "draw_points",
    "draw_qgis_style",
    "draw_reach",
    "draw_report",
    "draw_size_picture",
    "draw_territories",
    "encode_tiling",
    "explore",
    "fill_page",
    "find_size_figure",
    "hide_small_totals",
    "lay_out_grids",
    "list_templates",
    "load_template",
    "measure_classes",
    "read_layers",
    "write_bill",
    "write_layers",
]

__getattr__, __dir__ = give_names(__name__)

"""Show grids: pages that open anywhere, pictures, reports and QGIS styles.

The parts are loaded when they are first used: folium and matplotlib take their time.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .bills import hide_small_totals, write_bill
    from .compare import draw_comparison
    from .difference import draw_difference
    from .faults import draw_faults
    from .layers import draw_grids, draw_land, draw_lines, draw_territories
    from .notebook import explore
    from .offline import Map
    from .pages import draw_page
    from .paper.atlas import draw_atlas
    from .paper.template import Template, list_templates, load_template
    from .pictures import draw_picture
    from .qgis import draw_qgis_style
    from .report import draw_report
    from .style import ClassRule, measure_classes
    from .things import draw_footprints, draw_points, draw_reach

_PARTS = {
    "ClassRule": "style",
    "Map": "offline",
    "Template": "paper.template",
    "draw_atlas": "paper.atlas",
    "draw_comparison": "compare",
    "draw_difference": "difference",
    "draw_faults": "faults",
    "draw_footprints": "things",
    "draw_grids": "layers",
    "draw_land": "layers",
    "draw_lines": "layers",
    "draw_page": "pages",
    "draw_picture": "pictures",
    "draw_points": "things",
    "draw_qgis_style": "qgis",
    "draw_reach": "things",
    "draw_report": "report",
    "draw_territories": "layers",
    "explore": "notebook",
    "hide_small_totals": "bills",
    "list_templates": "paper.template",
    "load_template": "paper.template",
    "measure_classes": "style",
    "write_bill": "bills",
}

__all__ = [
    "ClassRule",
    "Map",
    "Template",
    "draw_atlas",
    "draw_comparison",
    "draw_difference",
    "draw_faults",
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
    "hide_small_totals",
    "list_templates",
    "load_template",
    "measure_classes",
    "write_bill",
]


def __getattr__(name: str) -> Any:
    if name not in _PARTS:
        raise AttributeError(f"module 'gridmap.maps' has no attribute {name!r}")
    return getattr(import_module(f".{_PARTS[name]}", __name__), name)

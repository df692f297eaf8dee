"""From raw boundary and address files to one net of service grids.

A step is a function that takes frames and rules and returns new frames. The public names
below are loaded when they are first used, so that ``import gridmap`` is quick.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

from .version import __version__

#: Public name -> the room it lives in. One import path each.
_ROOMS: dict[str, str] = {
    "BarrierRule": "rules",
    "ClassRule": "maps.style",
    "CodeRule": "rules",
    "Config": "workspace",
    "GridmapError": "errors",
    "Inputs": "pipeline",
    "Limit": "rules",
    "Loaded": "sources",
    "Map": "maps.offline",
    "Measures": "zoning",
    "Partition": "zoning",
    "Profile": "rules",
    "Publication": "rules",
    "Run": "pipeline",
    "SizeRule": "rules",
    "Template": "maps.template",
    "TilingRule": "rules",
    "Units": "tiling.units",
    "attach_batch": "attach.stream",
    "attach_batches": "attach.stream",
    "attach_elements": "attach.elements",
    "attach_footprints": "attach.footprints",
    "attach_leftovers": "attach.leftovers",
    "attach_points": "attach.points",
    "attach_population": "attach.population",
    "attach_raster": "attach.rasters",
    "build_lattice": "tiling.lattice",
    "build_lattice_cells": "tiling.lattice",
    "build_locator": "attach.locator",
    "build_network": "coverage.network",
    "build_units": "tiling.units",
    "check_balance": "ledger",
    "check_disclosure": "coverage.disclosure",
    "check_frame": "schema",
    "check_tiling": "tiling.check",
    "choose_sites": "coverage.siting",
    "count_batch": "attach.stream",
    "draw_atlas": "maps.atlas",
    "draw_base_grids": "pipeline",
    "draw_comparison": "maps.compare",
    "draw_footprints": "maps.layers",
    "draw_grids": "maps.layers",
    "draw_land": "maps.layers",
    "draw_lines": "maps.layers",
    "draw_page": "maps.pages",
    "draw_picture": "maps.pictures",
    "draw_points": "maps.layers",
    "draw_qgis_style": "maps.qgis",
    "draw_reach": "maps.layers",
    "draw_report": "maps.report",
    "draw_territories": "maps.layers",
    "explore": "maps.notebook",
    "fill_grids": "pipeline",
    "find_disclosures": "coverage.disclosure",
    "find_encoding": "sources",
    "find_faults": "pipeline",
    "find_gaps": "tiling.faults",
    "find_outside": "tiling.faults",
    "find_overlaps": "tiling.faults",
    "find_repeated": "attach.leftovers",
    "find_repeated_parts": "tiling.parts",
    "find_slivers": "tiling.faults",
    "from_bd09": "sources",
    "from_gcj02": "sources",
    "issue_codes": "zoning",
    "join_totals": "pipeline",
    "list_code_rules": "rules",
    "list_profiles": "rules",
    "list_publications": "rules",
    "list_templates": "maps.template",
    "load_assets": "sources",
    "load_barriers": "sources",
    "load_code_rule": "rules",
    "load_config": "workspace",
    "load_elements": "sources",
    "load_events": "sources",
    "load_grids": "sources",
    "load_inputs": "pipeline",
    "load_profile": "rules",
    "load_publication": "rules",
    "load_raster": "sources.raster",
    "load_schemes": "sources",
    "load_sites": "sources",
    "load_table": "sources",
    "load_template": "maps.template",
    "load_territories": "sources",
    "load_units": "sources",
    "load_visits": "sources",
    "load_workers": "sources",
    "locate_points": "attach.locator",
    "make_units": "pipeline",
    "match_addresses": "attach.addresses",
    "measure_area": "tiling",
    "measure_classes": "maps.style",
    "measure_coverage": "coverage.measure",
    "measure_distances": "coverage.network",
    "measure_footprint_shares": "attach.footprints",
    "measure_partition": "zoning",
    "mend_codes": "sources",
    "mend_inputs": "pipeline",
    "merge_zones": "coverage.disclosure",
    "metric_crs": "sources",
    "parse_addresses": "attach.addresses",
    "partition": "zoning",
    "repair_tiling": "tiling.repair",
    "run": "pipeline",
    "save_run": "pipeline",
    "save_scaffold": "workspace",
    "sketch_grids": "sketch",
    "sketch_points": "sketch",
    "sketch_units": "sketch",
    "suppress_counts": "coverage.publish",
    "to_bd09": "sources",
    "to_gcj02": "sources",
}

__all__ = [*sorted(_ROOMS), "__version__"]


def __getattr__(name: str) -> Any:
    if name not in _ROOMS:
        raise AttributeError(f"module 'gridmap' has no attribute {name!r}")
    return getattr(import_module(f".{_ROOMS[name]}", __name__), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *_ROOMS])

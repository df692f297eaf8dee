"""Peers of our pages: the same grids drawn by folium, MapLibre and lonboard."""

from __future__ import annotations

import subprocess
import tarfile
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import bench_maps_browser as chromium
import bench_maps_inputs as inputs
import folium
from playwright.sync_api import Error

from gridmap import maps

IDLE = "() => Boolean(window.idle)"
Figures = dict[str, float]


def measure(grids: Any, folder: Path) -> dict[str, Figures]:
    """Measure each peer on the grids alone: with more, folium takes minutes or does not open."""
    drawn: dict[str, Callable[[Any, Path], Figures]] = {
        "folium": draw_folium, "MapLibre": draw_maplibre,
        "lonboard": draw_lonboard}
    measured = {}
    for name, draw in drawn.items():
        try:
            measured[name] = draw(grids, folder / f"{name}.html")
        except (ImportError, OSError, Error, subprocess.CalledProcessError) as error:
            print(f"{name} is left out: {str(error).splitlines()[0]}")
    return measured


def draw_folium(grids: Any, path: Path) -> Figures:
    """Draw the grids as folium does, its scripts put in so that both open without a network."""
    start = time.process_time()
    page = maps.Map(location=(inputs.LAT, inputs.LON), zoom_start=11, prefer_canvas=True)
    colours = maps.measure_classes(grids["households"])["colour"].tolist()
    table = grids.reset_index()
    table["colour"] = [colours[number % len(colours)] for number in range(len(table))]
    folium.GeoJson(
        table, tooltip=folium.GeoJsonTooltip(["grid", "households"]),
        style_function=lambda row: {"fillColor": row["properties"]["colour"], "weight": 0.6},
    ).add_to(page)
    path.write_text(page.get_root().render(), encoding="utf-8")
    return told(path, start, "() => document.readyState === 'complete'")


def draw_maplibre(grids: Any, path: Path) -> Figures:
    """Draw the grids with MapLibre from npm, in software WebGL where there is no GPU."""
    script = from_npm("maplibre-gl@4.7.1", "package/dist/maplibre-gl.js")
    start = time.process_time()
    shapes = grids[["households", "geometry"]].to_json()
    write_page(path, script, f"""const map = new maplibregl.Map({{container: 'map',
        center: [{inputs.LON}, {inputs.LAT}], zoom: 10, style: {{version: 8, sources:
        {{g: {{type: 'geojson', data: {shapes}}}}}, layers: [{{id: 'g', type: 'fill',
        source: 'g', paint: {{'fill-color': '#22a884', 'fill-outline-color': '#444'}}}}]}}}});
        map.on('idle', () => {{ window.idle = true; }});""")
    return told(path, start, IDLE, flags=chromium.SOFTWARE_GL)


def draw_lonboard(grids: Any, path: Path) -> Figures:
    """Build lonboard's page; it is not opened, because it takes its scripts from the web."""
    import lonboard

    start = time.process_time()
    lonboard.Map([lonboard.PolygonLayer.from_geopandas(grids)]).to_html(path)
    return {"MB": path.stat().st_size / 1e6, "build CPU s": time.process_time() - start}


def told(path: Path, start: float, ready: str, *, flags: list[str] = chromium.FLAGS) -> Figures:
    """Return how long building took since ``start``, and how the page opens."""
    spent = time.process_time() - start
    return {"MB": path.stat().st_size / 1e6, "build CPU s": spent,
            **chromium.open_page(path, ready, flags=flags, longest_s=90)}


def write_page(path: Path, library: str, script: str) -> None:
    """Write a page that holds a library, a map that fills it, and a script."""
    path.write_text(
        '<!DOCTYPE html><meta charset="utf-8"><body style="margin:0"><div id="map" '
        f'style="height:100vh"></div><script>{library}</script><script>{script}</script>',
        encoding="utf-8")


def from_npm(package: str, file: str) -> str:
    """Return one script of a package of npm."""
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(["npm", "pack", package, "--silent", "--pack-destination", folder],
                       check=True, stdout=subprocess.DEVNULL)
        with tarfile.open(next(Path(folder).glob("*.tgz"))) as archive:
            found = archive.extractfile(file)
            if found is None:
                raise OSError(f"{package} has no {file}")
            return found.read().decode().replace("</script", "<\\/script")

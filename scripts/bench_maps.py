#!/usr/bin/env python3
"""Measure pages and print against their targets, with folium and MapLibre in the same browser.

    python scripts/bench_maps.py --quick            under 2 minutes: 1,500 grids
    python scripts/bench_maps.py --json maps.json   7,400 grids, 5 M points, 500,000 footprints

Building is CPU seconds of a warm process. A page is opened in Chromium without a GPU; it is
complete when what is on the screen stays within 2 % of its final picture. Peers that are
not there (maplibre-gl from npm, lonboard from PyPI) are left out, and that is said.
Exit code 1 when a target falls short.
"""

from __future__ import annotations

import argparse
import base64
import io
import json
import shutil
import subprocess
import sys
import tarfile
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import bench_maps_inputs as inputs
import folium
import numpy as np
from PIL import Image
from playwright.sync_api import Page, sync_playwright

from gridmap import maps
from gridmap.rules import load_publication

FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
         "--disable-background-networking", "--disable-component-update"]
SOFTWARE_GL = ["--use-angle=swiftshader", "--enable-unsafe-swiftshader",
               "--ignore-gpu-blocklist"]
#: work, measure -> target of the full run, and whether more is better.
TARGETS = {
    ("grids", "MB"): (1.4, False), ("grids", "complete s"): (0.8, False),
    ("grids", "build CPU s"): (0.7, False), ("grids", "pan fps"): (58, True),
    ("grids", "worst frame ms"): (80, False),
    ("points", "MB"): (14, False), ("points", "complete s"): (1.3, False),
    ("points", "build CPU s"): (4, False),
    ("footprints", "MB"): (20, False), ("footprints", "complete s"): (1.5, False),
    ("footprints", "build CPU s"): (5.5, False), ("footprints", "memory MB"): (950, False),
    ("atlas", "pages per CPU s"): (90, True),
}
INTERNAL = load_publication("internal")
Row = dict[str, Any]


def main() -> int:
    """Measure, print a table, write the rows, and say whether all targets are met."""
    arguments = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    arguments.add_argument("--quick", action="store_true", help="a fifth of the size, no peers")
    arguments.add_argument("--json", type=Path, help="write the rows here")
    options = arguments.parse_args()
    sizes = (1_500, 200_000, 20_000) if options.quick else (7_400, 5_000_000, 500_000)
    grids = inputs.make_grids(sizes[0])
    layers = {"grids": [], "points": [inputs.make_points(grids, sizes[1])]}
    layers["footprints"] = [*layers["points"], inputs.make_footprints(grids, sizes[2])]
    with tempfile.TemporaryDirectory() as folder:
        measured = {work: measure_ours(grids, more, Path(folder) / f"{work}.html")
                    for work, more in layers.items()}
        measured["atlas"] = measure_atlas(grids, layers["footprints"][-1])
        peers = {} if options.quick else measure_peers(grids, Path(folder))
    rows = list_rows(measured, peers)
    show(rows)
    if options.json:
        options.json.write_text(json.dumps(rows, indent=1), encoding="utf-8")
    return 0 if all(row["ok"] for row in rows) else 1


def measure_ours(grids: Any, more: list[Any], path: Path) -> dict[str, float]:
    """Build our page twice, the second time measured, and open it."""
    def build() -> str:
        page = maps.Map(title="Bench", publication=INTERNAL)
        maps.draw_grids(grids, publication=INTERNAL).add_to(page)
        for frame in more:
            points = frame.geometry.iloc[0].geom_type == "Point"
            draw = maps.draw_points if points else maps.draw_footprints
            draw(frame, publication=INTERNAL).add_to(page)
        return str(page.get_root().render())

    build()
    start = time.process_time()
    path.write_text(build(), encoding="utf-8")
    spent = time.process_time() - start
    ready = "() => Boolean(window.gridmap && gridmap.ready) && gridmap.awaited() === 0"
    return {"MB": path.stat().st_size / 1e6, "build CPU s": spent, **open_page(path, ready)}


def measure_atlas(grids: Any, buildings: Any) -> dict[str, float]:
    """Print up to 2,000 pages with buildings; making the font is counted, loading is not."""
    metric = grids.iloc[:2_000].to_crs(32650)
    houses = buildings.to_crs(32650)
    start = time.process_time()
    pages = sum(part.pages for part in maps.draw_atlas(
        metric, publication=INTERNAL, buildings=houses))
    return {"pages per CPU s": pages / (time.process_time() - start)}


def open_page(path: Path, ready: str, *, flags: list[str] = FLAGS) -> dict[str, float]:
    """Open a page in a fresh browser: when it is complete, how it pans, what it takes."""
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=shutil.which("chromium"), headless=True,
                                       args=flags)
        page = browser.new_page(viewport={"width": 1280, "height": 800})
        page.route("http*://**", lambda route: route.abort())
        session = page.context.new_cdp_session(page)
        frames: list[tuple[float, bytes]] = []

        def keep(event: dict[str, Any]) -> None:
            frames.append((time.monotonic(), base64.b64decode(event["data"])))
            session.send("Page.screencastFrameAck", {"sessionId": event["sessionId"]})

        session.on("Page.screencastFrame", keep)
        session.send("Page.startScreencast", {"format": "jpeg", "quality": 60, "maxWidth": 640,
                                              "maxHeight": 400, "everyNthFrame": 1})
        start = time.monotonic()
        page.goto(path.as_uri(), wait_until="commit")
        settle(page, ready, frames)
        session.send("Page.stopScreencast")
        told = {"complete s": complete_at(frames) - start, **pan(page)}
        told["memory MB"] = memory(browser)
        browser.close()
    return told


def settle(page: Page, ready: str, frames: list[tuple[float, bytes]]) -> None:
    """Wait until the page says it is ready and the screen has not changed for two seconds."""
    end = time.monotonic() + 180
    while time.monotonic() < end:
        page.wait_for_timeout(100)
        still = not frames or time.monotonic() - frames[-1][0] > 2
        if still and page.evaluate(ready):
            return


def complete_at(frames: list[tuple[float, bytes]]) -> float:
    """Return when the screen came within 2 % of its last picture and stayed there."""
    # The first frames may come in another size: all are compared in the same.
    pictures = [(at, np.asarray(Image.open(io.BytesIO(frame)).convert("RGB").resize((320, 200)),
                                dtype=int)) for at, frame in frames]
    last = pictures[-1][1]
    away = [float((np.abs(picture - last).max(axis=2) > 40).mean()) for _, picture in pictures]
    first = max((number + 1 for number, share in enumerate(away) if share >= 0.02), default=0)
    return pictures[min(first, len(pictures) - 1)][0]


def pan(page: Page) -> dict[str, float]:
    """Drag the map to and fro, and measure the time between frames."""
    page.evaluate("""() => { window.ticks = [];
        const tick = at => { ticks.push(at); requestAnimationFrame(tick); };
        requestAnimationFrame(tick); }""")
    for turn in (1, -1):
        page.mouse.move(800, 400)
        page.mouse.down()
        for step in range(24):
            page.mouse.move(800 + turn * 8 * step, 400 + turn * 4 * step)
            page.wait_for_timeout(16)
        page.mouse.up()
    steps = np.diff(np.array(page.evaluate("() => ticks")))
    return {"pan fps": 1000 / float(steps.mean()), "worst frame ms": float(steps.max())}


def memory(browser: Any) -> float:
    """Return the proportional memory of the browser and its processes in MB."""
    session = browser.new_browser_cdp_session()
    total = 0
    for process in session.send("SystemInfo.getProcessInfo")["processInfo"]:
        try:
            lines = Path(f"/proc/{process['id']}/smaps_rollup").read_text().splitlines()
        except OSError:
            continue
        total += next((int(line.split()[1]) for line in lines if line.startswith("Pss:")), 0)
    return total / 1024


def measure_peers(grids: Any, folder: Path) -> dict[str, dict[str, float]]:
    """Measure each peer on the grids alone: with more, folium takes minutes or does not open."""
    peers: dict[str, Callable[[Any, Path], dict[str, float]]] = {
        "folium": measure_folium, "MapLibre": measure_maplibre, "lonboard": measure_lonboard}
    measured = {}
    for name, measure in peers.items():
        try:
            measured[name] = measure(grids, folder / f"{name}.html")
        except (ImportError, OSError, subprocess.CalledProcessError) as error:
            print(f"{name} is left out: {str(error).splitlines()[0]}")
    return measured


def measure_folium(grids: Any, path: Path) -> dict[str, float]:
    """Draw the grids as folium does, its scripts put in so that both open without a network."""
    start = time.process_time()
    page = maps.Map(location=(inputs.LAT, inputs.LON), zoom_start=11, prefer_canvas=True)
    colour = maps.measure_classes(grids["households"])["colour"].iloc[2]
    folium.GeoJson(
        grids.reset_index(), style_function=lambda _: {"fillColor": colour, "weight": 0.6},
        tooltip=folium.GeoJsonTooltip(["grid", "households"])).add_to(page)
    path.write_text(page.get_root().render(), encoding="utf-8")
    spent = time.process_time() - start
    return {"MB": path.stat().st_size / 1e6, "build CPU s": spent,
            **open_page(path, "() => document.readyState === 'complete'")}


def measure_maplibre(grids: Any, path: Path) -> dict[str, float]:
    """Draw the grids with MapLibre from npm, in software WebGL where there is no GPU."""
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(["npm", "pack", "maplibre-gl@4.7.1", "--silent", "--pack-destination",
                        folder], check=True, stdout=subprocess.DEVNULL)
        with tarfile.open(next(Path(folder).glob("*.tgz"))) as archive:
            script = archive.extractfile("package/dist/maplibre-gl.js").read().decode()  # type: ignore[union-attr]
    start = time.process_time()
    shapes = grids[["households", "geometry"]].to_json()
    path.write_text(
        '<body style="margin:0"><div id="map" style="height:100vh"></div>'
        f"<script>{script}</script><script>const map = new maplibregl.Map({{container: 'map', "
        f"center: [{inputs.LON}, {inputs.LAT}], zoom: 10, style: {{version: 8, sources: "
        f"{{g: {{type: 'geojson', data: {shapes}}}}}, layers: [{{id: 'g', type: 'fill', "
        "source: 'g', paint: {'fill-color': '#22a884', 'fill-outline-color': '#444'}}]}});"
        "map.on('idle', () => { window.idle = true; });</script>", encoding="utf-8")
    spent = time.process_time() - start
    flags = [flag for flag in FLAGS if flag != "--disable-gpu"] + SOFTWARE_GL
    return {"MB": path.stat().st_size / 1e6, "build CPU s": spent,
            **open_page(path, "() => Boolean(window.idle)", flags=flags)}


def measure_lonboard(grids: Any, path: Path) -> dict[str, float]:
    """Build lonboard's page; it is not opened, because it takes its scripts from the web."""
    import lonboard

    start = time.process_time()
    lonboard.Map([lonboard.PolygonLayer.from_geopandas(grids)]).to_html(path)
    return {"MB": path.stat().st_size / 1e6, "build CPU s": time.process_time() - start}


def list_rows(
    measured: dict[str, dict[str, float]], peers: dict[str, dict[str, float]]
) -> list[Row]:
    """Put figures beside targets and peers; the targets are those of the full size."""
    rows = []
    for work, figures in measured.items():
        for measure, value in figures.items():
            target, more = TARGETS.get((work, measure), (None, False))
            ok = target is None or (value >= target if more else value <= target)
            beside = peers if work == "grids" else {}
            named = [name for name, told in beside.items() if measure in told] or [None]
            rows += [{"work": work, "measure": measure, "value": round(value, 3),
                      "target": target, "ok": ok, "peer": name,
                      "peer_value": None if name is None else round(peers[name][measure], 3)}
                     for name in named]
    return rows


def show(rows: list[Row]) -> None:
    """Print the rows as a table."""
    print(f"{'work':<12}{'measure':<18}{'value':>10}{'target':>9}  {'':<6}peer")
    for row in rows:
        target = "" if row["target"] is None else f"{row['target']:g}"
        peer = "" if row["peer"] is None else f"{row['peer']} {row['peer_value']:,.2f}"
        state = "" if row["target"] is None else "ok" if row["ok"] else "SHORT"
        print(f"{row['work']:<12}{row['measure']:<18}{row['value']:>10,.2f}{target:>9}  "
              f"{state:<6}{peer}")


if __name__ == "__main__":
    sys.exit(main())

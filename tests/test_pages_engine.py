"""The engine of pages in Chromium: browsers that lack something, and what is drawn exactly."""

from __future__ import annotations

import geopandas
import numpy as np
import pandas as pd
import pytest
import shapely
from pages import INTERNAL, Opened, city, painted

from gridmap import maps
from gridmap.sketch import sketch_grids, sketch_points

pytestmark = pytest.mark.browser

#: Workers run what the page hands them: what is absent there is taken away first.
INSIDE = """const Real = Blob; window.Blob = function (parts, options) {
    const script = options && options.type === "text/javascript";
    return new Real(script ? ["delete self.DecompressionStream; delete Uint8Array.fromBase64;",
        ...parts] : parts, options); };"""
#: What an older browser does not have, taken away before any script of the page runs.
ABSENT = {
    "DecompressionStream": "delete window.DecompressionStream;" + INSIDE,
    "OffscreenCanvas": "delete window.OffscreenCanvas;",
    "Worker": "delete window.Worker;",
    "all of them": "delete window.DecompressionStream; delete window.OffscreenCanvas; "
                   "delete window.Worker; delete Uint8Array.fromBase64;",
    "workers of files": "const real = window.Worker; window.Worker = function () { "
                        "return new real('data:nothing'); };",
    "2D in OffscreenCanvas": "OffscreenCanvas.prototype.getContext = () => null;",
}


def shares(opened):
    return {role: painted(opened, role) for role in ("land", "grids", "borders", "labels")}


@pytest.fixture(scope="module")
def whole(browser, page_file):
    """What a browser of today paints."""
    page = Opened(browser, page_file)
    page.settle()
    yield shares(page)
    page.page.context.close()


@pytest.mark.parametrize("absent", ABSENT)
def test_an_older_browser_shows_the_same(browser, page_file, whole, absent):
    opened = Opened(browser, page_file, before=ABSENT[absent])
    opened.settle()
    assert opened.remote() == []
    assert shares(opened) == pytest.approx(whole, rel=0.01)
    assert opened.page.evaluate("() => gridmap.drawsInWorker") is (absent == "DecompressionStream")
    opened.page.mouse.click(900, 400)
    opened.until("() => !document.querySelector('.gm-detail').hidden")
    opened.page.context.close()


def opacities(opened, role, *places):
    """Return what a pane of layers has at places of the sketch: opacity from 0 to 255."""
    lonlat = sketch_points(*places).to_crs(4326).geometry
    return opened.page.evaluate("""([role, places]) => places.map(([lng, lat]) => {
        const map = gridmap.view.map, frame = map.getContainer().getBoundingClientRect();
        const at = map.latLngToContainerPoint([lat, lng]);
        for (const tile of document.querySelectorAll(`.leaflet-gridmap-${role}-pane canvas`)) {
            const box = tile.getBoundingClientRect();
            const x = at.x + frame.left - box.left, y = at.y + frame.top - box.top;
            if (x < 0 || y < 0 || x >= box.width || y >= box.height) continue;
            const copy = Object.assign(document.createElement("canvas"),
                { width: tile.width, height: tile.height }).getContext("2d");
            copy.drawImage(tile, 0, 0);
            return copy.getImageData(x, y, 1, 1).data[3];
        }
        return 0; })""", [role, [[place.x, place.y] for place in lonlat]])


@pytest.fixture(scope="module")
def shapes(browser, tmp_path_factory):
    """A page of shapes that are easily drawn wrongly, on grids of 100 m.

    Grid A has two parts with a hole each: B lies in one, nothing in the other. A building
    has two parts, one of them with a court. There is a road, and a lamp that reaches 90 m.
    """
    grids = sketch_grids("AAACCCAAA", "ABACCCA.A", "AAACCCAAA", side_m=100)
    court = shapely.box(320, 20, 420, 120) - shapely.box(350, 50, 390, 90)
    houses = geopandas.GeoDataFrame(
        {"kind": ["building"]}, crs=grids.crs,
        geometry=[shapely.MultiPolygon([court, shapely.box(450, 20, 480, 50)])],
        index=["h"]).rename_axis("element")
    roads = geopandas.GeoDataFrame({"kind": ["residential"]}, crs=grids.crs, geometry=[
        shapely.LineString([(0, 250), (900, 250)])])
    lamps = sketch_points((450, 200), kind="lamp").assign(radius_m=90.0).rename_axis("asset")
    page = maps.Map(title="shapes", publication=INTERNAL)
    for layer in (maps.draw_grids(grids, publication=INTERNAL),
                  maps.draw_footprints(houses, publication=INTERNAL),
                  maps.draw_lines(roads, name="roads"), maps.draw_reach(lamps, show=True),
                  maps.draw_points(sketch_points((50, 50), (55, 52), kind="shop"),
                                   publication=INTERNAL)):
        layer.add_to(page)
    path = tmp_path_factory.mktemp("pages") / "shapes.html"
    path.write_text(page.get_root().render(), encoding="utf-8")
    opened = Opened(browser, path)
    opened.settle()
    yield opened
    opened.page.context.close()


def test_parts_and_holes_of_grids_are_drawn(shapes):
    parts = opacities(shapes, "grids", (50, 50), (650, 50), (150, 150), (450, 150))
    assert min(parts) == 255
    assert opacities(shapes, "grids", (750, 150), (950, 150)) == [0, 0]


def test_courts_and_parts_of_buildings_are_drawn(shapes):
    assert min(opacities(shapes, "footprints", (330, 30), (465, 35), (410, 110))) > 100
    assert opacities(shapes, "footprints", (370, 70), (435, 35), (365, 85)) == [0, 0, 0]


def test_an_area_of_service_reaches_as_far_as_it_says(shapes):
    assert min(opacities(shapes, "reach", (450, 200), (533, 200), (450, 283), (450, 117))) > 0
    assert opacities(shapes, "reach", (547, 200), (450, 297), (450, 103)) == [0, 0, 0]


def test_a_road_is_drawn_where_it_lies(shapes):
    assert min(opacities(shapes, "lines", (20, 250), (880, 250))) > 100
    assert opacities(shapes, "lines", (20, 200), (880, 290)) == [0, 0]


def test_labels_lie_above_points_and_points_above_grids(shapes):
    above = shapes.page.evaluate("""() => ["grids", "footprints", "lines", "edges", "borders",
        "reach", "points", "labels"].map(role => [role, gridmap.view.map.getPane(
            `gridmap-${role}`)]).filter(pair => pair[1]).map(([role, pane]) =>
            [Number(getComputedStyle(pane).zIndex), role])""")
    assert [role for _, role in sorted(above)] == [
        "grids", "footprints", "lines", "edges", "reach", "points", "labels"]
    assert painted(shapes, "labels") > 20 and painted(shapes, "points") > 20


def test_a_tile_is_not_drawn_twice_at_the_start(browser, page_file):
    opened = Opened(browser, page_file)
    opened.settle()
    drawn, tiles = opened.page.evaluate("""() => {
        const [name] = Object.keys(gridmap.times).filter(key => key.startsWith("tile ") &&
            gridmap.layers[key.slice(5)].role === "grids");
        const layer = gridmap.layers[name.slice(5)];
        return [gridmap.times[name].count, Object.keys(layer._tiles).length +
            Object.keys(layer.edges._tiles).length]; }""")
    assert drawn <= 2 * tiles  # once without colours at most
    opened.page.context.close()


def test_places_of_labels_are_sought_when_labels_can_be_seen(browser, tmp_path):
    grids, _ = city()
    at = grids.to_crs(4326).total_bounds
    page = maps.Map(location=(at[[1, 3]].mean(), at[[0, 2]].mean()), zoom_start=9,
                    publication=INTERNAL)
    maps.draw_grids(grids, publication=INTERNAL).add_to(page)
    path = tmp_path / "far.html"
    path.write_text(page.get_root().render(), encoding="utf-8")
    opened = Opened(browser, path)
    opened.settle()
    asked = "() => Object.keys(gridmap.times).some(key => key.startsWith('anchors'))"
    assert not opened.page.evaluate(asked) and painted(opened, "labels") == 0
    opened.page.evaluate("() => { gridmap.view.map.setZoom(14, { animate: false }); }")
    opened.until(asked)
    opened.settle()
    assert painted(opened, "labels") > 500
    opened.page.context.close()


def test_even_points_show_no_stripes_between_whole_zooms(browser, tmp_path):
    side = np.arange(0, 6_000, 19.1)
    places = geopandas.points_from_xy(*(axis.ravel() for axis in np.meshgrid(side, side)))
    points = geopandas.GeoDataFrame(
        {"kind": "address", "count": 1}, geometry=places, crs=32651,
        index=pd.RangeIndex(len(places), name="element"))
    page = maps.Map(title="even", publication=INTERNAL)
    maps.draw_points(points, publication=INTERNAL).add_to(page)
    path = tmp_path / "even.html"
    path.write_text(page.get_root().render(), encoding="utf-8")
    opened = Opened(browser, path)
    opened.page.evaluate("""() => { const { map } = gridmap.view;
        map.setView(gridmap.order[0].bounds().getCenter(), 10.75, { animate: false }); }""")
    opened.settle()
    shades = np.array(opened.page.evaluate("""() => {
        const found = [];
        for (const tile of document.querySelectorAll(".leaflet-gridmap-points-pane canvas")) {
            const copy = Object.assign(document.createElement("canvas"),
                { width: tile.width, height: tile.height }).getContext("2d");
            copy.drawImage(tile, 0, 0);
            const { data } = copy.getImageData(0, 0, tile.width, tile.height);
            for (let at = 0; at < data.length; at += 4) {
                if (data[at + 3]) found.push(data[at] + data[at + 1] + data[at + 2]);
            }
        }
        return found; }"""))
    assert len(shades) > 1_000
    low, high = np.quantile(shades, [0.1, 0.9])
    assert high - low < 20
    opened.page.context.close()

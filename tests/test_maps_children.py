"""What others put on a map: it works without a network, or it is refused by name."""

from __future__ import annotations

import json

import folium
import numpy as np
import pytest
from branca.colormap import LinearColormap
from branca.element import CssLink, Element, IFrame, JavascriptLink
from folium import plugins
from folium.raster_layers import ImageOverlay, VideoOverlay, WmsTileLayer

from gridmap import errors, maps

HERE = (37.0, 122.0)
THERE = (37.1, 122.1)
LAND = {"type": "FeatureCollection", "features": [{
    "type": "Feature", "properties": {"name": "<b>", "site": "https://example.org/a.png"},
    "geometry": {"type": "Polygon", "coordinates": [[[122, 37], [122.1, 37], [122.1, 37.1],
                                                     [122, 37]]]}}]}
TOPOLOGY = {"type": "Topology", "arcs": [], "objects": {
    "a": {"type": "GeometryCollection", "geometries": []}}}
ALONE = r"A page must not need another machine\."


def popup(text):
    return folium.Marker(HERE, popup=text)


WELCOME = [
    lambda: folium.Marker(HERE, popup="<b>here</b>", tooltip="tip"),
    lambda: folium.Marker(HERE, icon=folium.DivIcon(html="<b>x</b>")),
    lambda: folium.Marker(HERE, icon=folium.CustomIcon(np.zeros((4, 4, 3)))),
    lambda: folium.CircleMarker(HERE), lambda: folium.Circle(HERE, radius=10),
    lambda: folium.PolyLine([HERE, THERE]), lambda: folium.Polygon([HERE, THERE, (37, 122.1)]),
    lambda: folium.Rectangle([HERE, THERE]),
    lambda: folium.ColorLine([HERE, THERE], colors=[1], colormap=["b", "g"]),
    lambda: folium.GeoJson(LAND, tooltip=folium.GeoJsonTooltip(["name"]),
                           popup=folium.GeoJsonPopup(["site"])),
    lambda: folium.Choropleth(LAND),
    lambda: ImageOverlay(np.zeros((4, 4)), [HERE, THERE]),
    lambda: folium.TileLayer("data:image/png;base64,AA", attr="x"),
    folium.LatLngPopup, folium.ClickForMarker,
    lambda: folium.FeatureGroup("group"), lambda: folium.FitBounds([HERE, THERE]),
    lambda: popup(folium.Popup("lazy", lazy=True)),
    lambda: popup('<a href="https://example.org/" target="_blank">a source</a>'),
    lambda: Element('<script type="text/javascript">window.ran = 1</script>'),
    lambda: Element('<style>p { background: url("data:image/png;base64,AA"); }</style>'),
    folium.LayerControl,  # the last one, as folium wants it
]

REFUSED = [
    (lambda: folium.Marker(HERE, icon=folium.Icon("red", icon="home", prefix="fa")),
     r"folium\.Icon needs scripts and fonts that pages do not carry\. Use draw_points, "
     r"folium\.CircleMarker or folium\.DivIcon\."),
    (lambda: folium.Marker(HERE, icon=folium.CustomIcon("https://e.test/a.png")),
     r"would fetch https://e\.test/a\.png"),
    (lambda: folium.Marker(HERE, icon=plugins.BeautifyIcon()),
     rf"BeautifyIcon would fetch https://.* {ALONE}"),
    (plugins.MarkerCluster, rf"MarkerCluster would fetch https://.* {ALONE} "
     r"Use draw_points, which shows any number of points\."),
    (lambda: plugins.HeatMap([HERE]), "HeatMap would fetch https://.* Use draw_points"),
    (plugins.MeasureControl, "MeasureControl would fetch https.* Pages measure by themselves"),
    (plugins.MiniMap, "MiniMap would fetch https://"), (plugins.Draw, "Draw would fetch https://"),
    (lambda: plugins.Timeline(LAND), "Timeline needs a script that pages do not carry"),
    (lambda: folium.TopoJson(TOPOLOGY, "objects.a"), r"TopoJson would fetch .*folium\.GeoJson"),
    (lambda: LinearColormap(["red", "blue"]),
     r"LinearColormap needs a script that pages do not carry, as folium\.Choropleth does"),
    (lambda: folium.TileLayer("OpenStreetMap"), r"TileLayer would fetch https://tile\."
     rf".* {ALONE} Name the tiles by Map\(base=…\)\."),
    (lambda: folium.TileLayer("tiles/{z}/{x}/{y}.png", attr="x"), "TileLayer would fetch tiles/"),
    (lambda: WmsTileLayer("http://h/wms", layers="a"), r"WmsTileLayer would fetch http://h/wms"),
    (lambda: VideoOverlay("a.webm", [HERE, THERE]), "VideoOverlay needs a file beside the page"),
    (lambda: ImageOverlay("https://e.test/a.png", [HERE, THERE]), r"fetch https://e\.test/a\.png"),
    (lambda: popup(folium.Popup(IFrame("<p>x</p>"))), "holds <iframe src=.*no other pages"),
    (lambda: popup('<img src="a.png">'), r'holds <img src="a\.png">: its picture lies outside'),
    (lambda: popup("<img src=https://e.test/a.png>"), r"holds <img src=https://e\.test/a\.png>"),
    (lambda: popup('<img srcset="//e.test/a.png 2x">'), "holds <img srcset="),
    (lambda: folium.Marker(HERE, icon=folium.DivIcon(
        html='<b style="background:url(//e.test/a.png)">')), r"holds :url\(//e\.test/a\.png\)"),
    (lambda: popup('<b onclick="hit()">x</b>'), "pages run no script out of an attribute"),
    (lambda: popup("<script>hit()</script>"), "holds <script>, which would break the page"),
    (lambda: popup("<video src='a.webm'></video>"), "holds <video .*pages play nothing"),
    (lambda: Element("<style>@import 'a.css';</style>"), "holds @import 'a.css': its style lies"),
    (lambda: Element("<script type='module'>import 'a'</script>"), "holds <script type='module'>"),
    (lambda: Element("<script>fetch('https://e.test/x')</script>"), r"fetch https://e\.test/x"),
    (lambda: JavascriptLink("a.js"), r'holds <script src="a\.js">'),
    (lambda: CssLink("https://e.test/a.css"), "holds <link .*its style lies outside of the page"),
]


def put(page, child):
    root = page.get_root()
    if isinstance(child, (JavascriptLink, CssLink)):
        root.header.add_child(child)
    elif type(child) is Element:
        root.html.add_child(child)
    else:
        child.add_to(page)


@pytest.mark.parametrize(("make", "message"), REFUSED)
def test_what_would_not_show_is_refused_with_its_name(make, message):
    page = maps.Map(HERE)
    put(page, make())
    with pytest.raises(errors.PublicationError, match=message):
        page.get_root().render()


def test_data_beside_the_page_are_refused(tmp_path):
    file = tmp_path / "land.json"
    file.write_text(json.dumps(LAND), encoding="utf-8")
    page = maps.Map(HERE)
    folium.GeoJson(str(file), embed=False).add_to(page)
    with pytest.raises(errors.PublicationError, match=r"GeoJson would fetch its data\..*embed"):
        page.get_root().render()


def test_every_plugin_of_folium_that_names_a_file_on_the_web_is_refused():
    named = {name for name in plugins.__all__ if getattr(getattr(plugins, name), "default_js", ())}
    assert len(named) > 25
    for name in sorted(named):
        page = maps.Map(HERE)
        plugin = object.__new__(getattr(plugins, name))
        why = f"^{name} (would fetch https://|needs a script)"
        with pytest.raises(errors.PublicationError, match=why):
            maps.children.check_children([plugin], "")
        assert page.get_root().render()  # the next map is none the worse


@pytest.mark.browser
def test_what_is_welcome_works_and_asks_nobody(browser, tmp_path):
    page = maps.Map(HERE, zoom_start=10)
    for make in WELCOME:
        put(page, make())
    page.save(tmp_path / "children.html")
    context = browser.new_context()
    shown = context.new_page()
    complaints: list[str] = []
    asked: list[str] = []
    shown.on("pageerror", lambda error: complaints.append(str(error)))
    shown.on("console", lambda line: complaints.append(line.text)
             if line.type in ("error", "warning") else None)
    shown.on("request", lambda request: asked.append(request.url))
    shown.goto((tmp_path / "children.html").as_uri())
    shown.wait_for_selector(".leaflet-interactive")
    for marker in shown.query_selector_all(".leaflet-interactive")[:3]:
        marker.click(force=True)
    assert shown.evaluate("() => window.ran") == 1
    assert complaints == []
    assert [url for url in asked if not url.startswith(("file:", "data:", "blob:"))] == []
    assert sum(url.startswith("file:") for url in asked) == 1
    context.close()

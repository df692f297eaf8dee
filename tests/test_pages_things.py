"""Single things on a page: what a click tells, and what search finds by its address."""

from __future__ import annotations

import geopandas
import numpy as np
import pandas as pd
import pytest
import shapely
from pages import INTERNAL, NASTY, Opened, city
from test_maps_layers import all_text

from gridmap import maps
from gridmap.rules import load_publication
from gridmap.sketch import sketch_points

pytestmark = pytest.mark.browser


def homes():
    """Draw addresses, two of them at one place, and houses with a hole or turned."""
    _, towns = city()
    spots = [(210.0, 210.0), (210.0, 210.0), (2600.0, 900.0)]
    points = sketch_points(*spots, kind="address").assign(
        address=["甲路１２号", NASTY[0], None], floors=[np.nan, np.nan, np.nan], phone="0631",
        people=4)
    ring = shapely.box(1000, 1000, 1200, 1200).difference(shapely.box(1050, 1050, 1150, 1150))
    turned = shapely.affinity.rotate(shapely.box(1400, 1000, 1600, 1040), 45)
    houses = geopandas.GeoDataFrame(
        {"kind": "building", "address": ["乙街3号", None], "floors": [6.0, 2.0], "phone": "0631"},
        geometry=[ring, turned], index=pd.Index(["h1", "h2"], name="element", dtype="str"),
        crs=points.crs)
    return pd.concat([points, houses]), towns


@pytest.fixture(scope="module")
def things_file(tmp_path_factory):
    elements, towns = homes()
    grids, _ = city()
    lamps = sketch_points((2600.0, 900.0), kind="lamp").assign(radius_m=150.0)
    lamps.index.name = "asset"
    page = maps.draw_page(grids, publication=INTERNAL, territories=towns, elements=elements,
                          assets=lamps, figure="people")
    path = tmp_path_factory.mktemp("things") / "map.html"
    page.save(path)
    return path


@pytest.fixture
def shown(browser, things_file):
    page = Opened(browser, things_file)
    yield page
    page.page.context.close()


def switch(shown, name):
    shown.page.click(".gm-tools button >> nth=0")
    shown.page.check(f".gm-layers label:has-text('{name}') input")
    shown.page.click(".gm-tools button >> nth=0")


def click_at(shown, x, y, zoom=16):
    """Go to a place of the drawing and click on it."""
    place = geopandas.GeoSeries([shapely.Point(x, y)], crs=homes()[0].crs).to_crs(4326).iloc[0]
    spot = shown.page.evaluate("""([lat, lng, zoom]) => { const { map } = gridmap.view;
        map.setView([lat, lng], zoom, { animate: false });
        const at = map.latLngToContainerPoint([lat, lng]); return [at.x, at.y]; }""",
                               [place.y, place.x, zoom])
    shown.settle()
    shown.page.mouse.click(*spot)


def told(shown):
    shown.until("() => Boolean(document.querySelector('.gm-things'))")
    return shown.text(".gm-things").split("\n")


def test_a_click_on_points_tells_all_that_lie_there_and_selects_the_grid(shown):
    switch(shown, "Elements")
    click_at(shown, 210.0, 210.0)
    lines = told(shown)
    assert lines.count("standard address") == 2
    assert "甲路１２号" in lines and NASTY[0] in lines
    assert lines[-2:] == ["Grid", shown.text(".gm-detail h2")]
    assert "People\n" in shown.text(".gm-detail dl")
    shown.page.keyboard.press("Escape")
    assert shown.page.evaluate("() => window.hit === undefined")
    assert shown.complaints == [] and shown.remote() == []


def test_a_grid_that_is_selected_stays_so_when_a_point_on_it_is_clicked(shown):
    switch(shown, "Elements")
    click_at(shown, 210.0, 210.0)
    told(shown)
    click_at(shown, 210.0, 210.0)
    told(shown)
    assert shown.page.evaluate("() => gridmap.view.selected") >= 0


def test_an_asset_tells_its_reach_also_under_an_address(shown):
    switch(shown, "Elements")
    switch(shown, "Assets")
    click_at(shown, 2600.0, 900.0)
    lines = told(shown)
    assert lines[0] == "street lamp" and lines[1:3] == ["Reach", "150 m"]
    assert "standard address" in lines


def test_footprints_are_hit_by_their_shape(shown):
    click_at(shown, 1500.0, 1020.0)  # in the middle of the turned house
    assert told(shown)[:3] == ["building", "Floors", "2"]
    shown.page.keyboard.press("Escape")
    click_at(shown, 1440.0, 1060.0)  # inside of its box, outside of the house
    shown.until("() => gridmap.awaited() === 0")
    assert shown.page.query_selector(".gm-things") is None
    click_at(shown, 1025.0, 1100.0)
    lines = told(shown)
    assert "乙街3号" in lines and "6" in lines
    shown.page.keyboard.press("Escape")
    click_at(shown, 1100.0, 1100.0)  # in the hole
    shown.until("() => gridmap.awaited() === 0")
    shown.page.wait_for_timeout(100)
    assert shown.page.query_selector(".gm-things") is None


def test_search_finds_an_address_in_any_width_and_goes_there(shown):
    assert shown.page.get_attribute(".gm-search input", "placeholder") == (
        "Search code, name or address")
    shown.page.fill(".gm-search input", "甲路12")
    shown.until("() => document.querySelector('#gm-hits').innerText.includes('甲路')")
    assert shown.text("#gm-hits").split("\n") == ["甲路１２号", "standard address"]
    shown.page.press(".gm-search input", "Enter")
    assert "甲路１２号" in told(shown)
    shown.settle()
    assert shown.page.evaluate("() => gridmap.view.map.getZoom()") == 17
    box = shown.page.query_selector(".gm-things").bounding_box()
    panel = shown.page.query_selector(".gm-panel").bounding_box()
    assert box["x"] >= panel["x"] + panel["width"]
    assert shown.page.evaluate("() => gridmap.view.selected") >= 0


def test_the_box_of_a_thing_can_be_closed_by_its_button(shown):
    switch(shown, "Elements")
    click_at(shown, 210.0, 210.0)
    told(shown)
    shown.page.click(".gm-things .gm-close")
    shown.until("() => !document.querySelector('.gm-things')")


def test_only_allowed_columns_of_things_are_in_the_file(things_file):
    text = all_text(things_file.read_text(encoding="utf-8"))
    assert "甲路" in text and "phone" not in text and "0631" not in text


def test_a_profile_without_elements_holds_no_address():
    elements, towns = homes()
    grids, _ = city()
    lamps = sketch_points((2600.0, 900.0), kind="lamp").assign(radius_m=150.0, address="丙路")
    lamps.index.name = "asset"
    page = maps.draw_page(grids, publication=load_publication("shared"), territories=towns,
                          elements=elements, assets=lamps, figure="people")
    text = all_text(page.get_root().render())
    assert "甲路" not in text and "丙路" not in text and '"values":[150]' in text

"""The page of the sample city from end to end: every control used once, in one browser."""

from __future__ import annotations

import csv
import io
import json
import re
from dataclasses import replace

import geopandas
import pytest
from pages import NASTY, Opened, painted
from test_maps_layers import all_text, figures_of
from test_pages_access import serious

import gridmap as gm
from gridmap import maps
from gridmap.rules import load_publication
from gridmap.sources import load_elements

pytestmark = pytest.mark.browser

INTERNAL = load_publication("internal")


@pytest.fixture(scope="module")
def frames(root):
    """Read the towns, communities, addresses and assets of the sample city.

    Communities stand in for grids: a page does not care who drew its polygons, and drawing
    grids anew takes longer than all of these tests.
    """
    sample = root / "data" / "sample"
    read = {level: gm.load_territories(
        sample / "boundaries" / f"{file}.shp", constants={"level": level},
        columns={"territory": "CODE", "name": "NAME", "parent": "PARENT"}).frame
        for level, file in (("town", "towns"), ("community", "communities"))}
    towns = read["town"].assign(name=[*NASTY, *read["town"]["name"]][:len(read["town"])])
    cells = read["community"].to_crs(towns.crs)
    grids = cells.set_axis(cells.index.rename("grid"))[["geometry"]].assign(
        territory=cells["parent"].to_numpy(), phone="0631-5220000",
        households=range(300, 300 + 10 * len(cells), 10), size_state="in range",
        people=[None, *range(900, 899 + len(cells))])
    addresses = load_elements(
        sample / "elements" / "addresses.csv", encoding="GB18030", crs="EPSG:4326",
        offset="GCJ-02", constants={"kind": "address", "count": 1},
        columns={"element": "地址编码", "address": "标准地址", "x": "经度", "y": "纬度"}).frame
    assets = gm.load_assets(sample / "assets" / "assets.csv", crs="EPSG:4550", columns={
        "asset": "asset", "kind": "kind", "radius_m": "radius_m", "x": "x", "y": "y"}).frame
    return grids, towns, addresses, assets


@pytest.fixture(scope="module")
def city_file(frames, tmp_path_factory):
    grids, towns, addresses, assets = frames
    months = {"visits": geopandas.pd.DataFrame(
        {f"2026-0{m}": range(10 * m, 10 * m + len(grids)) for m in (1, 2, 3)}, index=grids.index)}
    page = maps.draw_page(
        grids, publication=INTERNAL, figure="households", territories=towns, assets=assets,
        elements=addresses.iloc[:2_000], over_time=months, title=("Sample city", "样例城市"),
        labels={"households": ("Households {{ 1 }}", "户数 </script>")})
    path = tmp_path_factory.mktemp("city") / "map.html"
    page.save(path)
    return path


@pytest.fixture(scope="module")
def city(browser, city_file):
    page = Opened(browser, city_file)
    page.settle()
    yield page
    page.page.context.close()


@pytest.fixture(autouse=True)
def quiet(request):
    """See after every test that the page asked nobody and complained of nothing."""
    yield
    if "city" in request.fixturenames:
        shown = request.getfixturevalue("city")
        assert shown.remote() == [] and shown.complaints == []


def tool(city, name):
    city.page.click(f".gm-tools [aria-label='{name}']")


def state(city, expression):
    return city.page.evaluate(f"() => {{ const view = gridmap.view; return {expression}; }}")


def choose(city, text):
    city.page.fill(".gm-search input", text)
    city.until("() => document.querySelectorAll('#gm-hits [role=option]').length > 0")
    city.page.press(".gm-search input", "Enter")


def test_layers_are_switched_with_the_reach_of_assets(city):
    tool(city, "Layers")
    before = painted(city, "reach") if state(city, "Boolean(view.map.getPane('gridmap-reach'))") \
        else 0
    city.page.check(".gm-layers label:has-text('Reach') input")
    city.settle()
    assert painted(city, "reach") > before
    city.page.uncheck(".gm-layers label:has-text('Reach') input")
    tool(city, "Layers")


def test_search_by_code_name_and_address(city, frames):
    grids, towns, addresses, _ = frames
    choose(city, grids.index[3])
    city.until("code => document.querySelector('.gm-detail h2').innerText === code",
               grids.index[3])
    choose(city, towns["name"].iloc[1][:5])
    city.until("() => document.querySelector('.gm-detail p').innerText.includes('{{ 7 * 6 }}')")
    text = addresses["address"].iloc[5]
    choose(city, text)
    city.until("text => (document.querySelector('.gm-things') || {}).innerText?.includes(text)",
               text)


def test_a_click_tells_all_allowed_figures_of_a_grid_under_points(city, frames):
    tool(city, "Layers")
    for name in ("Elements", "Assets"):
        city.page.check(f".gm-layers label:has-text('{name}') input >> nth=0")
    tool(city, "Layers")
    state(city, "view.select(-1)")
    state(city, "view.map.closePopup()")
    choose(city, frames[2]["address"].iloc[5])
    city.until("() => gridmap.view.map.getZoom() === 17")
    city.page.wait_for_timeout(400)
    place = state(city, """(() => { const { map } = view, found = map._popup.getLatLng();
        const at = map.latLngToContainerPoint(found);
        map.closePopup(); return [at.x, at.y]; })()""")
    state(city, "view.select(-1)")
    city.settle()
    city.page.mouse.click(*place)
    city.until("() => !document.querySelector('.gm-detail').hidden &&"
               " Boolean(document.querySelector('.gm-things'))")
    names = [name.inner_text() for name in city.page.query_selector_all(".gm-detail dt")]
    assert names == ["Households {{ 1 }}", "People", "Size state", "Household visits"]
    assert "standard address" in city.text(".gm-things")
    state(city, "view.map.closePopup()")


def test_the_tip_keeps_off_the_grid_that_a_search_found(city, frames):
    choose(city, frames[0].index[10])
    city.settle()
    city.page.wait_for_timeout(500)
    frame = state(city, """(() => { const box = view.selectedBounds, { map } = view;
        const one = map.latLngToContainerPoint(box.getNorthWest());
        const other = map.latLngToContainerPoint(box.getSouthEast());
        return [one.x, one.y, other.x, other.y]; })()""")
    assert city.page.query_selector(".gm-tip") is None
    west, north, east, south = frame
    for x, y in (((west + east) / 2, south + 8), ((west + east) / 2, north - 8)):
        side = city.page.evaluate(
            "([x, y]) => gridmap.sideOfTip(gridmap.view, gridmap.view.map, { x, y })", [x, y])
        assert side == ("bottom" if y > south else "top")


def test_figure_and_classes_are_chosen_and_every_grid_is_counted(city, frames):
    count = len(frames[0])
    for method in ("quantiles", "natural breaks", "equal intervals", "own"):
        city.page.select_option("#gm-figure", "people")
        city.page.select_option("#gm-method", method)
        if method == "own":
            city.page.fill("#gm-own", "905; 910")
            city.page.press("#gm-own", "Enter")
        counts = city.page.query_selector_all(".gm-legend .gm-count")
        assert sum(int(one.inner_text()) for one in counts) == count
    assert "unknown" in city.text(".gm-legend")
    city.page.click(".gm-legend button >> nth=0")
    assert city.page.get_attribute(".gm-legend button >> nth=0", "aria-pressed") == "false"
    city.page.click(".gm-legend button >> nth=0")


def test_a_town_with_a_hostile_name_is_filtered_and_its_table_saved(city, frames):
    grids, towns, *_ = frames
    city.page.select_option("#gm-place", label=NASTY[0])
    inside = int((grids["territory"] == towns.index[0]).sum())
    city.until("n => document.querySelector('.gm-subtitle').innerText.startsWith(`${n} grids`)",
               inside)
    tool(city, "Table of grids")
    city.until("() => document.querySelectorAll('.gm-drawer tr[data-grid]').length > 0")
    city.page.click(".gm-drawer th:has-text('People') button")
    with city.page.expect_download() as download:
        city.page.click(".gm-drawer .gm-plain")
    rows = list(csv.reader(io.StringIO(
        download.value.path().read_bytes().decode("utf-8-sig"))))
    assert rows[0] == ["grid", "place", "households", "people", "size_state", "visits"]
    assert len(rows) == inside + 1 and {row[1] for row in rows[1:]} == {NASTY[0]}
    people = [int(row[3]) for row in rows[1:] if row[3]]
    assert people == sorted(people, reverse=True)
    city.page.click(".gm-drawer tr[data-grid] >> nth=0")
    city.until("() => Boolean(document.querySelector('tr[aria-selected=true]'))")
    city.page.click(".gm-drawer .gm-close")
    city.page.select_option("#gm-place", "")


def test_distance_and_area_are_measured(city):
    tool(city, "Measure")
    for place in ((700, 300), (800, 300), (800, 420)):
        city.page.mouse.click(*place)
    assert re.search(r"Length [\d.,]+ k?m · area [\d.,]+", city.text(".gm-measured"))
    city.page.keyboard.press("Escape")
    assert city.page.is_visible(".leaflet-control-scale")


def test_periods_slide(city):
    city.page.select_option("#gm-figure", "visits")
    city.page.focus("#gm-period")
    city.page.keyboard.press("Home")
    assert city.text(".gm-time output") == "2026-01"
    city.page.keyboard.press("ArrowRight")
    assert city.text(".gm-time output") == "2026-02"


def test_a_shared_address_brings_back_layers_period_and_language(browser, city):
    state(city, "view.select(4)")
    tool(city, "Layers")
    city.page.uncheck(".gm-layers label:has-text('Elements') input >> nth=0")
    tool(city, "Layers")
    tool(city, "Share this view")
    address = city.page.input_value(".gm-share input")
    tool(city, "Share this view")
    assert "#" in address and "period=2026-02" in address and "layers=" in address
    context = browser.new_context(locale="en-GB", viewport={"width": 1280, "height": 800})
    again = context.new_page()
    again.goto(address)
    again.wait_for_selector(".gm-detail h2")
    told = """() => { const { view, order } = gridmap, { map } = view; return [
        view.column.name, view.period, view.selected, gridmap.language,
        order.map(layer => map.hasLayer(layer)), document.querySelector('output').innerText]; }"""
    assert again.evaluate(told) == city.page.evaluate(told)
    context.close()


def test_axe_finds_nothing_serious_in_either_language(city):
    tool(city, "Layers")
    state(city, "view.select(2)")
    assert serious(city.page) == []
    city.page.click(".gm-language")
    assert city.text("h1") == "样例城市" and "户数 </script>" in city.text(".gm-detail")
    assert serious(city.page) == []
    city.page.click(".gm-language")
    tool(city, "Layers")


def test_the_print_view_shows_title_legend_and_scale_only(city):
    city.page.evaluate("() => gridmap.preparePrint(gridmap.view)")
    city.settle()
    for shown in ("h1", ".gm-legend", ".leaflet-control-scale", ".gm-credit"):
        assert city.page.is_visible(shown), shown
    for hidden in (".gm-tools", ".gm-search", ".leaflet-control-zoom"):
        assert not city.page.is_visible(hidden), hidden
    city.page.evaluate("() => gridmap.leavePrint(gridmap.view)")


def test_the_focus_runs_from_the_panel_over_the_map_to_the_tools(city):
    unnamed = city.page.evaluate("""() => {
        const all = [...document.querySelectorAll("button, input, select, [tabindex]")];
        return all.filter(one => one.offsetParent && !one.getAttribute("aria-label") &&
            !one.innerText && !one.labels?.length && !one.title).map(one => one.outerHTML); }""")
    assert unnamed == []
    assert city.page.evaluate("() => window.hit === undefined")


def test_two_states_are_compared_by_a_divider_and_side_by_side(browser, frames, tmp_path):
    grids, towns, *_ = frames
    before = grids.iloc[:-1]
    page = maps.draw_comparison(before, grids, publication=INTERNAL, territories=towns,
                                title=("City", "城市"))
    page.save(tmp_path / "compare.html")
    shown = Opened(browser, tmp_path / "compare.html")
    assert shown.text("h1") == "City: Before\u00a0→\u00a0After"
    assert f"Before: {len(before)} grids · After: {len(grids)} grids" == shown.text(".gm-subtitle")
    shown.page.focus(".gm-divider")
    shown.page.keyboard.press("ArrowRight")
    shown.page.click(".gm-tools [aria-label='Side by side']")
    shown.settle()
    assert shown.page.is_visible(".gm-second canvas >> nth=0")
    assert serious(shown.page) == []
    shown.page.click(".gm-language")
    assert serious(shown.page) == []
    assert shown.complaints == [] and shown.remote() == []
    shown.page.context.close()


def test_only_allowed_columns_stand_in_the_file(city_file):
    html = city_file.read_text(encoding="utf-8")
    assert [column["name"] for column in figures_of(html)["columns"]] == [
        "households", "people", "size_state", "visits"]
    text = all_text(html)
    for personal in ("0631-5220000", "phone", "户主", "联系电话", "element_columns"):
        assert personal not in text
    about = json.loads(re.search(r'id="gridmap-page">([^<]*)<', html)[1])
    assert '"internal"' in about["credit"]["en"]


def test_a_profile_of_ones_own_decides_about_single_things(frames):
    grids, towns, addresses, _ = frames
    silent = replace(INTERNAL, element_columns=())
    page = maps.draw_page(grids, publication=silent, territories=towns,
                          elements=addresses.iloc[:50])
    assert addresses["address"].iloc[0] not in all_text(page.get_root().render())

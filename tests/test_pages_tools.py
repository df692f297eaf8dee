"""The tools of a page: table, filter, measuring, sharing, printing."""

from __future__ import annotations

import csv
import io

import pytest
from pages import NASTY, Opened, city

from gridmap import maps
from gridmap.rules import load_publication

pytestmark = pytest.mark.browser


def open_table(opened):
    opened.page.click(".gm-tools [aria-expanded] >> nth=1")
    opened.until("() => document.querySelectorAll('.gm-drawer tr[data-grid]').length > 4")


def column(opened, number):
    return [row.inner_text().split("\t")[number] for row in
            opened.page.query_selector_all(".gm-drawer tr[data-grid]")]


def saved(opened):
    with opened.page.expect_download() as download:
        opened.page.click(".gm-drawer .gm-plain")
    return download.value.path().read_bytes().decode("utf-8")


def test_the_table_sorts_numbers_as_numbers_and_unknown_last(opened):
    open_table(opened)
    opened.page.click(".gm-drawer th:nth-child(4) button")
    opened.until("() => document.querySelector('[aria-sort=descending]')")
    assert column(opened, 3)[:3] == ["490", "480", "470"]
    opened.page.click(".gm-drawer th:nth-child(4) button")
    households = column(opened, 3)
    assert households[:2] == ["310", "320"]
    opened.page.evaluate("() => { document.querySelector('.gm-scroll').scrollTop = 9999; }")
    opened.page.wait_for_timeout(150)
    assert column(opened, 3)[-1] == "unknown"


def test_a_row_and_the_map_are_linked_both_ways(opened):
    open_table(opened)
    opened.page.click(".gm-drawer tr[data-grid] >> nth=2")
    opened.until("() => !document.querySelector('.gm-detail').hidden")
    assert opened.text(".gm-detail h2") == column(opened, 0)[2]
    opened.page.evaluate("() => gridmap.view.select(19)")
    opened.until("() => document.querySelector('tr[aria-selected=true]')")
    assert opened.text("tr[aria-selected=true] td") == "37400019"
    opened.page.focus(".gm-scroll")
    opened.page.keyboard.press("ArrowUp")
    opened.until("() => gridmap.view.selected !== 19")


def test_the_saved_table_is_what_is_seen_and_no_formula(browser, tmp_path):
    grids, towns = city()
    towns["name"] = ["=cmd|'/c calc'!A0", "+1", "@x", 'say "hi", you', "-2"]
    page = maps.draw_page(grids, publication=load_publication("internal"), territories=towns,
                          figure="households")
    page.save(tmp_path / "map.html")
    opened = Opened(browser, tmp_path / "map.html")
    open_table(opened)
    opened.page.fill(".gm-filter", "3700")
    opened.until("() => document.querySelectorAll('.gm-drawer tr[data-grid]').length === 4")
    text = saved(opened)
    assert text.startswith("\ufeffgrid,place,kind,households,people,area_m2,size_state\r\n")
    rows = list(csv.reader(io.StringIO(text.removeprefix("\ufeff"))))
    assert len(rows) == 5
    assert rows[1][:5] == ["37000000", "'=cmd|'/c calc'!A0", "comprehensive", "", "900"]
    opened.page.fill(".gm-filter", "")
    places = {row[1] for row in csv.reader(io.StringIO(saved(opened)))}
    assert places == {"place", "'=cmd|'/c calc'!A0", "'+1", "'@x", 'say "hi", you', "'-2"}
    opened.page.context.close()


def test_a_territory_can_be_chosen(opened):
    opened.page.select_option("#gm-place", label=NASTY[3])
    opened.until("() => document.querySelector('.gm-subtitle').innerText.startsWith('4 grids')")
    counts = [int(c.inner_text()) for c in
              opened.page.query_selector_all(".gm-legend .gm-count")]
    assert sum(counts) == 4
    open_table_rows = "() => document.querySelectorAll('.gm-drawer tr[data-grid]').length === 4"
    opened.page.click(".gm-tools [aria-expanded] >> nth=1")
    opened.until(open_table_rows)
    opened.page.select_option("#gm-place", "")
    opened.until("() => document.querySelector('.gm-subtitle').innerText.startsWith('20 grids')")


def test_distance_and_area_are_those_on_the_ground(opened):
    square = opened.page.evaluate("""() => {
        const side = 0.01, at = (lat, lng) => L.latLng(37 + lat * side, 122 + lng * side);
        const places = [at(0, 0), at(0, 1), at(1, 1), at(1, 0)];
        return [gridmap.distance(places[0], places[3]), gridmap.area(places)]; }""")
    assert square[0] == pytest.approx(1111.9, abs=0.5)  # on the sphere of the same volume
    assert square[1] == pytest.approx(1111.95**2 * 0.79855, rel=1e-3)  # cos 37.005 degrees


def test_measuring_does_not_select_and_ends_with_escape(opened):
    opened.page.click(".gm-tools [aria-pressed]")
    for place in ((700, 300), (800, 300), (800, 400)):
        opened.page.mouse.click(*place)
    assert "Length" in opened.text(".gm-measured") and "area" in opened.text(".gm-measured")
    opened.page.keyboard.press("Escape")
    assert not opened.page.is_visible(".gm-measured")
    assert opened.page.evaluate("() => gridmap.view.selected") == -1


def test_a_shared_address_opens_the_same_view(browser, page_file, opened):
    opened.page.select_option("#gm-figure", "people")
    opened.page.select_option("#gm-method", "equal intervals")
    opened.page.evaluate("() => gridmap.view.select(7, true)")
    opened.page.click(".gm-language")
    opened.page.wait_for_timeout(900)
    address = opened.page.evaluate("() => gridmap.address(gridmap.view)")
    assert address == opened.page.url  # kept up to date all the time
    context = browser.new_context(locale="en-GB")
    again = context.new_page()
    again.goto(address)
    again.wait_for_selector(".gm-detail h2")
    state = """() => { const v = gridmap.view, c = v.map.getCenter();
        return [v.column.name, v.method, v.selected, gridmap.language, v.map.getZoom(),
                c.lat.toFixed(3), c.lng.toFixed(3)]; }"""
    assert again.evaluate(state) == opened.page.evaluate(state)
    assert again.evaluate("() => gridmap.view.selected") == 7
    context.close()


def test_an_address_that_fits_nothing_is_passed_over(browser, page_file):
    context = browser.new_context()
    page = context.new_page()
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.goto(page_file.as_uri() + "#figure=nothing&grid=<b>&place=x&at=a/b&method=own&own=z")
    page.wait_for_selector(".gm-legend")
    page.wait_for_timeout(300)
    assert faults == []
    context.close()


def test_printing_makes_one_landscape_sheet_with_the_legend(opened):
    opened.page.evaluate("() => gridmap.preparePrint(gridmap.view)")
    opened.settle()
    assert opened.page.is_visible(".gm-legend") and not opened.page.is_visible(".gm-tools")
    assert not opened.page.is_visible(".gm-search")
    pdf = opened.page.pdf(prefer_css_page_size=True, print_background=True)
    assert pdf.count(b"/Type /Page\n") + pdf.count(b"/Type /Page ") + pdf.count(
        b"/Type/Page/") <= 1
    opened.page.evaluate("() => gridmap.leavePrint(gridmap.view)")
    assert opened.page.is_visible(".gm-search")

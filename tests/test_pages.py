"""Pages in Chromium: what a planner does, and that nothing leaves the machine."""

from __future__ import annotations

import pytest
from pages import INTERNAL, NASTY, Opened, city, painted
from pandas import DataFrame

from gridmap import maps
from gridmap.maps import style

pytestmark = pytest.mark.browser


def legend_rows(opened):
    return [row.inner_text().split("\n")
            for row in opened.page.query_selector_all(".gm-legend li")]


def test_the_page_asks_nobody_and_complains_of_nothing(opened):
    opened.settle()
    assert opened.remote() == [] and opened.complaints == []
    for role in ("land", "grids", "borders", "labels"):
        assert painted(opened, role) > 500, role


def test_the_policy_would_stop_a_request(opened):
    outcome = opened.page.evaluate(
        "() => fetch('https://example.org/').then(() => 'went', fault => 'stopped')")
    assert outcome == "stopped"
    assert opened.page.evaluate("""() => { const script = document.createElement("script");
        script.textContent = "window.hit = 1"; document.body.append(script);
        return window.hit === undefined; }""")


def test_names_are_shown_as_they_are(opened):
    assert opened.page.title() == "A city <b>" and opened.text("h1") == "A city <b>"
    for name in NASTY:
        opened.page.fill(".gm-search input", name[:9])
        opened.until("name => document.querySelector('#gm-hits').innerText.includes(name)", name)
        opened.page.press(".gm-search input", "Enter")
        opened.until("name => document.querySelector('.gm-detail p').innerText === name", name)
    assert opened.page.evaluate("() => window.hit === undefined")
    assert "source & notice" in opened.text(".gm-credit")


def test_search_by_code_selects_and_shows_all_allowed_figures(opened):
    opened.page.fill(".gm-search input", "373")
    opened.page.press(".gm-search input", "ArrowDown")
    opened.page.press(".gm-search input", "Enter")
    opened.until("() => !document.querySelector('.gm-detail').hidden")
    assert opened.text(".gm-detail h2") == "37300008"
    shown = opened.text(".gm-detail dl").replace("\n", " ")
    for told in ("Kind of grid comprehensive", "Households 380", "People 908", "Area 32 ha",
                 "Size state too small"):
        assert told in shown
    assert opened.page.evaluate("""() => {
        const view = gridmap.view, panel = document.querySelector(".gm-panel");
        const left = panel.getBoundingClientRect().right;
        const box = view.outline.getLayers()[0].getBounds();
        return view.map.latLngToContainerPoint(box.getNorthWest()).x > left; }""")
    assert opened.page.query_selector(".gm-tip") is None


def test_unknown_is_not_zero(opened):
    opened.page.fill(".gm-search input", "37000000")
    opened.page.press(".gm-search input", "Enter")
    opened.until("() => !document.querySelector('.gm-detail').hidden")
    assert "Households\nunknown" in opened.text(".gm-detail dl")
    last = opened.page.query_selector_all(".gm-legend li")[-1]
    assert last.inner_text().split() == ["unknown", "1"]


def test_the_legend_counts_every_grid_once(opened):
    for figure in ("households", "people", "size_state", "area_m2"):
        opened.page.select_option("#gm-figure", figure)
        counts = opened.page.query_selector_all(".gm-legend .gm-count")
        assert sum(int(count.inner_text()) for count in counts) == 20
    opened.page.select_option("#gm-figure", "size_state")
    rows = legend_rows(opened)
    assert rows == [["in range", "10"], ["too small", "5"], ["too large", "5"]]


def test_the_page_classes_as_the_frame_does(opened):
    grids, _ = city()
    for method in style.METHODS:
        opened.page.select_option("#gm-figure", "people")
        opened.page.select_option("#gm-method", method)
        rule = maps.ClassRule(method=method)
        classes = maps.measure_classes(grids["people"], rule=rule)
        counts = [int(c.inner_text()) for c in
                  opened.page.query_selector_all(".gm-legend .gm-count")]
        assert counts == classes["count"].tolist()


def test_a_class_can_be_hidden_by_the_keyboard(opened):
    opened.settle()
    before = painted(opened, "grids")
    opened.page.focus(".gm-legend button")
    opened.page.keyboard.press("Enter")
    assert opened.page.get_attribute(".gm-legend button", "aria-pressed") == "false"
    opened.settle()
    assert painted(opened, "grids") < before


def test_bounds_of_ones_own_are_taken(opened):
    opened.page.select_option("#gm-figure", "people")
    opened.page.select_option("#gm-method", "own")
    opened.page.fill("#gm-own", "905; 910")
    opened.page.press("#gm-own", "Enter")
    rows = legend_rows(opened)
    assert rows == [["900 – 905", "6"], ["906 – 910", "5"], ["911 – 919", "9"]]


def test_one_switch_changes_the_language(opened):
    opened.page.click(".gm-language")
    assert opened.text("h1") == "一座城"
    assert "20 个网格" in opened.text(".gm-subtitle")
    assert opened.page.get_attribute(".gm-search input", "placeholder") == "搜索编码或名称"
    assert opened.page.get_attribute("html", "lang") == "zh-CN"
    opened.page.click(".gm-language")
    assert opened.text("h1") == "A city <b>"


def test_a_chinese_browser_starts_in_chinese(browser, page_file):
    opened = Opened(browser, page_file, language="zh-CN")
    assert opened.text("h1") == "一座城"
    opened.page.context.close()


def test_layers_can_be_switched(opened):
    opened.page.click(".gm-tools button >> nth=0")
    boxes = opened.page.query_selector_all(".gm-layers input[type=checkbox]")
    labels = [row.inner_text().split("\n")[0] for row in
              opened.page.query_selector_all(".gm-layers > li > label")]
    assert labels == ["Towns", "Assets", "Reach of assets", "Elements", "Grids"]
    assert [box.is_checked() for box in boxes] == [True, False, False, False, True]
    boxes[1].check()
    opened.settle()
    assert painted(opened, "points") > 20
    boxes[4].uncheck()
    opened.settle()
    assert painted(opened, "grids") == 0


def test_the_map_moves_by_keyboard(opened):
    centre = "() => { const c = gridmap.view.map.getCenter(); return [c.lat, c.lng]; }"
    before = opened.page.evaluate(centre)
    opened.page.focus(".leaflet-container")
    opened.page.keyboard.press("ArrowRight")
    opened.page.wait_for_timeout(500)
    assert opened.page.evaluate(centre) != before


def test_the_tip_follows_the_mouse_but_leaves_the_selected_grid_alone(opened):
    opened.page.mouse.move(800, 400)
    opened.page.mouse.move(801, 402)
    opened.until("() => Boolean(document.querySelector('.gm-tip'))")
    assert opened.text(".gm-tip b").startswith("37")
    opened.page.mouse.click(801, 402)
    opened.until("() => !document.querySelector('.gm-detail').hidden")
    opened.page.mouse.move(803, 403)
    opened.settle()
    assert opened.page.query_selector(".gm-tip") is None


def test_old_browsers_draw_on_the_page_itself(browser, page_file):
    before = "delete window.OffscreenCanvas; delete window.DecompressionStream;"
    opened = Opened(browser, page_file, before=before)
    opened.settle()
    assert opened.page.evaluate("() => gridmap.drawsInWorker") is False
    assert painted(opened, "grids") > 500 and painted(opened, "labels") > 100
    assert opened.complaints == []
    opened.page.context.close()


def test_a_phone_gets_a_sheet_at_the_lower_edge(browser, page_file):
    opened = Opened(browser, page_file, size=(390, 844))
    box = opened.page.query_selector(".gm-panel").bounding_box()
    assert box["y"] > 600 and box["x"] >= 0 and box["x"] + box["width"] <= 390
    opened.page.click(".gm-fold")
    assert opened.page.is_visible(".gm-legend")
    assert opened.page.evaluate("() => document.documentElement.scrollWidth") <= 390
    opened.page.context.close()


def test_a_map_without_our_layers_is_an_ordinary_folium_map(browser, tmp_path):
    import folium

    page = maps.Map((37.5, 122.1), zoom_start=12)
    folium.Marker((37.5, 122.1), popup="here").add_to(page)
    page.save(tmp_path / "plain.html")
    context = browser.new_context()
    shown = context.new_page()
    faults: list[str] = []
    asked: list[str] = []
    shown.on("pageerror", lambda error: faults.append(str(error)))
    shown.on("request", lambda request: asked.append(request.url))
    shown.goto((tmp_path / "plain.html").as_uri())
    shown.click(".leaflet-marker-icon")
    assert shown.inner_text(".leaflet-popup-content") == "here"
    assert faults == [] and [url for url in asked if url.startswith("http")] == []
    context.close()


def test_no_grids_make_a_page_all_the_same(browser, tmp_path):
    grids, towns = city()
    page = maps.draw_page(grids.iloc[:0], publication=INTERNAL, territories=towns,
                          by_grid=DataFrame(grids.iloc[:0].drop(columns="geometry")))
    page.save(tmp_path / "none.html")
    opened = Opened(browser, tmp_path / "none.html")
    assert "0 grids" in opened.text(".gm-subtitle") and opened.complaints == []
    opened.page.context.close()

"""The page of a check in Chromium: a fault clicked is a fault told, and nothing leaves."""

from __future__ import annotations

import pytest
import shapely
from geopandas import GeoDataFrame
from pages import NASTY, Opened, city
from pandas import DataFrame

from gridmap import maps
from gridmap.maps import faultwords

pytestmark = pytest.mark.browser


def drawn_faults():
    """Draw faults of every severity with nasty texts: polygons, a point, and no place."""
    _, towns = city()
    spot = towns.geometry.iloc[0].representative_point()
    gap = spot.buffer(30)
    sliver = shapely.box(spot.x + 600, spot.y, spot.x + 700, spot.y + 0.01)
    told = [
        ("mended", "check", "gap", "territories: town", "A, B, C, D, E", gap.area, None, gap),
        ("mended", "check", "overlap", "territories: town", NASTY[2], sliver.area, None, sliver),
        ("look at this", "check", "outside every territory", "address", NASTY[1], None,
         NASTY[0], shapely.Point(spot.x - 300, spot.y)),
        ("look at this", "load", "rejected: no place", NASTY[0], "E7", None, "none given", None),
        ("blocks the run", "load", "file cannot be used", "homes.csv", None, None, NASTY[0], None),
    ]
    columns = ["severity", "step", "what", "layer", "id", "area_m2", "note", "place"]
    table = DataFrame(told, columns=columns).assign(suggestion=[
        faultwords.advise(row[2]).en for row in told])
    table.loc[2, "suggestion"] = 'set offset = "GCJ-02"'
    return GeoDataFrame(table.drop(columns="place"), geometry=table["place"].tolist(),
                        crs=towns.crs).to_crs(4326), towns


@pytest.fixture(scope="module")
def check_file(tmp_path_factory):
    faults, towns = drawn_faults()
    page = maps.draw_faults(faults, territories=towns, title=("Town <b>", "镇"), coarse=True)
    path = tmp_path_factory.mktemp("check") / "check.html"
    page.save(path)
    return path


@pytest.fixture
def shown(browser, check_file):
    page = Opened(browser, check_file)
    yield page
    page.page.context.close()


def spot_of(page, number):
    """Return the pixel at which a fault is marked."""
    return page.page.evaluate("""i => {
        const row = gridmap.faults.content.rows[i];
        const at = gridmap.view.map.latLngToContainerPoint([row.place[1], row.place[0]]);
        return [at.x, at.y]; }""", number)


def test_the_page_of_a_check_asks_nobody_and_complains_of_nothing(shown):
    shown.settle()
    assert shown.remote() == [] and shown.complaints == []
    assert shown.text("h1") == "Town <b>"
    assert "5 found in the input" in shown.text(".gm-subtitle")
    chips = [chip.inner_text().split()
             for chip in shown.page.query_selector_all(".gm-chips button")]
    assert [chip[-1] for chip in chips] == ["1", "2", "2"]


def test_a_fault_clicked_on_the_map_is_selected_in_the_list(shown):
    shown.settle()
    shown.page.mouse.click(*spot_of(shown, 0))
    shown.until("() => Boolean(document.querySelector('.gm-chosen'))")
    told = shown.text(".gm-chosen")
    assert "A, B, C and 2 more" in told and "territories: town" in told
    assert "nothing: the run mends it" in told
    assert shown.page.evaluate("() => Boolean(gridmap.faults.ring)")
    shown.page.keyboard.press("Escape")
    shown.page.focus(".leaflet-container")
    shown.page.keyboard.press("Escape")
    shown.until("() => !document.querySelector('.gm-chosen')")


def test_a_fault_chosen_in_the_list_is_shown_on_the_map(shown):
    zoom = "() => gridmap.view.map.getZoom()"
    before = shown.page.evaluate(zoom)
    shown.page.click(".gm-faults section:has-text('overlap') .gm-fault")
    shown.until("zoom => gridmap.view.map.getZoom() > zoom", before)
    shown.settle()
    x, y = spot_of(shown, 1)
    panel = shown.page.query_selector(".gm-panel").bounding_box()
    assert panel["x"] + panel["width"] < x < 1280 and 0 < y < 800


def test_names_are_literal_wherever_they_stand(shown):
    shown.page.fill(".gm-panel input", "no place")
    shown.page.click(".gm-fault")
    assert NASTY[0] in shown.text(".gm-chosen")
    shown.page.fill(".gm-panel input", "{{ 7")
    shown.page.click(".gm-fault")
    told = shown.text(".gm-chosen")
    assert NASTY[1] in told and NASTY[0] in told and 'set offset = "GCJ-02"' in told
    shown.settle()
    shown.page.mouse.move(*spot_of(shown, 2))
    shown.page.mouse.move(*[side + 1 for side in spot_of(shown, 2)])
    shown.until("() => Boolean(document.querySelector('.gm-tip'))")
    assert NASTY[1] in shown.text(".gm-tip")
    assert shown.page.evaluate("() => window.hit === undefined")
    assert shown.complaints == []


def test_a_severity_can_be_switched_off_by_the_keyboard(shown):
    marks = "() => gridmap.faults.group.getLayers().length"
    before = shown.page.evaluate(marks)
    shown.page.focus(".gm-chips button >> nth=1")
    shown.page.keyboard.press("Enter")
    assert shown.page.get_attribute(".gm-chips button >> nth=1", "aria-pressed") == "false"
    assert shown.page.evaluate(marks) < before
    assert "overlap" not in shown.text(".gm-faults")
    assert shown.page.evaluate("() => document.activeElement.dataset.key") == "chip1"


def test_the_list_is_in_both_languages(shown):
    shown.page.click(".gm-language")
    assert "空隙" in shown.text(".gm-faults") and "阻断运行" in shown.text(".gm-chips")
    assert "未采用：无位置" in shown.text(".gm-faults")
    assert "100 米" in shown.text(".gm-faults")


def test_axe_has_no_serious_finding_on_the_page_of_a_check(shown):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright",
                              reason="axe-playwright-python is not installed")
    shown.page.click(".gm-fault >> nth=2")
    shown.settle()
    found = axe.Axe().run(shown.page, options={"runOnly": {
        "type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]}})
    assert [(one["id"], one["nodes"][0]["html"][:120]) for one in found.response["violations"]
            if one["impact"] in ("serious", "critical")] == []


def test_a_phone_gets_the_list_as_a_sheet(browser, check_file):
    page = Opened(browser, check_file, size=(390, 844))
    page.settle()
    assert not page.page.is_visible(".gm-faults")
    page.page.mouse.click(*spot_of(page, 0))
    page.until("() => Boolean(document.querySelector('.gm-chosen'))")
    assert page.page.is_visible(".gm-chosen")
    assert page.page.evaluate("() => document.documentElement.scrollWidth") <= 390
    page.page.context.close()


def test_a_check_without_a_fault_or_a_place_makes_a_page(browser, tmp_path):
    faults, _ = drawn_faults()
    for name, chosen in (("none", faults.iloc[:0]), ("placeless", faults.iloc[4:])):
        maps.draw_faults(chosen, title=name).save(tmp_path / f"{name}.html")
        page = Opened(browser, tmp_path / f"{name}.html")
        assert page.complaints == []
        assert ("Nothing was found" in page.text(".gm-faults")) == (name == "none")
        assert page.page.is_visible(".gm-chips") == (name != "none")
        assert not page.page.is_visible(".leaflet-control-scale")  # there is no land to show
        assert page.page.query_selector_all(".gm-fault") != [] or name == "none"
        page.page.context.close()

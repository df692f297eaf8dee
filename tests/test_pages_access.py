"""Pages for everybody: what axe finds, where the focus goes, and that the eye can tell."""

from __future__ import annotations

import pytest
from pages import INTERNAL, Opened, city
from pandas import Series

from gridmap import maps

pytestmark = pytest.mark.browser


def serious(page):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright",
                              reason="axe-playwright-python is not installed")
    found = axe.Axe().run(page, options={"runOnly": {
        "type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]}})
    return [(one["id"], one["impact"], one["nodes"][0]["html"][:160])
            for one in found.response["violations"] if one["impact"] in ("serious", "critical")]


def test_axe_has_no_serious_finding_on_a_map(opened):
    assert serious(opened.page) == []


def test_axe_has_no_serious_finding_with_everything_open(opened):
    opened.page.click(".gm-tools [aria-expanded] >> nth=1")
    opened.page.evaluate("() => gridmap.view.select(3)")
    opened.page.click(".gm-tools [aria-expanded] >> nth=0")
    opened.page.fill(".gm-search input", "37")
    opened.page.focus(".gm-legend button")
    opened.page.keyboard.press("Enter")
    opened.settle()
    assert serious(opened.page) == []
    opened.page.click(".gm-language")
    assert serious(opened.page) == []


def test_axe_has_no_serious_finding_on_a_phone(browser, page_file):
    opened = Opened(browser, page_file, size=(390, 844))
    opened.page.click(".gm-fold")
    assert serious(opened.page) == []
    opened.page.context.close()


def test_axe_has_no_serious_finding_in_a_report(browser, tmp_path):
    grids, towns = city()
    report = maps.draw_report(
        grids, title="City", publication=INTERNAL, territories=towns,
        summary=Series({"grids": 20.0, "share in size range": 0.5, "households": 900.0}),
        reasons=Series({"unit larger than the maximum": 3}))
    (tmp_path / "report.html").write_text(report, encoding="utf-8")
    page = browser.new_page()
    page.goto((tmp_path / "report.html").as_uri())
    assert serious(page) == []
    page.click("label[for=chinese]")
    assert page.is_visible("text=规模达标") and not page.is_visible("text=In size range")
    page.close()


def test_the_focus_goes_from_search_to_choice_to_legend(opened):
    opened.page.focus(".gm-search input")
    passed = []
    for _ in range(5):
        opened.page.keyboard.press("Tab")
        passed.append(opened.page.evaluate(
            "() => document.activeElement.id || document.activeElement.closest('[role=group]')"
            ".className"))
    assert passed == ["gm-place", "gm-figure", "gm-method", "gm-legend", "gm-legend"]


def test_nothing_moves_for_those_who_asked_for_stillness(browser, page_file):
    opened = Opened(browser, page_file)
    opened.page.emulate_media(reduced_motion="reduce")
    opened.page.evaluate("() => gridmap.view.select(3, true)")
    opened.until("() => Boolean(gridmap.view.outline)")
    assert opened.page.evaluate("() => Boolean(gridmap.view.map._animatingZoom)") is False
    opened.page.context.close()

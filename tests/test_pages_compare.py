"""Two states on one page, and figures over time."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from pages import INTERNAL, Opened, city, painted

from gridmap import errors, maps
from gridmap.rules import load_publication
from gridmap.sketch import sketch_grids

pytestmark = pytest.mark.browser


def sides():
    grids, towns = city()
    before = grids.dissolve(np.arange(len(grids)) // 2, aggfunc={
        "households": "sum", "people": "sum", "area_m2": "sum", "territory": "first",
        "kind": "first"})
    before.index = pd.Index([f"old{n:03d}" for n in before.index], name="grid", dtype="str")
    return before, grids, towns


@pytest.fixture
def compared(browser, tmp_path):
    before, after, towns = sides()
    page = maps.draw_comparison(before, after, publication=INTERNAL, figure="people",
                                territories=towns, names=("Old net", ("New net", "新网")))
    page.save(tmp_path / "compare.html")
    opened = Opened(browser, tmp_path / "compare.html")
    yield opened
    opened.page.context.close()


def rows(opened):
    return [row.inner_text().split() for row in opened.page.query_selector_all(
        ".gm-legend li:not(.gm-sides)")]


def test_both_sides_share_their_classes(compared):
    counts = rows(compared)
    assert [sum(int(row[k]) for row in counts) for k in (-2, -1)] == [10, 20]
    assert counts[0][0] == "900"
    assert compared.text(".gm-sides").split("\n") == ["Old net", "New net"]


def test_the_divider_moves_by_arrow_keys_and_decides_what_is_hit(compared):
    compared.settle()
    compared.page.focus(".gm-divider")
    compared.page.keyboard.press("Home")
    assert compared.page.get_attribute(".gm-divider", "aria-valuenow") == "0"
    compared.page.mouse.click(900, 420)
    compared.until("() => !document.querySelector('.gm-detail').hidden")
    assert compared.text(".gm-detail h2").startswith("37")
    compared.page.evaluate("() => gridmap.view.select(-1)")
    compared.page.focus(".gm-divider")
    compared.page.keyboard.press("End")
    compared.page.mouse.click(900, 420)
    compared.until("() => !document.querySelector('.gm-detail').hidden")
    assert compared.text(".gm-detail h2").startswith("old")
    assert compared.text(".gm-detail p").startswith("Old net")


def test_search_finds_grids_of_both_sides(compared):
    compared.page.fill(".gm-search input", "old003")
    compared.page.press(".gm-search input", "Enter")
    compared.until("() => !document.querySelector('.gm-detail').hidden")
    assert compared.text(".gm-detail h2") == "old003"
    assert compared.page.evaluate("() => gridmap.view.figures.layer.about.side") == "before"


def test_two_maps_beside_each_other_move_as_one(compared):
    button = ".gm-tools [aria-pressed] >> nth=0"
    compared.page.click(button)
    compared.settle()
    assert compared.page.evaluate("() => Boolean(document.querySelector('.gm-second canvas'))")
    compared.page.evaluate("() => gridmap.view.map.panBy([120, 40], { animate: false })")
    apart = compared.page.evaluate("""() => { const { map, second } = gridmap.view;
        return map.getCenter().distanceTo(second.getCenter()); }""")
    assert apart < 5
    compared.page.click(button)
    compared.settle()
    assert not compared.page.evaluate("() => Boolean(document.querySelector('.gm-second'))")
    assert compared.complaints == [] and compared.remote() == []
    assert painted(compared, "grids-after") > 100


def test_only_figures_of_both_are_compared():
    before, after, _ = sides()
    page = maps.draw_comparison(before, after.assign(workers=1), publication=INTERNAL)
    assert '"workers"' not in page.get_root().render()


def over_time(grids):
    months = [f"2026-{month:02d}" for month in range(1, 5)]
    values = np.add.outer(np.arange(len(grids)), 20 * np.arange(4)) + 10
    return pd.DataFrame(values, index=grids.index, columns=months)


def test_a_slider_shows_one_period_after_the_other_in_the_same_classes(browser, tmp_path):
    grids, _ = city()
    page = maps.draw_page(grids, publication=INTERNAL, figure="visits",
                          over_time={"visits": over_time(grids)})
    page.save(tmp_path / "time.html")
    opened = Opened(browser, tmp_path / "time.html")
    assert opened.text(".gm-time output") == "2026-04"
    labels = [row[:-1] for row in rows(opened)]
    last = [row[-1] for row in rows(opened)]
    opened.page.focus("#gm-period")
    opened.page.keyboard.press("Home")
    assert opened.text(".gm-time output") == "2026-01"
    assert [row[:-1] for row in rows(opened)] == labels
    first = [row[-1] for row in rows(opened)]
    assert first != last and sum(map(int, first)) == 20
    opened.page.select_option("#gm-figure", "people")
    assert not opened.page.is_visible(".gm-time")
    assert opened.complaints == []
    opened.page.context.close()


def test_a_small_count_in_one_month_is_refused():
    grids = sketch_grids("AB", side_m=100).assign(households=500, people=900)
    visits = pd.DataFrame({"2026-01": [40, 50], "2026-02": [3, 60]}, index=grids.index)
    with pytest.raises(errors.PublicationError, match="visits have one in A"):
        maps.draw_page(grids, publication=load_publication("shared"),
                       over_time={"visits": visits})

"""Report, pictures, notebook maps and the QGIS style: the same classes everywhere."""

from __future__ import annotations

import re
from xml.etree import ElementTree

import pytest
from pandas import Series

from gridmap import errors, ledger, maps
from gridmap.maps.style import ClassRule, measure_classes
from gridmap.rules import SizeRule, load_publication
from gridmap.sketch import sketch_grids

INTERNAL = load_publication("internal")
SIZE = SizeRule(minimum=2, target=3, maximum=4)
SUMMARY = Series({"grids": 3.0, "households": 7.0, "people": 14.0, "too small": 1.0,
                  "too large": 0.0, "share in size range": 2 / 3, "contiguous share": 1.0})


def sized():
    grids = sketch_grids("AABB", "ACCB")
    return grids.assign(size_state=["in range", "in range", "small"])


def report(**options):
    return maps.draw_report(sized(), **{"title": "City", "summary": SUMMARY, "size": SIZE,
                                        "publication": INTERNAL, **options})


def test_a_report_has_no_script_and_no_link():
    html = report(ledger=ledger.balance("load", "units", came_in=3, went_on=3))
    assert "<script" not in html and "<link" not in html and "<a " not in html
    assert "script-src 'none'" in html
    assert not re.search(r'(?:src|href)="(?!data:)', html)


def test_a_report_tells_the_figures_that_a_manager_asks_for():
    html = report(totals=Series({"assets_per_grid": 13.04, "assets": 39.0, "events": 10.0,
                                 "events_closed_in_grid_share": 0.97}))
    for told in ("66.7 %", "1 too small, 0 too large", "13.0", "97.0 %", "proven",
                 "no gap, no overlap; 100.0 % contiguous"):
        assert told in html
    for told in ("规模达标", "无空隙、无重叠；100.0 % 连通"):
        assert told in html


def test_what_was_not_measured_has_no_tile():
    html = report()
    assert "Events closed in the grid" not in html and "nan" not in html


def test_a_tiling_with_an_overlap_is_not_called_proven():
    grids = sized()
    grids.loc["A", "geometry"] = grids.loc["A", "geometry"].buffer(0.2, join_style="mitre")
    html = maps.draw_report(grids, title="City", summary=SUMMARY, publication=INTERNAL)
    assert ">proven<" not in html and "gaps or overlaps" in html


def test_a_proof_that_is_given_is_what_a_look_finds():
    assert report(proven=True) == report()


def test_an_open_line_of_the_ledger_is_marked():
    lines = ledger.join_ledger(
        ledger.balance("load", "units", came_in=3, went_on=3),
        ledger.balance("load", "events", came_in=9, went_on=7, left_over=1))
    html = report(ledger=lines)
    assert html.count("✓") == 1 and html.count("✗") == 1


def test_text_of_a_report_stays_text():
    html = report(title="<script>alert(1)</script>{{ 1 }}䶮",
                  reasons=Series({"<img src=x>": 2}), notes=["a & b"])
    assert "<script" not in html and "<img src=x>" not in html
    assert "&lt;img src=x&gt;" in html and "{{ 1 }}䶮" in html and "a &amp; b" in html


def test_totals_that_must_not_be_shown_are_not():
    from pandas import DataFrame

    suppressed = DataFrame({"level": ["all"], "id": ["all"], "column": ["people"],
                            "reason": ["protects others"]})
    assert ">People<" in report() and ">People<" not in report(suppressed=suppressed)


def test_the_same_run_gives_the_same_report():
    assert report() == report()


def test_a_picture_counts_as_the_page_does():
    picture = maps.draw_picture(sketch_grids("AAB"), publication=INTERNAL)
    assert [text.get_text() for text in picture.legends[0].get_texts()] == ["1   (1)", "2   (1)"]
    assert picture._repr_png_() == picture._repr_png_()


def test_a_picture_can_be_in_chinese_and_leaves_pyplot_alone():
    import sys

    had_pyplot = "matplotlib.pyplot" in sys.modules
    picture = maps.draw_picture(sized(), "size_state", publication=INTERNAL, language="zh")
    assert [text.get_text() for text in picture.legends[0].get_texts()] == [
        "达标   (2)", "偏小   (1)"]
    assert picture._repr_png_()[:4] == b"\x89PNG"
    assert ("matplotlib.pyplot" in sys.modules) == had_pyplot


def test_qgis_shows_the_classes_of_the_page():
    grids = sketch_grids("AAAB", "CCDD", "EEEE").assign(households=[5, 1, None, 9, 20])
    rule = ClassRule(breaks=(4, 10))
    root = ElementTree.fromstring(maps.draw_qgis_style(grids, rule=rule).split("\n", 1)[1])
    rules = root.findall(".//rule")
    assert [r.get("filter") for r in rules] == [
        '"households" <= 4', '"households" > 4 AND "households" <= 10', '"households" > 10',
        '"households" IS NULL']
    classes = measure_classes(grids["households"], rule=rule)
    colours = [symbol.find(".//Option[@name='color']").get("value")
               for symbol in root.findall(".//symbol")]
    red, green, blue = (int(classes["colour"].iloc[0][at:at + 2], 16) for at in (1, 3, 5))
    assert colours[0] == f"{red},{green},{blue},255"
    assert [option.get("value") for option in root.findall(".//symbol")[3].findall(
        ".//Option[@name='style']")] == ["solid", "b_diagonal"]
    assert '"grid"' in root.find(".//text-style").get("fieldName")


def test_qgis_gets_categories_with_quotes_in_them():
    grids = sized().assign(kind=["it's", "b", "b"])
    style = maps.draw_qgis_style(grids, "kind", language="zh")
    root = ElementTree.fromstring(style.split("\n", 1)[1])
    assert [r.get("filter") for r in root.findall(".//rule")] == [
        "\"kind\" = 'b'", "\"kind\" = 'it''s'"]


def test_an_unknown_figure_is_named():
    with pytest.raises(errors.SchemaError, match=r"there is no figure 'visits'\. There are terr"):
        maps.draw_qgis_style(sized(), "visits")


def test_a_notebook_shows_a_frame_over_a_picture_and_withholds_small_counts():
    shown = maps.explore(sketch_grids("AAAAAAAAAAAAB"), "area_m2")
    html = shown._repr_html_()
    assert html.index("<img src=\"data:image/png") < html.index("<iframe srcdoc=")
    assert "height:520px" in html
    assert "&lt;script" in html and "<script" not in html

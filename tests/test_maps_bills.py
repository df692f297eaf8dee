"""The sheet of a bill: what it tells, in both languages, and what it must not tell."""

import re

import pandas as pd
import pytest
from geopandas import GeoDataFrame
from pandas import Series

from gridmap import SizeRule, hide_small_totals, load_publication, repartition, write_bill
from gridmap.sketch import sketch_units

INTERNAL, SHARED = load_publication("internal"), load_publication("shared")
SIZE = SizeRule(minimum=4, target=5, maximum=6)


@pytest.fixture(scope="module")
def redrawn():
    """One grid of 8 households, and one of 2: some must move."""
    units = sketch_units("ABCD").assign(households=[4, 4, 1, 1])
    return repartition(Series({"A": "G", "B": "G", "C": "H", "D": "H"}), units, SIZE)


def plain(page: str) -> str:
    """The text of a page, tags and styles taken out."""
    body = page[page.index("<body>"):]
    return " ".join(re.sub(r"<[^>]+>", " ", body).split())


def test_the_office_reads_every_figure(redrawn):
    told = plain(write_bill(redrawn.bill, publication=INTERNAL, title="Town"))
    totals = redrawn.bill.totals
    assert totals["households_moved"] == 4
    assert "Households moved 变更住户 4 40.0 % of 10" in told
    assert "Least that could move 至少变更 2" in told
    assert "Grids touched 涉及网格 2 of 2; 2 after" in told
    assert "Households in 迁入户数" in told


def test_small_counts_are_not_told_to_everybody(redrawn):
    told = plain(write_bill(redrawn.bill, publication=SHARED, title="Town"))
    assert "Households moved 变更住户 &lt; 10 of 10" in told
    assert "40.0 %" not in told
    assert "Households in" not in told, "counts of two versions can be subtracted"


def test_totals_hide_what_is_small_and_keep_what_is_not(redrawn):
    told = hide_small_totals(redrawn.bill.totals, SHARED)
    assert told[["households_moved", "must_move", "moved_share"]].isna().all()
    assert told["grids_touched"] == redrawn.bill.totals["grids_touched"]
    assert hide_small_totals(redrawn.bill.totals, INTERNAL).equals(redrawn.bill.totals)


def test_nothing_moved_is_no_secret():
    units = sketch_units("AABB").assign(households=[3, 3])
    size = SizeRule(minimum=2, target=3, maximum=4)
    still = repartition(Series({"A": "G", "B": "H"}), units, size)
    told = plain(write_bill(still.bill, publication=SHARED))
    assert "Households moved 变更住户 0 0.0 % of 6" in told
    assert "No grid is touched" in told


def test_names_are_text_to_the_browser(redrawn):
    evil = '<script>alert("1")</script>{{ 7*7 }}䶮'
    territories = GeoDataFrame({"name": [evil]}, index=["T"], geometry=[None])
    changes = pd.DataFrame({"step": "redraw", "id": "G", "what": evil, "note": evil,
                            "frame": "grids", "before": "", "after": ""}, index=[0])
    page = write_bill(redrawn.bill, publication=INTERNAL, title=evil, territories=territories,
                      changes=changes, page='a"b.html')
    assert "<script" not in page
    assert page.count("&lt;script&gt;") >= 3
    assert "{{ 7*7 }}䶮" in page
    assert 'href="a&quot;b.html"' in page


def test_a_long_list_says_where_the_rest_is(redrawn, monkeypatch):
    monkeypatch.setattr("gridmap.maps.bills.LISTED", 1)
    told = plain(write_bill(redrawn.bill, publication=INTERNAL))
    assert "The first 1 of 2; fates.csv has all." in told


@pytest.mark.parametrize("language", ["en", "zh"])
def test_it_opens_in_the_language_asked_for(redrawn, language):
    page = write_bill(redrawn.bill, publication=INTERNAL, language=language)
    chosen = {"en": "english", "zh": "chinese"}[language]
    assert re.search(rf'id="{chosen}"[^>]* checked', page)
    assert page.count(" checked") == 1

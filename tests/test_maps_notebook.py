"""What a notebook shows: the page, and a picture of the same map where scripts are blocked."""

from __future__ import annotations

import html
import io
import re

import pandas as pd
import pytest
from PIL import Image

from gridmap import maps
from gridmap.maps import absent, figures, pictures
from gridmap.rules import load_publication
from gridmap.sketch import sketch_grids


@pytest.fixture(scope="module")
def grids():
    """Return grids of which one has a small count and one none at all."""
    drawn = sketch_grids("AABBCC", "DDEEFF", "GGHHII", side_m=100)
    return drawn.assign(territory=["T1", "T2", "T3"] * 3, people=900.0,
                        households=[300, 310, 4, 330, 340, 350, 360, None, 380])


@pytest.fixture(scope="module")
def shown(grids):
    return maps.explore(grids, "households")


def colours_of(content):
    """Return the colours of a picture, each with its number of pixels."""
    picture = Image.open(io.BytesIO(content)).convert("RGB")
    return {f"#{red:02x}{green:02x}{blue:02x}": count for count, (red, green, blue) in
            picture.getcolors(picture.width * picture.height)}


def test_a_cell_holds_the_page_and_the_picture(shown):
    page, picture = shown._repr_html_(), shown._repr_png_()
    assert "<iframe srcdoc=" in page
    assert page.index("<img src=\"data:image/png;base64,") < page.index("<iframe")
    assert len(picture) < 40_000
    assert shown._repr_png_() == picture  # the same bytes each time


def test_nothing_in_a_cell_is_fetched_from_elsewhere(shown):
    inside = html.unescape(re.search('srcdoc="([^"]*)"', shown._repr_html_())[1])
    assert "default-src 'none'" in inside
    assert not re.search(r"<(script|link|img)[^>]*(src|href)=.https?://", inside)


def test_the_picture_has_the_colours_of_the_page(grids, shown):
    left = figures.shown_values(grids["households"].where(grids["households"].ne(4)))
    painted = colours_of(shown._repr_png_())
    for colour in maps.measure_classes(left)["colour"].iloc[[0, 2]]:
        assert painted.get(colour, 0) > 500, colour
    assert painted[absent.COLOURS["withheld"]] > 500


def test_the_picture_tells_withheld_from_unknown(shown):
    texts = [text.get_text() for text in shown.picture.legends[0].get_texts()]
    assert [text for text in texts if "(s" in text or "unknown" in text] == [
        "withheld (small count)   (2)", "unknown   (1)"]


def test_a_palette_keeps_the_classes_and_takes_a_third_of_the_bytes():
    columns = [chr(ord("A") + n) for n in range(26)]
    grids = sketch_grids("".join(columns), "".join(columns), side_m=100)
    drawn = pictures.draw_picture(
        grids.assign(households=[100.0 + n for n in range(26)]), "households",
        publication=load_publication("internal"))
    small, whole = pictures.write_small(drawn), drawn._repr_png_()
    assert len(small) < len(whole) / 2
    many = {colour for colour, count in colours_of(whole).items() if count > 500}
    assert many <= set(colours_of(small)) and len(many) >= 6


def test_missing_values_are_divided_by_their_reason_once():
    values = pd.Series([None, None, None, 1.0], index=list("ABCD"), name="share")
    told = pd.DataFrame({
        "level": ["grid", "grid", "grid", "territory"], "id": ["A", "B", "D", "C"],
        "column": "share", "reason": ["not applicable", "goes with households", "small", "small"]})
    parts = absent.split_absent(values, told)
    assert [(part.codes, part.name.en) for part in parts] == [
        (["B"], "withheld (small count)"), (["A"], "not applicable"), (["C"], "unknown")]


@pytest.mark.browser
@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no scripts"])
def test_the_map_is_seen_with_scripts_and_without(browser, shown, tmp_path, scripts):
    file = tmp_path / "cell.html"
    file.write_text(f'<!doctype html><meta charset="utf-8">{shown._repr_html_()}',
                    encoding="utf-8")
    context = browser.new_context(java_script_enabled=scripts,
                                  viewport={"width": 1000, "height": 560})
    page = context.new_page()
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(file.as_uri())
    if scripts:
        page.frame_locator("iframe").locator(".gm-legend li").first.wait_for()
    page.wait_for_timeout(500)
    painted = colours_of(page.screenshot())
    context.close()
    assert not [url for url in asked if not url.startswith(("file:", "data:", "blob:", "about:"))]
    # The picture behind has the plain colour; the page draws it over its ground.
    assert (painted.get("#440154", 0) > 2000) != scripts
    assert sum(count > 1000 for count in painted.values()) >= 5

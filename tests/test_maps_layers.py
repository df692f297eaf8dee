"""What gets into a page, and what never does."""

from __future__ import annotations

import json
import re

import folium
import pandas as pd
import pytest
from folium import plugins
from geopandas.testing import assert_geodataframe_equal
from pandas import DataFrame

from gridmap import coverage, errors, maps
from gridmap.maps import binary
from gridmap.rules import Publication, load_publication
from gridmap.sketch import sketch_grids, sketch_points

INTERNAL = load_publication("internal")
SHARED = load_publication("shared")


def many(*rows):
    """Draw grids that nobody need be withheld from: a hundred households to a square."""
    grids = sketch_grids(*rows, side_m=100)
    return grids.assign(households=100 * grids["households"], people=100 * grids["people"])


def render(page):
    return page.get_root().render()


def all_text(html):
    """Return a page with all its blocks inflated."""
    blocks = re.findall(r'<script type="application/gridmap"[^>]*>([^<]*)</script>', html)
    return html + "".join(binary.unpack(block).decode("utf-8", "replace") for block in blocks)


def figures_of(html):
    block = re.search(r'id="\w+:figures">([^<]*)</script>', html)[1]
    return json.loads(binary.unpack(block))


def test_only_allowed_columns_are_in_the_file():
    grids = many("AB").assign(phone="0631-5220000", compactness=0.7, secret=41.5)
    public = Publication(name="mine", columns=("households", "compactness"))
    html = render(maps.draw_page(grids, publication=public, figure="households"))
    assert [c["name"] for c in figures_of(html)["columns"]] == ["households", "compactness"]
    text = all_text(html)
    for word in ("0631-5220000", "41.5", "secret", "phone"):
        assert word not in text


def test_a_territory_that_is_not_allowed_is_not_named():
    public = Publication(name="mine", columns=("households",))
    towns = many("AB").dissolve().set_axis(pd.Index(["T"], name="territory")).assign(
        level="town", name="Haibin", parent=None)[["level", "name", "parent", "geometry"]]
    layer = maps.draw_grids(many("AB"), publication=public, territories=towns)
    assert "places" not in json.loads(binary.unpack(layer.blocks["figures"]))


def test_small_counts_are_refused_and_suppressed_ones_are_drawn_as_withheld():
    grids = sketch_grids("ABBBBBBBBBBBB", "CCCCCCCCCCCCC", side_m=100)
    with pytest.raises(errors.PublicationError, match='"shared" withholds counts below 10, and '
                       r"households, people have one in A\. Draw what suppress_counts"):
        maps.draw_page(grids, publication=SHARED)
    published = coverage.suppress_counts(grids.drop(columns="geometry"), SHARED)
    html = render(maps.draw_page(grids, publication=SHARED, by_grid=published.by_grid,
                                 figure="area_m2", suppressed=published.suppressed))
    households = next(c for c in figures_of(html)["columns"] if c["name"] == "households")
    assert households["values"][0] is None and 0 in households["withheld"]


def test_single_elements_stay_out_of_a_profile_without_them():
    grids, homes = many("AB"), sketch_points((20, 20), (120, 20))
    names = lambda page: [layer.role for layer in page._children.values()  # noqa: E731
                          if hasattr(layer, "role")]
    assert "points" in names(maps.draw_page(grids, publication=INTERNAL, elements=homes))
    assert names(maps.draw_page(grids, publication=SHARED, elements=homes)) == ["grids"]
    with pytest.raises(errors.PublicationError, match='"shared" shows no single elements'):
        maps.draw_points(homes, publication=SHARED)


def test_assets_are_no_elements():
    boards = sketch_points((20, 20), kind="notice board").assign(radius_m=200.0)
    boards.index.name = "asset"
    layer = maps.draw_points(boards, publication=load_publication("public"))
    assert layer.about["kinds"][0]["name"]["zh"] == "公示牌"


def test_names_cannot_become_markup_or_templates():
    nasty = ["</script><script>alert(1)</script>", "{{ 7 * 6 }}{% raw %}", '"><img src=x>', "䶮"]
    grids = many("ABCD")
    grids["territory"] = nasty
    towns = sketch_grids("ABCD", side_m=100)
    towns = towns.set_axis(pd.Index(nasty, name="territory")).assign(
        level=nasty[1], name=nasty, parent=None)
    html = render(maps.draw_page(grids, publication=INTERNAL, territories=towns, figure="people",
                                 title=nasty[0], labels={"people": nasty[1]}))
    assert "alert(1)</script>" not in html
    assert nasty[1] in html  # as it is: nothing evaluated it
    assert figures_of(html)["places"]["names"] == nasty
    assert "<title>&lt;/script&gt;" in html


def test_a_page_names_no_other_machine_and_forbids_connections():
    html = render(maps.draw_page(many("AB"), publication=INTERNAL))
    outside = re.sub(r"<!--.*?-->", "", html, flags=re.DOTALL)
    tags = re.findall(r"<(?:script|link|img|iframe)[^>]*(?:src|href)=[^>]*>", outside)
    assert tags == []
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', html)[1]
    assert "default-src 'none'" in policy and "connect-src" not in policy
    assert "unsafe-inline" not in policy.split("style-src")[0]
    assert html.index("Content-Security-Policy") < html.index("<script")


def test_the_same_frames_give_the_same_page():
    pages = [render(maps.draw_page(many("AABB"), publication=INTERNAL, elements=sketch_points(
        (1, 1), (2, 2)))) for _ in range(2)]
    assert pages[0] == pages[1]


def test_a_plugin_that_needs_the_web_is_refused_by_name():
    page = maps.Map()
    folium.TileLayer("https://tiles.example.org/{z}/{x}/{y}.png", attr="x").add_to(page)
    with pytest.raises(errors.PublicationError, match=r"would fetch https://tiles\.example\.org"):
        render(page)
    page = maps.Map()
    plugins.MarkerCluster().add_to(page)
    with pytest.raises(errors.PublicationError, match=r"would fetch https://.*markercluster"):
        render(page)
    page = maps.Map()
    folium.Marker((0, 0), icon=folium.Icon("red")).add_to(page)
    with pytest.raises(errors.PublicationError, match=r"folium\.Icon needs scripts and fonts"):
        render(page)


def test_what_folium_can_draw_offline_is_drawn():
    page = maps.Map((37.0, 122.0))
    folium.Marker((37.0, 122.0), popup="<b>here</b>").add_to(page)
    folium.CircleMarker((37.0, 122.0)).add_to(page)
    folium.GeoJson({"type": "Point", "coordinates": [122.0, 37.0]}).add_to(page)
    folium.LayerControl().add_to(page)
    html = render(page)
    assert "L.circleMarker" in html and "jQuery" in html


def test_links_that_a_reader_may_follow_are_allowed():
    page = maps.Map((37.0, 122.0))
    popup = '<a href="https://example.org/source">source</a>'
    folium.Marker((37.0, 122.0), popup=popup).add_to(page)
    assert "example.org/source" in render(page)


def test_licences_stand_beside_what_they_cover():
    html = render(maps.draw_page(many("AB"), publication=INTERNAL))
    assert "<!-- leaflet 1.9.4, BSD-2-Clause\nBSD 2-Clause License" in html
    assert "jquery" not in html.lower().split("</head>")[0].split("<style>")[0]


def test_a_figure_that_is_not_allowed_is_refused():
    with pytest.raises(errors.PublicationError,
                       match="figure 'visits' is not among those that publication"):
        maps.draw_grids(many("AB"), "visits", publication=INTERNAL)


def test_a_table_of_other_grids_is_refused():
    with pytest.raises(errors.SchemaError, match="each once: B, C stand in one only"):
        maps.draw_grids(many("AB"), publication=INTERNAL,
                        by_grid=DataFrame(many("AC").drop(columns="geometry")))


def test_the_order_of_rows_does_not_change_the_table():
    grids = many("ABCD")
    table = DataFrame(grids.drop(columns="geometry"))
    one, other = (render(maps.draw_page(grids, publication=INTERNAL, by_grid=frame))
                  for frame in (table, table.iloc[::-1]))
    assert one == other


def test_arguments_are_not_changed():
    grids = many("AB")
    before = grids.copy()
    maps.draw_page(grids, publication=INTERNAL, barriers=None)
    assert_geodataframe_equal(grids, before)


def test_parts_of_the_map_come_from_the_ground_up():
    towns = many("AB").rename_axis("territory").assign(level="town", parent=None)
    boards = sketch_points((20, 20), kind="lamp").assign(radius_m=50.0).rename_axis("asset")
    page = maps.draw_page(many("AB"), publication=INTERNAL, territories=towns, assets=boards)
    roles = [layer.role for layer in page._children.values() if hasattr(layer, "role")]
    assert roles == ["land", "grids", "reach", "points", "borders"]

"""A page of layers that were kept is the page of the frames themselves, byte for byte."""

from __future__ import annotations

import pages
import pandas as pd
import pytest
from geopandas import GeoDataFrame
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely import LineString, Point, box

from gridmap import maps
from gridmap.rules import load_publication

GRIDS, TOWNS = pages.city()
places = st.tuples(st.integers(0, 4000), st.integers(0, 1600))
texts = st.sampled_from(["lamp", "街", "<b>{{ 1 }}</b>", "</script>", "café"])


def frame(index, shapes, **columns):
    codes = pd.Index([f"{index}{n}" for n in range(len(shapes))], name=index, dtype="str")
    return GeoDataFrame(columns, geometry=shapes, index=codes, crs=GRIDS.crs)


@st.composite
def frames(draw):
    """Draw frames that lie beside the grids; each may be absent."""
    at = draw(st.lists(places, min_size=1, max_size=8))
    kinds = draw(st.lists(texts, min_size=len(at), max_size=len(at)))
    radii = draw(st.lists(st.sampled_from([None, 50.0, 120.5]), min_size=len(at),
                          max_size=len(at)))
    points = [Point(xy) for xy in at]
    made = {
        "territories": TOWNS,
        "sites": frame("site", [box(x, y, x + 40, y + 30) for x, y in at], kind=kinds,
                       capacity=[float(x) for x, _ in at]),
        "barriers": frame("barrier", [LineString([(x, y), (x + 300, y + 9)]) for x, y in at],
                          kind=kinds),
        "assets": frame("asset", points, kind=kinds,
                        radius_m=pd.Series(radii, dtype="float64").to_numpy()),
        "elements": frame("element", points, kind=kinds),
    }
    return {name: one for name, one in made.items() if draw(st.booleans())}


@given(frames=frames(), publication=st.sampled_from(["internal", "shared", "public"]))
@settings(deadline=None, max_examples=25)
def test_a_page_of_kept_layers_is_that_of_the_frames(frames, publication):
    allowed = load_publication(publication)
    kept = {name: maps.read_layers(maps.write_layers(maps.draw_beside(name, one, allowed)))
            for name, one in frames.items()}
    said = {"publication": allowed, "title": "City", "territories": frames.get("territories")}
    composed = maps.compose_page(GRIDS, kept, **said)
    drawn = maps.draw_page(GRIDS, **{**said, **frames})
    assert composed.get_root().render() == drawn.get_root().render()


def test_a_frame_that_is_absent_has_no_layers():
    assert not list(maps.draw_beside("sites", None, load_publication("public")))


@pytest.mark.parametrize("publication", ["shared", "public"])
def test_layers_of_single_elements_are_not_drawn_where_none_may_be_shown(publication):
    homes = frame("element", [Point(5, 5)], kind=["house"])
    assert not list(maps.draw_beside("elements", homes, load_publication(publication)))

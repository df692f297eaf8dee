"""A page whose grids are put in later, and a run that does so."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace

import pandas
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gridmap import draw_page, load_publication, maps, sketch_grids
from gridmap.sketch import save_sketch, sketch_points

SHARED = replace(load_publication("internal"), name="made for the test")
TOWNS = sketch_grids("AB").rename_axis("territory").assign(level="town", parent=None)


def both(grids, title="", **options):
    """Return a page that was drawn at once, and one whose grids were put in."""
    frames = {"territories": TOWNS, "assets": sketch_points((0.5, 0.5)).assign(radius_m=9.0)}
    at_once = draw_page(grids, publication=SHARED, title=title, **frames, **options)
    beside = {name: list(maps.draw_beside(name, frame, SHARED))
              for name, frame in frames.items()}
    hollow = maps.draw_hollow(beside, publication=SHARED, title=title)
    laid = maps.lay_out_grids(grids, publication=SHARED, territories=TOWNS, **options)
    return at_once.get_root().render(), maps.fill_page(hollow, laid)


@settings(deadline=None, max_examples=12)
@given(st.lists(st.sampled_from(["AAB", "ACB", "DDD", "DCC"]), min_size=1, max_size=3),
       st.integers(0, 40))
def test_a_page_with_grids_put_in_is_the_page_drawn_at_once(plan, people):
    grids = sketch_grids(*plan).assign(people=people)
    at_once, put_in = both(grids, "City")
    assert put_in == at_once


@pytest.mark.parametrize("title", [
    '{"hollow":"about"}', '"hollow":"meta"', '{"hollow": "meta"}',
    '<script type="application/gridmap" id="x:hollow">blocks</script>\n',
    '<meta http-equiv="Content-Security-Policy" content="">\n', "\\1 \\g<0>",
])
def test_a_title_that_looks_like_the_place_of_grids_stays_a_title(title):
    at_once, put_in = both(sketch_grids("AB"), title)
    assert put_in == at_once


def test_a_figure_may_be_named():
    at_once, put_in = both(sketch_grids("AB"), figure="people")
    assert put_in == at_once


def test_a_run_in_which_only_grids_changed_draws_the_map_without_folium(tmp_path):
    config = save_sketch(tmp_path)
    told = tmp_path / "gridmap.toml"
    told.write_text(told.read_text().replace("[run]", '[run]\npublication = "internal"'))
    code = ("import sys; from gridmap import cli\n"
            f"assert cli.main(['run', {str(config)!r}, '--quiet']) == 0\n"
            "print('folium' in sys.modules)")
    loaded, pages = [], []
    for _ in range(2):
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True,
                              check=True)
        loaded.append(done.stdout.strip())
        pages.append((tmp_path / "out" / "map.html").read_bytes())
        units = pandas.read_csv(tmp_path / "units.csv")
        units["people"] += 1
        units.to_csv(tmp_path / "units.csv", index=False)
    assert loaded == ["True", "False"]
    assert pages[0] != pages[1]

"""What holds for any units: random meshes with holes, islands, empty and huge units.

A hundred examples by default. In a nightly mode, some ten minutes on one core:

    GRIDMAP_EXAMPLES=2000 pytest tests/test_zoning_properties.py
"""

from __future__ import annotations

import os

import numpy as np
import pandas as pd
import shapely
from geopandas import GeoDataFrame
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gridmap import SizeRule, schema
from gridmap.rules import Limit
from gridmap.zoning import measure_partition, partition

EXAMPLES = int(os.environ.get("GRIDMAP_EXAMPLES", "100"))
SLOWLY = settings(max_examples=EXAMPLES, deadline=None,
                  suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])


@st.composite
def squares(draw) -> GeoDataFrame:
    """Draw units: squares of a lattice, some joined, some missing, some far away."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    wide, high = draw(st.integers(1, 9)), draw(st.integers(1, 9))
    holes = draw(st.sampled_from([0.0, 0.1, 0.3]))
    joined = draw(st.sampled_from([0.0, 0.3, 0.6]))
    territories = draw(st.integers(1, 3))
    cells = [(x, y) for x in range(wide) for y in range(high) if rng.random() >= holes]
    cells = cells or [(0, 0)]
    owner = {cell: number for number, cell in enumerate(cells)}
    home = {cell: cell[0] * territories // wide for cell in cells}
    if territories > 1 and rng.random() < 0.3:  # a community in scattered pieces
        home = {cell: int(rng.integers(territories)) for cell in cells}
    for cell in cells:
        beside = (cell[0] + 1, cell[1])
        if beside in owner and home[beside] == home[cell] and rng.random() < joined:
            old, new = owner[beside], owner[cell]
            owner = {c: new if o == old else o for c, o in owner.items()}
    numbers = sorted(set(owner.values()))
    parts: dict[int, list] = {number: [] for number in numbers}
    for (x, y), number in owner.items():
        parts[number].append(shapely.box(100 * x, 100 * y, 100 * x + 100, 100 * y + 100))
    where = {number: home[cell] for cell, number in owner.items()}
    shapes = [shapely.coverage_union_all(parts[number]) for number in numbers]
    return settle(draw, rng, shapes, [where[number] for number in numbers])


@st.composite
def cells(draw) -> GeoDataFrame:
    """Draw units: cells around random places, some missing, some far away."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    count, territories = draw(st.integers(2, 70)), draw(st.integers(1, 3))
    place = np.unique(np.round(rng.normal(0, 300, (count, 2))), axis=0)
    frame = shapely.box(-1500, -1500, 1500, 1500)
    around = shapely.voronoi_polygons(shapely.multipoints(place), extend_to=frame, ordered=True)
    shapes = shapely.intersection(shapely.get_parts(around), frame)
    kept = rng.random(len(shapes)) >= draw(st.sampled_from([0.0, 0.1, 0.3]))
    kept[0] = True
    home = np.digitize(place[:, 0], np.linspace(-300, 300, territories + 1)[1:-1])
    if territories > 1 and rng.random() < 0.3:
        home = rng.integers(territories, size=len(place))
    return settle(draw, rng, list(shapes[kept]), home[kept].tolist())


def settle(draw, rng: np.random.Generator, shapes: list, home: list[int]) -> GeoDataFrame:
    """Let people live in units: nobody in some, very many in others; send some to sea."""
    size = len(shapes)
    away = np.where(rng.random(size) < 0.05, rng.integers(20, 40, size), 0)
    shapes = [shapely.transform(shape, lambda xy, far=far: xy + np.array([0.0, 5_000.0 * far]))
              for shape, far in zip(shapes, away, strict=True)]
    households = rng.integers(0, 60, size) * (rng.random(size) > draw(st.sampled_from([0, 0.5])))
    huge = rng.random(size) < draw(st.sampled_from([0.0, 0.1]))
    households = np.where(huge, households + 300, households)
    kind = np.where(rng.random(size) < draw(st.sampled_from([0.0, 0.1])), "school", "block")
    return GeoDataFrame(
        {"territory": [f"T{number}" for number in home], "kind": kind,
         "households": households, "people": households * 2 + rng.integers(0, 5, size)},
        geometry=shapes,
        index=pd.Index([f"u{n:03}" for n in range(size)], name="unit", dtype="str"),
        crs="EPSG:32651",
    ).astype({"territory": "str", "kind": "str"})


def meshes() -> st.SearchStrategy[GeoDataFrame]:
    return st.one_of(squares(), cells())


RULES = st.sampled_from([
    SizeRule(minimum=80, target=100, maximum=120),
    SizeRule(minimum=50, target=100, maximum=200),
    SizeRule(minimum=60, target=100, maximum=150, limits=(Limit(measure="people", maximum=350),)),
    SizeRule(minimum=60, target=100, maximum=150,
             limits=(Limit(measure="area_m2", maximum=70_000),)),
    SizeRule(measure="people", minimum=100, target=200, maximum=300),
    SizeRule(measure="area_m2", minimum=20_000, target=40_000, maximum=60_000),
])


def draw_grids(units, size, **options):
    return partition(units, size, dedicated=["school"], effort="draft", **options)


@SLOWLY
@given(units=meshes(), size=RULES)
def test_every_drawing_keeps_what_is_promised(units, size):
    drawn = draw_grids(units, size)
    check_that_nothing_is_lost_and_nothing_crosses(units, drawn)
    check_that_grids_are_in_one_piece_unless_named(units, drawn)
    states = measure_partition(units, drawn.assignment, size, dedicated=["school"])
    check_that_grids_out_of_range_have_one_reason(drawn, states.by_grid["size_state"])
    check_that_only_single_units_exceed_a_maximum(drawn, states.by_grid["size_state"])


def check_that_nothing_is_lost_and_nothing_crosses(units, drawn):
    schema.check_frame(drawn.grids, schema.GRIDS, argument="grids")
    schema.check_frame(drawn.changes, schema.CHANGES, argument="changes")
    assert drawn.assignment.index.equals(units.index.sort_values())
    assert drawn.assignment.isin(drawn.grids.index).all()
    assert set(drawn.assignment) == set(drawn.grids.index)
    by = drawn.assignment
    for mass in ("households", "people"):
        assert units[mass].groupby(by).sum().equals(drawn.grids[mass].rename_axis("grid"))
    homes = units["territory"].groupby(by)
    assert (homes.min() == homes.max()).all()
    area = units.area.groupby(by).sum()
    assert np.allclose(drawn.grids.area, area.reindex(drawn.grids.index))
    assert drawn.grids.is_valid.all()


def check_that_grids_are_in_one_piece_unless_named(units, drawn):
    joined = drawn.changes.loc[drawn.changes["what"] == "island joined", "id"]
    for grid, shape in drawn.grids.geometry.items():
        # Pieces that touch in a corner only do not hang together; polygons alone say so.
        pieces = len(shapely.get_parts(shape))
        members = drawn.assignment.index[drawn.assignment == grid]
        whole = len(shapely.get_parts(units.geometry[members].union_all()))
        assert pieces == whole
        assert pieces == 1 or grid in set(joined)


def check_that_grids_out_of_range_have_one_reason(drawn, states):
    odd = states.index[states != "in range"]
    said = drawn.changes[
        drawn.changes["what"].str.startswith("out of range")
        | (drawn.changes["what"] == "dedicated grid")
    ]["id"]
    assert sorted(said) == sorted(odd)
    assert drawn.changes["note"].notna().all()


def check_that_only_single_units_exceed_a_maximum(drawn, states):
    large = states.index[states == "large"]
    reason = drawn.changes[drawn.changes["what"].str.startswith("out of range")]
    allowed = {"out of range: unit larger than the maximum"}
    assert set(reason.set_index("id")["what"].reindex(large)) <= allowed


@settings(SLOWLY, max_examples=max(20, EXAMPLES // 5))
@given(units=meshes(), size=RULES, turn=st.integers(0, 2**32 - 1))
def test_order_and_workers_change_nothing(units, size, turn):
    one = draw_grids(units, size)
    other = draw_grids(units.sample(frac=1, random_state=turn), size, workers=2)
    assert one.assignment.equals(other.assignment)
    assert one.grids.to_wkb().equals(other.grids.to_wkb())
    assert one.changes.equals(other.changes)


@settings(SLOWLY, max_examples=max(20, EXAMPLES // 5))
@given(units=meshes(), size=RULES)
def test_a_territory_is_drawn_the_same_alone(units, size):
    # Areas on the ground depend on the middle of all units.
    if "area_m2" in (size.measure, *(limit.measure for limit in size.limits)):
        return
    whole = draw_grids(units, size).assignment
    for _, some in units.groupby("territory"):
        alone = draw_grids(some, size).assignment
        assert alone.equals(whole[alone.index])


@settings(SLOWLY, max_examples=max(20, EXAMPLES // 5))
@given(units=meshes(), count=st.integers(1, 12))
def test_a_number_asked_for_is_reached_or_named(units, count):
    size = SizeRule(minimum=20, target=100, maximum=10_000)
    drawn = partition(units, size, counts={units["territory"].iloc[0]: count}, effort="draft")
    made = (drawn.grids["territory"] == units["territory"].iloc[0]).sum()
    missed = "number of grids not reached" in set(drawn.changes["what"])
    assert (made == count) != missed


def test_kernels_without_numba_draw_the_same(tmp_path):
    """Run a drawing in plain Python, where numba cannot be imported."""
    import subprocess
    import sys

    script = (
        "import sys\n"
        "{block}\n"
        "import geopandas\n"
        "from gridmap.sketch import sketch_units\n"
        "from gridmap import SizeRule, partition\n"
        "units = sketch_units('ABCDEF', 'GHIJKL', 'MNOPQR', 'STUVWX')\n"
        "size = SizeRule(minimum=3, target=4, maximum=5)\n"
        "print(partition(units, size, effort='draft').assignment.to_dict())\n"
    )
    told = [
        subprocess.run([sys.executable, "-c", script.format(block=block)], text=True,
                       capture_output=True, check=True).stdout
        for block in ("", "sys.modules['numba'] = None")
    ]
    assert told[0] == told[1]
    assert told[0].startswith("{'A': ")

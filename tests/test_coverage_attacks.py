"""Attacks on what the sample city would publish: each must fail, or the release is refused."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
from attacks import SMALLEST, attack

import gridmap as gm
from gridmap.errors import PublicationError

SAMPLE = Path(__file__).resolve().parents[1] / "data" / "sample" / "gridmap.toml"
SHARED = gm.load_publication("shared")
LEVELS = ("territory", "town")

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def city():
    run = gm.run(gm.load_config(SAMPLE))
    towns = run.territories["parent"]
    by_grid = run.by_grid.assign(town=run.by_grid["territory"].map(towns))
    homes = run.elements[(run.elements["people"] > 0) & run.elements["grid"].notna()]
    return by_grid, pd.DataFrame(homes[["grid", "people"]])


def test_no_withheld_count_of_the_sample_city_can_be_worked_out(city):
    by_grid, _ = city
    small_ones = by_grid.copy()
    # Two of its grids are made small, beside those that are.
    large = small_ones.index[small_ones["people"] > 500]
    small_ones.loc[large[:2], ["households", "people"]] = [[2, 7], [3, 9]]
    published = gm.suppress_counts(small_ones, SHARED, parent=LEVELS)
    assert published.by_grid.loc[large[:2], "people"].isna().all()
    small = small_ones.index[small_ones["people"].between(1, SMALLEST - 1)]
    attacked = attack(small_ones, published, "people", LEVELS)
    assert len(attacked) > 2
    for code, (least, most) in attacked.items():
        assert most - least >= 8 - 1e-6
        assert code not in small or (least <= 1 + 1e-6 and most >= 9 - 1e-6)


def test_withholding_small_counts_alone_would_not_do(city):
    by_grid, _ = city
    one = by_grid.copy()
    grid = one.index[one["people"] > 500][0]
    one.loc[grid, ["households", "people"]] = [2, 7]
    total = one.groupby("territory")["people"].sum()[one.loc[grid, "territory"]]
    rest = one[(one["territory"] == one.loc[grid, "territory"]) & (one.index != grid)]
    assert total - rest["people"].sum() == 7  # the plain attack, which suppression must stop
    published = gm.suppress_counts(one, SHARED).by_grid
    assert published.loc[rest.index, "people"].isna().any()


def test_a_border_moved_by_a_few_houses_is_refused_and_a_coarser_release_passes(city):
    _, homes = city
    first, second = homes["grid"].value_counts().index[:2]
    moved = homes.index[homes["grid"] == first][:4]
    homes = homes.assign(old=homes["grid"],
                         new=homes["grid"].where(~homes.index.isin(moved), second))
    counts = {name: homes.groupby(name)["people"].sum() for name in ("old", "new")}
    with pytest.raises(PublicationError, match=f"expose 1 slices .*{first}/{second}"):
        gm.check_disclosure(homes, counts, SHARED)
    coarser = homes.assign(new=homes["new"].map(gm.merge_zones(homes, counts, SHARED)))
    again = {"old": counts["old"], "new": coarser.groupby("new")["people"].sum()}
    gm.check_disclosure(coarser, again, SHARED)

"""Edits by hand: checked, priced, and undone to the byte."""

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from test_redraw import SIZE, quarters, town

import gridmap
from gridmap import GridmapError, start_draft
from gridmap.errors import PartitionError


def drafted(**options):
    units = town()
    return start_draft(quarters(units), units, SIZE, **options)


def bytes_of(draft):
    done = gridmap.finish_draft(draft)
    return done.assignment.tolist(), done.grids.to_wkb().values.tolist()


def test_a_split_keeps_the_code_and_issues_a_new_one():
    draft = drafted()
    edit = gridmap.split_grid(draft, "T-0001")
    assert edit.grids.index.tolist() == ["T-0001", "T-0005"]
    assert edit.grids["households"].sum() == 9
    assert edit.checks["size_state"].tolist() == ["small", "small"]
    assert edit.bill["grids_touched"] == 2


def test_a_split_into_three_gives_three_that_hang_together():
    draft = drafted()
    edit = gridmap.split_grid(draft, "T-0001", parts=3)
    assert len(edit.grids) == 3
    assert set(edit.grids.geom_type) == {"Polygon"}


def test_merged_grids_take_the_code_of_the_one_with_most_households():
    draft = drafted()
    gridmap.move_units(draft, ["D"], "T-0001")
    edit = gridmap.merge_grids(draft, ["T-0002", "T-0001"])
    assert edit.retired == ("T-0002",)
    assert edit.grids.index.tolist() == ["T-0001"]
    assert edit.checks["size_state"].tolist() == ["large"]


def test_grids_that_only_meet_at_a_corner_are_not_merged():
    with pytest.raises(PartitionError, match="would lie in pieces that do not touch"):
        gridmap.merge_grids(drafted(), ["T-0001", "T-0004"])


def test_a_move_that_tears_a_grid_is_refused_and_changes_nothing():
    draft = drafted()
    before = draft.assignment
    with pytest.raises(PartitionError, match="T-0001, T-0002 would lie in pieces"):
        gridmap.move_units(draft, ["B", "H", "N"], "T-0002")
    assert draft.assignment.equals(before)
    assert draft.steps == (0, 0)


def test_a_locked_grid_is_not_edited():
    draft = drafted(locked=["T-0002"])
    with pytest.raises(PartitionError, match="grids T-0002 are locked or dedicated"):
        gridmap.move_units(draft, ["C"], "T-0002")


def test_no_edit_crosses_a_territory():
    units = town()
    units["territory"] = np.where(units.geometry.centroid.x < 3, "T", "U")
    draft = start_draft(quarters(units), units.astype({"territory": "str"}), SIZE)
    with pytest.raises(PartitionError, match="would lie in more than one territory"):
        gridmap.move_units(draft, ["C"], "T-0002")


def test_a_line_across_two_grids_cuts_both():
    draft = drafted()
    edit = gridmap.draw_border(draft, shapely.LineString([(-1, 5), (7, 5)]))
    assert edit.grids.index.tolist() == ["T-0001", "T-0002", "T-0005", "T-0006"]
    assert edit.grids["households"].tolist() == [6, 6, 3, 3]


def test_a_line_becomes_the_border_between_two_grids():
    draft = drafted()
    line = shapely.LineString([(4, -1), (4, 7)])
    edit = gridmap.draw_border(draft, line, grids=["T-0001", "T-0002"])
    assert edit.grids["households"].to_dict() == {"T-0001": 12, "T-0002": 6}


def test_a_line_that_ends_inside_cuts_nothing():
    with pytest.raises(PartitionError, match="the line cuts no grid"):
        gridmap.draw_border(drafted(), shapely.LineString([(1, 5), (2, 5)]))


def test_units_can_begin_a_grid_of_their_own():
    draft = drafted()
    edit = gridmap.move_units(draft, ["A", "B"], None)
    assert edit.grids["households"].to_dict() == {"T-0001": 7, "T-0005": 2}


def test_there_is_nothing_to_undo_at_first():
    with pytest.raises(PartitionError, match="there is nothing to undo"):
        gridmap.undo(drafted())


def test_another_edit_forgets_what_was_undone():
    draft = drafted()
    gridmap.split_grid(draft, "T-0001")
    gridmap.undo(draft)
    gridmap.move_units(draft, ["C"], "T-0002")
    with pytest.raises(PartitionError, match="there is nothing to do again"):
        gridmap.redo(draft)


def test_a_code_that_was_undone_is_not_given_to_another_grid():
    draft = drafted()
    gridmap.split_grid(draft, "T-0001")
    gridmap.undo(draft)
    edit = gridmap.split_grid(draft, "T-0002")
    assert edit.grids.index.tolist() == ["T-0002", "T-0006"]


def test_the_bill_of_a_finished_draft_is_that_of_its_assignment():
    draft = drafted()
    gridmap.move_units(draft, ["C", "I"], "T-0002")
    bill = gridmap.finish_draft(draft).bill
    assert bill.totals["households_moved"] == 2
    assert bill.by_grid["fate"].to_dict() == {
        "T-0001": "changed", "T-0002": "changed", "T-0003": "kept", "T-0004": "kept"}


edits = st.lists(st.tuples(st.sampled_from(["split", "merge", "move", "line", "undo", "redo"]),
                           st.integers(0, 10**6)), max_size=6)


def do(draft, what, number):
    """Try an edit picked by a number; say whether it was carried out."""
    assignment = draft.assignment
    codes = sorted(set(assignment))
    grid, other = codes[number % len(codes)], codes[number // 7 % len(codes)]
    unit = assignment.index[number % len(assignment)]
    at = 0.5 + number % 11 / 2
    try:
        if what == "split":
            gridmap.split_grid(draft, grid, parts=2 + number % 2)
        elif what == "merge":
            gridmap.merge_grids(draft, [grid, other])
        elif what == "move":
            gridmap.move_units(draft, [unit], other if number % 5 else None)
        elif what == "line":
            gridmap.draw_border(draft, shapely.LineString([(-1, at), (7, 6 - at)]))
        elif what == "undo":
            gridmap.undo(draft)
        else:
            gridmap.redo(draft)
    except GridmapError:
        return False
    return True


@settings(max_examples=3, deadline=None)
@given(edits)
def test_after_any_edits_all_are_undone_and_done_again_to_the_byte(some):
    draft = drafted()
    start = bytes_of(draft)
    for what, number in some:
        do(draft, what, number)
    end = bytes_of(draft)
    done = draft.steps[0]
    for _ in range(done):
        gridmap.undo(draft)
    assert bytes_of(draft) == start
    for _ in range(done):
        gridmap.redo(draft)
    assert bytes_of(draft) == end


@settings(max_examples=3, deadline=None)
@given(edits)
def test_after_any_edits_nobody_is_lost_and_every_grid_hangs_together(some):
    draft = drafted()
    for what, number in some:
        do(draft, what, number)
    done = gridmap.finish_draft(draft)
    assert done.grids["households"].sum() == 36
    assert done.grids.index.is_unique
    assert set(done.grids.geom_type) == {"Polygon"}
    measured = gridmap.measure_partition(draft.land.units, done.assignment, SIZE).by_grid
    assert (measured["parts"] == 1).all()


@pytest.mark.slow
def test_over_a_thousand_random_edits_no_code_is_given_twice():
    rng, draft = np.random.default_rng(4), drafted()
    seen: dict[str, int] = {}
    for step in range(1000):
        what = ("split", "merge", "move", "line")[int(rng.integers(4))]
        do(draft, what, int(rng.integers(10**6)))
        for code in set(draft.assignment):
            number = draft.number(code)
            assert seen.setdefault(code, number) == number, step

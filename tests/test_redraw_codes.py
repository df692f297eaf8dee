"""Codes over a thousand edits: none collides, none comes again."""

from __future__ import annotations

import numpy as np
from pandas import Series

from gridmap import merge_grids, move_units, split_grid, start_draft
from gridmap.errors import PartitionError
from gridmap.redraw import build_lineage
from gridmap.rules import SizeRule, load_code_rule
from gridmap.sketch import sketch_units
from gridmap.zoning import find_code_faults, issue_codes

PLAIN = load_code_rule("plain")
MESH = sketch_units("ABCDEF", "GHIJKL", "MNOPQR", "STUVWX")


def edit(assignment, draw):
    """Split, merge or move units of some grids at random; a new grid is called fresh."""
    grids = np.unique(assignment)
    what, chosen, other = draw.integers(3), draw.choice(grids), draw.choice(grids)
    members = np.flatnonzero(assignment == chosen)
    changed = assignment.copy()
    if what == 0 and len(members) > 1:
        changed[members[: draw.integers(1, len(members))]] = "fresh"
    elif what == 1:
        changed[members] = other
    else:
        changed[members[0]] = other
    return changed


def test_codes_never_collide_and_never_come_again_over_a_thousand_edits():
    draw = np.random.default_rng(6)
    rule = load_code_rule("plain")
    first = Series(np.arange(len(MESH)) % 6, index=MESH.index).astype("str")
    grids = MESH.dissolve(first, aggfunc={"territory": "first", "households": "sum"})
    assignment = first.map(issue_codes(grids, rule)).to_numpy(dtype=object)
    ever, gone = set(assignment), set()
    for _ in range(1000):
        changed = edit(assignment, draw)
        fresh = changed == "fresh"
        if fresh.any():
            grid = MESH[fresh].iloc[:1].set_axis(["fresh"])
            changed[fresh] = issue_codes(grid, rule, taken=ever)["fresh"]
            assert changed[fresh][0] not in ever
        alive = set(changed)
        assert not alive & gone
        gone |= set(assignment) - alive
        ever |= alive
        assignment = changed
    assert len(gone) > 100
    assert find_code_faults(sorted(ever), rule, retired=gone)["what"].eq("retired").all()


def try_edit(draft, draw):
    """Split, merge or move at random; what a draft refuses is left as it was."""
    assignment = draft.assignment
    grids = np.unique(assignment.to_numpy(dtype=object).astype(str))
    what, chosen, other = draw.integers(3), draw.choice(grids), draw.choice(grids)
    try:
        if what == 0:
            return split_grid(draft, chosen)
        if what == 1:
            return merge_grids(draft, [chosen, other])
        return move_units(draft, [draw.choice(assignment.index)], other)
    except PartitionError:
        return None


def test_a_draft_never_gives_a_code_twice_over_a_thousand_edits():
    draw = np.random.default_rng(7)
    first = Series([f"T-{n:04d}" for n in range(1, len(MESH) + 1)], index=MESH.index)
    size = SizeRule(minimum=1, target=3, maximum=6)
    draft, done = start_draft(first, MESH, size, retired=["T-0025"]), 0
    ever, gone, before = set(first), {"T-0025"}, set(first)
    for _ in range(1000):
        if try_edit(draft, draw) is None:
            continue
        done += 1
        alive = set(draft.assignment)
        assert not alive & gone
        assert not (alive - before) & ever
        gone |= before - alive
        ever |= alive
        before = alive
    assert done > 200
    assert find_code_faults(sorted(before), PLAIN).empty
    lineage = build_lineage(first, draft.assignment, units=MESH)
    assert lineage["households"].sum() == len(MESH)

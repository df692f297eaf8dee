"""Groups of faces are numbered in one way, whichever library does it."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gridmap.tiling import mesh

LINKS = st.lists(st.tuples(st.integers(0, 39), st.integers(0, 39)), max_size=60)


def both_ways(links):
    """Return links of faces as borders."""
    some = np.array(links, dtype="int64").reshape(-1, 2)
    ways = np.concatenate([some, some[:, ::-1]])
    return mesh.Borders(ways[:, 0], ways[:, 1], np.ones(len(ways)))


@settings(max_examples=200, deadline=None)
@given(LINKS, st.lists(st.integers(0, 2), min_size=40, max_size=40))
def test_few_faces_are_grouped_as_many_are(links, labels):
    borders, label = both_ways(links), np.array(labels, dtype="int64")
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(mesh, "_FEW", 0)
        many = mesh.count_groups(label, borders)
    few = mesh.count_groups(label, borders)
    assert few.tolist() == many.tolist()
    assert few.dtype == many.dtype


def test_a_long_chain_is_one_group():
    order = np.random.default_rng(1).permutation(2_000)
    links = list(zip(order[:-1].tolist(), order[1:].tolist(), strict=True))
    assert set(mesh.count_groups(np.zeros(2_000, "int64"), both_ways(links)).tolist()) == {0}

"""Finding twins among pieces of outline by hashing."""

from __future__ import annotations

import numpy as np

from .compiled import compiled


@compiled
def match_segments(ends, owner):  # type: ignore[no-untyped-def]
    """Return for each piece the position of its twin in another unit, or -1."""
    count = len(owner)
    size = 16
    while size < 2 * count:
        size *= 2
    mask = np.uint64(size - 1)
    table = np.full(size, -1, np.int64)
    partner = np.full(count, -1, np.int64)
    for i in range(count):
        # The odd constants spread the bits; any large odd number would do.
        key = np.uint64(ends[i, 0]) * np.uint64(0x9E3779B97F4A7C15)
        key ^= np.uint64(ends[i, 1]) * np.uint64(0xC2B2AE3D27D4EB4F)
        key ^= np.uint64(ends[i, 2]) * np.uint64(0x165667B19E3779F9)
        key ^= np.uint64(ends[i, 3]) * np.uint64(0xD6E8FEB86659FD93)
        slot = (key ^ (key >> np.uint64(29))) & mask
        while True:
            other = table[slot]
            if other < 0:
                table[slot] = i
                break
            if (
                ends[other, 0] == ends[i, 0]
                and ends[other, 1] == ends[i, 1]
                and ends[other, 2] == ends[i, 2]
                and ends[other, 3] == ends[i, 3]
            ):
                if partner[other] < 0 and owner[other] != owner[i]:
                    partner[other] = i
                    partner[i] = other
                break
            slot = (slot + np.uint64(1)) & mask
    return partner

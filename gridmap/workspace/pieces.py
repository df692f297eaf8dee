"""Frames whose texts lie in one piece, so that the same rows are the same bytes on the disk."""

from __future__ import annotations

from typing import Any, TypeVar

import pandas as pd
from pandas import DataFrame

_Frame = TypeVar("_Frame", bound=DataFrame)


def join_pieces(frame: _Frame) -> _Frame:
    """Return a frame whose texts lie in one piece each, however it was put together.

    Texts of frames that were put one below the other lie in several. GDAL counts in the file
    how many it was given, and pages of Parquet end where a piece does.

    Examples
    --------
    >>> part = DataFrame({"kind": ["a"]}, index=pd.Index(["x"], name="unit"))
    >>> whole = join_pieces(pd.concat([part, part]))
    >>> whole["kind"].array.__arrow_array__().num_chunks, whole.index.tolist()
    (1, ['x', 'x'])
    """
    whole = frame.copy(deep=False)
    for name in frame:
        if isinstance(frame[name].dtype, pd.StringDtype):
            whole[name] = _join(frame[name])
    if isinstance(frame.index.dtype, pd.StringDtype):
        whole.index = pd.Index(_join(frame.index), name=frame.index.name)
    return whole


def _join(texts: Any) -> Any:
    return pd.array(texts.to_numpy(dtype=object, na_value=None), texts.dtype)

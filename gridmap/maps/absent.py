"""Why a figure is missing: withheld, not applicable, or not known."""

from __future__ import annotations

from typing import NamedTuple

from pandas import DataFrame, Series

from . import words

#: What `suppress_counts` says of a share of nobody.
_INAPPLICABLE = "not applicable"

#: Reason -> colour on the page.
COLOURS = {"withheld": "#c3c7ce", "inapplicable": "#eef0f2", "unknown": "#d7d9dd"}


class Absent(NamedTuple):
    """Grids without a figure, for one reason."""

    codes: list[str]
    name: words.Word
    colour: str
    striped: bool


def split_absent(values: Series, suppressed: DataFrame | None = None) -> list[Absent]:
    """Divide missing values by their reason, in the order of the page's legend.

    Parameters
    ----------
    values : Series, index ``grid``
        A figure by its name.
    suppressed : DataFrame, optional
        As `suppress_counts` tells it. Without it everything missing is unknown.

    Examples
    --------
    >>> values = Series([1, None, None], index=["A", "B", "C"], name="people")
    >>> told = DataFrame({"level": ["grid"], "id": ["C"], "column": ["people"],
    ...                   "reason": ["small"]})
    >>> [(one.codes, one.name.en) for one in split_absent(values, told)]
    [(['C'], 'withheld (small count)'), (['B'], 'unknown')]
    """
    left = dict.fromkeys(values.index[values.isna()].tolist())
    reasons: dict[str, set[str]] = {"withheld": set(), "inapplicable": set()}
    if suppressed is not None:
        told = suppressed[(suppressed["level"] == "grid") & (suppressed["column"] == values.name)]
        inapplicable = told["reason"] == _INAPPLICABLE
        reasons["withheld"].update(told.loc[~inapplicable, "id"])
        reasons["inapplicable"].update(told.loc[inapplicable, "id"])
    found = []
    for why, ids in reasons.items():
        codes = [code for code in left if code in ids]
        left = {code: None for code in left if code not in ids}
        found.append((why, codes))
    found.append(("unknown", list(left)))
    return [Absent(codes, words.PAGE[why], COLOURS[why], why == "unknown")
            for why, codes in found if codes]

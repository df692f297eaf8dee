"""The bill of a redraw as one sheet: what moves, what it costs, which grids are touched."""

from __future__ import annotations

import html
from collections.abc import Iterator, Mapping

import numpy as np
import pandas as pd
from pandas import DataFrame, Series

from ..redraw.bill import FATES, Bill
from ..rules import Publication
from . import sheet, words
from .charts import both

#: Words of the bill, beside those of the page.
SAYS: Mapping[str, words.Word] = {
    "subtitle": words.Word("The bill of a redraw: what moves, and what has to be printed anew",
                           "网格调整账单：涉及的住户与需重新印制的物料"),
    "households_moved": words.Word("Households moved", "变更住户"),
    "people_moved": words.Word("People moved", "变更人口"),
    "grids_touched": words.Word("Grids touched", "涉及网格"),
    "in_range_share": words.Word("In size range", "规模达标"),
    "contact_cards": words.Word("Contact cards", "联系卡"),
    "notice_boards": words.Word("Notice boards", "公示牌"),
    "workers_affected": words.Word("Grid workers affected", "涉及网格员"),
    "print": words.Word("to print anew", "需重新印制"),
    "fates": words.Word("What became of the grids", "网格变动情况"),
    "fate": words.Word("What became of it", "变动"),
    "count": words.Word("Grids", "网格数"),
    "net": words.Word("The net before and after", "调整前后的网格"),
    "figure": words.Word("Figure", "指标"),
    "before": words.Word("Before", "调整前"), "after": words.Word("After", "调整后"),
    "touched": words.Word("Grids touched, by territory", "涉及的网格（按辖区）"),
    "grid": words.Word("Grid", "网格"),
    "state_before": words.Word("Size before", "调整前规模"),
    "state_after": words.Word("Size after", "调整后规模"),
    "households_in": words.Word("Households in", "迁入户数"),
    "households_out": words.Word("Households out", "迁出户数"),
    "none": words.Word("No grid is touched: the net in use stays as it is.",
                       "没有网格需要调整，现有网格保持不变。"),
    "missed": words.Word("Not reached, or noticed", "未达成事项与提示"),
    "what": words.Word("What", "事项"), "first": words.Word("First", "首例"),
    "note": words.Word("Way out", "处理建议"),
}
MEASURES: Mapping[str, words.Word] = {
    "grids": words.Word("Grids", "网格数"), "units": words.Word("Basic units", "基本单元数"),
    "in_range_share": words.Word("In size range", "规模达标率"),
    "near_target_share": words.Word("Within 10 % of the target", "接近目标规模（±10 %）"),
    "off_target_max": words.Word("Farthest from the target", "偏离目标最大值"),
    "contiguous_share": words.Word("In one piece", "连通率"),
    "compactness_mean": words.Word("Compactness (Polsby-Popper), mean", "紧凑度均值"),
    "compactness_p5": words.Word("Compactness, 5th percentile", "紧凑度第 5 百分位"),
    "size_mean": words.Word("Mean size", "平均规模"),
    "size_min": words.Word("Smallest", "最小规模"), "size_max": words.Word("Largest", "最大规模"),
}

#: Totals that count homes or people.
COUNTS = ("households_moved", "people_moved", "must_move", "contact_cards")

#: A sheet lists so many grids at most; the table beside it has all.
LISTED = 1_000


def write_bill(
    bill: Bill,
    *,
    publication: Publication,
    title: words.Name = "",
    territories: DataFrame | None = None,
    changes: DataFrame | None = None,
    page: str = "",
    language: str = "en",
    credits: str = "",  # noqa: A002
) -> str:
    """Write the bill of a redraw on one sheet, for those who decide on it.

    Parameters
    ----------
    bill : Bill
    publication : Publication
        Households of single grids are on the sheet only if it allows single elements: the
        counts of two versions can be subtracted. Small totals are told as "fewer than".
    title : text or (English, 中文), default ""
        Heading.
    territories : GeoDataFrame, schema TERRITORIES, optional
        Names of the territories.
    changes : DataFrame, schema CHANGES, optional
        What was not reached, and what was noticed.
    page : str, default ""
        File name of the page with both nets, for a link.
    language : {"en", "zh"}, default "en"
        Language shown at first; the reader can switch without a script.
    credits : str, default ""
        Notices of the sources.

    Returns
    -------
    str
        HTML without scripts, to be read on a screen or printed on A4.

    Examples
    --------
    >>> from gridmap import SizeRule, repartition
    >>> from gridmap.rules import load_publication
    >>> from gridmap.sketch import sketch_units
    >>> now = Series({"A": "G", "B": "G"})
    >>> redrawn = repartition(now, sketch_units("AB"), SizeRule(minimum=1, target=2, maximum=2))
    >>> sheet = write_bill(redrawn.bill, publication=load_publication("shared"))
    >>> "No grid is touched" in sheet, "<script" in sheet
    (True, False)
    """
    parts = [
        _tiles(bill, publication), _link(page),
        f'<div class="pair">{_net(bill.measures)}{_fates(bill.totals)}</div>\n',
        _touched(bill.by_grid, publication, territories), _missed(changes),
    ]
    return sheet.write_sheet(title, SAYS["subtitle"], parts, language=language,
                             footer=words.describe_publication(publication, credits))


def hide_small_totals(totals: Series, publication: Publication) -> Series:
    """Return the totals of a bill without counts of so few that single homes can be told.

    Parameters
    ----------
    totals : Series
        Of a `Bill`.
    publication : Publication
        Counts below its ``smallest`` are missing in the outcome, unless it allows single
        elements. The share that moved goes with the count it was made of.

    Examples
    --------
    >>> from gridmap.rules import load_publication
    >>> told = Series({"households_moved": 3.0, "moved_share": 0.01, "grids_touched": 2.0})
    >>> hide_small_totals(told, load_publication("shared")).to_list()
    [nan, nan, 2.0]
    """
    if publication.elements:
        return totals
    told = totals.astype("float64")
    counts = told[[name for name in COUNTS if name in told]]
    hidden = list(counts.index[(counts > 0) & (counts < publication.smallest)])
    told[hidden] = np.nan
    if "households_moved" in hidden and "moved_share" in told:
        told["moved_share"] = np.nan
    return told


def _tiles(bill: Bill, publication: Publication) -> str:
    t, told, measures = bill.totals, hide_small_totals(bill.totals, publication), bill.measures
    small = 0 if publication.elements else publication.smallest
    before, after = _sides(measures, "in_range_share")
    return sheet.write_tiles([
        sheet.write_tile(SAYS["households_moved"], _count(t["households_moved"], small),
                         _share_note(told["moved_share"], bill.moves["households"].sum())),
        sheet.write_tile(words.Word("Least that could move", "至少变更"),
                         _count(t["must_move"], small),
                         words.Word("for all to be in range", "全部达标所需的住户数")),
        sheet.write_tile(SAYS["people_moved"], _count(t["people_moved"], small),
                         words.Word("", "")),
        sheet.write_tile(SAYS["grids_touched"], f"{t['grids_touched']:,.0f}", words.Word(
            f"of {t['grids_before']:,.0f}; {t['grids_after']:,.0f} after",
            f"原有 {t['grids_before']:,.0f} 个，调整后 {t['grids_after']:,.0f} 个")),
        sheet.write_share(SAYS["in_range_share"], after, words.Word(
            f"{100 * before:.1f} % before", f"调整前 {100 * before:.1f} %")),
        sheet.write_tile(SAYS["contact_cards"], _count(t["contact_cards"], small), SAYS["print"]),
        sheet.write_tile(SAYS["notice_boards"], _count(t["notice_boards"], 0), SAYS["print"]),
        sheet.write_tile(SAYS["workers_affected"], _count(t["workers_affected"], 0),
                         words.Word("", "")),
    ])


def _share_note(share: float, everybody: float) -> words.Word:
    if np.isnan(share):
        return words.Word(f"of {everybody:,.0f}", f"共 {everybody:,.0f} 户")
    return words.Word(f"{100 * share:.1f} % of {everybody:,.0f}",
                      f"占 {everybody:,.0f} 户的 {100 * share:.1f} %")


def _count(value: float, smallest: int) -> str:
    """Write a count, a small one as less than the smallest that may be told."""
    if np.isnan(value):
        return ""
    return f"&lt; {smallest}" if 0 < value < smallest else f"{value:,.0f}"


def _link(page: str) -> str:
    if not page:
        return ""
    word = words.Word("Map of both nets, to swipe from one to the other", "调整前后对比地图")
    return f'<p class="link"><a href="{html.escape(page)}">{both(word)}</a></p>\n'


def _fates(totals: Series) -> str:
    counts = {fate: totals[f"grids_{fate}"] for fate in FATES}
    rows = [f'<tr><td>{both(words.name_value(fate))}</td><td class="number">{count:,.0f}</td></tr>'
            for fate, count in counts.items()]
    return sheet.write_table(SAYS["fates"], [SAYS["fate"], SAYS["count"]], rows, numbers=[1])


def _net(measures: DataFrame) -> str:
    known = [name for name in MEASURES if name in measures.index]
    rows = [
        f"<tr><td>{both(MEASURES[name])}</td>"
        + "".join(f'<td class="number">{_figure(name, value)}</td>'
                  for value in _sides(measures, name))
        + "</tr>" for name in known
    ]
    return sheet.write_table(SAYS["net"], [SAYS["figure"], SAYS["before"], SAYS["after"]], rows,
                             numbers=[1, 2])


def _sides(measures: DataFrame, name: str) -> list[float]:
    return [float(measures[side][name]) for side in ("before", "after")]


def _figure(name: str, value: float) -> str:
    if np.isnan(value):
        return "–"
    if name.endswith("_share") or name == "off_target_max":
        return f"{100 * value:,.1f} %"
    if name.startswith("compactness"):
        return f"{value:.3f}"
    return f"{value:,.0f}"


def _touched(
    by_grid: DataFrame, publication: Publication, territories: DataFrame | None
) -> str:
    rows = by_grid[by_grid["fate"] != "kept"].sort_values(["territory", "fate"], kind="stable")
    if rows.empty:
        return f'<section><p class="note">{both(SAYS["none"])}</p></section>\n'
    counted = publication.elements
    head = ["grid", "territory", "fate", "state_before", "state_after",
            *(("households_in", "households_out") if counted else ())]
    named = {**SAYS, "territory": words.FIGURES["territory"]}
    note = words.Word(f"The first {LISTED:,} of {len(rows):,}; fates.csv has all.",
                      f"共 {len(rows):,} 个，此处列出前 {LISTED:,} 个；全部见 fates.csv。")
    return sheet.write_table(
        SAYS["touched"], [named[name] for name in head],
        list(_touched_rows(rows.head(LISTED), _names(territories), counted=counted)),
        numbers=[5, 6], note=note if len(rows) > LISTED else None)


def _names(territories: DataFrame | None) -> dict[str, str]:
    if territories is None or "name" not in territories:
        return {}
    return {str(code): str(name) for code, name in territories["name"].dropna().items()}


def _touched_rows(rows: DataFrame, names: dict[str, str], *, counted: bool) -> Iterator[str]:
    texts = ["territory", "fate", "size_state_before", "size_state_after"]
    for grid, row in zip(rows.index, rows.to_dict("records"), strict=True):
        place, *said = ("" if pd.isna(row[name]) else str(row[name]) for name in texts)
        shown = [html.escape(str(grid)), html.escape(names.get(place, place)),
                 *(both(words.name_value(value)) if value else "–" for value in said)]
        numbers = [f"{row[name]:,.0f}" for name in ("households_in", "households_out")
                   ] if counted else []
        yield ("<tr>" + "".join(f"<td>{cell}</td>" for cell in shown)
               + "".join(f'<td class="number">{cell}</td>' for cell in numbers) + "</tr>")


def _missed(changes: DataFrame | None) -> str:
    if changes is None or changes.empty:
        return ""
    rows = []
    for what, some in changes.groupby("what", sort=True):
        first = some.iloc[0]
        rows.append(f'<tr><td>{html.escape(str(what))}</td><td class="number">{len(some):,}</td>'
                    f"<td class=\"code\">{html.escape(str(first['id']))}</td>"
                    f"<td>{html.escape(str(first['note']))}</td></tr>")
    head = [SAYS[name] for name in ("what", "count", "first", "note")]
    return sheet.write_table(SAYS["missed"], head, rows, numbers=[1])

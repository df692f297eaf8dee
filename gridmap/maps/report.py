"""The report of a run: one self-contained sheet for those who decide."""

from __future__ import annotations

import html
from collections.abc import Iterator, Mapping, Sequence

from geopandas import GeoDataFrame
from pandas import DataFrame, Series

from .. import ledger as ledger_room
from .. import tiling
from ..errors import CRSError
from ..rules import Publication, SizeRule
from . import absent, charts, figures, legend, sheet, sizes, style, words
from .charts import both

#: Words of the report, beside those of the page.
SAYS: Mapping[str, words.Word] = {
    "subtitle": words.Word("Service grids: what was drawn, what is in them, and the account "
                           "of every row", "网格划分报告：划分结果、归集内容与逐行账目"),
    "grids": words.Word("Grids", "网格"), "in range": words.Word("In size range", "规模达标"),
    "collected": words.Word("Elements on the map", "采集上图"),
    "tiling": words.Word("Seamless tiling", "无缝拼接"),
    "assets": words.Word("Assets per grid", "网均部件"),
    "events": words.Word("Events closed in the grid", "网格内办结"),
    "proven": words.Word("proven", "已验证"), "faults": words.Word("faults", "有问题"),
    "unchecked": words.Word("not checked", "未检查"),
    "map": words.Word("Size of the grids", "网格规模"),
    "histogram": words.Word("How large they are", "规模分布"),
    "towns": words.Word("In size range, by territory", "各辖区达标率"),
    "reach": words.Word("Households in reach, by kind of asset", "各类部件服务覆盖户数占比"),
    "kinds": words.Word("Assets by kind", "各类部件数量"),
    "reasons": words.Word("Why grids are out of range", "未达标原因"),
    "ledger": words.Word("Ledger: what came in went on, or is accounted for",
                         "账目：进入 = 流出 + 剩余"),
    "step": words.Word("Step", "步骤"), "what": words.Word("What", "对象"),
    "measure": words.Word("Measure", "计量"), "came in": words.Word("Came in", "进入"),
    "went on": words.Word("Went on", "流出"), "left over": words.Word("Left over", "剩余"),
    "closes": words.Word("Closes", "平衡"), "count": words.Word("Grids", "网格数"),
    "reason": words.Word("Reason", "原因"), "figures": words.Word("All figures", "全部指标"),
    "notes": words.Word("Notes", "说明"),
}


def draw_report(
    grids: GeoDataFrame,
    *,
    title: words.Name,
    summary: Series,
    publication: Publication,
    totals: Series | None = None,
    reasons: Series | None = None,
    ledger: DataFrame | None = None,
    size: SizeRule | None = None,
    territories: GeoDataFrame | None = None,
    suppressed: DataFrame | None = None,
    notes: Sequence[words.Name] = (),
    language: str = "en",
    credits: str = "",  # noqa: A002
    proven: bool = False,
    picture: str | None = None,
) -> str:
    """Write the report of a run: figures, pictures, reasons and the ledger on one sheet.

    Parameters
    ----------
    grids : GeoDataFrame, index ``grid``
        The grids with the figures that the publication lets out.
    title : text or (English, 中文)
        Heading.
    summary : Series
        Named figures of the run: grids, households, share in size range, and so on.
    publication : Publication
        What the report may show.
    totals : Series, optional
        Figures of the whole as `measure_coverage` returns them.
    reasons : Series, optional
        Why grids are out of range: reason to number of grids.
    ledger : DataFrame, schema LEDGER, optional
        The account of the run.
    size : SizeRule, optional
        Draws its band into the histogram of sizes.
    territories : GeoDataFrame, schema TERRITORIES, optional
        Borders on the map, and names.
    suppressed : DataFrame, optional
        As `suppress_counts` tells it: totals of everything that must not be shown are not.
    notes : sequence of text or (English, 中文), default ()
        Further lines at the end.
    language : {"en", "zh"}, default "en"
        Language shown at first; the reader can switch without a script.
    credits : str, default ""
        Notices of the sources.
    proven : bool, default False
        Whether `check_tiling` has passed these very grids by its usual rule. Otherwise gaps
        and overlaps are looked for here.
    picture : str, optional
        What `draw_size_picture` gave of these grids, where it was drawn before.

    Returns
    -------
    str
        HTML without scripts or links, to be read on a screen or printed on A4.

    Raises
    ------
    PublicationError
        If small counts are present that must not be.

    Examples
    --------
    >>> from gridmap.rules import load_publication
    >>> from gridmap.sketch import sketch_grids
    >>> report = draw_report(sketch_grids("AB"), title="<b>", summary=Series({"grids": 2.0}),
    ...                      publication=load_publication("internal"))
    >>> "<h1>&lt;b&gt;</h1>" in report, "<script" in report
    (True, False)
    """
    if picture is None:
        picture = sizes.draw_size_picture(grids, publication=publication,
                                          territories=territories, suppressed=suppressed)
    name = words.as_word(title)
    allowed = figures.pick_allowed(figures.match_figures(grids, None), publication)
    told = summary.astype("float64")
    if totals is not None:
        told = Series({**totals.astype("float64").to_dict(), **told.to_dict()})
    if suppressed is not None:
        told = told.drop(suppressed.loc[suppressed["level"] == "all", "column"], errors="ignore")
    parts = [
        _tiles(grids, told, proven), _maps(allowed, publication, size, suppressed, picture),
        _bars(allowed, told, territories), _reasons(reasons), _ledger(ledger), _notes(notes),
    ]
    return sheet.write_sheet(name, SAYS["subtitle"], parts, language=language,
                             footer=words.describe_publication(publication, credits))


def _tiles(grids: GeoDataFrame, told: Series, proven: bool) -> str:
    drawn = [
        sheet.write_tile(SAYS["grids"], _number(told, "grids"), _grid_note(told)),
        sheet.write_tile(words.FIGURES["households"], _number(told, "households"), _per_grid(
            told, "households", words.Word("{n} in a grid", "网均 {n}"))),
        sheet.write_tile(words.FIGURES["people"], _number(told, "people"), _left_over(told)),
        _share_tile(SAYS["in range"], told, "share in size range", _size_note(told)),
        _share_tile(SAYS["collected"], told, "elements collected", _element_note(told)),
        _tiling_tile(grids, told, proven),
        sheet.write_tile(SAYS["assets"], _number(told, "assets_per_grid", digits=1), _of(
            told, "assets", words.Word("{n} assets", "{n} 个部件"))),
        _share_tile(SAYS["events"], told, "events_closed_in_grid_share", _of(
            told, "events", words.Word("{n} events", "{n} 件事件"))),
    ]
    return sheet.write_tiles(drawn)


def _share_tile(name: words.Word, told: Series, figure: str, note: words.Word) -> str:
    return sheet.write_share(name, told.get(figure, float("nan")), note)


def _tiling_tile(grids: GeoDataFrame, told: Series, proven: bool) -> str:
    """Say whether grids tile: a report looks itself where no proof is given."""
    parts = told.get("contiguous share", float("nan"))
    contiguous = "" if parts != parts else f"{100 * parts:.1f} %"
    try:
        faults = 0 if proven else (
            len(tiling.find_overlaps(grids)) + len(tiling.find_gaps(grids)))
    except CRSError:  # degrees: a page may be drawn of them, a tiling not proven
        return sheet.write_tile(SAYS["tiling"], both(SAYS["unchecked"]), words.Word("", ""),
                                look="word")
    note = words.Word(f"no gap, no overlap; {contiguous} contiguous",
                      f"无空隙、无重叠；{contiguous} 连通") if not faults else (
        words.Word(f"{faults:,} gaps or overlaps", f"{faults:,} 处空隙或重叠"))
    state = "faults" if faults else "proven"
    return sheet.write_tile(SAYS["tiling"], both(SAYS[state]), note,
                 look=f"word {'bad' if faults else 'good'}")


def _number(told: Series, figure: str, *, digits: int = 0) -> str:
    value = told.get(figure, float("nan"))
    return "" if value != value else f"{value:,.{digits}f}"


def _filled(word: words.Word, number: str) -> words.Word:
    if not number:
        return words.Word("", "")
    return words.Word(word.en.replace("{n}", number), word.zh.replace("{n}", number))


def _of(told: Series, figure: str, word: words.Word) -> words.Word:
    return _filled(word, _number(told, figure))


def _per_grid(told: Series, figure: str, word: words.Word) -> words.Word:
    count = told.get("grids", float("nan"))
    mean = told.get(figure, float("nan")) / count if count else float("nan")
    return _filled(word, "" if mean != mean else f"{mean:,.0f}")


def _grid_note(told: Series) -> words.Word:
    return _of(told, "dedicated grids", words.Word("{n} of them dedicated", "其中专属网格 {n} 个"))


def _left_over(told: Series) -> words.Word:
    return _of(told, "people left over", words.Word("{n} left over", "未归入网格 {n} 人"))


def _size_note(told: Series) -> words.Word:
    small, large = _number(told, "too small"), _number(told, "too large")
    if not small or not large:
        return words.Word("", "")
    return words.Word(f"{small} too small, {large} too large", f"偏小 {small}，偏大 {large}")


def _element_note(told: Series) -> words.Word:
    return _of(told, "elements", words.Word("of {n} elements", "共 {n} 个要素"))


def _maps(
    allowed: DataFrame,
    publication: Publication,
    size: SizeRule | None,
    suppressed: DataFrame | None,
    drawn: str,
) -> str:
    """Return the map of sizes beside their histogram, as far as the profile allows both."""
    figure = sizes.find_size_figure(allowed, publication)
    if figure is None:
        return ""
    key = "".join(
        f'<li><i style="background:{colour}"></i>{both(name)} <b>{count:,}</b></li>'
        for name, colour, count in _key(figures.shown_values(allowed[figure]), suppressed)
    )
    picture = (
        f"<section><h2>{both(SAYS['map'])}</h2><figure><img alt="
        f'"{html.escape(words.name_figure(figure).en)}" src="{drawn}">'
        f'<ul class="key">{key}</ul></figure></section>\n'
    )
    chart = _histogram(allowed, size)
    return f'<div class="pair">{picture}{chart}</div>\n' if chart else picture


def _key(values: Series, suppressed: DataFrame | None) -> list[tuple[words.Word, str, int]]:
    """Return name, colour and count of the classes, then of what is missing by its reason."""
    classes = style.measure_classes(values)
    names = legend.name_classes(classes, str(values.name))
    known = classes["value"].notna() | classes["upper"].notna()
    rows = [(name, str(colour), int(count)) for name, colour, count, kept in zip(
        names, classes["colour"], classes["count"], known, strict=True) if kept]
    return rows + [(part.name, part.colour, len(part.codes))
                   for part in absent.split_absent(values, suppressed)]


def _histogram(allowed: DataFrame, size: SizeRule | None) -> str:
    if size is None or size.measure not in allowed:
        return ""
    sized = allowed[allowed["kind"] != "dedicated"] if "kind" in allowed else allowed
    chart = charts.draw_histogram(sized[size.measure], size)
    if not chart:
        return ""
    low, high = (legend.write_number(bound, size.measure) for bound in
                 (size.minimum, size.maximum))
    unit = words.name_figure(size.measure)
    note = words.Word(
        f"Band: the range asked for, {low} to {high} {unit.en.lower()}. Dedicated grids are not "
        "sized.", f"色带为规定范围：{low}–{high}（{unit.zh}）。专属网格不计规模。")
    return (f"<section><h2>{both(SAYS['histogram'])}</h2><figure>{chart}</figure>"
            f'<p class="note">{both(note)}</p></section>')


def _bars(allowed: DataFrame, told: Series, territories: GeoDataFrame | None) -> str:
    """Return up to two bar charts: what there is to compare."""
    drawn = [chart for chart in (
        _territory_bars(allowed, territories), _reach_bars(told), _asset_bars(told)
    ) if chart][:2]
    return f'<div class="pair even">{"".join(drawn)}</div>\n' if drawn else ""


def _territory_bars(allowed: DataFrame, territories: GeoDataFrame | None) -> str:
    if "size_state" not in allowed or "territory" not in allowed:
        return ""
    sized = allowed[allowed["size_state"].isin(["in range", "small", "large"])]
    shares = (sized["size_state"] == "in range").groupby(sized["territory"]).mean()
    if not 2 <= len(shares) <= 400:
        return ""
    lowest = shares.sort_values(kind="stable").head(8)
    named = {} if territories is None else territories.get("name", Series()).to_dict()
    labels = [words.as_word(str(named.get(code, code))) for code in lowest.index]
    chart = charts.draw_bars(lowest.tolist(), labels, figure="x_share", most=1.0)
    note = words.Word(f"The lowest {len(lowest)} of {len(shares):,}.",
                      f"共 {len(shares):,} 个，列出最低的 {len(lowest)} 个。")
    return _chart(SAYS["towns"], chart, note if len(shares) > len(lowest) else None)


def _reach_bars(told: Series) -> str:
    return _kind_bars(told, "households_in_reach_share_", SAYS["reach"], "x_share", 1.0)


def _asset_bars(told: Series) -> str:
    kinds = told[[name for name in told.index if name != "assets_per_grid"]]
    return _kind_bars(kinds, "assets_", SAYS["kinds"], "households", 0.0)


def _kind_bars(told: Series, prefix: str, title: words.Word, figure: str, most: float) -> str:
    found = told[[str(name).startswith(prefix) for name in told.index]].dropna()
    if found.empty:
        return ""
    found = found.sort_values(ascending=False, kind="stable").head(8)
    names = [words.name_value(str(name).removeprefix(prefix)) for name in found.index]
    return _chart(title, charts.draw_bars(found.tolist(), names, figure=figure, most=most))


def _chart(title: words.Word, chart: str, note: words.Word | None = None) -> str:
    below = f'<p class="note">{both(note)}</p>' if note else ""
    return f"<section><h2>{both(title)}</h2><figure>{chart}</figure>{below}</section>"


def _reasons(reasons: Series | None) -> str:
    if reasons is None or reasons.empty:
        return ""
    rows = [f'<tr><td>{html.escape(str(reason))}</td><td class="number">{count:,}</td></tr>'
            for reason, count in reasons.items()]
    return _table(SAYS["reasons"], ["reason", "count"], rows, numbers=("count",))


def _ledger(ledger: DataFrame | None) -> str:
    if ledger is None or ledger.empty:
        return ""
    head = ["step", "what", "measure", "came in", "went on", "left over", "closes"]
    return _table(SAYS["ledger"], head, list(_ledger_rows(ledger)),
                  numbers=("came in", "went on", "left over"))


def _ledger_rows(account: DataFrame) -> Iterator[str]:
    open_lines = ledger_room.find_unbalanced(account).index
    texts = account[["step", "frame", "measure"]].astype("str").to_numpy().tolist()
    numbers = account[["came_in", "went_on", "left_over"]].to_numpy("float64").tolist()
    for line, text, number in zip(account.index, texts, numbers, strict=True):
        cells = [f"<td>{html.escape(cell)}</td>" for cell in text]
        cells += [f'<td class="number">{cell:,.10g}</td>' for cell in number]
        closes = line not in open_lines
        cells.append(f'<td class="{"closed" if closes else "open"}">{"✓" if closes else "✗"}</td>')
        yield f"<tr>{''.join(cells)}</tr>"


def _table(
    title: words.Word, head: Sequence[str], rows: Sequence[str], *, numbers: Sequence[str]
) -> str:
    return sheet.write_table(title, [SAYS[name] for name in head], rows,
                             numbers=[head.index(name) for name in numbers])


def _notes(notes: Sequence[words.Name]) -> str:
    lines = "".join(f'<p class="note">{both(words.as_word(note))}</p>' for note in notes)
    return f"<section><h2>{both(SAYS['notes'])}</h2>{lines}</section>\n" if lines else ""

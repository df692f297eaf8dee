"""Small charts for reports, as SVG whose text is that of the page."""

from __future__ import annotations

import html
from collections.abc import Sequence

import numpy as np
from pandas import Series

from ..rules import SizeRule
from . import legend, words

_INK, _SOFT, _LINE = "#17202b", "#55606e", "#dfe3e8"
_BAR, _IN_RANGE, _BAND = "#9aa7b5", "#5fb58f", "#e3f3ec"


def both(word: words.Word) -> str:
    """Return a word in both languages; the page shows one of them.

    Examples
    --------
    >>> both(words.Word("<b>", "粗"))
    '<span lang="en">&lt;b&gt;</span><span lang="zh-CN">粗</span>'
    """
    english, chinese = html.escape(word.en), html.escape(word.zh)
    if english == chinese:
        return english
    return f'<span lang="en">{english}</span><span lang="zh-CN">{chinese}</span>'


def draw_histogram(sizes: Series, rule: SizeRule) -> str:
    """Draw how large grids are, with the band that the size rule asks for.

    Parameters
    ----------
    sizes : Series
        The measure of the rule for each grid; missing ones are left out.
    rule : SizeRule
        Its range is drawn as a band; grids inside it are green.

    Returns
    -------
    str
        SVG, 360 by 190.

    Examples
    --------
    >>> rule = SizeRule(minimum=300, target=400, maximum=500)
    >>> draw_histogram(Series([320.0, 410.0, 420.0, 900.0]), rule).count("<rect")
    4
    """
    known = sizes.dropna().to_numpy("float64")
    if not len(known):
        return ""
    edges = _edges(known, rule)
    counts = np.histogram(np.clip(known, edges[0], edges[-1]), bins=edges)[0]
    left, right, top, floor = 34.0, 338.0, 12.0, 154.0
    x = np.interp(edges, (edges[0], edges[-1]), (left, right))
    height = (floor - top) * counts / counts.max()
    low, high = np.interp([rule.minimum, rule.maximum], edges, x)
    parts = [f'<rect x="{low:.1f}" y="{top - 6}" width="{high - low:.1f}" '
             f'height="{floor - top + 6}" fill="{_BAND}"/>']
    for start, end, count, tall in zip(edges, edges[1:], counts, height, strict=False):
        at, wide = np.interp([start, end], edges, x)
        inside = start >= rule.minimum and end <= rule.maximum
        if count:
            parts.append(
                f'<rect x="{at + 0.6:.1f}" y="{floor - tall:.1f}" width="{wide - at - 1.2:.1f}" '
                f'height="{tall:.1f}" fill="{_IN_RANGE if inside else _BAR}"/>')
    parts.append(f'<path d="M{left} {floor}H{right}" stroke="{_SOFT}" stroke-width="1"/>')
    shown = [edges[0], rule.minimum, rule.maximum, edges[-1]]
    for number, value in enumerate(dict.fromkeys(shown)):
        at = float(np.interp(value, edges, x))
        more = "+" if number and value == edges[-1] and known.max() > value else ""
        parts.append(_text(at, floor + 15, legend.write_number(value, rule.measure) + more))
    parts.append(_text(left - 5, top + 4, f"{counts.max():,}", anchor="end"))
    parts.append(_text(left - 5, floor, "0", anchor="end"))
    title = both(words.Word(f"{words.name_figure(rule.measure).en} in a grid",
                            f"每个网格的{words.name_figure(rule.measure).zh}"))
    return _svg(360, 190, *parts, _text((left + right) / 2, floor + 32, title, soft=True))


def _edges(known: np.ndarray, rule: SizeRule) -> np.ndarray:
    """Return edges of equal width that meet the ends of the range; the last bin is open."""
    span = rule.maximum - rule.minimum
    step = span / max(1, round(span / max(span / 8, (known.max() - known.min()) / 40)))
    reach = min(known.max(), rule.maximum + 2.0 * span + rule.minimum)
    below = int(np.ceil(max(0.0, rule.minimum - max(known.min(), 0.0)) / step))
    above = int(np.ceil(max(0.0, reach - rule.maximum) / step))
    inside = round(span / step)
    first = max(0.0, rule.minimum - below * step)
    rest = rule.minimum + step * np.arange(1 - below, inside + above + 1)
    return np.concatenate([[first], rest[rest > first]])


def draw_bars(
    values: Sequence[float], names: Sequence[words.Word], *, figure: str = "", most: float = 0.0
) -> str:
    """Draw horizontal bars with their names and values.

    Parameters
    ----------
    values : sequence of float
        Not below 0.
    names : sequence of Word
        One for each.
    figure : str, default ""
        Decides how values are written.
    most : float, default 0.0
        Value of a full bar; 0 takes the largest value.

    Returns
    -------
    str
        SVG, 360 wide, 22 for each bar.

    Examples
    --------
    >>> draw_bars([3, 1], [words.as_word("a"), words.as_word("b")]).count("<rect")
    4
    """
    full = most or max([*values, 1e-9])
    parts = []
    for number, (value, name) in enumerate(zip(values, names, strict=True)):
        y = 22 * number
        parts.append(_text(118, y + 15, both(name), anchor="end", soft=True))
        parts.append(f'<rect x="126" y="{y + 4}" width="170" height="14" rx="2" fill="#edf0f3"/>')
        parts.append(f'<rect x="126" y="{y + 4}" width="{170 * min(1.0, value / full):.1f}" '
                     'height="14" rx="2" fill="#3f7cac"/>')
        parts.append(_text(302, y + 15, legend.write_number(float(value), figure),
                           anchor="start"))
    return _svg(360, 22 * len(values) + 4, *parts)


def _text(x: float, y: float, text: str, *, anchor: str = "middle", soft: bool = False) -> str:
    """Return text that may hold both languages: each is a line of its own, one is shown."""
    colour = _SOFT if soft else _INK
    place = f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="{colour}"'
    if "<span" not in text:
        return f"{place}>{text}</text>"
    return "".join(
        f"{place} {part.partition('>')[0]}>{part.partition('>')[2]}</text>"
        for part in text.replace("</span>", "").split("<span ")[1:]
    )


def _svg(width: int, height: int, *parts: str) -> str:
    return (f'<svg viewBox="0 0 {width} {height}" xmlns="http://www.w3.org/2000/svg" '
            f'font-size="11.5">{"".join(parts)}</svg>')

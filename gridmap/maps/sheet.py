"""One sheet of paper in two languages: the frame of reports and bills, and its parts."""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence

from . import inline, words
from .charts import both

_SWITCH: Mapping[str, tuple[str, str]] = {"en": ("english", "English"), "zh": ("chinese", "中文")}


def write_sheet(
    title: words.Name,
    subtitle: words.Word,
    parts: Sequence[str],
    *,
    footer: words.Word,
    language: str = "en",
) -> str:
    """Write a page of HTML without scripts, to be read on a screen or printed on A4.

    Parameters
    ----------
    title : text or (English, 中文)
        Heading.
    subtitle : Word
        What the sheet tells.
    parts : sequence of str
        HTML of the parts, in order: of `write_tiles`, `write_table` and others.
    footer : Word
        The last line.
    language : {"en", "zh"}, default "en"
        Language shown at first; the reader can switch without a script.

    Returns
    -------
    str

    Examples
    --------
    >>> page = write_sheet("<b>", words.Word("figures", "指标"), [], footer=words.Word("", ""))
    >>> "<h1>&lt;b&gt;</h1>" in page, "<script" in page
    (True, False)
    """
    name = words.as_word(title)
    switches = "".join(
        f'<input type="radio" class="switch" name="language" id="{key}" aria-label="{text}"'
        f'{" checked" if code == language else ""}>\n'
        for code, (key, text) in _SWITCH.items()
    )
    header = (
        '<div class="languages"><label for="english" lang="en">English</label>'
        '<label for="chinese" lang="zh-CN">中文</label></div>\n'
        f"<header><h1>{both(name)}</h1><p>{both(subtitle)}</p></header>\n"
    )
    return (
        f'<!DOCTYPE html>\n<html lang="{"zh-CN" if language == "zh" else "en"}">\n<head>\n'
        f'<meta charset="utf-8">\n{inline.policy("")}'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{html.escape(getattr(name, language))}</title>\n"
        f"<style>\n{inline.page_part('report.css')}</style>\n</head>\n<body>\n{switches}"
        f"<main>\n{header}{''.join(parts)}<footer>{both(footer)}</footer></main>\n"
        "</body>\n</html>\n"
    )


def write_tiles(tiles: Sequence[str]) -> str:
    """Put tiles side by side; empty ones are left out.

    Examples
    --------
    >>> write_tiles([write_tile(words.Word("Grids", "网格"), "", words.Word("", ""))])
    '<dl class="tiles"></dl>\\n'
    """
    return f'<dl class="tiles">{"".join(tile for tile in tiles if tile)}</dl>\n'


def write_tile(
    name: words.Word, value: str, note: words.Word, *, look: str = "", bar: str = ""
) -> str:
    """Write a figure large, with its name above and a note below; none without a value.

    Examples
    --------
    >>> "<b class=\\"\\">7</b>" in write_tile(words.Word("a", "甲"), "7", words.Word("b", "乙"))
    True
    """
    if not value:
        return ""
    small = both(note) or "&nbsp;"
    return (f'<div class="tile"><dt>{both(name)}</dt><dd><b class="{look}">{value}</b>{bar}'
            f"<small>{small}</small></dd></div>")


def write_share(name: words.Word, share: float, note: words.Word) -> str:
    """Write a tile for a share from 0 to 1, with a bar as long; none where it is unknown.

    Examples
    --------
    >>> "50.0 %" in write_share(words.Word("a", "甲"), 0.5, words.Word("b", "乙"))
    True
    >>> write_share(words.Word("a", "甲"), float("nan"), words.Word("b", "乙"))
    ''
    """
    if share != share:
        return ""
    bar = f'<div class="meter"><i style="width:{100 * share:.1f}%"></i></div>'
    return write_tile(name, f"{100 * share:.1f} %", note, bar=bar)


def write_table(
    title: words.Word,
    head: Sequence[words.Word],
    rows: Sequence[str],
    *,
    numbers: Sequence[int] = (),
    note: words.Word | None = None,
) -> str:
    """Write a table under a heading.

    Parameters
    ----------
    title : Word
    head : sequence of Word
        Names of the columns.
    rows : sequence of str
        HTML of the rows, ``<tr>`` and all.
    numbers : sequence of int, default ()
        Places of the columns that hold numbers.
    note : Word, optional
        A line below.

    Examples
    --------
    >>> write_table(words.Word("a", "a"), [words.Word("b", "b")], []).count("<th ")
    1
    """
    cells = "".join(
        f'<th scope="col"{" class=number" if place in numbers else ""}>{both(name)}</th>'
        for place, name in enumerate(head)
    )
    below = f'<p class="note">{both(note)}</p>' if note else ""
    return (f'<section class="wide"><h2>{both(title)}</h2><table><thead><tr>{cells}</tr></thead>'
            f"<tbody>{''.join(rows)}</tbody></table>{below}</section>\n")

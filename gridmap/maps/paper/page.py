"""Pages of grids as a template has them, and sheets of several pages with marks to cut."""

from __future__ import annotations

from ...errors import ProfileError
from . import ink, legend, surroundings, wrap
from .pdf import MM, Sheet
from .plan import Plan
from .template import Item


def count_sheets(plan: Plan) -> int:
    """Return how many sheets the grids of a plan need.

    Examples
    --------
    >>> from gridmap.rules import load_publication
    >>> from gridmap.sketch import sketch_grids
    >>> from gridmap.maps.paper.plan import plan_atlas
    >>> count_sheets(plan_atlas(sketch_grids("AB"), publication=load_publication("internal")))
    2
    """
    return -(-len(plan.order) // per_sheet(plan))


def per_sheet(plan: Plan) -> int:
    """Return how many grids share a sheet.

    Examples
    --------
    >>> from gridmap.rules import load_publication
    >>> from gridmap.sketch import sketch_grids
    >>> from gridmap.maps.paper.plan import plan_atlas
    >>> per_sheet(plan_atlas(sketch_grids("AB"), publication=load_publication("internal")))
    1
    """
    template = plan.template
    return 1 if template.sheet is None else template.grid[0] * template.grid[1]


def draw_sheets(plan: Plan, start: int, stop: int) -> list[Sheet]:
    """Draw the sheets from number ``start`` to before ``stop``, counted from 0.

    Examples
    --------
    >>> from gridmap.rules import load_publication
    >>> from gridmap.sketch import sketch_grids
    >>> from gridmap.maps.paper.plan import plan_atlas
    >>> plan = plan_atlas(sketch_grids("AB"), publication=load_publication("internal"))
    >>> [sheet.title for sheet in draw_sheets(plan, 1, 2)]
    ['B']
    """
    some = per_sheet(plan)
    codes = plan.order[start * some:stop * some]
    numbers = [plan.first + start + place // some for place in range(len(codes))]
    pages = [draw_page(code, plan, number) for code, number in zip(codes, numbers, strict=True)]
    return impose(pages, codes, plan)


def draw_page(code: str, plan: Plan, number: int = 1) -> str:
    """Return the operators of one grid's page, in points from its lower left corner."""
    template, told = plan.template, plan.told
    unit = MM * template.scale
    height = template.page[1] * unit
    said = {**told.common, **{name: texts[code] for name, texts in told.fields.items()},
            "page": str(number)}
    drawn = []
    for item in template.items:
        if item.needs and not said.get(item.needs, "").strip():
            continue
        x, y = item.place[0] * unit, height - item.place[1] * unit
        wide, tall = item.box[0] * unit, item.box[1] * unit
        text = item.say(plan.language).format_map(said)
        if item.kind == "text":
            drawn.append(_set_lines(item, text, (x, y), plan))
        elif item.kind == "map":
            drawn.append(surroundings.draw_map(code, plan.around, plan.face, (x, y - tall),
                                               (wide, tall)))
        elif item.kind == "qr":
            drawn.append(_draw_qr(text, (x, y), min(wide, tall), code))
        elif item.kind == "box":
            drawn.append(ink.fill_box((x, y - tall), (wide, tall), item.colour))
        elif item.kind == "legend":
            drawn.append(legend.draw_legend(
                plan.around, plan.face, (x, y), size=item.size * template.scale,
                width=item.width * unit, language=plan.language, rows=item.lines))
        else:
            drawn.append(_list_figures(code, item, (x, y), plan))
    return "".join(drawn)


def _draw_qr(text: str, place: tuple[float, float], side: float, code: str) -> str:
    from segno import DataOverflowError

    try:
        return ink.draw_qr(text, place, side)
    except DataOverflowError as error:
        raise ProfileError(
            f"the QR code of {code} cannot hold {len(text):,} characters: write a shorter text"
        ) from error


def _set_lines(item: Item, text: str, place: tuple[float, float], plan: Plan) -> str:
    if not text:
        return ""
    scale = plan.template.scale
    size, width = item.size * scale, item.width * MM * scale
    lines = wrap.wrap_text(plan.face, text, size, width, item.lines)
    return "".join(
        ink.set_text(plan.face, line, (place[0], place[1] - (0.88 + 1.45 * number) * size),
                     size=size, colour=item.colour, align=item.align, bold=item.bold, width=width)
        for number, line in enumerate(lines) if line)


def _list_figures(code: str, item: Item, place: tuple[float, float], plan: Plan) -> str:
    told, scale = plan.told, plan.template.scale
    size, wide = item.size * scale, item.width * MM * scale
    x, y = place[0], place[1] - size
    chosen = [name for name in item.columns or told.figures if name in told.figures]
    lines = []
    for name in chosen[:item.rows]:
        lines.append(ink.set_text(plan.face, told.figures[name], (x, y), size=size,
                                  colour="#55606e", width=0.6 * wide))
        lines.append(ink.set_text(plan.face, told.fields[name][code], (x + wide, y), size=size,
                                  align="right", width=0.38 * wide))
        lines.append(f".88 .9 .92 RG .4 w {x:.1f} {y - 0.42 * size:.1f} m "
                     f"{x + wide:.1f} {y - 0.42 * size:.1f} l S\n")
        y -= 1.62 * size
    return "".join(lines)


def impose(pages: list[str], codes: list[str], plan: Plan) -> list[Sheet]:
    """Put pages on sheets, from the upper left, with marks to cut along if several share one."""
    template = plan.template
    unit = MM * template.scale
    wide, tall = template.page[0] * unit, template.page[1] * unit
    if template.sheet is None:
        return [Sheet(wide, tall, page, code) for page, code in zip(pages, codes, strict=True)]
    sheet = (template.sheet[0] * unit, template.sheet[1] * unit)
    columns, rows = template.grid
    step = (wide + template.gap[0] * unit, tall + template.gap[1] * unit)
    left = (sheet[0] - columns * step[0] + template.gap[0] * unit) / 2
    top = (sheet[1] + rows * step[1] - template.gap[1] * unit) / 2
    xs = [at for n in range(columns) for at in (left + n * step[0], left + n * step[0] + wide)]
    ys = [at for n in range(rows) for at in (top - n * step[1], top - n * step[1] - tall)]
    marks = _cut_marks(xs, ys, unit)
    sheets = []
    for start in range(0, len(pages), columns * rows):
        drawn = [marks]
        for place, page in enumerate(pages[start:start + columns * rows]):
            x = left + (place % columns) * step[0]
            y = top - tall - (place // columns) * step[1]
            drawn.append(f"q 1 0 0 1 {x:.2f} {y:.2f} cm\n{page}.8 G .25 w 0 0 {wide:.2f} "
                         f"{tall:.2f} re S Q\n")
        sheets.append(Sheet(*sheet, "".join(drawn), codes[start]))
    return sheets


def _cut_marks(xs: list[float], ys: list[float], unit: float) -> str:
    """Draw short lines around all pages, in line with every edge that is cut."""
    near, far = 1.5 * unit, 5.5 * unit
    lines = [f"{x:.2f} {y + sign * near:.2f} m {x:.2f} {y + sign * far:.2f} l\n"
             for x in xs for y, sign in ((max(ys), 1), (min(ys), -1))]
    lines += [f"{x + sign * near:.2f} {y:.2f} m {x + sign * far:.2f} {y:.2f} l\n"
              for y in ys for x, sign in ((max(xs), 1), (min(xs), -1))]
    return f"0 G .4 w\n{''.join(lines)}S\n"

"""The page of a grid as other libraries draw it: the same map, figures and QR code."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import segno
import shapely
from pandas import DataFrame

from gridmap.maps.paper import fonts
from gridmap.pipeline.printing import Prints

A4 = (595.28, 841.89)
X, Y, SIDE = 40.0, 240.0, 515.0  # the map: lower left corner, side, in points
COLOURS = ("#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9")
LABELS = "网格编码社区户数人口面积平方公里联系 "


class City(NamedTuple):
    """Layers that can be asked for by place."""

    codes: list[str]
    rows: list[list[tuple[str, str]]]
    boxes: np.ndarray
    layers: dict[str, tuple[np.ndarray, shapely.STRtree]]
    kinds: np.ndarray
    font: Path


class Page(NamedTuple):
    """What is on one page, in points from the lower left corner."""

    code: str
    rows: list[tuple[str, str]]
    own: np.ndarray
    paths: dict[str, list[np.ndarray]]
    dots: np.ndarray
    colours: np.ndarray
    labels: list[tuple[float, float, str]]
    modules: list[tuple[int, int]]


def ready(prints: Prints, contacts: DataFrame) -> City:
    """Make indices of all layers, and the text of every grid."""
    grids = prints.grids
    frames = {"grids": grids, "streets": prints.barriers, "buildings": prints.buildings,
              "assets": prints.assets}
    layers = {name: (frame.geometry.to_numpy(), shapely.STRtree(frame.geometry.to_numpy()))
              for name, frame in frames.items()}
    names = prints.territories["name"]
    rows = [[("网格编码", code), ("社区", names[row.territory]),
             ("户数", f"{row.households:,.0f}"), ("人口", f"{row.people:,.0f}"),
             ("面积", f"{row.area_m2 / 1e6:.3f} 平方公里"),
             ("联系", contacts["contact"][row.territory])]
            for code, row in zip(grids.index, grids.itertuples(), strict=True)]
    kinds = np.unique(prints.assets["kind"], return_inverse=True)[1]
    letters = "".join(sorted({letter for row in rows for pair in row for letter in pair[1]}
                             | set(LABELS)))
    return City(list(grids.index), rows, shapely.bounds(grids.geometry.to_numpy()), layers,
                kinds, _truetype(letters))


def look(city: City, number: int) -> Page:
    """Return the page of a grid, clipped to its map."""
    west, south, east, north = city.boxes[number]
    points = 0.74 * min(SIDE / (east - west), SIDE / (north - south))
    middle = np.array([(west + east) / 2, (south + north) / 2])
    half = SIDE / 2 / points
    frame = shapely.box(*(middle - half), *(middle + half))

    def put(shapes: np.ndarray) -> np.ndarray:
        return shapely.transform(shapes, lambda xy: (xy - middle) * points + SIDE / 2 + [X, Y])

    paths, near = {}, {}
    for name, (shapes, tree) in city.layers.items():
        near[name] = np.sort(tree.query(frame))
        if name != "assets":
            cut = put(shapely.clip_by_rect(shapes[near[name]], *frame.bounds))
            parts = shapely.get_parts(cut[~shapely.is_empty(cut)])
            flat = shapely.get_dimensions(parts)
            runs = np.concatenate([shapely.get_rings(parts[flat == 2]), parts[flat == 1]])
            paths[name] = [np.round(shapely.get_coordinates(run), 1) for run in runs]
    grids = city.layers["grids"][0]
    anchors = shapely.get_coordinates(shapely.point_on_surface(put(grids[near["grids"]])))
    labels = [(float(x), float(y), city.codes[at][-3:]) for (x, y), at in
              zip(anchors, near["grids"], strict=True)
              if X < x < X + SIDE - 20 and Y < y < Y + SIDE - 10]
    code = city.codes[number]
    modules = [(x, y) for y, row in enumerate(segno.make(code, error="m", micro=False).matrix)
               for x, dark in enumerate(row) if dark]
    return Page(code, city.rows[number],
                np.round(shapely.get_coordinates(put(grids[[number]])), 1), paths,
                shapely.get_coordinates(put(city.layers["assets"][0][near["assets"]])),
                city.kinds[near["assets"]], labels, modules)


def draw_reportlab(city: City, chosen: Iterable[int], file: Path) -> None:
    """Set text on the canvas of reportlab; the map goes in as operators."""
    from reportlab.pdfbase import pdfmetrics
    from reportlab.pdfbase.ttfonts import TTFont
    from reportlab.pdfgen.canvas import Canvas

    pdfmetrics.registerFont(TTFont("cjk", str(city.font)))
    canvas = Canvas(str(file), pagesize=A4, pageCompression=1)
    for number in chosen:
        page = look(city, number)
        canvas._code.append(_operators(page))
        canvas.setFont("cjk", 22)
        canvas.drawString(X, 790, page.code)
        canvas.setFont("cjk", 11)
        for line, (name, text) in enumerate(page.rows):
            canvas.drawString(X, 205 - 22 * line, name)
            canvas.drawString(X + 90, 205 - 22 * line, text)
        canvas.setFont("cjk", 7)
        for x, y, text in page.labels:
            canvas.drawCentredString(x, y, text)
        canvas.bookmarkPage(page.code)
        canvas.addOutlineEntry(page.code, page.code)
        canvas.showPage()
    canvas.save()


def _truetype(letters: str) -> Path:
    """Return a font that reportlab can embed: it knows no outlines of the kind CFF."""
    from matplotlib import font_manager

    for font in font_manager.fontManager.ttflist:
        if font.name in ("Droid Sans Fallback", "WenQuanYi Zen Hei", "AR PL UMing CN"):
            return Path(font.fname)
    return _convert(fonts.find_font(), letters)


def _convert(source: Path, letters: str) -> Path:
    from fontTools import subset
    from fontTools.fontBuilder import FontBuilder
    from fontTools.pens.cu2quPen import Cu2QuPen
    from fontTools.pens.ttGlyphPen import TTGlyphPen

    font = fonts._open_face(source)
    cutter = subset.Subsetter(subset.Options())
    cutter.populate(text=letters + "".join(map(chr, range(32, 127))))
    cutter.subset(font)
    order, glyphs = font.getGlyphOrder(), font.getGlyphSet()
    drawn = {}
    for name in order:
        pen = TTGlyphPen(None)
        glyphs[name].draw(Cu2QuPen(pen, 1.0, reverse_direction=True))
        drawn[name] = pen.glyph()
    made = FontBuilder(font["head"].unitsPerEm, isTTF=True)
    made.setupGlyphOrder(order)
    made.setupCharacterMap(font.getBestCmap())
    made.setupGlyf(drawn)
    made.setupHorizontalMetrics({name: (font["hmtx"][name][0], 0) for name in order})
    made.setupHorizontalHeader(ascent=880, descent=-120)
    made.setupNameTable({"familyName": "Cut", "styleName": "Regular", "psName": "Cut"})
    made.setupOS2()
    made.setupPost()
    file = Path(tempfile.mkdtemp()) / "cut.ttf"
    made.save(file)
    return file


def _operators(page: Page) -> str:
    def trace(runs: list[np.ndarray]) -> str:
        return "".join(("%.1f %.1f m\n" + "%.1f %.1f l\n" * (len(run) - 1)) %
                       tuple(run.ravel().tolist()) for run in runs)

    said = [f"q {X} {Y} {SIDE} {SIDE} re W n .5 w .55 G .96 .95 .92 rg\n",
            trace(page.paths["grids"]), "b\n4 w .6 G\n", trace(page.paths["streets"]),
            "S\n3.2 w 1 G\n", trace(page.paths["streets"]), "S\n.25 w .4 G .72 .66 .55 rg\n",
            trace(page.paths["buildings"]), "b\n1 J 4 w\n"]
    for kind, colour in enumerate(COLOURS):
        places = page.dots[page.colours == kind]
        ink = " ".join(f"{int(colour[at:at + 2], 16) / 255:.3f}" for at in (1, 3, 5))
        said.append(f"{ink} RG\n" + ("%.1f %.1f m %.1f %.1f l\n" * len(places)) %
                    tuple(np.hstack([places, places]).ravel().tolist()) + "S\n")
    said += ["0 J .76 .07 .25 RG 2.2 w\n", trace([page.own]),
             f"s\nQ\n0 G .8 w {X} {Y} {SIDE} {SIDE} re S\n0 g\n"]
    said += [f"{470 + 3 * x} {200 - 3 * y} 3 3 re\n" for x, y in page.modules]
    return "".join([*said, "f\n"])


def draw_typst(city: City, chosen: Iterable[int], file: Path) -> None:
    """Let typst set the text, with the maps as SVG."""
    import typst

    folder = Path(tempfile.mkdtemp())
    told = ['#set page(paper: "a4", margin: 40pt)\n'
            '#set text(font: "Noto Sans CJK SC", size: 11pt)\n']
    for place, number in enumerate(chosen):
        page = look(city, number)
        (folder / f"{place}.svg").write_text(_svg(page), encoding="utf-8")
        squares = "".join(f"M{x} {y}h1v1h-1z" for x, y in page.modules)
        (folder / f"q{place}.svg").write_text(
            '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 30 30">'
            f'<path d="{squares}"/></svg>', encoding="utf-8")
        cells = ",".join(f"[{name}],[{text}]" for name, text in page.rows)
        told.append(f'#text(size: 22pt)[{page.code}]\n\n#image("{place}.svg", width: 515pt)\n'
                    f'#grid(columns: (1fr, 90pt), table(columns: 2, stroke: none, {cells}), '
                    f'image("q{place}.svg"))\n#pagebreak(weak: true)\n')
    (folder / "atlas.typ").write_text("".join(told), encoding="utf-8")
    file.write_bytes(typst.compile(str(folder / "atlas.typ"),
                                   font_paths=[str(fonts.find_font().parent)]))


def _svg(page: Page) -> str:
    def trace(runs: list[np.ndarray]) -> str:
        return "".join("M" + "L".join(f"{x - X:.1f} {Y + SIDE - y:.1f}" for x, y in run.tolist())
                       for run in runs)

    looks = [("grids", 'fill="#f6f3ec" stroke="#888" stroke-width=".5"'),
             ("streets", 'fill="none" stroke="#999" stroke-width="4"'),
             ("streets", 'fill="none" stroke="#fff" stroke-width="3.2"'),
             ("buildings", 'fill="#b9ab97" stroke="#666" stroke-width=".25"')]
    said = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {SIDE} {SIDE}">']
    said += [f'<path d="{trace(page.paths[name])}" {how}/>' for name, how in looks]
    for kind, colour in enumerate(COLOURS):
        dots = "".join(f"M{x - X:.1f} {Y + SIDE - y:.1f}h.01"
                       for x, y in page.dots[page.colours == kind].tolist())
        said.append(f'<path d="{dots}" stroke="{colour}" stroke-width="4" '
                    'stroke-linecap="round"/>')
    said.append(f'<path d="{trace([page.own])}Z" fill="none" stroke="#c2123f" '
                'stroke-width="2.2"/>')
    said += [f'<text x="{x - X:.1f}" y="{Y + SIDE - y:.1f}" font-size="7" '
             f'font-family="Noto Sans CJK SC">{text}</text>' for x, y, text in page.labels]
    return "".join([*said, "</svg>"])


def draw_matplotlib(city: City, chosen: Iterable[int], file: Path) -> None:
    """Draw every page as a figure of matplotlib."""
    import matplotlib as mpl

    mpl.use("pdf")
    import matplotlib.pyplot as plt
    from matplotlib.backends.backend_pdf import PdfPages

    mpl.font_manager.fontManager.addfont(city.font)
    mpl.rcParams["font.family"] = mpl.font_manager.FontProperties(fname=city.font).get_name()
    mpl.rcParams["pdf.fonttype"] = 42
    with PdfPages(file) as pages:
        for number in chosen:
            figure = _figure(plt, look(city, number))
            pages.savefig(figure)
            plt.close(figure)


def _figure(plt: Any, page: Page) -> Any:
    from matplotlib.collections import LineCollection, PolyCollection

    figure = plt.figure(figsize=(8.27, 11.69))
    axes = figure.add_axes((X / A4[0], Y / A4[1], SIDE / A4[0], SIDE / A4[1]))
    axes.set(xlim=(X, X + SIDE), ylim=(Y, Y + SIDE), xticks=[], yticks=[])
    axes.add_collection(PolyCollection(page.paths["grids"], facecolors="#f6f3ec",
                                       edgecolors="#888", linewidths=0.5))
    for colour, width in (("#999", 4), ("#fff", 3.2)):
        axes.add_collection(LineCollection(page.paths["streets"], colors=colour,
                                           linewidths=width))
    axes.add_collection(PolyCollection(page.paths["buildings"], facecolors="#b9ab97",
                                       edgecolors="#666", linewidths=0.25))
    axes.scatter(*page.dots.T, s=16, c=np.array(COLOURS)[page.colours], lw=0)
    axes.plot(*page.own.T, color="#c2123f", lw=2.2)
    for x, y, text in page.labels:
        axes.text(x, y, text, size=7, ha="center", clip_on=True)
    figure.text(0.07, 0.94, page.code, size=22)
    for line, (name, text) in enumerate(page.rows):
        figure.text(0.07, 0.24 - 0.026 * line, f"{name}   {text}", size=11)
    code = figure.add_axes((0.79, 0.14, 0.15, 0.11))
    squares = np.zeros((30, 30))
    for x, y in page.modules:
        squares[y, x] = 1
    code.imshow(squares, cmap="Greys")
    code.axis("off")
    return figure

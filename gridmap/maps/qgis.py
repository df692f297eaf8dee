"""The page's classes, colours and labels as a QGIS style."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple
from xml.etree import ElementTree

from geopandas import GeoDataFrame
from pandas import DataFrame, Series

from . import absent, figures, legend, style, words


def draw_qgis_style(
    grids: GeoDataFrame,
    figure: str = "households",
    *,
    by_grid: DataFrame | None = None,
    rule: style.ClassRule | None = None,
    labels: Mapping[str, words.Name] | None = None,
    language: str = "en",
    suppressed: DataFrame | None = None,
) -> str:
    """Write a QGIS style (QML) in which a layer of grids looks as on the page.

    Parameters
    ----------
    grids : GeoDataFrame, index ``grid``
        The layer, with the figure as one of its columns or in ``by_grid``.
    figure : str, default "households"
        What the colours show.
    by_grid : DataFrame, index ``grid``, optional
        The figures of the same grids.
    rule : ClassRule, optional
        How numbers are cut into classes, as on the page.
    labels : mapping, optional
        Names of figures: column to text, or to (English, 中文).
    language : {"en", "zh"}, default "en"
        Language of the legend.
    suppressed : DataFrame, optional
        As `suppress_counts` tells it: the legend says "withheld" or "not applicable" there,
        as the page does, and not "unknown".

    Returns
    -------
    str
        QML: one rule for each class, and one each for values that are withheld, not
        applicable, or unknown (striped), if there are any.
        Grids bear their codes from scale 1:50,000 on. For ``styleQML`` of the GeoPackage's
        ``layer_styles``.

    Raises
    ------
    SchemaError
        If the figure is no column, or ``by_grid`` has other rows than the layer.

    Examples
    --------
    >>> from gridmap.sketch import sketch_grids
    >>> qml = draw_qgis_style(sketch_grids("AAB"))
    >>> qml.count("<rule "), '&quot;households&quot; &gt; 1' in qml
    (2, True)
    """
    table = figures.match_figures(grids, by_grid)
    legend.check_column(table, figure)
    values = figures.shown_values(table[figure])
    classes = style.measure_classes(values, rule=rule)
    rows = _number_rows(classes, figure) + _absent_rows(table[figure], suppressed)
    root = ElementTree.Element("qgis", version="3.22.0", styleCategories="Symbology|Labeling")
    renderer = ElementTree.SubElement(root, "renderer-v2", type="RuleRenderer",
                                      symbollevels="0", enableorderby="0", forceraster="0")
    title = words.name_figure(figure, labels)
    rules = ElementTree.SubElement(renderer, "rules", key="grids")
    symbols = ElementTree.SubElement(renderer, "symbols")
    for number, row in enumerate(rows):
        text = f"{getattr(title, language)}: {getattr(row.name, language)}"
        ElementTree.SubElement(rules, "rule", key=f"class {number}", symbol=str(number),
                               filter=row.condition, label=text)
        symbols.append(_symbol(number, row))
    root.append(_labeling(str(grids.index.name), short="territory" in table))
    ElementTree.indent(root, " ")
    return ("<!DOCTYPE qgis PUBLIC 'http://mrcc.com/qgis.dtd' 'SYSTEM'>\n"
            + ElementTree.tostring(root, encoding="unicode") + "\n")


class _Row(NamedTuple):
    """A row of the legend: which grids, how they are called, and how they look."""

    condition: str  # QGIS expression
    name: words.Word
    colour: str
    striped: bool = False


def _number_rows(classes: DataFrame, figure: str) -> list[_Row]:
    """Return the rows of what is known; bounds are those of `measure_classes`."""
    field = _field(figure)
    names = legend.name_classes(classes, figure)
    bounds = classes[["lower", "upper"]].to_numpy("float64").tolist()
    last = int(classes["upper"].notna().sum()) - 1
    known = classes.loc[classes["value"].notna() & (classes["value"] != style.OTHER), "value"]
    rows = []
    for number, (value, colour) in enumerate(zip(classes["value"], classes["colour"],
                                                 strict=True)):
        lower, upper = bounds[number]
        if number <= last:
            above = "" if number == 0 else f"{field} > {lower:.12g}"
            below = "" if number == last else f"{field} <= {upper:.12g}"
            condition = " AND ".join(filter(None, [above, below])) or f"{field} IS NOT NULL"
        elif not isinstance(value, str):
            continue  # missing values have rows of their own
        elif value == style.OTHER:
            condition = f"{field} NOT IN ({', '.join(map(_quoted, known))})"
        else:
            condition = f"{field} = {_quoted(value)}"
        rows.append(_Row(condition, names[number], colour))
    return rows


def _absent_rows(values: Series, suppressed: DataFrame | None) -> list[_Row]:
    """Return the rows of what is missing; the last takes what the others leave."""
    field, code = _field(str(values.name)), _field(str(values.index.name))
    parts = absent.split_absent(values, suppressed)
    rows, others = [], ""
    for part in parts[:-1]:
        listed = f"{code} IN ({', '.join(map(_quoted, part.codes))})"
        rows.append(_Row(f"{field} IS NULL AND {listed}", part.name, part.colour, part.striped))
        others += f" AND NOT {listed}"
    rows += [_Row(f"{field} IS NULL{others}", part.name, part.colour, part.striped)
             for part in parts[-1:]]
    return rows


def _field(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _quoted(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"


def _symbol(number: int, row: _Row) -> ElementTree.Element:
    symbol = ElementTree.Element("symbol", type="fill", name=str(number), alpha="0.82",
                                 clip_to_extent="1", force_rhr="0")
    fill = {"color": _rgba(row.colour), "style": "solid", "outline_color": "255,255,255,190",
            "outline_style": "solid", "outline_width": "0.2", "outline_width_unit": "MM"}
    symbol.append(_fill(fill))
    if row.striped:
        stripes = {"color": _rgba("#6e747e"), "style": "b_diagonal", "outline_style": "no"}
        symbol.append(_fill(stripes))
    return symbol


def _fill(values: Mapping[str, str]) -> ElementTree.Element:
    layer = ElementTree.Element("layer", {"class": "SimpleFill"}, enabled="1", locked="0")
    layer.set("pass", "0")
    layer.append(_options(values))
    return layer


def _options(values: Mapping[str, str]) -> ElementTree.Element:
    options = ElementTree.Element("Option", type="Map")
    for name, value in values.items():
        ElementTree.SubElement(options, "Option", type="QString", name=name, value=value)
    return options


def _rgba(colour: str) -> str:
    red, green, blue = (int(colour[at:at + 2], 16) for at in (1, 3, 5))
    return f"{red},{green},{blue},255"


def _labeling(code: str, *, short: bool) -> ElementTree.Element:
    """Return labels: what the page writes on a grid, where it fits, with a white halo."""
    field = f'"{code}"'
    if short:
        rest = f"regexp_replace(replace({field}, \"territory\", ''), '^[-_ ]+', '')"
        field = f"coalesce(nullif({rest}, ''), {field})"
    labeling = ElementTree.Element("labeling", type="simple")
    settings = ElementTree.SubElement(labeling, "settings", calloutType="simple")
    text = ElementTree.SubElement(
        settings, "text-style", fieldName=field, isExpression="1", fontSize="7.5",
        fontSizeUnit="Point", textColor="32,38,46,255", fontFamily="Noto Sans CJK SC",
        namedStyle="Regular")
    ElementTree.SubElement(text, "text-buffer", bufferDraw="1", bufferSize="0.8",
                           bufferSizeUnits="MM", bufferColor="255,255,255,235")
    ElementTree.SubElement(settings, "placement", placement="1", centroidInside="1",
                           fitInPolygonOnly="1")
    ElementTree.SubElement(settings, "rendering", scaleVisibility="1", scaleMin="1",
                           scaleMax="50000", drawLabels="1")
    return labeling

"""The page's classes, colours and labels as a QGIS style."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from xml.etree import ElementTree

from geopandas import GeoDataFrame
from pandas import DataFrame

from . import figures, legend, style, words


def draw_qgis_style(
    grids: GeoDataFrame,
    figure: str = "households",
    *,
    by_grid: DataFrame | None = None,
    rule: style.ClassRule | None = None,
    labels: Mapping[str, words.Name] | None = None,
    language: str = "en",
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

    Returns
    -------
    str
        QML: one rule for each class and one, striped, for unknown values if there are any.
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
    names = legend.name_classes(classes, figure)
    root = ElementTree.Element("qgis", version="3.22.0", styleCategories="Symbology|Labeling")
    renderer = ElementTree.SubElement(root, "renderer-v2", type="RuleRenderer",
                                      symbollevels="0", enableorderby="0", forceraster="0")
    title = words.name_figure(figure, labels)
    rules = ElementTree.SubElement(renderer, "rules", key="grids")
    symbols = ElementTree.SubElement(renderer, "symbols")
    conditions = _conditions(classes, figure)
    for number, (condition, name) in enumerate(zip(conditions, names, strict=True)):
        text = f"{getattr(title, language)}: {getattr(name, language)}"
        ElementTree.SubElement(rules, "rule", key=f"class {number}", symbol=str(number),
                               filter=condition, label=text)
        symbols.append(_symbol(number, classes["colour"].iloc[number], condition))
    root.append(_labeling(str(grids.index.name), short="territory" in table))
    ElementTree.indent(root, " ")
    return ("<!DOCTYPE qgis PUBLIC 'http://mrcc.com/qgis.dtd' 'SYSTEM'>\n"
            + ElementTree.tostring(root, encoding="unicode") + "\n")


def _conditions(classes: DataFrame, figure: str) -> Iterator[str]:
    """Yield one QGIS expression for each class; bounds are those of `measure_classes`."""
    field = '"' + figure.replace('"', '""') + '"'
    bounds = classes[["lower", "upper"]].to_numpy("float64").tolist()
    last = int(classes["upper"].notna().sum()) - 1
    known = classes.loc[classes["value"].notna() & (classes["value"] != style.OTHER), "value"]
    for number, value in enumerate(classes["value"]):
        lower, upper = bounds[number]
        if number <= last:
            above = "" if number == 0 else f"{field} > {lower:.12g}"
            below = "" if number == last else f"{field} <= {upper:.12g}"
            yield " AND ".join(filter(None, [above, below])) or f"{field} IS NOT NULL"
        elif not isinstance(value, str):
            yield f"{field} IS NULL"
        elif value == style.OTHER:
            yield f"{field} NOT IN ({', '.join(map(_quoted, known))})"
        else:
            yield f"{field} = {_quoted(value)}"


def _quoted(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"


def _symbol(number: int, colour: str, condition: str) -> ElementTree.Element:
    symbol = ElementTree.Element("symbol", type="fill", name=str(number), alpha="0.82",
                                 clip_to_extent="1", force_rhr="0")
    fill = {"color": _rgba(colour), "style": "solid", "outline_color": "255,255,255,190",
            "outline_style": "solid", "outline_width": "0.2", "outline_width_unit": "MM"}
    if condition.endswith("IS NULL"):
        fill["style"] = "b_diagonal"
        fill["outline_color"] = fill["color"] = _rgba("#6e747e")
    layer = ElementTree.SubElement(symbol, "layer", {"class": "SimpleFill"}, enabled="1",
                                   locked="0")
    layer.set("pass", "0")
    layer.append(_options(fill))
    return symbol


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

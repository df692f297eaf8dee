"""The words of a legend: what each class is called, the same in every output."""

from __future__ import annotations

from pandas import DataFrame

from ..errors import SchemaError, listed
from . import words


def name_classes(classes: DataFrame, figure: str) -> list[words.Word]:
    """Return what each class is called: "301 – 400", "in range", "unknown".

    Parameters
    ----------
    classes : DataFrame
        As `measure_classes` returned it.
    figure : str
        Decides how numbers are written.

    Returns
    -------
    list of Word

    Examples
    --------
    >>> from pandas import Series
    >>> from gridmap.maps import style
    >>> classes = style.measure_classes(Series([1, 2, 3, None]), rule=style.ClassRule(count=2))
    >>> [name.en for name in name_classes(classes, "households")]
    ['1 – 2', '3', 'unknown']
    """
    bounds = classes[["lower", "upper"]].to_numpy("float64")
    whole = words.kind_of(figure) == "count" and not (bounds[bounds == bounds] % 1).any()
    names = []
    for number, value in enumerate(classes["value"]):
        lower, upper = bounds[number].tolist()
        if isinstance(value, str):
            names.append(words.name_value(value))
        elif upper != upper:
            names.append(words.PAGE["unknown"])
        else:
            first = write_number(lower + 1 if whole and number else lower, figure)
            last = write_number(upper, figure)
            names.append(words.as_word(first if first == last else f"{first} – {last}"))
    return names


def write_number(value: float, figure: str) -> str:
    """Write a value of a figure as a person does, with its unit.

    Examples
    --------
    >>> write_number(1234, "people"), write_number(2.5e6, "area_m2"), write_number(.5, "x_share")
    ('1,234', '2.5 km²', '50 %')
    """
    kind = words.kind_of(figure)
    if value != value:
        return "–"
    if kind == "share":
        return f"{_trimmed(100 * value, 1)} %"
    if kind == "area":
        if abs(value) >= 1e6:
            return f"{_significant(value / 1e6)} km²"
        return f"{_significant(value / 1e4)} ha" if abs(value) >= 1e4 else (
            f"{_significant(value)} m²")
    return f"{value:,.0f}" if kind == "count" and value % 1 == 0 else _significant(value)


def _significant(value: float) -> str:
    size = abs(value)
    return _trimmed(value, 0 if size >= 100 else 1 if size >= 10 else 2 if size >= 1 else 3)


def _trimmed(value: float, digits: int) -> str:
    text = f"{value:,.{digits}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def check_column(table: DataFrame, figure: str) -> None:
    """Raise unless a table has a figure.

    Examples
    --------
    >>> check_column(DataFrame({"people": [1]}), "visits")
    Traceback (most recent call last):
    gridmap.errors.SchemaError: there is no figure 'visits'. There are people.
    """
    if figure not in table:
        raise SchemaError(f"there is no figure {figure!r}. There are "
                          f"{listed(table.columns, show=30)}.")

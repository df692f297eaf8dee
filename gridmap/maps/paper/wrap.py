"""Text in lines: where a line may end, and whether there is room for all of it."""

from __future__ import annotations

from .fonts import Font

#: Text that is too wide is set smaller, down to this share of its size.
SMALLEST = 0.6


def wrap_text(font: Font, text: str, size: float, width: float, most: int) -> list[str]:
    """Break a text into lines: at line ends, between Chinese characters, at spaces.

    The last line takes what is left, to be set smaller.

    Examples
    --------
    >>> from gridmap.maps.paper.fonts import build_font
    >>> wrap_text(build_font(["有事请找"]), "有事请找", 10, 25, 2)
    ['有事', '请找']
    """
    if most < 2 or not width:
        return [" ".join(text.split("\n"))]
    lines: list[str] = []
    for paragraph in text.split("\n"):
        line = ""
        for word in _words(paragraph):
            if line and font.width(line + word.rstrip(), size) > width:
                lines.append(line.rstrip())
                line = ""
            line += word
        lines.append(line)
    return [*lines[:most - 1], "".join(lines[most - 1:])] if len(lines) > most else lines


def _words(text: str) -> list[str]:
    """Divide a text where a line may end: no line begins with a closing mark."""
    found: list[str] = []
    for letter in text:
        joins = found and (
            letter in " ，。；：、）”！？,.;:)!?" or
            (ord(letter) < 0x2E80 and not found[-1].endswith(" ") and ord(found[-1][-1]) < 0x2E80))
        if joins:
            found[-1] += letter
        else:
            found.append(letter)
    return found


def has_room(font: Font, text: str, size: float, width: float, most: int) -> bool:
    """Say whether a text can be set whole, smaller if need be; a width of 0 is any.

    Examples
    --------
    >>> from gridmap.maps.paper.fonts import build_font
    >>> font = build_font(["有事请找"])
    >>> has_room(font, "有事请找", 10, 25, 2), has_room(font, "有事请找", 10, 20, 1)
    (True, False)
    """
    return not width or all(font.width(line, SMALLEST * size) <= width + 0.01
                            for line in wrap_text(font, text, size, width, most))

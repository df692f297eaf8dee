"""Thrift's compact protocol, field by field: enough to move the parts of a Parquet footer.

No library at hand copies row groups of Parquet from file to file. What is read here is written
back to the very same bytes; a caller proves that before it relies on it.
"""

from __future__ import annotations

from typing import Any, NamedTuple

_TRUE, _FALSE, _BYTE, _I16, _I32, _I64, _DOUBLE, _BINARY, _LIST, _SET, _MAP, _STRUCT = range(1, 13)
_WHOLE = (_I16, _I32, _I64)


class Malformed(Exception):  # noqa: N818  inside only, and caught by what reads footers
    """Bytes that this protocol does not have."""


class Field(NamedTuple):
    """One field of a struct; structs are lists of fields, in the order they came."""

    number: int
    kind: int
    value: Any


class Items(NamedTuple):
    """A list or a set."""

    kind: int
    values: list[Any]


Struct = list[Field]


def read_struct(held: bytes) -> Struct:
    """Read a struct that fills some bytes.

    Raises
    ------
    Malformed
        If it does not.

    Examples
    --------
    >>> read_struct(bytes([0x15, 0x54, 0x00]))
    [Field(number=1, kind=5, value=42)]
    """
    reader = _Reader(held)
    try:
        struct: Struct = reader.read(_STRUCT)
    except (IndexError, RecursionError) as error:
        raise Malformed("the bytes end too early") from error
    if reader.at != len(held):
        raise Malformed("bytes are left over")
    return struct


def write_struct(struct: Struct) -> bytes:
    """Return a struct as bytes.

    Examples
    --------
    >>> write_struct([Field(1, 5, 42)]).hex()
    '155400'
    """
    out = bytearray()
    _write(out, _STRUCT, struct)
    return bytes(out)


class _Reader:
    """Reads values one after another."""

    def __init__(self, held: bytes) -> None:
        self._held, self.at = held, 0

    def read(self, kind: int) -> Any:
        """Read a value of a kind."""
        if kind in _WHOLE:
            number = self._varint()
            return (number >> 1) ^ -(number & 1)
        if kind == _BINARY:
            return self._bytes(self._varint())
        if kind == _STRUCT:
            return self._struct()
        if kind in (_LIST, _SET):
            return self._items()
        if kind in (_BYTE, _TRUE, _FALSE):  # flags stand in lists only as bytes
            return self._bytes(1)
        if kind == _DOUBLE:
            return self._bytes(8)
        raise Malformed(f"values of kind {kind} are not known")

    def _varint(self) -> int:
        number = shift = 0
        while True:
            byte = self._held[self.at]
            self.at += 1
            number |= (byte & 0x7F) << shift
            if byte < 0x80:
                return number
            shift += 7

    def _bytes(self, size: int) -> bytes:
        end = self.at + size
        if end > len(self._held):
            raise Malformed("the bytes end too early")
        some, self.at = self._held[self.at:end], end
        return some

    def _items(self) -> Items:
        head = self._bytes(1)[0]
        size, kind = head >> 4, head & 0x0F
        size = self._varint() if size == 15 else size
        return Items(kind, [self.read(kind) for _ in range(size)])

    def _struct(self) -> Struct:
        struct: Struct = []
        number = 0
        while head := self._bytes(1)[0]:
            step, kind = head >> 4, head & 0x0F
            number = number + step if step else self.read(_I16)
            value = None if kind in (_TRUE, _FALSE) else self.read(kind)
            struct.append(Field(number, kind, value))
        return struct


def _write(out: bytearray, kind: int, value: Any) -> None:
    if kind in _WHOLE:
        _write_varint(out, value << 1 if value >= 0 else ((-value) << 1) - 1)
    elif kind == _BINARY:
        _write_varint(out, len(value))
        out += value
    elif kind == _STRUCT:
        _write_fields(out, value)
    elif kind in (_LIST, _SET):
        size = len(value.values)
        out.append(min(size, 15) << 4 | value.kind)
        if size >= 15:
            _write_varint(out, size)
        for item in value.values:
            _write(out, value.kind, item)
    else:
        out += value


def _write_fields(out: bytearray, struct: Struct) -> None:
    before = 0
    for number, kind, value in struct:
        step = number - before
        if 0 < step <= 15:
            out.append(step << 4 | kind)
        else:
            out.append(kind)
            _write(out, _I16, number)
        if value is not None:
            _write(out, kind, value)
        before = number
    out.append(0)


def _write_varint(out: bytearray, number: int) -> None:
    while number >= 0x80:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)

"""Rows as a table of text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

Row = Sequence[str | None]


@dataclass(frozen=True)
class Column:
    """A column's name, and whether its values are numbers, which are aligned to the right."""

    name: str
    number: bool = False


def text(columns: Sequence[Column], rows: Sequence[Row], *, null: str = "null") -> str:
    """Rows in aligned columns under a header. Control characters in values become escapes."""
    cells = [[null if value is None else _printable(value) for value in row] for row in rows]
    widths = [
        max(len(cell) for cell in (column.name, *(row[at] for row in cells))) for at, column in enumerate(columns)
    ]

    def line(values: Sequence[str]) -> str:
        placed = [
            value.rjust(width) if column.number else value.ljust(width)
            for value, width, column in zip(values, widths, columns, strict=True)
        ]
        return "  ".join(placed).rstrip()

    header = line([column.name for column in columns])
    rule = "  ".join("-" * width for width in widths)
    return "\n".join([header, rule, *(line(row) for row in cells)])


def _printable(value: str) -> str:
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in value)

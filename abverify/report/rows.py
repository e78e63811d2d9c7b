"""Rows of a report as a table, or one below the other where a table would tear them apart."""

from __future__ import annotations

from typing import TYPE_CHECKING

from abverify._frozen import frozen
from abverify.report.blocks import field, styled

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Console

_LEAST = 12
"""The columns below which running text in a table is not read any more."""
_LONGEST = 32
"""A word up to this long, such as a model's name, is not broken; a longer one, a path, may be."""
_GAP = 2


@frozen
class Column:
    """A column of a table.

    Attributes:
        title: what stands over it.
        whole: whether its cells are names that are never broken.
    """

    title: str
    whole: bool = False


@frozen
class Cell:
    """A cell: its text, and how it is styled."""

    text: str
    style: str = ""


def print_rows(
    console: Console, columns: Sequence[Column], rows: Sequence[Sequence[Cell]], *, name: int = 0
) -> None:
    """Prints rows as a table; where that is too wide, each as a heading with labelled lines.

    Args:
        console: where to.
        columns: the columns.
        rows: a cell for each column, in each row.
        name: the column that names a row: the heading where there is no table.
    """
    if _needed(columns, rows) <= console.width:
        _table(console, columns, rows)
        return
    for row in rows:
        console.print(styled(row[name].text, row[name].style or "bold"))
        for index, (column, cell) in enumerate(zip(columns, row, strict=True)):
            if index != name and cell.text:
                field(console, column.title, cell.text, cell.style)


def _needed(columns: Sequence[Column], rows: Sequence[Sequence[Cell]]) -> int:
    return _GAP * (len(columns) - 1) + sum(_least_widths(columns, rows))


def _least_widths(columns: Sequence[Column], rows: Sequence[Sequence[Cell]]) -> list[int]:
    return [
        _least(column, [column.title, *(row[index].text for row in rows)])
        for index, column in enumerate(columns)
    ]


def _least(column: Column, texts: Sequence[str]) -> int:
    wide = max(map(len, texts))
    if column.whole:
        return wide
    word = max(len(word) for text in texts for word in text.split())
    return max(min(wide, _LEAST), min(word, _LONGEST))


def _table(console: Console, columns: Sequence[Column], rows: Sequence[Sequence[Cell]]) -> None:
    from rich.table import Table

    table = Table(box=None, pad_edge=False, header_style="dim")
    for column, least in zip(columns, _least_widths(columns, rows), strict=True):
        table.add_column(column.title, overflow="fold", no_wrap=column.whole, min_width=least)
    for row in rows:
        table.add_row(*(styled(cell.text, cell.style) for cell in row))
    console.print(table)

"""Rows of a report as a table, or one below the other where a table would tear them apart."""

from __future__ import annotations

from typing import TYPE_CHECKING

from abverify._frozen import frozen
from abverify.report.blocks import field, styled
from abverify.report.plain import inert

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
    widths = _widths(columns, rows, console.width)
    if widths:
        _table(console, columns, rows, widths)
        return
    for row in rows:
        console.print(styled(row[name].text, row[name].style or "bold"))
        for index, (column, cell) in enumerate(zip(columns, row, strict=True)):
            if index != name and cell.text:
                field(console, column.title, cell.text, cell.style)


def column_widths(natural: Sequence[int], least: Sequence[int], width: int) -> list[int] | None:
    """How wide each column of a table is within a line; what is left over is shared by need.

    Args:
        natural: by column, the width in which its longest cell stands on one line.
        least: the width below which it is not to be.
        width: of the line.

    Returns:
        The widths without the gaps between; None where even the least ones do not fit.
    """
    widths = [min(pair) for pair in zip(natural, least, strict=True)]
    spare = width - sum(widths) - _GAP * (len(widths) - 1)
    if spare < 0:
        return None
    wants = [most - wide for most, wide in zip(natural, widths, strict=True)]
    share = min(spare, sum(wants))
    return [
        wide + share * want // (sum(wants) or 1) for wide, want in zip(widths, wants, strict=True)
    ]


def _widths(
    columns: Sequence[Column], rows: Sequence[Sequence[Cell]], width: int
) -> list[int] | None:
    from rich.cells import cell_len

    cells = [
        [column.title, *(inert(row[index].text) for row in rows)]
        for index, column in enumerate(columns)
    ]
    natural = [max(map(cell_len, texts)) for texts in cells]
    words = [max(cell_len(word) for text in texts for word in text.split()) for texts in cells]
    least = [
        most if column.whole else max(_LEAST, min(word, _LONGEST))
        for column, most, word in zip(columns, natural, words, strict=True)
    ]
    return column_widths(natural, least, width)


def _table(
    console: Console,
    columns: Sequence[Column],
    rows: Sequence[Sequence[Cell]],
    widths: Sequence[int],
) -> None:
    from rich.table import Table

    table = Table(box=None, pad_edge=False, header_style="dim")
    for column, width in zip(columns, widths, strict=True):
        table.add_column(column.title, overflow="fold", no_wrap=column.whole, width=width)
    for row in rows:
        table.add_row(*(styled(cell.text, cell.style) for cell in row))
    console.print(table)

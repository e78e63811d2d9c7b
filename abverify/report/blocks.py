"""The blocks that every text report is built of: a console, labelled lines, reasons."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

from abverify.errors import one_line
from abverify.report.plain import inert

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rich.console import Console
    from rich.text import Text

    from abverify.model.report import Reason

_SEVERITY_STYLE = {"error": "red", "warning": "yellow", "note": "dim"}
_LABEL = 10


def new_console(width: int, *, color: bool) -> tuple[Console, io.StringIO]:
    """A console of that width, and the buffer it writes to."""
    from rich.console import Console

    buffer = io.StringIO()
    console = Console(
        file=buffer,
        width=width,
        force_terminal=color,
        no_color=not color,
        color_system="standard" if color else None,
        highlight=False,
        markup=False,
        emoji=False,
    )
    return console, buffer


def trimmed(buffer: io.StringIO) -> str:
    """The rendered text without the blanks that tables pad their lines with."""
    return "".join(f"{line.rstrip()}\n" for line in buffer.getvalue().splitlines())


def styled(text: str, style: str) -> Text:
    """The text made inert, in a style."""
    from rich.text import Text

    return Text(inert(text), style=style)


def field(console: Console, label: str, text: str, style: str = "") -> None:
    """A labelled line; what does not fit goes on below, under the text."""
    from rich.padding import Padding
    from rich.table import Table

    table = Table.grid(padding=(0, 1))
    table.add_column(width=max(_LABEL, len(label)), style="dim", no_wrap=True)
    table.add_column(overflow="fold")
    table.add_row(label, styled(text, style))
    console.print(Padding(table, (0, 0, 0, 2)))


def reasons_block(console: Console, reasons: Iterable[Reason]) -> None:
    """Each reason with its rule and place, and with what was expected, found, and to do next."""
    from rich.padding import Padding

    for reason in reasons:
        style = _SEVERITY_STYLE[reason.severity]
        head = f"{reason.severity}[{reason.rule}] {reason.code}: {one_line(reason.message)}"
        console.print(Padding(styled(head, style), (0, 0, 0, 2)))
        facts = (
            ("at", reason.place),
            ("expected", reason.expected),
            ("found", reason.found),
            ("next", reason.next),
        )
        for label, text in facts:
            if text is not None:
                field(console, f"  {label}", one_line(text))

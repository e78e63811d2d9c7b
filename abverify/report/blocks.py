"""The blocks that every text report is built of: a console, labelled lines, reasons."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

from abverify.errors import one_line
from abverify.report.plain import inert
from abverify.report.plain_console import PlainConsole

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


def text_console(width: int, *, color: bool) -> tuple[Console | PlainConsole, io.StringIO]:
    """A console for headings, fields and reasons alone, without rich where colour is not wanted."""
    if color:
        return new_console(width, color=True)
    plain = PlainConsole(width)
    return plain, plain.buffer


def _rich(console: Console | PlainConsole, *texts: str) -> Console | None:
    """The console that rich lays texts out on; None where the plain one can do it."""
    if not isinstance(console, PlainConsole):
        return console
    if all(text.isascii() and "\t" not in text for text in texts):
        return None
    from rich.console import Console

    return Console(
        file=console.buffer, width=console.width, color_system=None, highlight=False,
        markup=False, emoji=False,
    )  # fmt: skip


def trimmed(buffer: io.StringIO) -> str:
    """The rendered text without the blanks that tables pad their lines with."""
    return "".join(f"{line.rstrip()}\n" for line in buffer.getvalue().splitlines())


def styled(text: str, style: str) -> Text:
    """The text made inert, in a style."""
    from rich.text import Text

    return Text(inert(text), style=style)


def heading(console: Console | PlainConsole, name: str, word: str, style: str) -> None:
    """The first line of a report: what it is about, and its verdict."""
    name, word = inert(f"{name}  "), inert(word)
    rich = _rich(console, name, word)
    if rich is not None:
        rich.print(styled(name, "bold").append_text(styled(word, style)))
    elif isinstance(console, PlainConsole):
        console.write(name + word)


def field(console: Console | PlainConsole, label: str, text: str, style: str = "") -> None:
    """A labelled line; what does not fit goes on below, under the text."""
    text, wide = inert(text), max(_LABEL, len(label))
    rich = _rich(console, label, text)
    if rich is not None:
        _rich_field(rich, label, wide, styled(text, style))
    elif isinstance(console, PlainConsole):
        console.write(text, indent=2, label=f"{label:{wide}} ")


def _rich_field(console: Console, label: str, wide: int, text: Text) -> None:
    from rich.padding import Padding
    from rich.table import Table

    table = Table.grid(padding=(0, 1))
    table.add_column(width=wide, style="dim", no_wrap=True)
    table.add_column(overflow="fold")
    table.add_row(label, text)
    console.print(Padding(table, (0, 0, 0, 2)))


def _indented(console: Console | PlainConsole, text: str, style: str) -> None:
    text = inert(text)
    rich = _rich(console, text)
    if rich is not None:
        from rich.padding import Padding

        rich.print(Padding(styled(text, style), (0, 0, 0, 2)))
    elif isinstance(console, PlainConsole):
        console.write(text, indent=2)


def reasons_block(console: Console | PlainConsole, reasons: Iterable[Reason]) -> None:
    """Each reason with its rule and place, and with what was expected, found, and to do next."""
    for reason in reasons:
        head = f"{reason.severity}[{reason.rule}] {reason.code}: {one_line(reason.message)}"
        _indented(console, head, _SEVERITY_STYLE[reason.severity])
        facts = (
            ("at", reason.place),
            ("expected", reason.expected),
            ("found", reason.found),
            ("next", reason.next),
        )
        for label, text in facts:
            if text is not None:
                field(console, f"  {label}", one_line(text))

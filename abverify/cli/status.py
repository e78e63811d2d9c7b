"""`abverify status`: the daily view."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from abverify.cli.options import common_options

if TYPE_CHECKING:
    from datetime import datetime

    from abverify.cli.invocation import Common


@click.command(
    epilog="Examples:\n\n  abverify status\n\n  abverify status --at 2026-06-30\n\n"
    "  abverify status --at 17"
)
@click.option(
    "--at",
    metavar="DATE|INDEX",
    callback=lambda _, __, value: None if value is None else _moment(value),
    help="As it stood then: at a UTC date (its end), at a timestamp like 2026-06-30T12:00:00Z, or"
    " when the log held INDEX records.",
)
@common_options
def command(common: Common, at: datetime | int | None) -> int:
    """Show every gate and scope, each with its state derived from the ledger."""
    from abverify.app.status import status
    from abverify.cli.printing import show

    return show(common, status(common.root, at))


def _moment(text: str) -> datetime | int:
    from abverify._clock import parse_timestamp

    if text.isdecimal() and text.isascii():
        return int(text)
    try:
        return parse_timestamp(text if "T" in text else f"{text}T23:59:59Z")
    except ValueError:
        wanted = "a date like 2026-06-30, a timestamp like 2026-06-30T12:00:00Z, or a number"
        raise click.BadParameter(f"{text!r} is not {wanted}") from None

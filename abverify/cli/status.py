"""`abverify status`: the daily view."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from abverify.cli.options import common_options

if TYPE_CHECKING:
    from abverify.cli.options import Common


@click.command(epilog="Example:\n\n  abverify status")
@common_options
def command(common: Common) -> int:
    """Show every gate and scope, each with its state derived from the ledger."""
    from abverify.app.status import status
    from abverify.cli.printing import show

    return show(common, status(common.root))

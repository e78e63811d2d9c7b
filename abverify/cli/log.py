"""`abverify log`: the trail in order."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from abverify.cli import completion
from abverify.cli.options import common_options

if TYPE_CHECKING:
    from abverify.cli.invocation import Common


@click.command(epilog="Examples:\n\n  abverify log\n\n  abverify log S1_005")
@click.argument("gate", required=False, shell_complete=completion.gates)
@common_options
def command(common: Common, gate: str | None) -> int:
    """List the records of a gate, or of all gates, oldest first.

    Each line says whether the record still stands, is void, or is past.
    """
    from abverify.app.log import log
    from abverify.cli.printing import show

    return show(common, log(common.root, gate))

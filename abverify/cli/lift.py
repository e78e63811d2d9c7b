"""`abverify lift`: end a suspension whose conditions are covered."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from abverify.cli.options import common_options
from abverify.cli.signing import signing_options

if TYPE_CHECKING:
    from abverify.app.signing import Signature
    from abverify.cli.invocation import Common


@click.command(epilog="Example:\n\n  abverify lift S280 --reason 'S1_005 is discharged'")
@click.argument("suspension")
@signing_options(proposable=True)
@common_options
def command(common: Common, signature: Signature, suspension: str) -> int:
    """Sign the lift of a suspension.

    It cites the live discharges that cover the suspension's conditions, and is
    refused (exit 1) while any condition is open.
    """
    from abverify.app.lift import lift
    from abverify.cli.printing import show

    return show(common, lift(common.root, suspension, signature))

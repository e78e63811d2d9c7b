"""`abverify amend`: publish a contract version."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from abverify.cli.options import common_options
from abverify.cli.signing import signing_options

if TYPE_CHECKING:
    from abverify.app.signing import Signature
    from abverify.cli.options import Common


@click.command(
    epilog="Example:\n\n  abverify amend S1_004 --introduce --reason 'opens the replica'"
)
@click.argument("gate")
@click.option("--introduce", is_flag=True, help="Publish the gate's first contract version.")
@signing_options()
@common_options
def command(common: Common, signature: Signature, gate: str, introduce: bool) -> int:  # noqa: FBT001
    """Publish a gate's working contract: frozen bytes, pinned inputs, a signed record.

    Without --introduce the gate must be in the ledger already, and the
    contract's version must be higher than the published one.
    """
    from abverify.app.amend import publish
    from abverify.cli.printing import show

    return show(common, publish(common.root, gate, signature, introduce=introduce))

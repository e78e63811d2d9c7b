"""`abverify discharge`: sign that a gate is met."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from abverify.cli import completion
from abverify.cli.options import common_options
from abverify.cli.signing import signing_options

if TYPE_CHECKING:
    from abverify.app.signing import Signature
    from abverify.cli.invocation import Common


@click.command(epilog="Example:\n\n  abverify discharge S1_005 --reason 'met on the small bench'")
@click.argument("gate", shell_complete=completion.gates)
@signing_options(proposable=True)
@common_options
def command(common: Common, signature: Signature, gate: str) -> int:
    """Sign the discharge of a gate that stored evidence shows to be met.

    Nothing is signed for any other verdict; the exit code is then check's own:
    1 not met, 3 cannot be evaluated.
    """
    from abverify.app.discharge import discharge
    from abverify.cli.printing import show

    return show(common, discharge(common.root, gate, signature))

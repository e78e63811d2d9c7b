"""`abverify retract`: take a record back."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from abverify.cli import completion
from abverify.cli.options import common_options
from abverify.cli.signing import signing_options

if TYPE_CHECKING:
    from abverify.app.signing import Signature
    from abverify.cli.invocation import Common

_CAUSES = ("key-compromise", "evidence-invalid", "issued-in-error", "superseded")


@click.command(
    epilog="Example:\n\n  abverify retract S1_005#3 --cause evidence-invalid "
    "--reason 'the meter was broken'"
)
@click.argument("record", shell_complete=completion.records)
@click.option("--cause", type=click.Choice(_CAUSES), required=True, help="What is wrong with it.")
@signing_options(proposable=True)
@common_options
def command(common: Common, signature: Signature, record: str, cause: str) -> int:
    """Sign the retraction of RECORD, and of everything that rests on it.

    RECORD is its file, GATE#SEQ, or the start of its envelope's sha256. A
    retraction only ever shuts: suspensions and retractions cannot be retracted.
    """
    from abverify.app.retract import CAUSES, retract
    from abverify.cli.printing import show

    return show(common, retract(common.root, record, CAUSES[cause], signature))

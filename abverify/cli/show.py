"""`abverify show`: one record whole."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from abverify.cli import completion
from abverify.cli.options import common_options

if TYPE_CHECKING:
    from abverify.cli.invocation import Common


@click.command(epilog="Examples:\n\n  abverify show S1_004#1\n\n  abverify show 5e1f0c2a")
@click.argument("record", shell_complete=completion.records)
@common_options
def command(common: Common, record: str) -> int:
    """Show a verified record: what it says, who signed it, and what cites it.

    RECORD is its file, GATE#SEQ, or the start of its envelope's sha256.
    """
    from abverify.app.log import show_record
    from abverify.cli.printing import show

    return show(common, show_record(common.root, record))

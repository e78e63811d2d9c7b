"""`abverify lint`: faults of contracts, fixtures and pins."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from abverify.cli import completion
from abverify.cli.options import common_options

if TYPE_CHECKING:
    from abverify.cli.invocation import Common


@click.command(epilog="Examples:\n\n  abverify lint\n\n  abverify lint V1_004 --format json")
@click.argument("gates", nargs=-1, metavar="[GATE]...", shell_complete=completion.gates)
@common_options
def command(common: Common, gates: tuple[str, ...]) -> int:
    """Find what is wrong with contracts, fixtures and pins before anything runs.

    Exits with 1 when there is an error; warnings alone exit with 0.
    """
    from abverify.app.lint import lint
    from abverify.cli.printing import show

    return show(common, lint(common.root, gates))

"""`abverify render`: documents that show what is so."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from abverify.cli.options import common_options

if TYPE_CHECKING:
    from abverify.cli.invocation import Common


@click.command(epilog="Examples:\n\n  abverify render --fix\n\n  abverify render --check")
@click.option("--check", is_flag=True, help="Change nothing; report what is out of step.")
@click.option("--fix", is_flag=True, help="Write the declared roll-ups too, not regions alone.")
@common_options
def command(common: Common, check: bool, fix: bool) -> int:  # noqa: FBT001
    """Write the regions and roll-ups that contracts/policy.yaml declares.

    Exits with 1 when something is still out of step, 3 when a fact cannot be
    found out, and 5 when nothing is declared.
    """
    from abverify.app.render import render, render_check
    from abverify.cli.printing import show

    if check and fix:
        raise click.UsageError("--check changes nothing, --fix does: give one of them")
    return show(common, render_check(common.root) if check else render(common.root, fix=fix))

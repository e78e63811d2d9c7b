"""`abverify plan`: what an experiment's design can find."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from abverify.cli import completion
from abverify.cli.options import common_options

if TYPE_CHECKING:
    from abverify.cli.invocation import Common


@click.command(epilog="Examples:\n\n  abverify plan S294\n\n  abverify plan M294 --format json")
@click.argument("experiment", shell_complete=completion.experiments)
@common_options
def command(common: Common, experiment: str) -> int:
    """Tell the power of an experiment's design, before anything runs.

    Refuses with exit code 1 a confirmatory design that would find a
    difference of delta_min with a probability below 0.8, and any whose
    arms differ in more than the variable, or not in it.
    """
    from abverify.app.plan import plan
    from abverify.cli.printing import show

    return show(common, plan(common.root, experiment))

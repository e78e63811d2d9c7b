"""`abverify suspend`: hold a scope or gates until a gate is discharged."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from abverify.cli.options import common_options
from abverify.cli.signing import signing_options

if TYPE_CHECKING:
    from abverify.app.signing import Signature
    from abverify.cli.invocation import Common


@click.command(
    epilog="Example:\n\n  abverify suspend M280 --scope phase-6 --lift-when V1_004 "
    "--reason 'no pass under contract'"
)
@click.argument("suspension")
@click.option("--scope", metavar="NAME", help="The scope to hold, such as phase-6.")
@click.option("--gate", "gates", multiple=True, metavar="GATE", help="A gate to hold; repeatable.")
@click.option(
    "--lift-when",
    "conditions",
    multiple=True,
    required=True,
    metavar="GATE",
    help="A gate whose live discharge covers the suspension; repeatable.",
)
@click.option("--all", "all_of", is_flag=True, help="Every --lift-when gate is needed, not any.")
@signing_options(proposable=True)
@common_options
def command(
    common: Common,
    signature: Signature,
    suspension: str,
    scope: str | None,
    gates: tuple[str, ...],
    conditions: tuple[str, ...],
    all_of: bool,  # noqa: FBT001 (click passes options by keyword)
) -> int:
    """Sign a suspension of a scope, or of gates.

    The record joins the chain of the first --lift-when gate.
    """
    from abverify.app.suspend import SuspendRequest, suspend
    from abverify.cli.printing import show

    request = SuspendRequest(suspension, scope, gates, conditions, all_of, signature)
    return show(common, suspend(common.root, request))

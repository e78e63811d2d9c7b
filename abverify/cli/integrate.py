"""`abverify integrate`: take waiting records into the log."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from abverify.cli.options import common_options
from abverify.cli.signing import KEY_HELP, ask_passphrase

if TYPE_CHECKING:
    from abverify.cli.invocation import Common


@click.command(epilog="Example:\n\n  abverify integrate --key integrator")
@click.option(
    "--key",
    "keys",
    multiple=True,
    default=("operator",),
    show_default=True,
    metavar="KEY",
    help=f"{KEY_HELP} Repeatable.",
)
@common_options
def command(common: Common, keys: tuple[str, ...]) -> int:
    """Take the records that wait into the log, and sign its checkpoint.

    After a merge, on the protected branch. If two branches changed gates/_log,
    take one side of it (git checkout --ours gates/_log) and integrate the rest.
    """
    from abverify.app.integrate import integrate
    from abverify.cli.printing import show

    return show(common, integrate(common.root, keys, ask_passphrase))

"""`abverify sign`: add a signature to a proposed record."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from abverify.cli.options import common_options
from abverify.cli.signing import KEY_HELP

if TYPE_CHECKING:
    from abverify.cli.invocation import Common


@click.command(
    epilog="Example:\n\n"
    "  abverify sign gates/_proposals/laptop-replica/S1_005/000003.discharge.dsse.json --key ben"
)
@click.argument("proposal")
@click.option("--key", "keys", multiple=True, metavar="KEY", help=f"{KEY_HELP} Repeatable.")
@common_options
def command(common: Common, proposal: str, keys: tuple[str, ...]) -> int:
    """Sign a proposed record, or without --key show it.

    PROPOSAL is a file that `--propose` wrote. What it says is judged again first. When
    enough people of its role have signed, it enters the ledger.
    """
    from abverify.app.cosign import cosign
    from abverify.cli.printing import show
    from abverify.cli.signing import ask_passphrase

    return show(common, cosign(common.root, proposal, keys, ask_passphrase))

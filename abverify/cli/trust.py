"""`abverify trust`: who may sign what."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from abverify.cli.options import common_options

if TYPE_CHECKING:
    from abverify.cli.options import Common


@click.group()
def command() -> None:
    """Start or show the trust root that says who may sign what."""


@command.command(
    epilog="Example:\n\n  abverify trust init --origin example.org/models --principal ana --key ana"
)
@click.option("--origin", required=True, metavar="NAME", help="This ledger's own name.")
@click.option("--principal", required=True, metavar="NAME", help="Who holds every role at first.")
@click.option("--key", default="operator", show_default=True, help="The key that signs it.")
@click.option("--expires-days", default=365, show_default=True, help="How long it may be written.")
@click.option("--note", help="Free text for readers of the trust root.")
@common_options
def init(
    common: Common, origin: str, principal: str, key: str, expires_days: int, note: str | None
) -> int:
    """Start a trust root: one principal, every role, threshold 1.

    A single operator can begin with it; a second signer for discharges is
    recommended as soon as there is a second person.
    """
    from abverify.app.trust import InitRequest, init_trust
    from abverify.cli.printing import show
    from abverify.cli.signing import ask_passphrase

    request = InitRequest(origin, principal, key, expires_days, note, ask_passphrase)
    return show(common, init_trust(common.root, request))


@command.command("show")
@common_options
def show_root(common: Common) -> int:
    """Show the newest trust root: principals, keys, roles, thresholds."""
    from abverify.app.trust import show_trust
    from abverify.cli.printing import show

    return show(common, show_trust(common.root))

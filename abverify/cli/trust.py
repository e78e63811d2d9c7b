"""`abverify trust`: who may sign what."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from abverify.cli.options import common_options
from abverify.cli.signing import KEY_HELP

if TYPE_CHECKING:
    from collections.abc import Callable

    from abverify.cli.invocation import Common

CAUSES = ("keyCompromise", "keyLost", "ownerLeft", "superseded")


@click.group()
def command() -> None:
    """Start, show and change the trust root that says who may sign what."""


@command.command(
    epilog="Example:\n\n  abverify trust init --origin example.org/models --principal ana --key ana"
)
@click.option("--origin", required=True, metavar="NAME", help="This ledger's own name.")
@click.option("--principal", required=True, metavar="NAME", help="Who holds every role at first.")
@click.option("--key", default="operator", show_default=True, metavar="KEY", help=KEY_HELP)
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
@click.option(
    "--root-sha256",
    metavar="SHA256",
    help="A version's digest, noted outside the repository; ABVERIFY_TRUST_ROOT does the same.",
)
@common_options
def show_root(common: Common, root_sha256: str | None) -> int:
    """Show the trust root: its versions, principals, keys, roles, thresholds, revoked keys."""
    from abverify.app.trust import show_trust
    from abverify.cli.printing import show

    return show(common, show_trust(common.root, root_sha256))


def _pair(_: click.Context, __: click.Parameter, values: tuple[str, ...]) -> Any:
    pairs = [value.partition("=") for value in values]
    for name, sign, value in pairs:
        if not (name and sign and value):
            raise click.BadParameter(f"two parts with '=' between them, not {name}{sign}{value}")
    return tuple((name, value) for name, _, value in pairs)


def _numbered(context: click.Context, parameter: click.Parameter, values: tuple[str, ...]) -> Any:
    pairs = _pair(context, parameter, values)
    for _, value in pairs:
        if not value.isascii() or not value.isdecimal():
            raise click.BadParameter(f"a whole number after '=', not {value}")
    return tuple((name, int(value)) for name, value in pairs)


def _changes(function: Callable[..., Any]) -> Callable[..., Any]:
    """The options that both `rotate` and `revoke` take."""
    options = (
        _each("--add-key", "PRINCIPAL=KEY", "A public key for a principal, new or known.", _pair),
        _each("--remove-principal", "NAME", "Takes somebody out, with keys and roles."),
        _each("--grant", "ROLE=PRINCIPAL", "Lets a principal act in a role.", _pair),
        _each("--withdraw", "ROLE=PRINCIPAL", "Takes a principal out of a role.", _pair),
        _each("--threshold", "ROLE=N", "How many different people a role needs.", _numbered),
        click.option("--expires-days", type=click.IntRange(1), help="A new term, from today."),
        click.option("--note", help="Free text for readers; an empty one removes the old."),
        click.option("--key", "keys", multiple=True, required=True, metavar="KEY", help=KEY_HELP),
    )
    for option in reversed(options):
        function = option(function)
    return function


def _each(
    name: str, metavar: str, meaning: str, callback: Any = None
) -> Callable[[Callable[..., Any]], Any]:
    return click.option(
        name, multiple=True, metavar=metavar, help=f"{meaning} Repeatable.", callback=callback
    )


@command.command(
    epilog="Examples:\n\n"
    "  abverify trust rotate --add-key ben=ben.pub.pem --grant discharger=ben --key operator\n\n"
    "  abverify trust rotate --remove-key f2603087 --add-key ana=new --key operator --key new"
)
@_each("--remove-key", "KEYID", "Takes a key out, by the start of its id; not a revocation.")
@_changes
@common_options
def rotate(common: Common, **change: Any) -> int:
    """Make the next version of the trust root, signed with keys of the old one and the new.

    It enters when the root role's threshold of both versions is met. Until then it
    is a proposal, a file that others sign with `abverify trust sign`.
    """
    return _rotate(common, change)


@command.command(
    epilog="Example:\n\n"
    "  abverify trust revoke f2603087 --cause keyCompromise --add-key ana=new "
    "--key operator --key new"
)
@click.argument("revoke", metavar="KEYID...", nargs=-1, required=True)
@click.option("--cause", type=click.Choice(CAUSES), required=True, help="Why.")
@_changes
@common_options
def revoke(common: Common, **change: Any) -> int:
    """Revoke keys: from here on in the log, their signatures do not count.

    A revocation is a rotation like any other, and final. Records that the key
    signed before stay valid; `abverify retract` voids those that should not. A
    principal whose last key goes leaves every role, unless --add-key gives a new one.
    """
    return _rotate(common, change)


@command.command(
    epilog="Example:\n\n  abverify trust sign gates/_proposals/2.root.dsse.json --key ben"
)
@click.argument("proposal")
@click.option("--key", "keys", multiple=True, required=True, metavar="KEY", help=KEY_HELP)
@common_options
def sign(common: Common, proposal: str, keys: tuple[str, ...]) -> int:
    """Sign a proposed version of the trust root; read what it says before you do."""
    from abverify.app.rotation import sign as sign_next
    from abverify.cli.printing import show
    from abverify.cli.signing import ask_passphrase

    return show(common, sign_next(common.root, proposal, keys, ask_passphrase))


def _rotate(common: Common, change: dict[str, Any]) -> int:
    from abverify.app.rotation import RotateRequest
    from abverify.app.rotation import rotate as rotate_root
    from abverify.cli.printing import show
    from abverify.cli.signing import ask_passphrase

    plural = {"add_key", "remove_key", "remove_principal", "threshold"}
    named = {f"{name}s" if name in plural else name: value for name, value in change.items()}
    return show(common, rotate_root(common.root, RotateRequest(**named, ask=ask_passphrase)))

"""`abverify keys`: signing keys, which live outside the repository."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from abverify.records.key_formats import Format


@click.group()
def command() -> None:
    """Make, list and export signing keys; they live outside the repository."""


@command.command(epilog="Example:\n\n  abverify keys new operator")
@click.argument("name")
@click.option("--unencrypted", is_flag=True, help="No passphrase: for scratch keys only.")
@click.option("--root", metavar="DIR", help="The repository the key must lie outside of.")
def new(name: str, unencrypted: bool, root: str | None) -> int:  # noqa: FBT001
    """Make an Ed25519 key, encrypted with a passphrase.

    The folder is $ABVERIFY_KEYS, or ~/.config/abverify/keys. ABVERIFY_PASSPHRASE
    gives the passphrase without a question.
    """
    from abverify.app.keys import new_key
    from abverify.cli.signing import ask_passphrase

    key = new_key(name, root, lambda: ask_passphrase(twice=True), unencrypted=unencrypted)
    click.echo(f"{key.name}  keyid {key.keyid}\n{key.file}")
    return 0


@command.command("list")
@click.option("--agent", is_flag=True, help="The Ed25519 keys of the SSH agent instead.")
def list_keys(agent: bool) -> int:  # noqa: FBT001
    """List the keys in the key folder; exits with 5 when there is none."""
    from abverify.app.keys import agent_keys, known_keys

    keys = agent_keys() if agent else known_keys()
    for key in keys:
        click.echo(f"{key.name}  keyid {key.keyid}{f'  {key.file}' if agent else ''}")
    click.echo(f"{len(keys)} keys", err=True)
    return 0 if keys else 5


@command.command(
    epilog="Examples:\n\n  abverify keys export operator > operator.pub.pem\n\n"
    "  abverify keys export f2603087 --format openssh"
)
@click.argument("key")
@click.option(
    "--format",
    "form",
    type=click.Choice(("pem", "hex", "openssh", "note")),
    default="pem",
    show_default=True,
    help="PEM, the 32 bytes in hex, an ssh-ed25519 line, or a signed note's verifier key.",
)
@click.option("--name", metavar="NAME", help="Another comment, or signer's name of a note.")
@click.option("--root", metavar="DIR", help="The repository whose trust root may list the key.")
def export(key: str, form: Format, name: str | None, root: str | None) -> int:
    """Print a public key as other tools read it; private keys are never printed.

    KEY is a name in the key folder, a public key file, agent:NAME, or the start of
    a key id in the trust root.
    """
    from abverify.app.keys import export_key

    click.echo(export_key(key, root, form, name), nl=False)
    return 0

"""`abverify keys`: signing keys, which live outside the repository."""

from __future__ import annotations

import click


@click.group()
def command() -> None:
    """Make and list signing keys; they live outside the repository."""


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
def list_keys() -> int:
    """List the keys in the key folder; exits with 5 when there is none."""
    from abverify.app.keys import known_keys

    keys = known_keys()
    for key in keys:
        click.echo(f"{key.name}  keyid {key.keyid}")
    click.echo(f"{len(keys)} keys", err=True)
    return 0 if keys else 5

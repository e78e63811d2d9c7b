"""`abverify record`: records as other tools read them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from abverify.cli import completion

if TYPE_CHECKING:
    from abverify.app.export import Form


@click.group()
def command() -> None:
    """Hand out records in the forms of other tools."""


@command.command(
    epilog="Examples:\n\n  abverify record export S1_004#1 --format pae -o message.bin\n\n"
    "  abverify record export S1_004#1 --format sigstore-bundle -o record.sigstore.json"
)
@click.argument("record", shell_complete=completion.records)
@click.option(
    "--format",
    "form",
    type=click.Choice(("sigstore-bundle", "dsse", "pae")),
    default="dsse",
    show_default=True,
    help="A Sigstore bundle, the DSSE envelope, or the bytes that its signatures are over.",
)
@click.option("--signer", metavar="KEYID", help="Which signature a bundle holds, if several.")
@click.option("-o", "--output", metavar="FILE", help="Where to write it; else standard output.")
@click.option("--root", metavar="DIR", help="The repository.")
def export(
    record: str, form: Form, signer: str | None, output: str | None, root: str | None
) -> int:
    """Write a verified record as another tool verifies it.

    RECORD is its file, GATE#SEQ, or the start of its envelope's sha256.
    """
    import sys
    from pathlib import Path

    from abverify.app.export import export_record
    from abverify.workspace.files import replace_file
    from abverify.workspace.root import find_root

    data = export_record(find_root(root), record, form, signer)
    if output is None:
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()
    else:
        replace_file(Path(output), data)
    return 0

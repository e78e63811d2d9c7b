"""`abverify schema`: JSON Schemas of the documents people and tools write."""

from __future__ import annotations

import click

from abverify.cli import completion


@click.command(epilog="Example:\n\n  abverify schema contract > contract.v1.schema.json")
@click.argument("document", required=False, shell_complete=completion.schemas)
def command(document: str | None) -> int:
    """Print the JSON Schema of a document; without DOCUMENT, list what there is."""
    from abverify.app.schemas import SCHEMAS, schema_text

    if document is None:
        for name, (_, meaning) in sorted(SCHEMAS.items()):
            click.echo(f"{name:12} {meaning}")
        return 0
    if document not in SCHEMAS:
        known = ", ".join(sorted(SCHEMAS))
        raise click.UsageError(f"no schema {document!r}; one of: {known}")
    click.echo(schema_text(document), nl=False)
    return 0

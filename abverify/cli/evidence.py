"""`abverify evidence`: bundles shown, verified and rescored, from other harnesses and for them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from abverify.cli import completion
from abverify.cli.options import common_options

if TYPE_CHECKING:
    from abverify.cli.invocation import Common
    from abverify.evidence.foreign.log import Tool

TOOLS = ("inspect", "lm-eval", "promptfoo", "bfcl")


@click.group()
def command() -> None:
    """Show, verify, rescore, import and export evidence bundles."""


@command.command(epilog="Example:\n\n  abverify evidence show m294-smoke")
@click.argument("bundle", shell_complete=completion.bundles)
@common_options
def show(common: Common, bundle: str) -> int:
    """Show a bundle by run id or folder: its lock, its trials, its recomputed scores."""
    from abverify.app.evidence import show_evidence
    from abverify.cli.printing import show as print_report

    return print_report(common, show_evidence(common.root, bundle))


@command.command(epilog="Example:\n\n  abverify evidence verify m294-smoke")
@click.argument("bundle", shell_complete=completion.bundles)
@common_options
def verify(common: Common, bundle: str) -> int:
    """Compare every byte of a bundle with its manifest, and its journal with itself."""
    from abverify.app.evidence import verify_evidence
    from abverify.cli.printing import show as print_report

    return print_report(common, verify_evidence(common.root, bundle))


@command.command(epilog="Example:\n\n  abverify evidence rescore m294-smoke --profile strict/1")
@click.argument("bundle", shell_complete=completion.bundles)
@click.option("--profile", required=True, metavar="NAME/VERSION", help="Such as strict/1.")
@common_options
def rescore(common: Common, bundle: str, profile: str) -> int:
    """Parse stored turns under another profile; says how far that is a counterfactual."""
    from abverify.app.evidence import rescore_evidence
    from abverify.cli.printing import show as print_report

    return print_report(common, rescore_evidence(common.root, bundle, profile))


@command.command(
    "import",
    epilog="Examples:\n\n  abverify evidence import logs/run.eval --gate S1_004\n\n"
    "  abverify evidence import results.json samples.jsonl --from lm-eval",
)
@click.argument("log", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--gate", metavar="GATE", shell_complete=completion.gates, help="Whom it is for.")
@click.option("--from", "tool", type=click.Choice(TOOLS), help="Who wrote it; found out if left.")
@click.option("--scorer", metavar="NAME", help="Whose grades count, where there are several.")
@common_options
def import_(
    common: Common, log: tuple[Path, ...], gate: str | None, tool: Tool | None, scorer: str | None
) -> int:
    """Import one run that another harness logged, for what its log proves.

    LOG is the run's file, or its files. Each key of the run lock is attested (computed from the
    raw log), asserted (the log says so) or absent. Such evidence never discharges a gate that
    names a model by its bytes.
    """
    from abverify.app.evidence_import import import_evidence
    from abverify.cli.printing import show as print_report

    report = import_evidence(common.root, log, gate=gate, tool=tool, scorer=scorer)
    return print_report(common, report)


@command.command(epilog="Example:\n\n  abverify evidence export m294-smoke -o m294.json")
@click.argument("bundle", shell_complete=completion.bundles)
@click.option(
    "--format",
    "form",
    type=click.Choice(("inspect",)),
    default="inspect",
    show_default=True,
    help="A log that Inspect AI reads, as JSON.",
)
@click.option("-o", "--output", metavar="FILE", help="Where to write it; else standard output.")
@click.option("--root", metavar="DIR", help="The repository.")
def export(bundle: str, form: str, output: str | None, root: str | None) -> int:
    """Write a sound bundle as a log of another harness, for its viewer.

    It is a view and no evidence: nothing in it proves what it says.
    """
    import sys

    from abverify.app.evidence import export_evidence
    from abverify.workspace.files import replace_file
    from abverify.workspace.root import find_root

    del form  # there is one
    data = export_evidence(find_root(root), bundle)
    if output is None:
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()
    else:
        replace_file(Path(output), data)
    return 0

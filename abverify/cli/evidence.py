"""`abverify evidence`: bundles shown, verified and rescored."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from abverify.cli import completion
from abverify.cli.options import common_options

if TYPE_CHECKING:
    from abverify.cli.invocation import Common


@click.group()
def command() -> None:
    """Show, verify and rescore evidence bundles."""


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

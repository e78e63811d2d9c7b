"""`abverify audit`: the whole trail, verified from nothing but files."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from abverify.cli.options import common_options

if TYPE_CHECKING:
    from abverify.cli.invocation import Common

_EPILOG = (
    "Examples:\n\n  abverify audit\n\n"
    "  abverify audit --checkpoint ~/kept/checkpoint\n\n"
    "  abverify audit --since ~/kept/checkpoint --format json"
)


@click.command(epilog=_EPILOG)
@click.option(
    "--checkpoint",
    metavar="FILE",
    help="A copy of gates/_log/checkpoint kept elsewhere; the log must extend it.",
)
@click.option(
    "--since",
    metavar="FILE",
    help="As --checkpoint, and verify only the records that came after it.",
)
@click.option("--records-only", is_flag=True, help="Leave the evidence that decisions cite alone.")
@click.option(
    "--waiting-ok",
    is_flag=True,
    help="Records that wait for an integrator are no fault: for pull requests.",
)
@click.option(
    "--jobs",
    type=click.IntRange(1, 64),
    default=1,
    show_default=True,
    metavar="N",
    help="How many processes verify.",
)
@common_options
def command(
    common: Common,
    checkpoint: str | None,
    since: str | None,
    records_only: bool,  # noqa: FBT001 (click passes options by keyword)
    waiting_ok: bool,  # noqa: FBT001
    jobs: int,
) -> int:
    """Verify every record, its signatures, the log, and all that records cite.

    Needs no network and no key. Exits with 4 when anything is invalid or
    incomplete, with 3 when something can only not be judged here, and with 5
    when there is no record at all.
    """
    from abverify.app.audit import AuditRequest, audit
    from abverify.cli.printing import show

    request = AuditRequest(checkpoint, since, records_only, waiting_ok, jobs)
    return show(common, audit(common.root, request))

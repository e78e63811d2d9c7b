"""`abverify check`: is this gate open?"""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from abverify.cli import completion
from abverify.cli.options import PARANOID_HELP, UNSAFE_HELP, common_options
from abverify.cli.signing import signing_options

if TYPE_CHECKING:
    from abverify.app.signing import Signature
    from abverify.cli.invocation import Common


@click.command(
    epilog="Examples:\n\n  abverify check V1_004\n\n"
    "  abverify check S1_004 --run --record --key operator"
)
@click.argument(
    "gates", nargs=-1, required=True, metavar="GATE...", shell_complete=completion.gates
)
@click.option("--run", "run_missing", is_flag=True, help="First make the evidence that is missing.")
@click.option("--record", is_flag=True, help="Sign and append what was decided.")
@click.option("--unsafe-no-sandbox", "unsafe", is_flag=True, help=UNSAFE_HELP)
@click.option("--paranoid", is_flag=True, help=PARANOID_HELP)
@signing_options(proposable=True, reason="decided by abverify check")
@common_options
def command(
    common: Common,
    signature: Signature,
    gates: tuple[str, ...],
    run_missing: bool,  # noqa: FBT001 (click passes options by keyword)
    record: bool,  # noqa: FBT001
    unsafe: bool,  # noqa: FBT001
    paranoid: bool,  # noqa: FBT001
) -> int:
    """Decide gates from stored evidence and the ledger, and say why.

    Reads only, needs no key and changes nothing, unless --run or --record is
    given. With several gates the gravest exit code counts.
    """
    from abverify.app.decide import DecideRequest, decide_gates
    from abverify.cli.printing import show_all
    from abverify.cli.progress import Progress

    request = DecideRequest(gates, run_missing, record, unsafe, signature, paranoid)
    reports = decide_gates(common.root, request, Progress(quiet=common.quiet))
    return show_all(common, reports)

"""`abverify run`: measure, and keep the evidence."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from abverify.cli import completion
from abverify.cli.cluster import cluster_options
from abverify.cli.options import PARANOID_HELP, UNSAFE_HELP, common_options

if TYPE_CHECKING:
    from abverify.app.cluster.runner import Cluster
    from abverify.cli.invocation import Common


@click.command(
    epilog="Examples:\n\n  abverify run S1_004 --stage calibrate\n\n"
    "  abverify run S1_004 --stage bench\n\n"
    "  abverify run S1_004 --stage bench --runner ray --workers 4"
)
@click.argument("gate", shell_complete=completion.gates)
@click.option(
    "--stage",
    type=click.Choice(["calibrate", "smoke", "bench"]),
    required=True,
    help="Read known states, try one prompt, or run the whole corpus.",
)
@click.option("--again", is_flag=True, help="Start another run beside a finished one.")
@click.option("--unsafe-no-sandbox", "unsafe", is_flag=True, help=UNSAFE_HELP)
@click.option("--paranoid", is_flag=True, help=PARANOID_HELP)
@cluster_options
@common_options
def command(
    common: Common,
    cluster: Cluster | None,
    engines: int | None,
    gate: str,
    stage: str,
    again: bool,  # noqa: FBT001 (click passes options by keyword)
    unsafe: bool,  # noqa: FBT001
    paranoid: bool,  # noqa: FBT001
) -> int:
    """Run a gate's calibration, smoke test or bench, and keep the evidence.

    A run that was cut off goes on where it stopped; a half-done trial starts
    again from its first turn. A finished run is left as it is.
    """
    from abverify.app.run import RunRequest, run_stage
    from abverify.cli.printing import show
    from abverify.cli.progress import Progress

    request = RunRequest(gate, stage, unsafe, again, paranoid, cluster, engines)  # type: ignore[arg-type]
    return show(common, run_stage(common.root, request, Progress(quiet=common.quiet)))

"""`abverify compare`: what an experiment shows, and what may be concluded."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from abverify.cli import completion
from abverify.cli.options import UNSAFE_HELP, common_options

if TYPE_CHECKING:
    from abverify.cli.invocation import Common


@click.command(
    epilog="Exit codes: 0 confirmed, 1 concluded otherwise (refuted, inconclusive, necessary but"
    " not sufficient), 3 confounded or without evidence that counts.\n\n"
    "Examples:\n\n  abverify compare S294\n\n  abverify compare S294 --run\n\n"
    "  abverify compare --table"
)
@click.argument("experiment", required=False, shell_complete=completion.experiments)
@click.option("--table", "as_table", is_flag=True, help="Every claim that was tested, as a table.")
@click.option("--run", "run_missing", is_flag=True, help="First run the arms without evidence.")
@click.option("--unsafe-no-sandbox", "unsafe", is_flag=True, help=UNSAFE_HELP)
@common_options
def command(
    common: Common,
    experiment: str | None,
    as_table: bool,  # noqa: FBT001 (click passes options by keyword)
    run_missing: bool,  # noqa: FBT001
    unsafe: bool,  # noqa: FBT001
) -> int:
    """Compare the arms of an experiment that differ in one declared variable.

    Reads only, unless --run is given: then arms without evidence that counts
    are calibrated and benched first, each one once.
    """
    from abverify.app import compare as use
    from abverify.cli.printing import show
    from abverify.cli.progress import Progress

    if (experiment is None) != as_table:
        raise click.UsageError("name one experiment, or ask for the --table")
    if experiment is None:
        return show(common, use.table(common.root))
    if not run_missing:
        return show(common, use.compare(common.root, experiment))
    watcher = Progress(quiet=common.quiet)
    return show(common, use.compare_running(common.root, experiment, watcher, unsafe=unsafe))

"""`abverify doctor`: what this machine lacks."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from abverify.cli import completion
from abverify.cli.options import common_options

if TYPE_CHECKING:
    from pathlib import Path

    from abverify.cli.invocation import Common


@click.command(epilog="Examples:\n\n  abverify doctor\n\n  abverify doctor S1_004 --format json")
@click.argument("gates", nargs=-1, metavar="[GATE]...", shell_complete=completion.gates)
@common_options
def command(common: Common, gates: tuple[str, ...]) -> int:
    """Say what this machine has and lacks, and the command that mends it.

    Judged by the contracts of the repository, or of the gates that are named;
    where there is no repository, by what `abverify init` starts with. Nothing
    is fetched or changed. Exits with 3 when something needed is missing.
    """
    from abverify.app.doctor import doctor
    from abverify.cli.printing import show

    return show(common, doctor(_repository(common, gates), gates))


def _repository(common: Common, gates: tuple[str, ...]) -> Path | None:
    """The repository, if there is one; a place or a gate that was named must be there."""
    from abverify.errors import UsageError

    try:
        return common.root
    except UsageError:
        if common.root_option is not None or gates:
            raise
        return None

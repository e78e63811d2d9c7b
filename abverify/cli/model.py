"""`abverify model`: what a model is, and what two models share."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from abverify.cli import completion
from abverify.cli.options import PARANOID_HELP, common_options
from abverify.model.model_diff import KEYS

if TYPE_CHECKING:
    from abverify.app.model_sides import Reading
    from abverify.cli.invocation import Common


@click.group()
def command() -> None:
    """Inspect weights and adapters, and compare them."""


@command.command(
    epilog="Examples:\n\n  abverify model inspect model.gguf\n\n  abverify model inspect S1_004"
)
@click.argument("model", metavar="FILE|GATE", shell_complete=completion.gates)
@click.option("--paranoid", is_flag=True, help=PARANOID_HELP)
@common_options
def inspect(common: Common, model: str, paranoid: bool) -> int:  # noqa: FBT001 (click)
    """Show what a GGUF file is: architecture, sizes, types, digests, metadata.

    FILE is a path, base.gguf+adapter.gguf, or a source as contracts write it;
    GATE stands for the model its contract declares.
    """
    from abverify.app.models import inspect_model
    from abverify.cli.printing import show

    return show(common, inspect_model(model, _reading(common, paranoid=paranoid)))


@command.command(
    epilog="Examples:\n\n  abverify model diff base.gguf base.gguf+adapter.gguf\n\n"
    "  abverify model diff V1_004 V1_005 --expect-only weights"
)
@click.argument("a", metavar="A")
@click.argument("b", metavar="B")
@click.option("--expect-only", type=click.Choice(KEYS), help="Fail when anything else differs.")
@click.option("--paranoid", is_flag=True, help=PARANOID_HELP)
@common_options
def diff(common: Common, a: str, b: str, expect_only: str | None, paranoid: bool) -> int:  # noqa: FBT001
    """Say what two models share, and everything that tells them apart.

    A and B are named as for `abverify model inspect`. Exits with 0 when all
    could be compared, with 3 when something could not, and with 1 when
    --expect-only is not met.
    """
    from abverify.app.models import DiffRequest, diff_models
    from abverify.cli.printing import show

    request = DiffRequest(a, b, expect_only)
    return show(common, diff_models(request, _reading(common, paranoid=paranoid)))


def _reading(common: Common, *, paranoid: bool) -> Reading:
    from abverify.app.model_sides import Reading
    from abverify.cli.progress_bytes import ByteProgress

    watch = ByteProgress.on_terminal(quiet=common.quiet)
    return Reading(lambda: common.root, paranoid=paranoid, watch=watch)

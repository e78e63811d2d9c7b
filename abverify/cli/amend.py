"""`abverify amend`: publish a contract version, or ask what a change means."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from abverify.cli.options import common_options
from abverify.cli.signing import signing_options

if TYPE_CHECKING:
    from abverify.app.signing import Signature
    from abverify.cli.options import Common


class AmendGroup(click.Group):
    """A group whose subcommands ask; any other first word is the gate to publish."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Finds the subcommand, or takes the words for a publication."""
        known = args and args[0] in self.commands
        return super().resolve_command(ctx, args if known else ["publish", *args])

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Hands options before the gate to the publication too."""
        if args and args[0].startswith("-") and args[0] not in ctx.help_option_names:
            args = ["publish", *args]
        return super().parse_args(ctx, args)


@click.group(
    cls=AmendGroup,
    epilog="Examples:\n\n  abverify amend S1_004 --introduce --reason 'opens the replica'\n\n"
    "  abverify amend S1_004 --reason 'asks for two passes'\n\n"
    "  abverify amend diff S1_004@1.0.0 S1_004",
)
def command() -> None:
    """Publish a gate's contract, or ask what a change of it means.

    Without a subcommand the first word is the gate to publish: abverify amend
    GATE is abverify amend publish GATE.
    """


@command.command(
    epilog="Example:\n\n  abverify amend publish S1_004 --introduce --reason 'opens the replica'"
)
@click.argument("gate")
@click.option("--introduce", is_flag=True, help="Publish the gate's first contract version.")
@signing_options(proposable=True)
@common_options
def publish(common: Common, signature: Signature, gate: str, introduce: bool) -> int:  # noqa: FBT001
    """Publish a gate's working contract: frozen bytes, pinned inputs, a signed record.

    Without --introduce the gate must be in the ledger already, and the
    contract's version must be higher than the published one.
    """
    from abverify.app.amend import publish as publish_contract
    from abverify.cli.printing import show

    return show(common, publish_contract(common.root, gate, signature, introduce=introduce))


@command.command(
    epilog="Examples:\n\n  abverify amend diff S1_004@1.0.0 S1_004\n\n"
    "  abverify amend diff main:contracts/V1_004.yaml V1_004"
)
@click.argument("old")
@click.argument("new")
@common_options
def diff(common: Common, old: str, new: str) -> int:
    """Class every change between two versions of a contract by its meaning.

    OLD and NEW are each a file, a gate (its working contract), GATE@VERSION for
    a published version, or REVISION:FILE for one in git. Exits with 1 when the
    law forbids publishing NEW after OLD.
    """
    from abverify.app.amend_diff import amend_diff
    from abverify.cli.printing import show

    return show(common, amend_diff(common.root, old, new))


@command.command(
    epilog="Examples:\n\n  abverify amend check origin/main..HEAD\n\n"
    "  abverify amend check v1.2.0..HEAD --format json"
)
@click.argument("revisions", metavar="BASE..HEAD")
@common_options
def check(common: Common, revisions: str) -> int:
    """Judge a pull request: may this change of contracts be merged, and what does it lack?

    Policy, trust root and the tool's configuration are those of BASE, so that a
    change cannot loosen its own judge. Exits with 1 when it is unlawful, 3 when
    a question stays open, and 5 when there was nothing to judge.
    """
    from abverify.app.amend_check import amend_check
    from abverify.cli.printing import show

    return show(common, amend_check(common.root, revisions))


@command.command(epilog="Example:\n\n  abverify amend history v1.0.0..main")
@click.argument("revisions", metavar="BASE..HEAD")
@common_options
def history(common: Common, revisions: str) -> int:
    """Judge every commit of a range against the one before it, one line a commit."""
    from abverify.app.amend_check import amend_history
    from abverify.cli.printing import show

    return show(common, amend_history(common.root, revisions))

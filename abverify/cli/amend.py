"""`abverify amend`: publish a contract version, or ask what a change means."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from abverify.cli import completion
from abverify.cli.options import common_options
from abverify.cli.signing import signing_options

if TYPE_CHECKING:
    from abverify.app.signing import Signature
    from abverify.cli.invocation import Common


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
    epilog="Examples:\n\n  abverify amend S1_004 --set evidence.valid_days=90 --reason fresher\n\n"
    "  abverify amend S1_004 --set criteria.oracle.at_least=2 --reason 'two passes' --dry-run\n\n"
    "  abverify amend V1_004 --new-gate V1_006 --set model.name=Other --reason 'another model'\n\n"
    "  abverify amend publish S1_004 --reason 'edited by hand'"
)
@click.argument("gate", shell_complete=completion.gates)
@click.option("--introduce", is_flag=True, help="Publish the gate's first contract version.")
@click.option(
    "--set",
    "settings",
    metavar="PATH=VALUE",
    multiple=True,
    help="Change a value of the contract first, and nothing else in it; may be repeated.",
)
@click.option("--new-gate", metavar="NAME", help="Open a gate that succeeds this one instead.")
@click.option("--dry-run", is_flag=True, help="Say what would be done; change and sign nothing.")
@signing_options(proposable=True)
@common_options
def publish(common: Common, signature: Signature, gate: str, **request: Any) -> int:
    """Publish a gate's contract: one step with its copies, pins, documents and signed record.

    With --set the contract is edited and given the version that the change asks
    for; without, it is published as it stands. Where the change needs more than
    one approval, a proposal is written for the others to sign. Without
    --introduce or --new-gate the gate must be in the ledger already.
    """
    from abverify.app.amend import AmendRequest
    from abverify.app.amend import publish as publish_contract
    from abverify.cli.printing import show

    asked = AmendRequest(**request)
    if asked.introduce and asked.new_gate:
        raise click.UsageError("--new-gate introduces the new gate: leave out --introduce")
    return show(common, publish_contract(common.root, gate, signature, asked))


@command.command(epilog="Example:\n\n  abverify amend recover")
@common_options
def recover(common: Common) -> int:
    """Settle an amendment that was cut off: finished if its record is in, else taken back.

    The next amendment does the same by itself. Exits with 5 when none was cut off.
    """
    from abverify.app.amend_told import recovered
    from abverify.cli.printing import show
    from abverify.workspace.undo import recover as recover_files

    return show(common, recovered(recover_files(common.root)))


@command.command(epilog="Example:\n\n  abverify amend fix")
@common_options
def fix(common: Common) -> int:
    """Bring into step what moves with a contract, as far as there is one right answer.

    Pins of foreign contracts, mirrors that are folders here, roll-ups and
    regions. Signs and publishes nothing. Exits with 1 when something is still
    out of step, 3 when it cannot be told, and 5 when nothing is declared.
    """
    from abverify.app.ritual_fix import fix as fix_steps
    from abverify.cli.printing import show

    return show(common, fix_steps(common.root))


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

    return show(common, amend_check(common.root, revisions, asked_at=common.root_option))


@command.command(epilog="Example:\n\n  abverify amend history v1.0.0..main")
@click.argument("revisions", metavar="BASE..HEAD")
@common_options
def history(common: Common, revisions: str) -> int:
    """Judge every commit of a range against the one before it, one line a commit."""
    from abverify.app.amend_check import amend_history
    from abverify.cli.printing import show

    return show(common, amend_history(common.root, revisions, asked_at=common.root_option))

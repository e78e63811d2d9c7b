"""The root command: lazy verbs, did-you-mean, and the one place where errors become exit codes."""

from __future__ import annotations

import atexit
import gc
import importlib
import io
import os
import signal
import sys
import threading
from typing import TYPE_CHECKING, Any, NoReturn

import click

from abverify._version import __version__
from abverify.cli.streams import abandon_output, no_room, open_streams

if TYPE_CHECKING:
    from abverify.errors import AbverifyError

SECTIONS = {
    "Ask": {
        "check": "Is this gate open? Decide from evidence and ledger, and say why.",
        "compare": "Compare the arms of an experiment, and say what may be concluded.",
        "status": "Every gate and scope, with its state derived from the ledger.",
        "log": "The records of a gate or of all, in order.",
        "show": "One verified record, whole.",
        "audit": "Verify every record, its signatures, and all that it cites.",
        "report": "One HTML page about a gate, an experiment, the audit or everything.",
        "lint": "Find what is wrong with contracts and fixtures before anything runs.",
        "doctor": "What this machine lacks of what contracts need, and what mends it.",
    },
    "Measure": {
        "run": "Run a gate's calibration, smoke test or bench, and keep the evidence.",
        "plan": "What an experiment's design can find, before anything runs.",
        "model": "Inspect weights and adapters, and say what two of them share.",
        "evidence": "Show and verify evidence bundles.",
        "toolcalls": "Parse tool calls out of raw assistant text.",
    },
    "Change and sign": {
        "amend": "Publish a contract version, signed; or judge a change, a branch, a history.",
        "render": "Make documents show what contracts and ledger say, or find where they do not.",
        "discharge": "Sign that a gate is met.",
        "suspend": "Sign a suspension of a scope or of gates.",
        "lift": "Sign the end of a suspension whose conditions are covered.",
        "retract": "Sign that a record is void, with all that rests on it.",
        "sign": "Add a signature to a proposed record; with enough it enters the ledger.",
        "integrate": "Take waiting records into the log, and sign its checkpoint.",
        "trust": "Who may sign what: start, rotate, revoke, co-sign or show the trust root.",
        "keys": "Make and list signing keys; they live outside the repository.",
        "record": "Export records in the forms of other tools.",
    },
    "Set up and look up": {
        "init": "Start a repository: a contract, a fixture, a key, a trust root, CI.",
        "schema": "Print the JSON Schema of a document.",
        "explain": "Explain a rule, with a failing and a passing example.",
    },
}
"""The verbs by what they are for; each is the module of its name."""

VERBS = {name: meaning for verbs in SECTIONS.values() for name, meaning in verbs.items()}

INTERRUPTED = 130
INTERNAL = 70


class LazyGroup(click.Group):
    """A group that imports a verb's module only when the verb is used."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The verbs, sorted."""
        del ctx
        return sorted(VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The verb's command, imported now."""
        del ctx
        if cmd_name not in VERBS:
            return None
        module = importlib.import_module(f"abverify.cli.{cmd_name}")
        command: click.Command = module.command
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Finds the verb, or says which one was probably meant."""
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError as error:
            import difflib

            close = difflib.get_close_matches(args[0], VERBS, n=2, cutoff=0.5)
            if not close or args[0] in VERBS:
                raise
            meant = f"{error.message} Did you mean {' or '.join(close)}?"
            raise click.UsageError(meant, ctx) from None

    def invoke(self, ctx: click.Context) -> Any:
        """Runs the verb; a reader who closed the pipe has seen enough, which is no failure."""
        try:
            return super().invoke(ctx)
        except BrokenPipeError:
            abandon_output()
            return 0

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Lists the verbs by what they are for, without importing any of them."""
        del ctx
        for title, verbs in SECTIONS.items():
            with formatter.section(title):
                formatter.write_dl(list(verbs.items()), col_max=12)


@click.group(
    cls=LazyGroup,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Exit codes: 0 met or clean, 1 not met, 2 usage or invalid input, 3 cannot evaluate, "
    "4 integrity or trust failure, 5 nothing to check, 70 internal error, 130 interrupted.",
)
@click.version_option(__version__, prog_name="abverify")
def root() -> None:
    """Contract gates for language models: run the evidence, decide, and sign."""


def main(arguments: list[str] | None = None) -> NoReturn:
    """Runs the command line and exits with a documented code; a traceback is never shown."""
    open_streams()
    signal.signal(signal.SIGTERM, _interrupt)
    # A plugin that some other package brings could change what a contract means, and looking
    # for one takes longer than reading the contract.
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
    code = run(sys.argv[1:] if arguments is None else arguments)
    gc.freeze()
    if arguments is None:
        _leave(code)
    sys.exit(code)


def _leave(code: int) -> None:
    """Ends the process as it stands: taking every module apart takes longer than a signature.

    What was registered for the end is done, and what was printed is out. Where another thread
    still runs, or standard output fails, Python ends the process in its own way.
    """
    if threading.active_count() > 1:
        return
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    except (OSError, ValueError):
        return
    atexit._run_exitfuncs()  # noqa: SLF001 (multiprocessing ends its processes so, too)
    os._exit(code)


def _interrupt(*_: object) -> NoReturn:
    """A request to end is Ctrl-C: what is half-done is taken back on the way out."""
    raise KeyboardInterrupt


def run(arguments: list[str]) -> int:
    """Runs the command line and returns its exit code."""
    from abverify.errors import AbverifyError, exit_code_of

    try:
        result: Any = root.main(args=arguments, prog_name="abverify", standalone_mode=False)
    except AbverifyError as error:
        _say(_guided(error))
        return exit_code_of(error)
    except click.ClickException as error:
        _say(_click_text(error))
        return error.exit_code
    except (KeyboardInterrupt, click.Abort):
        _say("interrupted: everything finished so far is kept; run the same command to go on")
        return INTERRUPTED
    except Exception as error:  # noqa: BLE001 (the last resort: a bug must not look like a verdict)
        if (full := no_room(error)) is not None:
            abandon_output()
            _say(_guided(full))
            return exit_code_of(full)
        from abverify.cli.crash import write_report

        _say(write_report(error, arguments))
        return INTERNAL
    return result if isinstance(result, int) else 0


def _click_text(error: click.ClickException) -> str:
    """What click would print itself, raw; it repeats what was typed as it was typed."""
    buffer = io.StringIO()
    error.show(buffer)
    return buffer.getvalue().rstrip("\n")


def _guided(error: AbverifyError) -> str:
    """The diagnostics, each with a next step: where none is closer, the rule explained."""
    from abverify.errors import members

    parts = []
    for member in members(error):
        explain = "" if member.next_step else f"\n  next: abverify explain {member.rule}"
        parts.append(member.diagnostics() + explain)
    return "\n".join(parts)


def _say(text: str) -> None:
    from abverify.report.plain import inert

    click.echo("\n".join(map(inert, text.split("\n"))), err=True)

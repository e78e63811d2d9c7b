"""The options of every verb that signs."""

from __future__ import annotations

import os
import re
from functools import wraps
from typing import TYPE_CHECKING, Any

import click

from abverify.cli import completion

if TYPE_CHECKING:
    from collections.abc import Callable

KEY_HELP = (
    "Who signs: a name in the key folder, a private key's file, agent:NAME for a key of the SSH "
    "agent, or SCHEME:PLACE#PUBLIC for a token or service."
)
_PROPOSE = click.option(
    "--propose", is_flag=True, help="If others must sign too, write a proposal for them."
)
_MILESTONE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,79}")


def signing_options(
    *, reason: str | None = None, proposable: bool = False
) -> Callable[[Callable[..., Any]], Any]:
    """Adds `--key`, `--reason` and `--milestone`, handed over as one `Signature`.

    Args:
        reason: the reason recorded when none is given; without it one must be given.
        proposable: whether to add `--propose` too.
    """

    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(function)
        def wrapper(
            *arguments: Any,
            key: str,
            reason: str,
            milestone: str | None,
            propose: bool = False,
            **rest: Any,
        ) -> Any:
            from abverify.app.signing import Signature

            signature = Signature(key, reason, milestone, ask_passphrase, propose=propose)
            return function(*arguments, signature=signature, **rest)

        options = (
            click.option(
                "--key",
                default="operator",
                show_default=True,
                metavar="KEY",
                help=KEY_HELP,
                shell_complete=completion.keys,
            ),
            click.option(
                "--reason",
                # An explicit `default=None` would count as given and need no --reason.
                **({"required": True} if reason is None else {"default": reason}),
                metavar="TEXT",
                help="Why, for later readers; it becomes part of the record.",
            ),
            click.option("--milestone", metavar="ID", callback=_milestone, help="Such as M294."),
        )
        for option in reversed((*options, *((_PROPOSE,) if proposable else ()))):
            wrapper = option(wrapper)
        return wrapper

    return decorate


def _milestone(_: click.Context, __: click.Parameter, value: str | None) -> str | None:
    if value is not None and not _MILESTONE.fullmatch(value):
        raise click.BadParameter("letters, digits, '_', '.' and '-' only, for example M294")
    return value


def ask_passphrase(*, twice: bool = False) -> str:
    """The passphrase as typed at the terminal; empty where there is no terminal to type at."""
    try:
        os.close(os.open("/dev/tty", os.O_RDWR | os.O_NOCTTY))
    except OSError:
        return ""
    return str(click.prompt("passphrase", hide_input=True, confirmation_prompt=twice, err=True))

"""What can go wrong with the sandbox itself; none of it says anything about the model."""

from __future__ import annotations

from typing import TYPE_CHECKING

from abverify.errors import IndeterminateError

if TYPE_CHECKING:
    from collections.abc import Sequence


class SandboxMissing(IndeterminateError):  # noqa: N818 (named for what is missing)
    """No sandbox works on this host, so no untrusted code will be run."""

    def __init__(self, reason: str, next_step: str) -> None:
        super().__init__(
            "no working sandbox: the shell tool and the oracles stay off",
            rule="AV501",
            expected="bubblewrap 0.7 or newer that can isolate a process on this host",
            found=reason,
            next_step=f"{next_step}; or --unsafe-no-sandbox, whose evidence never counts",
        )


class ToolchainMissing(IndeterminateError):  # noqa: N818 (named for what is missing)
    """A fixture's language cannot be run here.

    Attributes:
        name: the toolchain asked for; the message names the program of it that is missing.
        tried: where it was looked for, in order.
    """

    def __init__(
        self, name: str, tried: Sequence[str], install: str, *, program: str | None = None
    ) -> None:
        super().__init__(
            f"cannot-evaluate: toolchain {program or name} not found",
            rule="AV502",
            expected=f"a working {name} toolchain",
            found="tried " + ", ".join(tried),
            next_step=install,
        )
        self.name = name
        self.tried = tuple(tried)


class SandboxFailed(IndeterminateError):  # noqa: N818 (reads as the event it reports)
    """The sandbox could not start or could not be ended: infrastructure, no measurement."""

    def __init__(self, reason: str) -> None:
        super().__init__(
            "the sandbox failed; the command's result is unknown",
            rule="AV503",
            expected="the sandbox to start, and every process in it to end",
            found=reason,
            next_step="run it again; if it stays, run the sandbox's probe for the cause",
        )

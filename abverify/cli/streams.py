"""The standard streams when they are not what a program expects: closed, left early, or full."""

from __future__ import annotations

import errno
import os
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from abverify.errors import AbverifyError

_FULL = frozenset([errno.ENOSPC, errno.EDQUOT, errno.EFBIG])
_STANDARD_ERROR = 2


def open_streams() -> None:
    """Opens what the caller closed onto nowhere.

    Else the next file that is opened, a record perhaps, would stand where results are written.
    """
    while (opened := os.open(os.devnull, os.O_RDWR)) <= _STANDARD_ERROR:
        os.set_inheritable(opened, True)  # noqa: FBT003 (as the standard streams are)
    os.close(opened)
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        if getattr(sys, name) is None:
            mode = "w" if number else "r"
            setattr(sys, name, os.fdopen(number, mode, encoding="utf-8", closefd=False))


def abandon_output() -> None:
    """Sends what is left of standard output nowhere, so that nothing more can fail on it."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)


def no_room(error: Exception) -> AbverifyError | None:
    """A full disk as what it is, which is nobody's bug; None for any other error."""
    from abverify.errors import IndeterminateError

    if not isinstance(error, OSError) or error.errno not in _FULL:
        return None
    return IndeterminateError(
        "there is no room for what was to be written",
        rule="AV404",
        place=str(error.filename or "standard output, or a file"),
        expected="room on the disk",
        found=error.strerror or "none",
        next_step="make room, and run the same command again",
    )

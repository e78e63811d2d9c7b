"""The trust root as it is known from outside the repository: one digest in the environment."""

from __future__ import annotations

import os
import re

from abverify.errors import UsageError

PIN_VARIABLE = "ABVERIFY_TRUST_ROOT"
_DIGEST = re.compile(r"[0-9a-f]{64}")


def pinned_root(option: str | None = None) -> str | None:
    """The digest that some version of the trust root must have.

    Args:
        option: the digest as typed; None reads `$ABVERIFY_TRUST_ROOT`.

    Returns:
        The digest; None if none is known, and the repository is taken at its word.

    Raises:
        UsageError: AV424 for something that is no digest.
    """
    pin = option or os.environ.get(PIN_VARIABLE) or None
    if pin is not None and not _DIGEST.fullmatch(pin):
        raise UsageError(
            "a trust root is pinned by its sha256",
            rule="AV424",
            place="--root-sha256" if option else PIN_VARIABLE,
            expected="64 hex digits",
            found=pin,
            next_step="abverify trust show prints it",
        )
    return pin

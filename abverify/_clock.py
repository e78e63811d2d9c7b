"""The only place that asks what time it is.

`ABVERIFY_NOW` (RFC 3339, `Z`) fixes the clock for tests and for replaying a
decision as of a date; a value that cannot be read is refused, never ignored.
"""

from __future__ import annotations

import os
from datetime import UTC, datetime

from abverify.errors import UsageError

_FORMAT = "%Y-%m-%dT%H:%M:%SZ"


def now() -> datetime:
    """The current time in UTC, to the second."""
    fixed = os.environ.get("ABVERIFY_NOW")
    if fixed is None:
        return datetime.now(UTC).replace(microsecond=0)
    try:
        return parse_timestamp(fixed)
    except ValueError:
        raise UsageError(
            "ABVERIFY_NOW is not a timestamp",
            rule="AV002",
            expected="2026-01-31T12:00:00Z",
            found=fixed,
        ) from None


def timestamp(moment: datetime) -> str:
    """RFC 3339 with `Z`, to the second: the only form written into evidence and records."""
    return moment.astimezone(UTC).strftime(_FORMAT)


def parse_timestamp(text: str) -> datetime:
    """Reads exactly the form `timestamp` writes.

    Raises:
        ValueError: for any other form.
    """
    moment = datetime.fromisoformat(text).replace(tzinfo=UTC)
    if timestamp(moment) != text:
        raise ValueError(f"{text!r} is not spelt as {timestamp(moment)}")
    return moment

"""Makes one attempt; the last line says `ESCAPED`, or `refused: ` and what stopped it."""

from __future__ import annotations

import json
import sys

from . import exhaustion, files, kernel, network, processes, survival

_KINDS = (exhaustion, files, kernel, network, processes, survival)


def main(name: str, facts: str) -> str:
    """The last line, for the attempt of that name."""
    (attempt,) = (getattr(kind, name) for kind in _KINDS if hasattr(kind, name))
    try:
        escaped = attempt(json.loads(facts))
    except BaseException as error:  # noqa: BLE001 (whatever stopped it is what is asked for)
        number = getattr(error, "errno", None)
        said = type(error).__name__
        return f"refused: {said} {number}" if number is not None else f"refused: {said}"
    return "ESCAPED" if escaped else "refused: nothing gained"


print(main(*sys.argv[1:]))  # noqa: T201 (this is what the test reads)

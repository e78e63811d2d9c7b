"""abverify: contract gates for language models.

Run the evidence, prove what produced it, decide, and sign.

The small public API answers the read-only questions as values; nothing is
imported before a name is used:

* `check(root, gate)`: is this gate open? A `CheckReport`.
* `status(root)`: the state of every gate and scope. A `StatusReport`.
* `audit(root)`, `lint(root, gates)`: what is wrong. A `FindingsReport`.
* `parse_tool_calls(text, finish_reason=…, tools=…, profile=…)`: a `ParsedTurn`.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from abverify._version import __version__

if TYPE_CHECKING:
    from abverify.app.audit import audit
    from abverify.app.check import check
    from abverify.app.lint import lint
    from abverify.app.status import status
    from abverify.toolcalls import parse as parse_tool_calls

__all__ = ["__version__", "audit", "check", "lint", "parse_tool_calls", "status"]

_PLACES = {
    "audit": ("abverify.app.audit", "audit"),
    "check": ("abverify.app.check", "check"),
    "lint": ("abverify.app.lint", "lint"),
    "parse_tool_calls": ("abverify.toolcalls", "parse"),
    "status": ("abverify.app.status", "status"),
}


def __getattr__(name: str) -> Any:
    if name not in _PLACES:
        raise AttributeError(f"module 'abverify' has no attribute {name!r}")
    module, attribute = _PLACES[name]
    return getattr(importlib.import_module(module), attribute)


def __dir__() -> list[str]:
    return sorted([*globals(), *_PLACES])

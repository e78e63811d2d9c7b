"""Which harness wrote a log, and who reads it.

A reader's module has two functions: ``recognises(files)`` and
``read(files, *, scorer)``, where files are the bytes of one run's files by name.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Protocol, cast, get_args

from abverify.errors import UsageError
from abverify.evidence.foreign.log import ForeignLog, Tool

if TYPE_CHECKING:
    from collections.abc import Mapping

TOOLS: tuple[Tool, ...] = get_args(Tool)


class Reader(Protocol):
    """A module that reads one harness's logs."""

    def recognises(self, files: Mapping[str, bytes]) -> bool:
        """Whether the files look like one run of this harness."""

    def read(self, files: Mapping[str, bytes], *, scorer: str | None) -> ForeignLog:
        """Reads one run.

        Raises:
            InvalidError: AV841 if it cannot be read, AV842 if one scorer must be named.
        """


def reader(tool: Tool) -> Reader:
    """The reader of a harness's logs."""
    return cast("Reader", import_module(f"{__package__}.{_MODULES[tool]}"))


def read_foreign(
    files: Mapping[str, bytes], *, tool: Tool | None = None, scorer: str | None = None
) -> ForeignLog:
    """Reads a run of another harness.

    Args:
        files: the run's files by name.
        tool: which harness wrote them; found out when None.
        scorer: which grades count, where there are several.

    Raises:
        UsageError: AV840 if nobody, or more than one harness, would have written that.
        InvalidError: AV841 or AV842.
    """
    candidates = [tool] if tool else [one for one in _MODULES if reader(one).recognises(files)]
    if len(candidates) != 1:
        raise UsageError(
            f"the log is of {' or '.join(candidates) or 'no harness that is known here'}",
            rule="AV840",
            place=", ".join(files),
            expected=f"one log of {', '.join(_MODULES)}",
            found=" and ".join(candidates) or "none",
            next_step="name the harness with --from",
        )
    return reader(candidates[0]).read(files, scorer=scorer)


_MODULES: dict[Tool, str] = {
    "inspect": "inspect_log",
    "lm-eval": "lm_eval",
    "promptfoo": "promptfoo",
    "bfcl": "bfcl",
}

"""Gate ids: qualified, resolved through a registry, refused when ambiguous."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from abverify.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Collection

_NAMESPACE = r"[a-z0-9][a-z0-9-]{0,63}"
_NAME = r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}"
_QUALIFIED = re.compile(f"({_NAMESPACE})/({_NAME})")
GATE_ID_PATTERN = f"^{_NAMESPACE}/{_NAME}$"


@dataclass(frozen=True, slots=True, order=True)
class GateId:
    """A gate's qualified id, `namespace/NAME`; the name alone is the short id."""

    namespace: str
    name: str

    @classmethod
    def parse(cls, text: str) -> GateId:
        """Reads `namespace/NAME`.

        Raises:
            UsageError: AV110 for any other shape.
        """
        match = _QUALIFIED.fullmatch(text)
        if match is None:
            raise UsageError(
                f"{text!r} is not a qualified gate id",
                rule="AV110",
                expected="namespace/NAME, for example qwen3-moe-serve-dispatch/V1_004",
                found=text,
            )
        return cls(match[1], match[2])

    def __str__(self) -> str:
        return f"{self.namespace}/{self.name}"


def resolve(text: str, known: Collection[GateId]) -> GateId:
    """The one known gate that `text` names, qualified or short.

    Raises:
        UsageError: AV110 when no known gate matches, AV111 when several do.
    """
    matches = sorted(gate for gate in known if text in (gate.name, str(gate)))
    if len(matches) == 1:
        return matches[0]
    if matches:
        names = ", ".join(map(str, matches))
        raise UsageError(
            f"{text!r} is ambiguous: {len(matches)} gates have that name",
            rule="AV111",
            expected=f"one of: {names}",
            found=text,
            next_step=f"name it in full, for example: abverify check {matches[0]}",
        )
    raise UsageError(
        f"no gate is called {text!r}",
        rule="AV110",
        expected=_suggestion(text, known),
        found=text,
        next_step="abverify status lists the gates",
    )


def _suggestion(text: str, known: Collection[GateId]) -> str:
    import difflib

    names = sorted({name for gate in known for name in (gate.name, str(gate))})
    close = difflib.get_close_matches(text, names, n=3, cutoff=0.5)
    if close:
        return "did you mean " + " or ".join(close) + "?"
    return "one of: " + ", ".join(str(gate) for gate in sorted(known)) if known else "a contract"

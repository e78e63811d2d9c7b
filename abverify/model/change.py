"""A change between two versions of a contract, classed by its meaning."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from abverify._canonical import canonical_digest
from abverify._frozen import frozen

if TYPE_CHECKING:
    from collections.abc import Iterable

ChangeClass = Literal["C0", "C1", "C2", "C3", "C4", "C5", "C6", "C7", "C8", "C9"]
PublishableClass = Literal["C0", "C1", "C2", "C3", "C4", "C5", "C6", "C7", "C9"]
"""Every class but the frozen breach, which no record can hold."""
Bump = Literal["patch", "minor", "major"]
Consequence = Literal["reuse", "rescore", "rerun", "refused"]
"""What becomes of earlier evidence: it counts on, is scored again, or must be made anew."""

CLASSES: dict[ChangeClass, tuple[str, str]] = {
    "C0": ("format", "other bytes, the same meaning and the same words"),
    "C1": ("editorial", "other words, the same meaning"),
    "C2": ("tightening", "strictly less is accepted"),
    "C3": ("loosening", "strictly more is accepted; no old failure becomes a pass"),
    "C4": ("redefining", "what is measured, or what counts, is another thing"),
    "C5": ("retargeting", "another model"),
    "C6": ("reconfiguring", "another configuration of the same model"),
    "C7": ("corpus", "other fixtures"),
    "C8": ("frozen breach", "a field that may never change was changed: refused"),
    "C9": ("governance", "who may change what"),
}
"""Each class's name and definition, as the amendment law has them."""

_GRAVITY: tuple[ChangeClass, ...] = ("C0", "C1", "C2", "C3", "C4", "C6", "C7", "C5", "C9", "C8")
ONE_AT_A_TIME: frozenset[ChangeClass] = frozenset(("C3", "C4", "C5", "C6", "C7"))
"""More than one of these in one amendment must be split: one variable at a time."""


@frozen
class Change:
    """One change.

    Attributes:
        path: the dotted path of keys in the contract; `(bytes)` for a mere change of format.
        old: the value before, as JSON text; null where there was none.
        new: the value after.
        change_class: what the change means.
        bump: the least version step it needs.
        approvals: how many people must approve it.
        consequence: what becomes of earlier evidence.
        why: the reason for the class, in one sentence.
        old_place: file, line and column of the old value.
        new_place: the same of the new one.
        witness: for criteria, scoreboards that pass one version and fail the other.
    """

    path: str
    old: str | None
    new: str | None
    change_class: ChangeClass
    bump: Bump
    approvals: int
    consequence: Consequence
    why: str
    old_place: str | None = None
    new_place: str | None = None
    witness: tuple[str, ...] = ()

    @property
    def fingerprint(self) -> str:
        """Sixteen hex digits over class, path and both values: what an approval is bound to."""
        return canonical_digest([self.change_class, self.path, self.old, self.new])[:16]

    def to_json(self) -> dict[str, Any]:
        """The change as plain JSON data."""
        return {
            "path": self.path,
            "old": self.old,
            "new": self.new,
            "class": self.change_class,
            "name": CLASSES[self.change_class][0],
            "bump": self.bump,
            "approvals": self.approvals,
            "consequence": self.consequence,
            "why": self.why,
            "oldPlace": self.old_place,
            "newPlace": self.new_place,
            "witness": list(self.witness),
            "fingerprint": self.fingerprint,
        }


def headline(classes: Iterable[ChangeClass]) -> ChangeClass:
    """The gravest of some classes; C0 of none."""
    return max(classes, key=_GRAVITY.index, default="C0")


def fingerprint(changes: Iterable[Change]) -> str:
    """Sixteen hex digits over a set of changes, whatever their order: it survives a rebase."""
    return canonical_digest(sorted(change.fingerprint for change in changes))[:16]

"""The class of a change of one field, by the field's place in the contract and both values.

Every field of a contract has a rule here; a field without one is `C4`, the
class of all that cannot be proved to be less.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from abverify.model.change import ChangeClass

Judged: TypeAlias = "tuple[ChangeClass, str]"
"""A class, and the reason for it in one sentence."""
Leaves: TypeAlias = "Mapping[str, Any]"
"""Every leaf of a contract by its dotted path; a field that is absent is None."""
Rule: TypeAlias = "Callable[[Any, Any, Leaves, Leaves], Judged]"

_WEIGHTS = "model.weights.sha256"
_ADAPTER = "model.adapter.sha256"


def classify(path: str, old: Leaves, new: Leaves) -> Judged:
    """The class of a field that differs between two versions.

    Args:
        path: the field's dotted path.
        old: every leaf of the version before.
        new: every leaf of the version after.
    """
    parts = path.split(".")
    for length in range(len(parts), 0, -1):
        rule = _RULES.get(".".join(parts[:length]))
        if rule is not None:
            return rule(old.get(path), new.get(path), old, new)
    return "C4", "no rule proves this field harmless"


def _always(change_class: ChangeClass, why: str) -> Rule:
    def rule(_old: Any, _new: Any, _before: Leaves, _after: Leaves) -> Judged:
        return change_class, why

    return rule


def _lower_is_looser(what: str) -> Rule:
    def rule(old: Any, new: Any, _before: Leaves, _after: Leaves) -> Judged:
        return ("C3", f"{what} is lower") if new < old else ("C2", f"{what} is higher")

    return rule


def _higher_is_looser(what: str) -> Rule:
    def rule(old: Any, new: Any, _before: Leaves, _after: Leaves) -> Judged:
        return ("C3", f"{what} is longer") if new > old else ("C2", f"{what} is shorter")

    return rule


def _description(old: Any, new: Any, _before: Leaves, _after: Leaves) -> Judged:
    """A demand on the model's bytes or metadata: stated first, withdrawn, or another one."""
    if old is None:
        return "C2", "the model is bound where it was only described: fewer models are it"
    if new is None:
        return "C3", "the model is bound no more: other models are it too"
    return "C5", "another model is named"


def _where(digest: str) -> Rule:
    """A name or place of bytes: of no weight while the bytes themselves are pinned and the same."""

    def rule(_old: Any, _new: Any, before: Leaves, after: Leaves) -> Judged:
        if before.get(digest) is not None and before.get(digest) == after.get(digest):
            return "C1", "the bytes are pinned, and the same"
        return "C5", "nothing proves that it leads to the same bytes"

    return rule


def _adapter_digest(old: Any, new: Any, before: Leaves, after: Leaves) -> Judged:
    had, has = (leaves.get("model.adapter.name") is not None for leaves in (before, after))
    if had != has:
        return "C5", "an adapter makes another model"
    return _description(old, new, before, after)


def _adapter_name(old: Any, new: Any, before: Leaves, after: Leaves) -> Judged:
    if old is None or new is None:
        return "C5", "an adapter makes another model"
    return _where(_ADAPTER)(old, new, before, after)


def _identity(_old: Any, new: Any, _before: Leaves, _after: Leaves) -> Judged:
    if new == "asserted":
        return "C3", "a weaker proof of the model's identity is enough"
    return "C2", "a stronger proof of the model's identity is needed"


_RULES: Mapping[str, Rule] = {
    "schema": _always("C4", "another schema gives the same words another meaning"),
    "id": _always("C8", "a gate keeps its id for ever"),
    "supersedes": _always("C8", "a gate keeps its predecessor for ever"),
    "title": _always("C1", "a title is for readers"),
    "origin": _always("C1", "the origin is for readers"),
    "model.name": _always("C5", "another model is named"),
    "model.weights.sha256": _description,
    "model.weights.file": _where(_WEIGHTS),
    "model.source": _where(_WEIGHTS),
    "model.describe": _description,
    "model.adapter.sha256": _adapter_digest,
    "model.adapter.name": _adapter_name,
    "model.adapter.file": _adapter_name,
    "model.adapter.scale": _always("C5", "another scale of the adapter makes another model"),
    "identity": _identity,
    "config": _always("C6", "it can change what the model says, or what is done with it"),
    "config.parser": _always("C4", "the parser decides what a tool call is"),
    "evidence.smoke": _always("C6", "another smoke test"),
    "evidence.bench.corpus": _always("C7", "another corpus"),
    "evidence.bench.min_completed": _lower_is_looser("the number of fixtures to be measured"),
    "evidence.bench.stop": _always("C4", "another stopping rule makes another measurement"),
    "evidence.calibration.max_age_days": _higher_is_looser("the age a calibration may have"),
    "evidence.valid_days": _higher_is_looser("the time that evidence counts"),
    "estimand": _always("C4", "the verdict speaks of something else"),
    "lifts": _always("C9", "what the gate may lift decides who is let through"),
    "amendment": _always("C9", "the law of amendments itself"),
}
"""By path, the longest prefix first."""

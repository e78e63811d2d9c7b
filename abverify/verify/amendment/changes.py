"""What changed between two versions of a contract: every change, its class, and what follows.

The comparison is over what the two documents mean: defaults filled in, decimals by
value, lists that are sets as sets, criteria by what they accept. A difference that
is left over after that is a difference of bytes alone.
"""

from __future__ import annotations

import json
from dataclasses import field
from typing import TYPE_CHECKING, Any

from abverify._frozen import frozen
from abverify.model.change import Change
from abverify.model.value import normal_decimal
from abverify.verify.amendment.classes import classify
from abverify.verify.amendment.implication import relate

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from fractions import Fraction

    from abverify.model.change import Bump, ChangeClass, Consequence
    from abverify.model.contract import Contract
    from abverify.verify.amendment.classes import Judged
    from abverify.verify.amendment.implication import CriteriaChange, Relation, Scoreboard

FORMAT_PATH = "(bytes)"
_BUMP: dict[ChangeClass, Bump] = {"C0": "patch", "C1": "patch", "C2": "minor"}
_CONSEQUENCE: dict[ChangeClass, Consequence] = {
    "C0": "reuse",
    "C1": "reuse",
    "C2": "rescore",
    "C8": "refused",
    "C9": "reuse",
}
_BY_RELATION: dict[Relation, Judged] = {
    "equivalent": ("C1", "the new criteria accept exactly what the old did"),
    "tighter": ("C2", "the new criteria accept strictly less"),
    "looser": ("C3", "the new criteria accept strictly more"),
    "incomparable": ("C4", "each accepts something that the other does not"),
}
_NAMED_BY = {"prompt": "config.prompt.system", "corpus": "evidence.bench.corpus"}
"""The field that names an input: whoever freezes it freezes the bytes behind it."""
_SETS = frozenset(["lifts", "amendment.frozen"])
_DECIMALS = ("config.sampling.", "model.adapter.scale")


@frozen
class Side:
    """One version of a contract, with what its inputs were.

    Attributes:
        contract: what the document says.
        data: its bytes.
        inputs: the digest of each input, by path; an input left out is not compared.
        fixtures: the digest of each fixture of the corpus; None if the corpus is not at hand.
        places: `file:line:column` of a path of keys, for messages.
    """

    contract: Contract
    data: bytes
    inputs: Mapping[str, str] = field(default_factory=dict)
    fixtures: Mapping[str, str] | None = None
    places: Mapping[tuple[str | int, ...], str] = field(default_factory=dict)


def changes_between(old: Side, new: Side) -> tuple[Change, ...]:
    """Every change from one version to the next, in the order of the contract's fields.

    A gate that succeeds another is compared with it too; that it has an id of its own
    and names its predecessor is then no change.

    The version itself is no change: it is what a change must raise. Two versions
    of the same bytes have none.
    """
    found = tuple(_changes(old, new))
    if succeeds(new.contract, old.contract):
        return tuple(change for change in found if change.path not in ("id", "supersedes"))
    if found or _without_version(old) == _without_version(new):
        return found
    why = "the documents mean the same, and say it in the same words"
    return (_change(FORMAT_PATH, None, None, ("C0", why), old, new),)


def succeeds(new: Contract, old: Contract) -> bool:
    """Whether one contract opens a gate that takes the other's place: no amendment of it."""
    return new.id != old.id and new.supersedes == old.id


def leaves(contract: Contract) -> dict[str, Any]:
    """Every field of a contract but version and criteria, by dotted path, defaults filled in."""
    document = contract.to_json()
    del document["version"], document["criteria"]
    return {path: _normal(path, value) for path, value in _walk("", document)}


def _walk(prefix: str, value: Any) -> Iterator[tuple[str, Any]]:
    if not isinstance(value, dict):
        yield prefix, value
        return
    for key, member in value.items():
        yield from _walk(f"{prefix}.{key}" if prefix else key, member)


def _normal(path: str, value: Any) -> Any:
    if path in _SETS:
        return sorted(value)
    if isinstance(value, str) and path.startswith(_DECIMALS) and _is_decimal(value):
        return normal_decimal(value)
    return value


def _is_decimal(text: str) -> bool:
    return text.replace(".", "", 1).removeprefix("-").isdigit()


def _changes(old: Side, new: Side) -> Iterator[Change]:
    before, after = leaves(old.contract), leaves(new.contract)
    frozen = old.contract.amendment.frozen
    for path in dict.fromkeys((*before, *after)):
        if before.get(path) == after.get(path):
            continue
        judged = _field_class(path, before, after, old, new)
        judged = _breach(path, frozen) or judged
        yield _change(path, before.get(path), after.get(path), judged, old, new)
    yield from _criteria(old, new)
    yield from _inputs(old, new)


def _breach(path: str, frozen: tuple[str, ...]) -> Judged | None:
    for name in frozen:
        if path == name or path.startswith(f"{name}."):
            return "C8", f"the contract freezes {name}"
    return None


def _field_class(
    path: str, before: Mapping[str, Any], after: Mapping[str, Any], old: Side, new: Side
) -> Judged:
    """A moved corpus or prompt whose bytes are known to be the same has only another name."""
    if path in ("evidence.bench.corpus", "config.prompt.system"):
        digest = old.inputs.get(before[path])
        if digest is not None and digest == new.inputs.get(after[path]):
            return "C1", "it has another path, and the same bytes"
    return classify(path, before, after)


def _criteria(old: Side, new: Side) -> Iterator[Change]:
    was, now = old.contract.criteria, new.contract.criteria
    if was == now:
        return
    found = relate(was, now)
    judged = _breach("criteria", old.contract.amendment.frozen) or _criteria_class(found)
    before, after = ([item.to_json() for item in criteria] for criteria in (was, now))
    yield _change("criteria", before, after, judged, old, new, witness=_witness(found))


def _criteria_class(found: CriteriaChange) -> Judged:
    if not found.satisfiable:
        return "C4", "nothing could ever meet the new criteria"
    return _BY_RELATION[found.relation]


def _witness(found: CriteriaChange) -> tuple[str, ...]:
    told = (
        ("passed before, fails now", found.newly_failing),
        ("failed before, passes now", found.newly_passing),
    )
    return tuple(f"{word}: {_board(board)}" for word, board in told if board is not None)


def _board(board: Scoreboard) -> str:
    return ", ".join(f"{metric} {_number(value)}" for metric, value in sorted(board.items()))


def _number(value: Fraction | None) -> str:
    return "not measured" if value is None else str(value)


def _inputs(old: Side, new: Side) -> Iterator[Change]:
    """Inputs under the same path whose bytes are other ones."""
    prompt, corpus = new.contract.inputs()
    frozen = old.contract.amendment.frozen
    for path, what in ((prompt, "prompt"), (corpus, "corpus")):
        before, after = old.inputs.get(path), new.inputs.get(path)
        if path not in old.contract.inputs() or None in (before, after) or before == after:
            continue
        judged: Judged = ("C6", "the system prompt has other words")
        bump: Bump | None = None
        if what == "corpus":
            judged, bump = _corpus_class(old.fixtures, new.fixtures)
        judged = _breach(_NAMED_BY[what], frozen) or judged
        yield _change(path, before, after, judged, old, new, bump=bump)


def _corpus_class(
    old: Mapping[str, str] | None, new: Mapping[str, str] | None
) -> tuple[Judged, Bump | None]:
    if old is None or new is None:
        return ("C7", "the corpus has other bytes"), None
    added, removed = sorted(set(new) - set(old)), sorted(set(old) - set(new))
    modified = sorted(name for name in set(old) & set(new) if old[name] != new[name])
    counts = f"{len(added)} added, {len(removed)} removed, {len(modified)} modified"
    named = ", ".join((*removed, *modified))
    why = f"fixtures: {counts}" + (f" ({named})" if named else "")
    return ("C7", why), None if removed or modified else "minor"


def _change(
    path: str,
    before: Any,
    after: Any,
    judged: Judged,
    old: Side,
    new: Side,
    *,
    bump: Bump | None = None,
    witness: tuple[str, ...] = (),
) -> Change:
    change_class, why = judged
    keys: tuple[str | int, ...] = tuple(path.split("."))
    return Change(
        path=path,
        old=_text(before),
        new=_text(after),
        change_class=change_class,
        bump=bump or _BUMP.get(change_class, "major"),
        approvals=_approvals(change_class, old.contract, new.contract),
        consequence=_consequence(path, change_class, old.contract, new.contract),
        why=why,
        old_place=_place(old, keys),
        new_place=_place(new, keys),
        witness=witness,
    )


def _consequence(path: str, change_class: ChangeClass, old: Contract, new: Contract) -> Consequence:
    """What becomes of earlier evidence; where a bench may stop early, follows from the criteria."""
    may_stop = old.evidence.bench.stop_rules or new.evidence.bench.stop_rules
    if path == "criteria" and may_stop and change_class != "C8":
        return "rerun"
    return _CONSEQUENCE.get(change_class, "rerun")


def _approvals(change_class: ChangeClass, old: Contract, new: Contract) -> int:
    """One for words; for all else what the stricter of both versions asks for."""
    if change_class in ("C0", "C1"):
        return 1
    return max(old.amendment.approvals, new.amendment.approvals)


def _text(value: Any) -> str | None:
    return None if value is None else json.dumps(value, ensure_ascii=False)


def _place(side: Side, keys: tuple[str | int, ...]) -> str | None:
    """Where a path stands; for a field that is only a default, where its nearest parent does."""
    for length in range(len(keys), 0, -1):
        if keys[:length] in side.places:
            return side.places[keys[:length]]
    return None


def _without_version(side: Side) -> bytes:
    stated = f"version: {side.contract.version}".encode()
    return side.data.replace(stated, b"version:", 1)

"""What the law says of a set of changes: refused, to be split, or in need of another version."""

from __future__ import annotations

from typing import TYPE_CHECKING

from abverify.model.change import CLASSES, ONE_AT_A_TIME
from abverify.model.report import Reason
from abverify.model.value import version_key
from abverify.verify.amendment.changes import succeeds
from abverify.verify.amendment.implication import relate

if TYPE_CHECKING:
    from collections.abc import Iterator

    from abverify.model.change import Bump, Change
    from abverify.verify.amendment.changes import Side

_STEPS: tuple[Bump, ...] = ("patch", "minor", "major")


def unlawful(
    old: Side, new: Side, changes: tuple[Change, ...], *, retarget: bool = False
) -> tuple[Reason, ...]:
    """Everything that keeps one version from following another.

    A gate that succeeds another may differ from it in anything: it is judged as a new one.

    Args:
        old: the version in force.
        new: the version proposed.
        changes: what lies between them, as `changes_between` finds it.
        retarget: whether the policy lets an amendment name another model.
    """
    if succeeds(new.contract, old.contract):
        return tuple(_unsatisfiable(old, new))
    return (
        *_breaches(changes),
        *_mixtures(changes),
        *_retargets(old, changes, allowed=retarget),
        *_unsatisfiable(old, new),
        *_version(old, new, changes),
    )


def needed_bump(changes: tuple[Change, ...]) -> Bump | None:
    """The least version step that a set of changes needs; None when there is no change."""
    return max((change.bump for change in changes), key=_STEPS.index, default=None)


def next_versions(version: str, bump: Bump) -> tuple[str, ...]:
    """The versions that may follow, the least first: one step, of the kind asked for or greater."""
    major, minor, patch = version_key(version)
    steps = {
        "patch": f"{major}.{minor}.{patch + 1}",
        "minor": f"{major}.{minor + 1}.0",
        "major": f"{major + 1}.0.0",
    }
    return tuple(steps[step] for step in _STEPS[_STEPS.index(bump) :])


def _breaches(changes: tuple[Change, ...]) -> Iterator[Reason]:
    for change in changes:
        if change.change_class == "C8":
            yield Reason(
                "frozen-breach",
                "AV710",
                "error",
                f"{change.path} may never change: {change.why}",
                place=change.new_place,
                expected=change.old,
                found=change.new,
                next="put it back; what must be another gate is opened as one: "
                "abverify amend GATE --new-gate NAME",
            )


def _mixtures(changes: tuple[Change, ...]) -> Iterator[Reason]:
    """One variable at a time, in a contract as in an experiment."""
    classes = {change.change_class for change in changes}
    several = sorted(classes & ONE_AT_A_TIME)
    named = ", ".join(f"{c} {CLASSES[c][0]}" for c in several)
    if len(several) > 1:
        yield Reason(
            "split",
            "AV711",
            "error",
            f"one amendment makes {len(several)} kinds of change at once",
            expected="at most one of C3 to C7",
            found=named,
            next="publish one kind of change at a time, each as a version of its own",
        )
    if "C9" in classes and classes & {"C2", *ONE_AT_A_TIME}:
        yield Reason(
            "split",
            "AV711",
            "error",
            "the law of amendments changes together with what it judges",
            expected="C9 alone, or with words only",
            found=", ".join(sorted(classes)),
            next="publish the change of governance first, as a version of its own",
        )


def _retargets(old: Side, changes: tuple[Change, ...], *, allowed: bool) -> Iterator[Reason]:
    moved = [change for change in changes if change.change_class == "C5"]
    if not moved or allowed:
        return
    yield Reason(
        "new-gate",
        "AV712",
        "error",
        f"{old.contract.gate} would name another model: that is a new gate",
        place=moved[0].new_place,
        expected=f"{moved[0].path}: {moved[0].old}",
        found=f"{moved[0].path}: {moved[0].new}",
        next=f"abverify amend {old.contract.gate.name} --new-gate NAME, with the changes there",
    )


def _unsatisfiable(old: Side, new: Side) -> Iterator[Reason]:
    if old.contract.criteria == new.contract.criteria:
        return
    limits = {"oracle_passed": len(new.fixtures)} if new.fixtures else {}
    if relate(old.contract.criteria, new.contract.criteria, limits).satisfiable:
        return
    yield Reason(
        "unsatisfiable",
        "AV713",
        "error",
        "nothing could ever meet the new criteria",
        expected="criteria that some scoreboard meets",
        found=f"criteria that contradict each other, or ask for more than {limits or 'there is'}",
        next="mend the criteria",
    )


def _version(old: Side, new: Side, changes: tuple[Change, ...]) -> Iterator[Reason]:
    before, after = old.contract.version, new.contract.version
    bump = needed_bump(changes)
    if bump is None:
        if old.data != new.data:
            yield _wrong_version(new, before, "nothing but the version changed", after)
        return
    allowed = next_versions(before, bump)
    if after not in allowed:
        worst = max(changes, key=lambda change: _STEPS.index(change.bump))
        why = f"{worst.path} is {worst.change_class} {CLASSES[worst.change_class][0]}"
        yield _wrong_version(new, " or ".join(allowed), f"a {bump} step is needed: {why}", after)


def _wrong_version(new: Side, expected: str, message: str, found: str) -> Reason:
    place = new.places.get(("version",))
    return Reason(
        "version-step",
        "AV714",
        "error",
        message,
        place=place,
        expected=f"version {expected}",
        found=f"version {found}",
        next=f"set version: {expected.split(' or ', 1)[0]}",
    )

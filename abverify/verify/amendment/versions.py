"""Versions over a history: one version, one content; no step skipped; no entry rewritten."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from abverify._frozen import frozen
from abverify.model.report import Reason
from abverify.verify.amendment.law import next_versions

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

_SEMVER = re.compile(r"(0|[1-9][0-9]*)\.(0|[1-9][0-9]*)\.(0|[1-9][0-9]*)")


@frozen
class Stated:
    """What one state of a contract says of itself.

    Attributes:
        path: the contract's file.
        version: its version, as text.
        sha256: the digest of its bytes.
        history: the entries of its version history, each a date and a version, in the
            document's order; None where the policy declares none.
    """

    path: str
    version: str
    sha256: str
    history: tuple[tuple[str, str], ...] | None = None


def version_faults(old: Stated | None, new: Stated, seen: Mapping[str, str]) -> Iterator[Reason]:
    """What is wrong with the step from one state of a contract to the next.

    Args:
        old: the state before; None for a contract that is new.
        new: the state after.
        seen: the digest under which each version was seen first, over the whole history.
    """
    if old is not None and old.sha256 == new.sha256:
        return
    first = seen.get(new.version)
    if first is not None and first != new.sha256:
        yield _fault(
            new,
            "version-reused",
            "AV730",
            "one version has two contents",
            f"version {new.version} with sha256 {first}, or a new version",
            f"version {new.version} with sha256 {new.sha256}",
        )
    elif old is not None and _skips(old.version, new.version):
        yield _fault(
            new,
            "version-skipped",
            "AV731",
            "a version was skipped, or went back",
            " or ".join(next_versions(old.version, "patch")),
            new.version,
        )
    yield from _history_faults(old, new)


def _skips(old: str, new: str) -> bool:
    if not (_SEMVER.fullmatch(old) and _SEMVER.fullmatch(new)):
        return False
    return new != old and new not in next_versions(old, "patch")


def _history_faults(old: Stated | None, new: Stated) -> Iterator[Reason]:
    if old is None or old.history is None or new.history is None:
        return
    missing = [entry for entry in old.history if entry not in new.history]
    if missing:
        date, version = missing[0]
        yield _fault(
            new,
            "history-rewritten",
            "AV732",
            "an entry of the version history was changed or removed",
            f"{version} on {date}, as it was",
            f"{len(missing)} entries that are not there any more",
        )
    newest = max((date for date, _ in old.history), default="")
    for date, version in _added(old.history, new.history):
        if date < newest:
            yield _fault(
                new,
                "history-backdated",
                "AV733",
                "a new entry of the version history is dated before one that was there",
                f"{newest} or later",
                f"{version} on {date}",
            )


def _added(
    old: Sequence[tuple[str, str]], new: Sequence[tuple[str, str]]
) -> Iterator[tuple[str, str]]:
    """The entries of versions that had none; one that was changed is told as rewritten."""
    known = {version for _, version in old}
    return (entry for entry in new if entry[1] not in known)


def _fault(new: Stated, code: str, rule: str, message: str, expected: str, found: str) -> Reason:
    return Reason(
        code,
        rule,
        "error",
        message,
        place=new.path,
        expected=expected,
        found=found,
        next="give the contract the next version, and leave what was published as it is",
    )

"""All versions of the trust root, and which of them a record is judged by.

Each version after the first is signed by the root role of the one before it and by its own,
names its predecessor by digest, and is never rewritten. Records are judged by the version
they were issued under, which must be the one in force at their place in the log.

Revocation goes by that place and not by dates, which whoever stole a key can choose: what
a revoked key signed counts up to the leaf that the revocation names, and no further.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from abverify._clock import parse_timestamp
from abverify._frozen import frozen
from abverify.errors import UntrustedError
from abverify.records.trust import TrustRoot, parse_root

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from abverify.records.keys import PublicKey

TRUST_FOLDER = "gates/_trust"


@frozen
class TrustHistory:
    """Verified versions of a trust root, from 1 to the newest, none missing."""

    roots: tuple[TrustRoot, ...]

    @property
    def newest(self) -> TrustRoot:
        """The last version: new records are issued under it."""
        return self.roots[-1]

    @property
    def keys(self) -> Mapping[str, PublicKey]:
        """Every key that any version lists, by key id."""
        return {keyid: key for root in self.roots for keyid, key in root.keys.items()}

    def at(self, version: int) -> TrustRoot:
        """One version.

        Raises:
            UntrustedError: AV412 if there is no such version.
        """
        if not 1 <= version <= len(self.roots):
            raise UntrustedError(
                "there is no such version of the trust root",
                rule="AV412",
                place=TRUST_FOLDER,
                expected=f"version 1 to {len(self.roots)}",
                found=f"version {version}",
                next_step="abverify trust show lists the versions",
            )
        return self.roots[version - 1]

    def sha256_of(self, version: int) -> str:
        """Digest of a version's envelope.

        Raises:
            UntrustedError: AV412 if there is no such version.
        """
        return self.at(version).sha256

    def named(self, version: int, sha256: str) -> TrustRoot | None:
        """The version that a record names by number and digest; None if there is none like it."""
        known = 1 <= version <= len(self.roots) and self.roots[version - 1].sha256 == sha256
        return self.roots[version - 1] if known else None

    def in_force(self, root: TrustRoot, moment: datetime) -> bool:
        """Whether a version took records at a moment: issued, not expired, not yet succeeded."""
        successor = self._successor(root)
        return root.in_force(moment) and (
            successor is None or moment <= parse_timestamp(successor.document.issued_at)
        )

    def is_superseded(self, root: TrustRoot, index: int | None) -> bool:
        """Whether a later version was in force already at a leaf of the log.

        Args:
            root: the version a record was issued under.
            index: the record's leaf, from 0; None where no log says, and dates must do.
        """
        successor = self._successor(root)
        since = successor.document.from_index if successor else None
        return since is not None and index is not None and index >= since

    def is_revoked(self, keyid: str, index: int | None) -> bool:
        """Whether a key's signature at a leaf of the log does not count.

        Args:
            keyid: the key.
            index: the leaf, from 0; None where no log says. Then nothing shows that the
                signature is older than the revocation, and it does not count.
        """
        revocation = self.newest.document.revoked.get(keyid)
        return revocation is not None and (index is None or index >= revocation.from_index)

    def _successor(self, root: TrustRoot) -> TrustRoot | None:
        return next((b for a, b in pairwise(self.roots) if a is root), None)


def parse_history(files: Mapping[str, bytes]) -> TrustHistory:
    """Reads and verifies every version of a trust root.

    Args:
        files: the bytes of `gates/_trust/<n>.root.dsse.json`, by path.

    Raises:
        UntrustedError: AV424 if the versions are not 1 to N, AV460 if one does not
            follow from the one before, or whatever `parse_root` finds.
    """
    roots: list[TrustRoot] = []
    for path in _in_order(files):
        older = roots[-1] if roots else None
        root = parse_root(files[path], path, older)
        check_succession(older, root)
        roots.append(root)
    return TrustHistory(tuple(roots))


def check_pin(history: TrustHistory, sha256: str) -> None:
    """Holds a history against a digest known from outside the repository.

    Any version may be pinned: those before it are linked by digest, those after it are
    signed by its people.

    Raises:
        UntrustedError: AV424 if no version has this digest.
    """
    if all(root.sha256 != sha256 for root in history.roots):
        raise UntrustedError(
            "not the trust root that was pinned",
            rule="AV424",
            place=history.newest.path,
            expected=f"sha256 {sha256}",
            found=", ".join(f"sha256 {root.sha256}" for root in history.roots),
            next_step="ask those who gave you the pin; do not trust this ledger before",
        )


def check_succession(older: TrustRoot | None, root: TrustRoot) -> None:
    """Holds a version against the one before it; signatures are `parse_root`'s business.

    Raises:
        UntrustedError: AV424 for a wrong number, AV460 for a version that does not follow.
    """
    number = older.document.version + 1 if older else 1
    if root.document.version != number:
        raise _misnumbered(root.path, f"version {number}", f"version {root.document.version}")
    if older is None:
        return
    for expected, found in _breaks(older, root):
        raise UntrustedError(
            "this version of the trust root does not follow from the one before it",
            rule="AV460",
            place=root.path,
            expected=expected,
            found=found,
            next_step="restore gates/_trust from version control, or rotate again",
        )


def _breaks(older: TrustRoot, root: TrustRoot) -> list[tuple[str, str]]:
    old, new = older.document, root.document
    facts = [
        (f"origin {old.origin}", f"origin {new.origin}"),
        (f"prevSha256 {older.sha256}", f"prevSha256 {new.prev_sha256}"),
    ]
    breaks = [(expected, found) for expected, found in facts if expected != found]
    if new.issued_at < old.issued_at:
        breaks.append((f"issuedAt {old.issued_at} or later", f"issuedAt {new.issued_at}"))
    since = new.from_index or 0
    if since < (old.from_index or 0):
        breaks.append((f"fromIndex {old.from_index} or later", f"fromIndex {since}"))
    return [*breaks, *_revocation_breaks(older, root, since)]


def _revocation_breaks(older: TrustRoot, root: TrustRoot, since: int) -> list[tuple[str, str]]:
    """A revocation is final, is of a key that was there, and reaches no further back than now.

    What a thief signed before is in the log for ever; retracting it names it and gives a reason.
    """
    before, now = older.document.revoked, root.document.revoked
    breaks: list[tuple[str, str]] = []
    for keyid, revocation in before.items():
        if now.get(keyid) != revocation:
            breaks.append((f"the revocation of {keyid} as it was", "another, or none"))
    for keyid, revocation in now.items():
        if keyid in before:
            continue
        if keyid not in older.keys:
            breaks.append(("revocations of keys of the version before", f"key id {keyid}"))
        if revocation.from_index != since:
            breaks.append((f"{keyid} revoked from index {since}", str(revocation.from_index)))
    return breaks


def _in_order(files: Mapping[str, bytes]) -> list[str]:
    """The paths from version 1 to the last, if none is missing and nothing else is there."""
    wanted = [f"{TRUST_FOLDER}/{n}.root.dsse.json" for n in range(1, len(files) + 1)]
    if not files or set(files) != set(wanted):
        strange = sorted(set(files) - set(wanted))
        found = ", ".join(strange) or ", ".join(sorted(files)) or "none"
        raise _misnumbered(TRUST_FOLDER, "versions 1 to N, none missing, nothing else", found)
    return wanted


def _misnumbered(place: str, expected: str, found: str) -> UntrustedError:
    return UntrustedError(
        "the versions of the trust root are not 1 to N",
        rule="AV424",
        place=place,
        expected=expected,
        found=found,
        next_step="restore gates/_trust from version control; abverify trust init starts one",
    )

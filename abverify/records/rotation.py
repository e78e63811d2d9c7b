"""The next version of a trust root: drawn up, signed by several people, until it may count."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import ValidationError

from abverify._clock import parse_timestamp, timestamp
from abverify._frozen import frozen
from abverify.errors import AbverifyError, RefusedError, UsageError
from abverify.records.envelope import ROOT_TYPE, cosign
from abverify.records.trust import ROLES, RootDocument, open_root
from abverify.records.trust_history import TRUST_FOLDER, TrustHistory, check_succession

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from abverify.records.keys import PublicKey, Signer
    from abverify.records.trust import TrustRoot


@frozen
class Change:
    """What the next version says otherwise. Removals come first, then additions.

    Attributes:
        remove_keys: key ids that go; a principal without keys goes with the last.
        remove_principals: principals who go, with their keys and roles.
        add_keys: principals with a key each; a new name is a new principal.
        withdraw: roles with a principal who leaves each.
        grant: roles with a principal who joins each.
        thresholds: roles with their new thresholds.
        revoke: key ids that go and are revoked, with the cause.
        expires: until when records may be issued; None keeps the date.
        note: free text for readers; None keeps it, an empty text removes it.
    """

    remove_keys: tuple[str, ...] = ()
    remove_principals: tuple[str, ...] = ()
    add_keys: tuple[tuple[str, PublicKey], ...] = ()
    withdraw: tuple[tuple[str, str], ...] = ()
    grant: tuple[tuple[str, str], ...] = ()
    thresholds: tuple[tuple[str, int], ...] = ()
    revoke: tuple[tuple[str, str], ...] = ()
    expires: datetime | None = None
    note: str | None = None


@frozen
class Proposal:
    """A next version on its way: what it says, and who has signed it so far."""

    older: TrustRoot
    root: TrustRoot
    signers: tuple[PublicKey, ...]

    @property
    def missing(self) -> tuple[str, ...]:
        """What it still lacks, one line for each of the two versions; empty when it may count."""
        return tuple(
            f"{short} more of the {root.document.roles['root'].threshold} that version "
            f"{root.document.version} asks for: {', '.join(_outstanding(root, self.signers))}"
            for root in (self.older, self.root)
            if (short := root.shortfall("root", self.signers))
        )


def next_document(
    newest: TrustRoot, change: Change, *, issued_at: datetime, from_index: int
) -> RootDocument:
    """The content of the next version.

    Args:
        newest: the version it follows.
        change: what it says otherwise.
        issued_at: from when on records may be issued under it.
        from_index: the size of the log now.

    Raises:
        UsageError: AV464 for a change that names what is not there, or changes nothing.
        RefusedError: AV464 if nobody could sign the version after it.
    """
    draft = _Draft(newest.document)
    draft.apply(change, from_index)
    expires = timestamp(change.expires) if change.expires else newest.document.expires
    note = newest.document.note if change.note is None else change.note or None
    if draft.to_json() == _Draft(newest.document).to_json() and (expires, note) == (
        newest.document.expires,
        newest.document.note,
    ):
        raise _mistaken("this would change nothing", "a change", "none")
    if parse_timestamp(expires) <= issued_at:
        raise _mistaken(
            "the next version would have expired already", "--expires-days N", f"expires {expires}"
        )
    content = {
        **newest.document.to_json(),
        "version": newest.document.version + 1,
        "prevSha256": newest.sha256,
        "fromIndex": from_index,
        "issuedAt": timestamp(issued_at),
        "expires": expires,
        "note": note,
        **draft.to_json(),
    }
    try:
        document = RootDocument.model_validate(content)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        raise _mistaken("a trust root cannot say this", "plain names", first["msg"]) from None
    _refuse_lockout(document)
    return document


def read_proposal(data: bytes, name: str, history: TrustHistory) -> Proposal:
    """Reads a proposed next version; its signatures verify, but may be too few.

    Raises:
        UntrustedError: AV460 or AV424 if it does not follow the newest version,
            or whatever is wrong with its form, its keys or its signatures.
    """
    root, signers = open_root(data, name, history.newest)
    check_succession(history.newest, root)
    return Proposal(history.newest, root, signers)


def sign_proposal(
    data: bytes, name: str, history: TrustHistory, signers: Iterable[Signer]
) -> bytes:
    """Adds signatures to a proposal.

    Raises:
        RefusedError: AV465 for a key whose signature would count for neither version,
            or that has signed already.
    """
    proposal, given = read_proposal(data, name, history), tuple(signers)
    require_root_keys(proposal.older, proposal.root.document, given)
    signed = {key.raw for key in proposal.signers}
    for signer in given:
        if signer.public_key.raw in signed:
            raise _useless(signer.public_key, "a key that has not signed it yet", name)
    return cosign(data, name=name, payload_type=ROOT_TYPE, signers=given)


def require_root_keys(older: TrustRoot, document: RootDocument, signers: Iterable[Signer]) -> None:
    """Refuses a key that belongs to nobody in the root role, before or after.

    Raises:
        RefusedError: AV465.
    """
    entitled = _root_keys(older.document) | _root_keys(document)
    for signer in signers:
        if signer.public_key.keyid not in entitled:
            raise _useless(signer.public_key, "a key of the root role, before or after", older.path)


class _Draft:
    """Principals, keys, roles and revocations while they are being changed."""

    def __init__(self, document: RootDocument) -> None:
        data = document.to_json()
        self.keys: dict[str, object] = data["keys"]
        self.owned = {who: list(entry["keys"]) for who, entry in data["principals"].items()}
        self.roles = {
            name: (list(role["principals"]), role["threshold"])
            for name, role in data["roles"].items()
        }
        self.revoked: dict[str, object] = data.get("revoked", {})

    def apply(self, change: Change, from_index: int) -> None:
        """Makes the changes, removals first."""
        for keyid, cause in change.revoke:
            self._drop_key(keyid)
            self.revoked[keyid] = {"cause": cause, "fromIndex": from_index}
        for keyid in change.remove_keys:
            self._drop_key(keyid)
        for who in change.remove_principals:
            for keyid in tuple(self._keys_of(who)):
                self._drop_key(keyid)
        for who, key in change.add_keys:
            self._add_key(who, key)
        self._prune()
        for role, who in change.withdraw:
            self._members(role, who, joined=True).remove(who)
        for role, who in change.grant:
            self._members(role, who, joined=False).append(who)
        for role, threshold in change.thresholds:
            self.roles[role] = (self._role(role), threshold)

    def to_json(self) -> dict[str, object]:
        """The changed parts as a trust root writes them."""
        return {
            "principals": {who: {"keys": tuple(keys)} for who, keys in self.owned.items()},
            "keys": dict(self.keys),
            "roles": {
                name: {"principals": tuple(who), "threshold": threshold}
                for name, (who, threshold) in self.roles.items()
            },
            "revoked": dict(self.revoked),
        }

    def _keys_of(self, who: str) -> list[str]:
        if who not in self.owned:
            raise _mistaken("no such principal", ", ".join(self.owned), who)
        return self.owned[who]

    def _drop_key(self, keyid: str) -> None:
        if keyid not in self.keys:
            raise _mistaken("no such key in the newest version", "one of its keys", keyid)
        del self.keys[keyid]
        for keys in self.owned.values():
            if keyid in keys:
                keys.remove(keyid)

    def _add_key(self, who: str, key: PublicKey) -> None:
        if key.keyid in self.keys:
            raise _mistaken("the key is there already", "a new key", key.keyid)
        if key.keyid in self.revoked:
            raise _mistaken("the key was revoked, for good", "another key", key.keyid)
        self.keys[key.keyid] = key.to_json()
        self.owned.setdefault(who, []).append(key.keyid)

    def _prune(self) -> None:
        self.owned = {who: keys for who, keys in self.owned.items() if keys}
        self.roles = {
            name: ([who for who in people if who in self.owned], threshold)
            for name, (people, threshold) in self.roles.items()
        }

    def _role(self, name: str) -> list[str]:
        if name not in self.roles:
            raise _mistaken("no such role", ", ".join(ROLES), name)
        return self.roles[name][0]

    def _members(self, role: str, who: str, *, joined: bool) -> list[str]:
        members = self._role(role)
        self._keys_of(who)
        if (who in members) != joined:
            state = "not in that role" if joined else "in that role already"
            raise _mistaken(f"{who} is {state}", f"role {role}: {', '.join(members)}", who)
        return members


def _refuse_lockout(document: RootDocument) -> None:
    for name, role in document.roles.items():
        # An empty role is a decision: nobody may. A role that asks for more than it has is a slip.
        short = len(role.principals) < role.threshold
        if short and (name == "root" or role.principals):
            raise RefusedError(
                f"role {name} could never act: it asks for more people than it has",
                rule="AV464",
                place=TRUST_FOLDER,
                expected=f"at least {role.threshold} of role {name}",
                found=", ".join(role.principals) or "nobody",
                next_step=f"add a principal, --grant {name}=NAME, or lower --threshold {name}=N",
            )


def _root_keys(document: RootDocument) -> frozenset[str]:
    people = document.roles["root"].principals
    return frozenset(keyid for who in people for keyid in document.principals[who].keys)


def _outstanding(root: TrustRoot, signers: Iterable[PublicKey]) -> list[str]:
    signed = root.principals_of(signers)
    return [who for who in root.document.roles["root"].principals if who not in signed]


def _useless(key: PublicKey, expected: str, place: str) -> AbverifyError:
    return RefusedError(
        "this signature would not count",
        rule="AV465",
        place=place,
        expected=expected,
        found=f"keyid {key.keyid}",
        next_step="abverify trust show lists who may sign",
    )


def _mistaken(message: str, expected: str, found: str) -> UsageError:
    return UsageError(
        message,
        rule="AV464",
        place=TRUST_FOLDER,
        expected=expected,
        found=found,
        next_step="abverify trust show lists principals, keys and roles",
    )

"""The trust root: which keys speak for whom, and who together may issue what.

Stopping is easy and resuming is hard, so the roles come in two sorts. A
`suspender` may suspend and retract, which can only ever shut things. A
`discharger` decides gates, a `lifter` ends suspensions, an `amender` publishes
contract versions: each needs its role's threshold of distinct people. `root`
signs this document, `runner` and `integrator` are kept for signed bench runs
and for the log. Version 1 has no predecessor; each later version names the one
before it in `prevSha256`, and is signed by the root role of both.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Annotated, Any, Literal, Self

from pydantic import Field, ValidationError, model_validator

from abverify._canonical import canonical_bytes, parse_canonical
from abverify._clock import parse_timestamp, timestamp
from abverify._frozen import frozen
from abverify.errors import UntrustedError
from abverify.model.value import Count, Identifier, Positive, Sha256
from abverify.records.bodies import Kind
from abverify.records.envelope import ROOT_TYPE, open_envelope, seal, unverified_payload
from abverify.records.fields import Moment, Origin, Prose, RecordValue
from abverify.records.keys import PublicKey, Signer

ROLE_OF: Mapping[Kind, str] = {
    "suspension": "suspender",
    "retraction": "suspender",
    "discharge": "discharger",
    "non-discharge": "discharger",
    "lift": "lifter",
    "amendment": "amender",
}
ROLES = ("root", "suspender", "discharger", "lifter", "amender", "runner", "integrator")


class KeyValue(RecordValue):
    """The 32 bytes of a public key, in lower-case hex."""

    public: Sha256


class KeyEntry(RecordValue):
    """A public key as securesystemslib writes it; no signature gets to choose the algorithm."""

    keytype: Literal["ed25519"]
    scheme: Literal["ed25519"]
    keyval: KeyValue


class Principal(RecordValue):
    """A person or machine that acts under one name, with one key or several."""

    keys: Annotated[tuple[Sha256, ...], Field(min_length=1)]


class Role(RecordValue):
    """Who may act in a role, and how many different ones of them it takes."""

    principals: tuple[Identifier, ...]
    threshold: Positive


class Revocation(RecordValue):
    """Why a key was revoked, and from which leaf of the log on its signatures do not count."""

    cause: Literal["keyCompromise", "keyLost", "ownerLeft", "superseded"]
    from_index: Count


class RootDocument(RecordValue):
    """The signed content of a trust root. Unknown fields are refused.

    `from_index` is the size of the log when a later version was made: from that leaf
    on, records are issued under it. The first version says nothing of it, and a
    version that revokes nothing says nothing of `revoked`; one content, one spelling.
    """

    version: Positive
    origin: Origin
    prev_sha256: Sha256 | None
    from_index: Count | None = None
    note: Prose | None
    issued_at: Moment
    expires: Moment
    principals: dict[Identifier, Principal]
    keys: dict[Sha256, KeyEntry]
    roles: dict[Identifier, Role]
    revoked: dict[Sha256, Revocation] = Field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """The document as plain JSON data, without the fields that say nothing."""
        silent: dict[str, Any] = {"fromIndex": None, "revoked": {}}
        return {
            name: value
            for name, value in super().to_json().items()
            if name not in silent or value != silent[name]
        }

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if set(self.roles) != set(ROLES):
            raise ValueError(f"roles: expected exactly {', '.join(ROLES)}")
        owned = [keyid for principal in self.principals.values() for keyid in principal.keys]
        if len(owned) != len(set(owned)) or set(owned) != set(self.keys):
            raise ValueError("every key belongs to exactly one principal")
        for name, role in self.roles.items():
            if not set(role.principals) <= set(self.principals):
                raise ValueError(f"role {name} names somebody who is no principal")
            if len(set(role.principals)) < len(role.principals):
                raise ValueError(f"role {name} names somebody twice")
        if self.issued_at >= self.expires:
            raise ValueError("it expires before it begins")
        if not set(self.revoked).isdisjoint(self.keys):
            raise ValueError("a revoked key is still listed among the keys")
        return self

    @model_validator(mode="after")
    def _numbered(self) -> Self:
        first = self.version == 1
        if first != (self.prev_sha256 is None) or first != (self.from_index is None):
            raise ValueError(
                "version 1 has neither predecessor nor fromIndex; each later one has both"
            )
        return self


@frozen
class TrustRoot:
    """A verified trust root.

    Attributes:
        path: the file it was read from.
        sha256: digest of its envelope: the value to pin outside the repository.
        document: what it says.
        keys: the public keys, by key id.
    """

    path: str
    sha256: str
    document: RootDocument
    keys: Mapping[str, PublicKey]

    def in_force(self, moment: datetime) -> bool:
        """Whether records may be issued under this root at that moment."""
        issued, expires = self.document.issued_at, self.document.expires
        return parse_timestamp(issued) <= moment < parse_timestamp(expires)

    def principals_of(self, signers: Iterable[PublicKey]) -> frozenset[str]:
        """The people behind some keys, found by the keys' bytes and not by their ids."""
        raw = {signer.raw for signer in signers}
        return frozenset(
            name
            for name, principal in self.document.principals.items()
            if any(self.keys[keyid].raw in raw for keyid in principal.keys)
        )

    def authorise(self, kind: Kind, signers: Iterable[PublicKey]) -> frozenset[str]:
        """The people who issue a record of this kind with these keys.

        Each person counts once, and each key counts once, whatever it is called.

        Raises:
            UntrustedError: AV414 if they are fewer than the role's threshold.
        """
        keys = tuple(signers)
        if self.shortfall(ROLE_OF[kind], keys):
            raise self.unmet(ROLE_OF[kind], keys, f"a {kind}")
        return self._entitled(ROLE_OF[kind], keys)

    def shortfall(self, role: str, signers: Iterable[PublicKey]) -> int:
        """How many more people of a role must sign; 0 when its threshold is met."""
        keys = tuple(signers)
        count = min(len(self._entitled(role, keys)), len({key.raw for key in keys}))
        return max(0, self.document.roles[role].threshold - count)

    def unmet(
        self, name: str, signers: Iterable[PublicKey], what: str, *, rule: str = "AV414"
    ) -> UntrustedError:
        """The refusal of what too few people of a role have signed."""
        role = self.document.roles[name]
        people = ", ".join(role.principals) or "nobody"
        return UntrustedError(
            f"{what} is not signed by enough of the people who may issue it",
            rule=rule,
            place=self.path,
            expected=f"{role.threshold} of role {name}: {people}",
            found=", ".join(sorted(self.principals_of(signers))) or "nobody",
            next_step="abverify trust show lists who may issue what",
        )

    def _entitled(self, role: str, signers: Iterable[PublicKey]) -> frozenset[str]:
        return self.principals_of(signers) & set(self.document.roles[role].principals)


def parse_root(data: bytes, name: str, older: TrustRoot | None = None) -> TrustRoot:
    """Reads and verifies a trust root: its form, its keys, and its signatures.

    That it is the right root, and not merely a root, only a pin from outside
    the repository can tell.

    Args:
        data: the envelope's bytes.
        name: the file, for messages.
        older: the version before it, whose people must have signed it too.

    Raises:
        UntrustedError: AV401 or AV405 for another form, AV421 for content that
            does not hold together, AV422 for a key of small order, AV406 or
            AV414 if the people it names as its root have not signed it, AV461
            if those of the older version have not.
    """
    root, signers = open_root(data, name, older)
    if root.shortfall("root", signers):
        raise root.unmet("root", signers, "the trust root")
    if older is not None and older.shortfall("root", signers):
        what = f"version {root.document.version} of the trust root"
        raise older.unmet("root", signers, what, rule="AV461")
    return root


def open_root(
    data: bytes, name: str, older: TrustRoot | None = None
) -> tuple[TrustRoot, tuple[PublicKey, ...]]:
    """Reads a trust root and verifies whatever signatures it has, be they enough or not.

    Returns:
        The root, with the keys that signed it: its own, or those of the older version.

    Raises:
        UntrustedError: as `parse_root`, but for AV414 and AV461.
    """
    document = _document(unverified_payload(data, name=name, payload_type=ROOT_TYPE), name)
    keys = {keyid: _key(keyid, document, name) for keyid in document.keys}
    known = {**(older.keys if older else {}), **keys}
    verified = open_envelope(data, name=name, payload_type=ROOT_TYPE, keys=known)
    return TrustRoot(name, verified.sha256, document, keys), verified.signers


def solo_root(
    origin: str,
    principal: str,
    signer: Signer,
    *,
    issued_at: datetime,
    expires: datetime,
    note: str | None = None,
) -> bytes:
    """A first trust root in which one person with one key holds every role.

    Args:
        origin: what the ledger calls itself.
        principal: the person's name in records.
        signer: the person's key; it signs the root.
        issued_at: from when records may be issued under it.
        expires: until when.
        note: a word to the reader, for example that the key was destroyed.

    Raises:
        ValueError: if an argument cannot stand in a trust root.
    """
    key = signer.public_key
    role = {"principals": (principal,), "threshold": 1}
    document = RootDocument.model_validate(
        {
            "version": 1,
            "origin": origin,
            "prevSha256": None,
            "note": note,
            "issuedAt": timestamp(issued_at),
            "expires": timestamp(expires),
            "principals": {principal: {"keys": (key.keyid,)}},
            "keys": {key.keyid: key.to_json()},
            "roles": dict.fromkeys(ROLES, role),
        }
    )
    return sign_root(document, [signer])


def sign_root(document: RootDocument, signers: Iterable[Signer]) -> bytes:
    """Signs a trust root and gives the bytes of its envelope."""
    return seal(canonical_bytes(document.to_json()), payload_type=ROOT_TYPE, signers=signers)


def _document(payload: bytes, name: str) -> RootDocument:
    parse_canonical(payload, name=name)
    try:
        document = RootDocument.model_validate_json(payload)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        raise _malformed(name, f"{'.'.join(map(str, first['loc']))}: {first['msg']}") from None
    if canonical_bytes(document.to_json()) != payload:
        raise _malformed(name, "fields that say nothing, or under another name")
    return document


def _key(keyid: str, document: RootDocument, name: str) -> PublicKey:
    owner = next(who for who, entry in document.principals.items() if keyid in entry.keys)
    key = PublicKey.of(bytes.fromhex(document.keys[keyid].keyval.public), name=owner)
    if key.keyid != keyid:
        raise _malformed(name, f"key id {keyid} for the key whose id is {key.keyid}")
    return key


def _malformed(name: str, found: str) -> UntrustedError:
    return UntrustedError(
        "the trust root does not hold together",
        rule="AV421",
        place=name,
        expected="a trust root document of version 1 or later, whole and consistent",
        found=found[:300],
        next_step="restore the file from version control",
    )

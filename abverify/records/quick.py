"""Records accepted at a glance: every check of `chain`, in the order that costs least.

A record that is as it should be is accepted here, in about half the time that its
signature takes; one that is not is left to `chain`, which checks it again and says what is
wrong. So nothing here may accept what `chain` does not: the two are held against each
other, mutation by mutation, in `tests/records/test_mutation.py`. Amendments are few, and
the law says most about them: they are always left to `chain`, and so is whatever has
several signatures.
"""

from __future__ import annotations

import binascii
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

from abverify._canonical import sha256_hex
from abverify._clock import timestamp
from abverify.errors import UntrustedError
from abverify.records.contract_view import view_contract
from abverify.records.envelope import MAX_ENVELOPE_BYTES, STATEMENT_TYPE, pae
from abverify.records.keys import KEY_BYTES, SIGNATURE_BYTES, SMALL_ORDER
from abverify.records.record import Record
from abverify.records.setting import CLOCK_SLACK
from abverify.records.statement import SHAPE, parse_statement, statement_of
from abverify.records.trust import ROLE_OF

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    from abverify.records.bodies import Kind
    from abverify.records.setting import Link, Setting

_HEAD = b'{"payload":"'
_MIDDLE = b'","payloadType":"%b","signatures":[{"keyid":"' % STATEMENT_TYPE.encode()
_BETWEEN, _END = b'","sig":"', b'"}]}'
_KEYID, _SIGNATURE = 64, 88
_KEYID_AT = len(_MIDDLE)
_BETWEEN_AT = _KEYID_AT + _KEYID
_SIGNATURE_AT = _BETWEEN_AT + len(_BETWEEN)
_END_AT = _SIGNATURE_AT + _SIGNATURE
_TAIL = _END_AT + len(_END)


class Light(NamedTuple):
    """A verified record as plain data; it becomes a `Record` where one is needed.

    Attributes:
        path: its file, relative to the repository root.
        sha256: digest of the envelope's bytes.
        kind: which kind of record it is.
        value: the statement as in-toto writes it.
        issuers: the people who signed it in the role that its kind needs.
    """

    path: str
    sha256: str
    kind: Kind
    value: dict[str, Any]
    issuers: tuple[str, ...]

    @property
    def issued_at(self) -> str:
        """When its signers say that it was issued."""
        return str(self.value["predicate"]["issuedAt"])

    @property
    def subject(self) -> str:
        """The contract version that it is about."""
        return str(self.value["subject"][0]["name"])

    @property
    def basis(self) -> tuple[int, str]:
        """Size and root of the log that its signers saw."""
        basis = self.value["predicate"]["basis"]
        return basis["size"], basis["root"]

    def record(self) -> Record:
        """The record whole."""
        statement = statement_of(self.kind, self.value)
        seq = self.value["predicate"]["gate"]["seq"]
        return Record(self.path, seq, self.kind, self.sha256, statement, self.issuers)


@dataclass(frozen=True, slots=True)
class _Power:
    """What a key may do for an actor under a version of the trust root.

    Attributes:
        origin: the ledger that the version is of.
        issuers: the people whom the key speaks for in the role.
        since: from when records are issued under the version.
        until: from when no more.
        leaves: the first leaf of the log where that is over; None if it goes on.
    """

    origin: str
    issuers: tuple[str, ...]
    since: str
    until: str
    leaves: int | None


class Glance:
    """Reads records against one setting; remembers what many of them share."""

    def __init__(self, setting: Setting) -> None:
        self._setting = setting
        self._latest = timestamp(setting.now + CLOCK_SLACK)
        self._verifiers: dict[str, Ed25519PublicKey] = {}
        self._powers: dict[tuple[Any, ...], _Power | None] = {}
        self._digests: dict[str, str] = {}
        self._terms: dict[str, timedelta] = {}

    def read(self, link: Link, data: bytes, sha256: str) -> Light | None:
        """The record in a file, if everything about it is as it should be; else None."""
        if not link.whole or link.in_force is None or len(data) > MAX_ENVELOPE_BYTES:
            return None
        opened = _split(data)
        if opened is None or not self._signed(*opened):
            return None
        keyid, _, payload = opened
        shape = SHAPE.read(payload)
        if shape is None or shape[0] == "amendment":
            return None
        kind, value = shape
        power = self._power(kind, keyid, value["predicate"])
        if power is None or not self._fits(link, kind, value, power):
            return None
        return Light(link.path, sha256, kind, value, power.issuers)

    def _signed(self, keyid: str, signature: bytes, payload: bytes) -> bool:
        from cryptography.exceptions import InvalidSignature

        verifier = self._verifiers.get(keyid) or self._verifier(keyid)
        if verifier is None or len(signature) != SIGNATURE_BYTES:
            return False
        if signature[:KEY_BYTES] in SMALL_ORDER:
            return False
        try:
            verifier.verify(signature, pae(STATEMENT_TYPE, payload))
        except InvalidSignature:
            return False
        return True

    def _verifier(self, keyid: str) -> Ed25519PublicKey | None:
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

        key = self._setting.keys.get(keyid)
        if key is None:
            return None
        self._verifiers[keyid] = Ed25519PublicKey.from_public_bytes(key.raw)
        return self._verifiers[keyid]

    def _power(self, kind: Kind, keyid: str, predicate: dict[str, Any]) -> _Power | None:
        named, actor = predicate["trustRoot"], predicate["actor"]
        what = (kind, keyid, named["version"], named["sha256"], actor["id"], actor["role"])
        if what not in self._powers:
            self._powers[what] = self._judged(*what)
        return self._powers[what]

    def _judged(
        self, kind: Kind, keyid: str, version: int, sha256: str, actor: str, role: str
    ) -> _Power | None:
        trust = self._setting.trust
        root = trust.named(version, sha256)
        if root is None or keyid not in root.keys or role != ROLE_OF[kind]:
            return None
        try:
            issuers = root.authorise(kind, [root.keys[keyid]])
        except UntrustedError:
            return None
        ends = (
            [revocation.from_index]
            if (revocation := trust.newest.document.revoked.get(keyid))
            else []
        )
        if root is not trust.newest:
            ends.append(trust.at(version + 1).document.from_index or 0)
        document = root.document
        power = _Power(
            document.origin,
            tuple(sorted(issuers)),
            document.issued_at,
            document.expires,
            min(ends, default=None),
        )
        return power if actor in issuers else None

    def _fits(self, link: Link, kind: Kind, value: dict[str, Any], power: _Power) -> bool:
        """Place, ledger, time, subject and law, as `chain` and `law` have them."""
        predicate, subject = value["predicate"], value["subject"][0]
        gate, issued = predicate["gate"], predicate["issuedAt"]
        prior = gate["prior"]
        name = f"contracts/_versions/{gate['id']}/{gate['contractVersion']}.yaml"
        return (
            link.path == f"gates/{gate['id']}/{gate['seq']:06d}.{kind}.dsse.json"
            and gate["seq"] == link.position
            and (prior and prior["sha256"]) == link.prior
            and predicate["ledger"]["origin"] == power.origin
            and power.since <= issued < power.until
            and (link.last_issued or "") <= issued <= self._latest
            and subject["name"] == name
            and subject["digest"]["sha256"] == self._digest(name)
            and link.in_force is not None
            and subject["digest"]["sha256"] == link.in_force.contract_sha256
            and (kind != "discharge" or self._in_term(name, issued, predicate["validUntil"]))
            and self._counts(link.path, power)
        )

    def _counts(self, path: str, power: _Power) -> bool:
        """Whether version and key still counted at the record's place in the log."""
        if power.leaves is None:
            return True
        index = self._setting.index_of(path)
        return index is not None and index < power.leaves

    def _digest(self, name: str) -> str | None:
        if name not in self._digests and name in self._setting.contracts:
            self._digests[name] = sha256_hex(self._setting.contracts[name])
        return self._digests.get(name)

    def _in_term(self, name: str, issued: str, until: str) -> bool:
        if name not in self._terms:
            view = view_contract(self._setting.contracts[name], name=name)
            self._terms[name] = timedelta(days=view.valid_days or 0)
        latest = datetime.fromisoformat(issued) + self._terms[name]
        return issued < until and datetime.fromisoformat(until) <= latest


def reopened(path: str, data: bytes, sha256: str) -> Record:
    """A record that was accepted before, whole; who issued it is not asked again.

    Raises:
        UntrustedError: AV452 if the file has changed since.
    """
    opened = _split(data)
    if opened is None or sha256_hex(data) != sha256:
        raise UntrustedError(
            "a record changed while the ledger was read",
            rule="AV452",
            place=path,
            expected=f"sha256 {sha256}",
            found=f"sha256 {sha256_hex(data)}",
            next_step="run the command again",
        )
    statement = parse_statement(opened[2], name=path)
    seq = statement.common.gate.seq
    return Record(path, seq, statement.kind, sha256, statement, ())


def _split(data: bytes) -> tuple[str, bytes, bytes] | None:
    """Key id, signature and payload of an envelope in its one spelling with one signature."""
    coded, tail = data[len(_HEAD) : -_TAIL], data[-_TAIL:]
    if not (
        data.startswith(_HEAD)
        and tail.startswith(_MIDDLE)
        and tail[_BETWEEN_AT:_SIGNATURE_AT] == _BETWEEN
        and tail[_END_AT:] == _END
    ):
        return None
    signed = tail[_SIGNATURE_AT:_END_AT]
    try:
        payload, signature = binascii.a2b_base64(coded), binascii.a2b_base64(signed)
        keyid = tail[_KEYID_AT:_BETWEEN_AT].decode("ascii")
    except (binascii.Error, UnicodeDecodeError):
        return None
    again = (
        binascii.b2a_base64(payload, newline=False),
        binascii.b2a_base64(signature, newline=False),
    )
    return (keyid, signature, payload) if again == (coded, signed) else None

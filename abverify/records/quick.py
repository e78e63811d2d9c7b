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
import json
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

from abverify._canonical import sha256_hex
from abverify._clock import timestamp
from abverify._frozen import frozen
from abverify.errors import UntrustedError
from abverify.records.contract_view import view_contract
from abverify.records.envelope import MAX_ENVELOPE_BYTES, STATEMENT_TYPE, pae
from abverify.records.keys import KEY_BYTES, SIGNATURE_BYTES, SMALL_ORDER
from abverify.records.record import Record
from abverify.records.setting import CLOCK_SLACK
from abverify.records.spelling import DECISIONS, Facts, facts_of
from abverify.records.statement import SHAPE, SPELLING, parse_statement, statement_of
from abverify.records.trust import ROLE_OF
from abverify.records.verifiers import by_cryptography

if TYPE_CHECKING:
    from collections.abc import Sequence

    from abverify.records.bodies import Kind
    from abverify.records.setting import Link, Setting
    from abverify.records.spelling import Spelling
    from abverify.records.verifiers import Verify, Verifying

_FEW = 64
"""Compiling the spelling takes about as long as so many records take to read without it."""

_HEAD = b'{"payload":"'
_MIDDLE = b'","payloadType":"%b","signatures":[{"keyid":"' % STATEMENT_TYPE.encode()
_BETWEEN, _END = b'","sig":"', b'"}]}'
_KEYID, _SIGNATURE = 64, 88
_KEYID_AT = len(_MIDDLE)
_BETWEEN_AT = _KEYID_AT + _KEYID
_SIGNATURE_AT = _BETWEEN_AT + len(_BETWEEN)
_END_AT = _SIGNATURE_AT + _SIGNATURE
_TAIL = _END_AT + len(_END)


class Glimpse(NamedTuple):
    """What is signed in a file, before its place in the ledger is judged.

    Attributes:
        kind: which kind of record it says it is.
        keyid: the key whose signature verified.
        facts: what will be asked of it.
        payload: the statement's bytes.
    """

    kind: Kind
    keyid: str
    facts: Facts
    payload: bytes


class Light(NamedTuple):
    """A verified record as plain data; it becomes a `Record` where one is needed.

    Attributes:
        path: its file, relative to the repository root.
        sha256: digest of the envelope's bytes.
        kind: which kind of record it is.
        facts: what was asked of it.
        payload: the statement's bytes.
        issuers: the people who signed it in the role that its kind needs.
    """

    path: str
    sha256: str
    kind: Kind
    facts: Facts
    payload: bytes
    issuers: tuple[str, ...]

    def record(self) -> Record:
        """The record whole."""
        statement = statement_of(self.kind, json.loads(self.payload))
        return Record(self.path, self.facts.seq, self.kind, self.sha256, statement, self.issuers)


@frozen
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

    def __init__(self, setting: Setting, verifying: Verifying = by_cryptography) -> None:
        """Takes what to read against.

        Args:
            setting: what records are verified against.
            verifying: the library that signatures are verified with; what it refuses is
                judged again by `chain`, what it accepts is not.
        """
        self._setting = setting
        self._verifying = verifying
        self._latest = timestamp(setting.now + CLOCK_SLACK)
        self._verifiers: dict[str, Verify] = {}
        self._powers: dict[tuple[Any, ...], _Power | None] = {}
        self._digests: dict[str, str] = {}
        self._terms: dict[str, timedelta] = {}
        self._files = 0

    def look(self, files: Sequence[tuple[str, bytes]]) -> list[Glimpse | None]:
        """What several files, by path, hold under a good signature; None for any other.

        All of them in one step after the other, because each step is quickest while its own
        code is in the processor's cache: verifying one signature drives everything else out.
        """
        opened = [_split(data) if len(data) <= MAX_ENVELOPE_BYTES else None for _, data in files]
        signed = [each and self._signed(*each) for each in opened]
        self._files += len(files)
        spelling = SPELLING if self._files > _FEW else None
        return [
            _read(path, each[0], each[2], spelling) if each and good else None
            for (path, _), each, good in zip(files, opened, signed, strict=True)
        ]

    def read(self, link: Link, glimpse: Glimpse, sha256: str) -> Light | None:
        """The record in a file, if everything about it is as it should be; else None."""
        kind, keyid, facts, payload = glimpse
        if not link.whole or link.in_force is None:
            return None
        power = self._power(kind, keyid, facts)
        if power is None or not self._fits(link, kind, facts, power):
            return None
        return Light(link.path, sha256, kind, facts, payload, power.issuers)

    def _signed(self, keyid: str, signature: bytes, payload: bytes) -> bool:
        verify = self._verifiers.get(keyid) or self._verifier(keyid)
        if verify is None or len(signature) != SIGNATURE_BYTES:
            return False
        if signature[:KEY_BYTES] in SMALL_ORDER:
            return False
        return verify(signature, pae(STATEMENT_TYPE, payload))

    def _verifier(self, keyid: str) -> Verify | None:
        key = self._setting.keys.get(keyid)
        if key is None:
            return None
        self._verifiers[keyid] = self._verifying(key.raw)
        return self._verifiers[keyid]

    def _power(self, kind: Kind, keyid: str, facts: Facts) -> _Power | None:
        what = kind, keyid, facts.trust_version, facts.trust_sha256, facts.actor, facts.role
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

    def _fits(self, link: Link, kind: Kind, facts: Facts, power: _Power) -> bool:
        """Place, ledger, time, subject and law, as `chain` and `law` have them."""
        gate, seq, issued, digest = facts.gate, facts.seq, facts.issued_at, facts.digest
        name = f"contracts/_versions/{gate}/{facts.version}.yaml"
        return (
            link.path == f"gates/{gate}/{seq:06d}.{kind}.dsse.json"
            and seq == link.position
            and facts.prior == link.prior
            and facts.origin == power.origin
            and power.since <= issued < power.until
            and (link.last_issued or "") <= issued <= self._latest
            and facts.subject == name
            and digest == self._digest(name)
            and link.in_force is not None
            and digest == link.in_force.contract_sha256
            and (facts.until is None or self._in_term(name, issued, facts.until))
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


def _read(path: str, keyid: str, payload: bytes, spelling: Spelling | None) -> Glimpse | None:
    """A payload's kind and facts, if it is a statement that can be accepted at a glance."""
    kind = next((k for k in DECISIONS if path.endswith(f"{k}.dsse.json")), None)
    if spelling and kind and (facts := spelling.read(kind, payload)):
        return Glimpse(kind, keyid, facts, payload)
    shape = SHAPE.read(payload)
    if shape is None or shape[0] == "amendment":
        return None
    return Glimpse(shape[0], keyid, facts_of(shape[1]), payload)


def _split(data: bytes) -> tuple[str, bytes, bytes] | None:
    """Key id, signature and payload of an envelope in its one spelling with one signature."""
    tail = data[-_TAIL:]
    if not (
        data.startswith(_HEAD)
        and tail.startswith(_MIDDLE)
        and tail[_BETWEEN_AT:_SIGNATURE_AT] == _BETWEEN
        and tail[_END_AT:] == _END
    ):
        return None
    payload = _decoded(data[len(_HEAD) : -_TAIL])
    signature = _decoded(tail[_SIGNATURE_AT:_END_AT])
    keyid = tail[_KEYID_AT:_BETWEEN_AT]
    if payload is None or signature is None or not keyid.isascii():
        return None
    return keyid.decode("ascii"), signature, payload


def _decoded(coded: bytes) -> bytes | None:
    """What is coded in the one spelling of base64: nothing beside it, and no unused bit set."""
    try:
        data = binascii.a2b_base64(coded, strict_mode=True)
    except binascii.Error:
        return None
    # Strict reading leaves no other spelling but of the bits after the last byte.
    last = data[-(len(data) % 3 or 3) :]
    return data if binascii.b2a_base64(last, newline=False) == coded[-4:] else None

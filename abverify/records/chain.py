"""One gate's chain, verified record by record; every fault is collected, never only the first."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, NamedTuple

from abverify._canonical import sha256_hex
from abverify._clock import parse_timestamp, timestamp
from abverify._frozen import frozen
from abverify.errors import UntrustedError
from abverify.records.envelope import STATEMENT_TYPE, open_envelope
from abverify.records.law import law_faults
from abverify.records.log.completeness import Seen, seen
from abverify.records.quick import Glance, Light
from abverify.records.record import Fault, Record, contract_path, record_path
from abverify.records.setting import CLOCK_SLACK, START, Link, Setting
from abverify.records.statement import parse_statement
from abverify.records.trust import ROLE_OF

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from abverify.model.ids import GateId
    from abverify.records.bodies import Kind
    from abverify.records.envelope import VerifiedPayload
    from abverify.records.statement import Statement
    from abverify.records.trust import TrustRoot


_AT_ONCE = 64
"""So many files are read before the first of them is judged."""


@frozen
class Chain:
    """One gate's verified records in order, what is wrong with the others, and every file."""

    gate: GateId
    records: tuple[Record, ...]
    faults: tuple[Fault, ...]
    seen: tuple[Seen, ...]


def read_chain(gate: GateId, files: Mapping[str, bytes], setting: Setting) -> Chain:
    """Verifies the record files of one gate.

    Args:
        gate: the gate whose directory the files stand in.
        files: the files' bytes by path; every path fits `record.RECORD_PATH`.
        setting: what to verify against.
    """
    records: list[Record] = []
    faults: list[Fault] = []
    everything: list[Seen] = []
    for item in walk_chain(sorted(files), files.__getitem__, setting):
        faults += item.faults
        everything.append(item.seen)
        if item.verified is not None:
            records.append(item.record)
    return Chain(gate, tuple(records), tuple(faults), tuple(everything))


class Item(NamedTuple):
    """One file of a chain, read.

    Attributes:
        path: the file.
        sha256: the digest of its bytes.
        verified: the record in it; None if anything is wrong with it.
        faults: what is wrong with it.
    """

    path: str
    sha256: str
    verified: Record | Light | None
    faults: tuple[Fault, ...] = ()

    @property
    def kind(self) -> Kind | None:
        """Which kind of record it is; None if it was not verified."""
        return None if self.verified is None else self.verified.kind

    @property
    def subject(self) -> str:
        """The contract version that the verified record is about."""
        if isinstance(self.verified, Light):
            return self.verified.facts.subject
        return self.record.statement.subject.name

    @property
    def seen(self) -> Seen:
        """What the log has to know of the file."""
        if self.verified is None:
            return Seen(self.path, self.sha256, None)
        if isinstance(self.verified, Light):
            facts = self.verified.facts
            return Seen(self.path, self.sha256, (facts.size, facts.root))
        return seen(self.verified)

    @property
    def record(self) -> Record:
        """The verified record, whole.

        Raises:
            ValueError: if it was not verified.
        """
        if self.verified is None:
            raise ValueError(f"{self.path} is no verified record")
        return self.verified.record() if isinstance(self.verified, Light) else self.verified


def walk_chain(
    paths: Iterable[str],
    read: Callable[[str], bytes],
    setting: Setting,
    glance: Glance | None = None,
    *,
    start: Link = START,
) -> Iterator[Item]:
    """Verifies the record files of one gate, one after the other.

    Args:
        paths: the files, in the order of their names.
        read: gives a file's bytes.
        setting: what to verify against.
        glance: the quick reader of that setting, if there is one to share.
        start: what is known of the chain before the first of them.
    """
    glance = glance or Glance(setting)
    link = start
    files = enumerate(paths, start.position + 1)
    while few := list(islice(files, _AT_ONCE)):
        read_files = [(path, read(path)) for _, path in few]
        digests = [sha256_hex(data) for _, data in read_files]
        glimpses = glance.look(read_files)
        for (position, path), (_, data), sha256, glimpse in zip(
            few, read_files, digests, glimpses, strict=True
        ):
            link = Link(path, position, link.prior, link.last_issued, link.in_force, link.whole)
            light = glance.read(link, glimpse, sha256) if glimpse else None
            item = Item(path, sha256, light) if light else _judged(link, data, sha256, setting)
            yield item
            link = _next(link, item)


def _judged(link: Link, data: bytes, sha256: str, setting: Setting) -> Item:
    record, faults = _read_record(link, data, setting)
    return Item(link.path, sha256, None if faults else record, faults)


def _next(link: Link, item: Item) -> Link:
    """What is known of the chain after a file."""
    record = item.verified
    if record is None:
        return link._replace(prior=item.sha256, whole=False)
    if isinstance(record, Light):
        return Link("", 0, item.sha256, record.facts.issued_at, link.in_force, link.whole)
    in_force = record if record.kind == "amendment" else link.in_force
    issued = record.statement.common.issued_at
    return link._replace(prior=item.sha256, last_issued=issued, in_force=in_force)


def _read_record(
    link: Link, data: bytes, setting: Setting
) -> tuple[Record | None, tuple[Fault, ...]]:
    try:
        payload = open_envelope(
            data, name=link.path, payload_type=STATEMENT_TYPE, keys=setting.keys
        )
        statement = parse_statement(payload.payload, name=link.path)
    except UntrustedError as error:
        return None, (Fault.of(error, link.path),)
    named = statement.common.trust_root
    root = setting.trust.named(named.version, named.sha256)
    if root is None:
        return None, (_unknown_root(statement, link, setting.trust.newest),)
    issuers, unauthorised = _authority(statement, payload, link, root)
    record = Record(
        link.path, link.position, statement.kind, payload.sha256, statement, tuple(sorted(issuers))
    )
    faults = (
        *_place_faults(statement, link),
        *_ledger_faults(statement, link, root),
        *unauthorised,
        *_standing_faults(payload, link, root, setting),
        *_time_faults(statement, link, root, setting),
        *_subject_faults(statement, link, setting.contracts),
        *_law(record, link, setting),
    )
    return record, faults


def _place_faults(statement: Statement, link: Link) -> Iterator[Fault]:
    place = statement.common.gate
    proper = record_path(statement.gate, place.seq, statement.kind)
    if link.path != proper:
        yield Fault(
            link.path, "AV408", "the file is not where its record belongs", proper, link.path
        )
    if place.seq != link.position:
        yield Fault(
            link.path,
            "AV409",
            "the chain has a gap, or a record twice",
            f"record {link.position}",
            f"record {place.seq}",
        )
    stated = place.prior.sha256 if place.prior else None
    if stated != link.prior:
        yield Fault(
            link.path,
            "AV410",
            "the record does not follow the one before it",
            f"prior {link.prior}",
            f"prior {stated}",
        )


def _ledger_faults(statement: Statement, link: Link, root: TrustRoot) -> Iterator[Fault]:
    origin, ours = statement.common.ledger.origin, root.document.origin
    if origin != ours:
        yield Fault(link.path, "AV411", "the record belongs to another ledger", ours, origin)


def _unknown_root(statement: Statement, link: Link, newest: TrustRoot) -> Fault:
    named = statement.common.trust_root
    return Fault(
        link.path,
        "AV412",
        "the record was issued under another trust root",
        f"version {newest.document.version}, sha256 {newest.sha256}, or one before it",
        f"version {named.version}, sha256 {named.sha256}",
    )


def _standing_faults(
    payload: VerifiedPayload, link: Link, root: TrustRoot, setting: Setting
) -> Iterator[Fault]:
    """Whether, at the record's place in the log, its trust root and keys still counted."""
    index = setting.index_of(link.path)
    leaf = "no place in the log" if index is None else f"leaf {index} of the log"
    if setting.trust.is_superseded(root, index):
        version = root.document.version
        yield Fault(
            link.path,
            "AV463",
            "a later version of the trust root was in force already",
            f"version {version + 1} or later at {leaf}",
            f"version {version}",
        )
    for key in payload.signers:
        if setting.trust.is_revoked(key.keyid, index):
            revocation = setting.trust.newest.document.revoked[key.keyid]
            yield Fault(
                link.path,
                "AV462",
                "signed with a key that was revoked",
                f"a leaf before {revocation.from_index}, where {key.keyid} was revoked",
                leaf,
            )


def _authority(
    statement: Statement, payload: VerifiedPayload, link: Link, root: TrustRoot
) -> tuple[frozenset[str], tuple[Fault, ...]]:
    strangers = [key for key in payload.signers if key.keyid not in root.keys]
    if strangers:
        fault = Fault(
            link.path,
            "AV406",
            "signed by a key that the record's trust root does not know",
            f"a key of version {root.document.version}",
            f"key id {strangers[0].keyid}",
        )
        return frozenset(), (fault,)
    try:
        issuers = root.authorise(statement.kind, payload.signers)
    except UntrustedError as error:
        return frozenset(), (Fault.of(error, link.path),)
    actor, role = statement.common.actor, ROLE_OF[statement.kind]
    if actor.id in issuers and actor.role == role:
        return issuers, ()
    people = ", ".join(sorted(issuers))
    fault = Fault(
        link.path,
        "AV414",
        "the record names an actor who did not sign it in that role",
        f"{people} as {role}",
        f"{actor.id} as {actor.role}",
    )
    return issuers, (fault,)


def _time_faults(
    statement: Statement, link: Link, root: TrustRoot, setting: Setting
) -> Iterator[Fault]:
    stated = statement.common.issued_at
    issued = parse_timestamp(stated)
    if link.last_issued is not None and stated < link.last_issued:
        yield Fault(
            link.path,
            "AV413",
            "issued before the record it follows",
            f">= {link.last_issued}",
            stated,
        )
    if issued > setting.now + CLOCK_SLACK:
        latest = timestamp(setting.now + CLOCK_SLACK)
        yield Fault(link.path, "AV413", "issued in the future", f"<= {latest}", stated)
    if not root.in_force(issued):
        document = root.document
        yield Fault(
            link.path,
            "AV413",
            "issued while the trust root was not in force",
            f"from {document.issued_at} until {document.expires}",
            stated,
        )


def _subject_faults(
    statement: Statement, link: Link, contracts: Mapping[str, bytes]
) -> Iterator[Fault]:
    proper = contract_path(statement.gate, statement.common.gate.contract_version)
    if statement.subject.name != proper:
        yield Fault(
            link.path, "AV415", "the subject is another file", proper, statement.subject.name
        )
        return
    data = contracts.get(proper)
    if data is None:
        yield Fault(proper, "AV415", "a published contract version is missing", proper, "no file")
    elif sha256_hex(data) != statement.contract_sha256:
        yield Fault(
            proper,
            "AV415",
            "the published contract version is not the one that was signed",
            f"sha256 {statement.contract_sha256}",
            f"sha256 {sha256_hex(data)}",
        )


def _law(record: Record, link: Link, setting: Setting) -> tuple[Fault, ...]:
    """What the chain so far allows; not asked once the chain so far is not known."""
    if not link.whole:
        return ()
    return tuple(law_faults(record, link.in_force, setting.contracts))

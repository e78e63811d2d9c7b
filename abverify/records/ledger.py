"""The whole ledger from bytes: every chain verified, every reference followed, all faults kept.

A removal, a change, a swap, a copy or an addition is seen, wherever in a chain
it is: the log names every record. That the log itself was cut at its end, with
all its records, only a checkpoint kept elsewhere can show.
"""

from __future__ import annotations

from dataclasses import field
from typing import TYPE_CHECKING

from abverify._frozen import frozen
from abverify.errors import UntrustedError, UsageError
from abverify.model.ids import GateId
from abverify.records.bodies import Decision
from abverify.records.chain import read_chain
from abverify.records.listing import Listing, by_folder
from abverify.records.log.completeness import WAITING, completeness_faults
from abverify.records.log.state import read_log
from abverify.records.record import RECORD_NAME, Fault, is_unfinished
from abverify.records.references import reference_faults
from abverify.records.setting import Setting
from abverify.records.trust_history import TRUST_FOLDER, check_pin, parse_history

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from datetime import datetime

    from abverify.records.bodies import CitedBundle
    from abverify.records.chain import Chain
    from abverify.records.log.state import Log
    from abverify.records.record import Record
    from abverify.records.trust import TrustRoot
    from abverify.records.trust_history import TrustHistory

_DEPTH = 3
"""A gate's folder is `gates/<namespace>/<gate>`."""
_VERSIONS = "contracts/_versions/"


@frozen
class Ledger:
    """What reading the ledger gave.

    Attributes:
        root: the newest trust root; None if there is none, or it cannot be trusted.
        chains: the verified records of each gate, in order.
        faults: everything that is wrong; with any, no gate reads as discharged.
        total: how many record files there are.
        files: the record files' bytes, by path.
        contracts: the published contract versions' bytes, by path.
        log: the log; None without a trust root to read it by.
        trust: every version of the trust root; None as for `root`.
    """

    root: TrustRoot | None
    chains: Mapping[GateId, tuple[Record, ...]]
    faults: tuple[Fault, ...]
    total: int
    files: Mapping[str, bytes] = field(repr=False)
    contracts: Mapping[str, bytes] = field(repr=False)
    log: Log | None = None
    trust: TrustHistory | None = None

    @property
    def blocking(self) -> tuple[Fault, ...]:
        """The faults that no integrator mends by signing; on these nothing is built."""
        return tuple(fault for fault in self.faults if fault.rule != WAITING)

    @property
    def waiting(self) -> tuple[str, ...]:
        """The records that no integrator has taken into the log yet, by path."""
        return tuple(fault.file for fault in self.faults if fault.rule == WAITING)

    @property
    def gates(self) -> tuple[GateId, ...]:
        """The gates that have a chain, sorted."""
        return tuple(sorted(self.chains))

    @property
    def records(self) -> tuple[Record, ...]:
        """Every verified record, by gate and then in order."""
        return tuple(record for gate in self.gates for record in self.chains[gate])

    @property
    def checked(self) -> int:
        """How many records were verified without fault."""
        return len(self.records)

    def chain(self, gate: GateId) -> tuple[Record, ...]:
        """The verified records of a gate, in order; empty if it has none."""
        return self.chains.get(gate, ())

    def find(self, sha256: str) -> Record | None:
        """The verified record whose envelope has this digest."""
        return next((record for record in self.records if record.sha256 == sha256), None)

    def cited_evidence(self) -> tuple[tuple[Record, CitedBundle], ...]:
        """Every bundle that a decision cites, with the record that cites it."""
        return tuple(
            (record, bundle)
            for record in self.records
            if isinstance(record.body, Decision)
            for bundle in record.body.evidence
        )

    def unvouched(self) -> tuple[str, ...]:
        """The published contract versions that no verified record is about."""
        named = {record.statement.subject.name for record in self.records}
        return tuple(sorted(path for path in self.contracts if path not in named))

    def as_of(self, moment: datetime) -> Ledger:
        """The ledger as it stood at a moment, by the times its signers state."""
        return self._kept(lambda record: record.issued_at <= moment)

    def at_size(self, size: int) -> Ledger:
        """The ledger as it stood when its log held that many records."""
        positions = self.log.positions if self.log else {}
        return self._kept(lambda record: positions.get(record.path, size) < size)

    def up_to(self, heads: Mapping[GateId, int]) -> Ledger:
        """The ledger with each chain cut after the given `seq`; a gate not named is left out."""
        return self._kept(lambda record: record.seq <= heads.get(record.gate, 0))

    def _kept(self, keep: Callable[[Record], bool]) -> Ledger:
        chains = {gate: tuple(filter(keep, chain)) for gate, chain in self.chains.items()}
        files = {record.path: self.files[record.path] for c in chains.values() for record in c}
        return Ledger(
            self.root, chains, self.faults, len(files), files, self.contracts, self.log, self.trust
        )


def read_ledger(
    files: Mapping[str, bytes],
    contracts: Mapping[str, bytes],
    roots: Mapping[str, bytes],
    log_files: Mapping[str, bytes],
    *,
    now: datetime,
    pinned_root: str | None = None,
) -> Ledger:
    """Verifies a whole ledger.

    Args:
        files: every file of the gates' own directories, by path relative to
            the repository root (`gates/<namespace>/<gate>/…`). Files below
            `evidence/` are left to the evidence layer.
        contracts: every file below `contracts/_versions/`, likewise.
        roots: every file below `gates/_trust/`, likewise.
        log_files: every file below `gates/_log/`, likewise.
        now: the moment of reading.
        pinned_root: the digest that some version of the trust root must have, known
            from outside the repository; None trusts the versions that are there.

    Returns:
        The ledger with its faults; it never raises for what the bytes are.
    """
    grouped, strays = by_gate(by_folder(files))
    versions = {path: data for path, data in contracts.items() if path.startswith(_VERSIONS)}
    total = sum(map(len, grouped.values()))
    kept = {path: files[path] for group in grouped.values() for path in group}
    if not kept and not roots and all(map(is_unfinished, log_files)):
        return Ledger(None, {}, strays, 0, kept, versions)
    trust, root_faults = read_trust(roots, pinned_root)
    if trust is None:
        return Ledger(None, {}, (*root_faults, *strays), total, kept, versions)
    log, log_faults = read_log(log_files, trust)
    setting = Setting(trust, versions, now, None if log_faults else log)
    chains = [
        read_chain(gate, {path: kept[path] for path in paths}, setting)
        for gate, paths in grouped.items()
    ]
    verified = {chain.gate: chain.records for chain in chains}
    # A log that is broken itself says nothing about what is in it.
    in_log = () if log_faults else completeness_faults(log, [chain.seen for chain in chains])
    between = reference_faults(verified, None if log_faults else log.positions)
    faults = (*strays, *_chain_faults(chains), *log_faults, *in_log, *between)
    return Ledger(trust.newest, verified, faults, total, kept, versions, log, trust)


def _chain_faults(chains: list[Chain]) -> tuple[Fault, ...]:
    """The chains' faults, each once: a broken contract version is met by many records."""
    return tuple(dict.fromkeys(fault for chain in chains for fault in chain.faults))


def by_gate(
    listings: Iterable[Listing],
) -> tuple[dict[GateId, Listing], tuple[Fault, ...]]:
    """Each gate's record files, by gate in order; and a fault for what is none."""
    grouped: dict[GateId, Listing] = {}
    strays: list[str] = []
    for listing in listings:
        folder, names = listing.folder, listing.names
        gate = _gate_of(folder)
        others = [name for name in names if gate is None or not RECORD_NAME.fullmatch(name)]
        if gate is not None and len(others) < len(names):
            records = set(names).difference(others) if others else ()
            grouped[gate] = Listing.of(folder, records) if records else listing
        strays += [path for name in others if not _is_elsewhere(path := f"{folder}/{name}")]
    ordered = {gate: grouped[gate] for gate in sorted(grouped)}
    return ordered, tuple(map(_stray, sorted(strays)))


def _is_elsewhere(path: str) -> bool:
    """Whether a file is no business of the chains: evidence, trust, log, an unfinished write."""
    parts = path.split("/")
    apart = parts[1:2] in (["_trust"], ["_log"]) or parts[3:4] == ["evidence"]
    return apart or is_unfinished(path)


def _gate_of(folder: str) -> GateId | None:
    """The gate whose records stand in a folder, if it is the folder of one."""
    parts = folder.split("/")
    if len(parts) != _DEPTH or parts[0] != "gates":
        return None
    try:
        return GateId.parse(f"{parts[1]}/{parts[2]}")
    except UsageError:
        return None


def _stray(path: str) -> Fault:
    return Fault(
        path,
        "AV408",
        "a file among the records that is no record",
        "gates/<namespace>/<gate>/<seq:06d>.<kind>.dsse.json",
        path,
    )


def read_trust(
    roots: Mapping[str, bytes], pinned: str | None
) -> tuple[TrustHistory | None, tuple[Fault, ...]]:
    """Every version of the trust root, or what is wrong with one of them."""
    files = {path: data for path, data in roots.items() if not is_unfinished(path)}
    try:
        history = parse_history(files)
        if pinned is not None:
            check_pin(history, pinned)
    except UntrustedError as error:
        return None, (Fault.of(error, str(error.place or TRUST_FOLDER)),)
    return history, ()

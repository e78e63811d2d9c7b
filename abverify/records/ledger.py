"""The whole ledger from bytes: every chain verified, every reference followed, all faults kept.

Until the log exists, nothing here can see that the last record of a chain was
removed: what is left is still a whole chain. A removal from the middle, a
change, a swap, a copy or an addition is seen.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from abverify.errors import UntrustedError, UsageError
from abverify.model.ids import GateId
from abverify.records.bodies import Decision
from abverify.records.chain import Setting, read_chain
from abverify.records.record import RECORD_PATH, ROOT_PATH, Fault
from abverify.records.references import reference_faults
from abverify.records.trust import parse_root

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from abverify.records.bodies import CitedBundle
    from abverify.records.chain import Chain
    from abverify.records.record import Record
    from abverify.records.trust import TrustRoot

_TEMPORARY = ".abverify-"
_VERSIONS = "contracts/_versions/"


@dataclass(frozen=True, slots=True)
class Ledger:
    """What reading the ledger gave.

    Attributes:
        root: the trust root; None if there is none, or it cannot be trusted.
        chains: the verified records of each gate, in order.
        faults: everything that is wrong; with any, no gate reads as discharged.
        total: how many record files there are.
        files: the record files' bytes, by path.
        contracts: the published contract versions' bytes, by path.
    """

    root: TrustRoot | None
    chains: Mapping[GateId, tuple[Record, ...]]
    faults: tuple[Fault, ...]
    total: int
    files: Mapping[str, bytes] = field(repr=False)
    contracts: Mapping[str, bytes] = field(repr=False)

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

    def up_to(self, heads: Mapping[GateId, int]) -> Ledger:
        """The ledger with each chain cut after the given `seq`; a gate not named is left out."""
        return self._kept(lambda record: record.seq <= heads.get(record.gate, 0))

    def _kept(self, keep: Callable[[Record], bool]) -> Ledger:
        chains = {gate: tuple(filter(keep, chain)) for gate, chain in self.chains.items()}
        files = {record.path: self.files[record.path] for c in chains.values() for record in c}
        return Ledger(self.root, chains, self.faults, len(files), files, self.contracts)


def read_ledger(
    files: Mapping[str, bytes],
    contracts: Mapping[str, bytes],
    roots: Mapping[str, bytes],
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
        now: the moment of reading.
        pinned_root: the digest that the trust root must have, known from
            outside the repository; None trusts the root that is there.

    Returns:
        The ledger with its faults; it never raises for what the bytes are.
    """
    grouped, strays = _by_gate(files)
    versions = {path: data for path, data in contracts.items() if path.startswith(_VERSIONS)}
    total = sum(map(len, grouped.values()))
    kept = {path: data for group in grouped.values() for path, data in group.items()}
    if not kept and not roots:
        return Ledger(None, {}, strays, 0, kept, versions)
    root, root_faults = _trust(roots, pinned_root)
    if root is None:
        return Ledger(None, {}, (*root_faults, *strays), total, kept, versions)
    setting = Setting(root, versions, now)
    chains = [read_chain(gate, grouped[gate], setting) for gate in sorted(grouped)]
    verified = {chain.gate: chain.records for chain in chains}
    faults = (*strays, *_chain_faults(chains), *reference_faults(verified))
    return Ledger(root, verified, faults, total, kept, versions)


def _chain_faults(chains: list[Chain]) -> tuple[Fault, ...]:
    """The chains' faults, each once: a broken contract version is met by many records."""
    return tuple(dict.fromkeys(fault for chain in chains for fault in chain.faults))


def _by_gate(
    files: Mapping[str, bytes],
) -> tuple[dict[GateId, dict[str, bytes]], tuple[Fault, ...]]:
    grouped: dict[GateId, dict[str, bytes]] = {}
    strays: list[Fault] = []
    for path, data in sorted(files.items()):
        if _is_elsewhere(path):
            continue
        gate = _gate_of(path)
        if gate is None:
            strays.append(_stray(path))
        else:
            grouped.setdefault(gate, {})[path] = data
    return grouped, tuple(strays)


def _is_elsewhere(path: str) -> bool:
    """Whether a file is no business of the chains: evidence, trust, log, an unfinished write."""
    parts = path.split("/")
    apart = parts[1:2] in (["_trust"], ["_log"]) or parts[3:4] == ["evidence"]
    return apart or parts[-1].startswith(_TEMPORARY)


def _gate_of(path: str) -> GateId | None:
    match = RECORD_PATH.fullmatch(path)
    if match is None:
        return None
    try:
        return GateId.parse(f"{match['namespace']}/{match['gate']}")
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


def _trust(
    roots: Mapping[str, bytes], pinned: str | None
) -> tuple[TrustRoot | None, tuple[Fault, ...]]:
    """The one trust root; a second version is refused until rotation can be verified."""
    paths = sorted(path for path in roots if not path.split("/")[-1].startswith(_TEMPORARY))
    if len(paths) != 1 or not ROOT_PATH.fullmatch(paths[0]):
        found = ", ".join(paths) or "none"
        message = "there is not exactly one trust root"
        return None, (Fault("gates/_trust", "AV424", message, "1.root.dsse.json", found),)
    path = paths[0]
    try:
        root = parse_root(roots[path], path)
    except UntrustedError as error:
        return None, (Fault.of(error, path),)
    if path != f"gates/_trust/{root.document.version}.root.dsse.json" or root.document.version != 1:
        found = f"version {root.document.version}"
        return None, (Fault(path, "AV424", "not the first trust root", "version 1", found),)
    if pinned is not None and root.sha256 != pinned:
        message = "not the trust root that was pinned"
        return None, (Fault(path, "AV424", message, f"sha256 {pinned}", f"sha256 {root.sha256}"),)
    return root, ()

"""The repository as a question needs it: contracts, ledger, evidence and pins, read once."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from abverify._clock import now
from abverify.errors import AbverifyError, UntrustedError
from abverify.evidence.manifest import ChainHead
from abverify.model.report import ScopeLine
from abverify.records.bodies import Amendment
from abverify.records.carrying import decisive_amendment
from abverify.records.law import in_force_amendment
from abverify.records.ledger import Ledger, read_ledger
from abverify.records.lifecycle import gate_state, scope_states
from abverify.records.lineage import disowned_evidence
from abverify.verify.eligibility import Docket
from abverify.workspace.contracts import (
    LoadedContract,
    Registry,
    load_registry,
    published_files,
)
from abverify.workspace.corpora import load_corpus
from abverify.workspace.evidence_store import EvidenceStore, attempts_begun, load_evidence
from abverify.workspace.ledger_store import LedgerFiles, ledger_files, root_files
from abverify.workspace.pins import input_digest, load_pins
from abverify.workspace.trust_pin import pinned_root
from abverify.workspace.undo import require_finished

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime
    from pathlib import Path

    from abverify.model.contract import Contract
    from abverify.model.corpus import OracleCommand
    from abverify.model.ids import GateId
    from abverify.records.lifecycle import GateState, ScopeState
    from abverify.records.record import Record


@dataclass(frozen=True)
class Repository:
    """A repository read as of one moment; parts are read when first asked for.

    Attributes:
        root: the repository's folder.
        now: the moment every question is answered as of.
    """

    root: Path
    now: datetime

    @cached_property
    def registry(self) -> Registry:
        """The working contracts."""
        return load_registry(self.root)

    @cached_property
    def ledger(self) -> Ledger:
        """The verified ledger, under the pinned trust root if one is pinned."""
        return self._read(root_files(self.root))

    def with_root(self, path: str, data: bytes) -> Ledger:
        """The ledger as it would read with one more version of the trust root."""
        return self._read({**root_files(self.root), path: data})

    def _read(self, roots: Mapping[str, bytes]) -> Ledger:
        files, pinned = self.files, pinned_root()
        return read_ledger(
            files.records, self.published, roots, files.log, now=self.now, pinned_root=pinned
        )

    @cached_property
    def files(self) -> LedgerFiles:
        """The ledger's files, as of one moment."""
        return ledger_files(self.root)

    @cached_property
    def published(self) -> dict[str, bytes]:
        """The bytes of every published contract version, by path."""
        return published_files(self.root)

    def gate_state(self, gate: GateId) -> GateState:
        """A gate's state, folded from the ledger."""
        return gate_state(self.ledger, gate, self.now)

    @cached_property
    def scope_states(self) -> tuple[ScopeState, ...]:
        """Every scope's state, folded from the ledger."""
        return scope_states(self.ledger)

    @cached_property
    def evidence(self) -> EvidenceStore:
        """Every evidence bundle."""
        return load_evidence(self.root)

    def pins_of(self, loaded: LoadedContract) -> dict[str, str]:
        """The pinned digest of each input of a contract, by path.

        A published contract's pins are the signed ones: `pin.lock` beside it is a
        convenience that anybody can edit, and counts only until there is a record.
        """
        record = self.publication(loaded)
        if record is not None and isinstance(record.body, Amendment):
            return dict(record.body.pins)
        return dict(load_pins(self.root).inputs)

    def input_digest(self, path: str) -> str:
        """The digest of an input; a corpus is digested as it was read for the verdict, once.

        Raises:
            InvalidError: AV113 if there is no such file or folder.
        """
        return self._digests.get(path) or input_digest(self.root, path)

    @cached_property
    def _digests(self) -> dict[str, str]:
        """What is known of the inputs already, by path."""
        return {}

    def in_force(self, gate: GateId) -> Record | None:
        """The record that published the contract version in force."""
        return in_force_amendment(self.ledger.chain(gate))

    def publication(self, loaded: LoadedContract) -> Record | None:
        """The record that published exactly these contract bytes, if they are in force."""
        record = self.in_force(loaded.contract.gate)
        if record is None or record.contract_sha256 != loaded.sha256:
            return None
        return record

    def docket(self, loaded: LoadedContract) -> Docket:
        """What evidence for a gate is judged against."""
        record = self.publication(loaded)
        others = (other.contract for other in self.registry.all())
        oracles = self._oracles(loaded.contract)
        return Docket(
            contract=loaded.contract,
            others=tuple(other for other in others if other.gate != loaded.contract.gate),
            pins=self.pins_of(loaded),
            fixtures=tuple(oracles),
            oracles=oracles,
            abandoned_attempts=self._abandoned_attempts(loaded.contract.gate),
            published_seq=self._decisive_seq(loaded) if record else None,
            calibrations=self.evidence.calibrations(),
            now=self.now,
            disowned=disowned_evidence(self.ledger.records),
        )

    def _oracles(self, contract: Contract) -> dict[str, tuple[OracleCommand, ...]]:
        """The fixtures a verdict is counted over, by id, each with its oracle's commands.

        None when the corpus cannot be read.
        """
        path = contract.evidence.bench.corpus
        try:
            corpus = load_corpus(self.root, path)
        except AbverifyError:
            return {}
        self._digests[path] = corpus.sha256
        return {fixture.id: fixture.spec.oracle for fixture in corpus.fixtures}

    def _abandoned_attempts(self, gate: GateId) -> int:
        """Attempts in the gate's benches that were begun and never finished."""
        return sum(
            attempts_begun(self.root, path)
            for path in self.evidence.unfinished_of(gate)
            if path.rpartition("/")[2].startswith("bench-")
        )

    def _decisive_seq(self, loaded: LoadedContract) -> int | None:
        """Where the meaning of the version in force was published: later words change nothing."""
        record = decisive_amendment(self.ledger.chain(loaded.contract.gate))
        return record.seq if record else None

    def scope_lines(self, contract: Contract) -> tuple[ScopeLine, ...]:
        """The scopes held by a suspension that the contract may lift."""
        return tuple(
            scope_line(scope)
            for scope in self.scope_states
            if set(scope.suspension_ids) & set(contract.lifts)
        )


def scope_line(scope: ScopeState) -> ScopeLine:
    """A scope's state as a report shows it."""
    return ScopeLine(scope.scope, scope.state, scope.suspension_ids)


def open_repository(root: Path) -> Repository:
    """The repository as of now.

    Raises:
        IndeterminateError: AV742 if an amendment was cut off in the middle.
    """
    require_finished(root)
    return Repository(root, now())


def require_sound(repository: Repository) -> None:
    """Refuses to go on with a ledger that cannot be trusted.

    Records that wait for an integrator are no hindrance: they are whole and
    verified, and merely count for nothing yet.

    Raises:
        UntrustedError: AV400, naming the first fault.
    """
    faults = repository.ledger.blocking
    if faults:
        first = faults[0]
        raise UntrustedError(
            f"the ledger cannot be trusted ({len(faults)} faults): {first.message}",
            rule="AV400",
            place=first.file,
            expected=first.expected,
            found=first.found,
            next_step="abverify audit lists every fault",
        )


def chain_heads(root: Path, gates: tuple[GateId, ...]) -> tuple[ChainHead, ...]:
    """Where the chains of some gates stand now."""
    ledger = open_repository(root).ledger
    heads: list[ChainHead] = []
    for gate in gates:
        chain = ledger.chain(gate)
        newest = chain[-1].sha256 if chain else None
        heads.append(ChainHead(gate=str(gate), seq=len(chain), sha256=newest))
    return tuple(heads)

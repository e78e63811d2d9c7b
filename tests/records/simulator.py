"""A small ledger in memory, with real keys, real signatures and a clock that only moves forward."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from abverify._canonical import canonical_bytes, sha256_hex
from abverify._clock import timestamp
from abverify.model.ids import GateId
from abverify.records.append import ContractVersion, append
from abverify.records.bodies import (
    Amendment,
    AnyGate,
    CitedBundle,
    CitedCalibration,
    Discharge,
    Evaluator,
    JudgedCriterion,
    JudgedModel,
    Lift,
    LiftCondition,
    NonDischarge,
    Retraction,
    Superseded,
    Suspension,
    evidence_root,
)
from abverify.records.envelope import STATEMENT_TYPE, seal
from abverify.records.fields import Digest
from abverify.records.keys import KeySigner
from abverify.records.ledger import Ledger, read_ledger
from abverify.records.lifting import find_suspension, lift_body
from abverify.records.log.entries import Entry, read_entries
from abverify.records.log.state import empty_log
from abverify.records.record import Record, contract_path
from abverify.records.statement import Basis
from abverify.records.trust import solo_root

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from abverify.records.bodies import Body, LiftedSuspension
    from abverify.records.keys import Signer

ORIGIN = "example.org/ledger"
ROOT_PATH = "gates/_trust/1.root.dsse.json"
START = datetime(2026, 1, 1, tzinfo=UTC)
LOG_RULES = frozenset(f"AV45{digit}" for digit in range(10))
V4 = GateId("serve", "V1_004")
V5 = GateId("serve", "V1_005")
V6 = GateId("serve", "V1_006")


def signer(name: str) -> KeySigner:
    """A key that is the same in every run, so that failures can be repeated."""
    seed = bytes.fromhex(sha256_hex(name.encode()))
    return KeySigner(Ed25519PrivateKey.from_private_bytes(seed), name=name)


OPERATOR = signer("operator")


def contract_bytes(gate: GateId, version: str, *, succeeds: GateId | None = None) -> bytes:
    """A contract document with the facts that records bind."""
    lines = [f"id: {gate}", f"version: {version}", "evidence: {valid_days: 180}"]
    if succeeds is not None:
        lines.append(f"supersedes: {succeeds}")
    return ("\n".join(lines) + "\n").encode()


def solo(key: Signer = OPERATOR) -> bytes:
    """A trust root in which one operator holds every role for two years."""
    return solo_root(ORIGIN, "operator", key, issued_at=START, expires=START + timedelta(days=730))


def decision_fields(run: str = "bench-1") -> dict[str, Any]:
    """What a discharge and a non-discharge have in common, filled in."""
    evidence = (
        CitedBundle(
            run=run,
            stage="bench",
            path=f"gates/serve/V1_004/evidence/{run}",
            manifest_sha256=sha256_hex(run.encode()),
        ),
    )
    return {
        "evaluator": Evaluator(name="abverify", version="0.1.0", sha256=sha256_hex(b"harness")),
        "model": JudgedModel(
            name="Qwen3-Coder-30B-A3B-Instruct",
            weights_sha256=sha256_hex(b"weights"),
            adapter_sha256=None,
            identity="attested",
        ),
        "run_lock": Digest(sha256=sha256_hex(b"lock")),
        "criteria": (
            JudgedCriterion(
                id="oracle",
                metric="oracle_passed",
                expected=">= 1",
                observed="1",
                denominator=20,
                outcome="met",
            ),
        ),
        "checked": 20,
        "total": 20,
        "evidence": evidence,
        "evidence_root": evidence_root(evidence),
        "calibration": CitedCalibration(run="calibrate-1", manifest_sha256=sha256_hex(b"cal")),
        "stop_rule": "never",
        "attempts_total": 20,
    }


@dataclass
class Simulator:
    """Builds a ledger step by step; every step moves the clock one hour."""

    root: bytes = field(default_factory=solo)
    signers: Sequence[Signer] = (OPERATOR,)
    actor: str = "operator"
    files: dict[str, bytes] = field(default_factory=dict)
    contracts: dict[str, bytes] = field(default_factory=dict)
    log: dict[str, bytes] = field(default_factory=dict)
    versions: dict[GateId, ContractVersion] = field(default_factory=dict)
    now: datetime = START + timedelta(hours=1)

    def ledger(self) -> Ledger:
        roots = {ROOT_PATH: self.root}
        return read_ledger(self.files, self.contracts, roots, self.log, now=self.now)

    def append(self, gate: GateId, body: Body) -> str:
        """Appends a record to a gate's chain; the path of it."""
        done = append(
            self.ledger(),
            gate,
            body,
            subject=self.versions[gate],
            signers=self.signers,
            actor=self.actor,
            reason="as the test says",
            milestone="M1",
            now=self.now,
        )
        self.files[done.path] = done.data
        self.log |= done.log
        self.now += timedelta(hours=1)
        return done.path

    def publish(
        self, gate: GateId, version: str = "1.0.0", *, succeeds: GateId | None = None
    ) -> str:
        """Introduces a gate, or amends its contract to another version."""
        old = self.versions.get(gate)
        before = gate if old else succeeds
        data = contract_bytes(gate, version, succeeds=succeeds)
        superseded = None
        if before is not None:
            held = self.versions[before]
            superseded = Superseded(
                gate=str(before), version=held.version, sha256=sha256_hex(held.data)
            )
        self.versions[gate] = ContractVersion(version, data)
        self.contracts[contract_path(gate, version)] = data
        return self.append(gate, Amendment(supersedes=superseded, change_class=None, pins={}))

    def discharge(self, gate: GateId, *, days: int = 180) -> str:
        until = timestamp(self.now + timedelta(days=days))
        body = Discharge(verdict="met", valid_until=until, **decision_fields())
        return self.append(gate, body)

    def non_discharge(self, gate: GateId) -> str:
        return self.append(gate, NonDischarge(verdict="not-met", **decision_fields()))

    def condition(self, gate: GateId) -> LiftCondition:
        return LiftCondition(gate=str(gate), contract_sha256=sha256_hex(self.versions[gate].data))

    def suspend(
        self,
        gate: GateId,
        name: str = "M280",
        *,
        scope: str | None = "phase-6",
        gates: tuple[str, ...] = (),
    ) -> str:
        body = Suspension(
            suspension_id=name,
            scope=scope,
            gates=gates,
            lift_when=AnyGate(any_of=(self.condition(gate),)),
        )
        return self.append(gate, body)

    def lift(self, gate: GateId, name: str = "M280") -> str:
        suspension = find_suspension(self.ledger(), name)
        assert isinstance(suspension, Record)
        return self.append(gate, lift_body(self.ledger(), suspension, self.now))

    def retract(self, gate: GateId, target: str) -> str:
        digest = Digest(sha256=sha256_hex(self.files[target]))
        return self.append(gate, Retraction(target=digest, cause="evidenceInvalid"))

    def rewrite(
        self, path: str, change: Callable[[dict[str, Any]], None], *signers: Signer
    ) -> None:
        """Changes a record's statement and signs it again: the attack of an insider with a key."""
        statement = payload_of(self.files[path])
        change(statement)
        self.files[path] = seal(
            canonical_bytes(statement),
            payload_type=STATEMENT_TYPE,
            signers=signers or self.signers,
        )

    def relog(self, *signers: Signer) -> None:
        """Logs the files as they are and signs that: an insider with an integrator's key."""
        held = [entry.path for entry in read_entries(self.log)] if self.log else []
        order = [path for path in held if path in self.files]
        order += [path for path in sorted(self.files) if path not in held]
        entries = [Entry(sha256_hex(self.files[path]), path) for path in order]
        self.log = empty_log(ORIGIN).grown(entries, signers or self.signers)

    def basis(self) -> dict[str, Any]:
        """The log as somebody who signs now sees it."""
        log = self.ledger().log
        assert log is not None
        return Basis(size=log.size, root=log.checkpoint.root.hex()).to_json()

    def rules(self) -> list[str]:
        """The rules that the chains break, each once, sorted; the log would show it as well."""
        faults = {fault.rule for fault in self.ledger().faults}
        return sorted(faults - LOG_RULES)

    def log_rules(self) -> list[str]:
        """The rules about the log that the ledger breaks, each once, sorted."""
        return sorted({fault.rule for fault in self.ledger().faults} & LOG_RULES)


def payload_of(envelope: bytes) -> dict[str, Any]:
    """The statement in an envelope, as plain data, unverified."""
    value: dict[str, Any] = json.loads(base64.b64decode(json.loads(envelope)["payload"]))
    return value


def milestone() -> Simulator:
    """M280 over phase-6, held until V1_004 or its successor V1_005 is discharged, and lifted."""
    simulator = Simulator()
    simulator.publish(V4)
    simulator.suspend(V4)
    simulator.publish(V5, succeeds=V4)
    simulator.discharge(V5)
    simulator.lift(V4)
    return simulator


def lifted(record: Record) -> LiftedSuspension:
    """The suspension that a lift names."""
    assert isinstance(record.body, Lift)
    return record.body.suspension

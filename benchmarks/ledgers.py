"""Ledgers of any size, made for benchmarks: real signatures, and a log as its signers saw it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from abverify._canonical import canonical_bytes, canonical_digest, sha256_hex
from abverify._clock import timestamp
from abverify.records.envelope import STATEMENT_TYPE, seal
from abverify.records.keys import KeySigner
from abverify.records.log.entries import Entry
from abverify.records.log.state import CHECKPOINT, empty_log
from abverify.records.log.tree import Frontier
from abverify.records.trust import solo_root

if TYPE_CHECKING:
    from pathlib import Path

ORIGIN = "example.org/benchmark"
START = datetime(2026, 1, 1, tzinfo=UTC)
CHAIN = 500
SUSPENSION, DISCHARGE, LIFT, RETRACTION = 2, 3, 4, 5
"""Where these stand in every chain."""


@dataclass
class Maker:
    """Writes a ledger as its own signers would have, each record with the log they saw."""

    folder: Path
    signer: KeySigner = field(default_factory=lambda: KeySigner.generate("benchmark"))
    frontier: Frontier = field(default_factory=Frontier)
    entries: list[Entry] = field(default_factory=list)
    second: int = 0

    def __post_init__(self) -> None:
        expires = START + timedelta(days=36_500)
        data = solo_root(ORIGIN, "operator", self.signer, issued_at=START, expires=expires)
        self.write("gates/_trust/1.root.dsse.json", data)
        self.trust = {"version": 1, "sha256": sha256_hex(data)}

    def write(self, path: str, data: bytes) -> None:
        """Writes a file below the ledger's folder."""
        target = self.folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)

    def chain(self, name: str, length: int, *, keep_at: int | None = None) -> None:
        """Writes a gate of so many records; keeps a checkpoint once there are `keep_at`."""
        gate = f"bench/{name}"
        contract = f"id: {gate}\nversion: 1.0.0\nevidence: {{valid_days: 180}}\n".encode()
        subject = {
            "name": f"contracts/_versions/{gate}/1.0.0.yaml",
            "digest": {"sha256": sha256_hex(contract)},
        }
        self.write(subject["name"], contract)  # type: ignore[arg-type]
        prior: str | None = None
        digests: list[str] = []
        for seq in range(1, length + 1):
            kind, body = self._body(seq, gate, sha256_hex(contract), digests)
            place = {"id": gate, "contractVersion": "1.0.0", "seq": seq}
            place["prior"] = {"sha256": prior} if prior else None
            data = self._sealed(kind, subject, {"gate": place, **body})
            path = f"gates/{gate}/{seq:06d}.{kind}.dsse.json"
            self.write(path, data)
            prior = sha256_hex(data)
            digests.append(prior)
            self.log(Entry(prior, path))
            if seq == keep_at:
                self.finish()
                self.write("kept", (self.folder / CHECKPOINT).read_bytes())

    def log(self, entry: Entry) -> None:
        """Takes an entry into the log."""
        self.entries.append(entry)
        self.frontier = self.frontier.extended([entry.leaf])

    def finish(self) -> None:
        """Writes the log's files."""
        for path, data in empty_log(ORIGIN).grown(self.entries, [self.signer]).items():
            self.write(path, data)

    def _sealed(self, kind: str, subject: dict[str, Any], own: dict[str, Any]) -> bytes:
        self.second += 1
        statement = {
            "_type": "https://in-toto.io/Statement/v1",
            "subject": [subject],
            "predicateType": f"https://abverify.dev/record/{kind}/v1",
            "predicate": {
                "ledger": {"origin": ORIGIN},
                "basis": {"size": self.frontier.size, "root": self.frontier.root.hex()},
                "trustRoot": self.trust,
                "actor": {"id": "operator", "role": ROLE_OF[kind]},
                "issuedAt": timestamp(START + timedelta(seconds=self.second)),
                "reason": f"record {self.second} of the benchmark",
                "milestone": "M1",
                **own,
            },
        }
        payload = canonical_bytes(statement)
        return seal(payload, payload_type=STATEMENT_TYPE, signers=[self.signer])

    def _body(
        self, seq: int, gate: str, contract: str, digests: list[str]
    ) -> tuple[str, dict[str, Any]]:
        if seq == 1:
            return "amendment", {"supersedes": None, "changeClass": None, "pins": {}}
        condition = {"gate": gate, "contractSha256": contract}
        name = f"S{gate.replace('/', '-')}"
        if seq == SUSPENSION:
            lift_when = {"anyOf": [condition]}
            return "suspension", {
                "suspensionId": name, "scope": name, "gates": [], "liftWhen": lift_when,
            }  # fmt: skip
        if seq == LIFT:
            discharge = {"gate": gate, "sha256": digests[DISCHARGE - 1]}
            return "lift", {
                "suspension": {"id": name, "sha256": digests[SUSPENSION - 1]},
                "satisfiedBy": [discharge],
            }  # fmt: skip
        if seq == RETRACTION:
            return "retraction", {
                "target": {"sha256": digests[DISCHARGE - 1]},
                "cause": "superseded",
            }
        if seq % 2:
            until = timestamp(START + timedelta(seconds=self.second, days=90))
            return "discharge", {"verdict": "met", "validUntil": until, **_decided(gate, seq)}
        return "non-discharge", {"verdict": "not-met", **_decided(gate, seq)}


ROLE_OF = {
    "amendment": "amender",
    "suspension": "suspender",
    "retraction": "suspender",
    "lift": "lifter",
    "discharge": "discharger",
    "non-discharge": "discharger",
}


def _decided(gate: str, seq: int) -> dict[str, Any]:
    """What a decision says; as long as the ones that benches produce."""
    run = f"bench-{seq}"
    evidence = [
        {
            "run": run,
            "stage": "bench",
            "path": f"gates/{gate}/evidence/{run}",
            "manifestSha256": sha256_hex(run.encode()),
        }
    ]
    return {
        "evaluator": {"name": "abverify", "version": "0.1.0", "sha256": sha256_hex(b"harness")},
        "model": {
            "name": "Qwen3-Coder-30B-A3B-Instruct",
            "weightsSha256": sha256_hex(b"weights"),
            "adapterSha256": None,
            "identity": "attested",
        },
        "runLock": {"sha256": sha256_hex(b"lock")},
        "criteria": [
            {
                "id": "oracle",
                "metric": "oracle_passed",
                "expected": ">= 1",
                "observed": "1",
                "denominator": 20,
                "outcome": "met",
            }
        ],
        "checked": 1,
        "total": 1,
        "evidence": evidence,
        "evidenceRoot": canonical_digest(evidence),
        "calibration": {"run": "calibrate-1", "manifestSha256": sha256_hex(b"calibration")},
        "stopRule": "never: every planned trial was run",
        "attemptsTotal": 20,
    }


def made(folder: Path, size: int) -> Maker:
    """A ledger of so many records."""
    maker = Maker(folder)
    for number, start in enumerate(range(0, size, CHAIN)):
        maker.chain(f"G{number:05d}", min(CHAIN, size - start))
    maker.finish()
    return maker

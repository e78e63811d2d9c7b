"""The audit's speed beside that of the signatures in it, on ledgers made for the purpose.

Usage: python benchmarks/audit.py [--sizes 10000,100000] [--since 1000000] [--folder DIR]

For every size a ledger is made in a temporary folder, with real signatures by one fresh key:
gates of 500 records each, an introduction, a suspension, a discharge that lifts it, a
retraction, and decisions after that; every record carries the log that its signer would have
seen. Then, in this run and on this machine:

* `verify`: `cryptography`'s Ed25519 verification of these very messages, nothing else;
* `cold`: the audit of every record and of the log, on one core; the ratio of its CPU time to
  `verify` says what everything but the signatures costs;
* `two`: the same with two worker processes, by the clock;
* the exponent of growth between the smallest and the largest size, and the peak memory.

Evidence is not part of it: the records cite bundles that are not there, and the audit is told
to leave evidence alone (`abverify audit --records-only`).

With `--since N` also: the audit of 100 new decisions on top of a log of N, from a kept
checkpoint. The N old entries are a real log, tiles and all; of the old records only those exist
as files that the incremental audit may read, which are the ones in the chain of the new ones.
(A new lift or retraction cites other records, and then the whole ledger is read.)
"""

from __future__ import annotations

import argparse
import base64
import json
import math
import resource
import sys
import tempfile
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from abverify._canonical import canonical_bytes, canonical_digest, sha256_hex
from abverify._clock import timestamp
from abverify.app.audit import AuditRequest
from abverify.app.audit import audit as audit_ledger
from abverify.app.audit_scan import scan_ledger
from abverify.records.envelope import STATEMENT_TYPE, pae, seal, unverified_payload
from abverify.records.keys import KeySigner
from abverify.records.log.entries import Entry
from abverify.records.log.state import CHECKPOINT, empty_log
from abverify.records.log.tree import Frontier
from abverify.records.trust import solo_root

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


@dataclass(frozen=True, slots=True)
class Result:
    """What one size took, in seconds: CPU time on one core, and by the clock."""

    size: int
    verify: float
    cold: float
    wall: float
    two: float
    peak: float

    def line(self) -> str:
        """One line of the table."""
        per = 1e6 / self.size
        return (
            f"{self.size:>9,}  {self.verify * per:7.1f}  {self.cold * per:7.1f}  "
            f"{self.cold / self.verify:6.2f}  {self.wall:8.2f}  {self.two:8.2f}  "
            f"{self.wall / self.two:8.2f}  {self.peak:7.0f}"
        )


HEADING = (
    "     size   verify     cold   ratio   one, s    two, s   speed-up  peak MB\n"
    "           µs/rec.  µs/rec."
)


def verify_seconds(folder: Path, signer: KeySigner, size: int) -> float:
    """CPU time of verifying the signatures of `size` records, measured on up to 5000 of them."""
    paths = sorted(folder.glob("gates/bench/*/*.dsse.json"))[:5000]
    pairs: list[tuple[bytes, bytes]] = []
    for path in paths:
        data = path.read_bytes()
        payload = unverified_payload(data, name=path.name, payload_type=STATEMENT_TYPE)
        message = pae(STATEMENT_TYPE, payload)
        pairs.append((base64.b64decode(json.loads(data)["signatures"][0]["sig"]), message))
    key = Ed25519PublicKey.from_public_bytes(signer.public_key.raw)
    best = math.inf
    for _ in range(3):
        start = time.process_time()
        for signature, message in pairs:
            key.verify(signature, message)
        best = min(best, time.process_time() - start)
    return best / len(pairs) * size


def measured(size: int, parent: Path) -> Result:
    """Makes a ledger of that size, and audits it."""
    with tempfile.TemporaryDirectory(dir=parent, prefix="abverify-bench-") as name:
        folder = Path(name)
        maker = made(folder, size)
        before = verify_seconds(folder, maker.signer, size)
        clock, start = time.perf_counter(), time.process_time()
        audit(folder, size, jobs=1)
        cold, wall = time.process_time() - start, time.perf_counter() - clock
        after = verify_seconds(folder, maker.signer, size)
        clock = time.perf_counter()
        audit(folder, size, jobs=2)
        two = time.perf_counter() - clock
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return Result(size, (before + after) / 2, cold, wall, two, peak)


NEW, BEFORE = 100, 100
"""So many new records, in a chain that has so many already."""


def measured_since(size: int, parent: Path) -> str:
    """Makes a log of that size and 100 records on top, and audits those; one line."""
    with tempfile.TemporaryDirectory(dir=parent, prefix="abverify-bench-") as name:
        maker = Maker(Path(name))
        for number in range(size - BEFORE):
            digest = sha256_hex(b"%d" % number)
            seq, gate = number % CHAIN + 1, f"OLD{number // CHAIN}"
            maker.log(Entry(digest, f"gates/bench/{gate}/{seq:06d}.lift.dsse.json"))
        maker.chain("NEW", BEFORE + NEW, keep_at=BEFORE)
        maker.finish()
        clock, start = time.perf_counter(), time.process_time()
        report = audit_ledger(maker.folder, AuditRequest(since=str(maker.folder / "kept")))
        cpu, wall = time.process_time() - start, time.perf_counter() - clock
    if report.reasons or report.checked != NEW:
        sys.exit(f"the ledger should be sound: {report.checked} of {NEW}, {report.reasons[:3]}")
    return f"{NEW} new records on top of {size:,}: {wall:.3f} s by the clock, {cpu:.3f} s of CPU"


def audit(folder: Path, size: int, *, jobs: int) -> None:
    """Audits a ledger that has no fault."""
    now = START + timedelta(days=36_000)
    scan = scan_ledger(folder, now, jobs=jobs, evidence=False)
    if scan.faults or scan.checked != size:
        sys.exit(f"the ledger should be sound: {scan.checked} of {size}, {scan.faults[:3]}")


def main() -> int:
    """Measures, and prints."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=_Plain)
    parser.add_argument("--sizes", default="10000,100000")
    parser.add_argument("--since", type=int, metavar="N")
    parser.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir()))
    options = parser.parse_args()
    if options.sizes:
        print(HEADING)
    results: list[Result] = []
    for size in map(int, filter(None, options.sizes.split(","))):
        results.append(measured(size, options.folder))
        print(results[-1].line(), flush=True)
    if len(results) > 1:
        first, last = results[0], results[-1]
        growth = math.log(last.cold / first.cold) / math.log(last.size / first.size)
        print(f"exponent of growth from {first.size:,} to {last.size:,}: {growth:.3f}")
    if options.since:
        print(measured_since(options.since, options.folder))
    return 0


class _Plain(argparse.RawDescriptionHelpFormatter):
    """Keeps the line breaks of the description."""


if __name__ == "__main__":
    sys.exit(main())

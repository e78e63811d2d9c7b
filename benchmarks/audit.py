"""The audit's speed beside that of the signatures in it, on ledgers made for the purpose.

Usage: python benchmarks/audit.py [--sizes 10000,100000] [--since 1000000] [--folder DIR]

For every size a ledger is made in a temporary folder, with real signatures by one fresh key:
gates of 500 records each, an introduction, a suspension, a discharge that lifts it, a
retraction, and decisions after that; every record carries the log that its signer would have
seen. Then, in this run and on this machine:

* `verify`: `cryptography`'s Ed25519 verification of these very messages, nothing else;
* `cold`: the audit of every record and of the log, on one core; the ratio of its CPU time to
  `verify` says what the audit costs beside the signatures of that library;
* `two`: the same with two worker processes, by the clock;
* `MB`: the peak memory of the audit, and of the largest of its processes where it has several;
* the exponent of growth of `cold` between the smallest and the largest size.

Every audit runs in a fresh process, which is measured from when its modules are loaded. Up to
100,000 records it runs three times, by one and by two in turn, and the quickest of each counts.

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
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, astuple, dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from ledgers import CHAIN, START, Maker, made

from abverify._canonical import sha256_hex
from abverify.app.audit import AuditRequest
from abverify.app.audit import audit as audit_ledger
from abverify.app.audit_scan import scan_ledger
from abverify.records.envelope import STATEMENT_TYPE, pae, unverified_payload
from abverify.records.log.entries import Entry

if TYPE_CHECKING:
    from collections.abc import Iterable

    from abverify.records.keys import KeySigner

RUNS, SMALL = 3, 100_000
"""So often a ledger of so many records at most is audited; a quiet moment is what counts."""


@dataclass(frozen=True, slots=True)
class Cost:
    """What one audit took, in a process of its own and those that it began.

    Attributes:
        cpu: CPU time of all of them, in seconds.
        wall: the same by the clock.
        peak: the memory of the largest of them, in MB.
    """

    cpu: float
    wall: float
    peak: float

    @classmethod
    def best(cls, several: Iterable[Cost]) -> Cost:
        """The least time that several audits of the same took, and the most memory."""
        cpus, walls, peaks = zip(*map(astuple, several), strict=True)
        return cls(min(cpus), min(walls), max(peaks))


@dataclass(frozen=True, slots=True)
class Result:
    """What one size took: the signatures alone in seconds, and the audit by one and by two."""

    size: int
    verify: float
    one: Cost
    two: Cost

    def line(self) -> str:
        """One line of the table."""
        per = 1e6 / self.size
        return (
            f"{self.size:>9,}  {self.verify * per:7.1f}  {self.one.cpu * per:7.1f}  "
            f"{self.one.cpu / self.verify:6.2f}  {self.one.wall:8.2f}  {self.two.wall:8.2f}  "
            f"{self.one.wall / self.two.wall:8.2f}  {self.one.peak:7.0f}  {self.two.peak:7.0f}"
        )


HEADING = (
    "     size   verify     cold   ratio    one, s    two, s  speed-up   one MB   two MB\n"
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
        signer = made(folder, size).signer
        before = verify_seconds(folder, signer, size)
        options = ("--audit", name, "--expect", str(size), "--jobs")
        runs = range(RUNS if size <= SMALL else 1)
        pairs = [(apart(*options, "1"), apart(*options, "2")) for _ in runs]
        after = verify_seconds(folder, signer, size)
        one, two = (Cost.best(column) for column in zip(*pairs, strict=True))
    return Result(size, (before + after) / 2, one, two)


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
        cost = apart("--audit", name, "--expect", str(NEW), "--kept", str(maker.folder / "kept"))
    return (
        f"{NEW} new records on top of {size:,}: {cost.wall:.3f} s by the clock, "
        f"{cost.cpu:.3f} s of CPU, {cost.peak:.0f} MB"
    )


def apart(*options: str) -> Cost:
    """What an audit costs in a fresh process, which knows nothing of how the ledger was made."""
    run = subprocess.run(
        [sys.executable, __file__, *options], stdout=subprocess.PIPE, text=True, check=True
    )
    return Cost(**json.loads(run.stdout))


def audit(folder: Path, expected: int, *, jobs: int, kept: str | None) -> None:
    """Audits a ledger that has no fault, and prints what that cost as JSON."""
    clock, start = time.perf_counter(), _cpu()
    if kept is None:
        scan = scan_ledger(folder, START + timedelta(days=36_000), jobs=jobs, evidence=False)
        faults, checked = [*map(str, scan.faults)], scan.checked
    else:
        told = audit_ledger(folder, AuditRequest(since=kept))
        faults, checked = [*map(str, told.reasons)], told.checked
    cost = Cost(_cpu() - start, time.perf_counter() - clock, _peak())
    if faults or checked != expected:
        sys.exit(f"the ledger should be sound: {checked} of {expected}, {faults[:3]}")
    print(json.dumps(asdict(cost)))


def _cpu() -> float:
    """CPU time so far, of this process and of those that it began and that have ended."""
    ended = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + ended.ru_utime + ended.ru_stime


def _peak() -> float:
    """The most memory that this process, or the largest that it began, ever held, in MB.

    `ru_maxrss` of this process would count that of its parent, which made the ledger.
    """
    status = Path("/proc/self/status").read_text(encoding="ascii")
    own = int(status.partition("VmHWM:")[2].split()[0])
    return max(own, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss) / 1024


def main() -> int:
    """Measures, and prints."""
    plain = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=plain)
    parser.add_argument("--sizes", default="10000,100000")
    parser.add_argument("--since", type=int, metavar="N")
    parser.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir()))
    for name in ("audit", "expect", "jobs", "kept"):
        parser.add_argument(f"--{name}", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.audit:
        expected, jobs = int(options.expect), int(options.jobs or 1)
        audit(Path(options.audit), expected, jobs=jobs, kept=options.kept)
        return 0
    if options.sizes:
        report([int(size) for size in options.sizes.split(",")], options.folder)
    if options.since:
        print(measured_since(options.since, options.folder))
    return 0


def report(sizes: list[int], folder: Path) -> None:
    """Measures these sizes, and prints a line for each and the growth between them."""
    results: list[Result] = []
    print(HEADING)
    for size in sizes:
        results.append(measured(size, folder))
        print(results[-1].line(), flush=True)
    if len(results) > 1:
        first, last = results[0], results[-1]
        growth = math.log(last.one.cpu / first.one.cpu) / math.log(last.size / first.size)
        print(f"exponent of growth from {first.size:,} to {last.size:,}: {growth:.3f}")


if __name__ == "__main__":
    sys.exit(main())

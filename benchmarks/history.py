"""How long `abverify amend history` takes over a foreign repository, and how it grows.

Every commit is a whole, compliant amendment: contract, pin, mirror commit and README move
together. The mirror and the repository are written with `git fast-import`.

    python benchmarks/history.py [--sizes 250 500 1000 2000]
"""

from __future__ import annotations

import argparse
import math
import subprocess
import sys
import tempfile
import time
from hashlib import sha256
from pathlib import Path

POLICY = """\
schema: abverify/policy/v1
protected: main
foreign: [{path: c.yaml}]
pins: [{file: pin, format: key-value, contract: c.yaml, sha256: sha256, commit: commit}]
mirrors: [{kind: git, location: ../mirror, contract: c.yaml, file: c.yaml}]
rollups:
  - id: badge
    file: README.md
    pattern: "version (?P<version>[0-9.]+)"
    equals: {version: 'contracts."c.yaml".version'}
"""


def main() -> int:
    """Prints seconds, commits a second and the growth exponent."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="+", default=[250, 500, 1000, 2000])
    sizes = parser.parse_args().sizes
    print(f"{'commits':>8} {'seconds':>8} {'a second':>9}")
    points = [(size, judged(size)) for size in sizes]
    for size, seconds in points:
        print(f"{size:>8} {seconds:>8.2f} {size / seconds:>9.0f}")
    (small, fast), (large, slow) = points[0], points[-1]
    if large > small:
        print(f"growth exponent {math.log(slow / fast) / math.log(large / small):.2f}")
    return 0


def judged(commits: int) -> float:
    """The seconds of one whole process over a history of that many commits."""
    with tempfile.TemporaryDirectory(prefix="abverify-history-") as name:
        folder = Path(name)
        write(folder, commits)
        root = str(folder / "repository")
        command = [sys.executable, "-m", "abverify", "amend", "history", f"main~{commits}..main"]
        started = time.perf_counter()
        ran = subprocess.run(
            [*command, "--root", root], capture_output=True, text=True, check=False
        )
        seconds = time.perf_counter() - started
        if f"{commits}/{commits} commits lawful" not in ran.stdout:
            sys.exit(ran.stdout[-2000:] + ran.stderr)
        return seconds


def write(folder: Path, commits: int) -> None:
    """The mirror first, since the repository pins its commits."""
    contracts = [contract(number) for number in range(commits + 1)]
    mirror = [{"c.yaml": data} for data in contracts]
    ids = imported(folder / "mirror", mirror)
    states = []
    for number, (data, commit) in enumerate(zip(contracts, ids, strict=True)):
        pin = f"sha256: {sha256(data).hexdigest()}\ncommit: {commit}\n".encode()
        files = {"c.yaml": data, "pin": pin, "README.md": f"version 1.0.{number}\n".encode()}
        states.append(files if number else {**files, "contracts/policy.yaml": POLICY.encode()})
    imported(folder / "repository", states)


def contract(number: int) -> bytes:
    """The contract's bytes at its nth version, with a dozen gates."""
    gates = "".join(f"  - {{id: G{gate}, status: ACTIVE}}\n" for gate in range(12))
    return f"version: 1.0.{number}\ngates:\n{gates}".encode()


def imported(root: Path, states: list[dict[str, bytes]]) -> list[str]:
    """A repository whose main branch has one commit for each state; the commits' ids."""
    (root / "contracts").mkdir(parents=True)
    subprocess.run(["git", "init", "-q", "-b", "main", "."], cwd=root, check=True)
    stream = bytearray()
    for number, files in enumerate(states):
        stream += b"commit refs/heads/main\ncommitter b <b@example.org> %d +0000\n" % (
            1_700_000_000 + number
        )
        stream += b"data 1\nx\n"
        for path, data in files.items():
            stream += f"M 100644 inline {path}\ndata {len(data)}\n".encode() + data + b"\n"
    subprocess.run(["git", "fast-import", "--quiet"], cwd=root, input=bytes(stream), check=True)
    command = ["git", "rev-list", "--reverse", "main"]
    listed = subprocess.run(command, cwd=root, capture_output=True, text=True, check=True)
    return listed.stdout.split()


if __name__ == "__main__":
    sys.exit(main())

"""What a verb costs before it does anything: whole processes beside `import pydantic`.

Usage: python benchmarks/startup.py [--rounds 15]

Every round runs each command once, one after the other, in the repository this file lies in; the
medians of the rounds, by the clock and of CPU time, are set beside that of importing pydantic.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
ABVERIFY = (sys.executable, "-m", "abverify")
REFERENCE = "import pydantic"
COMMANDS = {
    REFERENCE: (sys.executable, "-c", "import pydantic"),
    "abverify --help": (*ABVERIFY, "--help"),
    "abverify check S1_004": (*ABVERIFY, "check", "S1_004"),
    "abverify lint S1_004": (*ABVERIFY, "lint", "S1_004"),
}


def once(command: tuple[str, ...]) -> tuple[float, float]:
    """Runs a command: seconds by the clock, and of CPU time."""
    before, started = os.times(), time.perf_counter()
    subprocess.run(command, cwd=ROOT, capture_output=True, check=False)
    wall, after = time.perf_counter() - started, os.times()
    used = (after.children_user - before.children_user) + (
        after.children_system - before.children_system
    )
    return wall, used


def main() -> None:
    """Measures, and prints."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--rounds", type=int, default=15)
    rounds = parser.parse_args().rounds
    taken = {name: [once(command) for _ in range(1)] for name, command in COMMANDS.items()}
    taken = {name: [] for name in taken}  # The first round only warms the caches.
    for _ in range(rounds):
        for name, command in COMMANDS.items():
            taken[name].append(once(command))
    medians = {
        name: tuple(statistics.median(column) for column in zip(*times, strict=True))
        for name, times in taken.items()
    }
    print(f"{'process':26}{'wall ms':>9}{'CPU ms':>9}{'ratio':>8}{'of CPU':>8}")
    for name, (wall, used) in medians.items():
        base_wall, base_used = medians[REFERENCE]
        print(
            f"{name:26}{wall * 1000:>9.0f}{used * 1000:>9.0f}"
            f"{wall / base_wall:>8.2f}{used / base_used:>8.2f}"
        )


if __name__ == "__main__":
    main()

"""What a verb costs before it does anything: whole processes beside `import pydantic`.

Usage: python benchmarks/startup.py [--rounds 15]

Every round runs each command once, one after the other; the medians of the rounds, by the clock
and of CPU time, are set beside that of importing pydantic. `check` decides from stored evidence:
a bench of 20 fixtures by 20 turns and its calibration, every text of it parsed again, its scores
counted again, under a ledger with a signed verdict on it (see `stored.py`); `lint` reads the
repository this file lies in.
All of them find their modules compiled, as an installed package does, whatever this machine's
environment says of bytecode; it lies in a folder of its own, and the first round fills it.
"""

from __future__ import annotations

import argparse
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import stored

if TYPE_CHECKING:
    from collections.abc import Mapping

ROOT = Path(__file__).resolve().parent.parent
ABVERIFY = (sys.executable, "-m", "abverify")
REFERENCE = "import pydantic"


def commands(repository: Path) -> dict[str, tuple[str, ...]]:
    """What is measured, by name."""
    return {
        REFERENCE: (sys.executable, "-c", "import pydantic"),
        "abverify --help": (*ABVERIFY, "--help"),
        "abverify check, 20 × 20": (*ABVERIFY, "check", stored.GATE, "--root", str(repository)),
        "abverify lint S1_004": (*ABVERIFY, "lint", "S1_004"),
    }


def compiled_below(folder: str) -> dict[str, str]:
    """The environment of processes that keep their bytecode in a folder, and find it there."""
    kept = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
    return {**kept, "PYTHONPYCACHEPREFIX": folder}


def once(command: tuple[str, ...], env: Mapping[str, str]) -> tuple[float, float]:
    """Runs a command: seconds by the clock, and of CPU time."""
    before, started = _children(), time.perf_counter()
    subprocess.run(command, cwd=ROOT, env=env, capture_output=True, check=False)
    return time.perf_counter() - started, _children() - before


def _children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def timed(rounds: int) -> dict[str, list[tuple[float, float]]]:
    """What `once` says of each command, round by round; the round that compiles is not kept."""
    with (
        tempfile.TemporaryDirectory(prefix="abverify-bytecode-") as folder,
        tempfile.TemporaryDirectory(prefix="abverify-stored-") as made,
    ):
        env = compiled_below(folder)
        measured = commands(stored.make(Path(made)))
        taken: dict[str, list[tuple[float, float]]] = {name: [] for name in measured}
        for _ in range(1 + rounds):
            for name, command in measured.items():
                taken[name].append(once(command, env))
    return {name: times[1:] for name, times in taken.items()}


def main() -> None:
    """Measures, and prints."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--rounds", type=int, default=15)
    medians = {
        name: tuple(statistics.median(column) for column in zip(*times, strict=True))
        for name, times in timed(parser.parse_args().rounds).items()
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

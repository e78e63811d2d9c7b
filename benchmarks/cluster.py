"""A bench on a Ray cluster of this machine: two workers of one thread beside one of one thread.

Usage: python benchmarks/cluster.py [--trials 20] [--turns 4] [--rounds 1]

The model is S1_005's, with its adapter, configuration and corpus; the oracle runs at the end of a
trial, so that each takes all of its turns. Workers, sandbox, oracle and
journal are the real ones, and both runs must journal the same completions. Efficiency is the time
of one worker over twice the time of two. Every worker is open before the clock starts: how long
that took is printed beside it. The bench keeps its order, so the last trial of two workers may
run alone, and that loss is counted.
"""

# ruff: noqa: SLF001 (it opens the workers before the clock starts)

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import stored
import waves

from abverify._clock import now, timestamp
from abverify.app.cluster.runner import Cluster, on_ray
from abverify.app.measurement import open_gate
from abverify.bench.journal import Journal
from abverify.bench.plan import Plan
from abverify.evidence.manifest import START_SCHEMA, Start

if TYPE_CHECKING:
    from abverify.app.cluster.pool import Pool
    from abverify.app.measurement import OpenGate
    from abverify.evidence.lock import RunLock

GATE = "S1_005"
ROOT = Path(__file__).resolve().parent.parent


def measure(gate: OpenGate, plan: Plan, workers: int) -> tuple[float, float, dict[str, list[str]]]:
    """Runs the plan on so many workers: seconds to open them, to run, and the completions."""
    cluster = Cluster(workers=workers)
    began = time.perf_counter()
    with (
        on_ray(ROOT, gate, cluster, unsafe=False, paranoid=False) as runner,
        tempfile.TemporaryDirectory(prefix="abverify-bench-") as folder,
        Journal(Path(folder), _start(gate, runner.lock), runner.lock) as journal,
    ):
        opened(runner._pool, workers)
        started = time.perf_counter()
        runner.run(plan, journal, stored.Nobody())
        seconds = time.perf_counter() - started
        said: dict[str, list[str]] = {}
        for row in journal.rows():
            if row.kind == "turn":
                said.setdefault(row.trial.fixture, []).append(row.raw)
    return started - began, seconds, said


def opened(pool: Pool, workers: int) -> None:
    """Waits until so many workers are open."""
    pool.grow(workers - len(pool.idle) - len(pool.opening))
    while len(pool.idle) < workers:
        pool.take(pool.ready(()), busy=True)


def _start(gate: OpenGate, lock: RunLock) -> Start:
    return Start(
        schema_=START_SCHEMA,
        run="cluster",
        stage="bench",
        offered_to=(str(gate.id),),
        identity="attested",
        started_at=timestamp(now()),
        lock_sha256=lock.sha256,
        began_after=gate.heads,
    )


def main() -> None:
    """Measures, and prints."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--trials", type=int, default=20)
    parser.add_argument("--turns", type=int, default=4)
    parser.add_argument("--rounds", type=int, default=1)
    options = parser.parse_args()
    gate = open_gate(ROOT, GATE)
    config = waves.all_turns(gate.contract.config, options.turns)
    fixtures = gate.corpus.fixtures[: options.trials]
    plan = Plan(fixtures, config.sampling.seeds[:1], config, gate.system_prompt)
    print(f"{'one worker, s':>14}{'two, s':>9}{'turns':>7}{'efficiency':>12}{'opening, s':>14}")
    told = []
    for _ in range(options.rounds):
        first, one, said = measure(gate, plan, 1)
        both, two, again = measure(gate, plan, 2)
        if said != again:
            sys.exit("two workers made other completions than one: nothing can be compared")
        told.append(one / (2 * two))
        turns = sum(map(len, said.values()))
        opening = f"{first:.1f}, {both:.1f}"
        print(f"{one:14.2f}{two:9.2f}{turns:7}{told[-1]:12.3f}{opening:>14}", flush=True)
    if len(told) > 1:
        print(f"{'median':>30}{statistics.median(told):12.3f}")


if __name__ == "__main__":
    main()

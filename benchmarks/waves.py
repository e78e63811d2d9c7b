"""The same bench with one engine and with several, one by one and in waves: whole runs.

Usage: python benchmarks/waves.py [--runs 1x1,1x2,10x1,10x2] [--turns 4] [--memory]

A run is `config.engine.sequences`, then how many engines measure side by side (`--engines`).

The model is S1_005's, with its adapter, configuration and corpus; the oracle runs at the end of a
trial, so that each takes all of its turns. Engine, sandbox, oracle and
journal are the real ones, and loading the weights is not counted. The first run is the
reference of the others. The number of engines changes no byte; a different number of sequences
samples other texts, so the tokens of each run stand beside its time; the ratio is of tokens a
second.

With `--memory`, `peak MB` is what the run's processes held together at most, `beside` what of that
is neither weights nor adapters nor caches. Looking at gigabytes twenty times a second slows a run
by up to a fifth, so its speed is not told then.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from contextlib import nullcontext
from dataclasses import dataclass, replace
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING

from memory import PeakMemory

from abverify._clock import now, timestamp
from abverify.app.measurement import open_gate
from abverify.app.runner import here
from abverify.bench.journal import Journal
from abverify.bench.plan import Plan
from abverify.bench.weights import locate
from abverify.bench.weights_file import examine
from abverify.evidence.manifest import START_SCHEMA, Start
from abverify.model.config import LoopConfig

if TYPE_CHECKING:
    from abverify.app.measurement import OpenGate
    from abverify.evidence.lock import RunLock
    from abverify.evidence.rows import Row, Trial
    from abverify.model.config import RunConfig

GATE = "S1_005"
ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class Measured:
    """A whole run: its seconds, turns, tokens sampled, and megabytes.

    Attributes:
        peak: what its processes held together at most; 0 where nobody looked.
        floor: what weights, adapters and caches take of that.
    """

    sequences: int
    engines: int
    seconds: float
    turns: int
    sampled: int
    peak: float
    floor: float

    @property
    def speed(self) -> float:
        """Tokens a second."""
        return self.sampled / self.seconds


class Nobody:
    """Looks on and says nothing."""

    def trial_started(self, trial: Trial, number: int, total: int) -> None:
        """A trial begins."""

    def token(self, count: int) -> None:
        """A token was sampled."""

    def row(self, row: Row) -> None:
        """A row was journaled."""


def measured(
    gate: OpenGate, sequences: int, turns: int, engines: int, *, memory: bool = False
) -> Measured:
    """The same as `measure`, in a process of its own, whose memory no other run has grown."""
    spawn = get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=spawn) as process:
        return process.submit(measure, gate, sequences, turns, engines, memory=memory).result()


def measure(gate: OpenGate, sequences: int, turns: int, engines: int, *, memory: bool) -> Measured:
    """Runs the gate's bench with so many sequences in each of so many engines."""
    config = all_turns(gate.contract.config, turns)
    engine = config.engine.model_copy(update={"sequences": sequences})
    config = config.model_copy(update={"engine": engine})
    gate = replace(gate, contract=gate.contract.model_copy(update={"config": config}))
    plan = Plan(gate.corpus.fixtures, config.sampling.seeds[:1], config, gate.system_prompt)
    where = here(
        ROOT,
        gate,
        Nobody(),
        unsafe=False,
        paranoid=False,
        engines=engines,
        trials=len(plan.trials()),
    )
    with (
        where as runner,
        tempfile.TemporaryDirectory(prefix="abverify-bench-") as folder,
        Journal(Path(folder), _start(gate, runner.lock), runner.lock) as journal,
    ):
        peak = PeakMemory()
        started = time.perf_counter()
        with peak if memory else nullcontext():
            runner.run(plan, journal, Nobody())
        seconds = time.perf_counter() - started
        told = [row for row in journal.rows() if row.kind == "turn"]
    sampled = sum(row.completion_tokens for row in told)
    floor = floor_megabytes(gate, sequences, engines)
    return Measured(sequences, engines, seconds, len(told), sampled, peak.megabytes, floor)


def floor_megabytes(gate: OpenGate, sequences: int, engines: int) -> float:
    """Weights once, and for each engine its adapter and the keys and values of every window."""
    model = gate.contract.model
    weights = locate(model.source, file=model.weights.file, root=ROOT)
    adapter = (ROOT / model.adapter.file).stat().st_size if model.adapter else 0
    told = examine(weights, expected_sha256=model.weights.sha256, name="weights").header.values
    head = int(told["llama.embedding_length"]) // int(told["llama.attention.head_count"])
    width = head * int(told["llama.attention.head_count_kv"]) * int(told["llama.block_count"])
    cache = gate.contract.config.engine.n_ctx * sequences * width * 2 * 2
    return (weights.stat().st_size + engines * (adapter + cache)) / 1e6


def all_turns(config: RunConfig, turns: int) -> RunConfig:
    """The configuration with which every trial takes so many turns: its oracle runs at its end."""
    budgets = config.budgets.model_copy(update={"max_turns": turns})
    return config.model_copy(update={"budgets": budgets, "loop": LoopConfig(oracle_every_turns=0)})


def shortened(gate: OpenGate, trials: int) -> OpenGate:
    """The gate with the first fixtures of its corpus alone."""
    return replace(gate, corpus=replace(gate.corpus, fixtures=gate.corpus.fixtures[:trials]))


def _start(gate: OpenGate, lock: RunLock) -> Start:
    return Start(
        schema_=START_SCHEMA,
        run="waves",
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
    parser.add_argument("--runs", default="1x1,1x2,10x1,10x2", help="SEQUENCESxENGINES, by commas")
    parser.add_argument("--turns", type=int, default=4)
    parser.add_argument("--memory", action="store_true", help="measure memory instead of speed")
    options = parser.parse_args()
    gate = open_gate(ROOT, GATE)
    told = f"{'peak MB':>10}{'beside':>8}" if options.memory else f"{'a second':>10}{'ratio':>8}"
    print(f"{'sequences':>9}{'engines':>9}{'seconds':>10}{'turns':>8}{'tokens':>8}{told}")
    first: Measured | None = None
    for sequences, engines in pairs(options.runs):
        run = measured(gate, sequences, options.turns, engines, memory=options.memory)
        first = first or run
        told = (
            f"{run.peak:10.0f}{run.peak - run.floor:+8.0f}"
            if options.memory
            else f"{run.speed:10.1f}{run.speed / first.speed:8.2f}"
        )
        print(
            f"{sequences:9}{engines:9}{run.seconds:10.2f}{run.turns:8}{run.sampled:8}{told}",
            flush=True,
        )


def pairs(text: str) -> list[tuple[int, int]]:
    """The numbers of sequences and engines of each run."""
    return [(int(run.split("x")[0]), int(run.split("x")[1])) for run in text.split(",")]


if __name__ == "__main__":
    main()

"""A bench of 20 trials by 4 turns beside the arithmetic it cannot do without, and a plain loop.

Usage: python benchmarks/engine.py [--trials 20] [--turns 4]

The model is S1_005's, with its adapter, configuration and corpus; the oracle runs at the end of a
trial, so that each takes all of its turns. Every trial is done four times,
one after the other, so that whatever else this machine does falls on all of them alike:

* `bench`: the trial as abverify runs it: agent loop, sandbox, oracle, and the engine's child;
* a trace, not timed: the same requests again, which must give the same texts, while every batch
  of tokens that reaches `llama_decode` is noted down;
* `pure`: those very batches through `llama_decode` again, and nothing else;
* `naive`: `llama_cpp.Llama.create_chat_completion` with each turn's history, made to sample as
  many tokens as the bench did, with the same samplers, threads and window.

Then the whole bench is run again as `abverify run` would, with several engines side by side and
in waves. Before and after each run the naive loop does all of its turns once more, and the run's
speed in tokens a second is set beside the mean of the two: what a machine does in a minute may
differ by a tenth from what it did ten minutes ago.
Ten sequences, because 20 trials are then one wave for each of two engines.

Also printed: tokens evaluated beside the unique ones among them, which are those that were not
evaluated before behind the same tokens in the same trial; tokens evaluated as prompt beside those
of the conversation that nobody had sampled, which is less where the model's own text, read again
as a prompt, is cut into other tokens than it was sampled in; and the peak memory of a bench
process with its engine beside that of weights and cache.
"""

# ruff: noqa: PLC0415, SLF001 (it looks into the runtime, after the environment is made)

from __future__ import annotations

import argparse
import ctypes
import os
import statistics
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import waves

from abverify.app.measurement import bench_for, open_gate
from abverify.bench.arena import Arena
from abverify.bench.engines.llama_open import open_llama
from abverify.evidence.rows import Trial, TurnRow

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from abverify.app.measurement import OpenGate
    from abverify.bench.engines import Completion, Message
    from abverify.bench.engines.llama import LlamaEngine
    from abverify.bench.engines.llama_runtime import Runtime
    from abverify.bench.oracle import Bench
    from abverify.evidence.lock import Scalar
    from abverify.evidence.rows import Row
    from abverify.model.config import RunConfig
    from abverify.model.corpus import Fixture
    from abverify.model.identity import IdentityLevel

GATE = "S1_005"
MEBIBYTE = 1 << 20


@dataclass(frozen=True)
class Request:
    """What the agent loop asked of the engine, and what came."""

    messages: tuple[Message, ...]
    seed: int
    max_tokens: int
    completion: Completion


@dataclass
class Recorder:
    """The engine, with every request to it kept."""

    engine: LlamaEngine
    requests: list[Request] = field(default_factory=list)

    @property
    def identity(self) -> IdentityLevel:
        """The engine's own."""
        return self.engine.identity

    def facts(self) -> Mapping[str, Scalar]:
        """The engine's own."""
        return self.engine.facts()

    def start_trial(self) -> None:
        """Begins a trial, and a list of its requests."""
        self.requests = []
        self.engine.start_trial()

    def complete(
        self, messages: Sequence[Message], *, seed: int, max_tokens: int, seconds: float
    ) -> Completion:
        """Completes, and keeps what was asked."""
        completion = self.engine.complete(
            messages, seed=seed, max_tokens=max_tokens, seconds=seconds
        )
        self.requests.append(Request(tuple(messages), seed, max_tokens, completion))
        return completion

    def close(self) -> None:
        """Ends the engine."""
        self.engine.close()


@dataclass(frozen=True)
class Measured:
    """One trial: seconds of each way to do it, and its tokens."""

    bench: float
    engine: float
    pure: float
    naive: float
    bench_cpu: float
    pure_cpu: float
    naive_cpu: float
    sampled: int
    naive_sampled: int
    prefilled: int
    new: int
    evaluated: int
    unique: int


def run_trial(
    gate: OpenGate, config: RunConfig, fixture: Fixture, engine: Recorder, bench: Bench
) -> tuple[float, list[TurnRow]]:
    """A trial as the bench runs it: its seconds, and its turns."""
    rows: list[Row] = []
    trial = Trial(fixture=fixture.id, seed=config.sampling.seeds[0])
    with tempfile.TemporaryDirectory(prefix="abverify-trial-") as folder:
        arena = Arena(
            trial, fixture, config, gate.system_prompt, engine, bench, Path(folder), rows.append
        )
        started = time.perf_counter()
        arena.run()
        seconds = time.perf_counter() - started
    return seconds, [row for row in rows if isinstance(row, TurnRow)]


def traced(runtime: Runtime, requests: Sequence[Request]) -> list[tuple[int, list[int]]]:
    """The batches of a trial: where in the cache each begins, and its tokens.

    Raises:
        SystemExit: if a text comes out otherwise than in the bench.
    """
    from abverify.bench.engines.llama_wire import Complete

    batches: list[tuple[int, list[int]]] = []
    decode: Callable[[list[int]], None] = runtime._decode

    def noted(tokens: list[int]) -> None:
        batches.append((len(runtime._cached), tokens))
        decode(tokens)

    runtime._decode = noted  # type: ignore[method-assign]
    runtime.forget()
    for asked in requests:
        request = Complete(asked.messages, asked.seed, asked.max_tokens, 600.0, progress=False)
        if runtime.complete(request, on_token=lambda _n: None).text != asked.completion.text:
            sys.exit("the trace says something else than the bench: nothing can be compared")
    del runtime._decode
    return batches


def unique_tokens(batches: Sequence[tuple[int, list[int]]]) -> int:
    """How many tokens of a trial's batches were not evaluated before behind the same tokens."""
    seen: set[tuple[int, int]] = set()
    behind: list[int] = []
    for place, tokens in batches:
        del behind[place:]
        behind += [0] * (place - len(behind))
        for token in tokens:
            node = (behind[-1] if behind else 0, token)
            behind.append(hash(node))
            seen.add(node)
    return len(seen)


def pure_seconds(runtime: Runtime, batches: Sequence[tuple[int, list[int]]]) -> float:
    """The same batches through `llama_decode` alone: no deadline, no callback, no sampler."""
    from abverify.bench.engines.llama_library import llama
    from abverify.bench.engines.llama_runtime import _NOT_ZERO

    runtime.forget()
    llama.llama_set_abort_callback(runtime._context, llama.ggml_abort_callback(), None)
    started = time.perf_counter()
    for place, tokens in batches:
        if place < len(runtime._cached):
            runtime._cut(place)
        array = (llama.llama_token * len(tokens))(*tokens)
        llama.llama_decode(runtime._context, llama.llama_batch_get_one(array, len(tokens)))
        llama.llama_synchronize(runtime._context)
        runtime._cached += tokens
    seconds = time.perf_counter() - started
    struck = ctypes.cast(runtime._struck, ctypes.c_void_p)
    llama.llama_set_abort_callback(runtime._context, _NOT_ZERO, struck)
    return seconds


def naive_seconds(model: Any, config: RunConfig, requests: Sequence[Request]) -> tuple[float, int]:
    """The turns through `create_chat_completion`: seconds, and tokens sampled.

    The end token is forbidden, so that it samples what the bench sampled, and no less.
    """
    knobs = config.sampling
    sampled = 0
    started = time.perf_counter()
    for asked in requests:
        answer = model.create_chat_completion(
            [{"role": message.role, "content": message.content} for message in asked.messages],
            max_tokens=max(1, asked.completion.completion_tokens),
            seed=asked.seed,
            temperature=float(knobs.temperature),
            top_k=knobs.top_k,
            top_p=float(knobs.top_p),
            min_p=float(knobs.min_p),
            repeat_penalty=float(knobs.repeat_penalty),
            logit_bias={model.token_eos(): -1000.0},
        )
        sampled += answer["usage"]["completion_tokens"]
    return time.perf_counter() - started, sampled


def new_tokens(turns: Sequence[TurnRow], shared: int) -> int:
    """Tokens of a trial's last prompt that nobody had sampled and no other trial evaluated."""
    sampled = sum(turn.completion_tokens for turn in turns[:-1])
    return turns[-1].prompt_tokens - shared - sampled


def cpu_seconds(pid: int | None = None) -> float:
    """CPU time so far of this process and its ended children, and of the engine's process."""
    used = sum(os.times()[:4])
    if pid is not None:
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
        used += (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    return used


def peak_bytes(pid: int | str) -> int:
    """The peak resident memory of a process so far."""
    status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    return 1024 * next(
        int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM:")
    )


def cache_bytes(runtime: Runtime, n_ctx: int) -> int:
    """Keys and values of a whole window in 16 bits."""
    from abverify.bench.engines.llama_library import llama

    model = runtime._model
    width = llama.llama_model_n_embd(model) // llama.llama_model_n_head(model)
    heads = llama.llama_model_n_head_kv(model) * llama.llama_model_n_layer(model)
    return int(n_ctx * heads * width * 2 * 2)


def main() -> int:
    """Measures, and prints."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=_Plain)
    parser.add_argument("--trials", type=int, default=20)
    parser.add_argument("--turns", type=int, default=4)
    options = parser.parse_args()
    root = Path(__file__).resolve().parent.parent
    gate = open_gate(root, GATE)
    contract = gate.contract
    config = waves.all_turns(contract.config, options.turns)
    fixtures = gate.corpus.fixtures[: options.trials]
    bench = bench_for(gate.corpus, unsafe=False).alone()
    engine = Recorder(open_llama(contract.model, config, root=root))
    run_trial(gate, config, fixtures[0], engine, bench)
    peak = peak_bytes("self") + peak_bytes(engine.engine.pid or "self")
    runtime, naive = _others(engine.engine, config)
    traced(runtime, engine.requests)
    shared = len(runtime._base)
    trials: list[Measured] = []
    requests: list[Request] = []
    for fixture in fixtures:
        pid = engine.engine.pid
        began = cpu_seconds(pid)
        seconds, turns = run_trial(gate, config, fixture, engine, bench)
        bench_cpu = cpu_seconds(pid) - began
        batches = traced(runtime, engine.requests)
        began = cpu_seconds()
        pure = pure_seconds(runtime, batches)
        between = cpu_seconds()
        plain, sampled = naive_seconds(naive, config, engine.requests)
        requests += engine.requests
        trials.append(
            Measured(
                bench=seconds,
                engine=sum(asked.completion.millis for asked in engine.requests) / 1000,
                pure=pure,
                naive=plain,
                bench_cpu=bench_cpu,
                pure_cpu=between - began,
                naive_cpu=cpu_seconds() - between,
                sampled=sum(turn.completion_tokens for turn in turns),
                naive_sampled=sampled,
                prefilled=sum(turn.prefilled_tokens or 0 for turn in turns),
                new=new_tokens(turns, shared),
                evaluated=sum(len(tokens) for _, tokens in batches),
                unique=unique_tokens(batches),
            )
        )
    peak = max(peak, peak_bytes(engine.engine.pid or "self"))
    engine.close()
    weights = engine.engine._weights.size
    adapter = engine.engine._adapter
    weights += adapter.facts.size if adapter else 0
    _report(trials, shared, peak=peak, floor=weights + cache_bytes(runtime, config.engine.n_ctx))
    del runtime

    def loop() -> float:
        seconds, sampled = naive_seconds(naive, config, requests)
        return sampled / seconds

    _whole_runs(waves.shortened(gate, options.trials), options.turns, loop)
    return 0


def _whole_runs(gate: OpenGate, turns: int, loop: Callable[[], float]) -> None:
    """The bench as a whole run, by how many sequences and engines, between two naive loops."""
    cores = len(os.sched_getaffinity(0))
    print("whole runs             seconds  tokens  a second   naive   ratio")
    before = loop()
    for sequences, engines in dict.fromkeys([(1, 1), (1, cores), (10, 1), (10, cores)]):
        run = waves.measured(gate, sequences, turns, engines)
        after = loop()
        naive = (before + after) / 2
        name = f"{sequences} sequences, {engines} engines"
        print(
            f"{name:23}{run.seconds:7.2f}{run.sampled:8}{run.speed:10.1f}"
            f"{naive:8.1f}{run.speed / naive:8.2f}",
            flush=True,
        )
        before = after


def _others(engine: LlamaEngine, config: RunConfig) -> tuple[Runtime, Any]:
    """The runtime for trace and replay, and the plain binding, with the engine's own settings."""
    import llama_cpp

    from abverify.bench.engines.llama_runtime import Runtime

    load = engine._load
    naive = llama_cpp.Llama(
        load.weights.path,
        lora_path=load.adapter.path if load.adapter else None,
        n_ctx=load.n_ctx,
        n_batch=load.n_ubatch,
        n_ubatch=load.n_ubatch,
        n_threads=load.threads,
        n_threads_batch=load.threads,
        last_n_tokens_size=config.sampling.repeat_last_n,
        verbose=False,
    )
    return Runtime(load), naive


def _report(trials: Sequence[Measured], shared: int, *, peak: int, floor: int) -> None:
    total = {name: sum(getattr(t, name) for t in trials) for name in Measured.__annotations__}
    sampled, naive_sampled = total["sampled"], total["naive_sampled"]
    print(f"{len(trials)} trials, {sampled} tokens sampled ({naive_sampled} by the naive loop)")
    for name in ("bench", "engine", "pure", "naive"):
        cpu = f"{total[f'{name}_cpu']:9.2f} s of CPU" if f"{name}_cpu" in total else ""
        print(f"  {name:8}{total[name]:9.2f} s{cpu}")
    print(f"{'measure':44}{'all':>8}{'median':>9}")
    for text, over, under in (
        ("harness overhead: bench / pure", "bench", "pure"),
        ("  the same of CPU time", "bench_cpu", "pure_cpu"),
        ("engine overhead: its process / pure", "engine", "pure"),
        ("speed: naive / bench", "naive", "bench"),
        ("  the same of CPU time", "naive_cpu", "bench_cpu"),
    ):
        median = statistics.median(getattr(t, over) / getattr(t, under) for t in trials)
        print(f"{text:44}{total[over] / total[under]:8.3f}{median:9.3f}")
    print(f"{'tokens evaluated / unique':44}{total['evaluated'] / total['unique']:8.3f}")
    print(f"  {total['evaluated']} / {total['unique']}, prompts and completions")
    print(f"{'tokens prefilled / new':44}{total['prefilled'] / total['new']:8.3f}")
    print(f"  {total['prefilled']} / {total['new']}, and {shared} shared ones once for all trials")
    print(f"peak memory of bench and engine: {peak / MEBIBYTE:.0f} MiB")
    print(f"  weights and cache are {floor / MEBIBYTE:.0f} MiB: {(peak - floor) / 1e6:+.0f} MB")


class _Plain(argparse.RawDescriptionHelpFormatter):
    """Keeps the lines of the module's own text."""


if __name__ == "__main__":
    os.environ.setdefault("GOMP_SPINCOUNT", "300")
    sys.exit(main())

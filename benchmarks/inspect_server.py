"""The same trials through Inspect AI and `llama_cpp.server`, beside abverify's own engine.

Usage: python benchmarks/inspect_server.py [--trials 20] [--turns 4] [--runs 1x1,1x2,10x2]
       [--as-it-comes]

Needs the `bench` extra (`pip install 'abverify[bench,demo]'`). The model is S1_005's, with its
adapter, sampling, seeds, token budget and corpus. On Inspect's side an eval with one task: a
sample for each fixture, and a solver that asks the model turn by turn through Inspect's OpenAI
provider, runs the calls with abverify's own parser, tools and sandbox, and the oracle at the end.
Inspect is told to take one sample at a time, because the server has one context, whose cache holds
one conversation. So both sides do the same work, and differ in who drives it and through what.
With `--as-it-comes` it is run once more without being told: it then takes ten samples at a time,
and the server evaluates nearly every prompt from its beginning.

`seconds` counts the work alone, `whole` also what comes before it: importing what only this run
needs, starting the server or the engines, loading the weights. Sampling is the
same by declaration, yet a conversation that departs in one token goes on in others: the ratios are
of tokens a second, to each run of Inspect.
"""

# ruff: noqa: PLC0415 (Inspect is loaded by the one function that runs it)
# mypy: disable-error-code="import-not-found,untyped-decorator"

from __future__ import annotations

import argparse
import asyncio
import os
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import waves

from abverify.app.measurement import bench_for, open_gate
from abverify.bench.confined import Confined
from abverify.bench.observation import observation
from abverify.bench.oracle import fixture_limits, judge_workspace
from abverify.bench.tools import Tools
from abverify.bench.weights import locate
from abverify.evidence.reparse import parse_turn
from abverify.evidence.seeds import turn_seed
from abverify.toolcalls import SALVAGE

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from abverify.app.measurement import OpenGate
    from abverify.bench.oracle import Bench
    from abverify.evidence.rows import FinishReason
    from abverify.model.corpus import Fixture

GATE = "S1_005"
ROOT = Path(__file__).resolve().parent.parent
ALIAS = "bench"


@contextmanager
def server(gate: OpenGate) -> Iterator[str]:
    """`llama_cpp.server` with the gate's weights, adapter and window; its base URL."""
    config, model = gate.contract.config, gate.contract.model
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        port = listening.getsockname()[1]
    options = {
        "model": locate(model.source, file=model.weights.file, root=ROOT),
        "lora_path": ROOT / model.adapter.file if model.adapter else "",
        "model_alias": ALIAS,
        "n_ctx": config.engine.n_ctx,
        "n_batch": config.engine.n_ubatch,
        "n_threads": len(os.sched_getaffinity(0)),
        "n_threads_batch": len(os.sched_getaffinity(0)),
        "last_n_tokens_size": config.sampling.repeat_last_n,
        "logits_all": "false",
        "verbose": "false",
        "port": port,
    }
    flags = [text for key, value in options.items() for text in (f"--{key}", str(value))]
    command = [sys.executable, "-m", "llama_cpp.server", *flags]
    with tempfile.TemporaryFile() as said:
        process = subprocess.Popen(command, stdout=said, stderr=said)
        try:
            _wait_for(f"http://127.0.0.1:{port}/v1/models", process)
            yield f"http://127.0.0.1:{port}/v1"
        finally:
            process.terminate()
            process.wait()


def _wait_for(url: str, process: subprocess.Popen[bytes]) -> None:
    for _ in range(600):
        if process.poll() is not None:
            break
        try:
            urllib.request.urlopen(url, timeout=1).close()  # noqa: S310 (it is our own server)
        except (urllib.error.URLError, OSError):
            time.sleep(0.1)
        else:
            return
    sys.exit("llama_cpp.server did not start")


@dataclass(frozen=True)
class Loop:
    """The agent loop of a trial, as a solver of Inspect's."""

    gate: OpenGate
    bench: Bench
    turns: int

    async def solve(self, state: Any, fixture: Fixture) -> Any:
        """Works on a fixture turn by turn; the state's messages are the conversation."""
        from inspect_ai.model import ChatMessageUser, get_model

        with tempfile.TemporaryDirectory(prefix="inspect-trial-") as folder:
            files = Confined(Path(folder))
            files.fill(fixture.workspace)
            for turn in range(1, self.turns + 1):
                output = await get_model().generate(
                    state.messages, config=self.knobs(fixture, turn)
                )
                state.messages.append(output.message)
                state.output = output
                reply = await asyncio.to_thread(self.act, fixture, files, output)
                state.messages.append(ChatMessageUser(content=reply))
            readings, _ = await asyncio.to_thread(
                judge_workspace, fixture, Path(folder), self.bench
            )
            state.metadata["passed"] = all(reading.passed for reading in readings)
        return state

    def knobs(self, fixture: Fixture, turn: int) -> Any:
        """The contract's sampling, with the turn's own seed."""
        from inspect_ai.model import GenerateConfig

        declared = self.gate.contract.config.sampling
        return GenerateConfig(
            max_tokens=declared.max_tokens,
            temperature=float(declared.temperature),
            top_p=float(declared.top_p),
            seed=turn_seed(declared.seeds[0], fixture.id, turn),
            extra_body={
                "top_k": declared.top_k,
                "min_p": float(declared.min_p),
                "repeat_penalty": float(declared.repeat_penalty),
            },
        )

    def act(self, fixture: Fixture, files: Confined, output: Any) -> str:
        """Runs what the text calls; what the model is told."""
        reason: FinishReason = "stop" if output.stop_reason == "stop" else "length"
        parsed = parse_turn(output.completion, reason, SALVAGE)
        tools = Tools(
            files.root, self.bench.sandbox, fixture_limits(fixture), self.bench.chain(fixture)
        )
        seconds = float(self.gate.contract.config.budgets.turn_seconds)
        results = tuple(
            tools.execute(call.name, call.arguments, seconds=seconds) for call in parsed.calls
        )
        return observation(results) if results else self.gate.contract.config.prompt.no_call


@dataclass(frozen=True)
class Told:
    """A run: its seconds, those with everything before and after it, and the tokens sampled."""

    name: str
    seconds: float
    whole: float
    sampled: int


def inspect_run(gate: OpenGate, turns: int, *, at_once: int | None) -> Told:
    """Runs the eval with so many samples at once; None for as many as Inspect takes by itself."""
    began = time.perf_counter()
    from inspect_ai import Task
    from inspect_ai import eval as evaluate
    from inspect_ai.dataset import MemoryDataset, Sample
    from inspect_ai.model import ChatMessageSystem, ChatMessageUser
    from inspect_ai.scorer import Score, accuracy, scorer
    from inspect_ai.solver import solver

    fixtures = {fixture.id: fixture for fixture in gate.corpus.fixtures}
    loop = Loop(gate, bench_for(gate.corpus, unsafe=False), turns)

    @solver
    def agent() -> Any:
        async def solve(state: Any, generate: Any) -> Any:
            del generate
            return await loop.solve(state, fixtures[str(state.sample_id)])

        return solve

    @scorer(metrics=[accuracy()])
    def passed() -> Any:
        async def score(state: Any, target: Any) -> Any:
            del target
            return Score(value=1 if state.metadata.get("passed") else 0)

        return score

    def messages(fixture: Fixture) -> list[Any]:
        prompt = fixture.spec.prompt
        return [ChatMessageSystem(content=gate.system_prompt), ChatMessageUser(content=prompt)]

    samples = [Sample(input=messages(item), id=name) for name, item in fixtures.items()]
    task = Task(dataset=MemoryDataset(samples), solver=agent(), scorer=passed())
    with server(gate) as url, tempfile.TemporaryDirectory(prefix="inspect-logs-") as logs:
        os.environ |= {"BENCH_BASE_URL": url, "BENCH_API_KEY": "none"}
        started = time.perf_counter()
        (log,) = evaluate(
            task, model=f"openai-api/bench/{ALIAS}", max_samples=at_once, max_connections=at_once,
            log_dir=logs, display="none",
        )  # fmt: skip
        seconds = time.perf_counter() - started
    if log.status != "success":
        sys.exit(f"Inspect's eval ended as {log.status}: {log.error}")
    sampled = sum(usage.output_tokens for usage in log.stats.model_usage.values())
    whole = time.perf_counter() - began
    name = "Inspect AI, one at a time" if at_once == 1 else "Inspect AI, as it comes"
    return Told(name, seconds, whole, sampled)


def our_run(gate: OpenGate, sequences: int, turns: int, engines: int) -> Told:
    """Runs the bench."""
    began = time.perf_counter()
    run = waves.measured(gate, sequences, turns, engines)
    whole = time.perf_counter() - began
    name = f"abverify, {sequences} sequences, {engines} engines"
    return Told(name, run.seconds, whole, run.sampled)


def main() -> None:
    """Measures, and prints."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--trials", type=int, default=20)
    parser.add_argument("--turns", type=int, default=4)
    parser.add_argument("--runs", default="1x1,1x2,10x2", help="SEQUENCESxENGINES, by commas")
    parser.add_argument("--as-it-comes", action="store_true", help="run Inspect untold as well")
    options = parser.parse_args()
    gate = waves.shortened(open_gate(ROOT, GATE), options.trials)
    print(f"{'':34}{'seconds':>9}{'whole':>9}{'tokens':>8}   ratio, of whole")
    references = []
    for at_once in (1, None) if options.as_it_comes else (1,):
        references.append(inspect_run(gate, options.turns, at_once=at_once))
        report(references[-1], references[:1])
    for sequences, engines in waves.pairs(options.runs):
        report(our_run(gate, sequences, options.turns, engines), references)


def report(run: Told, references: Sequence[Told]) -> None:
    """Prints a run beside those of Inspect."""
    ratios = (
        run.sampled / seconds / (first.sampled / before)
        for first in references
        for seconds, before in ((run.seconds, first.seconds), (run.whole, first.whole))
    )
    print(
        f"{run.name:34}{run.seconds:9.2f}{run.whole:9.2f}{run.sampled:8}"
        + "".join(f"{ratio:8.2f}" for ratio in ratios),
        flush=True,
    )


if __name__ == "__main__":
    main()

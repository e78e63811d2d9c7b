"""What a measurement needs before it starts, gathered and proven: gate, corpus, engine, lock."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from abverify._canonical import sha256_hex
from abverify._frozen import frozen
from abverify.app.docket import chain_heads, open_repository
from abverify.bench.harness import harness_facts
from abverify.bench.oracle import Bench
from abverify.bench.sandbox import find_sandbox, toolchains
from abverify.bench.scripted import SILENT_TURNS
from abverify.errors import InvalidError, UntrustedError, UsageError
from abverify.evidence.demand import config_demand, demanded
from abverify.evidence.lock import RunLock
from abverify.evidence.order import order_sha256
from abverify.toolcalls import DEFAULT_TOOLS
from abverify.verify.stopping.rule import Stopping
from abverify.workspace.corpora import load_corpus
from abverify.workspace.files import read_bytes
from abverify.workspace.pins import input_digest

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from abverify.bench.engines import Engine
    from abverify.bench.plan import Watcher
    from abverify.bench.sandbox import Toolchain
    from abverify.evidence.lock import Scalar
    from abverify.evidence.manifest import ChainHead
    from abverify.model.contract import Contract
    from abverify.model.corpus import Corpus, Fixture
    from abverify.model.ids import GateId


@frozen
class OpenGate:
    """A gate made ready to be measured.

    Attributes:
        contract: its working contract.
        corpus: the corpus, whose digest is the pinned one.
        pins: the pinned digest of each input.
        system_prompt: the system prompt's text.
        heads: where the gate's chain stands now.
    """

    contract: Contract
    corpus: Corpus
    pins: Mapping[str, str]
    system_prompt: str
    heads: tuple[ChainHead, ...]

    @property
    def id(self) -> GateId:
        """The gate's id."""
        return self.contract.gate

    @property
    def stopping(self) -> Stopping | None:
        """The rules by which the bench may stop early; None where none is declared."""
        return Stopping.of(self.contract, (fixture.id for fixture in self.corpus.fixtures))

    @property
    def smoke_fixture(self) -> Fixture:
        """The fixture of the smoke test.

        Raises:
            InvalidError: AV128 if the corpus does not have it.
        """
        wanted = self.contract.evidence.smoke.fixture
        fixture = self.corpus.fixture(wanted)
        if fixture is None:
            raise InvalidError(
                "the smoke fixture is not in the corpus",
                rule="AV128",
                place=self.corpus.path,
                found=wanted,
            )
        return fixture


def open_gate(root: Path, name: str) -> OpenGate:
    """Loads a gate and proves that its inputs are the pinned ones.

    Raises:
        AbverifyError: AV110/AV111 for the name, AV114 for drifted inputs, and
            whatever is wrong with contract or corpus.
    """
    repository = open_repository(root)
    loaded = repository.registry.find(name)
    contract, pins = loaded.contract, repository.pins_of(loaded)
    for path in contract.inputs():
        _prove_pinned(root, path, pins, contract)
    prompt = read_bytes(root, contract.config.prompt.system)
    return OpenGate(
        contract=contract,
        corpus=load_corpus(root, contract.evidence.bench.corpus),
        pins=pins,
        system_prompt=prompt.decode("utf-8"),
        heads=chain_heads(root, (contract.gate,)),
    )


def _prove_pinned(root: Path, path: str, pins: Mapping[str, str], contract: Contract) -> None:
    found = input_digest(root, path)
    if pins.get(path) == found:
        return
    raise UntrustedError(
        "an input of the contract is not the pinned one",
        rule="AV114",
        place=path,
        expected=f"sha256 {pins[path]}" if path in pins else "a pin in contracts/pin.lock",
        found=f"sha256 {found}",
        next_step="restore it, or publish the change: "
        f"abverify amend {contract.gate.name} --reason …",
    )


def bench_for(corpus: Corpus, *, unsafe: bool) -> Bench:
    """The sandbox, and the toolchain of every language in the corpus.

    Raises:
        SandboxMissing: when none can be had and `unsafe` was not asked for.
        ToolchainMissing: when a language of the corpus has none here.
    """
    languages = sorted({fixture.spec.language for fixture in corpus.fixtures})
    chains: dict[str, Toolchain] = {language: toolchains.find(language) for language in languages}
    return Bench(find_sandbox(unsafe=unsafe), chains)


def engine_for(
    root: Path,
    gate: OpenGate,
    watcher: Watcher,
    *,
    paranoid: bool = False,
    threads: int | None = None,
) -> Engine:
    """The engine the contract names: loaded, with the weights proven, or found and questioned.

    Args:
        root: the repository, to which relative paths of weights refer.
        gate: the gate to be measured.
        watcher: told of every sampled token.
        paranoid: whether to read every byte of the weights.
        threads: threads that llama.cpp computes with, which the lock tells where they count; by
            default one for each usable core.

    Raises:
        AbverifyError: when weights or adapter are missing, damaged or not the pinned ones, or
            the server is not as declared.
    """
    model, config = gate.contract.model, gate.contract.config
    if config.engine.name == "replay":
        raise InvalidError(
            "a replay measures no model, so no gate can be run with it",
            rule="AV530",
            place=str(gate.id),
            expected="config.engine.name: llama or endpoint",
            found="replay, the engine of calibration's scripted agents",
            next_step="name the engine of the model; abverify evidence rescore reads a stored "
            "run's completions again",
        )
    if config.engine.name == "endpoint":
        from abverify.bench.engines.endpoint import open_endpoint

        return open_endpoint(model.name, config, on_token=watcher.token)
    from abverify.bench.engines.llama_open import open_llama

    return open_llama(
        model, config, root=root, threads=threads, paranoid=paranoid, on_token=watcher.token
    )


def engines_here(
    root: Path,
    gate: OpenGate,
    watcher: Watcher,
    count: int | None,
    *,
    trials: int,
    paranoid: bool = False,
) -> tuple[Engine, ...]:
    """The engines that measure the gate side by side on this machine: one, or several.

    Args:
        root: the repository, to which relative paths of weights refer.
        gate: the gate to be measured.
        watcher: told of every sampled token, where one engine samples them.
        count: how many; None for as many as suit the model, see `engines_for`.
        trials: how many trials there are to measure; no more engines are opened.
        paranoid: whether to read every byte of the weights.

    Raises:
        UsageError: AV561 if several are asked for and the contract's engine is a server.
        AbverifyError: as `engine_for` does.
    """
    model, config = gate.contract.model, gate.contract.config
    if config.engine.name != "llama":
        if count is not None and count > 1:
            raise _no_engines_there(gate)
        return (engine_for(root, gate, watcher, paranoid=paranoid),)
    from abverify.bench.engines.llama_open import open_llamas, weights_size
    from abverify.bench.side_by_side import engines_for, free_memory, usable_cores

    cores = usable_cores()
    units = -(-trials // config.engine.sequences)
    if count is None:
        size = weights_size(model, root)
        count = engines_for(size, units, cores=cores, free_bytes=free_memory())
    count = min(count, units)
    if count == 1:
        return (engine_for(root, gate, watcher, paranoid=paranoid),)
    threads = max(1, cores // count)
    return open_llamas(count, model, config, root=root, threads=threads, paranoid=paranoid)


def _no_engines_there(gate: OpenGate) -> UsageError:
    return UsageError(
        "several engines can only be opened here, and the contract's engine is elsewhere",
        rule="AV561",
        place=str(gate.id),
        expected="config.engine.name: llama",
        found=gate.contract.config.engine.name,
        next_step="leave out --engines",
    )


def engine_notes(engine: Engine) -> tuple[str, ...]:
    """What the evidence should say of how the engine's weights were identified."""
    from abverify.bench.engines.llama import LlamaEngine

    return engine.notes() if isinstance(engine, LlamaEngine) else ()


def run_lock(gate: OpenGate, engine: Mapping[str, Scalar], bench: Bench) -> RunLock:
    """The lock of a run: what the contract demands, and what engine, sandbox and harness are.

    Of the model it holds what the engine knows, never what the contract merely says.

    Raises:
        UntrustedError: AV531 if the engine's facts contradict the contract.
    """
    wanted = demanded(gate.contract, gate.pins)
    wrong = [key for key in wanted if key in engine and engine[key] != wanted[key]]
    if wrong:
        raise UntrustedError(
            f"the model is not the one the contract names: {', '.join(wrong)}",
            rule="AV531",
            place=str(gate.id),
            expected=", ".join(f"{key}={wanted[key]}" for key in wrong),
            found=", ".join(f"{key}={engine[key]}" for key in wrong),
            next_step="mend the contract's description, or run it with the model it names",
        )
    declared = {key: value for key, value in wanted.items() if not key.startswith("model.")}
    meter = {**meter_facts(gate, bench), **_order_facts(gate)}
    return RunLock({**declared, **engine, **meter, **_tool_facts()})


def calibration_lock(gate: OpenGate, bench: Bench) -> RunLock:
    """The lock of a calibration: the meter alone, no model, and the loop its agents go through."""
    config = config_demand(gate.contract.config, gate.pins)
    kept = ("parser.", "loop.", "prompt.", "sampling.seed_rule")
    facts = {key: value for key, value in config.items() if key.startswith(kept)}
    script: dict[str, Scalar] = {
        "engine.name": "replay",
        "budgets.max_silent_turns": SILENT_TURNS,
    }
    return RunLock({**meter_facts(gate, bench), **facts, **script, **_tool_facts()})


def meter_facts(gate: OpenGate, bench: Bench) -> dict[str, Scalar]:
    """The keys that make up the meter: harness, corpus, sandbox, toolchains."""
    return {
        **harness_facts(),
        "corpus.sha256": gate.pins[gate.corpus.path],
        "corpus.fixtures": len(gate.corpus.fixtures),
        "sandbox.name": bench.sandbox.name,
        "sandbox.version": bench.sandbox.version,
        "sandbox.isolated": bench.sandbox.isolated,
        **{
            f"toolchain.{language}": chain.identity()
            for language, chain in bench.toolchains.items()
        },
    }


def _order_facts(gate: OpenGate) -> dict[str, Scalar]:
    """The order of the trials, where a stop rule rests on it."""
    stopping = gate.stopping
    return {"bench.order_sha256": order_sha256(stopping.order)} if stopping else {}


def _tool_facts() -> dict[str, Scalar]:
    declared = [[tool.name, tool.description, tool.parameters] for tool in DEFAULT_TOOLS]
    text = json.dumps(declared, sort_keys=True, ensure_ascii=True)
    return {"prompt.tools_sha256": sha256_hex(text.encode("ascii"))}

"""A repository with two gates over twenty fixtures, and benches of them written by hand.

The gates differ in an adapter and nothing else. What is written are real bundles, by the journal
that runs write with; only the completions are made up.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from abverify._clock import now, timestamp
from abverify.app.docket import chain_heads
from abverify.bench.journal import Journal
from abverify.evidence.demand import demanded
from abverify.evidence.lock import RunLock
from abverify.evidence.manifest import START_SCHEMA, Attempt, Start
from abverify.evidence.rows import AGENTS, CalibrationRow, ParserCalibrationRow, TrialStarted
from abverify.evidence.scores import compute_scores
from abverify.model.contract import Contract
from abverify.model.corpus import STATES
from abverify.model.ids import GateId
from abverify.workspace.pins import load_pins
from tests.builders import (
    NATIVE,
    RECOVERED,
    agent_trial,
    contract_document,
    failed_trial,
    passed_trial,
)
from tests.support.repository import Repository, done

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from abverify.evidence.lock import Scalar
    from abverify.evidence.manifest import Stage
    from abverify.evidence.rows import Row

CORPUS = "fixtures/corpora/twenty"
PROMPT = "fixtures/prompts/agent.md"
FIXTURES = tuple(f"unix__{number:02}-task" for number in range(1, 21))
BASE, ADAPTER = "laptop/T1_001", "laptop/T1_002"
_ADAPTED = {
    "name": "tool-use",
    "file": "fixtures/models/tool-use.gguf",
    "sha256": "b" * 64,
    "scale": "1",
}
_METER: dict[str, Scalar] = {
    "corpus.fixtures": len(FIXTURES),
    "sandbox.name": "bubblewrap",
    "sandbox.version": "bubblewrap 0.8.0",
    "sandbox.isolated": True,
    "toolchain.python": "CPython 3.11.2",
    "harness.version": "0.1.0",
    "harness.sha256": "e" * 64,
}


@dataclass(frozen=True, slots=True)
class Written:
    """A bench as it is to be written.

    Attributes:
        gate: the gate it is offered to.
        passes: fixtures whose trial passes, the first of the corpus first.
        calls: fixtures whose trial calls a tool at all; those that pass always do.
        stage: smoke or bench; a smoke test has the first fixture only.
        fixtures: how many fixtures are measured.
        identity: how the model's identity is known.
        facts: lock values that differ from what the gate demands, as `a__b=value`.
    """

    gate: str
    passes: int = 0
    calls: int = 0
    stage: Stage = "bench"
    fixtures: int = len(FIXTURES)
    identity: str = "attested"
    raw: str = NATIVE
    run: str = "run-1"
    facts: tuple[tuple[str, Scalar], ...] = ()


def laboratory(folder: Path) -> Repository:
    """A repository whose two gates are published; nothing is measured yet."""
    repository = Repository(folder / "repository", folder / "keys")
    repository.keys.mkdir(parents=True, mode=0o700)
    root = repository.root
    _put(root / PROMPT, "Call a tool.\n")
    for fixture in FIXTURES:
        _fixture(root / CORPUS / fixture, fixture)
    changes = {
        "config__prompt__system": PROMPT,
        "evidence__bench__corpus": CORPUS,
        "evidence__bench__min_completed": len(FIXTURES),
        "evidence__smoke__fixture": FIXTURES[0],
        "lifts": [],
    }
    put_contract(repository, contract_document(id=BASE, **changes))
    put_contract(repository, contract_document(id=ADAPTER, model__adapter=_ADAPTED, **changes))
    done(repository.run("keys", "new", "operator", "--unencrypted"))
    done(repository.run("trust", "init", "--origin", "example/lab", "--principal", "operator"))
    for gate in (BASE, ADAPTER):
        done(repository.sign("amend", gate, "--introduce"))
    calibrate(repository)
    return repository


def put_contract(repository: Repository, document: dict[str, Any]) -> None:
    """Writes a contract; JSON is YAML enough."""
    name = document["id"].split("/")[1]
    _put(repository.root / "contracts" / f"{name}.yaml", json.dumps(document, indent=1) + "\n")


def put_experiment(repository: Repository, document: dict[str, Any]) -> None:
    """Writes an experiment."""
    path = repository.root / "contracts/experiments" / f"{document['id']}.yaml"
    _put(path, json.dumps(document, indent=1) + "\n")


def bench(repository: Repository, written: Written) -> str:
    """Writes a bench or a smoke test of a gate, and gives its folder."""
    contract = _contract(repository, written.gate)
    pins = load_pins(repository.root).inputs
    facts = {name.replace("__", "."): value for name, value in written.facts}
    lock = RunLock({**demanded(contract, pins), **_METER, **facts})
    names = FIXTURES[:1] if written.stage == "smoke" else FIXTURES[: written.fixtures]
    rows = [row for number, name in enumerate(names) for row in _trial(written, number, name)]
    return _write(repository, written, lock, rows)


def calibrate(repository: Repository, **facts: Scalar) -> str:
    """Writes a clean calibration of the meter that `bench` measures with."""
    pins = load_pins(repository.root).inputs
    meter = {**_METER, "corpus.sha256": pins[CORPUS], "sampling.seeds": "1"}
    values = {name.replace("__", "."): value for name, value in facts.items()}
    readings: list[Row] = [
        CalibrationRow(
            fixture=fixture,
            state=state,
            passed=state == "reference",
            expected=state == "reference",
            detail="tests",
            millis=1,
        )
        for fixture in FIXTURES
        for state in STATES
    ]
    readings += [agent_trial(agent, fixture) for fixture in FIXTURES for agent in AGENTS]
    parser = ParserCalibrationRow(profile="salvage", version=1, exact=9, total=9)
    name = f"calibration-{len(values)}"
    written = Written(BASE, stage="calibrate", identity="absent", run=name)
    return _write(repository, written, RunLock({**meter, **values}), [*readings, parser])


def measured(folder: Path, *benches: Written) -> Repository:
    """A laboratory with these benches."""
    repository = laboratory(folder)
    for written in benches:
        bench(repository, written)
    return repository


def another(written: Written, **changes: Any) -> Written:
    """The same bench, changed."""
    return replace(written, **changes)


def _trial(written: Written, number: int, fixture: str) -> list[Row]:
    if number < written.passes:
        return passed_trial(fixture, raws=(written.raw,))
    if number < written.calls:
        return failed_trial(fixture, raws=(RECOVERED,), outcome="oracle_failed")
    return failed_trial(fixture)


def _write(repository: Repository, written: Written, lock: RunLock, rows: Sequence[Row]) -> str:
    gate = GateId.parse(written.gate)
    path = f"gates/{gate}/evidence/{written.run}"
    began = now() - timedelta(hours=1)
    start = Start(
        schema_=START_SCHEMA,
        run=written.run,
        stage=written.stage,
        offered_to=(written.gate,),
        identity=written.identity,  # type: ignore[arg-type]
        started_at=timestamp(began),
        lock_sha256=lock.sha256,
        began_after=chain_heads(repository.root, (gate,)),
    )
    with Journal(repository.root / path, start, lock) as journal:
        for row in rows:
            if isinstance(row, TrialStarted):
                trial = row.trial
                at = timestamp(began)
                journal.attempt(Attempt(fixture=trial.fixture, seed=trial.seed, at=at))
            journal.append(row)
        trials = journal.trials()
        scores = compute_scores(trials, fixtures=FIXTURES, seeds=(1,))
        journal.close(scores, finished_at=timestamp(now()), notes=())
    return path


def _contract(repository: Repository, gate: str) -> Contract:
    file = repository.root / "contracts" / f"{gate.split('/')[1]}.yaml"
    return Contract.model_validate_json(file.read_bytes())


def _fixture(folder: Path, name: str) -> None:
    document = {
        "schema": "abverify/fixture/v1",
        "id": name,
        "title": "A task",
        "language": "python",
        "prompt": "Mend task.py.",
        "oracle": [{"id": "tests", "kind": "tests", "run": ["python3", "test_task.py"]}],
        "protected": ["test_task.py"],
    }
    _put(folder / "fixture.yaml", json.dumps(document, indent=1) + "\n")
    _put(folder / "workspace/task.py", "value = 0\n")
    _put(folder / "workspace/test_task.py", "from task import value\nassert value == 1\n")
    _put(folder / "solution/task.py", "value = 1\n")
    _put(folder / "broken/task.py", "value = 2\n")


def _put(file: Path, text: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8")

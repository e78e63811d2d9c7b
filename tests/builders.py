"""Valid contracts, locks, journals and bundles; tests derive each violation by one change."""

from __future__ import annotations

import copy
import json
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from abverify._canonical import canonical_bytes, sha256_hex
from abverify.evidence.bundle import Bundle, read_bundle
from abverify.evidence.demand import demanded
from abverify.evidence.lock import RunLock
from abverify.evidence.manifest import (
    ATTEMPTS,
    JOURNAL,
    LOCK,
    MANIFEST,
    MANIFEST_SCHEMA,
    SCORES,
    START,
    START_SCHEMA,
    Attempt,
    ChainHead,
    FileDigest,
    ImportedFrom,
    Manifest,
    Start,
)
from abverify.evidence.reparse import parse_turn, stored
from abverify.evidence.rows import (
    AGENTS,
    AgentRow,
    CalibrationRow,
    OracleRow,
    ParserCalibrationRow,
    ToolResult,
    Trial,
    TrialEnded,
    TrialStarted,
    TurnRow,
    row_line,
)
from abverify.evidence.scores import compute_scores
from abverify.evidence.seeds import turn_seed
from abverify.evidence.trials import counted, fold_trials, whole_trials
from abverify.model.contract import Contract
from abverify.model.corpus import STATES
from abverify.toolcalls import SALVAGE
from abverify.verify.eligibility import Docket

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from abverify.evidence.lock import Scalar
    from abverify.evidence.manifest import Stage
    from abverify.evidence.rows import Agent, FinishReason, Outcome, Row
    from abverify.model.identity import IdentityLevel

GATE = "laptop/T1_001"
CORPUS = "fixtures/corpora/two"
PROMPT = "fixtures/prompts/agent.md"
FIXTURES = ("unix__01-head", "unix__02-tail")
PINS = {CORPUS: "c" * 64, PROMPT: "d" * 64}
NOW = datetime(2026, 3, 1, 12, 0, 0, tzinfo=UTC)
PATH = "gates/laptop/T1_001/evidence/run-1"

NATIVE = (
    '<tool_call>\n{"name": "file_edit", "arguments": '
    '{"path": "head.py", "old_string": "a", "new_string": "b"}}\n</tool_call>'
)
RECOVERED = '{"name": "file_read", "arguments": {"path": "head.py"}}'
PROSE = "I would edit the file."


class _Removed:
    """A mark with a name that is the same in every test process."""

    def __repr__(self) -> str:
        return "REMOVED"


REMOVED = _Removed()
"""As a change's value: takes the field away."""


def contract_document(**changes: Any) -> dict[str, Any]:
    """A valid contract as plain data; `a__b=value` changes the field `a.b`, or adds it."""
    document = {
        "schema": "abverify/contract/v1",
        "id": GATE,
        "title": "The small bench passes at least one oracle",
        "version": "1.0.0",
        "origin": {"contract": "laptop", "gate": "T1_001", "reference": "CCPA#262"},
        "model": {
            "name": "Tiny-Instruct",
            "weights": {"file": "tiny.gguf", "sha256": "a" * 64},
            "describe": {"architecture": "llama", "file_type": "Q4_1"},
            "adapter": None,
            "source": "models/tiny.gguf",
        },
        "config": {
            "engine": {"name": "llama", "n_ctx": 2048, "kv_cache": "continue"},
            "prompt": {"system": PROMPT, "history": "native-chat", "no_call": "No call was made."},
            "sampling": {
                "temperature": "0.3",
                "top_k": 50,
                "top_p": "0.95",
                "min_p": "0",
                "repeat_penalty": "1.2",
                "repeat_last_n": 64,
                "penalty_scope": "generated",
                "max_tokens": 100,
                "seeds": [1],
            },
            "parser": {"profile": "salvage", "version": 1},
            "budgets": {
                "max_turns": 4,
                "turn_seconds": 60,
                "wall_seconds": 240,
                "max_silent_turns": 3,
            },
        },
        "evidence": {
            "smoke": {"fixture": FIXTURES[0]},
            "bench": {"corpus": CORPUS, "min_completed": 2, "stop": "never"},
            "calibration": {"max_age_days": 30},
            "valid_days": 180,
        },
        "criteria": [{"id": "oracle", "metric": "oracle_passed", "at_least": 1}],
        "lifts": ["T280"],
        "amendment": {"approvals": 1, "frozen": ["id", "lifts"]},
    }
    return changed(document, **changes)


def changed(document: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """A copy of plain data with the fields that `a__b=value` names changed."""
    result = copy.deepcopy(document)
    for path, value in changes.items():
        *parents, name = path.split("__")
        target = result
        for parent in parents:
            target = target[parent]
        if value is REMOVED:
            del target[name]
        else:
            target[name] = value
    return result


def contract(**changes: Any) -> Contract:
    """A valid contract, changed as `contract_document` says."""
    return Contract.model_validate_json(json.dumps(contract_document(**changes)))


def lock_values(of: Contract | None = None, **changes: Scalar) -> dict[str, Scalar]:
    """The lock of a run that does exactly what a contract says; `a__b=value` changes `a.b`."""
    values: dict[str, Scalar] = {
        **demanded(of or contract(), PINS),
        "corpus.fixtures": len(FIXTURES),
        "sandbox.name": "bubblewrap",
        "sandbox.version": "bubblewrap 0.8.0",
        "sandbox.isolated": True,
        "toolchain.python": "CPython 3.11.2",
        "harness.version": "0.1.0",
        "harness.sha256": "e" * 64,
    }
    return values | {name.replace("__", "."): value for name, value in changes.items()}


def turn(
    trial: Trial, number: int, raw: str, *, ok: bool = True, finish: FinishReason = "stop"
) -> TurnRow:
    """A turn as the arena journals it, its seed and parse true."""
    parse = stored(parse_turn(raw, finish, SALVAGE))
    return TurnRow(
        trial=trial,
        turn=number,
        seed=turn_seed(trial.seed, trial.fixture, number),
        prompt_sha256="f" * 64,
        prompt_tokens=10,
        completion_tokens=5,
        finish_reason=finish,
        raw=raw,
        parse=parse,
        results=tuple(ToolResult(tool=call.tool, ok=ok, output="") for call in parse.calls),
        millis=1,
    )


def oracle(
    trial: Trial, number: int, *, passed: bool, purpose: str = "tests", command: str = "tests"
) -> OracleRow:
    """One oracle command's row."""
    return OracleRow.model_validate(
        {
            "trial": trial,
            "turn": number,
            "command": command,
            "purpose": purpose,
            "passed": passed,
            "exit_code": 0 if passed else 1,
            "killed": None,
            "output": "",
            "tampered": (),
            "millis": 1,
        }
    )


def ended(trial: Trial, outcome: Outcome, turns: int) -> TrialEnded:
    """A trial's last row."""
    return TrialEnded(
        trial=trial, outcome=outcome, reason="it ended", turns=turns, changes=(), millis=1
    )


def passed_trial(fixture: str, *, raws: Sequence[str] = (NATIVE,), seed: int = 1) -> list[Row]:
    """A trial whose oracle passes after its last turn."""
    trial = Trial(fixture=fixture, seed=seed)
    turns = [turn(trial, number, raw) for number, raw in enumerate(raws, 1)]
    return [
        TrialStarted(trial=trial),
        *turns,
        oracle(trial, len(raws), passed=True),
        ended(trial, "oracle_passed", len(raws)),
    ]


def failed_trial(
    fixture: str,
    *,
    raws: Sequence[str] = (PROSE, PROSE, PROSE),
    seed: int = 1,
    outcome: Outcome = "text_loop",
) -> list[Row]:
    """A trial that ends without ever pleasing the oracle."""
    trial = Trial(fixture=fixture, seed=seed)
    turns = [turn(trial, number, raw) for number, raw in enumerate(raws, 1)]
    return [TrialStarted(trial=trial), *turns, ended(trial, outcome, len(raws))]


def bench_rows() -> list[Row]:
    """A whole bench of two fixtures: the first passes, the second fails."""
    return [*passed_trial(FIXTURES[0]), *failed_trial(FIXTURES[1])]


def calibration_rows() -> list[Row]:
    """The readings of a meter that works."""
    readings = [
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
    agents = [agent_trial(agent, fixture) for fixture in FIXTURES for agent in AGENTS]
    parser = ParserCalibrationRow(profile="salvage", version=1, exact=9, total=9)
    return [*readings, *agents, parser]


def agent_trial(agent: Agent, fixture: str) -> AgentRow:
    """A scripted agent's trial, as it must end."""
    good = agent == "good"
    rows = passed_trial(fixture) if good else failed_trial(fixture)
    (attempt,) = whole_trials(rows)
    assert attempt.ended is not None
    return AgentRow(
        agent=agent,
        turns=attempt.turns,
        oracle=attempt.oracle,
        ended=attempt.ended,
        expected=good,
    )


@dataclass(frozen=True, slots=True)
class Run:
    """Everything a finished run's bundle is made of; `replace` derives another run."""

    run: str = "run-1"
    stage: Stage = "bench"
    offered_to: tuple[str, ...] = (GATE,)
    identity: IdentityLevel = "attested"
    started_at: str = "2026-02-20T08:00:00Z"
    finished_at: str = "2026-02-20T09:00:00Z"
    values: Mapping[str, Scalar] = field(default_factory=lock_values)
    rows: Sequence[Row] = field(default_factory=bench_rows)
    began_after: int | None = None
    imported_from: ImportedFrom | None = None
    scores: bytes | None = None
    """The scores it claims, where they are not those of its rows."""
    notes: tuple[str, ...] = ()

    def files(self, **edits: bytes) -> dict[str, bytes]:
        """The bundle's files; an edit replaces one (by its name without suffix) unsealed."""
        lock = RunLock(self.values)
        heads: tuple[ChainHead, ...] = ()
        if self.began_after is not None:
            heads = (ChainHead(gate=GATE, seq=self.began_after, sha256="9" * 64),)
        start = Start(
            schema_=START_SCHEMA,
            run=self.run,
            stage=self.stage,
            offered_to=self.offered_to,
            identity=self.identity,
            started_at=self.started_at,
            lock_sha256=lock.sha256,
            began_after=heads,
        )
        trials = [row.trial for row in self.rows if isinstance(row, TrialStarted)]
        files = {
            ATTEMPTS: b"".join(_attempt_line(trial, self.started_at) for trial in trials),
            JOURNAL: b"".join(map(row_line, self.rows)),
            LOCK: lock.to_bytes(),
            SCORES: self._scores(),
            START: canonical_bytes(start.to_json()),
        }
        manifest = Manifest(
            **{name: getattr(start, name) for name in Start.model_fields if name != "schema_"},
            schema_=MANIFEST_SCHEMA,
            finished_at=self.finished_at,
            attempts_total=len(trials),
            imported_from=self.imported_from,
            notes=self.notes,
            files=tuple(
                FileDigest(name=name, size=len(data), sha256=sha256_hex(data))
                for name, data in sorted(files.items())
            ),
        )
        files[MANIFEST] = canonical_bytes(manifest.to_json())
        names = {name.partition(".")[0]: name for name in files}
        return files | {names[edited]: data for edited, data in edits.items()}

    def _scores(self) -> bytes:
        if self.scores is not None:
            return self.scores
        trials = counted(fold_trials(self.rows))
        seeds = tuple(map(int, str(self.values["sampling.seeds"]).split(",")))
        return compute_scores(trials, fixtures=FIXTURES, seeds=seeds).to_bytes()

    def bundle(self, path: str = PATH) -> Bundle:
        """The bundle as it reads back."""
        return read_bundle(self.files(), path=path)


def calibration_run(**changes: Any) -> Run:
    """A clean calibration of the meter that `Run` measures with, two days before it."""
    run = Run(
        run="calibration-1",
        stage="calibrate",
        started_at="2026-02-18T08:00:00Z",
        finished_at="2026-02-18T09:00:00Z",
        rows=calibration_rows(),
    )
    return replace(run, **changes)


def docket(**changes: Any) -> Docket:
    """What an eligible `Run` is judged against."""
    fresh = Docket(
        contract=contract(),
        others=(),
        pins=PINS,
        fixtures=FIXTURES,
        published_seq=None,
        calibrations=(calibration_run().bundle("gates/laptop/T1_001/evidence/calibration-1"),),
        now=NOW,
    )
    return replace(fresh, **changes)


def _attempt_line(trial: Trial, at: str) -> bytes:
    attempt = Attempt(fixture=trial.fixture, seed=trial.seed, at=at)
    return canonical_bytes(attempt.to_json()) + b"\n"

"""A repository with a bench in it that is over: 20 fixtures by 20 turns, its verdict signed.

The contract is S1_004 with 20 turns. Trust root, introduction, calibration, journal, tools,
sandbox, oracles and the record are the real ones, made through the same calls as for a user; only
the completions are written here, so that every trial takes all of its turns.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from abverify._canonical import sha256_hex
from abverify._clock import now, timestamp
from abverify.app.measurement import bench_for, open_gate, run_lock
from abverify.bench.engines import Completion
from abverify.bench.engines.llama_open import open_llama
from abverify.bench.journal import Journal
from abverify.bench.plan import Plan
from abverify.bench.schedule import run_trials
from abverify.evidence.manifest import START_SCHEMA, Start
from abverify.evidence.scores import compute_scores
from abverify.workspace.evidence_store import evidence_folder

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from abverify.app.measurement import OpenGate
    from abverify.bench.engines import Message
    from abverify.bench.oracle import Bench
    from abverify.evidence.lock import RunLock, Scalar
    from abverify.evidence.rows import Row, Trial
    from abverify.model.identity import IdentityLevel

CHECKOUT = Path(__file__).resolve().parent.parent
GATE = "S1_004"
TURNS = 20
_CONTRACT = f"contracts/{GATE}.yaml"
_NO_RECORDS = shutil.ignore_patterns("_versions", "pin.lock", "policy.yaml", "__pycache__")
_THOUGHT = (
    "The tests call the function with an empty list first, so the loop must not take the first "
    "element for granted. I look at the file again before I change anything else in it.\n"
)


def _call(name: str, **arguments: str) -> str:
    text = json.dumps({"name": name, "arguments": arguments})
    return f"{_THOUGHT}<tool_call>\n{text}\n</tool_call>"


def _said(task: str, turn: int) -> str:
    """What a trial's turn says: no two texts are equal, and some hold a call to be recovered."""
    note = f"Attempt {turn} at {task} says why every line of the code is there. " * 3
    path = f"notes/{task}/{turn:02}.md"
    return (
        _call("grep", pattern=f"def .*{turn}|{task}", path="."),
        _call("file_read", path=path),
        f"{_THOUGHT}```json\n{json.dumps({'name': 'glob', 'arguments': {'pattern': path}})}\n```",
        f"{note}\nNo call this time.",
        _call("file_edit", path=path, old_string=note, new_string=_THOUGHT * 2),
    )[turn % 5]


@dataclass
class Scripted:
    """An engine that is the real model by its facts, and says what is written here."""

    known: Mapping[str, Scalar]
    identity: IdentityLevel = "attested"
    _turn: int = field(default=0)

    def facts(self) -> Mapping[str, Scalar]:
        """What the model's own engine told."""
        return self.known

    def start_trial(self) -> None:
        """Begins the script again."""
        self._turn = 0

    def complete(
        self, messages: Sequence[Message], *, seed: int, max_tokens: int, seconds: float
    ) -> Completion:
        """The next text of the script."""
        del seed, max_tokens, seconds
        self._turn += 1
        task = sha256_hex(messages[1].content.encode())[:8]
        text = _said(task, self._turn)
        shown = "".join(message.content for message in messages)
        return Completion(text, "stop", sha256_hex(shown.encode()), len(shown) // 4, 100, 1, 50)

    def close(self) -> None:
        """Nothing is open."""


class Nobody:
    """Looks on and says nothing."""

    def trial_started(self, trial: Trial, number: int, total: int) -> None:
        """A trial begins."""

    def token(self, count: int) -> None:
        """A token was sampled."""

    def row(self, row: Row) -> None:
        """A row was journaled."""


def environment(folder: Path) -> dict[str, str]:
    """What commands on the repository need to know."""
    return {**os.environ, "ABVERIFY_KEYS": str(folder / "keys")}


def make(folder: Path, *, seeds: int = 1, bench: Callable[[Path], None] | None = None) -> Path:
    """Makes the repository below a folder; the verdict on its bench is in its ledger.

    Args:
        folder: where to make it.
        seeds: how many seeds its contract declares.
        bench: writes the bench into the repository; it is not met.

    Raises:
        SystemExit: if a step does not end as it must.
    """
    root = folder / "repository"
    for part in ("contracts", "fixtures"):
        shutil.copytree(CHECKOUT / part, root / part, ignore=_NO_RECORDS)
    (folder / "keys").mkdir(mode=0o700)
    contract = root / _CONTRACT
    text = re.sub(r"max_turns: \d+", f"max_turns: {TURNS}", contract.read_text(encoding="utf-8"))
    text = re.sub(r"max_silent_turns: \d+", "max_silent_turns: null", text)
    text = text.replace("seeds: [1]", f"seeds: {list(range(1, seeds + 1))}")
    contract.write_text(text, encoding="utf-8")
    reason = ("--reason", "for the benchmark")
    _step(folder, "keys", "new", "operator", "--unencrypted")
    _step(folder, "trust", "init", "--origin", "example/stored", "--principal", "operator")
    for gate in ("V1_004", "V1_005", "S1_004", "S1_005"):
        _step(folder, "amend", gate, "--introduce", *reason)
    _step(folder, "run", GATE, "--stage", "calibrate")
    (bench or _bench)(root)
    _step(folder, "check", GATE, "--record", *reason, code=1)
    return root


def _step(folder: Path, *words: str, code: int = 0) -> None:
    command = [sys.executable, "-m", "abverify", *words, "--root", str(folder / "repository")]
    ran = subprocess.run(
        command, env=environment(folder), capture_output=True, text=True, check=False
    )
    if ran.returncode != code:
        sys.exit(f"{' '.join(words)} ended with {ran.returncode}:\n{ran.stdout}{ran.stderr}")


@dataclass(frozen=True)
class Begun:
    """A bench that is about to begin, with everything that it needs."""

    gate: OpenGate
    bench: Bench
    engine: Scripted
    lock: RunLock
    start: Start

    @property
    def folder(self) -> str:
        """Its folder, relative to the repository."""
        return f"{evidence_folder(self.gate.id)}/{self.start.run}"

    def close(self, journal: Journal) -> None:
        """Makes it a bundle."""
        fixtures = [fixture.id for fixture in self.gate.corpus.fixtures]
        seeds = self.gate.contract.config.sampling.seeds
        scores = compute_scores(journal.trials(), fixtures=fixtures, seeds=seeds)
        journal.close(scores, finished_at=timestamp(now()), notes=())


def begun(root: Path) -> Begun:
    """The bench of the repository's gate, with the facts of the real model."""
    gate = open_gate(root, GATE)
    bench = bench_for(gate.corpus, unsafe=False)
    with open_llama(gate.contract.model, gate.contract.config, root=root) as real:
        engine = Scripted(dict(real.facts()))
    lock = run_lock(gate, engine.facts(), bench)
    start = Start(
        schema_=START_SCHEMA,
        run=f"bench-{lock.sha256[:12]}",
        stage="bench",
        offered_to=(str(gate.id),),
        identity=engine.identity,
        started_at=timestamp(now()),
        lock_sha256=lock.sha256,
        began_after=gate.heads,
    )
    return Begun(gate, bench, engine, lock, start)


def _bench(root: Path) -> None:
    run = begun(root)
    config, corpus = run.gate.contract.config, run.gate.corpus
    plan = Plan(corpus.fixtures, config.sampling.seeds, config, run.gate.system_prompt)
    with Journal(root / run.folder, run.start, run.lock) as journal:
        run_trials(plan, run.engine, run.bench, journal, Nobody())
        run.close(journal)

"""What reads a bundle with a long journal: seconds, megabytes a second and memory of each process.

Usage: python benchmarks/journal.py [--megabytes 1000]

The bundle is the bench of `stored.py` with as many seeds as the journal needs, 20 turns a trial,
long texts and long answers of the tools, every parse the parser's own; its verdict is signed.
The rows are written here, and then closed as a run that is resumed.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import stored

from abverify._canonical import canonical_bytes
from abverify.bench.journal import Journal
from abverify.evidence.lock import parse_lock
from abverify.evidence.manifest import ATTEMPTS, JOURNAL, LOCK, START, Attempt, Start
from abverify.evidence.reparse import parse_turn
from abverify.evidence.reparse import stored as stored_parse
from abverify.evidence.rows import (
    ToolResult,
    Trial,
    TrialEnded,
    TrialStarted,
    TurnRow,
    row_line,
)
from abverify.evidence.seeds import turn_seed
from abverify.toolcalls import SALVAGE

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from abverify.evidence.rows import Row

FIXTURES = 20
# A small process starts what is measured: what this one holds would count as the other's.
_SPAWN = """
import os, sys
process = os.posix_spawn(sys.argv[1], sys.argv[1:], os.environ)
_, status, used = os.wait4(process, 0)
print(used.ru_utime + used.ru_stime, used.ru_maxrss, file=sys.stderr)
sys.exit(os.waitstatus_to_exitcode(status))
"""
_TRIAL_BYTES = 530_000
_WORDS = "The loop … as the tests call it … must not take the first element for granted.\n"
_ANSWER = "    def first(self, items: list[str]) -> str | None:  # line of a file\n"
_CALL = '<tool_call>\n{"name": "file_read", "arguments": {"path": "notes/%s/%d.md"}}\n</tool_call>'


def rows(fixture: str, seed: int) -> Iterator[Row]:
    """A trial that takes all of its turns, about half a megabyte."""
    trial = Trial(fixture=fixture, seed=seed)
    yield TrialStarted(trial=trial)
    for number in range(1, stored.TURNS + 1):
        raw = _WORDS * 100 + _CALL % (fixture, seed * 100 + number)
        parse = stored_parse(parse_turn(raw, "stop", SALVAGE))
        yield TurnRow(
            trial=trial,
            turn=number,
            seed=turn_seed(seed, fixture, number),
            prompt_sha256="0" * 64,
            prompt_tokens=1000 * number,
            completion_tokens=2000,
            finish_reason="stop",
            raw=raw,
            parse=parse,
            results=(ToolResult(tool="file_read", ok=True, output=_ANSWER * 240),),
            millis=100,
        )
    yield TrialEnded(
        trial=trial,
        outcome="budget_exhausted",
        reason="max_turns",
        turns=stored.TURNS,
        changes=(),
        millis=2000,
    )


def write(root: Path) -> None:
    """Writes the run as if it was killed before it was closed, and closes it."""
    run = stored.begun(root)
    folder = root / run.folder
    with Journal(folder, run.start, run.lock):
        pass
    trials = [
        (fixture.id, seed)
        for seed in run.gate.contract.config.sampling.seeds
        for fixture in run.gate.corpus.fixtures
    ]
    with (folder / JOURNAL).open("wb") as journal, (folder / ATTEMPTS).open("wb") as attempts:
        for fixture, seed in trials:
            attempt = Attempt(fixture=fixture, seed=seed, at=run.start.started_at)
            attempts.write(canonical_bytes(attempt.to_json()) + b"\n")
            journal.writelines(map(row_line, rows(fixture, seed)))
    with Journal(folder, run.start, run.lock) as resumed:
        run.close(resumed)


def resume(folder: Path) -> None:
    """Opens the run's journal again, as whoever resumes it does."""
    lock = parse_lock((folder / LOCK).read_bytes(), name=LOCK)
    start = Start.model_validate_json((folder / START).read_bytes())
    with Journal(folder, start, lock) as journal:
        print(len(journal.measured()))


def measured(command: Sequence[str], code: int) -> tuple[float, float, int]:
    """Runs a command: seconds by the clock, of CPU time, and its peak memory in MB.

    Raises:
        SystemExit: if it ends with another code.
    """
    started = time.perf_counter()
    run = subprocess.run(
        [sys.executable, "-S", "-c", _SPAWN, *command],
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        text=True,
        check=False,
    )
    seconds = time.perf_counter() - started
    if run.returncode != code:
        sys.exit(f"{' '.join(command)} ended with {run.returncode}:\n{run.stderr}")
    used, most = run.stderr.split()[-2:]
    return seconds, float(used), int(most) >> 10


def commands(root: Path, folder: str) -> dict[str, tuple[tuple[str, ...], int]]:
    """What is measured, by name, each with the code that it ends with."""
    verbs = {
        "check": (("check", stored.GATE), 1),
        "evidence verify": (("evidence", "verify", folder), 0),
        "evidence show": (("evidence", "show", folder), 0),
        "evidence rescore": (("evidence", "rescore", folder, "--profile", "strict"), 0),
        "audit": (("audit",), 0),
    }
    whole = {
        name: ((sys.executable, "-m", "abverify", *words, "--root", str(root)), code)
        for name, (words, code) in verbs.items()
    }
    again = (sys.executable, __file__, "--resume", str(root / folder))
    return {**whole, "resume of the run": (again, 0)}


def main() -> None:
    """Measures, and prints."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--megabytes", type=int, default=1000)
    parser.add_argument("--resume", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.resume is not None:
        resume(options.resume)
        return
    with tempfile.TemporaryDirectory(prefix="abverify-journal-") as name:
        seeds = max(1, round(options.megabytes * 1_000_000 / (FIXTURES * _TRIAL_BYTES)))
        root = stored.make(Path(name), seeds=seeds, bench=write)
        (journal,) = (root / "gates").glob("*/*/evidence/bench-*/rows.jsonl")
        size = journal.stat().st_size / 1e6
        print(f"a journal of {size:.0f} MB: {seeds * FIXTURES} trials of {stored.TURNS} turns")
        print(f"{'process':20}{'seconds':>9}{'of CPU':>9}{'MB/s':>8}{'peak MB':>9}")
        folder = journal.parent.relative_to(root).as_posix()
        for what, (command, code) in commands(root, folder).items():
            seconds, used, most = measured(command, code)
            print(f"{what:20}{seconds:>9.1f}{used:>9.1f}{size / seconds:>8.0f}{most:>9}")
            sys.stdout.flush()


if __name__ == "__main__":
    main()

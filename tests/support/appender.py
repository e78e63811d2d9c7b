"""A real writer: a process that appends record after record to a ledger, until it is killed.

Run as a program it stays loaded and forks one writer for each line that it reads, so that two
hundred of them cost no more than their appends. It prints the writer's process id, and then,
once the writer is gone, how many appends had returned.
"""

from __future__ import annotations

import os
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from abverify.model.ids import GateId
from abverify.records.append import append
from abverify.records.bodies import NonDischarge
from abverify.records.ledger import read_ledger
from abverify.workspace.contracts import published_files
from abverify.workspace.ledger_store import commit, ledger_files, root_files, writing
from tests.records.simulator import OPERATOR, ROOT_PATH, V4, V6, Simulator, decision_fields

if TYPE_CHECKING:
    from abverify.records.ledger import Ledger

NOW = datetime(2026, 2, 1, tzinfo=UTC)
GATES = (V4, V6)


def begun(root: Path) -> None:
    """Writes a ledger with two introduced gates."""
    simulator = Simulator()
    for gate in GATES:
        simulator.publish(gate)
    files = {**simulator.files, **simulator.contracts, **simulator.log, ROOT_PATH: simulator.root}
    for path, data in files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(data)


def on_disk(root: Path) -> Ledger:
    """The ledger as it lies there, verified."""
    files = ledger_files(root)
    return read_ledger(files.records, published_files(root), root_files(root), files.log, now=NOW)


def append_one(root: Path, gate: GateId) -> None:
    """Appends a decision to a gate's chain, as every verb that signs does."""
    with writing(root):
        simulator = Simulator()
        simulator.publish(gate)
        done = append(
            on_disk(root),
            gate,
            NonDischarge(verdict="not-met", **decision_fields()),
            subject=simulator.versions[gate],
            signers=[OPERATOR],
            actor="operator",
            reason="one of many",
            now=NOW,
        )
        commit(root, done.path, {done.path: done.data, **done.log})


def _writer(root: Path, gate: GateId, count: int, told: int) -> None:
    for _ in range(count):
        append_one(root, gate)
        os.write(told, b".")


def _tell(number: int) -> None:
    sys.stdout.write(f"{number}\n")
    sys.stdout.flush()


def main() -> None:
    """Reads `FOLDER GATE COUNT` lines and forks a writer for each."""
    for line in sys.stdin:
        folder, gate, count = line.rsplit(maxsplit=2)
        ours, theirs = os.pipe()
        child = os.fork()
        if child == 0:
            os.close(ours)
            _writer(Path(folder), GateId.parse(gate), int(count), theirs)
            os._exit(0)
        os.close(theirs)
        _tell(child)
        returned = 0
        while some := os.read(ours, 4096):
            returned += len(some)
        os.close(ours)
        os.waitpid(child, 0)
        _tell(returned)


if __name__ == "__main__":
    main()

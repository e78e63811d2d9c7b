"""Exhaustive mutation: no bit of the trail can change, and no file can go, without being seen."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from abverify._canonical import sha256_hex
from abverify.records import quick
from abverify.records.ledger import read_ledger
from abverify.records.lifecycle import gate_state, scope_states
from tests.records.simulator import ROOT_PATH, V4, V5, Simulator, milestone

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(autouse=True, params=[0, quick._FEW], ids=["spelt", "shaped"])
def _either_reader(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Long ledgers are read by their spelling, short ones are not: both must see everything."""
    monkeypatch.setattr(quick, "_FEW", request.param)


def _flips(data: bytes, bits: range) -> Iterator[tuple[int, bytes]]:
    """The data with one bit flipped, for every byte; `bits` are the bits tried in each."""
    for position, byte in enumerate(data):
        for bit in bits:
            yield position, data[:position] + bytes([byte ^ 1 << bit]) + data[position + 1 :]


def _faulty(simulator: Simulator, path: str, data: bytes) -> bool:
    """Whether reading the ledger with other bytes in one file finds a fault."""
    files, contracts, roots, log = (
        {name: data if name == path else old for name, old in group.items()}
        for group in (
            simulator.files,
            simulator.contracts,
            {ROOT_PATH: simulator.root},
            simulator.log,
        )
    )
    return bool(read_ledger(files, contracts, roots, log, now=simulator.now).faults)


@pytest.mark.slow
def test_every_single_bit_of_a_small_ledger_counts() -> None:
    """A trust root, an introduction, its contract and the log: every bit of every byte."""
    simulator = Simulator()
    introduction = simulator.publish(V4)
    originals = {ROOT_PATH: simulator.root, introduction: simulator.files[introduction]}
    originals |= simulator.contracts | simulator.log
    unseen = [
        (path, position)
        for path, data in originals.items()
        for position, mutant in _flips(data, range(8))
        if not _faulty(simulator, path, mutant)
    ]
    assert unseen == []


@pytest.mark.slow
def test_every_byte_of_a_ledger_with_a_suspension_a_discharge_and_a_lift_counts() -> None:
    simulator = milestone()
    originals = {**simulator.files, **simulator.contracts, **simulator.log}
    unseen = [
        (path, position)
        for path, data in originals.items()
        for position, mutant in _flips(data, range(1))
        if not _faulty(simulator, path, mutant)
    ]
    assert unseen == []


def test_no_mutation_leaves_a_gate_discharged_or_a_scope_open() -> None:
    """One byte in fifty of every record, to see what a reader of the state would see."""
    simulator = milestone()
    for path, data in simulator.files.items():
        for position in range(0, len(data), 50):
            mutant = data[:position] + bytes([data[position] ^ 4]) + data[position + 1 :]
            read = read_ledger(
                {**simulator.files, path: mutant},
                simulator.contracts,
                {ROOT_PATH: simulator.root},
                simulator.log,
                now=simulator.now,
            )
            assert gate_state(read, V5, simulator.now).state != "discharged"
            assert all(scope.state == "suspended" for scope in scope_states(read))


def test_every_truncation_of_a_file_is_seen() -> None:
    simulator = milestone()
    for path, data in {**simulator.files, **simulator.log, ROOT_PATH: simulator.root}.items():
        for length in range(0, len(data), 37):
            assert _faulty(simulator, path, data[:length]), (path, length)


def test_every_removed_file_is_seen_also_the_last_of_a_chain() -> None:
    simulator = milestone()
    unseen = []
    for path in simulator.files:
        rest = {name: data for name, data in simulator.files.items() if name != path}
        read = read_ledger(
            rest, simulator.contracts, {ROOT_PATH: simulator.root}, simulator.log, now=simulator.now
        )
        if not read.faults:
            unseen.append(path)
    assert unseen == []


def test_every_exchange_of_two_files_is_seen() -> None:
    simulator = milestone()
    paths = list(simulator.files)
    for first in paths:
        for second in paths:
            files = dict(simulator.files)
            files[first], files[second] = files[second], files[first]
            read = read_ledger(
                files,
                simulator.contracts,
                {ROOT_PATH: simulator.root},
                simulator.log,
                now=simulator.now,
            )
            assert bool(read.faults) == (first != second)


def test_the_mutated_ledger_is_really_the_one_that_verifies() -> None:
    """Without this, a ledger that never verified would pass every test above."""
    simulator = milestone()
    for path, data in {**simulator.files, ROOT_PATH: simulator.root}.items():
        assert not _faulty(simulator, path, data)
        assert sha256_hex(data) != sha256_hex(data[:-1])

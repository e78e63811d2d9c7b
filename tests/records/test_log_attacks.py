"""Attacks on the set of records, each performed on a real ledger and named by what sees it."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING

import pytest

from abverify._canonical import sha256_hex
from abverify.app.kept_checkpoint import kept_faults
from abverify.records.log.checkpoint import Checkpoint, sign_checkpoint
from abverify.records.log.entries import Entry, bundle_path, read_entries
from abverify.records.log.state import CHECKPOINT, empty_log, read_log
from abverify.records.log.tiles import tile_path
from abverify.records.trust import parse_root
from abverify.records.trust_history import TrustHistory
from tests.records.simulator import (
    OPERATOR,
    ORIGIN,
    ROOT_PATH,
    V4,
    V5,
    V6,
    Simulator,
    milestone,
    signer,
    solo,
)

if TYPE_CHECKING:
    from pathlib import Path

ENTRIES = bundle_path(0)
LIFT = "gates/serve/V1_004/000003.lift.dsse.json"
DISCHARGE = "gates/serve/V1_005/000002.discharge.dsse.json"


@pytest.fixture
def ledger() -> Simulator:
    """Five records: two gates, a suspension, a discharge, a lift."""
    return milestone()


def signed_anew(simulator: Simulator, entries: list[Entry], origin: str = ORIGIN) -> None:
    """The log over these entries, signed by an integrator who was talked into it."""
    simulator.log = empty_log(origin).grown(entries, [OPERATOR])


def against(simulator: Simulator, kept: bytes, folder: Path) -> list[tuple[str, str]]:
    """Rule and message of what a kept checkpoint shows."""
    file = folder / "kept"
    file.write_bytes(kept)
    read = simulator.ledger()
    assert read.faults == ()
    return [
        (fault.rule, fault.message.replace(str(file), "KEPT"))
        for fault in kept_faults(str(file), read.trust, read.log)
    ]


def test_the_ledger_that_is_attacked_is_sound(ledger: Simulator) -> None:
    read = ledger.ledger()
    assert read.faults == ()
    assert read.log is not None
    assert read.log.size == 5


def test_a_removed_record_is_seen_by_its_entry(ledger: Simulator) -> None:
    del ledger.files[LIFT]
    (fault,) = ledger.ledger().faults
    assert (fault.rule, fault.file, fault.found) == ("AV452", LIFT, "no file")


def test_a_record_that_the_log_does_not_hold_counts_for_nothing(ledger: Simulator) -> None:
    log = {**ledger.log}
    path = ledger.publish(V6)
    ledger.log = log
    (fault,) = ledger.ledger().faults
    assert (fault.rule, fault.file) == ("AV451", path)
    assert ledger.ledger().waiting == (path,)


def test_a_log_that_is_gone_leaves_every_record_waiting_and_contradicted(
    ledger: Simulator,
) -> None:
    ledger.log = {}
    faults = ledger.ledger().faults
    assert {fault.file for fault in faults if fault.rule == "AV451"} == set(ledger.files)
    assert len([fault for fault in faults if fault.rule == "AV453"]) == 4


def test_the_tail_cut_with_its_entries_is_seen_by_the_checkpoint(ledger: Simulator) -> None:
    del ledger.files[LIFT]
    ledger.log[ENTRIES] = b"".join(ledger.log[ENTRIES].splitlines(keepends=True)[:-1])
    (fault,) = ledger.ledger().faults
    assert fault.rule == "AV454"


def test_the_tail_cut_and_signed_anew_is_seen_by_a_kept_checkpoint_alone(
    ledger: Simulator, tmp_path: Path
) -> None:
    kept = ledger.log[CHECKPOINT]
    del ledger.files[LIFT]
    signed_anew(ledger, list(read_entries(ledger.log))[:-1])
    assert against(ledger, kept, tmp_path) == [
        ("AV455", "the log was cut: 1 records that KEPT vouches for are gone")
    ]


def test_the_whole_repository_rolled_back_is_seen_by_a_kept_checkpoint(
    ledger: Simulator, tmp_path: Path
) -> None:
    before = {**ledger.files}, {**ledger.log}
    ledger.publish(V6)
    kept = ledger.log[CHECKPOINT]
    ledger.files, ledger.log = before
    assert against(ledger, kept, tmp_path)[0][0] == "AV455"


def test_two_histories_of_one_ledger_are_a_fork(tmp_path: Path) -> None:
    mine, theirs = milestone(), milestone()
    mine.publish(V6)
    theirs.now = mine.now
    theirs.retract(V5, DISCHARGE)
    assert mine.ledger().faults == theirs.ledger().faults == ()
    found = against(mine, theirs.log[CHECKPOINT], tmp_path)
    assert found == [
        (
            "AV455",
            (
                "two histories were signed for this ledger: its first 6 records are not those "
                "that KEPT vouches for"
            ),
        )
    ]


def test_a_kept_checkpoint_that_the_log_extends_shows_nothing(
    ledger: Simulator, tmp_path: Path
) -> None:
    kept = ledger.log[CHECKPOINT]
    assert against(ledger, kept, tmp_path) == []
    ledger.publish(V6)
    assert against(ledger, kept, tmp_path) == []


@pytest.mark.parametrize(
    "kept",
    [
        b"not a checkpoint",
        sign_checkpoint(Checkpoint(ORIGIN, 5, bytes(32)), [signer("mallory")]),
        sign_checkpoint(Checkpoint("example.org/other", 5, bytes(32)), [OPERATOR]),
    ],
    ids=["another file", "an unknown key", "another ledger"],
)
def test_what_is_no_checkpoint_of_this_ledger_shows_nothing_either_way(
    ledger: Simulator, tmp_path: Path, kept: bytes
) -> None:
    assert [rule for rule, _ in against(ledger, kept, tmp_path)] == ["AV456"]


def test_a_record_dropped_and_the_log_signed_anew_contradicts_what_came_after() -> None:
    """The attacker has an integrator's key, and re-signs nothing but the log."""
    simulator = Simulator()
    simulator.publish(V4)
    dropped = simulator.publish(V5)
    simulator.publish(V6)
    del simulator.files[dropped]
    signed_anew(simulator, [e for e in read_entries(simulator.log) if e.path != dropped])
    faults = simulator.ledger().faults
    assert {fault.rule for fault in faults} == {"AV453", "AV459"}
    assert {fault.file for fault in faults} == {"gates/serve/V1_006/000001.amendment.dsse.json"}


def test_a_checkpoint_replayed_over_a_longer_log(ledger: Simulator) -> None:
    old = ledger.log[CHECKPOINT]
    ledger.publish(V6)
    ledger.log[CHECKPOINT] = old
    (fault,) = ledger.ledger().faults
    assert (fault.rule, fault.file) == ("AV454", CHECKPOINT)


def test_the_whole_log_replayed_leaves_the_new_records_out(ledger: Simulator) -> None:
    old = {**ledger.log}
    path = ledger.publish(V6)
    later = ledger.discharge(V6)
    ledger.log = old
    assert [(f.rule, f.file) for f in ledger.ledger().faults] == [
        ("AV459", later),
        ("AV453", later),
        ("AV451", path),
        ("AV451", later),
    ]


def test_entries_exchanged(ledger: Simulator) -> None:
    lines = ledger.log[ENTRIES].splitlines(keepends=True)
    ledger.log[ENTRIES] = b"".join([lines[1], lines[0], *lines[2:]])
    assert [fault.rule for fault in ledger.ledger().faults] == ["AV454"]


def test_entries_exchanged_and_signed_anew(ledger: Simulator) -> None:
    first, second, *rest = read_entries(ledger.log)
    signed_anew(ledger, [second, first, *rest])
    assert set(ledger.log_rules()) == {"AV453", "AV459"}


def test_an_entry_twice_and_signed_anew(ledger: Simulator) -> None:
    entries = list(read_entries(ledger.log))
    signed_anew(ledger, [*entries, entries[-1]])
    (fault,) = ledger.ledger().faults
    assert (fault.rule, fault.file, fault.found) == ("AV459", LIFT, "entries 4 and 5")


def test_an_entry_for_another_record_in_a_files_place(ledger: Simulator) -> None:
    *rest, last = read_entries(ledger.log)
    signed_anew(ledger, [*rest, Entry("0" * 64, last.path)])
    assert ledger.log_rules() == ["AV452"]


def test_a_checkpoint_by_somebody_who_is_no_integrator(ledger: Simulator) -> None:
    read = ledger.ledger()
    assert read.log is not None
    ledger.log[CHECKPOINT] = sign_checkpoint(read.log.checkpoint, [signer("mallory")])
    assert ledger.log_rules() == ["AV450"]


def test_a_checkpoint_of_another_ledger(ledger: Simulator) -> None:
    signed_anew(ledger, list(read_entries(ledger.log)), origin="example.org/other")
    assert ledger.log_rules() == ["AV450"]


def test_the_whole_log_of_another_ledger_by_the_same_key(ledger: Simulator) -> None:
    other = Simulator()
    other.publish(V6)
    ledger.log = other.log
    assert set(ledger.log_rules()) >= {"AV451", "AV452", "AV453"}


def test_another_file_in_the_logs_folder(ledger: Simulator) -> None:
    ledger.log["gates/_log/tile/0/000"] = bytes(8192)
    (fault,) = ledger.ledger().faults
    assert (fault.rule, fault.file) == ("AV454", "gates/_log/tile/0/000")


@pytest.mark.parametrize("change", ["altered", "removed"])
def test_a_tile_that_does_not_follow_from_the_entries(change: str) -> None:
    entries = [
        Entry(sha256_hex(str(i).encode()), f"gates/a/b/{i:06d}.lift.dsse.json") for i in range(300)
    ]
    files = empty_log(ORIGIN).grown(entries, [OPERATOR])
    trust = TrustHistory((parse_root(solo(), ROOT_PATH),))
    assert read_log(files, trust)[1] == ()
    tile = files.pop(tile_path(0, 0))
    if change == "altered":
        files[tile_path(0, 0)] = bytes([tile[0] ^ 1]) + tile[1:]
    log, (fault,) = read_log(files, trust)
    assert (fault.rule, fault.file, log.size) == ("AV454", tile_path(0, 0), 0)


def test_a_broken_log_leaves_no_gate_discharged(ledger: Simulator) -> None:
    from abverify.records.lifecycle import gate_state, scope_states

    read = ledger.ledger()
    assert gate_state(read, V5, ledger.now).state == "discharged"
    data = bytearray(ledger.log[CHECKPOINT])
    data[-3] ^= 1
    ledger.log[CHECKPOINT] = bytes(data)
    broken = ledger.ledger()
    assert gate_state(broken, V5, ledger.now).state == "unknown"
    assert all(scope.state == "suspended" for scope in scope_states(broken))


def test_a_size_that_the_signature_does_not_cover_is_no_size(ledger: Simulator) -> None:
    text, _, line = ledger.log[CHECKPOINT].partition(b"\n\n")
    origin, _, root = text.split(b"\n")
    assert base64.b64decode(root) == read_root(ledger)
    ledger.log[CHECKPOINT] = b"\n".join([origin, b"6", root]) + b"\n\n" + line
    assert ledger.log_rules() == ["AV450"]


def read_root(simulator: Simulator) -> bytes:
    log = simulator.ledger().log
    assert log is not None
    return log.checkpoint.root

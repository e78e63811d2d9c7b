"""What the audit keeps of large ledgers, compact, against the plain values that it stands for."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from abverify._canonical import sha256_hex
from abverify.app import audit_parts
from abverify.app.audit_scan import scan_ledger
from abverify.records import verifiers
from abverify.records.ledger import Ledger, read_ledger
from abverify.records.listing import Listing, by_folder
from abverify.records.log.completeness import Seen
from abverify.records.log.entries import Entry, bundle_path, read_entries
from abverify.records.log.packed import Entries
from abverify.records.log.state import empty_log, read_log
from abverify.records.seen_files import SeenFiles
from abverify.records.trust import parse_root
from abverify.records.trust_history import TrustHistory
from abverify.workspace.contracts import published_files
from abverify.workspace.ledger_store import ledger_files, root_files
from abverify.workspace.log_files import log_files
from tests.records.simulator import (
    OPERATOR,
    ORIGIN,
    ROOT_PATH,
    V4,
    V5,
    V6,
    Simulator,
    milestone,
    solo,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from abverify.app.audit_scan import LedgerScan

paths = st.builds(
    "gates/{}/{}/{:06d}.{}.dsse.json".format,
    st.sampled_from(["serve", "a-b"]),
    st.sampled_from(["V1", "V_2", "v"]),
    st.integers(0, 5) | st.just(999_999),
    st.sampled_from(["lift", "discharge", "non-discharge", "no-such-kind"]),
)
digests = st.binary(min_size=32, max_size=32).map(bytes.hex)
logs = st.lists(st.builds(Entry, digests, paths), max_size=40)


@given(logs, st.integers(0, 3))
def test_packed_entries_are_the_entries(log: list[Entry], first: int) -> None:
    packed = Entries()
    for start in range(0, len(log), 7):
        packed.extend(log[start : start + 7])
    assert list(packed) == log
    assert packed[1:3] == tuple(log[1:3])
    assert [packed.sha256(at) for at in range(len(log))] == [entry.sha256 for entry in log]
    places = packed.places(first)
    plain = {entry.path: first + at for at, entry in enumerate(log)}
    assert dict(places) == plain
    assert len(places) == len(plain)
    some = places.within(["gates/serve/V1", "gates/serve/none"])
    assert dict(some) == {path: at for path, at in plain.items() if "/serve/V1/" in path}


@pytest.mark.parametrize(
    "path",
    [
        "gates/serve/V1/000002.lift.dsse.json", "gates/serve/V1/000001.other.dsse.json",
        "gates/serve/V2/000001.lift.dsse.json", "gates/serve/V1/+00001.lift.dsse.json",
        "gates/serve/V1/0000001.lift.dsse.json", "gates/serve/V1/000001-lift.dsse.json",
        "gates/serve/V1/00000\N{ARABIC-INDIC DIGIT ONE}.lift.dsse.json",
        "gates/serve/V1/000001.lift.dsse.json\n", "gates/serve/V1/000001.lift.dsse.jsonx",
        "000001.lift.dsse.json", "",
    ],
)  # fmt: skip
def test_a_path_that_the_log_does_not_hold_has_no_place(path: str) -> None:
    packed = Entries()
    packed.extend([Entry(sha256_hex(b""), "gates/serve/V1/000001.lift.dsse.json")])
    assert packed.places()["gates/serve/V1/000001.lift.dsse.json"] == 0
    assert path not in packed.places()
    with pytest.raises(KeyError):
        packed.places()[path]


@given(st.sets(st.text(st.characters(exclude_characters="/\0"), min_size=1), max_size=9))
def test_a_listing_is_its_paths_in_order(names: set[str]) -> None:
    listing = Listing.of("gates/a/b", names)
    plain = [f"gates/a/b/{name}" for name in sorted(names)]
    assert list(listing) == plain
    assert [listing[at] for at in range(len(listing))] == plain
    assert listing[1:] == plain[1:]
    assert by_folder(plain) == ((listing,) if names else ())


bases = st.none() | st.tuples(st.integers(0, 2**50), digests)


@given(st.lists(st.tuples(digests, bases), max_size=20))
def test_seen_files_are_what_was_seen(files: list[tuple[str, tuple[int, str] | None]]) -> None:
    plain = [Seen(f"p/{at}", sha256, basis) for at, (sha256, basis) in enumerate(files)]
    seen = SeenFiles()
    for item in plain:
        seen.append(item)
    assert list(seen.along([item.path for item in plain])) == plain
    assert seen.verified == sum(item.basis is not None for item in plain)
    verified = [(item.sha256, at) for at, item in enumerate(plain) if item.basis]
    assert seen.find([sha256 for sha256, _ in files]) == dict(reversed(verified))
    assert seen.find([]) == {}
    assert list(seen.digests) == [sha256 for sha256, _ in files]


def _written(folder: Path, simulator: Simulator) -> None:
    roots = {ROOT_PATH: simulator.root}
    _put(folder, {**simulator.files, **simulator.contracts, **simulator.log, **roots})


def _both(root: Path, simulator: Simulator) -> tuple[Ledger, LedgerScan]:
    files = ledger_files(root)
    plain = read_ledger(
        files.records, published_files(root), root_files(root), files.log, now=simulator.now
    )
    return plain, scan_ledger(root, simulator.now, evidence=False)


def _two_ledgers() -> Simulator:
    """Chains that cite each other, one of them long enough to be put in any order."""
    simulator = milestone()
    simulator.publish(V6)
    simulator.suspend(V6, "M300", gates=(str(V4),), scope=None)
    for _ in range(3):
        simulator.non_discharge(V6)
    discharge = simulator.discharge(V6)
    simulator.lift(V6, "M300")
    simulator.retract(V6, discharge)
    return simulator


def _anew(simulator: Simulator, entries: list[Entry]) -> None:
    simulator.log = empty_log(ORIGIN).grown(entries, [OPERATOR])


def _flip(simulator: Simulator, path: str) -> None:
    group = next(
        group for group in (simulator.files, simulator.contracts, simulator.log) if path in group
    )
    data = bytearray(group[path])
    data[len(data) // 2] ^= 1
    group[path] = bytes(data)


def _drop(simulator: Simulator, at: int) -> None:
    del simulator.files[sorted(simulator.files)[at]]


def _exchange(simulator: Simulator, at: int) -> None:
    names = sorted(simulator.files)
    one, other = names[at], names[at - 1]
    files = simulator.files
    files[one], files[other] = files[other], files[one]


def _copy(simulator: Simulator, at: int) -> None:
    name = sorted(simulator.files)[at]
    folder, _, last = name.rpartition("/")
    simulator.files[f"{folder}/000077{last[6:]}"] = simulator.files[name]


def _stray(simulator: Simulator, at: int) -> None:
    folder = sorted(simulator.files)[at].rpartition("/")[0]
    simulator.files |= {f"{folder}/{name}": b"{}" for name in ("notes", "000001.LIFT.dsse.json")}
    simulator.files["gates/serve/not a gate/000001.lift.dsse.json"] = b"{}"
    simulator.files[f"{folder}/.abverify-x"] = b""


def _unlogged(simulator: Simulator, at: int) -> None:
    gone = sorted(simulator.files)[at]
    _anew(simulator, [entry for entry in read_entries(simulator.log) if entry.path != gone])


def _twice(simulator: Simulator, at: int) -> None:
    entries = list(read_entries(simulator.log))
    _anew(simulator, [*entries, entries[at]])


def _twice_otherwise(simulator: Simulator, at: int) -> None:
    entries = list(read_entries(simulator.log))
    _anew(simulator, [Entry("0" * 64, entries[at].path), *entries])


def _moved(simulator: Simulator, at: int) -> None:
    entries = list(read_entries(simulator.log))
    entries[at], entries[at - 1] = entries[at - 1], entries[at]
    _anew(simulator, entries)


def _altered(simulator: Simulator, at: int) -> None:
    _flip(simulator, sorted(simulator.files)[at])


def _contract(simulator: Simulator, at: int) -> None:
    _flip(simulator, sorted(simulator.contracts)[at % len(simulator.contracts)])


def _list(simulator: Simulator, at: int) -> None:
    _flip(simulator, sorted(simulator.log)[at % len(simulator.log)])


def _waiting(simulator: Simulator, at: int) -> None:
    held = dict(simulator.log)
    simulator.non_discharge((V4, V5, V6)[at % 3])
    simulator.log = held


MUTATIONS = (
    _drop, _exchange, _copy, _stray, _unlogged, _twice, _twice_otherwise, _moved, _altered,
    _contract, _list, _waiting,
)  # fmt: skip


def _nothing(simulator: Simulator, at: int) -> None:
    """Leaves the ledger as it is."""


@pytest.mark.parametrize("quick", [False, True], ids=["plain", "quick"])
@pytest.mark.parametrize("mutate", [_nothing, *MUTATIONS])
def test_the_audit_finds_exactly_what_reading_the_ledger_finds(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    mutate: Callable[[Simulator, int], None],
    *,
    quick: bool,
) -> None:
    monkeypatch.setattr(verifiers, "MANY", 0 if quick else 10**9)
    whole = _two_ledgers()
    for at in range(0, len(whole.files), 2):
        simulator = _copied(whole)
        mutate(simulator, at)
        folder = tmp_path / str(at)
        _written(folder, simulator)
        plain, scan = _both(folder, simulator)
        assert sorted(map(repr, scan.faults)) == sorted(map(repr, plain.faults))
        assert (scan.checked, scan.total) == (plain.checked, plain.total)
        assert scan.unvouched == plain.unvouched()
        assert bool(scan.faults) == (mutate is not _nothing)


def _copied(simulator: Simulator) -> Simulator:
    return Simulator(
        root=simulator.root,
        files=dict(simulator.files),
        contracts=dict(simulator.contracts),
        log=dict(simulator.log),
        versions=dict(simulator.versions),
        now=simulator.now,
    )


def test_two_processes_find_what_one_finds(tmp_path: Path) -> None:
    simulator = _two_ledgers()
    _waiting(simulator, 2)
    _stray(simulator, 0)
    _altered(simulator, 5)
    _written(tmp_path, simulator)
    one, two = (scan_ledger(tmp_path, simulator.now, jobs=jobs) for jobs in (1, 2))
    assert one.faults == two.faults != ()
    assert one.reasons == two.reasons != ()
    assert (one.checked, one.decisions, one.subjects) == (two.checked, two.decisions, two.subjects)


def test_the_size_of_the_parts_changes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    simulator = _two_ledgers()
    _altered(simulator, 5)
    _written(tmp_path, simulator)
    whole = scan_ledger(tmp_path, simulator.now)
    monkeypatch.setattr(audit_parts, "_MOST", 1)
    parted = scan_ledger(tmp_path, simulator.now)
    assert whole.faults == parted.faults != ()
    assert whole.checked == parted.checked


@pytest.mark.parametrize("sizes", [(1, 2), (255, 256), (256, 257), (300, 800), (511, 70_000)])
def test_a_log_that_grows_while_it_is_read_is_read_as_it_was(
    tmp_path: Path, sizes: tuple[int, int]
) -> None:
    """What is written once is read late, after a writer has gone on; the rest was read at once."""
    before, after = sizes
    entries = [
        Entry(sha256_hex(b"%d" % at), f"gates/a/b/{at:06d}.lift.dsse.json") for at in range(after)
    ]
    log, trust = empty_log(ORIGIN), TrustHistory((parse_root(solo(), ROOT_PATH),))
    _put(tmp_path, log.grown(entries[:before], [OPERATOR]))
    files = log_files(tmp_path)
    held, faults = read_log(files, trust)
    assert faults == ()
    _put(tmp_path, held.grown(entries[before:], [OPERATOR]))
    again, faults = read_log(files, trust)
    assert (again.size, faults) == (before, ())
    assert list(again.entries) == entries[:before]
    now, faults = read_log(log_files(tmp_path), trust)
    assert (now.size, faults) == (after, ())


def test_a_file_of_the_log_that_vanishes_is_a_fault_of_the_log(tmp_path: Path) -> None:
    entries = [
        Entry(sha256_hex(b"%d" % at), f"gates/a/b/{at:06d}.lift.dsse.json") for at in range(300)
    ]
    trust = TrustHistory((parse_root(solo(), ROOT_PATH),))
    _put(tmp_path, empty_log(ORIGIN).grown(entries, [OPERATOR]))
    files = log_files(tmp_path)
    (tmp_path / bundle_path(0)).unlink()
    (fault,) = read_log(files, trust)[1]
    assert (fault.rule, fault.found) == ("AV454", "no file")


def test_what_a_killed_writer_left_is_no_part_of_the_log(tmp_path: Path) -> None:
    simulator = milestone()
    _written(tmp_path, simulator)
    for folder in ("gates/_log", "gates/_log/entries", "gates/_trust", "gates/serve/V1_004"):
        (tmp_path / folder / ".abverify-x1y2").write_bytes(b"half")
    plain, scan = _both(tmp_path, simulator)
    assert scan.faults == plain.faults == ()


def _put(root: Path, files: dict[str, bytes]) -> None:
    for path, data in files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(data)

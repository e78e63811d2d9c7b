"""One flipped byte anywhere in what counts: the audit exits with 4 and names the file."""

from __future__ import annotations

import shutil
from random import Random
from typing import TYPE_CHECKING

import pytest

from tests.support.repository import S1_004, done

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tests.support.repository import Repository

BUNDLE = "gates/laptop-replica/S1_004/evidence"
COUNTS = {
    "records": "gates/*/*/*.dsse.json",
    "the trust root": "gates/_trust/*",
    "published contract versions": "contracts/_versions/*/*/*.yaml",
    "the cited bench": f"{BUNDLE}/bench-*/*",
    "the cited calibration": f"{BUNDLE}/calibrate-*/*",
}
"""Every kind of file that a verdict rests on, with where it lies."""

FILES = {
    "records": 7,
    "the trust root": 1,
    "published contract versions": 4,
    "the cited bench": 6,
    "the cited calibration": 6,
}


def unnoticed(repository: Repository, path: str, offsets: Iterable[int], mask: int) -> list[str]:
    """Flips each byte in turn and puts it back; returns the flips the audit did not pin down."""
    file = repository.root / path
    original = file.read_bytes()
    missed = []
    for offset in offsets:
        changed = bytearray(original)
        changed[offset] ^= mask
        file.write_bytes(changed)
        ran = repository.run("audit")
        if ran.code != 4 or path not in ran.out + ran.err:
            missed.append(f"{path} byte {offset} ^ {mask:#04x}: exit {ran.code}")
    file.write_bytes(original)
    return missed


def sample(path: str, size: int) -> list[int]:
    """The first, the middle and the last byte, and two that the path's name chooses."""
    chosen = Random(path)  # noqa: S311 (a sample, not a secret)
    return sorted({0, size // 2, size - 1, chosen.randrange(size), chosen.randrange(size)})


@pytest.mark.parametrize("kind", COUNTS)
def test_a_flipped_byte_is_found_and_its_file_named(after_story: Repository, kind: str) -> None:
    files = after_story.glob(COUNTS[kind])
    assert len(files) == FILES[kind]
    missed = []
    for path in files:
        size = (after_story.root / path).stat().st_size
        if size:
            mask = 1 << Random(path[::-1]).randrange(8)  # noqa: S311
            missed += unnoticed(after_story, path, sample(path, size), mask)
    assert missed == []
    done(after_story.run("audit"))


@pytest.mark.slow
@pytest.mark.parametrize("name", ["scores.json", "start.json"])
def test_no_byte_of_a_small_file_can_be_flipped_unnoticed(
    after_story: Repository, name: str
) -> None:
    (path,) = after_story.glob(f"{BUNDLE}/bench-*/{name}")
    size = (after_story.root / path).stat().st_size
    assert unnoticed(after_story, path, range(size), 0x01) == []


@pytest.mark.slow
@pytest.mark.parametrize("kind", COUNTS)
def test_nor_can_every_hundredth_byte_of_all_files(after_story: Repository, kind: str) -> None:
    missed = []
    for path in after_story.glob(COUNTS[kind]):
        size = (after_story.root / path).stat().st_size
        missed += unnoticed(after_story, path, range(7, size, 100), 0x20)
    assert missed == []


@pytest.mark.parametrize("kind", COUNTS)
def test_a_byte_added_or_taken_away_is_found(after_story: Repository, kind: str) -> None:
    for path in after_story.glob(COUNTS[kind]):
        file = after_story.root / path
        original = file.read_bytes()
        for changed in (original + b"\n", original[:-1]):
            if changed == original:
                continue
            file.write_bytes(changed)
            ran = after_story.run("audit")
            assert (ran.code, path in ran.out + ran.err) == (4, True), path
        file.write_bytes(original)


@pytest.mark.parametrize("kind", ["published contract versions", "the cited bench"])
def test_a_missing_file_is_found(after_story: Repository, kind: str) -> None:
    for path in after_story.glob(COUNTS[kind]):
        file = after_story.root / path
        original = file.read_bytes()
        file.unlink()
        said = done(after_story.run("audit"), 4).out
        folder, _, name = path.rpartition("/")
        assert folder in said, path
        assert name in said, path
        file.write_bytes(original)


def test_a_record_taken_out_of_the_middle_of_a_chain_is_found(after_story: Repository) -> None:
    (after_story.root / "gates/laptop-replica/S1_004/000002.suspension.dsse.json").unlink()
    ran = done(after_story.run("audit"), 4)
    assert "gates/laptop-replica/S1_004" in ran.out


def test_a_ledger_that_was_altered_answers_no_question(after_story: Repository) -> None:
    path = "gates/laptop-replica/S1_004/000003.non-discharge.dsse.json"
    file = after_story.root / path
    file.write_bytes(file.read_bytes().replace(b'"sig"', b'"sIg"'))
    for question in (("check", "S1_004"), ("check", "V1_004"), ("status",)):
        ran = done(after_story.run(*question), 4)
        assert path in ran.out + ran.err
    done(after_story.sign("suspend", "S281", "--scope", "x", "--lift-when", "S1_004"), 4)


def test_an_edited_working_contract_is_an_amendment_in_progress(after_story: Repository) -> None:
    after_story.edit(S1_004, "at_least: 1", "at_least: 0")
    done(after_story.run("audit"))
    ran = done(after_story.run("check", "S1_004", "--format", "json"), 3)
    assert "contract-unpublished" in ran.codes
    assert ran.json["verdict"] == "cannot-evaluate"
    assert "the working contract is edited" in " ".join(done(after_story.run("status")).out.split())


def test_any_flipped_byte_of_the_working_contract_keeps_the_gate_shut(
    after_story: Repository,
) -> None:
    file = after_story.root / S1_004
    original = file.read_bytes()
    for offset in range(3, len(original), 101):
        changed = bytearray(original)
        changed[offset] ^= 0x01
        file.write_bytes(changed)
        done(after_story.run("audit"))
        assert after_story.run("check", "S1_004").code in {2, 3}, offset


def test_a_decision_whose_evidence_is_gone_is_not_counted_as_recomputed(
    after_story: Repository,
) -> None:
    (bench,) = after_story.root.glob(f"{BUNDLE}/bench-*")
    shutil.rmtree(bench)
    ran = done(after_story.run("audit", "--format", "json"), 4)
    assert ran.json["facts"]["decisions"] == "0/1 recomputed from their evidence"

"""Ledgers that were signed with each version of the format: today's code verifies them all."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING, Any

import pytest

from abverify.app.audit import audit
from tests.support.repository import CHECKOUT

if TYPE_CHECKING:
    from pathlib import Path

FROZEN = CHECKOUT / "tests/records/frozen"
VERSIONS = sorted(path.parent for path in FROZEN.glob("*/expected.json"))


def told(root: Path) -> dict[str, Any]:
    """What the audit says, without what it says in every report."""
    report = audit(root)
    facts = {name: value for name, value in report.facts if name != "limits"}
    verdict = "clean" if report.exit_code == 0 else "not clean"
    return {
        "verdict": verdict,
        "checked": report.checked,
        "total": report.total,
        "facts": facts,
    }


def test_every_version_has_a_ledger() -> None:
    assert [path.name for path in VERSIONS] == ["1"]
    assert [path.name for path in FROZEN.iterdir() if path.is_dir()] == ["1"]


@pytest.mark.parametrize("folder", VERSIONS, ids=lambda path: path.name)
def test_it_verifies_as_on_the_day_it_was_signed(folder: Path) -> None:
    assert told(folder) == json.loads((folder / "expected.json").read_bytes())


@pytest.mark.parametrize("folder", VERSIONS, ids=lambda path: path.name)
def test_its_tampered_twin_does_not(folder: Path, tmp_path: Path) -> None:
    """One byte in the middle of each of its files, evidence included."""
    twin = tmp_path / "twin"
    shutil.copytree(folder, twin, ignore=shutil.ignore_patterns("expected.json"))
    files = [path for path in twin.rglob("*") if path.is_file() and path.stat().st_size]
    assert len(files) > 20
    for file in files:
        data = file.read_bytes()
        middle = len(data) // 2
        file.write_bytes(data[:middle] + bytes([data[middle] ^ 1]) + data[middle + 1 :])
        assert audit(twin).exit_code == 4, file
        file.write_bytes(data)
    assert audit(twin).exit_code == 0

"""Attacks on the files that a ledger lies in: links, git's conversions, an empty set."""

from __future__ import annotations

import os
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

from abverify.app.audit import AuditRequest, audit
from abverify.errors import UntrustedError
from tests.records.simulator import V4
from tests.support.appender import append_one, begun
from tests.support.repository import CHECKOUT

if TYPE_CHECKING:
    from pathlib import Path

RECORD = "gates/serve/V1_004/000001.amendment.dsse.json"
CONTRACT = "contracts/_versions/serve/V1_004/1.0.0.yaml"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A ledger of two introduced gates on disk, in force today."""
    folder = tmp_path / "repository"
    folder.mkdir()
    begun(folder)
    return folder


def codes(root: Path) -> set[str]:
    """The rules that the audit finds broken, also where it cannot go on."""
    try:
        return {reason.rule for reason in audit(root).reasons}
    except UntrustedError as error:
        return {error.rule}


def git(root: Path, *words: str) -> None:
    """Runs git with nobody's settings."""
    identity = ("-c", "user.name=ana", "-c", "user.email=ana@example.org")
    environment = {**os.environ, "GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_SYSTEM": "/dev/null"}
    subprocess.run(
        ["git", *identity, *words],
        cwd=root,
        env=environment,
        capture_output=True,
        check=True,
    )


def test_the_ledger_on_disk_is_sound(root: Path) -> None:
    report = audit(root)
    assert (report.reasons, report.checked, report.total) == ((), 5, 5)


@pytest.mark.parametrize("path", [RECORD, CONTRACT, "gates/_log/checkpoint"])
def test_a_link_in_the_place_of_a_file(root: Path, tmp_path: Path, path: str) -> None:
    """Even to the very same bytes: what a link shows can change with nothing to see here."""
    (root / path).rename(tmp_path / "elsewhere")
    (root / path).symlink_to(tmp_path / "elsewhere")
    assert codes(root) == {"AV402"}


def test_a_link_in_the_place_of_a_folder(root: Path, tmp_path: Path) -> None:
    (root / "gates/serve").rename(tmp_path / "serve")
    (root / "gates/serve").symlink_to(tmp_path / "serve")
    assert codes(root) == {"AV402"}


def test_a_folder_in_the_place_of_a_record(root: Path) -> None:
    (root / RECORD).unlink()
    (root / RECORD).mkdir()
    assert "AV452" in codes(root)


def test_a_record_beside_itself_in_other_letters(root: Path) -> None:
    """On a disk that knows no capitals the two would be one file."""
    folder = (root / RECORD).parent
    shutil.copytree(folder, folder.with_name("v1_004"))
    assert codes(root) >= {"AV408"}


def test_no_record_at_all_is_not_clean(root: Path) -> None:
    shutil.rmtree(root / "gates")
    report = audit(root)
    assert report.exit_code == 4, "contracts were published, and nothing says by whom"
    shutil.rmtree(root / "contracts")
    assert audit(root).exit_code == 5


def test_line_ends_that_git_converted(root: Path, tmp_path: Path) -> None:
    """Without the attributes that the checkout carries, git may alter what was signed."""
    git(root, "init", "-q")
    git(root, "add", ".")
    git(root, "commit", "-q", "-m", "a ledger")
    altered = tmp_path / "altered"
    git(root, "clone", "-q", "-c", "core.autocrlf=true", str(root), str(altered))
    assert codes(altered) >= {"AV415"}

    shutil.copyfile(CHECKOUT / ".gitattributes", root / ".gitattributes")
    git(root, "add", ".")
    git(root, "commit", "-q", "-m", "with attributes")
    kept = tmp_path / "kept"
    git(root, "clone", "-q", "-c", "core.autocrlf=true", str(root), str(kept))
    assert codes(kept) == set()


def test_a_history_rewritten_to_before_a_record(root: Path, tmp_path: Path) -> None:
    """`git reset` and a forced push: nothing in the tree tells; a kept checkpoint does."""
    git(root, "init", "-q")
    git(root, "add", ".")
    git(root, "commit", "-q", "-m", "two records")
    append_one(root, V4)
    kept = tmp_path / "kept"
    shutil.copyfile(root / "gates/_log/checkpoint", kept)
    git(root, "add", ".")
    git(root, "commit", "-q", "-m", "three records")
    git(root, "reset", "-q", "--hard", "HEAD~1")
    assert codes(root) == set()
    found = audit(root, AuditRequest(checkpoint=str(kept)))
    assert [reason.rule for reason in found.reasons] == ["AV455"]
    assert found.exit_code == 4

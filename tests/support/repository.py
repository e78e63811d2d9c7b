"""Scratch repositories: the checkout's contracts and fixtures, with ledgers of their own."""

from __future__ import annotations

import fcntl
import os
import shutil
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

from tests.support.console import Ran, in_process, in_subprocess

if TYPE_CHECKING:
    from collections.abc import Callable

    import pytest

CHECKOUT = Path(__file__).resolve().parents[2]
GATES = ("V1_004", "V1_005", "S1_004", "S1_005")
SMALL = "fixtures/corpora/small"
S1_004 = "contracts/S1_004.yaml"

# The policy speaks of the checkout's documents, which a scratch repository does not have.
_NO_RECORDS = shutil.ignore_patterns(
    "_versions", "pin.lock", "policy.yaml", "__pycache__", "target"
)


@dataclass(frozen=True, slots=True)
class Repository:
    """A repository in a folder of its own, and the key folder of its operator beside it."""

    root: Path
    keys: Path

    @property
    def environment(self) -> dict[str, str]:
        """What a command needs to know: where the keys are."""
        return {"ABVERIFY_KEYS": str(self.keys)}

    def run(self, *arguments: str, **environment: str) -> Ran:
        """Runs a command line on this repository, in this process."""
        known = {**self.environment, **environment}
        return in_process(*arguments, "--root", str(self.root), environment=known)

    def spawn(self, *arguments: str, wrapper: tuple[str, ...] = (), **environment: str) -> Ran:
        """Runs a command line on this repository, in a process of its own."""
        words = (*arguments, "--root", str(self.root))
        return in_subprocess(
            *words, environment={**self.environment, **environment}, wrapper=wrapper
        )

    def sign(self, *arguments: str, **environment: str) -> Ran:
        """Runs a verb that signs, with the operator's key and a reason."""
        return self.run(*arguments, "--reason", "for the test", **environment)

    def copy(self, folder: Path) -> Repository:
        """The same repository and keys in another folder."""
        shutil.copytree(self.root, folder / "repository")
        shutil.copytree(self.keys, folder / "keys")
        (folder / "keys").chmod(0o700)
        return Repository(folder / "repository", folder / "keys")

    def edit(self, path: str, old: str, new: str) -> None:
        """Replaces the one place where `old` stands in a file."""
        file = self.root / path
        text = file.read_text(encoding="utf-8")
        assert text.count(old) == 1, f"{old!r} stands {text.count(old)} times in {path}"
        file.write_text(text.replace(old, new), encoding="utf-8")

    def tree(self) -> dict[str, str]:
        """Every file with the digest of its bytes: what must not change."""
        files = (path for path in self.root.rglob("*") if path.is_file())
        return {
            path.relative_to(self.root).as_posix(): sha256(path.read_bytes()).hexdigest()
            for path in files
        }

    def glob(self, pattern: str) -> list[str]:
        """The files that a pattern finds, relative to the root, sorted."""
        found = (path for path in self.root.glob(pattern) if path.is_file())
        return sorted(path.relative_to(self.root).as_posix() for path in found)


def scratch(folder: Path) -> Repository:
    """A repository that has contracts and fixtures, and no ledger yet."""
    for part in ("contracts", "fixtures"):
        shutil.copytree(CHECKOUT / part, folder / "repository" / part, ignore=_NO_RECORDS)
    (folder / "keys").mkdir(mode=0o700)
    return Repository(folder / "repository", folder / "keys")


def opened(folder: Path) -> Repository:
    """A scratch repository with a trust root and the operator's unencrypted key."""
    repository = scratch(folder)
    done(repository.run("keys", "new", "operator", "--unencrypted"))
    done(repository.run("trust", "init", "--origin", "example/tests", "--principal", "operator"))
    return repository


def introduced(folder: Path) -> Repository:
    """A repository whose four gates are in the ledger, and both scopes held."""
    repository = opened(folder)
    for gate in GATES:
        done(repository.sign("amend", gate, "--introduce"))
    for name, scope, gate in (
        ("M280", "phase-6", "V1_004"),
        ("S280", "laptop-phase", "S1_004"),
    ):
        done(repository.sign("suspend", name, "--scope", scope, "--lift-when", gate))
    return repository


def done(ran: Ran, code: int = 0) -> Ran:
    """The command, which must have ended with this exit code."""
    assert ran.code == code, f"exit {ran.code}, not {code}:\n{ran.out}\n{ran.err}"
    return ran


def shared(factory: pytest.TempPathFactory, name: str, make: Callable[[Path], object]) -> Path:
    """A folder made once for the whole test run: the first process makes it, others wait."""
    base = factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        base = base.parent
    folder = base / name
    with (base / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "made").exists():
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
            make(folder)
            (folder / "made").touch()
    return folder

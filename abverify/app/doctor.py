"""`doctor`: what the machine has of what contracts need, and the command that mends the rest."""

from __future__ import annotations

import importlib.metadata
import platform
import sys
from typing import TYPE_CHECKING, Any

from abverify._frozen import frozen
from abverify.app.docket import open_repository
from abverify.app.doctor_models import engine_lines, weights_lines
from abverify.app.keys import known_keys
from abverify.bench.sandbox import find_sandbox, toolchains
from abverify.bench.weights_cache import cache_folder
from abverify.errors import AbverifyError
from abverify.model.doctor_report import DoctorLine, DoctorReport
from abverify.workspace.corpora import load_corpus
from abverify.workspace.host import first_line, writable

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from abverify.model.contract import Contract

_APT = "sudo apt-get install -y"
_OLDEST = (3, 11)
_PACKAGES = ("click", "cryptography", "jmespath", "jsonschema", "pydantic", "rich", "ruamel.yaml")


@frozen
class _Needs:
    """What some contracts need.

    Attributes:
        contracts: they themselves.
        languages: of the fixtures that their gates are measured on.
        fault: why they cannot be read; null when they can.
    """

    contracts: tuple[Contract, ...]
    languages: frozenset[str]
    fault: AbverifyError | None = None


def doctor(root: Path | None, names: Sequence[str]) -> DoctorReport:
    """Looks for everything that can be needed here.

    Args:
        root: the repository; None where there is none: then what `init` starts with is needed.
        names: the gates that the answer is for; all of the repository when empty.

    Raises:
        UsageError: AV110 or AV111 for the name of a gate.
    """
    needs = _needs(root, names)
    lines = [_python(), _packages(), *_tools(needs), _sandbox()]
    lines += engine_lines(needs.contracts, root is None)
    lines += weights_lines(root, needs.contracts)
    lines += [_cache(), _keys(), *_law(root, needs)]
    return DoctorReport(_judged_for(root, names), tuple(lines))


def _judged_for(root: Path | None, names: Sequence[str]) -> str:
    if root is None:
        return "what abverify init starts with; there is no repository here"
    return f"the gates {', '.join(names)}" if names else f"every contract of {root}"


def _needs(root: Path | None, names: Sequence[str]) -> _Needs:
    if root is None:
        return _Needs((), frozenset({"python"}))
    try:
        registry = open_repository(root).registry
    except AbverifyError as error:
        return _Needs((), frozenset(), error)
    found = [registry.find(name) for name in names] if names else registry.all()
    contracts = tuple(loaded.contract for loaded in found)
    languages: set[str] = set()
    for corpus in {contract.evidence.bench.corpus for contract in contracts}:
        try:
            fixtures = load_corpus(root, corpus).fixtures
        except AbverifyError as error:
            return _Needs(contracts, frozenset(languages), error)
        languages |= {fixture.spec.language for fixture in fixtures}
    return _Needs(contracts, frozenset(languages))


def _python() -> DoctorLine:
    enough = sys.version_info >= _OLDEST
    return DoctorLine(
        name="Python",
        present=enough,
        needed=True,
        purpose="everything",
        found=platform.python_version(),
        mend=None if enough else "make a virtual environment with Python 3.11 or newer",
    )


def _packages() -> DoctorLine:
    missing = [name for name in _PACKAGES if not _installed(name)]
    found = f"lacks {', '.join(missing)}" if missing else f"{len(_PACKAGES)} of {len(_PACKAGES)}"
    return DoctorLine(
        name="packages",
        present=not missing,
        needed=True,
        purpose="every verb",
        found=found,
        mend="pip install --force-reinstall abverify" if missing else None,
    )


def _installed(name: str) -> bool:
    try:
        importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return False
    return True


def _tools(needs: _Needs) -> Iterator[DoctorLine]:
    rust = "rust" in needs.languages
    yield _program("compiler", "cc", f"{_APT} gcc libc6-dev", rust, "Rust fixtures, and engines")
    yield _program("cargo", "cargo", f"{_APT} cargo", rust, "Rust fixtures")
    yield _program("git", "git", f"{_APT} git", False, "amend check and amend history")  # noqa: FBT003
    for language in sorted(needs.languages):
        yield _toolchain(language)


def _program(name: str, program: str, mend: str, needed: bool, purpose: str) -> DoctorLine:  # noqa: FBT001
    said = first_line(program, "--version")
    return DoctorLine(
        name=name,
        present=said is not None,
        needed=needed,
        purpose=purpose,
        found=said or f"no {program} that runs",
        mend=None if said is not None else mend,
    )


def _toolchain(language: str) -> DoctorLine:
    about: dict[str, Any] = {
        "name": f"{language} toolchain",
        "needed": True,
        "purpose": f"the oracles of {language} fixtures",
    }
    try:
        version = toolchains.find(language).version
    except AbverifyError as error:
        return DoctorLine(present=False, found=str(error.found), mend=error.next_step, **about)
    return DoctorLine(present=True, found=version, **about)


def _sandbox() -> DoctorLine:
    """Tries the sandbox: it runs commands in it that test each promise."""
    about: dict[str, Any] = {
        "name": "bubblewrap",
        "needed": True,
        "purpose": "running what a model wrote",
    }
    try:
        sandbox = find_sandbox()
    except AbverifyError as error:
        return DoctorLine(present=False, found=str(error.found), mend=error.next_step, **about)
    found = f"{sandbox.version}, and isolation holds"
    return DoctorLine(present=True, found=found, **about)


def _cache() -> DoctorLine:
    folder = cache_folder()
    usable = writable(folder)
    return DoctorLine(
        name="model cache",
        present=usable,
        needed=False,
        purpose="not hashing the same weights again",
        found=str(folder) if usable else f"{folder} cannot be written",
        mend=None if usable else "set ABVERIFY_CACHE to a folder that can be written",
    )


def _keys() -> DoctorLine:
    about: dict[str, Any] = {"name": "keys", "needed": False, "purpose": "signing"}
    try:
        names = ", ".join(key.name for key in known_keys())
    except AbverifyError as error:
        mend = error.next_step or "abverify keys list"
        return DoctorLine(present=False, found=error.message, mend=mend, **about)
    if not names:
        mend = "abverify keys new operator"
        return DoctorLine(present=False, found="none in the key folder", mend=mend, **about)
    return DoctorLine(present=True, found=names, **about)


def _law(root: Path | None, needs: _Needs) -> Iterator[DoctorLine]:
    """The repository's own files: contracts that can be read, and a ledger that can be trusted."""
    if root is None:
        yield DoctorLine(
            name="repository",
            present=False,
            needed=False,
            purpose="every verb that asks about gates",
            found="no contracts folder here or above",
            mend="abverify init",
        )
        return
    fault = needs.fault
    yield DoctorLine(
        name="contracts",
        present=fault is None,
        needed=True,
        purpose="every verdict",
        found=fault.message if fault else f"{len(needs.contracts)} can be read",
        mend="abverify lint" if fault else None,
    )
    yield _trust_root(root)


def _trust_root(root: Path) -> DoctorLine:
    about: dict[str, Any] = {"name": "trust root", "needed": True, "purpose": "every verdict"}
    try:
        trust = open_repository(root).ledger.root
    except AbverifyError as error:
        return DoctorLine(present=False, found=error.message, mend="abverify audit", **about)
    if trust is None:
        mend = "abverify trust init --origin NAME --principal NAME"
        return DoctorLine(present=False, found="none that can be trusted", mend=mend, **about)
    version = trust.document.version
    found = f"version {version}, records may be signed until {trust.document.expires}"
    return DoctorLine(present=True, found=found, **about)

"""Linting the repository before anything runs: contracts, fixtures, pins, policy, experiments."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from abverify.app.docket import open_repository
from abverify.app.experiments import lint_experiments
from abverify.app.lint_corpora import lint_corpus
from abverify.app.lint_pins import lint_pins
from abverify.app.reasons import error_reasons
from abverify.bench.engines.endpoint_dialects import request_fields
from abverify.errors import AbverifyError, InvalidError
from abverify.model.policy import POLICY_PATH
from abverify.model.report import FindingsReport, Reason
from abverify.verify.lint import lint_contract
from abverify.workspace.contracts import (
    LoadedContract,
    contract_paths,
    load_registry,
    published_files,
    read_contract,
    version_path,
)
from abverify.workspace.policies import load_policy
from abverify.workspace.starter import standing

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    from abverify.app.lint_corpora import LintedCorpus
    from abverify.model.contract import Contract


def lint(root: Path, names: Sequence[str]) -> FindingsReport:
    """Lints the named gates' contracts with their corpora and pins, or all of them.

    Raises:
        UsageError: for an unknown or ambiguous gate.
        NothingToCheckError: when there is no contract.
    """
    reasons: list[Reason] = []
    contracts = _contracts(root, names, reasons)
    corpora = _corpora(root, contracts)
    reasons += (reason for corpus in corpora.values() for reason in corpus.reasons)
    published = published_files(root)
    ids = {str(loaded.contract.gate) for loaded in contracts} | _all_ids(root)
    for loaded in contracts:
        known = {path: corpus.ids for path, corpus in corpora.items() if corpus.ids is not None}
        reasons += lint_contract(loaded.contract, place=_placer(loaded), corpora=known)
        reasons += _knobs(loaded)
        reasons += _version(loaded, published)
        reasons += _successor(loaded, ids)
    reasons += lint_pins(open_repository(root), contracts)
    experiments, found = lint_experiments(root, contracts) if not names else (0, ())
    reasons += found
    policies, found = _policy(root) if not names else (0, ())
    reasons += found
    clean, fixtures = (sum(getattr(c, of) for c in corpora.values()) for of in ("clean", "total"))
    files = len(contracts) if names else len(contract_paths(root))
    total = files + fixtures + experiments + policies
    return FindingsReport(
        kind="lint",
        reasons=tuple(reasons),
        checked=total,
        total=total,
        facts=(
            ("contracts", str(len(contracts))),
            ("fixtures", f"{clean}/{fixtures} whole"),
            ("experiments", str(experiments)),
        ),
    )


def _policy(root: Path) -> tuple[int, tuple[Reason, ...]]:
    """How many policies there are, and what is wrong with the one."""
    try:
        load_policy(root)
    except AbverifyError as error:
        return 1, error_reasons(error, "invalid")
    return len(standing(root, (POLICY_PATH,))), ()


def _contracts(root: Path, names: Sequence[str], reasons: list[Reason]) -> list[LoadedContract]:
    if names:
        registry = load_registry(root)
        return [registry.find(name) for name in dict.fromkeys(names)]
    contracts: list[LoadedContract] = []
    for path in contract_paths(root):
        try:
            contracts.append(read_contract(root, path))
        except AbverifyError as error:
            reasons += error_reasons(error, "invalid")
    if not reasons:
        load_registry(root)
    return contracts


def _all_ids(root: Path) -> set[str]:
    try:
        return {str(gate) for gate in load_registry(root).contracts}
    except AbverifyError:
        return set()


def _corpora(root: Path, contracts: Sequence[LoadedContract]) -> dict[str, LintedCorpus]:
    """The corpora of the contracts, each linted for all of them that measure on it."""
    users: dict[str, list[Contract]] = {}
    for loaded in contracts:
        users.setdefault(loaded.contract.evidence.bench.corpus, []).append(loaded.contract)
    return {path: lint_corpus(root, path, of) for path, of in users.items()}


def _placer(loaded: LoadedContract) -> Callable[..., str]:
    return lambda *path: str(loaded.document.place(path))


def _knobs(loaded: LoadedContract) -> Iterator[Reason]:
    """Knobs that the declared kind of server would drop in silence."""
    config = loaded.contract.config
    if config.engine.server is None:
        return
    try:
        request_fields(config)
    except InvalidError as error:
        for reason in error_reasons(error, "unkept-knob"):
            yield replace(reason, place=str(loaded.document.place(("config",))))


def _version(loaded: LoadedContract, published: Mapping[str, bytes]) -> Iterator[Reason]:
    contract = loaded.contract
    path = version_path(contract.gate, contract.version)
    if path in published and published[path] != loaded.data:
        yield Reason(
            "version-reused",
            "AV115",
            "error",
            f"version {contract.version} is published with other bytes",
            place=str(loaded.document.place(("version",))),
            expected=f"the bytes of {path}, or a higher version",
            found=f"sha256 {loaded.sha256}",
            next="raise the version, then abverify amend",
        )


def _successor(loaded: LoadedContract, ids: set[str]) -> Iterator[Reason]:
    wanted = loaded.contract.supersedes
    if wanted is not None and wanted not in ids:
        yield Reason(
            "unknown-predecessor",
            "AV129",
            "error",
            "the superseded gate does not exist",
            place=str(loaded.document.place(("supersedes",))),
            expected="a gate of this repository",
            found=wanted,
        )

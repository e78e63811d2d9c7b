"""Linting the repository: contracts, fixtures, pins and experiments, before anything runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from abverify.app.experiments import lint_experiments
from abverify.app.reasons import error_reasons
from abverify.errors import AbverifyError
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
from abverify.workspace.corpora import load_corpus
from abverify.workspace.pins import input_digest, load_pins

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path


def lint(root: Path, names: Sequence[str]) -> FindingsReport:
    """Lints the named gates' contracts with their corpora and pins, or all of them.

    Raises:
        UsageError: for an unknown or ambiguous gate.
        NothingToCheckError: when there is no contract.
    """
    reasons: list[Reason] = []
    contracts = _contracts(root, names, reasons)
    corpora = _corpora(root, contracts, reasons)
    pins = load_pins(root).inputs
    published = published_files(root)
    ids = {str(loaded.contract.gate) for loaded in contracts} | _all_ids(root)
    for loaded in contracts:
        known = {path: ids_ for path, ids_ in corpora.items() if ids_ is not None}
        reasons += lint_contract(loaded.contract, place=_placer(loaded), corpora=known)
        reasons += _pins(root, loaded, pins)
        reasons += _version(loaded, published)
        reasons += _successor(loaded, ids)
    experiments, found = lint_experiments(root, contracts) if not names else (0, ())
    reasons += found
    fixtures = sum(len(ids_ or ()) for ids_ in corpora.values())
    total = len(contracts) + fixtures + experiments + sum(r.code == "invalid" for r in reasons)
    return FindingsReport(
        kind="lint",
        reasons=tuple(reasons),
        checked=total,
        total=total,
        facts=(
            ("contracts", str(len(contracts))),
            ("fixtures", str(fixtures)),
            ("experiments", str(experiments)),
        ),
    )


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


def _corpora(
    root: Path, contracts: Sequence[LoadedContract], reasons: list[Reason]
) -> dict[str, tuple[str, ...] | None]:
    paths = dict.fromkeys(loaded.contract.evidence.bench.corpus for loaded in contracts)
    corpora: dict[str, tuple[str, ...] | None] = {}
    for path in paths:
        try:
            corpora[path] = tuple(fixture.id for fixture in load_corpus(root, path).fixtures)
        except AbverifyError as error:
            corpora[path] = None
            reasons += error_reasons(error, "invalid")
    return corpora


def _placer(loaded: LoadedContract) -> Callable[..., str]:
    return lambda *path: str(loaded.document.place(path))


def _pins(root: Path, loaded: LoadedContract, pins: Mapping[str, str]) -> Iterator[Reason]:
    for path in loaded.contract.inputs():
        try:
            found = input_digest(root, path)
        except AbverifyError as error:
            yield from error_reasons(error, "invalid")
            continue
        if pins.get(path) != found:
            yield Reason(
                "pin-drift" if path in pins else "unpinned-input",
                "AV114",
                "error",
                f"{path} is not the pinned input of {loaded.contract.gate.name}",
                place=path,
                expected=f"sha256 {pins[path]}" if path in pins else "a pin in contracts/pin.lock",
                found=f"sha256 {found}",
                next=f"restore it, or publish it: abverify amend {loaded.contract.gate.name}",
            )


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

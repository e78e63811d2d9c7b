"""An early stop found in a bundle, derived again by the contract that the bundle was run under."""

from __future__ import annotations

from typing import TYPE_CHECKING

from abverify._frozen import frozen
from abverify.errors import AbverifyError
from abverify.evidence.demand import stop_demand
from abverify.evidence.stop import claimed_stop
from abverify.model.report import Reason
from abverify.verify.stopping.judgement import fixtures_of, may_stop, stop_reasons, stopping_of
from abverify.verify.stopping.saved import stop_line
from abverify.workspace.contracts import contract_from, contract_paths, published_files
from abverify.workspace.files import read_bytes

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from abverify.evidence.bundle import Bundle
    from abverify.model.contract import Contract


@frozen
class StopFacts:
    """What is to be told of a bundle's early stop.

    Attributes:
        facts: where it stopped and what that saved, as labels and texts.
        reasons: what is wrong with it.
    """

    facts: tuple[tuple[str, str], ...] = ()
    reasons: tuple[Reason, ...] = ()


def stop_facts(root: Path, bundle: Bundle) -> StopFacts:
    """Where a bundle's journal says that it stopped, by the rules of the contract it ran under.

    The run's lock names that contract's criteria by digest, so that no other can be taken for it.
    """
    if bundle.manifest.stage != "bench" or not may_stop(bundle):
        return StopFacts()
    contract = next((c for c in _contracts(root) if _is_law(c, bundle)), None)
    if contract is None:
        return StopFacts(reasons=(_nowhere(bundle),))
    fixtures = fixtures_of(bundle)
    if len(fixtures) < _corpus_size(bundle) and claimed_stop(bundle.claimed_scores) is None:
        return StopFacts((("stop", "no rule has fired, and trials are missing"),))
    rules = stopping_of(bundle, contract, fixtures)
    stop = rules.stop(bundle.trials) if rules else None
    return StopFacts(
        stop_line(stop, bundle.trials, contract.config).lines() if stop else (),
        tuple(stop_reasons(bundle, contract, fixtures, stop)),
    )


def _corpus_size(bundle: Bundle) -> int:
    """How many fixtures the corpus had, by the lock; 0 where it does not tell."""
    size = bundle.lock.values.get("corpus.fixtures")
    return size if isinstance(size, int) else 0


def _contracts(root: Path) -> Iterator[Contract]:
    """Every contract of the repository that can be read, the published versions first."""
    files = published_files(root)
    files |= {path: read_bytes(root, path) for path in contract_paths(root)}
    for path, data in files.items():
        try:
            yield contract_from(data, path).contract
        except AbverifyError:
            continue  # lint tells what is wrong with it


def _is_law(contract: Contract, bundle: Bundle) -> bool:
    wanted = stop_demand(contract)
    return (
        bool(wanted)
        and not bundle.lock.differing(wanted)
        and str(contract.gate) in bundle.manifest.offered_to
    )


def _nowhere(bundle: Bundle) -> Reason:
    return Reason(
        "stop-not-derivable",
        "AV863",
        "error",
        "no contract here declares the rules under which the bench could stop early",
        place=f"{bundle.path}/lock.json",
        expected="a contract with these stop rules and these criteria",
        found=", ".join(
            f"{key}={value}"
            for key, value in sorted(bundle.lock.values.items())
            if key in ("bench.stop", "bench.criteria_sha256")
        ),
        next="verify it in the repository of its gate",
    )

"""Whether a bundle stopped where its rules stop it: neither earlier, nor later, nor by another."""

from __future__ import annotations

from typing import TYPE_CHECKING

from abverify.evidence.demand import stop_demand
from abverify.evidence.order import order_sha256
from abverify.evidence.stop import claimed_stop
from abverify.model.criteria import comparisons
from abverify.model.report import CriterionLine, Reason
from abverify.verify.evaluate import bound_text

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from abverify.evidence.bundle import Bundle
    from abverify.evidence.stop import Stop
    from abverify.model.contract import Contract
    from abverify.verify.stopping.rule import Stopping

_KEYS = "bench."
_STOPPED = "stopped at "


def stopping_of(bundle: Bundle, contract: Contract, fixtures: Collection[str]) -> Stopping | None:
    """The stop rules that a bench ran under, where they are the contract's own; else None."""
    rules = _declared(contract, fixtures)
    if rules is None or bundle.manifest.stage != "bench":
        return None
    wanted = {**stop_demand(contract), "bench.order_sha256": order_sha256(rules.order)}
    return None if bundle.lock.differing(wanted) else rules


def _declared(contract: Contract, fixtures: Collection[str]) -> Stopping | None:
    if not contract.evidence.bench.stop_rules:
        return None
    # Not above: few contracts declare any.
    from abverify.verify.stopping.rule import Stopping

    return Stopping.of(contract, fixtures)


def fixtures_of(bundle: Bundle) -> frozenset[str]:
    """The fixtures of a bundle's bench: those that ran, and those that it says it left out.

    Whether these are all is proven by the run's lock, which holds the digest of their order.
    """
    stop = claimed_stop(bundle.claimed_scores)
    left = {fixture for fixture, _ in stop.remaining} if stop else set()
    return frozenset({fixture for fixture, _ in bundle.trials} | left)


def may_stop(bundle: Bundle) -> bool:
    """Whether a bundle's run was begun under some stop rule."""
    return any(key.startswith(_KEYS) for key in bundle.lock.values)


def undeclared_keys(bundle: Bundle, contract: Contract) -> tuple[str, ...]:
    """The keys of a stop rule in a lock of which the contract declares none."""
    if contract.evidence.bench.stop_rules:
        return ()
    return tuple(sorted(key for key in bundle.lock.values if key.startswith(_KEYS)))


def stop_reasons(
    bundle: Bundle, contract: Contract, fixtures: Collection[str], stop: Stop | None
) -> Iterator[Reason]:
    """What is wrong with where a bundle says that it stopped.

    Args:
        bundle: the bundle.
        contract: the contract that it is judged by.
        fixtures: the fixtures of the pinned corpus.
        stop: where its own journal says that it stopped; None without a rule of the contract.
    """
    if bundle.manifest.stage != "bench":
        return
    yield from _other_order(bundle, contract, fixtures)
    found = claimed_stop(bundle.claimed_scores)
    claimed = found.text() if found else None
    if not contract.evidence.bench.stop_rules:
        if claimed is not None:
            yield _undeclared(bundle, claimed)
    elif stop is not None:
        again = stop.text() if stop.fired else None
        told = [note for note in bundle.manifest.notes if note.startswith(_STOPPED)]
        if claimed != again or told != ([again] if again else []):
            yield _elsewhere(bundle, stop, claimed, told)


def stopped_lines(
    contract: Contract, rules: Stopping, stop: Stop, bundle: Bundle
) -> tuple[CriterionLine, ...]:
    """One line for each comparison of a stopped bench: no value, and whether it is certain."""
    open_ends = rules.completions(stop.counted, bundle.trials)
    return tuple(
        CriterionLine(
            id=item.id,
            metric=item.metric,
            expected=bound_text(item),
            observed=None,
            numerator=0,
            denominator=0,
            interval=None,
            holds=open_ends.certain(item),
            bounds=stop.bounds.get(item.metric),
        )
        for item in comparisons(contract.criteria)
    )


def _undeclared(bundle: Bundle, claimed: str) -> Reason:
    return Reason(
        "unsound",
        "AV860",
        "error",
        "the bench says that it stopped early, and the contract declares no rule for that",
        place=f"{bundle.path}/scores.json",
        expected="stop: never, so every planned trial",
        found=claimed,
        next="run the bench to its end; or declare evidence.bench.stop, by an amendment",
    )


def _elsewhere(bundle: Bundle, stop: Stop, claimed: str | None, told: list[str]) -> Reason:
    return Reason(
        "unsound",
        "AV861",
        "error",
        "the bench did not stop where its rule stops it",
        place=f"{bundle.path}/scores.json",
        expected=stop.text() if stop.fired else "no early stop: no rule has fired",
        found="; ".join(dict.fromkeys([claimed or "no early stop in the scores", *told])),
        next="restore the bundle from version control, or run the bench again",
    )


def _other_order(bundle: Bundle, contract: Contract, fixtures: Collection[str]) -> Iterator[Reason]:
    rules = _declared(contract, fixtures)
    found = bundle.lock.values.get("bench.order_sha256")
    if rules is None or not may_stop(bundle) or found == order_sha256(rules.order):
        return
    yield Reason(
        "lock-mismatch",
        "AV862",
        "error",
        "the trials were not run in the order that follows from the contract",
        place=f"{bundle.path}/lock.json",
        expected=f"bench.order_sha256={order_sha256(rules.order)}",
        found=f"bench.order_sha256={found}",
        next=f"abverify run {contract.gate.name} --stage bench",
    )

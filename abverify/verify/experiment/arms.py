"""An arm as a contract of its own, and the bundles that may speak for it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from abverify._frozen import frozen
from abverify.errors import InvalidError
from abverify.evidence.demand import demanded
from abverify.model.contract import Contract
from abverify.verify.eligibility import Eligibility, judge
from abverify.verify.experiment.confounds import difference

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from abverify.evidence.bundle import Bundle
    from abverify.evidence.lock import Scalar
    from abverify.model.experiment import Arm
    from abverify.verify.eligibility import Docket

_SMOKE_ONLY = {"smoke-only"}


def arm_contract(contract: Contract, arm: Arm, seeds: Sequence[int]) -> Contract:
    """The contract an arm is measured under: its gate's, with what the arm sets and the seeds.

    A gate's stop rules are left out: a bench that stopped early for a gate has no pairs to compare.

    Raises:
        InvalidError: AV603 when that is no lawful contract.
    """
    from pydantic import ValidationError

    document = contract.to_json()
    document["evidence"]["bench"]["stop"] = "never"
    for path, value in {**arm.settings, "config.sampling.seeds": list(seeds)}.items():
        _set(document, path, value)
    try:
        changed = Contract.model_validate_json(json.dumps(document))
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        raise InvalidError(
            f"the arm {arm.id} is no lawful contract: {where}: {first['msg']}",
            rule="AV603",
            expected="fields of the contract's config, with values that it allows",
            found=repr(first["input"])[:80],
        ) from None
    return contract if changed.to_json() == contract.to_json() else changed


def _set(document: dict[str, Any], path: str, value: Any) -> None:
    *parents, name = path.split(".")
    target = document
    for parent in parents:
        inner = target.setdefault(parent, {})
        target = inner if isinstance(inner, dict) else {}
    target[name] = value


@frozen
class ArmEvidence:
    """What speaks for an arm, judged as a gate's evidence is.

    Attributes:
        arm: the arm.
        contract: the contract that it is measured under.
        wanted: the lock keys that the contract fixes, whatever was run.
        considered: every bundle looked at, the oldest first.
    """

    arm: Arm
    contract: Contract
    wanted: Mapping[str, Scalar]
    considered: tuple[Eligibility, ...]

    @property
    def benches(self) -> tuple[Eligibility, ...]:
        """The benches that count: of each lock the first one, as `check` would have it."""
        first: dict[str, Eligibility] = {}
        for item in self.considered:
            if item.eligible:
                first.setdefault(item.bundle.manifest.lock_sha256, item)
        return tuple(first.values())

    @property
    def smokes(self) -> tuple[Eligibility, ...]:
        """Smoke tests against which nothing else speaks."""
        return tuple(
            item
            for item in self.considered
            if {reason.code for reason in item.reasons if reason.severity == "error"} == _SMOKE_ONLY
        )


def arm_evidence(arm: Arm, docket: Docket, bundles: Iterable[Bundle]) -> ArmEvidence:
    """Judges the bundles that an arm may rest on.

    Evidence is shared by what was run, not by whom it was offered to: any bundle whose lock is
    what the arm demands is looked at. An arm that is its gate's contract also looks at what was
    offered to the gate, to say why it does not count.

    Args:
        arm: the arm.
        docket: what to judge by; its contract is the arm's own.
        bundles: every bundle of the repository.
    """
    wanted = demanded(docket.contract, docket.pins)
    offered = () if arm.settings else (arm.gate,)
    relevant = [
        bundle
        for bundle in bundles
        if bundle.manifest.stage != "calibrate"
        and (not bundle.lock.differing(wanted) or not set(offered).isdisjoint(_offers(bundle)))
    ]
    relevant.sort(key=lambda bundle: (bundle.manifest.started_at, bundle.manifest.run))
    judged = tuple(judge(bundle, docket) for bundle in relevant)
    return ArmEvidence(arm, docket.contract, wanted, judged)


def _offers(bundle: Bundle) -> tuple[str, ...]:
    return bundle.manifest.offered_to


def chosen(
    control: ArmEvidence, treatments: Sequence[ArmEvidence], keys: Sequence[str]
) -> tuple[Eligibility | None, tuple[Eligibility | None, ...]]:
    """The bundle that speaks for each arm.

    Benches before smoke tests; among them the oldest with which most arms differ in the variable
    alone, so that two harness versions do not confound what one of them could have told. Results
    play no part in the choice.
    """
    everywhere = all(arm.benches for arm in (control, *treatments))
    pools = [
        arm.benches if everywhere else arm.smokes or arm.benches for arm in (control, *treatments)
    ]
    if not pools[0]:
        return None, tuple(pool[0] if pool else None for pool in pools[1:])
    best = max(
        pools[0], key=lambda item: sum(_clean(item, pool, keys) is not None for pool in pools[1:])
    )
    return best, tuple(
        _clean(best, pool, keys) or (pool[0] if pool else None) for pool in pools[1:]
    )


def _clean(
    control: Eligibility, pool: Sequence[Eligibility], keys: Sequence[str]
) -> Eligibility | None:
    """The first of the pool that differs from the control in the variable alone."""
    base = control.bundle.lock.values
    for item in pool:
        found = difference(base, item.bundle.lock.values, keys)
        if not found.confounds:
            return item
    return None

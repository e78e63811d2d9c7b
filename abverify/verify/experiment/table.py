"""The hypothesis ledger: reported comparisons concluded by the rule that concludes our own."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from abverify._canonical import canonical_digest
from abverify.model.compare_report import TableRow
from abverify.model.report import Reason
from abverify.verify.experiment.conclusion import Coverage, conclude, weaker
from abverify.verify.experiment.confounds import told_difference
from abverify.verify.experiment.effects import counted_effect, paired_effect
from abverify.verify.experiment.pairing import FixturePair

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from abverify.model.experiment import Conclusion, DecisionRule
    from abverify.model.reported import ReportedCount, ReportedExperiment
    from abverify.verify.experiment.confounds import Difference
    from abverify.verify.experiment.effects import Effect, Role


def reported_row(
    row: ReportedExperiment, rule: DecisionRule, bundles: Mapping[str, str]
) -> TableRow:
    """What the rule makes of one reported comparison.

    Args:
        row: the facts as told.
        rule: the decision rule.
        bundles: the digest of each recorded bundle, by path.
    """
    between = told_difference(row.control.told, row.treatment.told, row.variable.keys)
    primary = _effect(row, row.primary, "primary", rule)
    coverage = _coverage(row)
    conclusion, reasons = _concluded(row, between, coverage, primary, rule)
    return TableRow(
        id=row.id,
        claim=row.claim,
        date=row.date,
        variable=row.variable.name,
        test=row.test,
        said=row.said,
        conclusion=conclusion,
        level=coverage.level,
        coverage=f"{coverage.measured}/{row.planned}" if coverage.measured else "not told",
        confounds=between.confounds,
        effect=float(primary.difference) if primary else None,
        interval=(primary.interval.low, primary.interval.high) if primary else None,
        p=float(primary.p) if primary else None,
        evidence=bundles.get(row.treatment.bundle or "") or canonical_digest(row.to_json()),
        reasons=reasons,
    )


def superseded(rows: Sequence[TableRow]) -> tuple[TableRow, ...]:
    """Every row with the later and stronger rows of its claim, in the order given."""
    return tuple(_with_later(row, rows[place + 1 :]) for place, row in enumerate(rows))


def _with_later(row: TableRow, after: Sequence[TableRow]) -> TableRow:
    stronger = [
        other
        for other in after
        if other.claim == row.claim and other.effect is not None and weaker(row.level, other.level)
    ]
    if not stronger or row.effect is None:
        return row
    reasons = tuple(_superseding(row, other) for other in stronger)
    return replace(
        row,
        reasons=(*row.reasons, *reasons),
        later=tuple(f"{reason.code} by {reason.found}" for reason in reasons),
    )


def _superseding(row: TableRow, other: TableRow) -> Reason:
    disagrees = _sign(other.effect) != _sign(row.effect)
    word = "contradicted" if disagrees else "superseded"
    kind = "smoke" if other.level == "smoke" else "bench"
    return Reason(
        word,
        "AV616",
        "warning",
        f"{word} at {kind} level by {other.id} ({other.coverage} fixtures, {other.date})",
        expected=f"effect {row.effect:+.2f}",
        found=f"{other.id}, effect {other.effect:+.2f}, level {other.level}",
    )


def _sign(effect: float | None) -> int:
    return 0 if not effect else 1 if effect > 0 else -1


def _concluded(
    row: ReportedExperiment,
    between: Difference,
    coverage: Coverage,
    primary: Effect | None,
    rule: DecisionRule,
) -> tuple[Conclusion, tuple[Reason, ...]]:
    mediator = _effect(row, row.mediator, "mediator", rule) if row.mediator else None
    return conclude(between, coverage, primary, mediator, rule)


def _effect(
    row: ReportedExperiment, endpoint: str, role: Role, rule: DecisionRule
) -> Effect | None:
    control, treatment = (
        _count(row.control.counts[endpoint]),
        _count(row.treatment.counts[endpoint]),
    )
    if control is None or treatment is None:
        return None
    if row.fixture is not None and control[1] == treatment[1]:
        pair = FixturePair(row.fixture, _trials(control), _trials(treatment))
        return paired_effect(endpoint, endpoint, role, [pair], rule, "this_bench")
    return counted_effect(endpoint, role, control, treatment, rule)


def _trials(count: tuple[int, int]) -> tuple[bool, ...]:
    return tuple(number < count[0] for number in range(count[1]))


def _count(count: ReportedCount) -> tuple[int, int] | None:
    return None if count.trials is None else (count.successes, count.trials)


def _coverage(row: ReportedExperiment) -> Coverage:
    counts = (row.control.counts[row.primary], row.treatment.counts[row.primary])
    return Coverage(
        row.stage, min(count.trials or 0 for count in counts), row.planned, attested=False
    )

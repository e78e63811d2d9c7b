"""From what was seen to what may be said: the lattice of conclusions and levels.

The word `confirmed` exists only for a whole bench, an undivided variable and a test that rejects;
`refuted` only where the data exclude every difference that would matter. "Not significant" is
neither, and what both arms always or never do cannot tell them apart.
"""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Literal

from abverify._frozen import frozen
from abverify.evidence.lock import LOCK_KEYS
from abverify.model.compare_report import LEVELS, Level
from abverify.model.report import Reason
from abverify.verify.experiment.confounds import together, word
from abverify.verify.stats import clopper_pearson

if TYPE_CHECKING:
    from abverify.model.experiment import Conclusion, DecisionRule
    from abverify.verify.experiment.confounds import Difference
    from abverify.verify.experiment.effects import Effect

_REPEATED = 4
"""Seeds from which one fixture alone can be significant: 4/4 against 0/4 is p = 0.029."""

Stated = tuple["Conclusion", tuple[Reason, ...]]


@frozen
class Coverage:
    """How much was measured in both arms.

    Attributes:
        stage: smoke or bench.
        measured: fixtures that both arms measured with every seed.
        planned: fixtures of the declared bench.
        seeds: seeds for each fixture and arm.
        attested: whether it is known which bytes ran.
        elsewhere: whether it repeats a confirmed experiment on another machine or corpus.
    """

    stage: Literal["smoke", "bench"]
    measured: int
    planned: int
    seeds: int = 1
    attested: bool = True
    elsewhere: bool = False

    @property
    def level(self) -> Level:
        """How strong such evidence can be."""
        if self.stage == "smoke":
            return "smoke"
        if self.measured < self.planned:
            return "bench-partial"
        if self.elsewhere:
            return "replication"
        return "bench-repeated" if self.seeds >= _REPEATED else "bench"


def conclude(
    difference: Difference,
    coverage: Coverage,
    primary: Effect | None,
    mediator: Effect | None,
    rule: DecisionRule,
) -> Stated:
    """What the rule says of two arms.

    Args:
        difference: what differs between their locks.
        coverage: how much was measured.
        primary: the endpoint that decides; None where its trials were never counted.
        mediator: the endpoint that it needs first, if one is declared.
        rule: the decision rule.

    Returns:
        The conclusion, and every reason for it.
    """
    if difference.confounds:
        return "confounded", tuple(confound_reasons(difference))
    if not difference.varied:
        return "inconclusive", (_identical(),)
    if primary is None:
        return "inconclusive", (_uncounted(),)
    weak = _too_weak(coverage, rule)
    if necessary := _necessary(primary, mediator, rule, coverage):
        return "necessary-not-sufficient", (necessary, *weak)
    if weak:
        return "inconclusive", (_observed(primary), *weak)
    return _decided(primary, rule)


def _decided(effect: Effect, rule: DecisionRule) -> Stated:
    """What a whole bench says of arms that differ in the variable alone."""
    if _rejects(effect, rule):
        return "confirmed", (_confirmed(effect, rule),)
    if _at_an_end(effect):
        return "inconclusive", (_floor(effect),)
    if _excluded(effect, rule):
        return "refuted", (_refuted(effect, rule),)
    return "inconclusive", (_undecided(effect, rule),)


def weaker(level: Level, than: Level) -> bool:
    """Whether one level of evidence is weaker than another."""
    return LEVELS.index(level) < LEVELS.index(than)


def _rejects(effect: Effect, rule: DecisionRule) -> bool:
    """The test rejects, in the declared direction, and the matching interval excludes zero."""
    limits = effect.deciding
    if limits is None or effect.p_adjusted > Fraction(rule.alpha):
        return False
    clear = limits.low > 0 if rule.direction == "higher" else limits.high < 0
    return clear and effect.toward(rule.direction)


def _excluded(effect: Effect, rule: DecisionRule) -> bool:
    """The 90 % paired interval excludes every difference that would matter."""
    if rule.direction == "higher":
        return effect.bound.high < float(Fraction(rule.delta_min))
    return effect.bound.low > -float(Fraction(rule.delta_min))


def _at_an_end(effect: Effect) -> bool:
    """Whether both arms never, or both always, show the endpoint."""
    rates = {Fraction(*effect.control), Fraction(*effect.treatment)}
    return rates in ({Fraction(0)}, {Fraction(1)})


def _necessary(
    primary: Effect, mediator: Effect | None, rule: DecisionRule, coverage: Coverage
) -> Reason | None:
    """Without the variable not even the mediator happens; with it, still no success."""
    if mediator is None or coverage.stage == "smoke":
        return None
    stuck = primary.treatment[0] == 0 and primary.control[0] == 0
    if not (stuck and rule.direction == "higher" and _rejects(mediator, rule)):
        return None
    return Reason(
        "necessary-not-sufficient",
        "AV614",
        "note",
        f"{mediator.endpoint} needs the variable ({_shares(mediator)}, exact p"
        f" {_number(mediator.p_adjusted)}), and with it {primary.endpoint} still is"
        f" {primary.treatment[0]}/{primary.treatment[1]}: at most {_upper(*primary.treatment)}",
        expected=f"{primary.endpoint} above 0",
        found="0",
    )


def _too_weak(coverage: Coverage, rule: DecisionRule) -> tuple[Reason, ...]:
    reasons = []
    if weaker(coverage.level, rule.level):
        scope = (
            "one prompt and one seed in each arm"
            if coverage.stage == "smoke"
            else f"{coverage.measured} of {coverage.planned} fixtures in both arms,"
            f" {coverage.seeds} {'seed' if coverage.seeds == 1 else 'seeds'}"
        )
        reasons.append(
            Reason(
                "smoke-only" if coverage.stage == "smoke" else "level-too-low",
                "AV607",
                "error",
                f"{scope}: such evidence is only observed, never confirmed or refuted",
                expected=f"level {rule.level}",
                found=f"level {coverage.level}",
            )
        )
    if not coverage.attested:
        reasons.append(
            Reason(
                "identity-unproven",
                "AV608",
                "error",
                "nobody hashed what ran: what differed is known only as far as it was told",
                expected="attested evidence in both arms",
                found="a report",
            )
        )
    return tuple(reasons)


def confound_reasons(difference: Difference) -> list[Reason]:
    """A reason for each key that differs besides the variable's."""
    keys = {*difference.varied, *(item.key for item in difference.confounds)}
    what = together(word(key) for key in LOCK_KEYS if key in keys)
    varied = together(map(word, difference.varied)) or "none of them"
    return [
        Reason(
            "confounded",
            "AV604",
            "error",
            f"{what} changed together, and of them the variable is {varied}: {item.key} differs",
            expected=f"{item.key}={item.control} in both arms",
            found=f"{item.key}={item.treatment}",
            next="make the arms alike in it, or declare it as the variable",
        )
        for item in difference.confounds
    ]


def _identical() -> Reason:
    return Reason(
        "identical-arms",
        "AV605",
        "error",
        "the arms do not differ in the variable: whatever they show is chance",
        expected="locks that differ in the variable's keys",
        found="equal values",
        next="give the arms two values of the variable",
    )


def _uncounted() -> Reason:
    return Reason(
        "not-told",
        "AV608",
        "error",
        "nobody told how many trials there were: no effect can be computed",
        expected="successes and trials of both arms",
        found="a count without its denominator",
    )


def _observed(effect: Effect) -> Reason:
    return Reason("observed", "AV607", "note", f"{effect.endpoint} {_shares(effect)}")


def _confirmed(effect: Effect, rule: DecisionRule) -> Reason:
    return Reason(
        "confirmed",
        "AV611",
        "note",
        f"{effect.endpoint} {_shares(effect)}: exact p {_number(effect.p_adjusted)}, and the"
        " interval excludes 0",
        expected=f"p <= {rule.alpha}, {rule.direction}",
        found=_number(effect.p_adjusted),
    )


def _floor(effect: Effect) -> Reason:
    end = "never" if effect.treatment[0] == 0 else "always"
    return Reason(
        "no-weight",
        "AV609",
        "error",
        f"both arms {end} show {effect.endpoint} ({_shares(effect)}): no effect was seen where"
        f" none can show, which refutes nothing; the rate is at most {_upper(*effect.treatment)}"
        if end == "never"
        else f"both arms {end} show {effect.endpoint} ({_shares(effect)}): no effect was seen"
        " where none can show, which refutes nothing",
        expected="an arm whose rate is neither 0 nor 1",
        found=_shares(effect),
        next="look for what keeps both arms there: another factor may mask this one",
    )


def _refuted(effect: Effect, rule: DecisionRule) -> Reason:
    bound = effect.bound.high if rule.direction == "higher" else effect.bound.low
    return Reason(
        "refuted",
        "AV612",
        "error",
        f"{effect.endpoint} {_shares(effect)}: the 90 % interval excludes every difference that"
        " would matter",
        expected=f"a difference of {rule.delta_min} still possible",
        found=f"limit {bound:+.4f}",
    )


def _undecided(effect: Effect, rule: DecisionRule) -> Reason:
    bound = effect.bound.high if rule.direction == "higher" else effect.bound.low
    return Reason(
        "underpowered",
        "AV610",
        "error",
        f"{effect.endpoint} {_shares(effect)}: neither does the test reject, nor is a"
        " difference that matters excluded; not significant is not refuted",
        expected=f"p <= {rule.alpha}, or a limit within {rule.delta_min}",
        found=f"p {_number(effect.p_adjusted)}, limit {bound:+.4f}",
        next="abverify plan says how many fixtures and seeds would decide",
    )


def _shares(effect: Effect) -> str:
    (x0, n0), (x1, n1) = effect.control, effect.treatment
    return f"{x0}/{n0} against {x1}/{n1}"


def _upper(x: int, n: int) -> str:
    return f"{clopper_pearson(x, n).high:.1%} (exact 95 %)"


def _number(value: Fraction) -> str:
    return f"{float(value):.3g}"

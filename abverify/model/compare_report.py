"""What a comparison tells its user: arms, pairs, effects, confounds, and one conclusion."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import TYPE_CHECKING, Any, Literal

from pydantic.alias_generators import to_camel

from abverify._frozen import frozen

if TYPE_CHECKING:
    from abverify.model.experiment import Conclusion
    from abverify.model.report import Reason

Level = Literal["none", "smoke", "bench-partial", "bench", "bench-repeated", "replication"]
LEVELS: tuple[Level, ...] = (
    "none",
    "smoke",
    "bench-partial",
    "bench",
    "bench-repeated",
    "replication",
)
"""How strong evidence is, weakest first: nothing; L0 one prompt; L1 part of the bench; L2 the
declared bench; L3 the bench with four seeds or more; L4 repeated elsewhere."""

Limits = tuple[float, float]


def _plain(value: Any) -> Any:
    """A value as JSON data: lines by field, floats to six digits, tuples as lists."""
    if isinstance(value, float):
        return float(f"{value:.6g}")
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    if hasattr(value, "to_json"):
        return value.to_json()
    return value


class _Line:
    """A line of a report, whose JSON has a member for every field, its name in camel case."""

    __slots__ = ()

    def to_json(self) -> dict[str, Any]:
        """The line as plain JSON data."""
        return {
            to_camel(item.name): _plain(getattr(self, item.name))
            for item in fields(self)  # type: ignore[arg-type]
        }


@frozen
class Confound(_Line):
    """A run-lock key that differs between two arms although the variable does not name it.

    Attributes:
        key: the key.
        what: what it stands for, in words.
        control: its value in the control arm, as text; `absent` when nobody told.
        treatment: its value in the other arm.
    """

    key: str
    what: str
    control: str
    treatment: str


@frozen
class RateLine(_Line):
    """One endpoint in one arm: trials that showed it, of how many, with exact 95 % limits."""

    endpoint: str
    x: int
    n: int
    interval: Limits


@frozen
class ArmLine(_Line):
    """One arm and the evidence that speaks for it.

    Attributes:
        id: the arm's id.
        gate: the gate whose contract it is, or starts from.
        settings: what it sets otherwise, as texts.
        model: the model that ran.
        stage: smoke or bench; null without evidence.
        identity: how the model's identity is known.
        lock_sha256: digest of the run lock.
        evidence: the bundle's folder.
        evidence_sha256: the bundle's digest.
        rates: every endpoint.
    """

    id: str
    gate: str
    settings: tuple[str, ...]
    model: str
    stage: str | None
    identity: str
    lock_sha256: str | None
    evidence: str | None
    evidence_sha256: str | None
    rates: tuple[RateLine, ...]


@frozen
class PairLine(_Line):
    """One fixture on the primary endpoint: successes and trials in both arms."""

    fixture: str
    control: int
    control_n: int
    treatment: int
    treatment_n: int


@frozen
class EffectLine(_Line):
    """One endpoint compared between two arms; every difference is treatment minus control.

    Attributes:
        endpoint: the endpoint's id.
        measure: what it asks of a trial.
        role: primary, mediator or secondary.
        control: successes and trials of the control.
        treatment: successes and trials of the other arm.
        effect: the difference of the rates.
        interval: its 95 % limits.
        method: how the limits were found.
        p: the exact two- or one-sided p value.
        p_adjusted: the same, adjusted for the other comparisons of its kind.
        refutation_bound: the limit of the 90 % paired interval on the side of the hypothesis.
    """

    endpoint: str
    measure: str
    role: Literal["primary", "mediator", "secondary"]
    control: tuple[int, int]
    treatment: tuple[int, int]
    effect: float
    interval: Limits
    method: str
    p: float
    p_adjusted: float
    refutation_bound: float | None


@frozen
class ContrastLine(_Line):
    """One arm against the control: what differs, what came of it, and what follows."""

    treatment: str
    conclusion: Conclusion
    level: Level
    varied: tuple[str, ...]
    confounds: tuple[Confound, ...]
    pairs: tuple[PairLine, ...]
    effects: tuple[EffectLine, ...]
    reasons: tuple[Reason, ...]

    @property
    def primary(self) -> EffectLine | None:
        """The endpoint that decides; None while nothing can be compared."""
        return next((line for line in self.effects if line.role == "primary"), None)


@frozen
class TableRow(_Line):
    """One row of the hypothesis ledger; `said` is what was reported, the rest is derived.

    Attributes:
        id: the row's id, such as `M294`.
        date: the day it was reported or, for an experiment, last measured; null if not measured.
        variable: what was varied.
        test: what was done.
        said: what was concluded at the time; null for an experiment of this repository.
        conclusion: what the same rule concludes from the stated facts.
        level: how strong the evidence is.
        coverage: measured fixtures of the declared bench, as text.
        confounds: keys that changed together with the variable.
        effect: the difference of the primary rates; null where counts are not told.
        interval: its 95 % limits.
        p: its exact p value.
        evidence: digest of the evidence: of the bundle of the treatment, or of the stated facts.
        reasons: why the conclusion is what it is.
        later: the rows of the same claim that are later and stronger, and whether they disagree.
    """

    id: str
    claim: str
    date: str | None
    variable: str
    test: str
    said: str | None
    conclusion: Conclusion
    level: Level
    coverage: str
    confounds: tuple[Confound, ...]
    effect: float | None
    interval: Limits | None
    p: float | None
    evidence: str | None
    reasons: tuple[Reason, ...]
    later: tuple[str, ...] = ()


@frozen
class CompareReport:
    """An experiment, compared and concluded."""

    experiment: str
    sha256: str
    title: str
    hypothesis: str
    variable: str
    keys: tuple[str, ...]
    control: str
    estimand: str
    exploratory: bool
    conclusion: Conclusion
    level: Level
    arms: tuple[ArmLine, ...]
    contrasts: tuple[ContrastLine, ...]
    power: float
    power_text: str
    reasons: tuple[Reason, ...]
    checked: int
    total: int
    known: tuple[TableRow, ...] = ()
    next: tuple[str, ...] = ()

    @property
    def deciding(self) -> ContrastLine:
        """The contrast that the conclusion rests on."""
        return next(line for line in self.contrasts if line.conclusion == self.conclusion)

    @property
    def strongest(self) -> str | None:
        """The id of the result that counts: the strongest level, and of equals the latest."""
        results = [(row.level, row.id) for row in self.known if row.effect is not None]
        results += [(self.level, self.experiment)] if self.level != "none" else []
        best = max((LEVELS.index(level) for level, _ in results), default=None)
        return next(
            (name for level, name in reversed(results) if LEVELS.index(level) == best), None
        )

    @property
    def exit_code(self) -> int:
        """0 as hypothesised, 1 concluded otherwise, 3 no valid comparison could be made."""
        if self.conclusion == "confirmed":
            return 0
        return 3 if self.conclusion in {"cannot-evaluate", "confounded"} else 1

    def to_json(self) -> dict[str, Any]:
        """The report in the shape of the `abverify/compare/v1` schema."""
        deciding = self.deciding
        primary = deciding.primary
        return {
            "schema": "abverify/compare/v1",
            "verdict": self.conclusion,
            "reasons": [reason.to_json() for reason in self.reasons],
            "checked": self.checked,
            "total": self.total,
            "conclusion": self.conclusion,
            "level": self.level,
            "confounds": _plain(deciding.confounds),
            "effect": _plain(primary.effect) if primary else None,
            "interval": _plain(primary.interval) if primary else None,
            "p": _plain(primary.p) if primary else None,
            "power": _plain(self.power),
            "experiment": self.experiment,
            "sha256": self.sha256,
            "title": self.title,
            "hypothesis": self.hypothesis,
            "variable": {"name": self.variable, "keys": list(self.keys)},
            "control": self.control,
            "estimand": self.estimand,
            "exploratory": self.exploratory,
            "arms": _plain(self.arms),
            "contrasts": _plain(self.contrasts),
            "known": _plain(self.known),
            "strongest": self.strongest,
            "next": list(self.next),
        }


@frozen
class TableReport:
    """The hypothesis ledger: every claim that was tested, as one rule sees it."""

    rows: tuple[TableRow, ...]
    reasons: tuple[Reason, ...] = ()

    @property
    def exit_code(self) -> int:
        """0, or 5 for a table without a row."""
        return 0 if self.rows else 5

    def to_json(self) -> dict[str, Any]:
        """The table under the common head."""
        return {
            "schema": "abverify/compare-table/v1",
            "verdict": "listed" if self.rows else "nothing-to-check",
            "reasons": [reason.to_json() for reason in self.reasons],
            "checked": len(self.rows),
            "total": len(self.rows),
            "rows": _plain(self.rows),
        }


@frozen
class DesignLine(_Line):
    """The power of one design: fixtures, seeds, and the chance to see a difference of delta."""

    fixtures: int
    seeds: int
    delta: str
    power: float


@frozen
class PlanReport:
    """What an experiment's design can find, and whether that is enough to set out.

    Attributes:
        experiment: the experiment's id.
        verdict: `sufficient`, `exploratory` (too small, and says so) or `refused`, which is too
            small, or confounded by the contracts of its arms.
        design: the declared design.
        others: the same with more seeds, for comparison.
        fixtures_needed: fixtures at the declared seeds that reach the power asked for, or null.
        zero_bound: the 95 % upper limit that no success in a whole arm would leave.
        rule: the decision rule, as text.
        reasons: why it is refused, or what to know.
    """

    experiment: str
    verdict: Literal["sufficient", "exploratory", "refused"]
    design: DesignLine
    others: tuple[DesignLine, ...]
    fixtures_needed: int | None
    zero_bound: float
    rule: str
    reasons: tuple[Reason, ...]

    @property
    def exit_code(self) -> int:
        """0, or 1 for a design that cannot answer its own question."""
        return 1 if self.verdict == "refused" else 0

    def refused_for(self, flaws: tuple[Reason, ...]) -> PlanReport:
        """The same, refused for what no number of trials would mend; itself where that is none."""
        if not flaws:
            return self
        return replace(self, verdict="refused", reasons=(*flaws, *self.reasons))

    def to_json(self) -> dict[str, Any]:
        """The report under the common head."""
        return {
            "schema": "abverify/plan/v1",
            "verdict": self.verdict,
            "reasons": [reason.to_json() for reason in self.reasons],
            "checked": 1,
            "total": 1,
            "experiment": self.experiment,
            "power": _plain(self.design.power),
            "design": self.design.to_json(),
            "others": _plain(self.others),
            "fixturesNeeded": self.fixtures_needed,
            "zeroBound": _plain(self.zero_bound),
            "rule": self.rule,
        }

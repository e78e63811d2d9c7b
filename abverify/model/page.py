"""A report page as values: everything that the HTML shows, gathered before anything is drawn."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from abverify._frozen import frozen

if TYPE_CHECKING:
    from abverify.model.compare_report import CompareReport
    from abverify.model.page_trail import TrailPage
    from abverify.model.page_transcript import TrialPage
    from abverify.model.report import CriterionLine, EvidenceLine, Reason, ScopeLine
    from abverify.model.status_report import GateLine

PageKind = Literal["gate", "experiment", "audit", "repository"]
Tone = Literal["good", "bad", "open"]
"""How a verdict reads at a glance: yes, no, or not to be told yet."""


@frozen
class CriterionBar:
    """A criterion on a scale from 0 to 1: what was seen, its limits, and the bounds asked for.

    Attributes:
        line: the criterion as decided.
        share: what was seen, as a share of the denominator; None where there is none.
        interval: exact 95 % limits of that share.
        at_least: the lower bound as a share; None where there is none.
        at_most: the upper bound as a share; None where there is none.
        definition: what the metric counts, and out of what.
    """

    line: CriterionLine
    share: float | None
    interval: tuple[float, float] | None
    at_least: float | None
    at_most: float | None
    definition: str


@frozen
class SurvivalStep:
    """One step down of a survival curve: after that turn, this share has kept the format."""

    turn: int
    at_risk: int
    events: int
    share: float
    low: float | None
    high: float | None


@frozen
class SurvivalLine:
    """How long the trials of one arm kept the call format, by Kaplan and Meier.

    Attributes:
        arm: the arm, or the run.
        trials: measured trials with at least one turn.
        steps: the curve, which starts at 1; empty if no trial lost the format.
        censored: the last turns of the trials that never lost it, ascending.
        last: the last turn that any trial reached.
    """

    arm: str
    trials: int
    steps: tuple[SurvivalStep, ...]
    censored: tuple[int, ...]
    last: int


@frozen
class LockRow:
    """One key of the run lock, as each run told it.

    Attributes:
        key: the key.
        meaning: what it holds.
        values: one text for each run; `absent` where a run does not tell it.
        difference: `same`, `varied` for the declared variable, or `confound`.
    """

    key: str
    meaning: str
    values: tuple[str, ...]
    difference: Literal["same", "varied", "confound"]


@frozen
class LockTable:
    """The run locks of some runs side by side."""

    runs: tuple[str, ...]
    rows: tuple[LockRow, ...]

    @property
    def differing(self) -> tuple[LockRow, ...]:
        """The keys that are not the same everywhere."""
        return tuple(row for row in self.rows if row.difference != "same")


@frozen
class Artifact:
    """A file that the page rests on, by digest; `what` says which part it plays."""

    what: str
    path: str
    sha256: str


@frozen
class Provenance:
    """Where everything on the page comes from, and how to verify it without the page.

    Attributes:
        facts: trust root, checkpoint, calibration and their like: a label and a text.
        artifacts: the files, by digest.
        commands: what to type, each with what it proves.
    """

    facts: tuple[tuple[str, str], ...]
    artifacts: tuple[Artifact, ...]
    commands: tuple[tuple[str, str], ...]


@frozen
class Page:
    """A whole page.

    Attributes:
        kind: what the page is about.
        subject: the gate, the experiment, or the ledger's origin.
        title: the subject in words.
        verdict: the answer, in a word or two.
        tone: how the answer reads at a glance.
        exit_code: that of the verb that asks the same question.
        checked: items that were decided or verified.
        total: items there were.
        what: what an item is.
        made_at: when the page was made.
        version: the abverify that made it.
        facts: the head of the page: a label and a text.
        reasons: why the answer is what it is.
        trail: the records that the subject rests on.
        provenance: where everything comes from.
        criteria: the criteria as decided.
        metrics: every metric of the evidence that decided, as numerator and denominator.
        evidence: every bundle that was considered.
        decided_by: the folder of the bundle that decided.
        gates: every gate, for a page about all of them.
        scopes: the scopes that matter here.
        comparison: an experiment's arms, effects and pairs.
        survival: how long each arm kept the call format.
        lock: the run locks side by side.
        transcripts: every trial that counts, whole.
    """

    kind: PageKind
    subject: str
    title: str
    verdict: str
    tone: Tone
    exit_code: int
    checked: int
    total: int
    what: str
    made_at: str
    version: str
    facts: tuple[tuple[str, str], ...]
    reasons: tuple[Reason, ...]
    trail: TrailPage
    provenance: Provenance
    criteria: tuple[CriterionBar, ...] = ()
    metrics: tuple[tuple[str, int, int], ...] = ()
    evidence: tuple[EvidenceLine, ...] = ()
    decided_by: str | None = None
    gates: tuple[GateLine, ...] = ()
    scopes: tuple[ScopeLine, ...] = ()
    comparison: CompareReport | None = None
    survival: tuple[SurvivalLine, ...] = ()
    lock: LockTable | None = None
    transcripts: tuple[TrialPage, ...] = ()


@frozen
class PageReport:
    """What making a page tells its user: the answer, and where the page is.

    Attributes:
        page: the page.
        path: the file it was written to.
        sha256: digest of the file's bytes.
        size: how many bytes it has.
    """

    page: Page
    path: str
    sha256: str
    size: int

    @property
    def exit_code(self) -> int:
        """That of the question the page answers; the format never changes it."""
        return self.page.exit_code

    def to_json(self) -> dict[str, Any]:
        """The report as plain JSON data under the common head."""
        return {
            "schema": "abverify/report/v1",
            "verdict": self.page.verdict,
            "reasons": [reason.to_json() for reason in self.page.reasons],
            "checked": self.page.checked,
            "total": self.page.total,
            "kind": self.page.kind,
            "subject": self.page.subject,
            "page": {"path": self.path, "sha256": self.sha256, "bytes": self.size},
        }

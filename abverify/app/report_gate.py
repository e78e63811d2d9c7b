"""The page of a gate: the decision, the criteria, the trail, and every trial that decided."""

from __future__ import annotations

from typing import TYPE_CHECKING

from abverify._clock import timestamp
from abverify._version import __version__
from abverify.app.check import decision_on, report_on
from abverify.app.report_lock import lock_table
from abverify.app.report_provenance import gate_provenance
from abverify.app.report_survival import survival_line
from abverify.app.report_trail import trail
from abverify.app.report_transcript import transcripts
from abverify.model.criteria import comparisons
from abverify.model.metrics import METRICS
from abverify.model.page import CriterionBar, Page
from abverify.model.value import exact

if TYPE_CHECKING:
    from abverify.app.docket import Repository
    from abverify.evidence.bundle import Bundle
    from abverify.model.criteria import Comparison, Threshold
    from abverify.model.page import Tone
    from abverify.model.report import CheckReport, CriterionLine, Verdict
    from abverify.verify.verdict import Decision
    from abverify.workspace.contracts import LoadedContract

_TONES: dict[Verdict, Tone] = {"met": "good", "not-met": "bad", "cannot-evaluate": "open"}


def gate_page(repository: Repository, loaded: LoadedContract) -> Page:
    """Gathers the page of a gate's working contract; errors as for `check`."""
    decision = decision_on(repository, loaded)
    check = report_on(repository, loaded, decision)
    bundle = _shown(decision)
    told = (bundle,) if bundle else ()
    # Which trials a stopped bench has depends on what they said: their survival is biased.
    whole = () if check.stop and check.stop.fired else told
    lines = tuple(filter(None, (survival_line(item, item.manifest.run) for item in whole)))
    return Page(
        kind="gate",
        subject=check.gate,
        title=loaded.contract.title,
        verdict=check.verdict,
        tone=_TONES[check.verdict],
        exit_code=check.exit_code,
        checked=check.checked,
        total=check.total,
        what="criteria decided",
        made_at=timestamp(repository.now),
        version=__version__,
        facts=_facts(loaded, check, bundle),
        reasons=check.reasons,
        trail=trail(repository, [loaded.contract.gate]),
        provenance=gate_provenance(repository, loaded, check, told),
        criteria=_bars(loaded, check),
        metrics=check.metrics,
        evidence=check.evidence,
        decided_by=check.decided_by,
        scopes=check.scopes,
        survival=lines,
        lock=lock_table([(item.manifest.run, item) for item in told]),
        transcripts=tuple(
            trial
            for item in told
            for trial in transcripts(repository.root, item, item.manifest.run, "t")
        ),
    )


def _shown(decision: Decision) -> Bundle | None:
    """The bundle that decided; where none did, the newest that was considered."""
    if decision.deciding is not None:
        return decision.deciding.bundle
    bundles = [item.bundle for item in decision.considered]
    return max(bundles, key=lambda b: (b.manifest.finished_at, b.path), default=None)


def _facts(
    loaded: LoadedContract, check: CheckReport, bundle: Bundle | None
) -> tuple[tuple[str, str], ...]:
    adapter = loaded.contract.model.adapter
    weights = check.weights_sha256 or "described, not pinned"
    shown = [("shown below", f"{bundle.path}, which decides nothing")] if bundle else []
    return (
        ("state", check.state),
        ("contract", f"{check.contract_version}  sha256 {check.contract_sha256}"),
        ("model", check.model),
        ("weights", weights),
        *((("adapter", f"{adapter.name}  sha256 {adapter.sha256}"),) if adapter else ()),
        ("identity", check.identity),
        *((("decided by", check.decided_by),) if check.decided_by else shown),
        *(
            (("attempts", f"{check.attempts_total} in all, abandoned ones included"),)
            if check.attempts_total
            else ()
        ),
        *(check.stop.lines() if check.stop else ()),
        *(("next", step) for step in check.next),
    )


def _bars(loaded: LoadedContract, check: CheckReport) -> tuple[CriterionBar, ...]:
    declared = comparisons(loaded.contract.criteria)
    return tuple(_bar(item, line) for item, line in zip(declared, check.criteria, strict=True))


def _bar(criterion: Comparison, line: CriterionLine) -> CriterionBar:
    metric = METRICS[criterion.metric]
    drawn = metric.domain != "mean" and line.denominator > 0
    scale = line.denominator if metric.domain == "count" else 1
    return CriterionBar(
        line=line,
        share=line.numerator / line.denominator if drawn else None,
        interval=(float(line.interval[0]), float(line.interval[1])) if line.interval else None,
        at_least=_share(criterion.at_least, scale) if drawn else None,
        at_most=_share(criterion.at_most, scale) if drawn else None,
        definition=f"{metric.definition}, out of {metric.denominator}",
    )


def _share(bound: Threshold | None, scale: int) -> float | None:
    return None if bound is None else float(exact(bound) / scale)

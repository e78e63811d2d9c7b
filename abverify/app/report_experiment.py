"""The page of an experiment: arms, effects, pairs, locks, and every trial of every arm."""

from __future__ import annotations

from typing import TYPE_CHECKING

from abverify._clock import timestamp
from abverify._version import __version__
from abverify.app.compare import compare
from abverify.app.report_lock import lock_table
from abverify.app.report_provenance import experiment_provenance
from abverify.app.report_survival import survival_line
from abverify.app.report_trail import trail
from abverify.app.report_transcript import transcripts
from abverify.model.ids import GateId
from abverify.model.page import Page

if TYPE_CHECKING:
    from abverify.app.docket import Repository
    from abverify.model.compare_report import CompareReport
    from abverify.model.experiment import Conclusion
    from abverify.model.page import Tone

_TONES: dict[Conclusion, Tone] = {"confirmed": "good", "refuted": "bad", "confounded": "bad"}


def experiment_page(repository: Repository, name: str) -> Page:
    """Gathers the page of an experiment; errors as for `compare`."""
    report = compare(repository.root, name)
    bundles = {bundle.path: bundle for bundle in repository.evidence.bundles}
    arms = [(arm.id, bundles[arm.evidence]) for arm in report.arms if arm.evidence in bundles]
    lines = (survival_line(bundle, arm) for arm, bundle in arms)
    return Page(
        kind="experiment",
        subject=report.experiment,
        title=report.title,
        verdict=report.conclusion,
        tone=_TONES.get(report.conclusion, "open"),
        exit_code=report.exit_code,
        checked=report.checked,
        total=report.total,
        what="arms with evidence that counts",
        made_at=timestamp(repository.now),
        version=__version__,
        facts=_facts(report),
        reasons=report.reasons,
        trail=trail(repository, [GateId.parse(arm.gate) for arm in report.arms]),
        provenance=experiment_provenance(repository, report, [bundle for _, bundle in arms]),
        comparison=report,
        survival=tuple(filter(None, lines)),
        lock=lock_table(arms, report.keys),
        transcripts=tuple(
            trial
            for number, (arm, bundle) in enumerate(arms, 1)
            for trial in transcripts(repository.root, bundle, arm, f"t{number}")
        ),
    )


def _facts(report: CompareReport) -> tuple[tuple[str, str], ...]:
    strongest = report.strongest
    return (
        ("hypothesis", report.hypothesis),
        ("variable", f"{report.variable}: {', '.join(report.keys)}"),
        ("level", report.level),
        ("estimand", report.estimand),
        ("design", f"power {report.power:.3f} {report.power_text}"),
        *((("strongest", f"{strongest} is the strongest result so far"),) if strongest else ()),
        *(("next", step) for step in report.next),
    )

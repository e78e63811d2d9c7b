"""Evidence bundles for people: shown, verified, and rescored under another parser profile."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, TypeVar

from abverify.app.early_stops import stop_facts
from abverify.app.reasons import error_reasons
from abverify.app.toolcalls import named_profile
from abverify.errors import AbverifyError, NothingToCheckError, UntrustedError, UsageError
from abverify.evidence.detect import LoopLimits, described, signs, totals
from abverify.evidence.rescore import rescore
from abverify.evidence.scores import compute_scores
from abverify.evidence.stop import claimed_stop
from abverify.model.bundle_report import BundleReport, TrialLine
from abverify.verify.eligibility import unsound_reason
from abverify.workspace.evidence_store import bundle_folders, view_trials

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from abverify.evidence.bundle import Bundle
    from abverify.evidence.rescore import RescoredTrial
    from abverify.evidence.rows import Parse
    from abverify.evidence.trials import TrialResult, WholeTrial


T = TypeVar("T")


def find_bundle(root: Path, name: str) -> Bundle:
    """The bundle of that run id, or in that folder; errors as for `find_trials`."""
    bundle, _ = find_trials(root, name, lambda _: None)
    return bundle


def find_trials(
    root: Path, name: str, view: Callable[[WholeTrial], T]
) -> tuple[Bundle, dict[tuple[str, int], T]]:
    """A bundle and what a view makes of its trials, by run id or folder.

    Raises:
        UsageError: AV142 when there is none, or several.
        UntrustedError: when it cannot be read.
    """
    known = bundle_folders(root)
    wanted = name.rstrip("/").removeprefix("./")
    found = [path for path in known if wanted in (path, path.rsplit("/", 1)[-1])]
    if len(found) == 1:
        try:
            return view_trials(root, found[0], view)
        except FileNotFoundError:
            found = []
    raise UsageError(
        f"{len(found) or 'no'} evidence bundles are called {name!r}",
        rule="AV142",
        expected=", ".join(found or known) or "a bundle below gates/ or fixtures/recorded/",
        found=name,
    )


def show_evidence(root: Path, name: str) -> BundleReport:
    """A bundle with its trials and its recomputed scores."""
    bundle, shown = find_trials(root, name, lambda trial: signs(trial.turns))
    manifest = bundle.manifest
    lock = tuple((key, str(value)) for key, value in sorted(bundle.lock.values.items()))
    limits = LoopLimits.of(bundle.lock.values)
    trials = tuple(
        _trial_line(bundle.trials[key], described(found, limits)) for key, found in shown.items()
    )
    measured = [found for key, found in shown.items() if bundle.trials[key].measured]
    return BundleReport(
        kind="evidence-show",
        path=bundle.path,
        facts=(
            ("run", f"{manifest.run}  {manifest.stage}  sha256 {bundle.sha256}"),
            ("offered to", ", ".join(manifest.offered_to)),
            ("identity", manifest.identity),
            ("finished", manifest.finished_at),
            ("attempts", str(manifest.attempts_total)),
            *_measured(bundle),
            *stop_facts(root, bundle).facts,
            *(("note", note) for note in manifest.notes),
            *lock,
        ),
        trials=trials,
        reasons=tuple(map(unsound_reason, bundle.faults)),
        checked=len(trials) + len(bundle.readings),
        total=len(trials) + len(bundle.readings),
        signs=totals(measured, limits) if shown else (),
    )


def verify_evidence(root: Path, name: str) -> BundleReport:
    """Every byte of a bundle against its manifest, and its journal against itself."""
    try:
        bundle = find_bundle(root, name)
    except UsageError:
        raise
    except AbverifyError as error:
        return _broken(name, error)
    stop = stop_facts(root, bundle)
    faults = (*map(unsound_reason, bundle.faults), *stop.reasons)
    files = len(bundle.manifest.files) + 1
    broken = len({fault.place for fault in faults})
    return BundleReport(
        kind="evidence-verify",
        path=bundle.path,
        facts=(("manifest", f"sha256 {bundle.sha256}"), *_measured(bundle), *stop.facts),
        trials=(),
        reasons=faults,
        checked=max(0, files - broken),
        total=files,
    )


def rescore_evidence(root: Path, name: str, profile: str) -> BundleReport:
    """A bundle's stored turns under another parser profile.

    Raises:
        UsageError: AV140 for an unknown profile.
    """
    chosen = named_profile(profile)
    bundle, views = find_trials(root, name, lambda trial: rescore(trial, chosen))
    rescored = tuple(views.values())
    changed = sum(trial.differs_at is not None for trial in rescored)
    used = f"{bundle.lock.values.get('parser.profile')}/{bundle.lock.values.get('parser.version')}"
    return BundleReport(
        kind="evidence-rescore",
        path=bundle.path,
        facts=(
            ("profile", f"{chosen} instead of {used}"),
            ("changed", f"{changed} of {len(rescored)} trials would have gone another way"),
        ),
        trials=tuple(map(_rescored_line, rescored)),
        reasons=(*map(unsound_reason, bundle.faults), *stop_facts(root, bundle).reasons),
        checked=len(rescored),
        total=len(rescored),
    )


def export_evidence(root: Path, name: str) -> bytes:
    """A bundle as Inspect AI's log.

    Raises:
        UntrustedError: AV303 for a bundle with faults: what is not sound is not handed on.
        NothingToCheckError: AV843 for one without trials, such as a calibration.
    """
    from abverify.evidence.foreign.inspect_export import inspect_log

    bundle, trials = find_trials(root, name, lambda trial: trial)
    if bundle.faults:
        first = bundle.faults[0]
        raise UntrustedError(
            f"the bundle is unsound: {first.message}",
            rule="AV303",
            place=first.file,
            expected=first.expected,
            found=first.found,
            next_step=f"abverify evidence verify {bundle.path}",
        )
    if not bundle.trials:
        raise NothingToCheckError(
            "the bundle has no trials to hand on",
            rule="AV843",
            place=bundle.path,
            expected="a bench or a smoke test",
            found=bundle.manifest.stage,
            next_step="abverify evidence show lists the bundles' trials",
        )
    text = json.dumps(inspect_log(bundle, trials), indent=1, ensure_ascii=False)
    return f"{text}\n".encode("utf-8", "backslashreplace")


def _measured(bundle: Bundle) -> tuple[tuple[str, str], ...]:
    """The metrics; none of a bench that says it stopped early, of which they would be biased."""
    if claimed_stop(bundle.claimed_scores) is not None:
        return ()
    return (("measured", _scores_text(bundle)),)


def _scores_text(bundle: Bundle) -> str:
    fixtures = {fixture for fixture, _ in bundle.trials}
    scores = compute_scores(bundle.trials, fixtures=fixtures, seeds=bundle.seeds)
    pairs = (f"{m.metric} {m.numerator}/{m.denominator}" for m in scores.measures.values())
    return "  ".join(pairs) if bundle.trials else "no trials"


def _trial_line(trial: TrialResult, told: tuple[str, ...]) -> TrialLine:
    name, seed = trial.trial.fixture, trial.trial.seed
    verdicts = " ".join(turn.verdict for turn in trial.turns)
    ended = trial.ended
    outcome = ended.outcome if ended else "unfinished"
    reason = f"{ended.reason}; " if ended else ""
    detail = f"{reason}turns: {verdicts or 'none'}"
    return TrialLine(name, seed, outcome, detail, told)


def _rescored_line(trial: RescoredTrial) -> TrialLine:
    if trial.before is None or trial.after is None:
        detail = f"all {trial.turns} turns parse the same"
        return TrialLine(trial.fixture, trial.seed, "unchanged", detail)
    detail = (
        f"turn {trial.differs_at}: {_parse_text(trial.before)} → {_parse_text(trial.after)};"
        f" {trial.turns - trial.valid_turns} later turns are no counterfactual"
    )
    return TrialLine(trial.fixture, trial.seed, "changed", detail)


def _parse_text(parse: Parse) -> str:
    calls = ", ".join(call.tool for call in parse.calls)
    codes = ", ".join(parse.codes)
    return parse.verdict + (f" {calls}" if calls else "") + (f" [{codes}]" if codes else "")


def _broken(name: str, error: AbverifyError) -> BundleReport:
    return BundleReport("evidence-verify", name, (), (), error_reasons(error, "unsound"), 0, 1)

"""Whether a bundle may speak for a gate, and every reason why not."""

from __future__ import annotations

from dataclasses import field
from datetime import timedelta
from typing import TYPE_CHECKING

from abverify._clock import parse_timestamp
from abverify._frozen import frozen
from abverify.evidence.demand import demanded
from abverify.evidence.scores import compute_scores
from abverify.model.report import Reason
from abverify.verify.calibration import calibration_for
from abverify.verify.stopping.judgement import (
    may_stop,
    stop_reasons,
    stopping_of,
    undeclared_keys,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime

    from abverify.evidence.bundle import Bundle
    from abverify.evidence.scores import Scores
    from abverify.evidence.soundness import Fault
    from abverify.evidence.stop import Stop
    from abverify.model.contract import Contract
    from abverify.model.corpus import OracleCommand
    from abverify.verify.calibration import CalibrationVerdict


@frozen
class Docket:
    """All that eligibility is judged against.

    Attributes:
        contract: the published contract of the gate.
        others: the other contracts of the repository, to name a way out.
        pins: the pinned digest of each input, by path.
        fixtures: the corpus's fixture ids; empty if the corpus cannot be read.
        published_seq: the ledger position at which this contract version was
            published; None while it is not.
        calibrations: every calibration bundle known.
        now: the moment of judgement.
        disowned: manifest digests of the bundles that a retraction declared invalid.
        oracles: the oracle commands that each fixture declares, by its id.
        abandoned_attempts: attempts at trials in benches of the gate that never finished.
    """

    contract: Contract
    others: Sequence[Contract]
    pins: Mapping[str, str]
    fixtures: tuple[str, ...]
    published_seq: int | None
    calibrations: Sequence[Bundle]
    now: datetime
    disowned: frozenset[str] = frozenset()
    oracles: Mapping[str, tuple[OracleCommand, ...]] = field(default_factory=dict)
    abandoned_attempts: int = 0


@frozen
class Eligibility:
    """The judgement on one bundle: reasons against it, its scores, and its calibration."""

    bundle: Bundle
    reasons: tuple[Reason, ...]
    scores: Scores
    calibration: CalibrationVerdict

    @property
    def eligible(self) -> bool:
        """Whether nothing speaks against the bundle."""
        return not any(reason.severity == "error" for reason in self.reasons)


def judge(bundle: Bundle, docket: Docket) -> Eligibility:
    """Collects every reason for and against a bundle, never only the first."""
    seeds = docket.contract.config.sampling.seeds
    rules = stopping_of(bundle, docket.contract, docket.fixtures)
    stop = rules.stop(bundle.trials) if rules else None
    scores = compute_scores(bundle.trials, fixtures=docket.fixtures, seeds=seeds, stop=stop)
    calibration = calibration_for(
        bundle,
        docket.calibrations,
        max_age_days=docket.contract.evidence.calibration.max_age_days,
        now=docket.now,
    )
    reasons = (
        *_soundness(bundle, docket, stop),
        *stop_reasons(bundle, docket.contract, docket.fixtures, stop),
        *_imported(bundle),
        *_stage(bundle, docket),
        *_model(bundle, docket),
        *_configuration(bundle, docket),
        *_identity(bundle, docket),
        *_isolation(bundle),
        *_disowned(bundle, docket),
        *_completeness(bundle, docket, scores),
        *_compliance(bundle, docket),
        *_order(bundle, docket),
        *_age(bundle, docket),
        *_calibration(bundle, docket, calibration),
    )
    return Eligibility(bundle, reasons, scores, calibration)


def _error(code: str, rule: str, message: str, **details: str | None) -> Reason:
    return Reason(code, rule, "error", message, **details)


def unsound_reason(fault: Fault) -> Reason:
    """A fault of a bundle, as the reason that makes it unsound."""
    return _error(
        "unsound",
        "AV303",
        fault.message,
        place=fault.file,
        expected=fault.expected,
        found=fault.found,
        next="restore the bundle from version control, or run the bench again",
    )


def _soundness(bundle: Bundle, docket: Docket, stop: Stop | None) -> Iterator[Reason]:
    yield from map(unsound_reason, bundle.faults)
    if bundle.imported is not None:
        return  # its scores were derived again from its own log when it was read
    if may_stop(bundle) and stop is None:
        return  # its lock is not the contract's, which another reason says
    again = compute_scores(bundle.trials, fixtures=docket.fixtures, seeds=bundle.seeds, stop=stop)
    if bundle.manifest.stage == "bench" and bundle.claimed_scores != again.to_bytes():
        yield _error(
            "unsound",
            "AV303",
            "the claimed scores are not what the journal gives",
            place=f"{bundle.path}/scores.json",
            next="abverify evidence verify shows the recomputed scores",
        )


def _imported(bundle: Bundle) -> Iterator[Reason]:
    """Why the run that was imported may not decide, whatever its samples show."""
    for problem in bundle.imported.problems if bundle.imported else ():
        yield _error(
            problem.code,
            "AV844",
            f"the imported run cannot decide: {problem.message}",
            place=f"{bundle.path}: {problem.where}",
            expected=problem.expected,
            found=problem.found,
            next="import a log of the whole task, as the harness wrote it",
        )


def _stage(bundle: Bundle, docket: Docket) -> Iterator[Reason]:
    if bundle.manifest.stage == "smoke":
        yield _error(
            "smoke-only",
            "AV301",
            "a smoke test is one prompt and one seed; it can never discharge a gate",
            place=bundle.path,
            expected="bench evidence",
            found="smoke evidence",
            next=f"abverify run {docket.contract.gate.name} --stage bench",
        )


def _model(bundle: Bundle, docket: Docket) -> Iterator[Reason]:
    wanted = {k: v for k, v in demanded(docket.contract, {}).items() if k.startswith("model.")}
    wrong = [key for key in bundle.lock.differing(wanted) if _contradicts(bundle, key, wanted[key])]
    if not wrong:
        return
    ran = str(bundle.lock.values.get("model.name") or "an unnamed model")
    named = docket.contract.model.name
    others = [key for key in wrong if key != "model.name"]
    detail = f"; they differ in {', '.join(others)}" if others else ""
    yield _error(
        "model-mismatch",
        "AV302",
        f"the evidence is of {ran}, the gate names {named}{detail}",
        place=bundle.path,
        expected="; ".join([named, *(f"{key}={wanted[key]}" for key in others)]),
        found="; ".join([ran, *(f"{key}={bundle.lock.values.get(key)}" for key in others)]),
        next=_ways_out(ran, docket),
    )


def _contradicts(bundle: Bundle, key: str, wanted: object) -> bool:
    """An absent value contradicts nothing; it is then the proof of identity that is missing."""
    return key in bundle.lock.values and bundle.lock.values[key] != wanted


def _ways_out(ran: str, docket: Docket) -> str:
    gate = docket.contract.gate
    names = [other.gate.name for other in docket.others if other.model.name == ran]
    other = f"the gate {names[0]}, which names {ran}" if names else f"a new gate that names {ran}"
    return f"either amend {gate.name} (abverify amend {gate.name}), or take the evidence to {other}"


def _configuration(bundle: Bundle, docket: Docket) -> Iterator[Reason]:
    wanted = demanded(docket.contract, docket.pins)
    wanted = {key: value for key, value in wanted.items() if not key.startswith("model.")}
    values = bundle.lock.values
    wrong = bundle.lock.differing(wanted)
    other = [key for key in wrong if key in values]
    absent = [key for key in wrong if key not in values]
    other += undeclared_keys(bundle, docket.contract)
    if not other and not absent:
        return
    parts = [f"{len(other)} keys have another value ({', '.join(other)})"] if other else []
    parts += [f"{len(absent)} keys are not told ({_few(absent)})"] if absent else []
    yield _error(
        "lock-mismatch",
        "AV304",
        f"the run's configuration is not the contract's: {'; '.join(parts)}",
        place=f"{bundle.path}/lock.json",
        expected=", ".join(f"{key}={wanted.get(key, '(not told)')}" for key in other)
        or "every key of the contract",
        found=", ".join(f"{key}={values[key]}" for key in other) or f"{len(absent)} keys absent",
        next="run the bench with the contract's configuration, or amend the contract",
    )


_SHOWN_KEYS = 4


def _few(keys: list[str]) -> str:
    more = len(keys) - _SHOWN_KEYS
    return ", ".join(keys[:_SHOWN_KEYS]) + (f" and {more} more" if more > 0 else "")


def _identity(bundle: Bundle, docket: Docket) -> Iterator[Reason]:
    level = bundle.manifest.identity
    if not docket.contract.accepts(level):
        yield _error(
            "identity-unproven",
            "AV305",
            f"the model's identity is {level}, not attested: nobody hashed the bytes that ran",
            place=f"{bundle.path}/manifest.json",
            expected=docket.contract.identity,
            found=level,
            next="run the bench with the weights at hand",
        )


def _isolation(bundle: Bundle) -> Iterator[Reason]:
    if bundle.lock.values.get("sandbox.isolated") is False:
        yield _error(
            "tainted",
            "AV306",
            "tools and oracles ran without a sandbox",
            place=f"{bundle.path}/lock.json",
            expected="sandbox.isolated=true",
            found="sandbox.isolated=false",
            next="run again without --unsafe-no-sandbox",
        )


def _disowned(bundle: Bundle, docket: Docket) -> Iterator[Reason]:
    if bundle.sha256 in docket.disowned:
        yield _error(
            "tainted",
            "AV483",
            "a signed retraction declares this evidence invalid",
            place=bundle.path,
            expected="evidence that nobody took back",
            found="a retraction of a decision that rests on it, for evidenceInvalid",
            next=f"abverify check {docket.contract.gate.name} --run makes new evidence",
        )


def _completeness(bundle: Bundle, docket: Docket, scores: Scores) -> Iterator[Reason]:
    if scores.stop is not None:
        yield from _complete_up_to_its_stop(bundle, docket, scores.stop)
        return
    wanted = docket.contract.evidence.bench.min_completed
    broken = scores.measures["infrastructure_failures"].numerator
    done = scores.completed_fixtures
    if bundle.manifest.stage == "bench" and (done < wanted or broken):
        yield _error(
            "incomplete",
            "AV307",
            f"{done} of {len(docket.fixtures)} fixtures were measured, the contract wants {wanted};"
            f" {broken} trials ended for a reason outside the model",
            place=bundle.path,
            expected=f"{wanted} measured fixtures, no infrastructure failure",
            found=f"{done} measured, {broken} infrastructure failures",
            next=f"abverify run {docket.contract.gate.name} --stage bench runs what is missing",
        )


def _complete_up_to_its_stop(bundle: Bundle, docket: Docket, stop: Stop) -> Iterator[Reason]:
    """Where stop rules are declared every trial must be measured until one of them fires."""
    done = sum(key in bundle.trials and bundle.trials[key].measured for key in stop.counted)
    if done < len(stop.counted):
        yield _error(
            "incomplete",
            "AV307",
            f"{done} of {stop.planned} trials were measured, and no stop rule has fired",
            place=bundle.path,
            expected=f"every trial of the fixed order until {' or '.join(stop.rules)}",
            found=f"{done} measured",
            next=f"abverify run {docket.contract.gate.name} --stage bench runs what is missing",
        )


def _compliance(bundle: Bundle, docket: Docket) -> Iterator[Reason]:
    """Where the tests passed, every other oracle command that is declared must have run."""
    missing = [
        f"{fixture} seed {seed}: {', '.join(never)}"
        for (fixture, seed), trial in sorted(bundle.trials.items())
        if (never := trial.never_judged_by(docket.oracles.get(fixture, ())))
    ]
    if missing:
        yield _error(
            "compliance-missing",
            "AV320",
            f"in {len(missing)} trials the tests passed and a declared check was never run",
            place=f"{bundle.path}/rows.jsonl",
            expected="every oracle command that the fixture declares",
            found=f"not run: {'; '.join(missing[:_SHOWN_KEYS])}"
            + (f" and {len(missing) - _SHOWN_KEYS} more" if len(missing) > _SHOWN_KEYS else ""),
            next=f"abverify run {docket.contract.gate.name} --stage bench --again",
        )


def _order(bundle: Bundle, docket: Docket) -> Iterator[Reason]:
    """Evidence older than the contract version never counts for it: the ledger gives the order."""
    if docket.published_seq is None:
        return
    gate = str(docket.contract.gate)
    began = next((head.seq for head in bundle.manifest.began_after if head.gate == gate), None)
    if began is None or began < docket.published_seq:
        yield _error(
            "post-hoc",
            "AV308",
            "the run did not begin after this version of the contract was published",
            place=f"{bundle.path}/manifest.json",
            expected=f"begun after record {docket.published_seq} of {gate}",
            found="begun before the gate's first record" if not began else f"after record {began}",
            next=f"abverify run {docket.contract.gate.name} --stage bench",
        )


def _age(bundle: Bundle, docket: Docket) -> Iterator[Reason]:
    finished = parse_timestamp(bundle.manifest.finished_at)
    days = docket.contract.evidence.valid_days
    future = finished > docket.now + timedelta(minutes=5)
    if future or docket.now - finished > timedelta(days=days):
        yield _error(
            "stale",
            "AV309",
            "the evidence lies in the future" if future else "the evidence is too old to count",
            place=f"{bundle.path}/manifest.json",
            expected=f"at most {days} days old",
            found=bundle.manifest.finished_at,
            next=f"abverify run {docket.contract.gate.name} --stage bench",
        )


def _calibration(
    bundle: Bundle, docket: Docket, calibration: CalibrationVerdict
) -> Iterator[Reason]:
    if calibration.problem and bundle.manifest.stage == "bench":
        yield _error(
            "uncalibrated",
            "AV310",
            f"the meter may not be trusted: {calibration.problem}",
            place=calibration.bundle.path if calibration.bundle else bundle.path,
            expected="a clean calibration of the same harness, corpus and sandbox",
            found=calibration.problem,
            next=f"abverify run {docket.contract.gate.name} --stage calibrate",
        )

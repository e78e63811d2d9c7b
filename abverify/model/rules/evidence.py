"""Rules about what evidence counts, and what a verdict says."""

from __future__ import annotations

from abverify.model.rules.rule import Rule

RULES = (
    Rule(
        "AV300",
        "a verdict needs evidence",
        "Without evidence the answer is neither yes nor no: cannot-evaluate, exit 3.",
        "abverify check S1_004        (nothing was ever run)",
        "abverify check S1_004 --run",
    ),
    Rule(
        "AV301",
        "a smoke test never discharges",
        "One prompt and one seed can say that a bench is worth running, nothing more. A smoke test"
        " was once published as a confirmation and refuted by the bench the same day.",
        "a bundle of stage smoke offered to a gate",
        "a bundle of stage bench offered to a gate",
    ),
    Rule(
        "AV302",
        "evidence counts only for the model it is of",
        "A gate names one model. Evidence of another needs an amendment of the contract, or a gate"
        " of its own.",
        "evidence of Qwen3-30B-A3B-Instruct-2507 offered to V1_004 (Qwen3-Coder-30B-A3B-Instruct)",
        "the same evidence offered to V1_005",
    ),
    Rule(
        "AV303",
        "evidence must agree with itself",
        "Every file of a bundle is compared with its manifest; seeds, parses, outcomes and scores"
        " are derived again from the journal. What was edited is unsound.",
        "scores.json edited by hand",
        "scores.json as the journal gives it",
    ),
    Rule(
        "AV304",
        "the run has the contract's configuration",
        "Every knob of the contract is compared with the run lock: prompt, sampler, parser, budget,"
        " engine settings, corpus.",
        "a run with temperature 0.8 for a contract that says 0.3",
        "a run with temperature 0.3",
    ),
    Rule(
        "AV305",
        "the model's identity must be proven",
        "attested: we hashed the bytes that ran. asserted: a server or a log said so. A gate is"
        " discharged by less than attested only if its contract says identity: asserted.",
        "evidence imported from a log that names a model",
        "evidence of a run that hashed its weights",
    ),
    Rule(
        "AV306",
        "evidence must not be tainted",
        "Without a sandbox, model-written code could have touched the oracle, the evidence or us.",
        "abverify run S1_004 --stage bench --unsafe-no-sandbox",
        "abverify run S1_004 --stage bench",
    ),
    Rule(
        "AV307",
        "a bench must be complete",
        "A trial that ended for a reason outside the model is no measurement: it is neither passed"
        " nor failed, and the bundle is incomplete until it is run again.",
        "17 of 20 fixtures measured",
        "20 of 20 fixtures measured",
    ),
    Rule(
        "AV308",
        "evidence must not be older than the law it is judged by",
        "Criteria that were written after seeing the result prove nothing. A run counts for a"
        " contract version only if it began after that version was published, by the ledger.",
        "a bench run before the contract was introduced or amended",
        "a bench run after it",
    ),
    Rule(
        "AV309",
        "evidence does not count for ever",
        "valid_days in the contract says for how long; evidence from the future is refused too.",
        "a bench of 181 days ago with valid_days: 180",
        "a bench of 180 days ago with valid_days: 180",
    ),
    Rule(
        "AV310",
        "the meter must be calibrated",
        "Before a verdict counts, the same harness, corpus and sandbox must have read every"
        " reference solution as passing and every untouched and known-bad state as failing, and"
        " have seen a scripted agent pass and one that gives up fail, within max_age_days. A"
        " verdict was once retracted after 14 milestones because the meter was broken.",
        "a calibration of 31 days ago with max_age_days: 30",
        "abverify run S1_004 --stage calibrate, today",
    ),
    Rule(
        "AV311",
        "criteria decide",
        "A criterion compares one registered metric, recomputed from the journal, with a number.",
        "oracle_passed >= 1: observed 0 (0/20)",
        "oracle_passed >= 1: observed 3 (3/20)",
    ),
    Rule(
        "AV312",
        "an unmeasured criterion is unknown",
        "A rate over nothing is neither met nor not met.",
        "turns_to_first_call <= 2 when no trial made a call",
        "turns_to_first_call <= 2 when some trial did",
    ),
    Rule(
        "AV313",
        "a gate is its published contract",
        "Records and evidence are about published bytes. An edited working contract is an amendment"
        " in progress: its gate is not the published one, and nothing is decided for it.",
        "contracts/V1_004.yaml edited, not yet published",
        "contracts/V1_004.yaml equal to its newest published version",
    ),
    Rule(
        "AV314",
        "a run must end before it counts",
        "A run that was cut off can be resumed; until then it is no evidence.",
        "a run folder without manifest.json",
        "abverify run S1_004 --stage bench resumes it",
    ),
    Rule(
        "AV315",
        "only decisions are signed",
        "cannot-evaluate is neither yes nor no, so no record says it.",
        "abverify check V1_004 --record without evidence",
        "abverify check S1_004 --run --record",
    ),
    Rule(
        "AV320",
        "a check that was never run is not passed",
        "A fixture may declare compliance checks beside its tests. Where the tests passed, each of"
        " them must have a row of its own; a bench with compliance switched off does not count.",
        "the tests of a trial passed, and its journal has no row for cargo clippy",
        "the tests and cargo clippy each have a row, passed or failed",
    ),
    Rule(
        "AV330",
        "a calibration reads what is known",
        "A meter that fails a reference solution, passes a known-bad state, or does not let a"
        " scripted agent through its own loop measures itself, not a model. Every fixture is read,"
        " once in each state and once by each agent; one wrong reading and the meter is out.",
        "19/20 references pass: a fixture's tests need a newer compiler",
        "20/20 references pass, 40/40 bad states fail, scripted agent passes 20/20,"
        " give-up agent fails 20/20",
    ),
)

"""Rules about reading the trail, and about the verbs that lift, discharge and retract."""

from __future__ import annotations

from abverify.model.rules.rule import Rule

RULES = (
    Rule(
        "AV445",
        "a place that is looked back to is in the log",
        "A number names the log as it stood when it held so many records; one that it never held"
        " names nothing.",
        "abverify status --at 90 where the log holds 17 records",
        "abverify status --at 17",
    ),
    Rule(
        "AV480",
        "a record is named uniquely",
        "A record goes by its file, by its place in a gate's chain, or by the start of its"
        " envelope's digest. What names none, or several, is refused.",
        "abverify show 5e1f        (two records begin like that)",
        "abverify show S1_004#3",
    ),
    Rule(
        "AV481",
        "a retraction can only shut",
        "A suspension ends by a lift, when its conditions are covered, and a retraction stands for"
        " ever. What was taken back once cannot be taken back again.",
        "abverify retract M280 --cause issued-in-error",
        "abverify retract S1_005#3 --cause evidence-invalid",
    ),
    Rule(
        "AV482",
        "only a gate that is met is discharged",
        "A discharge says that eligible bench evidence meets every criterion. What is not met is"
        " recorded as a non-discharge by check --record; what cannot be evaluated is not recorded.",
        "abverify discharge S1_004        (the bench passed 0 of 20)",
        "abverify discharge S1_005        (check says MET)",
    ),
    Rule(
        "AV483",
        "evidence that was taken back counts no more",
        "A retraction for evidenceInvalid disowns the bundles that its target rests on: they decide"
        " nothing any more, for any gate. Other causes leave the evidence as good as it was.",
        "check after abverify retract S1_005#3 --cause evidence-invalid",
        "check after abverify check S1_005 --run, which makes new evidence",
    ),
)

"""Rules about amendments: what may follow what, and how a version is named."""

from __future__ import annotations

from abverify.model.rules.rule import Rule

RULES = (
    Rule(
        "AV700",
        "git history must be readable",
        "What a change is judged against stands in git. Without it the question cannot be answered,"
        " which is neither yes nor no.",
        "abverify amend check main..HEAD in an unpacked archive",
        "abverify amend check main..HEAD in a clone with its history",
    ),
    Rule(
        "AV701",
        "a revision must exist",
        "A commit, branch or tag that this clone knows.",
        "abverify amend diff origin/mian:contracts/S1_004.yaml S1_004",
        "abverify amend diff origin/main:contracts/S1_004.yaml S1_004",
    ),
    Rule(
        "AV702",
        "git objects must be at hand",
        "A shallow or partial clone may lack what a judgement needs.",
        "a clone of depth 1",
        "git fetch --unshallow",
    ),
    Rule(
        "AV703",
        "a contract version is named plainly",
        "A file, GATE@VERSION for a published version, or REVISION:FILE for one in git.",
        "abverify amend diff yesterday S1_004",
        "abverify amend diff S1_004@1.0.0 S1_004",
    ),
    Rule(
        "AV710",
        "frozen fields never change",
        "A gate's id and predecessor, and what its contract freezes, stay as they are: no approval"
        " is enough. What must differ is another gate.",
        "lifts: [M281] where the contract says frozen: [id, lifts]",
        "abverify amend V1_004 --new-gate V1_005",
    ),
    Rule(
        "AV711",
        "one kind of change at a time",
        "An amendment that loosens criteria and changes the model at once hides which of them"
        " matters. The law itself never changes together with what it judges.",
        "another corpus and a lower threshold in one version",
        "the corpus in 1.1.0, the threshold in 2.0.0",
    ),
    Rule(
        "AV712",
        "another model is another gate",
        "A gate's record speaks of the model it names. Naming another there would let its evidence"
        " pass for the first one's.",
        "V1_004 with model.name: Qwen3-30B-A3B-Instruct-2507",
        "V1_005, which succeeds V1_004, with that name",
    ),
    Rule(
        "AV713",
        "criteria can be met",
        "Criteria that no scoreboard meets say nothing about a model.",
        "oracle_passed at_least 1 and at_most 0",
        "oracle_passed at_least 1",
    ),
    Rule(
        "AV714",
        "the version says how much changed",
        "Words take a patch step, tightening a minor one, everything else a major one; exactly one"
        " step, so that no version is skipped and none is used twice.",
        "a lower threshold as 1.0.1",
        "a lower threshold as 2.0.0",
    ),
)

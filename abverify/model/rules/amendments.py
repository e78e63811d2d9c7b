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
    Rule(
        "AV720",
        "the pin is refreshed with the contract",
        "A pin file says which bytes are meant. It changes in the same commit as the contract.",
        "contract_sha256 of the version before",
        "contract_sha256 of the file as it is",
    ),
    Rule(
        "AV721",
        "the mirror holds the same bytes",
        "Whoever reads the mirror must read the contract that is in force.",
        "the mirror's copy without the last edit",
        "the same bytes on both sides",
    ),
    Rule(
        "AV722",
        "a mirror must be reachable to be judged",
        "A mirror that cannot be read is neither in step nor out of it.",
        "a mirror on a host that CI may not reach",
        "a bundle of the mirror kept in the repository",
    ),
    Rule(
        "AV723",
        "commits are pinned in full",
        "An abbreviated id can come to name another commit.",
        "aprender_commit: 16f25af06",
        "aprender_commit: 16f25af06, written with all of its 40 digits",
    ),
    Rule(
        "AV724",
        "pinned commits are merged",
        "A commit of an unmerged branch can be rewritten or vanish.",
        "a commit of an open pull request",
        "the commit that the protected branch has",
    ),
    Rule(
        "AV725",
        "declared roll-ups stay",
        "A document that no longer shows a declared fact has drifted, and is told so.",
        "the badge was deleted from the README",
        "the badge, or a policy that does not declare it",
    ),
    Rule(
        "AV726",
        "roll-ups show what is so",
        "What a document shows of a contract, a corpus or the ledger is the fact itself.",
        "a badge of version 1.22.0 beside a contract of version 1.23.0",
        "a badge of version 1.23.0",
    ),
    Rule(
        "AV727",
        "numerators are facts too",
        "Of k/n both are compared: the right denominator does not excuse a wrong count.",
        "2/13 where 13 of 13 hold",
        "13/13",
    ),
    Rule(
        "AV728",
        "generated regions are generated",
        "What stands between the markers is written by render, never by hand.",
        "a state edited between <!-- abverify:gates --> and its end",
        "abverify render",
    ),
    Rule(
        "AV729",
        "generated regions stay",
        "A declared region without its markers shows nothing any more.",
        "the markers were deleted",
        "both markers, in order",
    ),
    Rule(
        "AV730",
        "one version has one content",
        "Over the whole history a version stands for one digest.",
        "a retraction added to 1.30.0 after it was published",
        "1.31.0",
    ),
    Rule(
        "AV731",
        "no version is skipped",
        "A step is exactly one: what was skipped cannot be told from what was lost.",
        "1.28.0, then 1.30.0",
        "1.28.0, then 1.29.0",
    ),
    Rule(
        "AV732",
        "version histories are only added to",
        "An entry that was published says the same for ever.",
        "another reason written into last month's entry",
        "a new entry",
    ),
    Rule(
        "AV733",
        "new entries are not backdated",
        "A new entry is dated no earlier than those that were there.",
        "an entry of April added in May, above one of May",
        "an entry of the day it is made",
    ),
    Rule(
        "AV734",
        "a change cannot edit its own judge",
        "Policy, trust root and configuration judge as they were before the change, in the folder"
        " that they name. Editing them together with what they judge is refused.",
        "a pull request that lowers approvals in policy.yaml and amends a contract",
        "a pull request that changes the policy alone, and another for the contract",
    ),
    Rule(
        "AV735",
        "what was published stays",
        "Frozen versions, records and the evidence they cite are never changed or removed.",
        "a record file deleted in a pull request",
        "abverify retract, which adds a record",
    ),
    Rule(
        "AV736",
        "contracts are not removed",
        "A gate's records stay for ever, and so does what they are about.",
        "git rm contracts/V1_004.yaml",
        "the contract as it is",
    ),
    Rule(
        "AV737",
        "a changed contract is published",
        "A contract counts from its signed record on; a change of the file alone is a proposal.",
        "contracts/S1_004.yaml edited, and no amendment record",
        "abverify amend S1_004 --reason …, committed with the edit",
    ),
    Rule(
        "AV738",
        "an amendment has the approvals it needs",
        "A contract says how many people must sign its amendments.",
        "one signature where the contract says approvals: 2",
        "two signatures of different people",
    ),
    Rule(
        "AV739",
        "a question that cannot be answered is not a pass",
        "Where a fact cannot be found out, the finding says so, with a verdict of its own.",
        "an expression that finds nothing",
        "an expression that finds one number or text",
    ),
    Rule(
        "AV740",
        "documents can be read",
        "Foreign contracts and pin files are read as plain data in their declared format.",
        "a TOML pin file with a broken line",
        "the same file, mended",
    ),
    Rule(
        "AV741",
        "a class that lets evidence count on is proved",
        "An amendment that says it changed words only lets discharges stand. That is derived again"
        " from both versions; a false claim is a fault of the ledger.",
        "class C1 for a lower threshold",
        "class C1 for another title",
    ),
    Rule(
        "AV742",
        "an amendment is whole or not there",
        "Contract, copies, pins, documents and record change as one step. What a crash cut off is"
        " settled before anything is read from it: finished if its record is in, else taken back.",
        "abverify check, after a machine died in the middle of abverify amend",
        "abverify amend recover, then abverify check",
    ),
    Rule(
        "AV743",
        "an amendment never writes over an edit",
        "What somebody changed while an amendment was made, or after one was cut off, is theirs.",
        "a contract edited by hand between a crash and abverify amend recover",
        "the edit put aside, the amendment settled, the edit made again",
    ),
    Rule(
        "AV744",
        "a setting names one value",
        "PATH=VALUE replaces exactly one value, in strict YAML and on one line, and leaves every"
        " other byte of the contract as it is. Decimals are quoted texts.",
        "abverify amend S1_004 --set 'config.sampling.temperature=0.2'",
        "abverify amend S1_004 --set 'config.sampling.temperature=\"0.2\"'",
    ),
    Rule(
        "AV745",
        "a setting names a field of contracts",
        "A path is keys joined by dots; members of a list go by position or by their id.",
        "abverify amend S1_004 --set criteria.orakel.at_least=2",
        "abverify amend S1_004 --set criteria.oracle.at_least=2",
    ),
    Rule(
        "AV746",
        "an amendment changes something",
        "A version that says what the one before says would cost its readers a comparison.",
        "abverify amend S1_004 --set evidence.valid_days=180 where it is 180",
        "abverify amend S1_004 --set evidence.valid_days=90",
    ),
    Rule(
        "AV747",
        "a new gate has a new name",
        "Records of a gate are for ever; another gate of its name could not be told from it.",
        "abverify amend V1_004 --new-gate V1_005 where there is a V1_005",
        "abverify amend V1_004 --new-gate V1_006",
    ),
    Rule(
        "AV748",
        "a change is judged on top of its base",
        "BASE and HEAD are compared as they stand. What BASE got since the branch left it looks as"
        " if HEAD had removed it.",
        "a branch that left main before main's newest record",
        "the branch rebased onto main, its own records made again where both added one to a gate",
    ),
    Rule(
        "AV749",
        "what is signed or pinned is never rendered",
        "Contracts, pins and records say what is so; documents for readers repeat it. A render that"
        " wrote into the law would change what was signed.",
        "regions: [{file: contracts/V1_004.yaml, name: status}]",
        "regions: [{file: README.md, name: status}]",
    ),
)

"""Rules about benches that stop early: declared, exact, and derivable by every reader."""

from __future__ import annotations

from abverify.model.rules.rule import Rule

RULES = (
    Rule(
        "AV860",
        "a bench stops early only by a rule of its contract",
        "Who may stop when the result pleases can reach any result. success-certain and"
        " failure-certain stop a bench once its verdict cannot change any more; a contract names"
        " them before the run, or says never.",
        "stop: never, and scores.json says stopped at 3 of 20",
        "stop: [failure-certain, success-certain], stopped at 3 of 20 by success-certain",
    ),
    Rule(
        "AV861",
        "a bench stops exactly where its rule fires",
        "The rule is evaluated again after every prefix of the fixed order. A bench that was cut"
        " before its rule fired, or that says it stopped earlier, later or by another rule than its"
        " own journal gives, is unsound. So is one whose manifest and scores do not say the same.",
        "oracle_passed >= 2, the second pass at trial 9, stopped at 7 of 20",
        "oracle_passed >= 2, the second pass at trial 9, stopped at 9 of 20",
    ),
    Rule(
        "AV862",
        "nobody chooses which trials run first",
        "Where a bench may stop early, the order of its trials follows from the declared seeds and"
        " the fixtures' names, and the lock holds its digest. Another order is another run.",
        "the fixtures that are known to pass moved to the front",
        "the order of abverify/trial-order/1",
    ),
    Rule(
        "AV863",
        "an early stop can be derived again",
        "The lock of a run that may stop early names the rules, and the criteria by digest. Without"
        " the contract that has them nobody can tell whether the rule fired.",
        "evidence verify on a bundle that was copied without its contract",
        "evidence verify in the repository whose contracts/_versions holds the contract",
    ),
    Rule(
        "AV864",
        "a bench that may stop early is measured up to its stop",
        "With a stop rule every trial of the fixed order counts until the rule fires, so a smaller"
        " min_completed would say nothing.",
        "stop: [success-certain] with min_completed: 10 and a corpus of 20",
        "stop: [success-certain] with min_completed: 20 and a corpus of 20",
    ),
)

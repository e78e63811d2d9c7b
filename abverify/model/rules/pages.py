"""Rules about report pages."""

from __future__ import annotations

from abverify.model.rules.rule import Rule

RULES = (
    Rule(
        "AV800",
        "a report overwrites only a report",
        "A page is made again and again under the same name, and a slip of the finger must not cost"
        " a contract. A file that is no page of abverify is left as it is, unless --force says so.",
        "abverify report S1_004 -o contracts/S1_004.yaml",
        "abverify report S1_004 -o report.html",
    ),
    Rule(
        "AV801",
        "a report is about one gate or one experiment",
        "Gates and experiments share the place of the name on the command line. What is called so"
        " must be there, and be one thing only.",
        "abverify report S1_04 -o report.html",
        "abverify report S1_004 -o report.html",
    ),
)

from __future__ import annotations

import re
from pathlib import Path

import pytest

from abverify.model.rules import Rule, all_rules

PACKAGE = Path(__file__).resolve().parents[3] / "abverify"


def named_in_the_code() -> set[str]:
    files = [file for file in PACKAGE.rglob("*.py") if "rules" not in file.parts]
    return {rule for file in files for rule in re.findall(r'"(AV\d{3})"', file.read_text())}


def test_every_rule_that_a_finding_names_is_explained() -> None:
    assert sorted(named_in_the_code() - set(all_rules())) == []


@pytest.mark.parametrize("rule", all_rules().values(), ids=lambda rule: rule.id)
def test_a_rule_says_why_and_shows_both_sides(rule: Rule) -> None:
    assert re.fullmatch(r"AV\d{3}", rule.id)
    assert rule.title
    assert rule.why.endswith(".")
    assert rule.failing
    assert rule.passing
    assert rule.failing != rule.passing

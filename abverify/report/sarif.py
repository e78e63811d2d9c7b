"""Reports as SARIF 2.1.0 (OASIS): one run for each report, one result for each finding."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from abverify._canonical import canonical_digest
from abverify._version import __version__
from abverify.model.rules import all_rules
from abverify.report.place import place_of
from abverify.report.plain import inert

if TYPE_CHECKING:
    from collections.abc import Iterable

    from abverify.model.report import Reason
    from abverify.report.told import Told

_SCHEMA = (
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
)
_BASE = "REPOSITORY"
_RAN = frozenset([0, 1])
"""Exit codes of a question that was answered."""


def render(told: Iterable[Told]) -> str:
    """The log file."""
    log = {"$schema": _SCHEMA, "version": "2.1.0", "runs": [_run(report) for report in told]}
    return json.dumps(log, indent=2, ensure_ascii=False) + "\n"


def _run(told: Told) -> dict[str, Any]:
    rules = sorted({reason.rule for reason in told.reasons})
    return {
        "tool": {
            "driver": {
                "name": "abverify",
                "semanticVersion": __version__,
                "rules": [_rule(rule) for rule in rules],
            }
        },
        "automationDetails": {"id": f"abverify/{told.verb}/{told.subject}"},
        "originalUriBaseIds": {_BASE: {"description": {"text": "The root of the repository."}}},
        "invocations": [
            {"executionSuccessful": told.exit_code in _RAN, "exitCode": told.exit_code}
        ],
        "columnKind": "unicodeCodePoints",
        "results": [_result(reason, rules) for reason in told.reasons],
        "properties": {"verdict": told.verdict, "checked": told.checked, "total": told.total},
    }


def _rule(rule_id: str) -> dict[str, Any]:
    rule = all_rules()[rule_id]
    example = f"breaks it: {rule.failing}\nkeeps it: {rule.passing}"
    return {
        "id": rule.id,
        "shortDescription": {"text": rule.title},
        "fullDescription": {"text": rule.why},
        "help": {"text": f"{rule.why}\n\n{example}"},
    }


def _result(reason: Reason, rules: list[str]) -> dict[str, Any]:
    texts = [reason.message]
    for label in ("expected", "found", "next"):
        value = getattr(reason, label)
        texts += [f"{label}: {value}"] if value is not None else []
    identity = [reason.rule, place_of(reason.place).file or reason.place, reason.message]
    result = {
        "ruleId": reason.rule,
        "ruleIndex": rules.index(reason.rule),
        "level": reason.severity,
        "message": {"text": "\n".join(inert(line) for text in texts for line in text.split("\n"))},
        "locations": [_location(reason.place)] if reason.place else [],
        # Line and column are left out: a finding is the same when what stands above it grows.
        "partialFingerprints": {"abverify/v1": canonical_digest(identity)},
        "properties": {"code": reason.code},
    }
    return {key: value for key, value in result.items() if value != []}


def _location(text: str) -> dict[str, Any]:
    place = place_of(text)
    if place.file is None:
        return {"logicalLocations": [{"fullyQualifiedName": inert(text)}]}
    physical: dict[str, Any] = {
        "artifactLocation": {"uri": quote(place.file), "uriBaseId": _BASE},
    }
    if place.line:
        column = {"startColumn": place.column} if place.column else {}
        physical["region"] = {"startLine": place.line, **column}
    return {"physicalLocation": physical}

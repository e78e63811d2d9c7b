"""The parser's own corpus: every case must be exact before any of its numbers count."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from abverify._frozen import frozen

from .parser import parse
from .tools import DEFAULT_TOOLS, tools_from_json

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .values import ParsedTurn


@frozen
class CalibrationCase:
    """One completion under one profile, and what it must parse to.

    Attributes:
        id: unique, `class-nn@profile`.
        family: the class of damage or danger it belongs to.
        raw: the completion.
        finish_reason: why the engine stopped.
        profile: the profile, as `name/version`.
        calls: the expected calls, `[{"name", "arguments"}]`.
        verdict: the expected verdict.
        codes: the expected codes, in order; None where the case does not fix them.
        reason: why this is the right answer.
        tools: declared tools, or None for the default ones.
        workspace_files: existing files, for `markdown-edit`.
    """

    id: str
    family: str
    raw: str
    finish_reason: str
    profile: str
    calls: tuple[dict[str, Any], ...]
    verdict: str
    codes: tuple[str, ...] | None
    reason: str
    tools: Any = None
    workspace_files: tuple[str, ...] = ()

    def parsed(self) -> ParsedTurn:
        """What the parser makes of the case now."""
        return parse(
            self.raw,
            finish_reason=self.finish_reason,
            tools=DEFAULT_TOOLS if self.tools is None else tools_from_json(self.tools),
            profile=self.profile,
            workspace_files=self.workspace_files,
        )


@frozen
class CalibrationFailure:
    """A case that did not parse as it must."""

    case: CalibrationCase
    found: ParsedTurn

    def __str__(self) -> str:
        expected = (self.case.verdict, list(self.case.calls), self.case.codes)
        calls = [call.as_json() for call in self.found.calls]
        found = (self.found.verdict, calls, self.found.codes)
        return f"{self.case.id}: expected {expected}, found {found}"


@frozen
class CalibrationResult:
    """How many cases were checked out of how many there are, and those that failed."""

    checked: int
    total: int
    failures: tuple[CalibrationFailure, ...]

    @property
    def exact(self) -> bool:
        """Every case was checked, there was at least one, and none failed."""
        return not self.failures and self.checked == self.total > 0


def calibration_cases() -> tuple[CalibrationCase, ...]:
    """Every case of the shipped corpus, one for each profile a case states, sorted by id."""
    from importlib.resources import files

    folder = files(__package__).joinpath("corpus")
    return tuple(
        case
        for entry in sorted(folder.iterdir(), key=lambda item: item.name)
        if entry.name.endswith(".jsonl")
        for line in entry.read_text(encoding="utf-8").splitlines()
        for case in _cases(json.loads(line))
    )


def _cases(row: dict[str, Any]) -> Iterator[CalibrationCase]:
    for profile, expected in row["expect"].items():
        codes = expected.get("codes")
        yield CalibrationCase(
            id=f"{row['id']}@{profile}",
            family=row["class"],
            raw=row["raw"],
            finish_reason=row["finish_reason"],
            profile=profile,
            calls=tuple(expected["calls"]),
            verdict=expected["verdict"],
            codes=None if codes is None else tuple(codes),
            reason=row["reason"],
            tools=row.get("tools"),
            workspace_files=tuple(row.get("workspace_files", ())),
        )


def run_calibration() -> CalibrationResult:
    """Parse the whole corpus and compare calls, verdict and codes exactly."""
    cases = calibration_cases()
    failures = tuple(
        CalibrationFailure(case, found)
        for case in cases
        if not _exact(case, found := case.parsed())
    )
    return CalibrationResult(len(cases), len(cases), failures)


def _exact(case: CalibrationCase, found: ParsedTurn) -> bool:
    return (
        [call.as_json() for call in found.calls] == list(case.calls)
        and found.verdict == case.verdict
        and case.codes in (None, found.codes)
    )

"""Roll-ups: what documents show of facts, compared with the facts, and generated regions."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from abverify.model.report import Reason

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from abverify.model.policy import Region, RollUp

REGION_NEXT = "abverify render writes it again"
NUMERATOR, DENOMINATOR = "numerator", "denominator"


def evaluate(expression: str, facts: Mapping[str, Any]) -> str | None:
    """A fact as a document shows it; None where the expression finds nothing.

    Raises:
        ValueError: if the expression cannot be read.
    """
    import jmespath
    from jmespath.exceptions import JMESPathError

    try:
        value = jmespath.search(expression, facts)
    except JMESPathError as error:
        raise ValueError(" ".join(str(error).split())) from None
    if isinstance(value, bool) or value is None:
        return None if value is None else str(value).lower()
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)


def rollup_faults(rollup: RollUp, text: str | None, facts: Mapping[str, Any]) -> Iterator[Reason]:
    """Where a document does not show what is so; every place that the pattern matches counts."""
    if text is None:
        yield _gone(rollup, "the file is not there", "no file")
        return
    matches = list(re.finditer(rollup.pattern, text))
    if not matches:
        yield _gone(rollup, "the document does not show it any more", "no match for the pattern")
        return
    expected: dict[str, str] = {}
    for group, expression in rollup.equals.items():
        try:
            value = evaluate(expression, facts)
        except ValueError as error:
            yield _unknown(rollup, group, expression, str(error))
            continue
        if value is None:
            yield _unknown(rollup, group, expression, "nothing")
        else:
            expected[group] = value
    for match in matches:
        yield from _stale(rollup, match, expected)


def _stale(rollup: RollUp, match: re.Match[str], expected: Mapping[str, str]) -> Iterator[Reason]:
    for group, value in expected.items():
        found = match[group]
        if found == value:
            continue
        line, column = _position(match.string, match.start(group))
        ratio = set(rollup.equals) == {NUMERATOR, DENOMINATOR}
        wrong_numerator = ratio and group == NUMERATOR
        yield Reason(
            "wrong-numerator" if wrong_numerator else "stale-rollup",
            "AV727" if wrong_numerator else "AV726",
            "error",
            f"the roll-up {rollup.id} shows another {group} than there is",
            place=f"{rollup.file}:{line}:{column}",
            expected=value,
            found=found,
            next=f"write {value} there, or abverify render --fix",
        )


def updated(rollup: RollUp, text: str, facts: Mapping[str, Any]) -> str:
    """The document with the roll-up's groups as they should be; unknown facts are left alone."""
    values = {group: evaluate(expression, facts) for group, expression in rollup.equals.items()}

    def replace(match: re.Match[str]) -> str:
        result, start = "", match.start()
        spans = sorted((match.span(group), group) for group in values if match[group] is not None)
        for (low, high), group in spans:
            value = values[group]
            result += match.string[start:low] + (match[group] if value is None else value)
            start = high
        return result + match.string[start : match.end()]

    return re.sub(rollup.pattern, replace, text)


def region_faults(region: Region, text: str | None, content: str) -> Iterator[Reason]:
    """A generated region that is not what would be generated now."""
    found = None if text is None else region_content(region, text)
    if found is None:
        yield Reason(
            "region-deleted",
            "AV729",
            "error",
            f"the generated region {region.name} is not in the document",
            place=region.file,
            expected=f"{begin(region)} … {end(region)}",
            found="no such markers" if text is not None else "no file",
            next="put the markers back; abverify render fills them",
        )
    elif found != content:
        line, _ = _position(text or "", (text or "").index(begin(region)))
        yield Reason(
            "region-drift",
            "AV728",
            "error",
            f"the generated region {region.name} was edited by hand, or is out of date",
            place=f"{region.file}:{line}",
            expected=_first_difference(content, found),
            found=_first_difference(found, content),
            next=REGION_NEXT,
        )


def begin(region: Region) -> str:
    """The marker before a region."""
    return f"<!-- abverify:{region.name} -->"


def end(region: Region) -> str:
    """The marker after a region."""
    return f"<!-- /abverify:{region.name} -->"


def region_content(region: Region, text: str) -> str | None:
    """What stands between a region's markers; None without both, in order."""
    _, first, rest = text.partition(f"{begin(region)}\n")
    content, last, _ = rest.partition(end(region))
    return content if first and last else None


def filled(region: Region, text: str, content: str) -> str:
    """The document with a region's content replaced; as it was, without the markers."""
    old = region_content(region, text)
    if old is None:
        return text
    return text.replace(
        f"{begin(region)}\n{old}{end(region)}", f"{begin(region)}\n{content}{end(region)}", 1
    )


def _first_difference(text: str, other: str) -> str:
    """The first line that the other text does not have at the same place."""
    theirs = other.splitlines()
    for number, line in enumerate(text.splitlines()):
        if number >= len(theirs) or theirs[number] != line:
            return line
    return "(nothing more)"


def _position(text: str, index: int) -> tuple[int, int]:
    before = text[:index]
    return before.count("\n") + 1, index - (before.rfind("\n") + 1) + 1


def _gone(rollup: RollUp, message: str, found: str) -> Reason:
    return Reason(
        "rollup-deleted",
        "AV725",
        "error",
        f"the roll-up {rollup.id} is declared, and {message}",
        place=rollup.file,
        expected=rollup.pattern,
        found=found,
        next="put it back, or take it out of contracts/policy.yaml in a change of its own",
    )


def _unknown(rollup: RollUp, group: str, expression: str, found: str) -> Reason:
    return Reason(
        "cannot-evaluate",
        "AV739",
        "error",
        f"what the roll-up {rollup.id} must show as {group} cannot be found out",
        place=rollup.file,
        expected=expression,
        found=found,
        next="mend the expression in contracts/policy.yaml",
    )

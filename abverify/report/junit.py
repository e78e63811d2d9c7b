"""Reports as JUnit XML: every question a test case, no answer an error, no a failure.

What cannot be told is never a failure and never a skipped test: it is an error.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

from abverify.report.plain import inert as without_controls

if TYPE_CHECKING:
    from collections.abc import Iterable

    from abverify.model.report import Reason
    from abverify.report.told import Item, Told

_ELEMENTS = {"fail": "failure", "open": "error"}


def render(told: Iterable[Told]) -> str:
    """One test suite for each report."""
    suites = [_suite(report) for report in told]
    root = ET.Element("testsuites", _counts(suites))
    root.extend(suites)
    ET.indent(root)
    text = ET.tostring(root, encoding="unicode")
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{text}\n'


def _suite(told: Told) -> ET.Element:
    cases = [_case(item, told) for item in told.items]
    cases[-1].extend(_said(told.reasons))
    answers = [element.tag for case in cases for element in case]
    counts = {
        "tests": str(len(cases)),
        "failures": str(answers.count("failure")),
        "errors": str(answers.count("error")),
        "skipped": "0",
    }
    suite = ET.Element("testsuite", {"name": inert(told.title), **counts})
    suite.extend(cases)
    return suite


def _case(item: Item, told: Told) -> ET.Element:
    case = ET.Element("testcase", {"classname": f"abverify.{told.verb}", "name": inert(item.name)})
    if item.status in _ELEMENTS:
        answer = ET.SubElement(case, _ELEMENTS[item.status], {"message": inert(item.detail)})
        answer.set("type", told.verdict)
    else:
        ET.SubElement(case, "system-out").text = inert(item.detail)
    return case


def _said(reasons: Iterable[Reason]) -> list[ET.Element]:
    """Every finding, below the whole answer that it argues for."""
    lines = [_line(reason) for reason in reasons]
    if not lines:
        return []
    element = ET.Element("system-err")
    element.text = "\n".join(lines)
    return [element]


def _line(reason: Reason) -> str:
    told = f"{reason.severity}[{reason.rule}] {reason.code}: {reason.message}"
    for label in ("place", "expected", "found", "next"):
        value = getattr(reason, label)
        told += f" | {label}: {value}" if value is not None else ""
    return inert(told.replace("\n", " "))


def inert(text: str) -> str:
    """The text without what XML cannot hold."""
    return without_controls(text).replace("\ufffe", "\\ufffe").replace("\uffff", "\\uffff")


def _counts(suites: Iterable[ET.Element]) -> dict[str, str]:
    names = ("tests", "failures", "errors", "skipped")
    return {name: str(sum(int(suite.get(name, "0")) for suite in suites)) for name in names}

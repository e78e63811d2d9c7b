"""Reports as GitHub workflow commands: an annotation for each finding, one for the verdict."""

from __future__ import annotations

from typing import TYPE_CHECKING

from abverify.report.place import place_of
from abverify.report.plain import inert

if TYPE_CHECKING:
    from collections.abc import Iterable

    from abverify.model.report import Reason
    from abverify.report.told import Told

_COMMANDS = {"error": "error", "warning": "warning", "note": "notice"}


def render(told: Iterable[Told]) -> str:
    """One line for each annotation; a newline in a message is told as `%0A`."""
    return "".join(f"{line}\n" for report in told for line in _lines(report))


def _lines(told: Told) -> Iterable[str]:
    for reason in told.reasons:
        yield _annotation(reason)
    command = {"pass": "notice", "fail": "error"}.get(told.status, "error")
    counted = f"{told.verdict.upper()} ({told.checked}/{told.total}, exit code {told.exit_code})"
    yield f"::{command} title={_property(told.title)}::{_data(counted)}"


def _annotation(reason: Reason) -> str:
    place = place_of(reason.place)
    where = [f"file={_property(place.file)}"] if place.file else []
    where += [f"line={place.line}"] if place.line else []
    where += [f"col={place.column}"] if place.column else []
    title = _property(f"{reason.rule} {reason.code}")
    text = [reason.message]
    text += [f"at {reason.place}"] if reason.place and not place.file else []
    for label in ("expected", "found", "next"):
        value = getattr(reason, label)
        text += [f"{label}: {value}"] if value is not None else []
    properties = ",".join((*where, f"title={title}"))
    return f"::{_COMMANDS[reason.severity]} {properties}::{_data(chr(10).join(text))}"


def _data(text: str) -> str:
    """A message: nothing in it can end the command or begin another."""
    whole = "\n".join(inert(line) for line in text.split("\n"))
    return whole.replace("%", "%25").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")

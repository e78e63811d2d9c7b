"""What every report tells, whatever verb made it: the value that CI formats are rendered from.

A report's own JSON is the source, so that no format can say more, or something else, than it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from abverify._frozen import frozen
from abverify.model.report import Reason

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from abverify.model.report import Report

Status = Literal["pass", "fail", "open", "note"]
"""Yes; no; cannot be told, or nothing was there to tell; said for information alone."""

Data = dict[str, Any]


@frozen
class Item:
    """One thing that was asked, and the answer.

    Attributes:
        name: what was asked, unique among the items of a report.
        status: the answer.
        detail: what was seen.
    """

    name: str
    status: Status
    detail: str


@frozen
class Table:
    """Rows that belong to a verb's own result."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@frozen
class Told:
    """A report as CI sees it.

    Attributes:
        verb: the verb: `check`, `amend-check`.
        subject: what it was about; empty for the whole repository.
        verdict: the verdict's word.
        exit_code: the documented exit code.
        checked: things that hold.
        total: things there were.
        reasons: the findings.
        items: what was asked one by one, the whole last.
        tables: details of the verb's own.
    """

    verb: str
    subject: str
    verdict: str
    exit_code: int
    checked: int
    total: int
    reasons: tuple[Reason, ...]
    items: tuple[Item, ...]
    tables: tuple[Table, ...]

    @property
    def title(self) -> str:
        """Verb and subject."""
        return f"abverify {self.verb} {self.subject}".rstrip()

    @property
    def status(self) -> Status:
        """The whole answer; a check over nothing is no yes."""
        return _status(self.exit_code)


def tell(report: Report) -> Told:
    """What a report tells."""
    data = report.to_json()
    kind = str(data["schema"]).split("/")[1]
    verb = str(data.get("verb", kind))
    subject = _subject(data)
    reasons = tuple(Reason(**reason) for reason in data["reasons"])
    items, tables = _PARTS.get(kind, _facts)(data)
    counted = f"{data['verdict']}, {data['checked']}/{data['total']}"
    whole = Item(f"{verb} {subject}".rstrip(), _status(report.exit_code), counted)
    return Told(
        verb=verb,
        subject=subject,
        verdict=str(data["verdict"]),
        exit_code=report.exit_code,
        checked=data["checked"],
        total=data["total"],
        reasons=reasons,
        items=(*items, whole),
        tables=tuple(table for table in tables if table.rows),
    )


_Parts = tuple[tuple[Item, ...], tuple[Table, ...]]


def _status(exit_code: int) -> Status:
    return {0: "pass", 1: "fail", 4: "fail"}.get(exit_code, "open")  # type: ignore[return-value]


def _subject(data: Data) -> str:
    if "base" in data:
        return f"{data['base'][:12]}..{data['head'][:12]}"
    found = (data.get(key) for key in ("gate", "experiment", "range", "path"))
    return next((name for name in found if isinstance(name, str)), "")


def _facts(data: Data) -> _Parts:
    """What a verb without parts of its own tells beside its findings."""
    facts = data.get("facts") or {}
    rows = tuple((str(name), str(value)) for name, value in facts.items())
    return (), (Table("Facts", ("fact", "value"), rows),)


def _check(data: Data) -> _Parts:
    criteria = data["criteria"]
    holds: Mapping[bool | None, Status] = {True: "pass", False: "fail", None: "open"}
    items = tuple(
        Item(f"criterion {line['id']}", holds[line["holds"]], _observed(line)) for line in criteria
    )
    rows = tuple((line["id"], line["metric"], line["expected"], _seen(line)) for line in criteria)
    return items, (Table("Criteria", ("criterion", "metric", "expected", "observed"), rows),)


def _observed(line: Data) -> str:
    return f"{line['metric']} {line['expected']}: observed {_seen(line)}"


def _seen(line: Data) -> str:
    if line["bounds"]:
        return f"at least {line['bounds'][0]}, at most {line['bounds'][1]} (stopped early)"
    if line["observed"] is None:
        return "nothing"
    limits = f", 95% {' to '.join(line['interval'])}" if line["interval"] else ""
    return f"{line['observed']} ({line['numerator']}/{line['denominator']}{limits})"


def _amend_check(data: Data) -> _Parts:
    answers: Mapping[str, Status] = {"kept": "pass", "drift": "fail", "not-applicable": "note"}
    items = tuple(
        Item(
            f"step {step['name']}",
            answers.get(step["status"], "open"),
            f"{step['meaning']}: {step['status']}, {step['checked']} looked at",
        )
        for step in data["steps"]
    )
    return items, (
        Table(
            "Changes",
            ("contract", "path", "old", "new", "class", "bump", "approvals", "evidence"),
            tuple(row for line in data["contracts"] for row in _changes(line)),
        ),
        Table(
            "The ritual",
            ("step", "status", "looked at"),
            tuple((s["meaning"], s["status"], str(s["checked"])) for s in data["steps"]),
        ),
        Table("Discharges that would lapse", ("gate",), tuple((g,) for g in data["lapses"])),
        Table(
            "Verdicts of stored evidence that would flip",
            ("evidence", "before", "after"),
            tuple((line["path"], line["before"], line["after"]) for line in data["replays"]),
        ),
    )


def _changes(line: Data) -> list[tuple[str, ...]]:
    name = line["gate"] or line["path"]
    approvals = f"{line['approvals']['found']}/{line['approvals']['needed']}"
    if not line["changes"]:
        return [(name, "version", *(line[key] or "none" for key in ("oldVersion", "newVersion")),
                 "", "", approvals, "")]  # fmt: skip
    return [
        (name, *(str(change[key]) for key in ("path", "old", "new", "class", "bump")), approvals,
         str(change["consequence"]))
        for change in line["changes"]
    ]  # fmt: skip


def _history(data: Data) -> _Parts:
    codes: Mapping[str, Status] = {"lawful": "pass", "nothing-to-check": "pass", "unlawful": "fail"}
    items = tuple(
        Item(
            f"commit {line['commit'][:12]}",
            codes.get(line["verdict"], "open"),
            " ".join((line["verdict"], *line["classes"], *line["codes"])),
        )
        for line in data["commits"]
    )
    rows = tuple(
        (line["commit"][:12], line["verdict"], " ".join(line["classes"]), " ".join(line["codes"]))
        for line in data["commits"]
    )
    return items, (Table("Commits", ("commit", "verdict", "classes", "codes"), rows),)


def _amend_diff(data: Data) -> _Parts:
    changes = tuple(
        (*(_cell(change[key]) for key in ("path", "old", "new", "class", "bump", "approvals")),
         _cell(change["consequence"]), change["why"])
        for change in data["changes"]
    )  # fmt: skip
    replays = tuple((line["path"], line["before"], line["after"]) for line in data["replays"])
    columns = ("path", "old", "new", "class", "bump", "approvals", "evidence", "why")
    return (), (
        Table("Changes", columns, changes),
        Table("Stored evidence under both versions", ("evidence", "before", "after"), replays),
    )


def _log(data: Data) -> _Parts:
    rows = tuple(
        (f"{line['gate']}#{line['seq']}",
         *(_cell(line[key]) for key in ("kind", "version", "issuedAt", "actor", "standing")),
         _cell(line["summary"]))
        for line in data["records"]
    )  # fmt: skip
    columns = ("record", "kind", "version", "issued", "by", "standing", "says")
    return (), (Table("Records", columns, rows),)


def _doctor(data: Data) -> _Parts:
    rows = tuple(
        ("present" if line["present"] else "missing" if not line["needed"] else "MISSING",
         line["name"], _cell(line["found"]), line["purpose"], _cell(line["mend"]))
        for line in data["lines"]
    )  # fmt: skip
    return (), (Table("What is here", ("is", "what", "found", "for", "mend"), rows),)


def _cell(value: object) -> str:
    return "" if value is None else str(value)


def _status_of_gates(data: Data) -> _Parts:
    gates = tuple((g["gate"], g["state"], g["version"] or "-", g["why"]) for g in data["gates"])
    scopes = tuple((s["scope"], s["state"], ", ".join(s["heldBy"])) for s in data["scopes"])
    return (), (
        Table("Scopes", ("scope", "state", "held by"), scopes),
        Table("Gates", ("gate", "state", "version", "why"), gates),
    )


def _compare(data: Data) -> _Parts:
    rows = tuple(
        (line["id"], rate["endpoint"], f"{rate['x']}/{rate['n']}",
         " to ".join(f"{limit:.1%}" for limit in rate["interval"]))
        for line in data["arms"]
        for rate in line["rates"]
    )  # fmt: skip
    return (), (
        Table("Arms", ("arm", "endpoint", "trials", "exact 95 %"), rows),
        Table("Effect", ("difference", "95 %", "p", "power"), tuple(_effect(data))),
    )


def _effect(data: Data) -> Iterator[tuple[str, ...]]:
    if data["effect"] is not None:
        limits = " to ".join(f"{limit:+.3f}" for limit in data["interval"])
        yield f"{data['effect']:+.3f}", limits, f"{data['p']:.3g}", f"{data['power']:.3g}"


_PARTS: Mapping[str, Callable[[Data], _Parts]] = {
    "amend-check": _amend_check,
    "amend-diff": _amend_diff,
    "amend-history": _history,
    "check": _check,
    "compare": _compare,
    "doctor": _doctor,
    "log": _log,
    "status": _status_of_gates,
}
"""The verbs whose results have parts of their own."""

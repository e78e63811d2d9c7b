"""Results about the trail, and of the verbs that look for faults or write."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import ConfigDict, Field

from abverify.model.log_report import Standing
from abverify.model.results.head import Head, Shape


class RecordShape(Shape):
    """One record of the trail."""

    path: str
    gate: str
    seq: int
    kind: str
    issued_at: str
    actor: str
    version: str
    sha256: str
    standing: Standing
    summary: str
    reason: str
    milestone: str | None


class LogResult(Head):
    """`abverify log`; `gate` is null for all of them."""

    schema_: Literal["abverify/log/v1"] = Field(alias="schema")
    gate: str | None
    records: list[RecordShape]


class ShowResult(Head):
    """`abverify show`; `statement` is what was signed."""

    schema_: Literal["abverify/show/v1"] = Field(alias="schema")
    record: RecordShape
    issuers: list[str]
    cited_by: list[str]
    statement: dict[str, Any]


class FindingsResult(Head):
    """A verb that looks for faults; `facts` is what it looked at, in words."""

    schema_: Literal["abverify/audit/v1", "abverify/lint/v1"] = Field(alias="schema")
    facts: dict[str, str]


class ErrorResult(Head):
    """Any verb that gave no result of its own: the input, the request or the trail is at fault."""

    schema_: Literal["abverify/error/v1"] = Field(alias="schema")
    verb: str


class WritingResult(Head):
    """A verb that writes; beside the facts it names what its user goes on with."""

    model_config = ConfigDict(extra="allow")

    schema_: Literal[
        "abverify/amend/v1",
        "abverify/amend-fix/v1",
        "abverify/amend-recover/v1",
        "abverify/evidence-import/v1",
        "abverify/init/v1",
        "abverify/integrate/v1",
        "abverify/lift/v1",
        "abverify/render/v1",
        "abverify/retract/v1",
        "abverify/sign/v1",
        "abverify/suspend/v1",
        "abverify/trust/v1",
    ] = Field(alias="schema")
    facts: dict[str, str]

"""What every result begins with."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel


class Shape(BaseModel):
    """A part of a result: every member is always there, and there are no others."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", strict=True, defer_build=True, alias_generator=to_camel
    )


class ReasonShape(Shape):
    """One line of the argument: `rule` is explained by `abverify explain`."""

    code: Annotated[str, Field(description="a short stable word, such as smoke-only")]
    rule: Annotated[str, Field(pattern=r"^AV[0-9]{3}$")]
    severity: Literal["error", "warning", "note"]
    message: str
    place: Annotated[str | None, Field(description="file, line and column")]
    expected: str | None
    found: str | None
    next: Annotated[str | None, Field(description="the next command or edit")]


class Head(Shape):
    """The common head; the exit code says the same as `verdict`."""

    verdict: str
    reasons: list[ReasonShape]
    checked: int
    total: int


Count = tuple[int, int]
"""What was counted, and out of how many."""
Limits = tuple[str, str]
"""Lower and upper limit, decimal texts."""

"""The frozen pydantic value that every document and record is made of."""

from __future__ import annotations

import re
from fractions import Fraction
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from abverify._clock import parse_timestamp
from abverify.model.plugins import load_validators

load_validators()

_DECIMAL = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?")
_SAFE_PART = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*")
_WINDOWS_NAMES = frozenset(
    ["con", "prn", "aux", "nul", *(f"{p}{n}" for p in ("com", "lpt") for n in range(1, 10))]
)


class Value(BaseModel):
    """A frozen value: unknown fields are errors, types are never coerced."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", strict=True, defer_build=True, validate_by_name=True
    )

    def to_json(self) -> dict[str, Any]:
        """The value as plain JSON data, field aliases as they stand in documents."""
        return self.model_dump(mode="json", by_alias=True)


def exact(number: int | str) -> Fraction:
    """The exact value of an integer or of a decimal text such as `"0.30"`."""
    return Fraction(number)


def normal_decimal(text: str) -> str:
    """One spelling for each decimal value: no trailing zeros, no `-0` (`"0.30"` → `"0.3"`)."""
    head, _, tail = text.partition(".")
    tail = tail.rstrip("0")
    result = f"{head}.{tail}" if tail else head
    return "0" if result == "-0" else result


def _decimal_text(text: str) -> str:
    if not _DECIMAL.fullmatch(text) or len(text) > 24:  # noqa: PLR2004 (far beyond any knob)
        raise ValueError('expected a quoted decimal such as "0.3"')
    return text


def _relative_path(text: str) -> str:
    parts = text.split("/")
    if len(text) > 240 or not all(map(_SAFE_PART.fullmatch, parts)):  # noqa: PLR2004
        raise ValueError("expected a relative path of plain names, without '..' or a leading '/'")
    if any(part.split(".")[0].lower() in _WINDOWS_NAMES or part.endswith(".") for part in parts):
        raise ValueError("expected file names that every file system can hold")
    return text


def _timestamp(text: str) -> str:
    parse_timestamp(text)
    return text


DecimalText = Annotated[str, AfterValidator(_decimal_text)]
"""An exact decimal, written as a quoted string so that no reader turns it into a float."""

RelativePath = Annotated[str, AfterValidator(_relative_path)]
"""A POSIX path below the repository root, made of portable names."""

Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
"""A SHA-256 digest in lower-case hex."""

Identifier = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,79}$")]
"""An ASCII name: letters, digits, `_`, `.`, `-`; at most 80 characters."""

Version = Annotated[str, Field(pattern=r"^(0|[1-9][0-9]*)\.(0|[1-9][0-9]*)\.(0|[1-9][0-9]*)$")]
"""A semantic version of three numbers."""

Timestamp = Annotated[
    str,
    Field(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z$"),
    AfterValidator(_timestamp),
]
"""RFC 3339 in UTC, to the second; a date that exists."""

Text = Annotated[str, Field(min_length=1, max_length=20_000)]
"""Free text for people; never compared."""

Count = Annotated[int, Field(ge=0)]
Positive = Annotated[int, Field(ge=1)]


def version_key(version: str) -> tuple[int, int, int]:
    """Orders versions by number: 1.10.0 comes after 1.9.0."""
    major, minor, patch = version.split(".")
    return int(major), int(minor), int(patch)

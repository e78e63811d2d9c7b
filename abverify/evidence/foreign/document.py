"""Reading other people's JSON: bounded, checked against a model, and refused with a place."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from math import isfinite
from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from abverify.errors import InvalidError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

MAX_BYTES = 256 << 20
"""The most that a log may have, unpacked."""


class Foreign(BaseModel):
    """A part of a log: what is used of it; the rest is left alone."""

    model_config = ConfigDict(frozen=True, extra="ignore", defer_build=True)


M = TypeVar("M", bound=Foreign)


def malformed(name: str, what: str, *, expected: str, found: str) -> InvalidError:
    """The error for a log that cannot be read."""
    return InvalidError(
        what,
        rule="AV841",
        place=name,
        expected=expected,
        found=found,
        next_step="import the file as the harness wrote it",
    )


def parse_json(data: bytes, *, name: str) -> Any:
    """The value of JSON text.

    Raises:
        InvalidError: AV841 if it is none, holds a key twice, or is too large or too deep.
    """
    if len(data) > MAX_BYTES:
        raise malformed(
            name,
            "the log is too large",
            expected=f"at most {MAX_BYTES} bytes",
            found=f"{len(data)}",
        )
    try:
        value = json.loads(data.decode("utf-8"), object_pairs_hook=_unique)
        if b"\\ud" in data or b"\\uD" in data:  # half a pair is no text, and cannot be kept
            json.dumps(value, ensure_ascii=False).encode("utf-8")
    except (ValueError, RecursionError) as error:
        found = " ".join(str(error).split())[:200] or "nested too deeply"
        raise malformed(name, "the log is not JSON", expected="JSON", found=found) from None
    return value


def read_as(model: type[M], value: Any, *, name: str) -> M:
    """A value as a model.

    Raises:
        InvalidError: AV841 naming the first place that is not as the harness writes it.
    """
    try:
        return model.model_validate(value)
    except (ValidationError, RecursionError) as error:
        where, expected = name, "the harness's own format"
        if isinstance(error, ValidationError):
            first = error.errors(include_url=False, include_input=False)[0]
            where = f"{name}: {'.'.join(map(str, first['loc']))}"
            expected = first["msg"]
        raise malformed(
            where,
            "the log is not as the harness writes it",
            expected=expected,
            found="another shape",
        ) from None


def the_one(found: Sequence[str], wanted: str | None, *, place: str, what: str) -> str:
    """The one of several whose grades count: the one that is named, or the only one.

    Args:
        found: those in the log; if there is none, nothing was graded, which the trials say.
        wanted: the one that was asked for.
        place: where they stand.
        what: what they are: `scorer`.

    Raises:
        InvalidError: AV842 if there are several, or none of that name.
    """
    if wanted in found or (wanted is None and len(found) == 1):
        return wanted or found[0]
    if not found:
        return wanted or "none"
    raise InvalidError(
        f"no {what} is called {wanted!r}" if wanted else f"one {what} must decide",
        rule="AV842",
        place=place,
        expected=f"one {what}",
        found=", ".join(found),
        next_step=f"name one of them: --scorer '{found[0]}'",
    )


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        twice = next(key for key, _ in pairs if [k for k, _ in pairs].count(key) > 1)
        raise ValueError(f"the key {twice!r} stands there twice")
    return found


def as_number(value: Any) -> float | None:
    """A grade as a number; None for what is none, or is not finite."""
    try:
        read = float(value) if isinstance(value, int | float) else None
    except OverflowError:
        return None
    return read if read is not None and isfinite(read) else None


def decimal_text(number: float | str | None) -> str | None:
    """A number as the run lock writes it, such as ``0.3``; None for none."""
    if number is None or isinstance(number, bool):
        return None
    try:
        exact = Decimal(str(number))
    except InvalidOperation:
        return None
    if not exact.is_finite():
        return None
    text = f"{exact:f}"
    return (text.rstrip("0").rstrip(".") if "." in text else text) or "0"


def timestamp(text: str | float | None, *, name: str, where: str) -> str:
    """A moment as our documents write it, from ISO 8601 text or seconds since 1970.

    Raises:
        InvalidError: AV841 if it is neither.
    """
    try:
        if isinstance(text, str):
            moment = datetime.fromisoformat(text)
            moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        else:
            moment = datetime.fromtimestamp(text, UTC)  # type: ignore[arg-type]
        return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    except (ValueError, TypeError, OverflowError, OSError):
        raise malformed(
            f"{name}: {where}", "the log does not say when", expected="a date and time",
            found=str(text)[:80],
        ) from None  # fmt: skip


def known(values: Mapping[str, Any]) -> dict[str, Any]:
    """The members that are not None."""
    return {key: value for key, value in values.items() if value is not None}

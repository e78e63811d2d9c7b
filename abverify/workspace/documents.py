"""From YAML bytes to frozen values, every fault with the line and column it stands at."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, TypeVar

from abverify._yaml import read_yaml
from abverify.errors import InvalidError, raise_all

if TYPE_CHECKING:
    from collections.abc import Sequence

    from abverify._yaml import Document, Path
    from abverify.errors import AbverifyError
    from abverify.model.value import Value

V = TypeVar("V", bound="Value")


def load_document(model: type[V], data: bytes, *, name: str) -> V:
    """Reads one strict YAML document into a frozen value.

    Raises:
        InvalidError: AV101 for bad YAML, AV102 for a fault in the content.
        FaultsError: for several such faults, all of them.
    """
    return validate(model, read_yaml(data, name=name))


def validate(model: type[V], document: Document) -> V:
    """Validates a parsed document; faults as for `load_document`."""
    from pydantic import ValidationError

    if not isinstance(document.value, dict):
        raise InvalidError(
            "not a mapping", rule="AV102", place=document.place(()), expected="key: value lines"
        )
    try:
        return model.model_validate_json(json.dumps(document.value))
    except ValidationError as error:
        faults: list[AbverifyError] = [
            _fault(item, document, model) for item in error.errors() if not _is_echo(item)
        ]
        raise_all(faults)
        raise


def _is_echo(item: Any) -> bool:
    """Whether an error only repeats that the members of a sequence were faulty.

    Pydantic counts the members that passed, and calls a sequence too short whose
    one member has a fault of its own, which is told already.
    """
    return bool(item["type"] == "too_short" and len(item["input"]) >= item["ctx"]["min_length"])


def _fault(item: Any, document: Document, model: type[Value]) -> InvalidError:
    path = _document_path(item["loc"], document)
    name = ".".join(map(str, path)) or "the document"
    kind, place = item["type"], document.place(path)
    if kind == "extra_forbidden":
        field = str(item["loc"][-1])
        return InvalidError(
            f"unknown field {field!r}",
            rule="AV102",
            place=place,
            expected=_allowed(field, path, model),
            found=field,
        )
    if kind == "missing":
        field = str(item["loc"][-1])
        return InvalidError(
            f"{name} lacks the field {field!r}", rule="AV102", place=place, expected=field
        )
    message = str(item["msg"]).removeprefix("Value error, ")
    found = None if isinstance(item["input"], dict | list) else repr(item["input"])
    return InvalidError(f"{name}: {message}", rule="AV102", place=place, found=found)


def _document_path(location: Sequence[str | int], document: Document) -> Path:
    """The longest part of pydantic's location that exists in the document.

    Union tags stand in a location but not in the document, where a key may have a tag's name.
    """
    paths: dict[Path, None] = {(): None}
    for part in location:
        longer = [(*path, part) for path in paths if (*path, part) in document.places]
        paths |= dict.fromkeys(longer)
    return max(reversed(paths), key=len)


def _allowed(field: str, path: Path, model: type[Value]) -> str:
    fields = _fields_at(model, path[:-1]) if path and path[-1] == field else []
    import difflib

    close = difflib.get_close_matches(field, fields, n=1)
    if close:
        return f"did you mean {close[0]!r}?"
    return f"one of: {', '.join(fields)}" if fields else "no such field"


def _fields_at(model: type[Value], path: Path) -> list[str]:
    """The field names of the nested value at a path of plain mappings; empty where unions begin."""
    current: Any = model
    for part in path:
        field = current.model_fields.get(part)
        current = getattr(field, "annotation", None)
        if not hasattr(current, "model_fields"):
            return []
    return sorted(info.alias or name for name, info in current.model_fields.items())

"""The statement's models as plain-data validators: the same rules, read in one pass.

The models of `statement` and `bodies` say what a record is. Here their fields become
typed dictionaries with sorted keys, so that pydantic's core checks a payload while it
parses it, and writing the result again gives the payload exactly when it was canonical.
What is not accepted here is not refused either: `parse_statement` judges it and says
what is wrong. A test holds the two against each other.
"""

from __future__ import annotations

import re
import types
from datetime import datetime
from functools import cache
from typing import (
    TYPE_CHECKING,
    Annotated,
    Any,
    Literal,
    Union,
    get_args,
    get_origin,
    get_type_hints,
)

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, TypeAdapter, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import to_json
from typing_extensions import TypedDict

from abverify._canonical import sha256_hex
from abverify.model import value as model_value
from abverify.records import fields as record_fields
from abverify.records.bodies import BODIES, Decision, Suspension

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from abverify.records.bodies import Kind

_KIND = re.compile(rb'"predicateType":"https://abverify\.dev/record/([a-z-]+)/v1"')
_MAX_INT = 2**53 - 1
_MAX_PATH = 240
_PART = r"(?!(?i:con|prn|aux|nul|com[0-9]|lpt[0-9])(?:\.|/|$))\w(?:[\w.-]*[\w-])?"
_PLAIN_PATH = re.compile(f"{_PART}(?:/{_PART})*", re.ASCII)
_MAKE: Any = TypedDict


class Shape:
    """Reads statements of the given common block, subject and bodies as plain data."""

    def __init__(self, common: type[BaseModel], subject: type[BaseModel]) -> None:
        self._common = common
        self._subject = subject
        self._adapter = cache(self._compiled)

    def read(self, payload: bytes) -> tuple[Kind, dict[str, Any]] | None:
        """A statement's kind and data, if the payload is one in canonical form; else None."""
        match = _KIND.search(payload)
        kind: Any = match[1].decode("ascii") if match else None
        if kind not in BODIES:
            return None
        try:
            value = self._adapter(kind).validate_json(payload)
        except ValidationError:
            return None
        uri = f"https://abverify.dev/record/{kind}/v1"
        if value["predicateType"] != uri or to_json(value) != payload:
            return None
        return kind, value

    def _compiled(self, kind: Kind) -> TypeAdapter[dict[str, Any]]:
        body = BODIES[kind]
        predicate = {**_fields(self._common), **_fields(body)}
        head = {
            "_type": Literal["https://in-toto.io/Statement/v1"],
            "predicate": _checked(body, _typed("Predicate", predicate)),
            "predicateType": str,
            "subject": Annotated[list[_lean(self._subject)], Field(min_length=1, max_length=1)],  # type: ignore[misc]
        }
        return TypeAdapter(_typed("Statement", head))


def built(model: type[BaseModel], data: Mapping[str, Any]) -> Any:
    """A model's instance of data that a shape accepted; nothing is checked again."""
    return model.model_construct(
        **{name: build(data[alias]) for name, alias, build in _builders(model)}
    )


@cache
def _builders(model: type[BaseModel]) -> tuple[tuple[str, str, Callable[[Any], Any]], ...]:
    hints = get_type_hints(model, include_extras=True)
    return tuple(
        (name, field.alias or name, _builder(hints[name]))
        for name, field in model.model_fields.items()
    )


def _builder(annotation: Any) -> Callable[[Any], Any]:
    origin, inner = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return _builder(inner[0])
    if origin is tuple:
        item = _builder(inner[0])
        return lambda value: tuple(map(item, value))
    if origin in (Union, types.UnionType):
        return _choice([part for part in inner if part is not type(None)])
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return lambda value: built(annotation, value)
    return _same


def _choice(parts: list[Any]) -> Callable[[Any], Any]:
    """A builder for a union: of null and one thing, or of models that differ in their keys."""
    if len(parts) == 1:
        one = _builder(parts[0])
        return lambda value: None if value is None else one(value)
    by_keys = {frozenset(_fields(part)): part for part in parts}
    return lambda value: built(by_keys[frozenset(value)], value)


def _same(value: Any) -> Any:
    return value


@cache
def _shape(model: type[BaseModel]) -> Any:
    return _checked(model, _typed(model.__name__, _fields(model)))


def _typed(name: str, members: Mapping[str, Any]) -> Any:
    """A typed dictionary whose keys come out sorted, as canonical JSON has them."""
    result = _MAKE(name, dict(sorted(members.items())))
    result.__pydantic_config__ = ConfigDict(extra="forbid", strict=True)
    return result


def hints_of(model: type[BaseModel]) -> dict[str, Any]:
    """The types of a model's fields, by their names in JSON."""
    hints = get_type_hints(model, include_extras=True)
    return {field.alias or name: hints[name] for name, field in model.model_fields.items()}


def _fields(model: type[BaseModel]) -> dict[str, Any]:
    return {name: _lean(hint) for name, hint in hints_of(model).items()}


def _lean(annotation: Any) -> Any:
    """A field's type with models as typed dictionaries and tuples as lists."""
    origin, inner = get_origin(annotation), get_args(annotation)
    if annotation in (str, type(None)) or origin is Literal:
        return annotation
    if annotation is int:
        return Annotated[int, Field(le=_MAX_INT)]
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return _shape(annotation)
    return _lean_generic(annotation, origin, inner)


def _lean_generic(annotation: Any, origin: Any, inner: tuple[Any, ...]) -> Any:
    if origin is Annotated:
        checks = dict.fromkeys(map(_quick, inner[1:]))
        return Annotated[(_lean(inner[0]), *map(_metadata, checks))]
    if origin is tuple and inner[1:] == (Ellipsis,):
        return list[_lean(inner[0])]  # type: ignore[misc]
    if origin is dict:
        return Annotated[dict[_lean(inner[0]), _lean(inner[1])], AfterValidator(_sorted)]  # type: ignore[misc]
    if origin in (Union, types.UnionType):
        return Union[tuple(map(_lean, inner))]  # noqa: UP007 (built from parts)
    raise TypeError(f"no plain shape is known for {annotation}")


def _quick(item: Any) -> Any:
    """A validator's quicker form; several may share one, which then runs once."""
    return _QUICK.get(item.func, item.func) if isinstance(item, AfterValidator) else item


def _metadata(item: Any) -> Any:
    if isinstance(item, types.FunctionType):
        return AfterValidator(item)
    if not isinstance(item, FieldInfo):
        raise TypeError(f"no plain shape is known for {item!r}")
    return item


def checks_of(model: type[BaseModel]) -> frozenset[str]:
    """The names of the checks that a model makes beside those of its fields' types."""
    decorators = model.__pydantic_decorators__
    return frozenset((*decorators.model_validators, *decorators.field_validators))


def _checked(model: type[BaseModel], shape: Any) -> Any:
    """The shape with the model's own checks between fields."""
    known = next((checks for kind, checks in _CROSS.items() if issubclass(model, kind)), {})
    if checks_of(model) != set(known):
        raise TypeError(f"no plain shape is known for what {model.__name__} checks")
    return Annotated[(shape, *map(AfterValidator, known.values()))] if known else shape


def _readable(text: str) -> str:
    plain = text.isascii() and text.isprintable() and text[0] != " " != text[-1]
    return text if plain else record_fields._readable(text)  # noqa: SLF001 (the rule itself)


def _moment(text: str) -> str:
    """Of the pattern's form already: 24:00 is the one time that one reader takes and one not."""
    if text[11:13] == "24":
        raise ValueError(f"{text!r} is no time of day")
    datetime.fromisoformat(text)
    return text


def _path(text: str) -> str:
    plain = len(text) <= _MAX_PATH and _PLAIN_PATH.fullmatch(text)
    return text if plain else model_value._relative_path(text)  # noqa: SLF001 (the rule itself)


def _sorted(value: dict[str, Any]) -> dict[str, Any]:
    if list(value) != sorted(value):
        raise ValueError("keys out of order")
    return value


def adds_up(value: dict[str, Any]) -> dict[str, Any]:
    """The check of `Decision` between its fields, of plain data.

    Raises:
        ValueError: if they contradict each other.
    """
    cited = value["evidence"]
    if len(cited) > 1:
        cited = sorted(cited, key=lambda item: str(item["path"]))
        if len({item["path"] for item in cited}) < len(cited):
            raise ValueError("the same evidence is cited twice")
    if value["checked"] > value["total"] or value["evidenceRoot"] != sha256_hex(to_json(cited)):
        raise ValueError("the decision does not add up")
    return value


def _holds_something(value: dict[str, Any]) -> dict[str, Any]:
    if value["scope"] is None and not value["gates"]:
        raise ValueError("a suspension names a scope, or at least one gate")
    return value


_QUICK: Mapping[Any, Callable[[str], str]] = {
    record_fields._readable: _readable,  # noqa: SLF001
    record_fields._moment: _moment,  # noqa: SLF001
    model_value._timestamp: _moment,  # noqa: SLF001
    model_value._relative_path: _path,  # noqa: SLF001
}
_CROSS: Mapping[type[BaseModel], Mapping[str, Callable[[dict[str, Any]], dict[str, Any]]]] = {
    Decision: {"_adds_up": adds_up},
    Suspension: {"_holds_something": _holds_something},
}

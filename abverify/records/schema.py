"""One JSON Schema for all six kinds of record, composed of the very models that read them."""

from __future__ import annotations

from functools import reduce
from operator import or_
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Field, RootModel, create_model

from abverify.records.bodies import BODIES
from abverify.records.fields import RecordValue
from abverify.records.statement import PREDICATE_TYPES, STATEMENT, Common, Subject

if TYPE_CHECKING:
    from abverify.records.bodies import Kind


def _statement(kind: Kind) -> Any:
    """The statement of one kind: the common block and the kind's own fields in one predicate."""
    name = "".join(word.capitalize() for word in kind.split("-"))
    predicate = create_model(f"{name}Predicate", __base__=(Common, BODIES[kind]))
    fields: dict[str, Any] = {
        "type_": (Literal[STATEMENT], Field(alias="_type")),
        "subject": (tuple[Subject], ...),
        "predicate_type": (Literal[PREDICATE_TYPES[kind]], ...),
        "predicate": (predicate, ...),
    }
    return create_model(name, __base__=RecordValue, __doc__=f"A {kind}.", **fields)


_KINDS: Any = reduce(or_, [_statement(kind) for kind in BODIES])
AnyRecord: Any = RootModel[Annotated[_KINDS, Field(discriminator="predicate_type")]]
"""Whatever may stand in the payload of a record's envelope."""

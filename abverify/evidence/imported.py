"""`imported.json`: how much of an imported run is proven, and why it may not decide."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from abverify._canonical import parse_canonical
from abverify.errors import UntrustedError
from abverify.evidence.foreign.log import ProblemCode, Standing, Tool
from abverify.evidence.lock import Scalar
from abverify.evidence.manifest import FileDigest
from abverify.model.value import Positive, Value

IMPORTED_SCHEMA: Literal["abverify/imported/v1"] = "abverify/imported/v1"


class ClaimDocument(Value):
    """A value of the run lock: computed by us or only said by the log, and where it stands."""

    standing: Standing
    value: Scalar
    where: str


class ProblemDocument(Value):
    """One reason why the run may not decide."""

    code: ProblemCode
    message: str
    where: str
    expected: str
    found: str


class Imported(Value):
    """The document; keys of the run lock that it does not name are absent from the log."""

    schema_: Annotated[Literal["abverify/imported/v1"], Field(alias="schema")]
    reader: Positive
    """Version of the code that read the log."""
    tool: Tool
    version: str | None
    task: str
    scorer: str
    scorer_named: bool
    """Whether the scorer was named by whoever imported it."""
    logs: tuple[FileDigest, ...]
    claims: dict[str, ClaimDocument]
    problems: tuple[ProblemDocument, ...]


def parse_imported(data: bytes, *, name: str) -> Imported:
    """Reads the document from its canonical bytes.

    Raises:
        UntrustedError: AV401 if they are none.
    """
    parse_canonical(data, name=name)
    try:
        return Imported.model_validate_json(data)
    except ValueError as error:
        found = " ".join(str(error).split())[:300]
        raise UntrustedError(
            "not an account of an import",
            rule="AV401",
            place=name,
            expected=IMPORTED_SCHEMA,
            found=found,
        ) from None

"""The values that records are made of: camelCase in JSON, plain text, real moments."""

import unicodedata
from typing import Annotated

from pydantic import AfterValidator, ConfigDict, Field
from pydantic.alias_generators import to_camel

from abverify._clock import parse_timestamp
from abverify.model.ids import GATE_ID_PATTERN
from abverify.model.value import Identifier, Sha256, Timestamp, Value

_INVISIBLE = frozenset(("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"))


class RecordValue(Value):
    """A frozen value whose JSON names are lowerCamelCase."""

    model_config = ConfigDict(alias_generator=to_camel)


def _readable(text: str) -> str:
    if unicodedata.normalize("NFC", text) != text:
        raise ValueError("expected text in Unicode normal form C")
    hidden = [c for c in text if unicodedata.category(c) in _INVISIBLE]
    if hidden:
        raise ValueError(f"expected visible characters only, found U+{ord(hidden[0]):04X}")
    if text != text.strip():
        raise ValueError("expected no white space at the ends")
    return text


def _moment(text: str) -> str:
    parse_timestamp(text)
    return text


Prose = Annotated[str, Field(min_length=1, max_length=2000), AfterValidator(_readable)]
"""One line for people: NFC, and nothing in it that a reader cannot see."""

Moment = Annotated[Timestamp, AfterValidator(_moment)]
"""An RFC 3339 time in UTC, to the second, that exists."""

Exact = Annotated[str, Field(pattern=r"^-?(0|[1-9][0-9]{0,23})(\.[0-9]{1,24}|/[1-9][0-9]{0,23})?$")]
"""An exact number as text: an integer, a decimal, or a fraction such as `1/6`."""

Origin = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._/-]{0,199}$")]
"""What the ledger calls itself, for example `github.com/ORG/REPO`: one name, one ledger."""

GateName = Annotated[str, Field(pattern=GATE_ID_PATTERN)]
"""A gate's qualified id."""


class Digest(RecordValue):
    """A SHA-256, under the name of its algorithm."""

    sha256: Sha256


class GateDigest(RecordValue):
    """A gate, and the digest of something of it."""

    gate: GateName
    sha256: Sha256


class Actor(RecordValue):
    """Who issues a record, as the trust root names them, and in which role."""

    id: Identifier
    role: Identifier

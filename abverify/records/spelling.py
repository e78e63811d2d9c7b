"""The one spelling of a decision, as a pattern: what is spelt so needs no parser.

Canonical JSON leaves a statement one spelling, and the models say which characters may
stand in each of its places. So they can be written as one regular expression, built from
the models field by field, which reads a decision in a fraction of the time that parsing,
checking and writing it again would take. It is stricter where that is simpler: text beyond
printable ASCII, escapes, huge numbers and leap days are left to `shape`, which reads
everything. Nothing is accepted here that `shape` does not accept; a test holds the two
against each other, mutation by mutation.

Only decisions are read so, because long ledgers are made of them.
"""

from __future__ import annotations

import json
import re
import types
from functools import cache
from typing import TYPE_CHECKING, Annotated, Any, Literal, NamedTuple, Union, get_args, get_origin

from pydantic import BaseModel

from abverify._canonical import sha256_hex
from abverify.model.value import RelativePath
from abverify.records.bodies import BODIES, Decision
from abverify.records.fields import Moment, Prose
from abverify.records.shape import adds_up, checks_of, hints_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from abverify.records.bodies import Kind

DECISIONS: tuple[Kind, ...] = ("non-discharge", "discharge")
"""The kinds of record that are read so."""

_INTEGER = {0: "(?:0|[1-9][0-9]{0,14})", 1: "[1-9][0-9]{0,14}"}
"""Integers from a lower bound on; each far below what canonical JSON allows."""

_MONTHS_AND_DAYS = (
    "(?:(?:0[1-9]|1[0-2])-(?:0[1-9]|1[0-9]|2[0-8])"
    "|(?:0[13-9]|1[0-2])-(?:29|30)|(?:0[13578]|1[02])-31)"
)
_PART = r'(?!(?i:con|prn|aux|nul|com[0-9]|lpt[0-9])[./"])\w[\w.-]*(?<!\.)'
_TEXTS: tuple[tuple[Any, str], ...] = (
    (Prose, r"(?! )[ !#-\[\]-~]{1,2000}(?<! )"),
    (RelativePath, f'(?=[^"]{{1,240}}"){_PART}(?:/{_PART})*'),
    (
        Moment,
        f"(?!0000)[0-9]{{4}}-{_MONTHS_AND_DAYS}T(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]Z",
    ),
)
"""The texts that a rule of their own checks, and that rule as a pattern."""


class Facts(NamedTuple):
    """What verification asks of a record, as it is spelt there.

    Attributes:
        actor: who issued it.
        role: in which role.
        root: the root of the log that its signers saw.
        size: the size of that log.
        version: the version of the contract.
        gate: the gate.
        prior: the digest of the record before it; None for the first.
        seq: its place in the gate's chain.
        issued_at: when its signers say that it was issued.
        origin: the ledger that it belongs to.
        trust_sha256: the digest of the trust root that it was issued under.
        trust_version: the version of that trust root.
        until: until when a discharge counts; None for any other kind.
        digest: the digest of the contract version that it is about.
        subject: the path of that contract version.
    """

    actor: str
    role: str
    root: str
    size: int
    version: str
    gate: str
    prior: str | None
    seq: int
    issued_at: str
    origin: str
    trust_sha256: str
    trust_version: int
    until: str | None
    digest: str
    subject: str


def facts_of(value: Mapping[str, Any]) -> Facts:
    """The same of a statement in plain data that `shape` accepted."""
    predicate, subject = value["predicate"], value["subject"][0]
    actor, basis, gate = predicate["actor"], predicate["basis"], predicate["gate"]
    return Facts(
        actor["id"],
        actor["role"],
        basis["root"],
        basis["size"],
        gate["contractVersion"],
        gate["id"],
        gate["prior"] and gate["prior"]["sha256"],
        gate["seq"],
        predicate["issuedAt"],
        predicate["ledger"]["origin"],
        predicate["trustRoot"]["sha256"],
        predicate["trustRoot"]["version"],
        predicate.get("validUntil"),
        subject["digest"]["sha256"],
        subject["name"],
    )


_PLACES = (
    "/predicate/actor/id",
    "/predicate/actor/role",
    "/predicate/basis/root",
    "/predicate/basis/size",
    "/predicate/checked",
    "/predicate/evidence",
    "/predicate/evidenceRoot",
    "/predicate/gate/contractVersion",
    "/predicate/gate/id",
    "/predicate/gate/prior/sha256",
    "/predicate/gate/seq",
    "/predicate/issuedAt",
    "/predicate/ledger/origin",
    "/predicate/total",
    "/predicate/trustRoot/sha256",
    "/predicate/trustRoot/version",
    "/predicate/validUntil",
    "/subject/digest/sha256",
    "/subject/name",
)
"""The places whose spelling is kept, by the keys that lead there, in the order of the text."""


class Spelling:
    """Reads decisions of the given common block and subject."""

    def __init__(self, common: type[BaseModel], subject: type[BaseModel]) -> None:
        self._common = common
        self._subject = subject
        self._pattern = cache(self._compiled)

    def read(self, kind: Kind, payload: bytes) -> Facts | None:
        """What verification asks of a decision, if the payload is one in plain spelling."""
        if kind not in DECISIONS or not payload.isascii():
            return None
        match = self._pattern(kind).fullmatch(payload.decode("ascii"))
        if match is None:
            return None
        (
            actor, role, root, size, checked, evidence, evidence_root, version, gate, prior, seq,
            issued, origin, total, trust, trust_version, *until, digest, subject,
        ) = match.groups()  # fmt: skip
        if int(checked) > int(total) or not _rests_on(evidence, evidence_root):
            return None
        return Facts(
            actor, role, root, int(size), version, gate, prior, int(seq),
            issued, origin, trust, int(trust_version), until[0] if until else None, digest, subject,
        )  # fmt: skip

    def _compiled(self, kind: Kind) -> re.Pattern[str]:
        body = BODIES[kind]
        if checks_of(body) - {"_adds_up"} or not issubclass(body, Decision):
            raise TypeError(f"no spelling is known for what {body.__name__} checks")
        subject = _object(hints_of(self._subject), "/subject")
        members = {
            "_type": _literal("https://in-toto.io/Statement/v1"),
            "predicate": _object(hints_of(self._common) | hints_of(body), "/predicate"),
            "predicateType": _literal(f"https://abverify.dev/record/{kind}/v1"),
            "subject": rf"\[{subject}\]",
        }
        return re.compile(_members(members), re.ASCII)


def _rests_on(evidence: str, root: str) -> bool:
    """Whether that is the digest of the cited evidence, a list sorted by path."""
    if evidence.count("{") == 1:
        return sha256_hex(evidence.encode("ascii")) == root
    try:
        adds_up({"evidence": json.loads(evidence), "evidenceRoot": root, "checked": 0, "total": 0})
    except ValueError:
        return False
    return True


def _spelt(annotation: Any, place: str) -> str:
    """How a value of a type is spelt, kept if the place is one of those that are asked for."""
    pattern = _pattern(annotation, place)
    return f"({pattern})" if place in _PLACES and not pattern.startswith('"') else pattern


def _pattern(annotation: Any, place: str) -> str:
    for known, pattern in _TEXTS:
        if annotation == known:
            return _text(pattern, place)
    origin, inner = get_origin(annotation), get_args(annotation)
    if origin is Literal:
        return _either(map(_literal, inner))
    if origin in (Union, types.UnionType):
        return _either(_spelt(part, place) for part in inner)
    if annotation is type(None):
        return "null"
    if origin is Annotated:
        return _limited(inner[0], [m for field in inner[1:] for m in field.metadata], place)
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return _object(hints_of(annotation), place)
    raise TypeError(f"no spelling is known for {annotation}")


def _limited(kind: Any, limits: list[Any], place: str) -> str:
    """The spelling of a text with a pattern, of an integer with a bound, or of a list."""
    told = {name: getattr(m, name) for m in limits for name in _LIMITS if hasattr(m, name)}
    if kind is str and set(told) == {"pattern"}:
        return _text(told["pattern"].removeprefix("^").removesuffix("$"), place)
    if kind is int and set(told) == {"ge"}:
        return _INTEGER[told["ge"]]
    if get_origin(kind) is tuple and set(told) == {"min_length", "max_length"}:
        item = _spelt(get_args(kind)[0], f"{place}/*")
        more = f"{item}(?:,{item}){{0,{told['max_length'] - 1}}}"
        return rf"\[{more}\]" if told["min_length"] == 1 else rf"\[(?:{more})?\]"
    raise TypeError(f"no spelling is known for {kind} with {told}")


_LIMITS = ("pattern", "ge", "min_length", "max_length")


def _object(hints: Mapping[str, Any], place: str) -> str:
    return _members({key: _spelt(hint, f"{place}/{key}") for key, hint in hints.items()})


def _members(members: Mapping[str, str]) -> str:
    spelt = ",".join(f"{_literal(key)}:{value}" for key, value in sorted(members.items()))
    return rf"\{{{spelt}\}}"


def _text(pattern: str, place: str) -> str:
    """A text; its own groups keep nothing."""
    plain = re.sub(r"(?<!\\)\((?!\?)", "(?:", pattern)
    return f'"({plain})"' if place in _PLACES else f'"{plain}"'


def _literal(text: str) -> str:
    return f'"{re.escape(text)}"'


def _either(patterns: Iterable[str]) -> str:
    return f"(?:{'|'.join(patterns)})"

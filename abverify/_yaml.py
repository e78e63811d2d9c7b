"""A strict YAML reader: one reading for every document, and a place for every value.

YAML lets one text mean several things (`017`, `1_000`, `no`, `.nan`, anchors,
merge keys, tags, duplicate keys). A contract must not. The reader works on
libyaml's parse events, refuses there, and builds values and positions in one
pass; depth and size are bounded before anything is built.
"""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING, Any, TypeAlias

from abverify._frozen import frozen
from abverify.errors import InvalidError, Place

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

Path: TypeAlias = tuple[str | int, ...]

MAX_BYTES = 1 << 20
MAX_DEPTH = 32
# The parser takes some 50 microseconds a value and is quadratic in the length of some lines.
MAX_VALUES = 20_000
MAX_LINE = 1 << 16

_INTEGER = re.compile(r"-?(0|[1-9][0-9]*)")
_CONSTANTS = {"null": None, "~": None, "true": True, "false": False}
# What some YAML reader takes for a number, a time or a date: floats, `017`, `0x1F`, `0o17`,
# `0b1`, `1_000`, `1:30`, `2026-01-31`.
_NUMBER_LIKE = re.compile(
    r"[-+]?([0-9][0-9_]*(\.[0-9_]*)?|\.[0-9_]+)([eE][-+]?[0-9]+)?"
    r"|[-+]?0([xX][0-9a-fA-F_]+|[oO][0-7_]+|[bB][01_]+)"
    r"|[-+]?[0-9][0-9_]*(:[0-5]?[0-9])+(\.[0-9_]*)?"
    r"|[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}([Tt ].*)?"
)
_AMBIGUOUS = re.compile(
    r"(?i:\.nan|nan|[-+]?\.?inf(inity)?|yes|no|on|off|y|n|true|false|null)|=|<<|[-+]?\."
)
# C0 and C1 controls but tab and newline, the separators that YAML 1.1 breaks lines at and 1.2
# does not, lone surrogates, and the bidirectional marks that can hide text.
_UNPRINTABLE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff\ud800-\udfff]"
)
_UNPRINTABLE_MESSAGE = "a control or text-direction character"
_MAX_INTEGER_DIGITS = 15


@frozen
class Document:
    """A parsed document: its plain value, and where each part of it stands.

    Attributes:
        name: the file's name, as it appears in messages.
        value: dicts, lists, strings, integers, booleans and None.
        places: the place of each value by its path; the empty path is the root.
    """

    name: str
    value: Any
    places: Mapping[Path, Place]

    def place(self, path: Path) -> Place:
        """The place of the value at `path`, or of its nearest parent that has one."""
        while path and path not in self.places:
            path = path[:-1]
        return self.places.get(path, Place(self.name))


def read_yaml(data: bytes, *, name: str) -> Document:
    """Reads one strict YAML document.

    Args:
        data: the file's bytes.
        name: the file's name, for messages.

    Raises:
        InvalidError: AV101 for anything that is not one strict document.
    """
    if len(data) > MAX_BYTES:
        raise _refusal("the file is too large", Place(name), "at most 1 MiB", f"{len(data)} bytes")
    if data.startswith(b"\xef\xbb\xbf"):
        raise _refusal("the file starts with a byte order mark", Place(name, 1, 1), "plain UTF-8")
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise _refusal("the file is not UTF-8", Place(name, line), "UTF-8 text") from None
    _refuse_hidden_text(text, name)
    _refuse_hard_lines(text, name)
    return _Builder(name).build(text)


def _named(problem: str, text: str, mark: Any) -> str:
    """The problem, with the character that it is about: a tab cannot be seen."""
    lines = text.splitlines()
    if mark is None or "found character" not in problem or mark.line >= len(lines):
        return problem
    found = lines[mark.line][mark.column : mark.column + 1]
    return problem.replace("found character", f"found the character {found!r}", 1)


def _refusal(message: str, place: Place, expected: str, found: str | None = None) -> InvalidError:
    return InvalidError(message, rule="AV101", place=place, expected=expected, found=found)


def _refuse_hidden_text(text: str, name: str) -> None:
    """Looks at comments too: what a reviewer sees must be what the parser reads."""
    for number, line in enumerate(text.replace("\r\n", "\n").split("\n"), 1):
        bad = _UNPRINTABLE.search(line)
        if bad:
            place = Place(name, number, bad.start() + 1)
            found = f"U+{ord(bad.group()):04X}"
            raise _refusal(_UNPRINTABLE_MESSAGE, place, "printable text", found)


def _refuse_hard_lines(text: str, name: str) -> None:
    """Bounds what one line may hold before the parser, whose own cost grows faster than that."""
    for number, line in enumerate(text.split("\n"), 1):
        if len(line) > MAX_LINE:
            expected, found = f"at most {MAX_LINE} characters", f"{len(line)} characters"
            raise _refusal("a line is too long", Place(name, number), expected, found)
        if line.count("[") + line.count("{") > MAX_DEPTH * 8:
            raise _refusal("too many brackets on one line", Place(name, number), "a flat value")


class _Builder:
    """Turns parse events into a `Document`, refusing what has more than one reading."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._places: dict[Path, Place] = {}
        self._values = 0

    def build(self, text: str) -> Document:
        from yaml import MarkedYAMLError, YAMLError

        try:
            value = self._document(parse_events(text))
        except MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            place = Place(self._name, mark.line + 1, mark.column + 1) if mark else Place(self._name)
            problem = _named(" ".join(str(error.problem or error.context).split()), text, mark)
            raise _refusal(f"not valid YAML: {problem}", place, "one YAML document") from None
        except (YAMLError, ValueError) as error:
            text = " ".join(str(error).split())[:200]
            raise _refusal(f"not valid YAML: {text}", Place(self._name), "valid YAML") from None
        return Document(self._name, value, self._places)

    def _document(self, events: Iterator[Any]) -> Any:
        next(events)
        event = next(events)
        if event_kind(event) != "DocumentStart":
            raise _refusal("the file is empty", Place(self._name), "a YAML mapping")
        if event.tags or event.version:
            raise self._at(event, "YAML directives are not allowed", "no % directive")
        value = self._node(next(events), events, ())
        next(events)
        event = next(events)
        if event_kind(event) != "StreamEnd":
            raise self._at(event, "more than one document", "exactly one YAML document")
        return value

    def _at(
        self, event: Any, message: str, expected: str, found: str | None = None
    ) -> InvalidError:
        return _refusal(message, self._place(event), expected, found)

    def _place(self, event: Any) -> Place:
        mark = event.start_mark
        return Place(self._name, mark.line + 1, mark.column + 1)

    def _node(self, event: Any, events: Iterator[Any], path: Path) -> Any:
        self._admit(event)
        if len(path) > MAX_DEPTH:
            raise self._at(event, "nested too deeply", f"at most {MAX_DEPTH} levels")
        self._places[path] = self._place(event)
        match event_kind(event):
            case "Scalar":
                return self._scalar(event)
            case "MappingStart":
                return self._mapping(events, path)
            case "SequenceStart":
                return self._sequence(events, path)
        raise self._at(event, "unexpected YAML", "a mapping, a sequence or a scalar")

    def _admit(self, event: Any) -> None:
        """Refuses what stands for another value, and more values than any document needs."""
        if event_kind(event) == "Alias":
            raise self._at(event, "aliases are not allowed", "the value itself", f"*{event.anchor}")
        if event.anchor is not None:
            raise self._at(event, "anchors are not allowed", "the value itself", f"&{event.anchor}")
        if event.tag is not None:
            raise self._at(event, "tags are not allowed", "a plain value", str(event.tag))
        self._values += 1
        if self._values > MAX_VALUES:
            raise self._at(event, "too many values", f"at most {MAX_VALUES} keys and values")

    def _mapping(self, events: Iterator[Any], path: Path) -> dict[str, Any]:
        result: dict[str, Any] = {}
        while event_kind(event := next(events)) != "MappingEnd":
            self._admit(event)
            if event_kind(event) != "Scalar":
                raise self._at(event, "a key must be a plain word", "a string key")
            key = self._scalar(event)
            if not isinstance(key, str):
                raise self._at(event, "a key must be a string", "a string key", event.value)
            if key in result:
                raise self._at(event, f"duplicate key {key!r}", "each key once", key)
            value = next(events)
            if event_kind(value) == "Scalar" and not (
                value.value or value.style or value.anchor or value.tag
            ):
                # The parser places an empty value at the next key: the key says better where.
                raise self._at(event, f"the key {key!r} has no value", "a value, or null")
            result[key] = self._node(value, events, (*path, key))
        return result

    def _sequence(self, events: Iterator[Any], path: Path) -> list[Any]:
        result: list[Any] = []
        while event_kind(event := next(events)) != "SequenceEnd":
            result.append(self._node(event, events, (*path, len(result))))
        return result

    def _scalar(self, event: Any) -> Any:
        text: str = event.value
        if event.style:
            return self._clean(event, text)
        if text == "":
            raise self._at(event, "a value is missing", "a value, or null")
        if text in _CONSTANTS:
            return _CONSTANTS[text]
        if _INTEGER.fullmatch(text) and text != "-0":
            return self._integer(event, text)
        if _AMBIGUOUS.fullmatch(text):
            raise self._at(event, "an ambiguous word must be quoted", f'"{text}"', text)
        if _NUMBER_LIKE.fullmatch(text):
            message = "a number that is not a plain integer must be quoted"
            raise self._at(event, message, f'"{text}"', text)
        if "\t" in text:
            raise self._at(event, "a tab in an unquoted value", "spaces, or a quoted value")
        return self._clean(event, text)

    def _integer(self, event: Any, text: str) -> int:
        if len(text.lstrip("-")) > _MAX_INTEGER_DIGITS:
            raise self._at(event, "the integer is too large", "at most 15 digits", text[:40])
        return int(text)

    def _clean(self, event: Any, text: str) -> str:
        bad = _UNPRINTABLE.search(text)
        if bad:
            found = f"U+{ord(bad.group()):04X}"
            raise self._at(event, f"{_UNPRINTABLE_MESSAGE} in a string", "printable text", found)
        return text


def parse_events(text: str) -> Iterator[Any]:
    """A text's parse events. libyaml itself is required: a second parser may read otherwise.

    Raises:
        yaml.YAMLError: where the text is no YAML.
    """
    from yaml import CLoader

    parser = CLoader(text)
    while (event := parser.get_event()) is not None:
        yield event


def event_kind(event: Any) -> str:
    """What an event is: `Scalar`, `Alias`, `MappingStart` and their like."""
    return _without_suffix(type(event).__name__)


@cache
def _without_suffix(name: str) -> str:
    return name.removesuffix("Event")

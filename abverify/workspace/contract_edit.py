"""Changing single values of a contract's text: every other byte stays as it is.

The parser says where each value begins and ends; exactly that span is replaced. A key
that the schema knows and the document leaves out is inserted where the schema has it.
What comes out is read again, and must differ by the one value that was asked for.
"""

from __future__ import annotations

import copy
import difflib
import json
import re
from typing import TYPE_CHECKING, Any

from abverify._frozen import frozen
from abverify._yaml import read_yaml
from abverify.errors import InvalidError, UsageError
from abverify.model.contract import Contract
from abverify.workspace.yaml_spans import Node, nodes_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from abverify._yaml import Path

_INDEX = re.compile(r"\[([0-9]+)\]")
_GIVEN = re.compile(r"(?P<path>[A-Za-z0-9_.\[\]-]+)=(?P<value>.*)", re.DOTALL)
_IN_FLOW = re.compile(r"[,\[\]{}]")
_VALUE = "value"


@frozen
class Setting:
    """One `PATH=VALUE` as given.

    Attributes:
        path: the path as written: keys and positions, or ids of list members, joined by dots.
        value: the value, read as strict YAML.
        text: the value as written.
    """

    path: str
    value: Any
    text: str

    @classmethod
    def read(cls, given: str) -> Setting:
        """Reads `PATH=VALUE`.

        Raises:
            UsageError: AV744 for another shape, or a value that is not strict YAML on one line.
        """
        match = _GIVEN.fullmatch(given)
        if match is None or "\n" in given or not match["value"].strip():
            raise _no_setting(given, "no PATH=VALUE on one line")
        path, text = match["path"], match["value"].strip()
        try:
            document = read_yaml(f"{_VALUE}: {text}\n".encode(), name="--set")
        except InvalidError as error:
            raise _no_setting(given, error.message, error.expected) from None
        if set(document.value) != {_VALUE}:
            raise _no_setting(given, "more than one value")
        node = nodes_of(f"{_VALUE}: {text}\n")[(_VALUE,)]
        written = f"{_VALUE}: {text}\n"[node.start : node.end]
        return cls(path, document.value[_VALUE], written)

    @classmethod
    def of(cls, path: str, value: str) -> Setting:
        """A setting of a text, written plain where that reads back as the same text."""
        try:
            setting = cls.read(f"{path}={value}")
        except UsageError:
            return cls(path, value, json.dumps(value, ensure_ascii=False))
        same = setting.value == value and setting.text == value
        return setting if same else cls(path, value, json.dumps(value, ensure_ascii=False))


def edited(data: bytes, name: str, settings: Sequence[Setting]) -> bytes:
    """A contract's bytes with some values changed.

    Args:
        data: the contract's bytes.
        name: its file, for messages.
        settings: what to change, in order.

    Raises:
        UsageError: AV744 for a path given twice, AV745 for one that no contract has.
        InvalidError: AV101 if the contract is no strict YAML, AV744 if a value cannot stand there.
    """
    paths = [setting.path for setting in settings]
    twice = next((path for path in paths if paths.count(path) > 1), None)
    if twice is not None:
        raise _no_setting(twice, "the same path twice")
    for setting in settings:
        data = _with(data, name, setting)
    return data


def _with(data: bytes, name: str, setting: Setting) -> bytes:
    document = read_yaml(data, name=name)
    text = data.decode("utf-8")
    nodes = nodes_of(text)
    path = _resolved(setting.path, document.value)
    if path in nodes:
        changed = _replaced(text, nodes[path], setting)
    else:
        changed = _inserted(text, nodes, path, setting, _order(path))
    result = changed.encode("utf-8")
    _prove(result, name, _expected(document.value, path, setting.value), setting)
    return result


def _replaced(text: str, node: Node, setting: Setting) -> str:
    return text[: node.start] + _written(setting, node, in_flow=node.in_flow) + text[node.end :]


def _written(setting: Setting, old: Node | None, *, in_flow: bool) -> str:
    """The value as given, or in quotes where the old one has them or the place needs them."""
    if not isinstance(setting.value, str):
        return setting.text
    plain = setting.text == setting.value
    quoted = old is not None and old.style == '"'
    if quoted or (plain and in_flow and _IN_FLOW.search(setting.text)):
        return json.dumps(setting.value, ensure_ascii=False)
    return setting.text


def _inserted(
    text: str,
    nodes: Mapping[Path, Node],
    path: Path,
    setting: Setting,
    order: Sequence[str],
) -> str:
    parent, key = nodes[path[:-1]], path[-1]
    label = "" if isinstance(key, int) else f"{key}: "
    before = _before(parent, key, order)
    written = label + _written(setting, None, in_flow=parent.flow)
    if parent.flow:
        at = parent.start + 1 if before is None else nodes[(*path[:-1], before)].end
        first, last = ("", ", " if parent.members else "") if before is None else (", ", "")
        return f"{text[:at]}{first}{written}{last}{text[at:]}"
    line = " " * parent.column + ("- " if isinstance(key, int) else "") + written
    if before is None:
        return f"{text[: parent.start]}{line.lstrip()}\n{' ' * parent.column}{text[parent.start :]}"
    end = text.find("\n", nodes[(*path[:-1], before)].end)
    head, tail = (text, "") if end < 0 else (text[:end], text[end + 1 :])
    return f"{head}\n{line}\n{tail}"


def _before(parent: Node, key: str | int, order: Sequence[str]) -> str | int | None:
    """The member that a new one goes after; None for the first place."""
    if isinstance(key, int):
        return key - 1 if key else None
    earlier = order[: order.index(key)]
    return next((name for name in reversed(earlier) if name in parent.members), None)


def _expected(value: Any, path: Path, new: Any) -> Any:
    result = copy.deepcopy(value)
    target = result
    for part in path[:-1]:
        target = target[part]
    if isinstance(target, list) and path[-1] == len(target):
        target.append(new)
    else:
        target[path[-1]] = new
    return result


def _prove(data: bytes, name: str, expected: Any, setting: Setting) -> None:
    try:
        found = read_yaml(data, name=name).value
    except InvalidError:
        found = None
    if found != expected:
        raise InvalidError(
            "the value cannot be put there without touching others",
            rule="AV744",
            place=name,
            expected=f"{setting.path} with another value, and nothing else changed",
            found=setting.text,
            next_step="edit the contract by hand, then abverify amend GATE --reason …",
        )


def _resolved(written: str, value: Any) -> Path:
    """The path of keys and positions that a written path stands for; its last part may be new."""
    parts = [part for part in _INDEX.sub(r".\1", written).split(".") if part]
    path: list[str | int] = []
    for number, part in enumerate(parts):
        step = _step(value, part)
        if step is None:
            step = _new(value, part, tuple(path)) if number == len(parts) - 1 else None
            if step is None:
                raise _unknown(written, _neighbours(value, tuple(path)))
            return (*path, step)
        path.append(step)
        value = value[step]
    return tuple(path)


def _step(value: Any, part: str) -> str | int | None:
    if isinstance(value, dict):
        return part if part in value else None
    if isinstance(value, list):
        if part.isdecimal() and int(part) < len(value):
            return int(part)
        ids = [item.get("id") if isinstance(item, dict) else None for item in value]
        return ids.index(part) if part in ids else None
    return None


def _new(value: Any, part: str, path: Path) -> str | int | None:
    """A member that may be added: the next of a list, or a key that the schema knows."""
    if isinstance(value, list):
        return len(value) if part == str(len(value)) else None
    return part if isinstance(value, dict) and part in _order((*path, part)) else None


def _order(path: Path) -> tuple[str, ...]:
    """The keys that the contract's schema knows beside a path's last part, in its order."""
    schema = Contract.model_json_schema(by_alias=True)
    places = [schema]
    for part in path[:-1]:
        places = [inner for place in places for inner in _inner(schema, place, part)]
    whole = [item for place in places for item in _alternatives(schema, place)]
    return tuple(dict.fromkeys(key for item in whole for key in item.get("properties", {})))


def _inner(schema: Any, place: Any, part: str | int) -> Iterator[Any]:
    for item in _alternatives(schema, place):
        if isinstance(part, int) and "items" in item:
            yield item["items"]
        elif part in item.get("properties", {}):
            yield item["properties"][part]


def _alternatives(schema: Any, place: Any) -> Iterator[Any]:
    if "$ref" in place:
        yield from _alternatives(schema, schema["$defs"][place["$ref"].rsplit("/", 1)[-1]])
        return
    yield place
    for word in ("anyOf", "oneOf"):
        for item in place.get(word, ()):
            yield from _alternatives(schema, item)


def _neighbours(value: Any, path: Path) -> tuple[str, ...]:
    """The paths that stand right below a value, and those that could, written with dots."""
    head = "".join(f"{part}." for part in path)
    found = [f"{head}{key}" for key in _order((*path, ""))]
    if isinstance(value, dict):
        found += [f"{head}{key}" for key in value]
    if isinstance(value, list):
        ids = [item.get("id", n) if isinstance(item, dict) else n for n, item in enumerate(value)]
        found += [f"{head}{name}" for name in (*ids, len(value))]
    return tuple(dict.fromkeys(found))


def _unknown(written: str, known: Sequence[str]) -> UsageError:
    close = difflib.get_close_matches(written, known, n=3, cutoff=0.6)
    shown = f"did you mean {' or '.join(close)}?" if close else f"one of: {', '.join(known)}"
    return UsageError(
        "no contract has a field at that path",
        rule="AV745",
        place="--set",
        expected=shown if known else "a path of keys joined by dots",
        found=written,
        next_step="abverify schema contract lists the fields",
    )


def _no_setting(given: str, found: str, expected: str | None = None) -> UsageError:
    return UsageError(
        "this sets nothing",
        rule="AV744",
        place=f"--set {given}",
        expected=f"PATH=VALUE, VALUE in strict YAML{f': {expected}' if expected else ''}",
        found=found,
        next_step="quote it for the shell and for YAML: "
        "--set 'config.sampling.temperature=\"0.2\"'",
    )

"""Documents that are not ours: read as plain data, with every guess of YAML left as it is."""

from __future__ import annotations

import json
from datetime import date, datetime
from typing import Any

from abverify.errors import InvalidError

MAX_BYTES = 4 << 20


def read_foreign(data: bytes, name: str) -> Any:
    """A YAML document as plain JSON data; dates become ISO texts.

    Raises:
        InvalidError: AV740 if it is no YAML, too large, or refers to itself.
    """
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    if len(data) > MAX_BYTES:
        raise _unreadable(name, f"{len(data)} bytes, more than {MAX_BYTES}")
    try:
        return _plain(YAML(typ="safe").load(data))
    except (YAMLError, ValueError, RecursionError) as error:
        raise _unreadable(name, " ".join(str(error).split())[:200]) from None


def _plain(value: Any) -> Any:
    """The value with text keys and without anything that JSON does not know."""
    if isinstance(value, dict):
        return {str(key): _plain(member) for key, member in value.items()}
    if isinstance(value, list | tuple | set):
        return [_plain(member) for member in value]
    if isinstance(value, date | datetime):
        return value.isoformat()
    json.dumps(value)
    return value


def _unreadable(name: str, found: str) -> InvalidError:
    return InvalidError(
        "the document cannot be read",
        rule="AV740",
        place=name,
        expected="a YAML document of plain values",
        found=found,
    )

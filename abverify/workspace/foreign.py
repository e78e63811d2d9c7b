"""Documents that are not ours: read as plain data, every scalar as the text it is written as.

Nothing is guessed: `1.10` stays a version and does not become a number, `no` stays a word.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from abverify.errors import InvalidError

MAX_BYTES = 4 << 20


@lru_cache(maxsize=64)
def read_foreign(data: bytes, name: str) -> Any:
    """A YAML document as mappings, lists and texts; the caller must not change it.

    Raises:
        InvalidError: AV740 if it is no YAML, too large, or refers to itself.
    """
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    if len(data) > MAX_BYTES:
        raise _unreadable(name, f"{len(data)} bytes, more than {MAX_BYTES}")
    try:
        return _plain(YAML(typ="base").load(data))
    except (YAMLError, ValueError, RecursionError) as error:
        raise _unreadable(name, " ".join(str(error).split())[:200]) from None


def _plain(value: Any) -> Any:
    """The value with texts for keys; one that refers to itself is too deep."""
    if isinstance(value, dict):
        return {str(key): _plain(member) for key, member in value.items()}
    return [_plain(member) for member in value] if isinstance(value, list) else value


def _unreadable(name: str, found: str) -> InvalidError:
    return InvalidError(
        "the document cannot be read",
        rule="AV740",
        place=name,
        expected="a YAML document of plain values",
        found=found,
    )

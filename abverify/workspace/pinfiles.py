"""Pin files of any repository: `key: value` lines or TOML, each value with its line."""

from __future__ import annotations

import re
import tomllib
from typing import TYPE_CHECKING

from abverify._frozen import frozen
from abverify.errors import InvalidError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from abverify.model.policy import PinFile

_LINE = re.compile(r"(?P<key>[A-Za-z0-9_.-]+)\s*:\s*(?P<value>[^#\n]*?)\s*(#.*)?$")


@frozen
class Pinned:
    """One value of a pin file, and where it stands."""

    value: str
    place: str


def read_pin_file(pin: PinFile, data: bytes) -> Mapping[str, Pinned]:
    """Every value of a pin file, by key; the keys of TOML tables are joined with dots.

    Raises:
        InvalidError: AV740 if it cannot be read in its declared format.
    """
    try:
        text = data.decode("utf-8")
        return _toml(pin.file, text) if pin.format == "toml" else dict(_lines(pin.file, text))
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise InvalidError(
            "the pin file cannot be read",
            rule="AV740",
            place=pin.file,
            expected=f"UTF-8 text in the format {pin.format}",
            found=str(error),
        ) from None


def repinned(pin: PinFile, data: bytes, sha256: str) -> bytes:
    """The pin file with another digest, and every other byte as it was.

    A file whose digest cannot be found, or stands in a form unknown here, comes back as it was.

    Raises:
        InvalidError: AV740 if it cannot be read in its declared format.
    """
    stated = read_pin_file(pin, data).get(pin.sha256)
    _, _, number = stated.place.rpartition(":") if stated else ("", "", "")
    if stated is None or not number.isdecimal():
        return data
    lines = data.decode("utf-8").splitlines(keepends=True)
    lines[int(number) - 1] = lines[int(number) - 1].replace(stated.value, sha256, 1)
    return "".join(lines).encode("utf-8")


def _lines(file: str, text: str) -> list[tuple[str, Pinned]]:
    """Top-level `key: value` lines; the first of two counts, block texts are indented."""
    found: dict[str, Pinned] = {}
    for number, line in enumerate(text.splitlines(), 1):
        match = _LINE.match(line)
        if match:
            value = match["value"].strip("\"'")
            found.setdefault(match["key"], Pinned(value, f"{file}:{number}"))
    return list(found.items())


def _toml(file: str, text: str) -> dict[str, Pinned]:
    flat: dict[str, Pinned] = {}

    def walk(prefix: str, table: Mapping[str, object]) -> None:
        for key, value in table.items():
            path = f"{prefix}{key}"
            if isinstance(value, dict):
                walk(f"{path}.", value)
            else:
                flat[path] = Pinned(str(value), _toml_place(file, text, key))

    walk("", tomllib.loads(text))
    return flat


def _toml_place(file: str, text: str, key: str) -> str:
    for number, line in enumerate(text.splitlines(), 1):
        if line.split("=", 1)[0].strip().strip("\"'").endswith(key):
            return f"{file}:{number}"
    return file

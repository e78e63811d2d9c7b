"""The command lines of the documentation, as a reader would type them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

_BLOCK = re.compile(r"^```(console|sh)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_SECTION = re.compile(r"^## (.*)$", re.MULTILINE)


def sections(page: Path) -> dict[str, str]:
    """A page's text by its second-level headings; what stands before the first is ``""``."""
    before, *rest = _SECTION.split(page.read_text(encoding="utf-8"))
    return {"": before, **dict(zip(rest[::2], rest[1::2], strict=True))}


def commands_in(text: str) -> list[str]:
    """The command lines of a text's console and shell blocks, each on one line."""
    found: list[str] = []
    for kind, block in _BLOCK.findall(text):
        lines = block.replace("\\\n", " ").splitlines()
        if kind == "console":
            found += [line.removeprefix("$ ") for line in lines if line.startswith("$ ")]
        else:
            found += [line for line in lines if line.strip() and not line.startswith("#")]
    return found


def commands(page: Path) -> list[str]:
    """The command lines of a whole page."""
    return commands_in(page.read_text(encoding="utf-8"))

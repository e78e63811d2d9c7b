"""Every link of the documentation leads somewhere: to a file, and to a heading in it."""

from __future__ import annotations

import re
import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.support.repository import CHECKOUT

if TYPE_CHECKING:
    from pathlib import Path

LINK = re.compile(r"\]\((?!https?://|mailto:)([^)\s]+)\)")
HEADING = re.compile(r"^#+ +(.+)$", re.MULTILINE)
CODE = re.compile(r"^```.*?^```$|`[^`\n]*`", re.MULTILINE | re.DOTALL)


def pages() -> list[str]:
    """Every Markdown file that people read; fixtures and templates are data."""
    listed = subprocess.run(
        ["git", "ls-files", "*.md"], cwd=CHECKOUT, check=True, capture_output=True, text=True
    )
    return [path for path in listed.stdout.split() if not path.startswith(("fixtures", "tests"))]


def anchors(page: Path) -> set[str]:
    """The headings as a forge turns them into anchors."""
    text = re.sub(r"^```.*?^```$", "", page.read_text("utf-8"), flags=re.MULTILINE | re.DOTALL)
    titles = (re.sub(r"[^\w\- ]", "", title.lower()) for title in HEADING.findall(text))
    return {title.strip().replace(" ", "-") for title in titles}


@pytest.mark.parametrize("page", pages())
def test_every_link_leads_somewhere(page: str) -> None:
    file = CHECKOUT / page
    for link in LINK.findall(CODE.sub("", file.read_text("utf-8"))):
        path, _, anchor = link.partition("#")
        target = (file.parent / path).resolve() if path else file
        assert target.exists(), link
        if anchor:
            assert anchor in anchors(target), link


def test_there_are_pages_to_look_at() -> None:
    assert {"README.md", "CHANGELOG.md", "docs/guide/operator.md"} <= set(pages())

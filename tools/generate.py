"""Writes the generated files, or with --check finds those that have drifted.

Generated are the JSON Schemas under `docs/schemas/` and the regions of the
reference pages between `<!-- generated:NAME -->` and `<!-- /generated -->`.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from abverify.app.schemas import SCHEMAS, schema_text
from abverify.evidence.lock import LOCK_KEYS
from abverify.model.metrics import METRICS
from abverify.model.rules import all_rules

if TYPE_CHECKING:
    from collections.abc import Callable

DOCS = Path(__file__).resolve().parent.parent / "docs"
REGION = re.compile(r"(<!-- generated:(\w+) -->\n).*?(<!-- /generated -->)", re.DOTALL)


def main(arguments: list[str]) -> int:
    """Writes or checks; exits with 1 when `--check` finds drift."""
    wanted = {**schemas(), **pages()}
    drifted = [
        path for path, text in wanted.items() if not path.exists() or path.read_text() != text
    ]
    if "--check" in arguments:
        for path in drifted:
            print(f"{path.relative_to(DOCS.parent)} is out of date; next: python tools/generate.py")
        print(f"generated files: {len(wanted) - len(drifted)}/{len(wanted)} up to date")
        return 1 if drifted else 0
    for path in drifted:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(wanted[path])
        print(f"wrote {path.relative_to(DOCS.parent)}")
    return 0


def schemas() -> dict[Path, str]:
    """The schema files, by path."""
    return {DOCS / "schemas" / f"{name}.v1.schema.json": schema_text(name) for name in SCHEMAS}


def pages() -> dict[Path, str]:
    """The reference pages with their regions filled in, by path."""
    result: dict[Path, str] = {}
    for path in sorted((DOCS / "reference").glob("*.md")):
        text = path.read_text()
        if REGION.search(text):
            result[path] = REGION.sub(lambda m: m[1] + REGIONS[m[2]]() + m[3], text)
    return result


def rules() -> str:
    """The rule catalogue as sections."""
    sections = [
        f"### {rule.id}: {rule.title}\n\n{rule.why}\n\n"
        f"Breaks it: `{rule.failing}`\n\nKeeps it: `{rule.passing}`\n\n"
        for _, rule in sorted(all_rules().items())
    ]
    return "\n" + "".join(sections)


def metrics() -> str:
    """The metric registry as a table."""
    rows = [
        f"| `{m.name}` | {m.domain} | {m.definition} | {m.denominator} |" for m in METRICS.values()
    ]
    return "\n".join(["| metric | domain | counted | out of |", "|---|---|---|---|", *rows, ""])


def lock() -> str:
    """The run lock's keys as a table."""
    rows = [f"| `{key}` | {meaning} |" for key, meaning in LOCK_KEYS.items()]
    return "\n".join(["| key | meaning |", "|---|---|", *rows, ""])


REGIONS: dict[str, Callable[[], str]] = {"rules": rules, "metrics": metrics, "lock": lock}

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""Every code a parse can carry: what it means and why the rule is so.

The catalogue itself is `codes.tsv`; `docs/reference/toolcalls.md` shows it, and tests keep the
catalogue, the page, the source and the corpus in step.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Literal, cast

from abverify._frozen import frozen

if TYPE_CHECKING:
    from collections.abc import Mapping

Kind = Literal["repair", "refusal"]


@frozen
class Code:
    """One stable code.

    Attributes:
        code: the stable name; never reused with another meaning.
        kind: `repair` (read past, the call counts as recovered) or `refusal` (not executed).
        meaning: what stood in the text.
        reason: why it has one reading, or why it has none.
    """

    code: str
    kind: Kind
    meaning: str
    reason: str


@functools.cache
def code_catalogue() -> Mapping[str, Code]:
    """The whole catalogue by code, repairs first."""
    # Not above: a parse needs no catalogue.
    import csv
    from importlib.resources import files

    text = files(__package__).joinpath("codes.tsv").read_text(encoding="utf-8")
    rows = csv.DictReader(text.splitlines(), delimiter="\t", quoting=csv.QUOTE_NONE)
    return {
        row["code"]: Code(row["code"], cast("Kind", row["kind"]), row["meaning"], row["reason"])
        for row in rows
    }

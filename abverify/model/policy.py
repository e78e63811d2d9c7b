"""The amendment policy of a repository: where its contracts are, and what must move with them.

It describes any layout, also one whose contracts are not in our schema: there the
ritual is checked, and the meaning of a change is left to people.
"""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import Field, field_validator, model_validator

from abverify.model.value import Identifier, RelativePath, Text, Value

POLICY_SCHEMA = "abverify/policy/v1"
POLICY_PATH = "contracts/policy.yaml"

Expression = Annotated[str, Field(min_length=1, max_length=400)]
"""A JMESPath expression."""


class VersionHistory(Value):
    """A list inside a contract that tells its versions, newest or oldest first.

    Each field is an expression over the contract, or over one entry of the list.
    """

    entries: Expression
    version: Expression
    date: Expression


class ForeignContract(Value):
    """A contract that is not in our schema: a YAML file with a version somewhere in it."""

    path: RelativePath
    version: Expression = "version"
    history: VersionHistory | None = None


class PinFile(Value):
    """A file that pins a contract's bytes, and perhaps the commit they were mirrored at.

    `key-value` is one `key: value` a line; in TOML a key may be dotted.
    """

    file: RelativePath
    format: Literal["key-value", "toml"]
    contract: RelativePath
    sha256: Text
    commit: Text | None = None


class Mirror(Value):
    """Where a contract's bytes must also stand.

    `folder` is a path beside or below the repository; `git` is a repository that can be
    read from here, at a branch; `bundle` is a file made by git bundle.
    """

    kind: Literal["folder", "git", "bundle"]
    location: Text
    branch: Text = "main"
    contract: RelativePath
    file: RelativePath


class RollUp(Value):
    """A place in a document that shows a fact: the pattern's named groups must equal the facts.

    In a ratio the groups are called `numerator` and `denominator`, so that one that is
    wrong is told from the other.
    """

    id: Identifier
    file: RelativePath
    pattern: Annotated[str, Field(min_length=1, max_length=400)]
    equals: dict[str, Expression]

    @field_validator("pattern")
    @classmethod
    def _compiles(cls, pattern: str) -> str:
        try:
            re.compile(pattern)
        except re.error as error:
            raise ValueError(f"not a regular expression: {error}") from None
        return pattern

    @model_validator(mode="after")
    def _groups_have_facts(self) -> RollUp:
        groups = set(re.compile(self.pattern).groupindex)
        if not groups or groups != set(self.equals):
            raise ValueError(
                f"the pattern's named groups ({', '.join(sorted(groups)) or 'none'}) and equals "
                f"({', '.join(sorted(self.equals)) or 'none'}) must be the same"
            )
        return self


class Region(Value):
    """A part of a document between `<!-- abverify:NAME -->` markers that `render` writes."""

    file: RelativePath
    name: Literal["status", "gates", "scopes"]


class Policy(Value):
    """A whole policy document."""

    schema_: Annotated[Literal["abverify/policy/v1"], Field(alias="schema")]
    protected: Text = "main"
    """The branch from which every pinned commit must be reachable."""
    retarget: bool = False
    """Whether an amendment may name another model; by default that is a new gate."""
    foreign: tuple[ForeignContract, ...] = ()
    corpora: tuple[RelativePath, ...] = ()
    """Folders whose subfolders roll-ups may count."""
    pins: tuple[PinFile, ...] = ()
    mirrors: tuple[Mirror, ...] = ()
    rollups: tuple[RollUp, ...] = ()
    regions: tuple[Region, ...] = ()

    @model_validator(mode="after")
    def _unique(self) -> Policy:
        ids = [rollup.id for rollup in self.rollups]
        twice = sorted({name for name in ids if ids.count(name) > 1})
        if twice:
            raise ValueError(f"roll-up id used twice: {', '.join(twice)}")
        return self

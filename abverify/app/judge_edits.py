"""What a change does to its own judge: policy, trust root, configuration, how git treats the files.

The judge is the state before; whatever of it a change edits is told, and refused where it
comes together with what is judged.
"""

from __future__ import annotations

import tomllib
from typing import TYPE_CHECKING, Any

from abverify.app.reasons import error_reasons
from abverify.errors import AbverifyError
from abverify.model.policy import POLICY_PATH, Policy
from abverify.model.report import Reason
from abverify.workspace.documents import load_document

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from abverify.workspace.root import Search
    from abverify.workspace.snapshot import CommitTree

_ATTRIBUTES, _PYPROJECT = ".gitattributes", "pyproject.toml"
_LAW = ("contracts", "gates", "fixtures")


def judge_edits(
    before: CommitTree, after: CommitTree, policy: Policy, search: Search | None
) -> Iterator[Reason]:
    """What the change does to its own judge.

    Args:
        before: the state that judges.
        after: the state judged.
        policy: the policy of the state before.
        search: how the root was looked for; None where that cannot be repeated in a commit.
    """
    yield from _policy(before, after, policy)
    trusted = {} if same(before, after, "gates/_trust") else before.folder("gates/_trust")
    for path, data in trusted.items():
        if after.folder("gates/_trust").get(path) != data:
            yield _edited(f"gates/_trust/{path}", "a trust root that was there was changed")
    yield from _configuration(before, after, search)
    yield from _attributes(before, after)


def _policy(before: CommitTree, after: CommitTree, policy: Policy) -> Iterator[Reason]:
    if before.read(POLICY_PATH) is None or same(before, after, POLICY_PATH):
        return
    data = after.read(POLICY_PATH)
    if data is not None:
        try:
            load_document(Policy, data, name=POLICY_PATH)
        except AbverifyError as error:
            yield from error_reasons(error, "invalid")
    others = _changed_beside(before, after, policy)
    yield Reason(
        "judge-edited",
        "AV734",
        "error" if others else "warning",
        "the policy changes together with what it judges"
        if others
        else "the policy changes: it was judged by the old one, and needs its owners' eyes",
        place=POLICY_PATH,
        expected="a change of the policy alone",
        found=f"also changed: {', '.join(others[:4])}" if others else "nothing else",
        next="change the policy in a pull request of its own, first",
    )


def _configuration(
    before: CommitTree, after: CommitTree, search: Search | None
) -> Iterator[Reason]:
    """The tool's own table, and above all which folder it is asked about."""
    if not same(before, after, _PYPROJECT) and _tool_table(before) != _tool_table(after):
        yield _edited(_PYPROJECT, "the tool's own configuration changed")
    if search is None:
        return
    top = before.git.below("")
    was, now = (search.root_at(top, files.commit) for files in (before, after))
    if was is not None and was != now:
        yield Reason(
            "judge-edited",
            "AV734",
            "error",
            "the change leads abverify to another folder than the one it judges",
            place=f"{now or ''}contracts",
            expected=f"the repository in {was or './'}",
            found="no repository" if now is None else f"the repository in {now or './'}",
            next=f"put {_PYPROJECT} and the folders back; move a repository by itself, first",
        )


def _attributes(before: CommitTree, after: CommitTree) -> Iterator[Reason]:
    """How git hands out the files: a filter or a conversion gives everybody other bytes."""
    for folder in ("", *(f"{name}/" for name in _LAW)):
        path = f"{folder}{_ATTRIBUTES}"
        if not same(before, after, path):
            yield Reason(
                "judge-edited",
                "AV734",
                "warning",
                "git's attributes change: they decide which bytes a checkout holds",
                place=path,
                expected="contracts, gates and fixtures as they were committed: -text -filter",
                found="other attributes",
                next="look at the lines that match contracts/, gates/ and fixtures/",
            )


def same(before: CommitTree, after: CommitTree, path: str) -> bool:
    """Whether the same object stands at a path of both: then nothing below it changed."""
    git = before.git
    return git.entry(before.commit, path) == git.entry(after.commit, path)


def _edited(place: str, message: str) -> Reason:
    return Reason(
        "judge-edited",
        "AV734",
        "error",
        message,
        place=place,
        expected="as it was: a new root is a new file, signed by the old one's people",
        found="other bytes",
        next="put it back; abverify trust rotate makes a new version",
    )


def _changed_beside(before: CommitTree, after: CommitTree, policy: Policy) -> list[str]:
    """What changed as well of all that the policy judges: contracts, records, and what it names."""
    found = []
    for folder in ("contracts", "gates"):
        was, now = (files.git.files(files.commit, folder) for files in (before, after))
        names = sorted(name for name in {*was, *now} if was.get(name) != now.get(name))
        found += [f"{folder}/{name}" for name in names if f"{folder}/{name}" != POLICY_PATH]
    named = (
        *(contract.path for contract in policy.foreign),
        *(pin.file for pin in policy.pins),
        *(rollup.file for rollup in policy.rollups),
        *(region.file for region in policy.regions),
    )
    elsewhere = sorted({path for path in named if not same(before, after, path)} - set(found))
    return [*found, *elsewhere]


def _tool_table(files: CommitTree) -> Mapping[str, Any]:
    data = files.read(_PYPROJECT)
    try:
        table = tomllib.loads((data or b"").decode("utf-8")).get("tool", {})
    except (tomllib.TOMLDecodeError, UnicodeDecodeError):
        return {}
    section = table.get("abverify", {}) if isinstance(table, dict) else {}
    return section if isinstance(section, dict) else {}

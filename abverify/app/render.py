"""`render`: writing generated regions and declared roll-ups, and finding what has drifted."""

from __future__ import annotations

from typing import TYPE_CHECKING

from abverify.app.facts import gather
from abverify.app.regions import content_of
from abverify.app.ritual import Scene, rollup_step
from abverify.errors import InvalidError, RefusedError
from abverify.model.policy import POLICY_PATH
from abverify.model.render_report import RenderReport
from abverify.verify.amendment.rollups import filled, updated
from abverify.workspace.files import replace_file
from abverify.workspace.pins import PIN_LOCK
from abverify.workspace.policies import load_policy
from abverify.workspace.snapshot import WorkTree

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from abverify.model.policy import Policy, Region, RollUp
    from abverify.model.ritual_report import Step
    from abverify.workspace.snapshot import Snapshot


def render_check(root: Path) -> RenderReport:
    """What does not show what is so; changes nothing.

    Raises:
        InvalidError: for a malformed policy.
    """
    policy = load_policy(root)
    return _report(policy, _step(root, policy), {})


def render(root: Path, *, fix: bool) -> RenderReport:
    """Writes every generated region, and with `fix` every declared roll-up.

    Returns:
        What was written, and what is still out of step.

    Raises:
        InvalidError: for a malformed policy, or AV740 for a document that is not UTF-8.
        RefusedError: AV749 for a document that belongs to the law itself.
        IndeterminateError: AV404 if a file cannot be written.
    """
    policy = load_policy(root)
    written = refreshed(policy, WorkTree(root), rollups=policy.rollups if fix else ())
    for path, data in written.items():
        replace_file(root / path, data)
    return _report(policy, _step(root, policy), written)


def refreshed(policy: Policy, files: Snapshot, *, rollups: tuple[RollUp, ...]) -> dict[str, bytes]:
    """The documents that would change if regions and these roll-ups showed what is so.

    A place that is not there any more is left alone: nothing says where to put it.

    Raises:
        InvalidError: AV740 for a document that is not UTF-8.
        RefusedError: AV749 for a document that belongs to the law itself.
    """
    if not rollups and not policy.regions:
        return {}
    facts = gather(policy, files)
    documents: dict[str, tuple[bytes, str]] = {}
    items: tuple[RollUp | Region, ...] = (*rollups, *policy.regions)
    for item in items:
        if item.file not in documents and (data := files.read(item.file)) is not None:
            documents[item.file] = data, _text(item, data)
    for rollup in rollups:
        if rollup.file in documents and _known(rollup, facts):
            data, text = documents[rollup.file]
            documents[rollup.file] = data, updated(rollup, text, facts)
    for region in policy.regions:
        if region.file in documents:
            data, text = documents[region.file]
            documents[region.file] = data, filled(region, text, content_of(region, facts))
    encoded = ((path, data, text.encode("utf-8")) for path, (data, text) in documents.items())
    return {path: new for path, data, new in encoded if new != data}


def _known(rollup: RollUp, facts: Mapping[str, object]) -> bool:
    """Whether the roll-up's expressions can be read: a step over it tells those that cannot."""
    try:
        updated(rollup, "", facts)
    except ValueError:
        return False
    return True


def _text(item: RollUp | Region, data: bytes) -> str:
    path = item.file
    law = path.startswith("contracts/") and path.endswith(".yaml")
    if law or path == PIN_LOCK or path.startswith("gates/"):
        raise RefusedError(
            "what is signed or pinned is never rendered",
            rule="AV749",
            place=POLICY_PATH,
            expected="documents for readers",
            found=path,
            next_step="take it out of rollups and regions",
        )
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise InvalidError(
            "the document cannot be read",
            rule="AV740",
            place=path,
            expected="UTF-8 text",
            found=str(error),
        ) from None


def _step(root: Path, policy: Policy) -> Step:
    files = WorkTree(root)
    return rollup_step(Scene(root=root, policy=policy, files=files, facts=gather(policy, files)))


def _report(policy: Policy, step: Step, written: Mapping[str, bytes]) -> RenderReport:
    wrong = {(reason.place, reason.message) for reason in step.reasons}
    return RenderReport(
        kind="render",
        reasons=step.reasons,
        checked=max(0, step.checked - len(wrong)),
        total=step.checked,
        facts=(
            ("regions", str(len(policy.regions))),
            ("roll-ups", str(len(policy.rollups))),
            *(("wrote", path) for path in written),
        ),
        empty_message=f"{POLICY_PATH} declares no roll-up and no region",
        extra={"written": list(written)},
    )

"""What an amendment did, or would do: the changes, the files, and what remains to be done."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from abverify.app.enact import copies, copyable
from abverify.app.propose import proposed_reasons
from abverify.model.report import FindingsReport
from abverify.records.record import record_path
from abverify.workspace.pins import PIN_LOCK
from abverify.workspace.policies import load_policy
from abverify.workspace.proposals import PROPOSALS, proposal_path
from abverify.workspace.undo import RECOVER

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from abverify.app.amend_draft import Draft
    from abverify.app.docket import Repository
    from abverify.model.change import Change
    from abverify.model.policy import Policy
    from abverify.records.bodies import Amendment

Facts: TypeAlias = "tuple[tuple[str, str], ...]"


def planned(
    repository: Repository, draft: Draft, body: Amendment, changes: tuple[Change, ...], needed: int
) -> FindingsReport:
    """What the same command would do without `--dry-run`; nothing was written or signed."""
    gate, policy = draft.loaded.contract.gate, load_policy(repository.root)
    record = record_path(gate, len(repository.ledger.chain(gate)) + 1, "amendment")
    files = [draft.loaded.path] if draft.edits else []
    if needed == 1:
        documents = {place.file for place in policy.rollups} | {r.file for r in policy.regions}
        files += [PIN_LOCK, *copies(repository.root, policy, draft.loaded), *sorted(documents)]
    facts: Facts = (
        *_head(draft, body, changes),
        ("approvals", str(needed)),
        *(("would write", path) for path in files),
        ("would sign", record if needed == 1 else proposal_path(record)),
    )
    return _report("planned", draft, facts, files=files, remaining=())


def published(
    repository: Repository,
    draft: Draft,
    body: Amendment,
    changes: tuple[Change, ...],
    record: str,
) -> FindingsReport:
    """What was published, or proposed, and the steps that only its author can take."""
    facts: Facts = (*_head(draft, body, changes), ("record", record))
    proposal = record if record.startswith(f"{PROPOSALS}/") else None
    policy = load_policy(repository.root)
    remaining = tuple(_remaining(repository.root, policy, draft, proposal))
    facts += tuple(("next", step) for step in remaining)
    return _report("done", draft, facts, files=None, remaining=remaining, proposal=proposal)


def recovered(outcome: tuple[str, tuple[str, ...]] | None) -> FindingsReport:
    """What became of an amendment that was cut off; none at all is nothing to check."""
    word, files = outcome or ("", ())
    return FindingsReport(
        kind="amend-recover",
        reasons=(),
        checked=len(files),
        total=len(files),
        success="done",
        facts=tuple((word, path) for path in files),
        empty_message="no amendment was cut off",
        extra={"outcome": word or None, "files": list(files), "command": RECOVER},
    )


def _head(draft: Draft, body: Amendment, changes: tuple[Change, ...]) -> Facts:
    contract = draft.loaded.contract
    return (
        ("gate", str(contract.gate)),
        *((("succeeds", draft.fork),) if draft.fork else ()),
        ("version", f"{contract.version}  sha256 {draft.loaded.sha256[:16]}"),
        *(("change", f"{c.change_class} {c.path}: {c.why}; {c.consequence}") for c in changes),
        *(("pinned", f"{name}  sha256 {body.pins[name][:16]}") for name in contract.inputs()),
    )


def _remaining(root: Path, policy: Policy, draft: Draft, proposal: str | None) -> Iterator[str]:
    if proposal is not None:
        yield f"abverify sign {proposal} --key KEY, by the others"
        return
    contract = draft.loaded.path
    for mirror in policy.mirrors:
        if mirror.contract == contract and not copyable(root, mirror):
            yield f"copy {contract} to {mirror.file} in {mirror.location}, and commit it there"
    for pin in policy.pins:
        if pin.contract == contract and pin.commit is not None:
            yield f"set {pin.commit} in {pin.file} to the mirror's merged commit, in full"
    yield "git add -A contracts gates, with the documents rendered, and commit all of it as one"
    yield f"abverify amend check origin/{policy.protected}..HEAD"


def _report(
    success: str,
    draft: Draft,
    facts: Facts,
    *,
    files: list[str] | None,
    remaining: tuple[str, ...],
    proposal: str | None = None,
) -> FindingsReport:
    plan = {} if files is None else {"files": files}
    return FindingsReport(
        kind="amend",
        reasons=proposed_reasons(proposal),
        checked=1,
        total=1,
        success=success,
        facts=facts,
        extra={
            "contract": draft.loaded.path,
            "version": draft.loaded.contract.version,
            "next": list(remaining),
            **plan,
        },
    )

"""`amend fix`: the steps of the ritual that follow from the contracts alone, taken for people.

Pins of foreign contracts, mirrors that are folders here, roll-ups and regions have one right
content each, and get it. What needs a decision or a signature is left and told: a mirror's
commit, a published version, a contract of our own that is edited and not yet amended.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from abverify._canonical import sha256_hex
from abverify.app.enact import mirrored
from abverify.app.facts import gather
from abverify.app.render import refreshed
from abverify.app.ritual import Scene, opened_mirrors, ritual_steps
from abverify.model.policy import POLICY_PATH
from abverify.model.render_report import RenderReport
from abverify.workspace.files import replace_file
from abverify.workspace.mirrors import MirrorView
from abverify.workspace.pinfiles import repinned
from abverify.workspace.policies import load_policy
from abverify.workspace.snapshot import Overlaid, WorkTree

if TYPE_CHECKING:
    from pathlib import Path

    from abverify.model.policy import Policy
    from abverify.model.ritual_report import Step
    from abverify.workspace.snapshot import Snapshot


def fix(root: Path) -> RenderReport:
    """Brings into step what can only be right in one way.

    Returns:
        What was written, and what is still out of step in the work tree.

    Raises:
        InvalidError: for a malformed policy, or AV740 for a file that cannot be read.
        RefusedError: AV749 for a document that belongs to the law itself.
        IndeterminateError: AV404 if a file cannot be written.
    """
    policy, tree = load_policy(root), WorkTree(root)
    files = {**_pins(policy, tree), **_mirrors(root, policy, tree)}
    files |= refreshed(policy, Overlaid(tree, files), rollups=policy.rollups)
    for path, data in files.items():
        replace_file(root / path, data)
    steps = _steps(root, policy)
    reasons = tuple(reason for step in steps for reason in step.reasons)
    total = sum(step.checked for step in steps)
    return RenderReport(
        kind="amend-fix",
        reasons=reasons,
        checked=max(0, total - len({(reason.place, reason.message) for reason in reasons})),
        total=total,
        facts=tuple(("wrote", path) for path in files),
        empty_message=f"{POLICY_PATH} declares nothing that moves with a contract",
        extra={"written": list(files)},
    )


def _pins(policy: Policy, tree: Snapshot) -> dict[str, bytes]:
    """The pin files of foreign contracts whose digest is not the contract's."""
    foreign = {contract.path for contract in policy.foreign}
    files: dict[str, bytes] = {}
    for pin in policy.pins:
        data, contract = tree.read(pin.file), tree.read(pin.contract)
        if pin.contract in foreign and data is not None and contract is not None:
            right = repinned(pin, data, sha256_hex(contract))
            files |= {pin.file: right} if right != data else {}
    return files


def _mirrors(root: Path, policy: Policy, tree: Snapshot) -> dict[str, bytes]:
    """The mirrors of foreign contracts that are folders here and hold other bytes."""
    contracts = {
        contract.path: data
        for contract in policy.foreign
        if (data := tree.read(contract.path)) is not None
    }
    wanted = mirrored(root, policy, contracts)
    with opened_mirrors(policy, root) as mirrors:
        held = {
            f"{mirror.location.rstrip('/')}/{mirror.file}": view.read()
            for mirror, view in mirrors
            if isinstance(view, MirrorView) and view.folder is not None
        }
    return {path: data for path, data in wanted.items() if held.get(path) != data}


def _steps(root: Path, policy: Policy) -> tuple[Step, ...]:
    tree = WorkTree(root)
    with opened_mirrors(policy, root) as mirrors:
        facts = gather(policy, tree)
        return ritual_steps(
            Scene(root=root, policy=policy, files=tree, facts=facts, mirrors=mirrors)
        )

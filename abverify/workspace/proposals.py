"""Where signatures are gathered: `gates/_proposals/`, which nothing reads as a record or a root.

A proposal is an ordinary envelope with too few signatures. It has the name that it will have
in the ledger, in a folder of its own, so that two people who propose the same thing meet.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from abverify.errors import RefusedError, UsageError
from abverify.workspace.evidence_store import GATES
from abverify.workspace.files import read_bytes, read_tree, replace_file

if TYPE_CHECKING:
    from pathlib import Path

PROPOSALS = f"{GATES}/_proposals"
_ENVELOPE = ".dsse.json"


def proposal_path(path: str) -> str:
    """Where what will stand at a path below `gates/` waits for its signatures.

    A version of the trust root waits beside the folders of the records.
    """
    return f"{PROPOSALS}/{path.removeprefix(f'{GATES}/').removeprefix('_trust/')}"


def proposals(root: Path) -> dict[str, bytes]:
    """The bytes of every proposal, by path relative to the root.

    Raises:
        UntrustedError: AV402 for what is no plain file.
    """
    found = read_tree(root, PROPOSALS) if (root / PROPOSALS).is_dir() else {}
    return {f"{PROPOSALS}/{name}": data for name, data in found.items() if name.endswith(_ENVELOPE)}


def read_proposal(root: Path, name: str) -> tuple[str, bytes]:
    """The path and the bytes of the proposal that a person names by its file.

    Raises:
        UsageError: AV484 if it is none.
        UntrustedError: AV402 if it is no plain file.
    """
    path = name.removeprefix(f"{root}/").removeprefix("./")
    try:
        data = read_bytes(root, path) if path.startswith(f"{PROPOSALS}/") else None
    except FileNotFoundError:
        data = None
    if data is None:
        raise UsageError(
            "there is no such proposal",
            rule="AV484",
            place=name,
            expected=", ".join(proposals(root)) or f"a file below {PROPOSALS}",
            found=path,
            next_step="abverify status lists what waits for signatures",
        )
    return path, data


def refuse_repeated(root: Path, path: str) -> None:
    """Refuses to propose what is proposed already.

    Raises:
        RefusedError: AV484 if the proposal exists.
    """
    if (root / path).exists():
        raise RefusedError(
            "the same is proposed already",
            rule="AV484",
            place=path,
            expected="one proposal for one place in the ledger",
            found="a proposal that waits for signatures",
            next_step="sign that one, or delete the file to propose anew",
        )


def keep_proposal(root: Path, path: str, data: bytes) -> None:
    """Writes a proposal, with the signatures that it has by now.

    Raises:
        IndeterminateError: AV404 if it cannot be written.
    """
    replace_file(root / path, data)


def drop_proposal(root: Path, path: str) -> None:
    """Removes a proposal, if it was ever written, and the folders that it leaves empty."""
    if not (root / path).exists():
        return
    (root / path).unlink()
    folder = (root / path).parent
    while folder != root / GATES and not any(folder.iterdir()):
        folder.rmdir()
        folder = folder.parent

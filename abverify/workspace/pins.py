"""pin.lock: the digest of every contract and of every input a contract's meaning rests on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from abverify._canonical import tree_digest
from abverify.errors import InvalidError
from abverify.model.value import RelativePath, Sha256, Value, Version
from abverify.workspace.documents import load_document
from abverify.workspace.files import read_bytes, read_tree

if TYPE_CHECKING:
    from pathlib import Path

PIN_LOCK = "contracts/pin.lock"
_HEADER = """\
# Written by abverify: the digest of each published contract, and of each file
# or folder that its meaning rests on. `abverify lint` finds what has drifted.
"""


class PinnedContract(Value):
    """A published contract: its newest version and the digest of that version's bytes."""

    version: Version
    sha256: Sha256


class PinLock(Value):
    """The document `contracts/pin.lock`."""

    schema_: Annotated[Literal["abverify/pin-lock/v1"], Field(alias="schema")]
    contracts: dict[str, PinnedContract]
    inputs: dict[RelativePath, Sha256]


def empty_pins() -> PinLock:
    """A lock that pins nothing yet."""
    return PinLock.model_validate({"schema": "abverify/pin-lock/v1", "contracts": {}, "inputs": {}})


def load_pins(root: Path) -> PinLock:
    """Reads pin.lock; one that does not exist pins nothing.

    Raises:
        InvalidError: if it is malformed.
    """
    try:
        data = read_bytes(root, PIN_LOCK)
    except FileNotFoundError:
        return empty_pins()
    return load_document(PinLock, data, name=PIN_LOCK)


def render_pins(pins: PinLock) -> bytes:
    """The bytes of pin.lock: sorted, one fact a line, so that branches merge cleanly."""
    lines = ["schema: abverify/pin-lock/v1", "contracts:" if pins.contracts else "contracts: {}"]
    for gate, pin in sorted(pins.contracts.items()):
        lines += [f"  {gate}:", f"    version: {pin.version}", f'    sha256: "{pin.sha256}"']
    lines.append("inputs:" if pins.inputs else "inputs: {}")
    lines += [f'  {_key(path)}: "{digest}"' for path, digest in sorted(pins.inputs.items())]
    return (_HEADER + "\n".join(lines) + "\n").encode("utf-8")


def _key(path: str) -> str:
    """A name without a slash may look like a number or `null`; a path with one never does."""
    return path if "/" in path else f'"{path}"'


def input_digest(root: Path, path: str) -> str:
    """The digest of an input as it stands: a file's bytes, or a folder as a set of files.

    Raises:
        InvalidError: AV113 if there is no such file or folder.
    """
    target = root / path
    if target.is_dir():
        return tree_digest(read_tree(root, path))
    try:
        return tree_digest({path.rsplit("/", 1)[-1]: read_bytes(root, path)})
    except FileNotFoundError:
        raise InvalidError(
            "an input that a contract names does not exist",
            rule="AV113",
            place=path,
            expected="a file or folder",
            found="nothing",
        ) from None

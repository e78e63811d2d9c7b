"""Linting pins: inputs against what was signed, and pin.lock against both."""

from __future__ import annotations

from typing import TYPE_CHECKING

from abverify._yaml import read_yaml
from abverify.app.reasons import error_reasons
from abverify.errors import AbverifyError
from abverify.model.report import Reason
from abverify.records.bodies import Amendment
from abverify.workspace.files import read_bytes
from abverify.workspace.pins import PIN_LOCK, input_digest, load_pins

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from abverify.app.docket import Repository
    from abverify.records.record import Record
    from abverify.workspace.contracts import LoadedContract
    from abverify.workspace.pins import PinLock


def lint_pins(repository: Repository, contracts: Sequence[LoadedContract]) -> Iterator[Reason]:
    """Every input that is not the pinned one, and every line of pin.lock that misleads.

    A published contract's pins are the signed ones; until then pin.lock says what they are.
    """
    for loaded in contracts:
        yield from _inputs(repository, loaded)
    yield from _copy(repository, contracts)


def _inputs(repository: Repository, loaded: LoadedContract) -> Iterator[Reason]:
    pins = repository.pins_of(loaded)
    for path in loaded.contract.inputs():
        try:
            found = input_digest(repository.root, path)
        except AbverifyError as error:
            yield from error_reasons(error, "invalid")
            continue
        if pins.get(path) != found:
            yield drifted(loaded, path, pins, f"sha256 {found}")


def drifted(loaded: LoadedContract, path: str, pins: Mapping[str, str], found: str) -> Reason:
    """That an input is not the pinned one."""
    return Reason(
        "pin-drift" if path in pins else "unpinned-input",
        "AV114",
        "error",
        f"{path} is not the pinned input of {loaded.contract.gate.name}",
        place=path,
        expected=f"sha256 {pins[path]}" if path in pins else f"a pin in {PIN_LOCK}",
        found=found,
        next=f"restore it, or publish it: abverify amend {loaded.contract.gate.name}",
    )


def _copy(repository: Repository, contracts: Sequence[LoadedContract]) -> Iterator[Reason]:
    """Where pin.lock differs from what the records of published contracts signed.

    A contract whose amendment is in progress is left out: its pins come before its record.
    """
    pairs = ((loaded, repository.publication(loaded)) for loaded in contracts)
    published = [(loaded, record) for loaded, record in pairs if record is not None]
    return copied(load_pins(repository.root), published, _places(repository))


def copied(
    lock: PinLock,
    published: Iterable[tuple[LoadedContract, Record]],
    places: Mapping[tuple[str, str], str],
) -> Iterator[Reason]:
    """Where pin.lock differs from what some records signed.

    Args:
        lock: the pins as pin.lock tells them.
        published: contracts in force, each with the record that published it.
        places: where a pin stands, by section and name.
    """
    for loaded, record in published:
        if not isinstance(record.body, Amendment):
            continue
        gate = str(loaded.contract.gate)
        held = lock.contracts.get(gate)
        signed = {("contracts", gate): f"version {loaded.contract.version}, sha256 {loaded.sha256}"}
        told = (
            {("contracts", gate): f"version {held.version}, sha256 {held.sha256}"} if held else {}
        )
        signed |= {("inputs", p): f"sha256 {digest}" for p, digest in record.body.pins.items()}
        told |= {("inputs", p): f"sha256 {digest}" for p, digest in lock.inputs.items()}
        for key, expected in signed.items():
            if told.get(key) != expected:
                yield Reason(
                    "pin-lock-differs",
                    "AV158",
                    "error",
                    f"{key[1]} has another pin than {record.path} signed",
                    place=places.get(key, PIN_LOCK),
                    expected=expected,
                    found=told.get(key, "no such pin"),
                    next=f"restore {PIN_LOCK} from version control",
                )


def _places(repository: Repository) -> Mapping[tuple[str, str], str]:
    """Where the pins stand in pin.lock, as far as there is one."""
    try:
        document = read_yaml(read_bytes(repository.root, PIN_LOCK), name=PIN_LOCK)
    except FileNotFoundError:
        return {}
    return {
        (str(path[0]), str(path[1])): str(place)
        for path, place in document.places.items()
        if len(path) == 2  # noqa: PLR2004 (a section and a name)
    }

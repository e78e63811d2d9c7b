"""The new end of a gate's chain, verified on top of records that are vouched for already."""

from __future__ import annotations

from typing import TYPE_CHECKING

from abverify.errors import UntrustedError
from abverify.records.chain import walk_chain
from abverify.records.envelope import STATEMENT_TYPE, open_envelope
from abverify.records.log.completeness import WAITING
from abverify.records.record import Fault, Record
from abverify.records.setting import START, Link
from abverify.records.statement import parse_statement

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from abverify.records.chain import Item
    from abverify.records.log.entries import Entry
    from abverify.records.quick import Glance
    from abverify.records.setting import Setting

_AMENDMENT = ".amendment."


def verify_tail(
    entries: Sequence[Entry],
    paths: Sequence[str],
    read: Callable[[str], bytes],
    setting: Setting,
    glance: Glance,
) -> tuple[tuple[Item, ...], tuple[Fault, ...]]:
    """Verifies the new records of one gate.

    Args:
        entries: what the log says of them, in order.
        paths: every record file of the gate, in the order of their names.
        read: gives a file's bytes.
        setting: what to verify against.
        glance: the quick reader of that setting.

    Returns:
        The new records as read, and everything that is wrong with them.
    """
    new = [entry.path for entry in entries]
    old = [path for path in paths if path < new[0]]
    try:
        start = _start(old, read, setting)
    except UntrustedError as error:
        return (), (Fault.of(error, str(error.place or new[0])),)
    there = [path for path in new if path in set(paths)]
    items = tuple(walk_chain(there, read, setting, glance, start=start))
    faults = [fault for item in items for fault in item.faults]
    faults += _against_log(entries, {item.path: item.sha256 for item in items})
    for path in sorted(set(paths) - set(old) - set(new)):
        faults.append(
            Fault(path, WAITING, "the record waits for an integrator", "an entry", "none")
        )
    return items, tuple(faults)


def basis_faults(
    items: Sequence[Item], positions: Mapping[str, int], root_at: Callable[[int], str | None]
) -> Iterator[Fault]:
    """Records whose signers saw another log than the one that led here, or a later one."""
    for item in items:
        basis = item.seen.basis
        if basis is None or item.path not in positions:
            continue
        size, root = basis
        if size > positions[item.path] or root_at(size) != root:
            yield Fault(
                item.path,
                "AV453",
                "the log that the record's signers saw is no part of this one",
                f"size {size}, root {root_at(size)}",
                f"size {size}, root {root}",
            )


def _start(old: Sequence[str], read: Callable[[str], bytes], setting: Setting) -> Link:
    """What is known before the first new record: the last old one, and the amendment in force."""
    if not old:
        return START
    last = _vouched(old[-1], read, setting)
    amendments = [path for path in old if _AMENDMENT in path]
    return Link(
        path=last.path,
        position=len(old),
        prior=last.sha256,
        last_issued=last.statement.common.issued_at,
        in_force=_vouched(amendments[-1], read, setting) if amendments else None,
        whole=True,
    )


def _vouched(path: str, read: Callable[[str], bytes], setting: Setting) -> Record:
    """An old record: signed by a key of the trust root, and otherwise vouched for."""
    data = read(path)
    opened = open_envelope(data, name=path, payload_type=STATEMENT_TYPE, keys=setting.keys)
    statement = parse_statement(opened.payload, name=path)
    seq = statement.common.gate.seq
    return Record(path, seq, statement.kind, opened.sha256, statement, ())


def _against_log(entries: Sequence[Entry], found: Mapping[str, str]) -> Iterator[Fault]:
    for entry in entries:
        digest = found.get(entry.path)
        if digest != entry.sha256:
            message = "a record that the log holds is missing or altered"
            seen = f"sha256 {digest}" if digest else "no file"
            yield Fault(entry.path, "AV452", message, f"sha256 {entry.sha256}", seen)

"""The trust root: started, and shown."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from abverify._clock import now
from abverify.app.docket import open_repository
from abverify.app.signing import load_signer
from abverify.app.wording import fault_text
from abverify.errors import InvalidError, RefusedError, UntrustedError
from abverify.model.report import FindingsReport
from abverify.records.trust import parse_root, solo_root
from abverify.workspace.files import write_new
from abverify.workspace.ledger_store import TRUST, root_files

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from abverify.records.trust import TrustRoot

FIRST = f"{TRUST}/1.root.dsse.json"


@dataclass(frozen=True, slots=True)
class InitRequest:
    """What a first trust root says.

    Attributes:
        origin: the ledger's own name.
        principal: who holds every role.
        key: the name of the signing key.
        expires_days: for how many days new records may be signed under it.
        note: free text for readers.
        ask: asks for the key's passphrase.
    """

    origin: str
    principal: str
    key: str
    expires_days: int
    note: str | None
    ask: Callable[[], str]


def init_trust(root: Path, request: InitRequest) -> FindingsReport:
    """Writes the first trust root.

    Raises:
        RefusedError: AV436 if there is one already.
        InvalidError: AV436 if a name cannot stand in it.
    """
    if root_files(root):
        raise RefusedError(
            "this ledger has a trust root already",
            rule="AV436",
            place=TRUST,
            next_step="abverify trust show",
        )
    signer = load_signer(root, request.key, request.ask)
    moment = now()
    try:
        data = solo_root(
            origin=request.origin,
            principal=request.principal,
            signer=signer,
            issued_at=moment,
            expires=moment + timedelta(days=request.expires_days),
            note=request.note,
        )
    except ValueError as error:
        raise InvalidError(
            "a trust root cannot say this",
            rule="AV436",
            place=FIRST,
            found=fault_text(error),
            next_step="abverify trust init --help shows an example",
        ) from None
    write_new(root / FIRST, data)
    return _report(parse_root(data, FIRST))


def show_trust(root: Path) -> FindingsReport:
    """The newest trust root.

    Raises:
        UntrustedError: AV437 when there is none, or whatever is wrong with it.
    """
    trust = open_repository(root).ledger.root
    if trust is None:
        raise UntrustedError(
            "there is no trust root that can be trusted",
            rule="AV437",
            place=TRUST,
            next_step="abverify audit says what is wrong; abverify trust init starts one",
        )
    return _report(trust)


def _report(trust: TrustRoot) -> FindingsReport:
    document = trust.document
    roles = tuple(
        (f"{name}", f"{role.threshold} of {', '.join(role.principals)}")
        for name, role in sorted(document.roles.items())
    )
    people = tuple(
        (who, f"keys {', '.join(key[:16] for key in entry.keys)}")
        for who, entry in sorted(document.principals.items())
    )
    return FindingsReport(
        kind="trust",
        reasons=(),
        checked=1,
        total=1,
        success="trusted",
        facts=(
            ("origin", document.origin),
            ("version", str(document.version)),
            ("sha256", trust.sha256),
            ("expires", document.expires),
            *((("note", document.note),) if document.note else ()),
            *people,
            *roles,
        ),
    )

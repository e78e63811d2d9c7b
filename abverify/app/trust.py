"""The trust root: started, and shown in all its versions."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from abverify._clock import now, parse_timestamp
from abverify._frozen import frozen
from abverify.app.signing import load_signer
from abverify.app.wording import fault_text
from abverify.errors import InvalidError, RefusedError, UntrustedError
from abverify.model.report import FindingsReport, Reason
from abverify.records.trust import solo_root
from abverify.records.trust_history import check_pin, parse_history
from abverify.workspace.files import write_new
from abverify.workspace.ledger_store import TRUST, root_files
from abverify.workspace.trust_pin import pinned_root

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from abverify.records.trust import Role, TrustRoot
    from abverify.records.trust_history import TrustHistory

_WARNING_DAYS = 30
FIRST = f"{TRUST}/1.root.dsse.json"


@frozen
class InitRequest:
    """What a first trust root says.

    Attributes:
        origin: the ledger's own name.
        principal: who holds every role.
        key: what the signing key is called, see `load_signer`.
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
    return _report(parse_history({FIRST: data}))


def show_trust(root: Path, pin: str | None = None) -> FindingsReport:
    """Every version of the trust root, and who may sign what under the newest.

    Args:
        root: the repository.
        pin: a version's digest known from outside the repository; None reads
            `$ABVERIFY_TRUST_ROOT`.

    Raises:
        UntrustedError: AV437 when there is none, AV424 when it is not the pinned one,
            or whatever is wrong with it.
    """
    return _report(read_history(root, pin))


def read_history(root: Path, pin: str | None = None) -> TrustHistory:
    """The verified trust root of a repository, held against a pin if there is one.

    Raises:
        UntrustedError: as `show_trust`.
        UsageError: AV424 for a pin that is no digest.
    """
    files = root_files(root)
    if not files:
        raise UntrustedError(
            "there is no trust root",
            rule="AV437",
            place=TRUST,
            expected="1.root.dsse.json",
            found="none",
            next_step="abverify trust init starts one",
        )
    history = parse_history(files)
    pinned = pinned_root(pin)
    if pinned is not None:
        check_pin(history, pinned)
    return history


def _report(history: TrustHistory) -> FindingsReport:
    newest, document = history.newest, history.newest.document
    pairs = (
        ("origin", document.origin),
        *((f"version {root.document.version}", _version(history, root)) for root in history.roots),
        *((("note", document.note),) if document.note else ()),
        *(
            (who, f"keys {_short(entry.keys)}")
            for who, entry in sorted(document.principals.items())
        ),
        *((name, _role(role)) for name, role in sorted(document.roles.items())),
        *(
            ("revoked", f"{keyid[:16]}  {entry.cause}, from record {entry.from_index} of the log")
            for keyid, entry in sorted(document.revoked.items())
        ),
    )
    count = len(history.roots)
    return FindingsReport(
        kind="trust",
        reasons=_term(newest),
        checked=count,
        total=count,
        success="trusted",
        facts=pairs,
        extra={"versions": [_json(root) for root in history.roots]},
    )


def _version(history: TrustHistory, root: TrustRoot) -> str:
    document = root.document
    state = "in force" if root is history.newest else "succeeded"
    if root is history.newest and not history.in_force(root, now()):
        state = "expired: it takes no new records"
    since = "" if document.from_index is None else f", from record {document.from_index} of the log"
    term = f"issued {document.issued_at}, expires {document.expires}{since}"
    return f"sha256 {root.sha256}\n{term}\n{state}"


def _role(role: Role) -> str:
    return f"{role.threshold} of {', '.join(role.principals) or 'nobody'}"


def _short(keys: tuple[str, ...]) -> str:
    return ", ".join(key[:16] for key in keys)


def _json(root: TrustRoot) -> dict[str, Any]:
    return {"path": root.path, "sha256": root.sha256, **root.document.to_json()}


def _term(newest: TrustRoot) -> tuple[Reason, ...]:
    """A word in time: under a root that expired nobody can sign anything."""
    expires = parse_timestamp(newest.document.expires)
    left = (expires - now()).days
    if left >= _WARNING_DAYS:
        return ()
    message = "the trust root has expired" if left < 0 else f"it expires in {left} days"
    return (
        Reason(
            "expires",
            "AV413",
            "warning",
            message,
            place=newest.path,
            expected=f"more than {_WARNING_DAYS} days",
            found=newest.document.expires,
            next="abverify trust rotate --expires-days 365 --key KEY",
        ),
    )

"""Trust roots of a team, each version by one change of the one before it."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from abverify.records.rotation import Change, next_document
from abverify.records.trust import TrustRoot, parse_root, sign_root
from abverify.records.trust_history import TrustHistory, parse_history
from tests.records.simulator import START, signer
from tests.records.test_trust import ALICE, BOB, CAROL, document, signed

if TYPE_CHECKING:
    from datetime import datetime

    from abverify.records.keys import Signer

DAVE = signer("dave")
NEXT = START + timedelta(days=30)
LATER = START + timedelta(days=60)


def path(version: int) -> str:
    """Where a version stands."""
    return f"gates/_trust/{version}.root.dsse.json"


FIRST: bytes = signed(document())
"""Alice, Bob and Carol; two of them are the root role."""


def first() -> TrustRoot:
    """Version 1, read."""
    return parse_root(FIRST, path(1))


def following(
    older: TrustRoot,
    change: Change,
    *signers: Signer,
    issued_at: datetime = NEXT,
    from_index: int = 10,
) -> bytes:
    """The version after another, signed by these people."""
    content = next_document(older, change, issued_at=issued_at, from_index=from_index)
    return sign_root(content, signers or (ALICE, BOB))


def dave_joins() -> bytes:
    """Version 2: Dave joins the root role."""
    return following(
        first(), Change(add_keys=(("dave", DAVE.public_key),), grant=(("root", "dave"),))
    )


def bob_revoked(*signers: Signer) -> bytes:
    """Version 2: Bob's key is revoked from leaf 10 on."""
    change = Change(revoke=((BOB.public_key.keyid, "keyCompromise"),))
    return following(first(), change, *(signers or (ALICE, CAROL)))


def history(*versions: bytes) -> TrustHistory:
    """Version 1 and what follows it."""
    return parse_history({path(n): data for n, data in enumerate((FIRST, *versions), 1)})

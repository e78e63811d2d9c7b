"""An early stop is claimed by a stored file, which may hold anything at all."""

from __future__ import annotations

import json

import pytest

from abverify.evidence.stop import ClaimedStop, claimed_stop

NONE_FIRED = b'{"stop": {"fired": null, "ran": 1, "remaining": []}}'


def test_a_claim_is_read_as_it_stands() -> None:
    claim = {"stop": {"fired": "failure-certain", "ran": 11, "remaining": [["a", 1], ["b", 2]]}}
    found = claimed_stop(json.dumps(claim).encode())
    assert found == ClaimedStop("failure-certain", 11, (("a", 1), ("b", 2)))


@pytest.mark.parametrize(
    "data",
    [b"", b"\xff", b"null", b"{}", NONE_FIRED, b"[" * 100_000],
    ids=["empty", "no text", "null", "no stop", "none fired", "a tower"],
)
def test_whatever_else_it_holds_claims_none(data: bytes) -> None:
    assert claimed_stop(data) is None

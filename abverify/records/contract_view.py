"""The few facts that a record must agree on with the contract version it is about.

Read from the raw document rather than through today's contract model, so that
a version published under an older schema stays verifiable.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from abverify._frozen import frozen
from abverify._yaml import read_yaml
from abverify.errors import InvalidError

if TYPE_CHECKING:
    from collections.abc import Mapping


@frozen
class ContractView:
    """What a published contract says of itself; None where it does not say.

    Attributes:
        gate: the qualified id of the gate it guards.
        version: its version.
        supersedes: the gate it succeeds.
        valid_days: how long a discharge of it may count, in days.
    """

    gate: str | None
    version: str | None
    supersedes: str | None
    valid_days: int | None


def view_contract(data: bytes, *, name: str) -> ContractView:
    """Reads those facts; a document that is no contract says none of them."""
    try:
        value = read_yaml(data, name=name).value
    except InvalidError:
        return ContractView(None, None, None, None)
    document: Mapping[str, Any] = value if isinstance(value, dict) else {}
    evidence = document.get("evidence")
    days = evidence.get("valid_days") if isinstance(evidence, dict) else None
    return ContractView(
        gate=_text(document.get("id")),
        version=_text(document.get("version")),
        supersedes=_text(document.get("supersedes")),
        valid_days=days if isinstance(days, int) and not isinstance(days, bool) else None,
    )


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None

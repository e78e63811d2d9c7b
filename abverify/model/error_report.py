"""An error as a result: what a program gets when the question could not be asked at all."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from abverify._frozen import frozen

if TYPE_CHECKING:
    from abverify.model.report import Reason

VERDICTS = {
    1: "refused",
    2: "invalid",
    3: "cannot-evaluate",
    4: "untrusted",
    5: "nothing-to-check",
}
"""The word for each exit code that an error may have."""


@frozen
class ErrorReport:
    """Why a verb gave no result of its own.

    Attributes:
        verb: such as `amend check`.
        exit_code: the documented exit code of the error, or of the gravest of several.
        reasons: each error.
    """

    verb: str
    exit_code: int
    reasons: tuple[Reason, ...]

    def to_json(self) -> dict[str, Any]:
        """The report as plain JSON data under the common head; nothing was checked."""
        return {
            "schema": "abverify/error/v1",
            "verdict": VERDICTS[self.exit_code],
            "reasons": [reason.to_json() for reason in self.reasons],
            "checked": 0,
            "total": 0,
            "verb": self.verb,
        }

"""The one error tree: what went wrong, where, and what to type next.

Five branches, each with its own exit code, so that "no", "cannot tell" and
"somebody tampered" never look alike:

* `InvalidError` (2): the input is malformed: a contract, a fixture, an option value.
* `UsageError` (2): the request itself makes no sense: an unknown or ambiguous gate.
* `IndeterminateError` (3): the question cannot be answered here: a toolchain is missing.
* `RefusedError` (1): understood and refused: a lift whose conditions are not covered.
* `UntrustedError` (4): integrity or trust failed: a bad signature, altered bytes.
* `NothingToCheckError` (5): zero items were selected, which is never a pass.

Anything else that escapes is a bug and exits 70.
"""

from __future__ import annotations

from typing import ClassVar

from abverify._frozen import frozen


@frozen
class Place:
    """Where something was found: a file, and the line and column in it (both from 1) if known."""

    file: str
    line: int | None = None
    column: int | None = None

    def __str__(self) -> str:
        parts = [self.file]
        if self.line is not None:
            parts.append(str(self.line))
            if self.column is not None:
                parts.append(str(self.column))
        return ":".join(parts)


def one_line(text: str) -> str:
    """The text with its line breaks shown: a value must not forge a line of our own."""
    return text.replace("\r", "\\r").replace("\n", "\\n")


class AbverifyError(Exception):
    """Something a person must know about, with the rule it breaks and the way on.

    Attributes:
        rule: the stable rule id (`AV…`), explained by `abverify explain`.
        place: where it was found, when it has a place.
        expected: what should have stood there.
        found: what stood there.
        next_step: the next command to type, or the edit to make.
    """

    exit_code: ClassVar[int] = 70

    def __init__(
        self,
        message: str,
        *,
        rule: str,
        place: Place | str | None = None,
        expected: str | None = None,
        found: str | None = None,
        next_step: str | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.rule = rule
        self.place = Place(place) if isinstance(place, str) else place
        self.expected = expected
        self.found = found
        self.next_step = next_step

    def diagnostics(self) -> str:
        """The whole message, one fact a line: rule, place, expected, found, next."""
        head = f"error[{self.rule}]: {one_line(self.message)}"
        facts = (
            ("  at", self.place),
            ("  expected", self.expected),
            ("  found", self.found),
            ("  next", self.next_step),
        )
        return "\n".join(
            [
                head,
                *(f"{name}: {one_line(str(value))}" for name, value in facts if value is not None),
            ]
        )


class InvalidError(AbverifyError):
    """The input is malformed; nothing was done."""

    exit_code = 2


class UsageError(AbverifyError):
    """The request cannot be understood: an unknown or ambiguous name, an impossible option."""

    exit_code = 2


class IndeterminateError(AbverifyError):
    """The question cannot be answered here and now; the answer is neither yes nor no."""

    exit_code = 3


class RefusedError(AbverifyError):
    """The request is understood and the rules refuse it."""

    exit_code = 1


class UntrustedError(AbverifyError):
    """Integrity or trust failed: what is on disk is not what was signed."""

    exit_code = 4


class NothingToCheckError(AbverifyError):
    """Zero items were selected: a check over nothing is its own verdict, never a pass."""

    exit_code = 5


class FaultsError(AbverifyError):
    """Several faults found in one pass, reported together; exits with the gravest of them."""

    def __init__(self, errors: tuple[AbverifyError, ...]) -> None:
        if not errors:
            raise ValueError("an error group needs at least one error")
        first = errors[0]
        super().__init__(f"{len(errors)} faults; the first: {first.message}", rule=first.rule)
        self.errors = errors

    @property
    def code(self) -> int:
        """The exit code of the gravest member (trust failures outrank malformed input)."""
        gravity = (UntrustedError, InvalidError, UsageError, IndeterminateError, RefusedError)
        for kind in gravity:
            if any(isinstance(error, kind) for error in self.errors):
                return kind.exit_code
        return self.errors[0].exit_code

    def diagnostics(self) -> str:
        """Every member's diagnostics, in the order found."""
        return "\n".join(error.diagnostics() for error in self.errors)


def members(error: AbverifyError) -> tuple[AbverifyError, ...]:
    """The faults an error stands for: a group's members, or the error itself."""
    return error.errors if isinstance(error, FaultsError) else (error,)


def raise_all(errors: list[AbverifyError]) -> None:
    """Raises the collected faults together; does nothing when there are none."""
    if len(errors) == 1:
        raise errors[0]
    if errors:
        raise FaultsError(tuple(errors))


def exit_code_of(error: AbverifyError) -> int:
    """The documented exit code of an error or of a group of them."""
    return error.code if isinstance(error, FaultsError) else error.exit_code

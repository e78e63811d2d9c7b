"""The control of a passed oracle: with a failing test added, the same command must fail.

Code under test runs inside the test runner's process. It can print the summary that a
fixture expects and leave with exit code 0 before any test has run, or put assertions out of
action; the command's own word is then worthless. So a pass counts only if the very same
files fail once a test is added to them that cannot pass: whoever leaves early leaves early
then too. A control has a new name each time and is never journaled.

What it does not catch is code that recognises the control, and values that claim to equal
everything: fixtures guard against the second with negative assertions.
"""

from __future__ import annotations

import re
import secrets
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from abverify.model.corpus import Fixture

_TEST_FILES = {
    "python": re.compile(r"(?:.*/)?test[^/]*\.py"),
    "rust": re.compile(r"tests/[^/]+\.rs"),
}
"""Where a language's test runner looks; only protected files of these names take a control."""

_PYTHON = """

import unittest as _unittest_{name}


class Control{name}(_unittest_{name}.TestCase):
    def test_{name}(self):
        for check in (
            lambda: self.assertEqual(1, 2),
            lambda: self.assertNotEqual(1, 1),
            lambda: self.assertTrue(0),
            lambda: self.assertFalse(1),
            lambda: self.assertIs(self, None),
            lambda: self.assertIsNone(self),
            lambda: self.assertIn(1, (2,)),
            lambda: self.assertRaises(ValueError, int, "1"),
        ):
            try:
                check()
            except AssertionError:
                continue
            return
        raise AssertionError("control")
"""

_RUST = """

#[test]
fn control_{name}() {{
    panic!("control");
}}
"""


def controls(
    fixture: Fixture, files: Mapping[str, bytes]
) -> Iterator[tuple[str, dict[str, bytes]]]:
    """The same files with a failing test, once for each test file of the fixture.

    One at a time: code may leave early in one file's tests and not in another's.

    Args:
        fixture: the task.
        files: the state that passed.

    Yields:
        The path of the test file, and all files with the control in it.
    """
    language = fixture.spec.language
    template = {"python": _PYTHON, "rust": _RUST}[language]
    for path in fixture.spec.protected:
        if _TEST_FILES[language].fullmatch(path):
            added = template.format(name=secrets.token_hex(4))
            yield path, {**files, path: files[path] + added.encode("ascii")}

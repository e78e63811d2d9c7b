"""What makes a command say the same twice: a fixed environment, and no clock in its output.

A test runner tells how long it took, Python where an object lies, Rust the number of a
thread. Left in, each of them would make two runs of one lock differ, and a model that
reads them would go on with another text for a reason that nobody declared.
"""

from __future__ import annotations

import re
from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

STEADY_ENV: Mapping[str, str] = MappingProxyType({"RUST_TEST_THREADS": "1"})
"""Beside the sandbox's own environment: Rust's tests run, and report, in one order."""

_TOLD_TIME = re.compile(
    r"((?:\bRan \d+ tests? in |\bfinished in |\btarget\(s\) in |\b(?:passed|failed|errors?) in ))"
    r"\d+(?:\.\d+)?(?= ?m?s\b)"
)
_ADDRESS = re.compile(r"\bat 0x[0-9a-f]{6,16}\b")
_THREAD = re.compile(r"^(thread '[^'\n]*') \(\d+\)(?= (?:panicked|has overflowed))", re.MULTILINE)


def steadied(text: str) -> str:
    """The output of a command without what changes from run to run.

    Only phrases of the test runners themselves are touched: a time that the code under
    test prints is its own.
    """
    timeless = _TOLD_TIME.sub(r"\g<1>0.00", text)
    return _THREAD.sub(r"\1", _ADDRESS.sub("at 0x0", timeless))

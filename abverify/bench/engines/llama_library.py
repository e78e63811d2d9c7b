"""llama.cpp's C interface as llama-cpp-python declares it, and what its refusals are called here.

Runs only in the engine's child process.
"""

from __future__ import annotations

from typing import Any

from abverify.bench.submodule import submodule

llama: Any = submodule("llama_cpp", "llama_cpp")


class RuntimeFault(Exception):  # noqa: N818 (it is sent to the parent, never handled as an error)
    """llama.cpp refused or failed; this process is of no further use."""

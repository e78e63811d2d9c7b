"""llama-cpp-python's C interface, without the rest of the package.

The package's own start imports numpy, a disk cache and its high-level class, none of which is
used here: 23 MB, and three quarters of the time that importing takes, in every engine.
"""

from __future__ import annotations

import importlib
import importlib.metadata
import importlib.util
import sys
from types import ModuleType
from typing import Any, Final

_PACKAGE: Final = "llama_cpp"


def c_interface() -> Any:
    """The module `llama_cpp.llama_cpp`; whoever imports the package later gets all of it.

    Raises:
        ImportError: if the package is not installed, or its library cannot be loaded.
    """
    name = f"{_PACKAGE}.llama_cpp"
    if _PACKAGE in sys.modules:
        return importlib.import_module(name)
    found = importlib.util.find_spec(_PACKAGE)
    if found is None or found.submodule_search_locations is None:
        raise ImportError(f"No module named {_PACKAGE!r}", name=_PACKAGE)
    empty = ModuleType(_PACKAGE)
    empty.__path__ = list(found.submodule_search_locations)
    sys.modules[_PACKAGE] = empty
    try:
        return importlib.import_module(name)
    finally:
        del sys.modules[_PACKAGE]


def library_version() -> str:
    """The installed version of llama-cpp-python."""
    return importlib.metadata.version("llama-cpp-python")

"""One module of a package, without what the package itself imports when it is imported.

`llama_cpp` brings numpy, a disk cache and its high-level class, `gguf` numpy again: of the one,
the C interface is used here, of the other its tables. Left out, an engine is 23 MB smaller and a
run 15 MB, and both start sooner.
"""

from __future__ import annotations

import importlib
import importlib.util
import sys
from functools import cache
from types import ModuleType
from typing import Any


@cache
def submodule(package: str, name: str) -> Any:
    """The module `package.name`.

    A copy of our own, unless the package is imported already: whoever imports it later finds
    nothing of it there, and gets all of it.

    Raises:
        ImportError: if the package is not installed, or the module cannot be imported.
    """
    full = f"{package}.{name}"
    if package in sys.modules:
        return importlib.import_module(full)
    found = importlib.util.find_spec(package)
    if found is None or found.submodule_search_locations is None:
        raise ImportError(f"No module named {package!r}", name=package)
    empty = ModuleType(package)
    empty.__path__ = list(found.submodule_search_locations)
    sys.modules[package] = empty
    try:
        return importlib.import_module(full)
    finally:
        for module in [one for one in sys.modules if f"{one}.".startswith(f"{package}.")]:
            del sys.modules[module]

"""Pydantic's plugins: where they are switched off, nothing is loaded to look for them.

Pydantic makes every validator by way of its plugin loader, and that loads `importlib.metadata`
and with it the mail parser, sockets and archives: a tenth of what a check takes, for a list
that is not read when plugins are off.
"""

from __future__ import annotations

import os
import sys
from importlib import import_module
from types import ModuleType
from typing import Any, Final

OFF: Final = "PYDANTIC_DISABLE_PLUGINS"
_METADATA: Final = "importlib.metadata"


class _Later(ModuleType):
    """Stands in for `importlib.metadata`; what it is asked for comes from the real one."""

    @staticmethod
    def entry_points(**selection: str) -> Any:
        """The installed entry points, found when they are asked for."""
        return import_module(_METADATA).entry_points(**selection)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):  # the import statement asks whether this is a package
            raise AttributeError(name)
        sys.modules.pop(_METADATA, None)
        return getattr(import_module(_METADATA), name)


def load_validators() -> None:
    """Loads what makes validators, and nothing that finds plugins where they are off."""
    if os.environ.get(OFF) != "__all__" or _METADATA in sys.modules:
        return
    from pydantic import TypeAdapter

    sys.modules[_METADATA] = stand_in = _Later(_METADATA)
    try:
        TypeAdapter(None)
    finally:
        if sys.modules.get(_METADATA) is stand_in:
            del sys.modules[_METADATA]

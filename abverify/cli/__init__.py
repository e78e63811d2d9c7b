"""The command line: each verb in a module of its own, loaded when it is typed."""

from __future__ import annotations

from abverify.cli.group import main

__all__ = ["main"]

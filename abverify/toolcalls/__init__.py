"""Assistant text to tool calls: pure, total, linear, and refusing what has two readings.

`parse` is the whole job; `PROFILES` are the rules a run can declare. The rules and their
reasons stand in `docs/reference/toolcalls.md`.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from .parser import parse
from .profiles import MARKDOWN_EDIT, PROFILES, SALVAGE, STRICT, Profile, profile_by_name
from .tools import DEFAULT_TOOLS, tools_from_json
from .values import ParsedTurn, Refusal, Repair, Span, ToolCall, ToolSpec, Verdict

if TYPE_CHECKING:
    from .calibration import CalibrationCase, CalibrationResult, calibration_cases, run_calibration
    from .codes import Code, code_catalogue

__all__ = [
    "DEFAULT_TOOLS",
    "MARKDOWN_EDIT",
    "PROFILES",
    "SALVAGE",
    "STRICT",
    "CalibrationCase",
    "CalibrationResult",
    "Code",
    "ParsedTurn",
    "Profile",
    "Refusal",
    "Repair",
    "Span",
    "ToolCall",
    "ToolSpec",
    "Verdict",
    "calibration_cases",
    "code_catalogue",
    "parse",
    "profile_by_name",
    "run_calibration",
    "tools_from_json",
]

_LATER = {
    "CalibrationCase": "calibration",
    "CalibrationResult": "calibration",
    "calibration_cases": "calibration",
    "run_calibration": "calibration",
    "Code": "codes",
    "code_catalogue": "codes",
}
"""What parsing does not need, by the module that has it; loaded when it is asked for."""


def __getattr__(name: str) -> Any:
    if name not in _LATER:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_LATER[name]}"), name)

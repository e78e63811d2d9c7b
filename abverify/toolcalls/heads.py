"""How a call begins in each dialect that is no JSON envelope.

The readers of these dialects are loaded when a text has such a head: most have none.
"""

from __future__ import annotations

import re
from typing import Final

XML_HEAD: Final = re.compile(
    r"<(?P<tag>function|invoke)(?:=|[ \t]+name[ \t]*=[ \t]*)[ \t]*(?P<quote>[\"']?)"
    r"(?P<name>[\w.\-]+)(?P=quote)[ \t]*(?P<close>>|(?=[ \t]*\r?\n))"
)
CALL_HEAD: Final = re.compile(r"([A-Za-z_]\w*)(\.call)?\(", re.ASCII)
GLM_HEAD: Final = re.compile(r"([A-Za-z_][\w.\-]*)\s*(?=<arg_key>)", re.ASCII)
MISTRAL_MARK: Final = "[TOOL_CALLS]"

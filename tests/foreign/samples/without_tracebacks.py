"""Empties every traceback of JSON lines on standard input: they name the machine that ran."""

import json
import sys
from typing import Any


def emptied(value: Any) -> Any:
    """The value, the text of every member called traceback gone."""
    if isinstance(value, dict):
        return {
            key: "" if key.startswith("traceback") and isinstance(item, str) else emptied(item)
            for key, item in value.items()
        }
    return [emptied(item) for item in value] if isinstance(value, list) else value


for text in [sys.stdin.read()] if "--whole" in sys.argv else sys.stdin:
    sys.stdout.write(json.dumps(emptied(json.loads(text)), ensure_ascii=False) + "\n")

"""Runs one sandbox request, read as JSON from stdin; started as an unprivileged user."""

from __future__ import annotations

import base64
import dataclasses
import json
import sys
from pathlib import Path

from abverify.bench.sandbox import Limits, find_sandbox, toolchains


def main() -> None:
    asked = json.load(sys.stdin)
    done = find_sandbox().run(
        asked["argv"],
        workspace=Path(asked["workspace"]),
        limits=Limits(**asked["limits"]),
        toolchains=[toolchains.find(name) for name in asked["toolchains"]],
        stdin=base64.b64decode(asked["stdin"]),
        env=asked["env"],
    )
    fields = {field.name: getattr(done, field.name) for field in dataclasses.fields(done)}
    json.dump({**fields, "output": base64.b64encode(done.output).decode()}, sys.stdout)


if __name__ == "__main__":
    main()

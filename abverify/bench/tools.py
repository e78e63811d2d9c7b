"""The six tools a model may call, each confined to the trial's workspace."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from abverify._frozen import frozen
from abverify.bench.confined import Confined, OutsideWorkspace
from abverify.bench.steady import STEADY_ENV, steadied
from abverify.evidence.rows import ToolResult
from abverify.model.globs import glob_regex

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from abverify.bench.sandbox import Limits, Sandbox, Toolchain

OUTPUT_LIMIT = 8_000
"""Characters of a tool's output that the model sees; what is cut is said."""


@frozen
class Tools:
    """The tools of one trial.

    Attributes:
        workspace: the trial's own copy of the fixture's start state.
        sandbox: where `shell` and `grep` run.
        limits: what one of them may use.
        toolchains: the languages they may find.
    """

    workspace: Path
    sandbox: Sandbox
    limits: Limits
    toolchains: Sequence[Toolchain]

    def execute(self, name: str, arguments: Mapping[str, object], *, seconds: float) -> ToolResult:
        """Runs one call; whatever the model got wrong becomes a result, never an error of ours.

        Args:
            name: the tool.
            arguments: strings, as the parser validated them against the tool's schema.
            seconds: what is left of the turn's time; a command gets no more than this.
        """
        texts = {key: str(value) for key, value in arguments.items()}
        action = self._actions()[name]
        try:
            ok, output = action(texts, seconds)
        except FileNotFoundError as error:
            ok, output = False, str(error)
        except OutsideWorkspace as error:
            ok, output = False, f"refused: {error}"
        except (OSError, UnicodeEncodeError) as error:
            ok, output = False, f"failed: {error.__class__.__name__}"
        return ToolResult(tool=name, ok=ok, output=_shown(output))

    def _actions(self) -> dict[str, Callable[[dict[str, str], float], tuple[bool, str]]]:
        return {
            "file_read": self._read,
            "file_write": self._write,
            "file_edit": self._edit,
            "glob": self._glob,
            "grep": self._grep,
            "shell": self._shell,
        }

    @property
    def _files(self) -> Confined:
        return Confined(self.workspace)

    def _read(self, arguments: dict[str, str], _: float) -> tuple[bool, str]:
        return True, self._files.read(arguments["path"]).decode("utf-8", "replace")

    def _write(self, arguments: dict[str, str], _: float) -> tuple[bool, str]:
        data = arguments["content"].encode("utf-8")
        self._files.write(arguments["path"], data)
        return True, f"wrote {len(data)} bytes to {arguments['path']}"

    def _edit(self, arguments: dict[str, str], _: float) -> tuple[bool, str]:
        path, old = arguments["path"], arguments["old_string"].encode("utf-8")
        data = self._files.read(path)
        count = data.count(old) if old else 0
        if count != 1:
            return False, f"old_string stands {count} times in {path}; it must stand exactly once"
        self._files.write(path, data.replace(old, arguments["new_string"].encode("utf-8")))
        return True, f"edited {path}"

    def _glob(self, arguments: dict[str, str], _: float) -> tuple[bool, str]:
        pattern = re.compile(glob_regex(arguments["pattern"]))
        found = [path for path in self._files.files() if pattern.fullmatch(path)]
        return True, "\n".join(found) or "no file matches"

    def _grep(self, arguments: dict[str, str], seconds: float) -> tuple[bool, str]:
        path = arguments["path"] or "."
        argv = ["grep", "-rnIE", "--", arguments["pattern"], f"./{path.lstrip('/')}"]
        code, output = self._run(argv, seconds)
        return code in (0, 1), output or "no line matches"

    def _shell(self, arguments: dict[str, str], seconds: float) -> tuple[bool, str]:
        code, output = self._run(["sh", "-c", arguments["command"]], seconds)
        return code == 0, f"{output}\n[exit {code}]" if output else f"[exit {code}]"

    def _run(self, argv: list[str], seconds: float) -> tuple[int | None, str]:
        if any("\x00" in part for part in argv):
            return 2, "refused: a NUL byte in the command"
        if seconds <= 0:
            return None, "not run: no time is left"
        done = self.sandbox.run(
            argv,
            workspace=self.workspace,
            limits=replace(self.limits, wall_seconds=min(self.limits.wall_seconds, seconds)),
            toolchains=self.toolchains,
            env=STEADY_ENV,
        )
        text = steadied(done.output.decode("utf-8", "replace"))
        if done.killed:
            text += f"\n[killed: {done.killed}]"
        return done.exit_code, text


def _shown(output: str) -> str:
    """What the model sees of an output: valid text, bounded, and told when it was cut."""
    clean = output.encode("utf-8", "replace").decode("utf-8")
    if len(clean) <= OUTPUT_LIMIT:
        return clean
    return f"{clean[:OUTPUT_LIMIT]}\n[{len(clean) - OUTPUT_LIMIT} more characters were cut]"

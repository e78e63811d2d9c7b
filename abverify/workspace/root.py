"""Where the repository is: `--root`, else `[tool.abverify]`, else the folder with `contracts/`."""

from __future__ import annotations

from pathlib import Path

from abverify.errors import UsageError


def find_root(option: str | None) -> Path:
    """The repository root.

    Args:
        option: the value of `--root`, if given.

    Raises:
        UsageError: AV001 if no folder with `contracts/` is found.
    """
    start = Path(option) if option is not None else Path.cwd()
    candidates = [start] if option is not None else [start, *start.parents]
    for folder in candidates:
        configured = _configured(folder)
        for root in (configured, folder):
            if root is not None and (root / "contracts").is_dir():
                return root.resolve()
    raise UsageError(
        "no contracts folder here",
        rule="AV001",
        place=str(start),
        expected="a repository with contracts/, gates/ and fixtures/",
        found="no contracts/ in this folder" + ("" if option else " or above it"),
        next_step="go to the repository, or name it with --root",
    )


def _configured(folder: Path) -> Path | None:
    file = folder / "pyproject.toml"
    if not file.is_file():
        return None
    import tomllib

    try:
        tool = tomllib.loads(file.read_text(encoding="utf-8")).get("tool", {})
    except (tomllib.TOMLDecodeError, UnicodeDecodeError):
        return None
    section = tool.get("abverify") if isinstance(tool, dict) else None
    value = section.get("root") if isinstance(section, dict) else None
    return folder / value if isinstance(value, str) else None

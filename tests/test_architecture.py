"""The design's layers and budgets, kept by reading the package's own syntax trees."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterable

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "abverify"
MODULES = {
    ".".join(file.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): file
    for file in sorted(PACKAGE.rglob("*.py"))
}
TREES = {name: ast.parse(file.read_text(encoding="utf-8")) for name, file in MODULES.items()}

LAYERS = {
    "_frozen": -1,
    "errors": 0,
    "_version": 0,
    "_canonical": 1,
    "_yaml": 1,
    "_clock": 1,
    "model": 2,
    "toolcalls": 3,
    "evidence": 4,
    "verify": 5,
    "bench": 5,
    "records": 6,
    "workspace": 7,
    "report": 7,
    "app": 8,
    "cli": 9,
    "__main__": 10,
    "pytest_plugin": 10,
}
FORBIDDEN = {
    "toolcalls": {"model"},
    "bench": {"records", "verify", "workspace", "report"},
    "report": {"records", "verify", "evidence", "toolcalls", "bench", "workspace"},
    "workspace": {"report", "bench"},
    "records": {"bench"},
}
"""Beyond the order: side branches and the modules that must not know each other."""

LAZY = (
    "llama_cpp",
    "ray",
    "scipy",
    "matplotlib",
    "pydantic",
    "rich",
    "click",
    "ruamel",
    "yaml",
    "nacl",
)


def part(module: str) -> str:
    """The package's part a module belongs to: `abverify.model.ids` is of `model`."""
    return module.split(".")[1] if "." in module else module


def imports(module: str) -> set[str]:
    """The modules of the package that a module imports, annotations' imports included."""
    return _imported(module, ast.walk(TREES[module]))


def at_run_time(module: str) -> set[str]:
    """The modules imported when a module is loaded: not inside functions or for annotations."""
    later = {
        inner
        for node in ast.walk(TREES[module])
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) or _is_type_checking(node)
        for inner in ast.walk(node)
    }
    return _imported(module, (node for node in ast.walk(TREES[module]) if node not in later))


def _imported(module: str, nodes: Iterable[ast.AST]) -> set[str]:
    found: set[str] = set()
    for node in nodes:
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            start = _start(module, node)
            names = {f"{start}.{alias.name}" for alias in node.names}
            found |= {name for name in names if name in MODULES} or {start}
    return {name for name in found if name in MODULES and name != module}


def _start(module: str, node: ast.ImportFrom) -> str:
    """The module named after `from`, relative dots resolved."""
    if not node.level:
        return str(node.module)
    parents = module.split(".") if MODULES[module].name == "__init__.py" else module.split(".")[:-1]
    above = parents[: len(parents) + 1 - node.level]
    return ".".join([*above, *([node.module] if node.module else [])])


def _is_type_checking(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"


def crossings(module: str) -> list[str]:
    """The imports of a module that go up, or to a part it must not know."""
    own = part(module)
    if module == "abverify":
        return []
    return [
        f"{module} -> {other}"
        for other in sorted(imports(module))
        if other != "abverify"
        and part(other) != own
        and (LAYERS[part(other)] >= LAYERS[own] or part(other) in FORBIDDEN.get(own, ()))
    ]


def test_the_package_has_only_the_designs_parts() -> None:
    assert {part(name) for name in MODULES} - {"abverify"} <= set(LAYERS)
    assert len(MODULES) > 50


@pytest.mark.parametrize("module", MODULES)
def test_dependencies_point_one_way(module: str) -> None:
    assert crossings(module) == []


def test_the_reading_of_imports_sees_them() -> None:
    assert "abverify.errors" in imports("abverify._yaml")
    assert "abverify.model.criteria" in imports("abverify.verify.evaluate")
    assert "abverify.evidence.lock" in imports("abverify.evidence.demand")
    assert "abverify.evidence.lock" not in at_run_time("abverify.evidence.demand")
    assert "abverify.toolcalls.parser" in at_run_time("abverify.toolcalls")


def test_no_module_imports_itself_by_a_detour() -> None:
    graph = {name: at_run_time(name) for name in MODULES}
    done: set[str] = set()

    def visit(module: str, path: tuple[str, ...]) -> list[str]:
        if module in path:
            return [*path[path.index(module) :], module]
        if module in done:
            return []
        for other in sorted(graph[module]):
            if cycle := visit(other, (*path, module)):
                return cycle
        done.add(module)
        return []

    assert [cycle for module in graph if (cycle := visit(module, ()))] == []


@pytest.mark.parametrize("module", MODULES)
def test_a_module_has_at_most_400_lines(module: str) -> None:
    assert len(MODULES[module].read_text(encoding="utf-8").splitlines()) <= 400


def lines(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """The lines of a function, its docstring not counted."""
    end = node.end_lineno or node.lineno
    first = node.body[0]
    documented = ast.get_docstring(node) is not None
    told = (first.end_lineno or first.lineno) - first.lineno + 1 if documented else 0
    return end - node.lineno + 1 - told


@pytest.mark.parametrize("module", MODULES)
def test_a_function_has_at_most_50_lines_besides_its_docstring(module: str) -> None:
    functions = [
        node
        for node in ast.walk(TREES[module])
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    ]

    assert {node.name: lines(node) for node in functions if lines(node) > 50} == {}


EFFECTS = {"open", "os", "subprocess", "shutil", "socket", "tempfile", "fcntl"}
METHODS = {"read_text", "read_bytes", "write_text", "write_bytes", "mkdir", "unlink"}
MAY_TOUCH = ("workspace", "bench", "cli")
ALLOWED = {
    "abverify._clock": {"os"},  # the environment variable that fixes the clock
    "abverify._canonical": {".open"},  # the digest of a file too large to hold
    "abverify.model.plugins": {"os"},  # the environment variable that switches plugins off
    "abverify.toolcalls.calibration": {".read_text"},  # the package's own data
    "abverify.toolcalls.codes": {".read_text"},  # the package's own data
    "abverify.records.keystore": {  # keys live outside the root
        "os",
        ".mkdir",
        ".read_bytes",
        ".read_text",
    },
    "abverify.records.ssh_agent": {"socket"},  # where the keys live that never come here
    "abverify.app.keys": {"os"},  # the environment says where the keys are
    "abverify.app.signing": {"os"},  # the environment says where the keys are
    "abverify.app.toolcalls": {".read_text"},  # a file of tools that the user names
    "abverify.app.amend": {".read_bytes", ".unlink"},  # takes back what it wrote half way
}


def effects(module: str) -> set[str]:
    """The ways a module reaches files, processes or the environment."""
    found: set[str] = set()
    for node in ast.walk(TREES[module]):
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names} & EFFECTS
        elif isinstance(node, ast.ImportFrom):
            found |= {str(node.module).split(".")[0]} & EFFECTS
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            found |= {node.func.id} & {"open"}
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            found |= {f".{node.func.attr}"} & {f".{name}" for name in METHODS}
            found |= {".open"} if _opens_a_path(node) else set()
    return found


def _opens_a_path(call: ast.Call) -> bool:
    """Whether a call of a method `open` looks like a path's: nothing but modes in quotes."""
    assert isinstance(call.func, ast.Attribute)
    return call.func.attr == "open" and all(isinstance(arg, ast.Constant) for arg in call.args)


@pytest.mark.parametrize("module", [name for name in MODULES if part(name) not in MAY_TOUCH])
def test_only_the_edges_touch_files_processes_and_the_environment(module: str) -> None:
    assert effects(module) - ALLOWED.get(module, set()) == set()


@pytest.mark.parametrize("module", [name for name in MODULES if name != "abverify._clock"])
def test_only_the_clock_asks_what_time_it_is(module: str) -> None:
    asked = [
        ast.unparse(node)
        for node in ast.walk(TREES[module])
        if isinstance(node, ast.Attribute)
        and node.attr in {"now", "utcnow", "today"}
        and ast.unparse(node.value) in {"datetime", "date", "datetime.datetime", "datetime.date"}
    ]
    asked += [
        ast.unparse(node)
        for node in ast.walk(TREES[module])
        if isinstance(node, ast.Attribute) and ast.unparse(node) == "time.time"
    ]

    assert asked == []


def test_importing_the_package_imports_no_heavy_library() -> None:
    code = (
        "import sys, abverify;"
        f"print(sorted(set({LAZY!r}) & {{name.split('.')[0] for name in sys.modules}}))"
    )

    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT
    )

    assert done.stdout == "[]\n"

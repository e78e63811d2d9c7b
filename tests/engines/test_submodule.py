"""One module of a package, and nothing that is not used of the rest."""

from __future__ import annotations

import subprocess
import sys

import pytest

from abverify.bench.submodule import submodule

PROGRAM = """
import sys
from abverify.bench.submodule import submodule
module = submodule({package!r}, {name!r})
assert "numpy" not in sys.modules
assert not [name for name in sys.modules if name.startswith({package!r})]
assert submodule({package!r}, {name!r}) is module
import {package}.{name}
assert "numpy" in sys.modules
print({package}.{whole}, {package}.{name})
"""


@pytest.mark.parametrize(
    ("package", "name", "whole"),
    [("llama_cpp", "llama_cpp", "Llama"), ("gguf", "constants", "GGUFReader")],
)
def test_a_module_comes_alone_and_leaves_its_package_whole(
    package: str, name: str, whole: str
) -> None:
    program = PROGRAM.format(package=package, name=name, whole=whole)
    ran = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )
    assert (ran.stderr, ran.returncode) == ("", 0)
    assert whole in ran.stdout


def test_a_package_that_is_not_installed_is_told_as_a_failed_import() -> None:
    with pytest.raises(ImportError, match="nobody_wrote_this"):
        submodule("nobody_wrote_this", "constants")

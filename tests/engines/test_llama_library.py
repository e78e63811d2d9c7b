"""The C interface of llama-cpp-python, and nothing that an engine does not use."""

from __future__ import annotations

import subprocess
import sys

from abverify.bench.engines.llama_library import library_version

PROGRAM = """
import sys
from abverify.bench.engines.llama_library import c_interface
library = c_interface()
assert "numpy" not in sys.modules and "llama_cpp" not in sys.modules
assert c_interface() is library
import llama_cpp
assert llama_cpp.Llama and llama_cpp.llama_cpp is library
print(llama_cpp.__version__)
"""


def test_an_engine_loads_the_c_interface_alone_and_leaves_the_package_whole() -> None:
    ran = subprocess.run(
        [sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=False
    )
    assert (ran.stderr, ran.returncode) == ("", 0)
    assert ran.stdout.strip() == library_version()

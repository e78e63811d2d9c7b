"""The `llama` engines of a contract: weights and adapter found, hashed, checked and loaded."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from abverify.bench.engines.llama import LlamaEngine, require_packages
from abverify.bench.engines.llama_load import LoadedAdapter
from abverify.bench.weights import identify, locate, no_adapter_yet

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from abverify.model.config import RunConfig
    from abverify.model.identity import Adapter, ModelSection


def open_llama(
    model: ModelSection,
    config: RunConfig,
    *,
    root: Path,
    threads: int | None = None,
    paranoid: bool = False,
    on_token: Callable[[int], None] | None = None,
) -> LlamaEngine:
    """The engine of a contract.

    Args:
        model: the contract's model section.
        config: its run configuration.
        root: the repository root, to which relative paths refer.
        threads: threads to compute with; by default one for each usable core.
        paranoid: whether to hash every byte even where the digest is remembered.
        on_token: called during a completion with the count of tokens sampled so far.

    Raises:
        IndeterminateError: AV510 if the weights are not here, AV513 if the adapter does not
            exist yet, AV514 if a package is missing, AV517 if llama.cpp cannot load them.
        InvalidError: AV511 if a file is no whole GGUF file, AV518 if it is of the wrong kind,
            AV516 if the contract's source is malformed.
        UntrustedError: AV512 if a file is not the declared one.
    """
    opened = _opener(model, config, root=root, threads=threads, paranoid=paranoid)
    return opened(on_token)


def open_llamas(
    count: int,
    model: ModelSection,
    config: RunConfig,
    *,
    root: Path,
    threads: int,
    paranoid: bool = False,
) -> tuple[LlamaEngine, ...]:
    """Several engines of one contract: hashed once, and loaded beside each other.

    Args:
        count: how many.
        model: the contract's model section.
        config: its run configuration.
        root: the repository root.
        threads: threads that each computes with.
        paranoid: whether to hash every byte even where the digest is remembered.

    Raises:
        IndeterminateError, InvalidError, UntrustedError: as `open_llama` does; then none is open.
    """
    opened = _opener(model, config, root=root, threads=threads, paranoid=paranoid)
    with ThreadPoolExecutor(count) as pool:
        loading = [pool.submit(opened, None) for _ in range(count)]
    failed = [error for each in loading if (error := each.exception()) is not None]
    engines = tuple(each.result() for each in loading if each.exception() is None)
    if failed:
        for engine in engines:
            engine.close()
        raise failed[0]
    return engines


def weights_size(model: ModelSection, root: Path) -> int:
    """The size of a contract's weight file, in bytes.

    Raises:
        IndeterminateError, InvalidError: AV510 or AV516 if it cannot be found.
    """
    path = locate(model.source, file=model.weights.file, root=root)
    try:
        return path.stat().st_size
    except OSError:
        return identify(path, expected_sha256=None).size  # which says what is wrong with it


def _opener(
    model: ModelSection, config: RunConfig, *, root: Path, threads: int | None, paranoid: bool
) -> Callable[[Callable[[int], None] | None], LlamaEngine]:
    """Identifies the files; gives what loads them into an engine."""
    require_packages()
    adapter = _open_adapter(model.adapter, root, paranoid=paranoid) if model.adapter else None
    path = locate(model.source, file=model.weights.file, root=root)
    facts = identify(path, expected_sha256=model.weights.sha256, paranoid=paranoid)

    def opened(on_token: Callable[[int], None] | None) -> LlamaEngine:
        return LlamaEngine(
            path,
            facts,
            name=model.name,
            engine=config.engine,
            sampling=config.sampling,
            prompt=config.prompt,
            adapter=adapter,
            threads=threads,
            on_token=on_token,
        )

    return opened


def _open_adapter(adapter: Adapter, root: Path, *, paranoid: bool) -> LoadedAdapter:
    if adapter.sha256 is None:
        raise no_adapter_yet(adapter)
    path = root / adapter.file
    facts = identify(path, expected_sha256=adapter.sha256, name=adapter.file, paranoid=paranoid)
    return LoadedAdapter(path=path, facts=facts, scale=adapter.scale)

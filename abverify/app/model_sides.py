"""What a user names as a model: a file, a file with an adapter, a source, or a gate."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

from abverify._frozen import frozen
from abverify.bench.inspection import inspect_gguf
from abverify.bench.weights import locate, no_adapter_yet, resolve
from abverify.errors import IndeterminateError, InvalidError
from abverify.model.model_diff import AdapterSide, ModelSide
from abverify.workspace.contracts import load_registry

if TYPE_CHECKING:
    from collections.abc import Callable

    from abverify.model.gguf_facts import GgufFacts
    from abverify.model.identity import Adapter, ModelSection

_NOT_HERE: Final = "AV510"


@frozen
class Reading:
    """How files are read.

    Attributes:
        root: finds the repository; asked only for a gate.
        paranoid: whether every byte is read even where a digest is remembered.
        watch: called while bytes are read with what they are, how many so far, and how many in
            all; null when nobody looks.
    """

    root: Callable[[], Path]
    paranoid: bool = False
    watch: Callable[[str, int, int], None] | None = None

    def watcher(self, label: str) -> Callable[[int, int], None] | None:
        """The callback for one piece of work."""
        return None if self.watch is None else partial(self.watch, label)

    def gguf(self, path: Path, *, name: str, expected: str | None = None) -> GgufFacts:
        """Reads one file; errors as for `inspect_gguf`."""
        return inspect_gguf(
            path,
            expected_sha256=expected,
            name=name,
            paranoid=self.paranoid,
            watch=self.watcher(f"hashing {path.name}"),
        )


@frozen
class OpenedSide:
    """A model that was looked for.

    Attributes:
        side: what is known of it.
        path: its weight file; null where that is not here.
        missing: why files of a gate's model are not here.
    """

    side: ModelSide
    path: Path | None
    missing: tuple[IndeterminateError, ...] = ()


def open_side(target: str, reading: Reading) -> OpenedSide:
    """Finds and reads what `target` names: FILE, a source, GATE, or one of them plus `+ADAPTER`.

    Raises:
        IndeterminateError: AV510 for a named file that is not here.
        InvalidError: AV511 for a damaged file, AV553 for an adapter that is none or fits not.
        UntrustedError: AV512 for a gate whose file is not the pinned one.
        UsageError: AV110 or AV111 for the name of a gate.
    """
    halves = _halves(target)
    if halves:
        base, adapter = halves
        return _with_adapter(open_side(base, reading), adapter, target, reading)
    if _is_file_name(target):
        return _open_file(target, reading)
    loaded = load_registry(reading.root()).find(target)
    return _open_gate(target, loaded.contract.model, reading)


def _halves(target: str) -> tuple[str, str] | None:
    """Base and adapter at the `+` between them; null for a single name, which may hold one too."""
    if Path(target).exists():
        return None
    signs = (at for at, sign in enumerate(target) if sign == "+")
    pairs = [(target[:at], target[at + 1 :]) for at in signs]
    likely = [(base, adapter) for base, adapter in pairs if base and _is_file_name(adapter)]
    here = [pair for pair in likely if Path(pair[0]).exists()]
    return next(iter([*here, *likely[::-1]]), None)


def _is_file_name(text: str) -> bool:
    """Whether the text can only mean a file, be it there or not."""
    rooted = text.startswith(("/", "./", "../"))
    return rooted or text.endswith(".gguf") or "://" in text or Path(text).is_file()


def _open_file(target: str, reading: Reading) -> OpenedSide:
    path = resolve(target, Path())
    return OpenedSide(ModelSide(target, reading.gguf(path, name=target)), path)


def _open_gate(target: str, model: ModelSection, reading: Reading) -> OpenedSide:
    root = reading.root()
    missing: list[IndeterminateError] = []
    path, facts = None, None
    try:
        found = locate(model.source, file=model.weights.file, root=root)
        facts = reading.gguf(found, name=model.weights.file, expected=model.weights.sha256)
        path = found
    except IndeterminateError as error:
        missing.append(_only_if_missing(error))
    adapter = None
    if model.adapter is not None:
        adapter = _declared_adapter(model.adapter, root, reading, missing)
    side = ModelSide(target, facts, model, adapter)
    if adapter and adapter.facts and facts:
        _require_fit(facts, adapter.facts)
    return OpenedSide(side, path, tuple(missing))


def _declared_adapter(
    adapter: Adapter, root: Path, reading: Reading, missing: list[IndeterminateError]
) -> AdapterSide:
    facts = None
    try:
        if adapter.sha256 is None:
            raise no_adapter_yet(adapter)
        facts = reading.gguf(root / adapter.file, name=adapter.file, expected=adapter.sha256)
    except IndeterminateError as error:
        missing.append(_only_if_missing(error))
    return AdapterSide(adapter.name, adapter.sha256, facts, adapter.scale)


def _only_if_missing(error: IndeterminateError) -> IndeterminateError:
    """The error, unless it is about something else than a file that is not here."""
    if error.rule not in (_NOT_HERE, "AV513"):
        raise error
    return error


def _with_adapter(base: OpenedSide, name: str, target: str, reading: Reading) -> OpenedSide:
    facts = reading.gguf(resolve(name, Path()), name=name)
    if base.side.adapter is not None or (base.side.facts and base.side.facts.kind == "adapter"):
        raise _no_pair(target, expected="one adapter over a model", found="two adapters")
    if facts.lora is None:
        raise _no_pair(name, expected="general.type: adapter", found=facts.kind)
    if base.side.facts:
        _require_fit(base.side.facts, facts)
    adapter = AdapterSide(name, facts.sha256, facts)
    return replace(base, side=replace(base.side, label=target, adapter=adapter))


def _require_fit(base: GgufFacts, adapter: GgufFacts) -> None:
    """Refuses an adapter made for another model: its pairs must be changes to the base's weights.

    Raises:
        InvalidError: AV553 with the first weight that does not fit.
    """
    if base.architecture != adapter.architecture:
        expected, found = str(base.architecture), str(adapter.architecture)
        raise _no_pair(adapter.file, expected=f"an adapter for {expected}", found=found)
    shapes = dict(base.shapes)
    for target, shape in adapter.lora.shapes if adapter.lora else ():
        if _padded(shapes.get(target)) != _padded(shape):
            expected = f"{target} of {shapes[target]}" if target in shapes else "weights it has"
            found = f"an adapter for {target} of {shape}"
            raise _no_pair(adapter.file, expected=expected, found=found)


def _padded(shape: tuple[int, ...] | None) -> tuple[int, ...]:
    """The shape in four dimensions, so that a trailing 1 makes no difference."""
    return (*(shape or ()), 1, 1, 1, 1)[:4]


def _no_pair(place: str, *, expected: str, found: str) -> InvalidError:
    return InvalidError(
        "not a model with an adapter that fits it",
        rule="AV553",
        place=place,
        expected=expected,
        found=found,
        next_step="name the base the adapter was made for: BASE.gguf+ADAPTER.gguf",
    )

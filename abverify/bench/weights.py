"""Weights: where a contract's source leads, and what the bytes there say they are."""

from __future__ import annotations

import importlib
import importlib.metadata
from dataclasses import field
from pathlib import Path
from typing import TYPE_CHECKING, Final, Protocol, cast

from abverify._canonical import sha256_hex
from abverify._frozen import frozen
from abverify.bench.extras import missing_package
from abverify.bench.submodule import submodule
from abverify.bench.weights_file import FileStamp, examine, stamp_of, unavailable
from abverify.errors import IndeterminateError, InvalidError
from abverify.model.sources import FileSource, HubSource, PackageSource, parse_source

if TYPE_CHECKING:
    from collections.abc import Callable

    from abverify.bench.gguf_header import GgufHeader
    from abverify.bench.weights_file import Examined
    from abverify.model.identity import Adapter

CACHED_NOTE: Final = "hash from cache; --paranoid reads the bytes again"


@frozen
class WeightFacts:
    """What a weight file is: its digest, and what its own metadata says of it.

    Attributes:
        sha256: digest of the whole file.
        size: its size, in bytes.
        stamp: the file these facts were read from, to notice that it was replaced since.
        kind: `general.type`: `model` or `adapter`.
        architecture: `general.architecture`.
        size_label: `general.size_label`.
        finetune: `general.finetune`.
        general_name: `general.name`.
        file_type: the quantization `general.file_type` stands for, such as `Q4_K_M`.
        chat_template: the template's text.
        template_sha256: digest of its UTF-8 bytes.
        tokenizer_sha256: digest of tokens, types, merges and special ids.
        from_cache: whether `sha256` is that of an earlier reading of the untouched file.

    A fact the file does not state is null.
    """

    sha256: str
    size: int
    stamp: FileStamp
    kind: str
    architecture: str | None
    size_label: str | None
    finetune: str | None
    general_name: str | None
    file_type: str | None
    chat_template: str | None
    template_sha256: str | None
    tokenizer_sha256: str | None
    from_cache: bool = field(default=False, compare=False)


def locate(source: str, *, file: str, root: Path) -> Path:
    """The path a contract's `model.source` leads to; hub files are fetched if they must be.

    Args:
        source: `python-package://distribution/path`, `hf://owner/name@revision/path`, or a path,
            absolute or relative to `root`.
        file: the file name the contract's `model.weights.file` declares.
        root: the repository root.

    Raises:
        InvalidError: AV516 if the source is of no known kind or leads to another file name.
        IndeterminateError: AV510 if it cannot be had here.
    """
    path = resolve(source, root)
    if path.name != file:
        raise InvalidError(
            "model.source and model.weights.file name different files",
            rule="AV516",
            place=source,
            expected=file,
            found=path.name,
            next_step="make the two agree in the contract",
        )
    return path


def identify(
    path: Path,
    *,
    expected_sha256: str | None,
    name: str | None = None,
    paranoid: bool = False,
    watch: Callable[[int, int], None] | None = None,
) -> WeightFacts:
    """Reads what a GGUF file is, under the digest of all its bytes, without loading it.

    Args:
        path: the file.
        expected_sha256: what its digest must be; null when the contract only describes it.
        name: what to call it in an error message; by default its path.
        paranoid: whether to read every byte even where the digest is remembered.
        watch: called while hashing with the bytes read so far and the bytes in all.

    Raises:
        IndeterminateError: AV510 if there is no such file, AV514 if `gguf` is not installed.
        InvalidError: AV511 if it is no whole GGUF file.
        UntrustedError: AV512 if its digest is another one, or it changed while it was read.
    """
    shown = name or str(path)
    found = examine(
        path, expected_sha256=expected_sha256, name=shown, paranoid=paranoid, watch=watch
    )
    return weight_facts(found, name=shown)


def no_adapter_yet(adapter: Adapter) -> IndeterminateError:
    """AV513: the contract names an adapter that nobody has made."""
    return IndeterminateError(
        "the adapter does not exist yet",
        rule="AV513",
        place=adapter.file,
        expected="the sha256 of an adapter file",
        found="null",
        next_step="train the adapter, then amend the contract with its sha256",
    )


def file_stamp(path: Path) -> FileStamp:
    """The stamp of a file as it is now."""
    return stamp_of(path.stat())


def weight_facts(found: Examined, *, name: str) -> WeightFacts:
    """What an examined file says of itself.

    Raises:
        InvalidError: AV511 if it says so in values of the wrong type, or is a part of a model.
        IndeterminateError: AV514 if `gguf` is not installed.
    """
    header = found.header

    def text(key: str) -> str | None:
        value = header.values.get(key)
        if value is not None and not isinstance(value, str):
            raise InvalidError(
                "not a whole GGUF file",
                rule="AV511",
                place=name,
                expected=f"a text for {key}",
                found=repr(value),
            )
        return value

    _refuse_split(header, name)
    template = text("tokenizer.chat_template")
    return WeightFacts(
        sha256=found.sha256,
        size=found.stamp[2],
        stamp=found.stamp,
        kind=text("general.type") or "model",
        architecture=text("general.architecture"),
        size_label=text("general.size_label"),
        finetune=text("general.finetune"),
        general_name=text("general.name"),
        file_type=_file_type(header),
        chat_template=template,
        template_sha256=None if template is None else sha256_hex(template.encode()),
        tokenizer_sha256=header.tokenizer_sha256,
        from_cache=found.from_cache,
    )


def _refuse_split(header: GgufHeader, name: str) -> None:
    parts = header.values.get("split.count", 1)
    if isinstance(parts, int) and parts > 1:
        raise InvalidError(
            "one part of a split model: the digest of a part says nothing about the whole",
            rule="AV511",
            place=name,
            expected="a GGUF file that holds the whole model",
            found=f"one of {parts} parts",
            next_step="merge the parts with llama-gguf-split --merge",
        )


def _file_type(header: GgufHeader) -> str | None:
    number = header.values.get("general.file_type")
    if not isinstance(number, int):
        return None
    try:
        constants = submodule("gguf", "constants")
    except ImportError:
        raise missing_package("gguf") from None
    try:
        label: str = constants.LlamaFileType(number).name
    except ValueError:
        return f"type-{number}"
    return label.removeprefix("MOSTLY_").removeprefix("ALL_")


def resolve(source: str, root: Path) -> Path:
    """The path a source leads to, as for `locate`, whatever the file is called."""
    match parse_source(source):
        case PackageSource(distribution, path):
            return _in_package(distribution, path, source)
        case HubSource(repository, revision, path):
            return _in_hub(repository, revision, path, source)
        case FileSource(path):
            return root / path


def _in_package(distribution: str, wanted: str, source: str) -> Path:
    step = f"pip install {distribution}"
    try:
        found = importlib.metadata.distribution(distribution)
    except importlib.metadata.PackageNotFoundError:
        raise unavailable(
            source, f"the package {distribution} is not installed", step=step
        ) from None
    for entry in found.files or ():
        if entry.as_posix() == wanted:
            return Path(str(entry.locate()))
    raise unavailable(source, f"{distribution} {found.version} holds no such file", step=step)


class _Hub(Protocol):
    """The one function used of huggingface_hub, which types itself too loosely."""

    def hf_hub_download(
        self, repo_id: str, filename: str, *, revision: str, local_files_only: bool
    ) -> str: ...


def _in_hub(repository: str, revision: str, wanted: str, source: str) -> Path:
    try:
        hub = cast("_Hub", importlib.import_module("huggingface_hub"))
    except ImportError:
        raise unavailable(
            source, "huggingface_hub is not installed", step="pip install 'abverify[hub]'"
        ) from None
    faults: list[str] = []
    for offline in (True, False):
        try:
            return Path(
                hub.hf_hub_download(repository, wanted, revision=revision, local_files_only=offline)
            )
        except Exception as error:  # noqa: BLE001 (the library and its HTTP client raise many kinds)
            faults.append(" ".join(str(error).split())[:200])
    raise unavailable(
        source,
        f"neither in the local cache nor to be fetched: {faults[-1]}",
        step=f"hf download {repository} {wanted} --revision {revision}",
    )

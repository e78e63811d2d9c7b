"""Weights: where a contract's source leads, and what the bytes there say they are."""

from __future__ import annotations

import hashlib
import importlib
import importlib.metadata
import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol, cast

from abverify._canonical import sha256_hex
from abverify.bench.gguf_header import GgufHeader, missing_package, read_header
from abverify.errors import IndeterminateError, InvalidError, UntrustedError

_PACKAGE: Final = re.compile(r"python-package://(?P<dist>[A-Za-z0-9][A-Za-z0-9._-]*)/(?P<path>.+)")
_HUB: Final = re.compile(r"hf://(?P<repo>[^/@]+/[^/@]+)@(?P<revision>[^/@]+)/(?P<path>.+)")
_SCHEME: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")
_SOURCES: Final = "python-package://distribution/path, hf://owner/name@revision/path, or a path"

FileStamp = tuple[int, int, int, int]
"""Device, inode, size in bytes and modification time in ns: the same file, untouched since."""


@dataclass(frozen=True, slots=True)
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
    path = _resolve(source, root)
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


def identify(path: Path, *, expected_sha256: str | None, name: str | None = None) -> WeightFacts:
    """Reads what a GGUF file is, hashing every byte of it, without loading it.

    Args:
        path: the file.
        expected_sha256: what its digest must be; null when the contract only describes it.
        name: what to call it in an error message; by default its path.

    Raises:
        IndeterminateError: AV510 if there is no such file, AV514 if `gguf` is not installed.
        InvalidError: AV511 if it is no whole GGUF file.
        UntrustedError: AV512 if its digest is another one, or it changed while it was read.
    """
    shown = name or str(path)
    try:
        if path.exists() and not path.is_file():
            raise _unavailable(shown, "not a regular file")
        with path.open("rb") as stream:
            stamp = _stamp(os.fstat(stream.fileno()))
            header = read_header(stream, size=stamp[2], name=shown)
            stream.seek(0)
            digest = hashlib.file_digest(stream, "sha256").hexdigest()
            if _stamp(os.fstat(stream.fileno())) != stamp:
                raise _changed(shown)
    except OSError as error:
        raise _unavailable(shown, error.strerror or str(error)) from None
    if expected_sha256 not in (None, digest):
        raise UntrustedError(
            "the weights are not the declared ones",
            rule="AV512",
            place=shown,
            expected=f"sha256 {expected_sha256}",
            found=f"sha256 {digest}",
            next_step="fetch the declared file, or amend the contract (retargeting)",
        )
    return _facts(header, digest=digest, stamp=stamp, name=shown)


def file_stamp(path: Path) -> FileStamp:
    """The stamp of a file as it is now."""
    return _stamp(path.stat())


def _stamp(status: os.stat_result) -> FileStamp:
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns


def _facts(header: GgufHeader, *, digest: str, stamp: FileStamp, name: str) -> WeightFacts:
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
        sha256=digest,
        size=stamp[2],
        stamp=stamp,
        kind=text("general.type") or "model",
        architecture=text("general.architecture"),
        size_label=text("general.size_label"),
        finetune=text("general.finetune"),
        general_name=text("general.name"),
        file_type=_file_type(header),
        chat_template=template,
        template_sha256=None if template is None else sha256_hex(template.encode()),
        tokenizer_sha256=header.tokenizer_sha256,
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
        from gguf import LlamaFileType
    except ImportError:
        raise missing_package("gguf") from None
    try:
        label: str = LlamaFileType(number).name
    except ValueError:
        return f"type-{number}"
    return label.removeprefix("MOSTLY_").removeprefix("ALL_")


def _resolve(source: str, root: Path) -> Path:
    if match := _PACKAGE.fullmatch(source):
        return _in_package(match["dist"], match["path"], source)
    if match := _HUB.fullmatch(source):
        return _in_hub(match["repo"], match["revision"], match["path"], source)
    if _SCHEME.match(source):
        raise InvalidError(
            "unknown kind of model source", rule="AV516", expected=_SOURCES, found=source
        )
    return root / source


def _in_package(distribution: str, wanted: str, source: str) -> Path:
    step = f"pip install {distribution}"
    try:
        found = importlib.metadata.distribution(distribution)
    except importlib.metadata.PackageNotFoundError:
        raise _unavailable(
            source, f"the package {distribution} is not installed", step=step
        ) from None
    for entry in found.files or ():
        if entry.as_posix() == wanted:
            return Path(str(entry.locate()))
    raise _unavailable(source, f"{distribution} {found.version} holds no such file", step=step)


class _Hub(Protocol):
    """The one function used of huggingface_hub, which types itself too loosely."""

    def hf_hub_download(
        self, repo_id: str, filename: str, *, revision: str, local_files_only: bool
    ) -> str: ...


def _in_hub(repository: str, revision: str, wanted: str, source: str) -> Path:
    try:
        hub = cast("_Hub", importlib.import_module("huggingface_hub"))
    except ImportError:
        raise _unavailable(
            source, "huggingface_hub is not installed", step="pip install huggingface_hub"
        ) from None
    faults: list[str] = []
    for offline in (True, False):
        try:
            return Path(
                hub.hf_hub_download(repository, wanted, revision=revision, local_files_only=offline)
            )
        except Exception as error:  # noqa: BLE001 (the library and its HTTP client raise many kinds)
            faults.append(" ".join(str(error).split())[:200])
    raise _unavailable(
        source,
        f"neither in the local cache nor to be fetched: {faults[-1]}",
        step="connect to the hub, or copy the file here and name its path as model.source",
    )


def _unavailable(place: str, found: str, *, step: str | None = None) -> IndeterminateError:
    return IndeterminateError(
        "the weights are not here",
        rule="AV510",
        place=place,
        expected="a readable GGUF file",
        found=found,
        next_step=step or "put the file there, or correct model.source in the contract",
    )


def _changed(name: str) -> UntrustedError:
    return UntrustedError(
        "the weights changed while they were read",
        rule="AV512",
        place=name,
        expected="a file that nothing writes to",
        found="another size or modification time",
        next_step="wait until the file is complete, then try again",
    )

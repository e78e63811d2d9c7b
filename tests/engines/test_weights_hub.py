"""A hub's files are found in the hub library's own cache, laid out by the library's own rules.

The library reads its settings when it is imported, so every look-up is a process of its own.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import pytest

from tests.support.console import Ran, in_subprocess
from tests.support.gguf_files import write_model

if TYPE_CHECKING:
    from pathlib import Path

REPOSITORY = "someone/tiny-gguf"
COMMIT = "0123456789abcdef0123456789abcdef01234567"


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A hub cache that holds one commit of one repository, which `main` names."""
    from huggingface_hub.file_download import _create_symlink, repo_folder_name

    home = tmp_path_factory.mktemp("hub")
    folder = home / "hub" / repo_folder_name(repo_id=REPOSITORY, repo_type="model")
    for part in ("refs", "blobs", f"snapshots/{COMMIT}/quantized"):
        (folder / part).mkdir(parents=True)
    draft = write_model(folder / "draft")
    blob = folder / "blobs" / hashlib.sha256(draft.read_bytes()).hexdigest()
    draft.rename(blob)
    _create_symlink(str(blob), str(folder / f"snapshots/{COMMIT}/quantized/m.gguf"))
    (folder / "refs" / "main").write_text(COMMIT)
    return home


def inspected(hub: Path, source: str) -> Ran:
    environment = {"HF_HOME": str(hub), "HF_HUB_OFFLINE": "1"}
    return in_subprocess("model", "inspect", source, "--format", "json", environment=environment)


@pytest.mark.parametrize("revision", [COMMIT, "main"])
def test_a_cached_file_is_found_offline(hub: Path, revision: str) -> None:
    ran = inspected(hub, f"hf://{REPOSITORY}@{revision}/quantized/m.gguf")
    assert (ran.code, ran.err) == (0, "")
    (blob,) = (hub / "hub" / "models--someone--tiny-gguf" / "blobs").iterdir()
    assert ran.json["file"]["sha256"] == blob.name


@pytest.mark.parametrize(
    "source",
    [
        f"hf://{REPOSITORY}@{'f' * 40}/quantized/m.gguf",
        f"hf://{REPOSITORY}@{COMMIT}/other.gguf",
        "hf://somebody/else@main/m.gguf",
    ],
    ids=["commit", "file", "repository"],
)
def test_what_is_not_cached_cannot_be_judged_offline(hub: Path, source: str) -> None:
    ran = inspected(hub, source)
    repository, _, rest = source.removeprefix("hf://").partition("@")
    revision, _, file = rest.partition("/")
    assert (ran.code, ran.json["schema"]) == (3, "abverify/error/v1")
    assert ran.err.startswith("error[AV510]: the weights are not here\n")
    assert f"  at: {source}\n" in ran.err
    assert f"  next: hf download {repository} {file} --revision {revision}\n" in ran.err


def test_a_damaged_cached_file_is_refused(hub: Path) -> None:
    (blob,) = (hub / "hub" / "models--someone--tiny-gguf" / "blobs").iterdir()
    whole = blob.read_bytes()
    blob.write_bytes(whole[:-1])
    try:
        ran = inspected(hub, f"hf://{REPOSITORY}@{COMMIT}/quantized/m.gguf")
    finally:
        blob.write_bytes(whole)
    assert ran.code == 2
    assert ran.err.startswith("error[AV511]: not a whole GGUF file\n")

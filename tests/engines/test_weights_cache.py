"""A digest is remembered while the file lies untouched, and never beyond."""

from __future__ import annotations

import hashlib
import json
import os
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from abverify.bench.engines.llama_open import open_llama
from abverify.bench.weights import CACHED_NOTE, identify
from abverify.bench.weights_cache import cache_folder, is_settled
from abverify.errors import UntrustedError
from abverify.model.config import Budgets, ParserConfig, RunConfig
from abverify.model.identity import ModelDescription, ModelSection, Weights
from tests.support.gguf_files import write_model

from .smollm import FILE, SHA256, SOURCE, engine_config, prompt_config, sampling

if TYPE_CHECKING:
    from collections.abc import Iterator

FILES = 8


@pytest.fixture(scope="module")
def settled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Weight files that nothing has touched for long enough; each test takes its own."""
    folder = tmp_path_factory.mktemp("settled")
    files = [write_model(folder / f"{number}.gguf") for number in range(FILES)]
    while not all(is_settled(file.stat()) for file in files):
        time.sleep(0.1)
    return iter(files)


@pytest.fixture
def path(settled: Iterator[Path]) -> Path:
    return next(settled)


@pytest.fixture(autouse=True)
def cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A cache of this test's own."""
    monkeypatch.setenv("ABVERIFY_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache" / "weights"


def entry(cache: Path) -> Path:
    (file,) = cache.iterdir()
    return file


def cached(path: Path, *, paranoid: bool = False) -> bool:
    return identify(path, expected_sha256=None, paranoid=paranoid).from_cache


def overwritten(path: Path, at: int = -1) -> None:
    content = bytearray(path.read_bytes())
    content[at] ^= 1
    with path.open("r+b") as stream:
        stream.write(content)


def test_a_settled_file_is_hashed_once(path: Path) -> None:
    first = identify(path, expected_sha256=None)
    again = identify(path, expected_sha256=None)
    assert (first.from_cache, again.from_cache) == (False, True)
    assert first == again
    assert first.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()


def test_paranoia_reads_the_bytes_again(path: Path) -> None:
    identify(path, expected_sha256=None)
    assert not cached(path, paranoid=True)


def test_another_name_for_the_file_is_the_same_file(path: Path, tmp_path: Path) -> None:
    identify(path, expected_sha256=None)
    (tmp_path / "link.gguf").symlink_to(path)
    assert cached(tmp_path / "link.gguf")


def test_a_file_touched_just_now_is_not_remembered(tmp_path: Path, cache: Path) -> None:
    path = write_model(tmp_path / "new.gguf")
    os.utime(path, (1, 1))
    assert (cached(path), cached(path)) == (False, False)
    assert not cache.exists()


def test_a_write_whose_time_is_set_back_is_noticed(path: Path) -> None:
    before = path.stat()
    old = identify(path, expected_sha256=None).sha256
    overwritten(path)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert path.stat().st_mtime_ns == before.st_mtime_ns
    facts = identify(path, expected_sha256=None)
    assert not facts.from_cache
    assert facts.sha256 != old


def test_another_file_in_its_place_is_noticed(path: Path, tmp_path: Path) -> None:
    identify(path, expected_sha256=None)
    write_model(tmp_path / "other.gguf").replace(path)
    assert not cached(path)


class TestADamagedEntry:
    @pytest.fixture
    def known(self, weights: Path) -> Path:
        """The real weights, remembered."""
        assert not cached(weights)
        assert cached(weights)
        return weights

    @pytest.mark.parametrize(
        "content",
        [b"", b"{", b"[]", b"null", b"\xff\xfe", b"[" * 100_000, b'{"sha256": null}'],
        ids=["empty", "cut off", "array", "null", "no text", "deep", "short"],
    )
    def test_is_ignored_and_replaced(self, known: Path, cache: Path, content: bytes) -> None:
        entry(cache).write_bytes(content)
        assert (cached(known), cached(known)) == (False, True)

    @pytest.mark.parametrize(
        ("field", "value"),
        [
            ("schema", "abverify/weights-digest/v0"),
            ("path", "/elsewhere"),
            ("device", 0),
            ("inode", 0),
            ("size", 0),
            ("mtime_ns", 0),
            ("ctime_ns", 0),
            ("sha256", "A" * 64),
            ("sha256", 7),
        ],
    )
    def test_of_another_state_is_ignored(
        self, known: Path, cache: Path, field: str, value: object
    ) -> None:
        file = entry(cache)
        file.write_text(json.dumps({**json.loads(file.read_text()), field: value}))
        assert not cached(known)

    def test_that_others_could_have_written_is_ignored(self, known: Path, cache: Path) -> None:
        entry(cache).chmod(0o666)
        assert not cached(known)

    def test_in_a_folder_that_others_can_write_is_ignored(self, known: Path, cache: Path) -> None:
        cache.chmod(0o777)
        assert not cached(known)

    def test_that_is_a_link_is_ignored(self, known: Path, cache: Path) -> None:
        file = entry(cache)
        file.rename(cache.parent / "elsewhere")
        file.symlink_to(cache.parent / "elsewhere")
        assert not cached(known)

    def test_with_another_digest_accuses_nobody(self, known: Path, cache: Path) -> None:
        file = entry(cache)
        file.write_text(json.dumps({**json.loads(file.read_text()), "sha256": "0" * 64}))
        facts = identify(known, expected_sha256=SHA256)
        assert (facts.sha256, facts.from_cache) == (SHA256, False)

    def test_does_not_hide_that_the_file_is_another_than_the_pinned(self, known: Path) -> None:
        with pytest.raises(UntrustedError) as caught:
            identify(known, expected_sha256="0" * 64)
        assert (caught.value.rule, caught.value.found) == ("AV512", f"sha256 {SHA256}")


def test_an_entry_is_this_users_alone(weights: Path, cache: Path) -> None:
    cached(weights)
    assert cache.stat().st_mode & 0o777 == 0o700
    assert entry(cache).stat().st_mode & 0o777 == 0o600


def test_a_cache_that_cannot_be_written_is_no_fault(
    monkeypatch: pytest.MonkeyPatch, weights: Path, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("ABVERIFY_CACHE", str(tmp_path / "file"))
    assert identify(weights, expected_sha256=SHA256).sha256 == SHA256


@pytest.mark.parametrize(
    ("environment", "folder"),
    [
        ({"ABVERIFY_CACHE": "/a", "XDG_CACHE_HOME": "/b", "HOME": "/c"}, "/a/weights"),
        ({"ABVERIFY_CACHE": "", "XDG_CACHE_HOME": "/b", "HOME": "/c"}, "/b/abverify/weights"),
        ({"ABVERIFY_CACHE": "", "XDG_CACHE_HOME": "b", "HOME": "/c"}, "/c/.cache/abverify/weights"),
    ],
    ids=["named", "user's", "relative"],
)
def test_it_lies_outside_every_repository(
    monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], folder: str
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert cache_folder() == Path(folder)


def test_the_engine_says_that_the_digest_was_remembered(weights: Path) -> None:
    model = ModelSection(
        name="SmolLM2-135M-Instruct",
        weights=Weights(file=FILE, sha256=SHA256),
        describe=ModelDescription(),
        adapter=None,
        source=SOURCE,
    )
    config = RunConfig(
        engine=engine_config(),
        prompt=prompt_config(),
        sampling=sampling(),
        parser=ParserConfig(profile="strict", version=1),
        budgets=Budgets(max_turns=1, turn_seconds=60, wall_seconds=60),
    )
    notes = []
    for paranoid in (False, False, True):
        with open_llama(model, config, root=weights.parent, paranoid=paranoid) as engine:
            notes.append(engine.notes())
    assert notes == [(), (CACHED_NOTE,), ()]

"""Key files: encrypted, private, outside the repository."""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING

import pytest

from abverify.errors import AbverifyError, InvalidError, RefusedError, UsageError
from abverify.records.keystore import KeyStore, environment_passphrase, key_folder

if TYPE_CHECKING:
    from pathlib import Path

SECRET = "correct horse battery staple"  # noqa: S105 (made up for this test)


@pytest.fixture
def store(tmp_path: Path) -> KeyStore:
    return KeyStore.open(tmp_path / "keys", repository=None)


def test_a_new_key_is_encrypted_private_and_signs_again_after_loading(store: KeyStore) -> None:
    made = store.new("operator", lambda: SECRET)
    path = store.folder / "operator.pem"
    assert path.read_bytes().startswith(b"-----BEGIN ENCRYPTED PRIVATE KEY-----\n")
    assert path.stat().st_mode & 0o777 == 0o600
    assert store.folder.stat().st_mode & 0o777 == 0o700
    loaded = store.load("operator", lambda: SECRET)
    assert loaded.public_key == made.public_key
    assert made.public_key.verifies(loaded.sign(b"message"), b"message")


def test_openssl_reads_both_files_of_a_key(store: KeyStore) -> None:
    key = store.new("operator", lambda: SECRET).public_key
    private = _openssl(
        "pkey", "-in", str(store.folder / "operator.pem"), "-passin", f"pass:{SECRET}", "-pubout"
    )
    public = (store.folder / "operator.pub.pem").read_bytes()
    assert private == public
    der = _openssl(
        "pkey",
        "-pubin",
        "-in",
        str(store.folder / "operator.pub.pem"),
        "-outform",
        "DER",
        "-pubout",
    )
    assert der[-32:] == key.raw


def _openssl(*arguments: str) -> bytes:
    return subprocess.run(["openssl", *arguments], check=True, capture_output=True).stdout


def test_keys_are_listed_by_name_without_a_passphrase(store: KeyStore) -> None:
    assert store.list() == ()
    second = store.new("second", lambda: SECRET).public_key
    first = store.new("first", None, unencrypted=True).public_key
    assert store.list() == (first, second)
    assert [key.name for key in store.list()] == ["first", "second"]


def test_an_unencrypted_key_is_written_only_when_asked_for(store: KeyStore) -> None:
    store.new("robot", None, unencrypted=True)
    text = (store.folder / "robot.pem").read_text()
    assert text.startswith("-----BEGIN PRIVATE KEY-----\n")
    assert store.load("robot", None).public_key.name == "robot"


def test_no_passphrase_makes_no_key(store: KeyStore) -> None:
    for source in (None, lambda: ""):
        with pytest.raises(RefusedError) as caught:
            store.new("operator", source)
        assert caught.value.rule == "AV433"
    assert not store.folder.exists()


def test_a_wrong_passphrase_is_one_clear_error(store: KeyStore) -> None:
    store.new("operator", lambda: SECRET)
    with pytest.raises(RefusedError, match="does not open") as caught:
        store.load("operator", lambda: "wrong")
    assert caught.value.rule == "AV433"
    assert SECRET not in caught.value.diagnostics()


def test_a_key_that_others_may_read_is_refused(store: KeyStore) -> None:
    store.new("operator", lambda: SECRET)
    os.chmod(store.folder / "operator.pem", 0o640)  # noqa: PTH101 (the mode is the point)
    with pytest.raises(RefusedError, match="others may read") as caught:
        store.load("operator", lambda: SECRET)
    assert (caught.value.rule, caught.value.found) == ("AV432", "mode 0640")


def test_a_missing_key_names_the_ones_there_are(store: KeyStore) -> None:
    store.new("operator", lambda: SECRET)
    with pytest.raises(UsageError) as caught:
        store.load("oprator", lambda: SECRET)
    assert (caught.value.rule, caught.value.expected) == ("AV431", "one of: operator")


def test_a_key_is_never_overwritten(store: KeyStore) -> None:
    before = store.new("operator", lambda: SECRET).public_key
    with pytest.raises(RefusedError) as caught:
        store.new("operator", lambda: SECRET)
    assert caught.value.rule == "AV435"
    assert store.list() == (before,)


@pytest.mark.parametrize("name", ["../operator", "a/b", "", ".hidden", "x.pub", "a b"])
def test_a_name_that_is_no_plain_word_is_refused(store: KeyStore, name: str) -> None:
    with pytest.raises(UsageError) as caught:
        store.new(name, lambda: SECRET)
    assert caught.value.rule == "AV431"


@pytest.mark.parametrize("content", [b"", b"not a key", b"-----BEGIN PRIVATE KEY-----\nAAAA\n"])
def test_a_file_that_is_no_key_is_one_clear_error(store: KeyStore, content: bytes) -> None:
    store.folder.mkdir()
    path = store.folder / "operator.pem"
    path.write_bytes(content)
    path.chmod(0o600)
    with pytest.raises(InvalidError) as caught:
        store.load("operator", None)
    assert caught.value.rule == "AV431"


def test_a_key_of_another_algorithm_is_refused(store: KeyStore) -> None:
    store.folder.mkdir()
    path = store.folder / "curve.pem"
    path.write_bytes(_openssl("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"))
    path.chmod(0o600)
    with pytest.raises(InvalidError, match="not an Ed25519 key") as caught:
        store.load("curve", None)
    assert caught.value.rule == "AV431"


@pytest.mark.parametrize("inside", [".", "keys", "a/b/keys"])
def test_a_key_folder_inside_the_repository_is_refused(tmp_path: Path, inside: str) -> None:
    with pytest.raises(RefusedError) as caught:
        KeyStore.open(tmp_path / inside, repository=tmp_path)
    assert caught.value.rule == "AV434"


def test_a_link_into_the_repository_is_seen_through(tmp_path: Path) -> None:
    repository = tmp_path / "repository"
    (repository / "keys").mkdir(parents=True)
    (tmp_path / "innocent").symlink_to(repository / "keys")
    with pytest.raises(AbverifyError) as caught:
        KeyStore.open(tmp_path / "innocent", repository=repository)
    assert caught.value.rule == "AV434"


def test_the_folder_is_the_variable_or_the_users_own() -> None:
    assert str(key_folder({"ABVERIFY_KEYS": "/srv/keys"})) == "/srv/keys"
    assert key_folder({}).parts[-3:] == (".config", "abverify", "keys")


def test_the_passphrase_comes_from_the_variable_when_it_is_set() -> None:
    assert environment_passphrase({}) is None
    source = environment_passphrase({"ABVERIFY_PASSPHRASE": SECRET})
    assert source is not None
    assert source() == SECRET

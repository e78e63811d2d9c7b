"""Keys, signatures and agents of OpenSSH, each made by OpenSSH itself."""

from __future__ import annotations

import base64
import socket
import subprocess
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest
from securesystemslib.dsse import Envelope
from securesystemslib.signer._key import SSlibKey

from abverify._canonical import parse_canonical
from abverify.errors import AbverifyError, IndeterminateError, UntrustedError, UsageError
from abverify.records.envelope import STATEMENT_TYPE, open_envelope, seal
from abverify.records.key_formats import read_key
from abverify.records.keys import SMALL_ORDER, PublicKey
from abverify.records.keystore import load_key_file
from abverify.records.ssh_agent import Agent
from abverify.records.ssh_wire import Wire, key_blob, number, string
from abverify.records.sshsig import parse_sshsig, verify_sshsig
from tests.records.simulator import OPERATOR
from tests.support.ssh import ssh_agent, ssh_key, ssh_sign

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SECRET = "correct horse"  # noqa: S105 (made up for this test)


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three keys: Ana's, Ben's with a passphrase, and one of another algorithm."""
    folder = tmp_path_factory.mktemp("ssh")
    ssh_key(folder / "ana", comment="ana@laptop")
    ssh_key(folder / "ben", comment="ben@laptop", passphrase=SECRET)
    ssh_key(folder / "curve", comment="curve", kind="ecdsa")
    return folder


@pytest.fixture(scope="module")
def agent(keys: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Agent]:
    """A running agent with Ana's key and the one of another algorithm."""
    with ssh_agent(tmp_path_factory.mktemp("a"), keys / "ana", keys / "curve") as path:
        yield Agent(path)


def public(path: Path) -> PublicKey:
    return read_key(path.with_name(f"{path.name}.pub").read_text(), name=path.name)


class TestPrivateKeys:
    def test_of_ssh_keygen_sign_as_they_are(self, keys: Path) -> None:
        signer = load_key_file(keys / "ana", None, repository=None)
        assert signer.public_key.raw == public(keys / "ana").raw
        assert signer.public_key.verifies(signer.sign(b"message"), b"message")

    def test_open_with_their_passphrase_and_no_other(self, keys: Path) -> None:
        signer = load_key_file(keys / "ben", lambda: SECRET, repository=None)
        assert signer.public_key.raw == public(keys / "ben").raw
        for wrong in (lambda: "wrong", lambda: "", None):
            with pytest.raises(AbverifyError) as caught:
                load_key_file(keys / "ben", wrong, repository=None)
            assert caught.value.rule == "AV433"

    @pytest.mark.parametrize("name", ["curve", "ana.pub", "missing"])
    def test_of_another_kind_or_none_are_refused(self, keys: Path, name: str) -> None:
        (keys / "ana.pub").chmod(0o600)
        with pytest.raises(AbverifyError) as caught:
            load_key_file(keys / name, None, repository=None)
        assert caught.value.rule == "AV431"

    def test_inside_the_repository_or_open_to_others_are_refused(
        self, keys: Path, tmp_path: Path
    ) -> None:
        with pytest.raises(AbverifyError) as caught:
            load_key_file(keys / "ana", None, repository=keys)
        assert caught.value.rule == "AV434"
        shared = tmp_path / "shared"
        shared.write_bytes((keys / "ana").read_bytes())
        shared.chmod(0o644)
        with pytest.raises(AbverifyError) as caught:
            load_key_file(shared, None, repository=None)
        assert caught.value.rule == "AV432"


class TestAgent:
    def test_lists_its_ed25519_keys_as_ssh_add_does(self, agent: Agent, keys: Path) -> None:
        (key,) = agent.identities()
        assert (key.public_key.raw, key.comment) == (public(keys / "ana").raw, "ana@laptop")
        words = ["ssh-keygen", "-l", "-f", str(keys / "ana.pub")]
        printed = subprocess.run(words, check=True, capture_output=True, text=True).stdout
        assert key.fingerprint == printed.split()[1]

    def test_makes_a_dsse_signature_that_verifies_here_and_elsewhere(
        self, agent: Agent, keys: Path
    ) -> None:
        signer = agent.signer("ana@laptop")
        data = seal(b'{"a":1}', payload_type=STATEMENT_TYPE, signers=[signer])
        key = public(keys / "ana")
        read = open_envelope(data, name="x", payload_type=STATEMENT_TYPE, keys={key.keyid: key})
        assert read.signers == (key,)
        theirs = SSlibKey.from_dict(key.keyid, key.to_json())
        envelope = Envelope.from_dict(parse_canonical(data, name="x"))
        assert set(envelope.verify([theirs], 1)) == {key.keyid}

    def test_finds_a_key_by_comment_fingerprint_or_key_id(self, agent: Agent) -> None:
        (key,) = agent.identities()
        for name in (key.comment, key.fingerprint, key.public_key.keyid):
            assert agent.signer(name).public_key == key.public_key

    @pytest.mark.parametrize("name", ["nobody", "curve", ""])
    def test_without_the_key_says_which_it_has(self, agent: Agent, name: str) -> None:
        with pytest.raises(UsageError, match="0 Ed25519 keys") as caught:
            agent.signer(name)
        assert caught.value.rule == "AV466"
        assert "(ana@laptop)" in str(caught.value.expected)

    def test_with_two_keys_of_one_comment_asks_for_the_fingerprint(self, tmp_path: Path) -> None:
        files = [ssh_key(tmp_path / name, comment="same") for name in ("one", "two")]
        with ssh_agent(tmp_path, *files) as path, pytest.raises(UsageError) as caught:
            Agent(path).signer("same")
        assert caught.value.message == "2 Ed25519 keys of the agent are called 'same'"

    def test_that_lost_the_key_in_between_refuses(self, keys: Path, tmp_path: Path) -> None:
        with ssh_agent(tmp_path, keys / "ana") as path:
            signer = Agent(path).signer("ana@laptop")
            environment = {"SSH_AUTH_SOCK": path}
            subprocess.run(["ssh-add", "-q", "-D"], env=environment, check=True)
            with pytest.raises(AbverifyError, match="refused") as caught:
                signer.sign(b"message")
        assert caught.value.rule == "AV466"

    def test_that_is_not_there_is_one_clear_error(self, tmp_path: Path) -> None:
        for environment in ({}, {"SSH_AUTH_SOCK": ""}, {"SSH_AUTH_SOCK": str(tmp_path / "no")}):
            with pytest.raises(IndeterminateError) as caught:
                Agent.of(environment).identities()
            assert caught.value.rule == "AV466"

    @pytest.mark.parametrize(
        "answer",
        [
            b"",
            number(0),
            number(1 << 30),
            string(b"\x0c"),
            string(b"\x0c" + number(3)),
            string(b"\x0c" + number(0) + b"more"),
        ],
    )
    def test_that_talks_nonsense_is_one_clear_error(self, tmp_path: Path, answer: bytes) -> None:
        with _pretender(tmp_path, answer) as path, pytest.raises(IndeterminateError) as caught:
            Agent(path).identities()
        assert caught.value.rule == "AV466"

    def test_that_signs_with_another_key_is_found_out(self, tmp_path: Path) -> None:
        """An agent behind a forwarded socket is not to be trusted to sign what it was given."""
        lie = string(b"ssh-ed25519") + string(OPERATOR.sign(b"something else"))
        with _pretender(tmp_path, string(b"\x0e" + string(lie))) as path:
            from abverify.records.ssh_agent import AgentSigner

            with pytest.raises(AbverifyError) as caught:
                AgentSigner(Agent(path), OPERATOR.public_key).sign(b"message")
        assert caught.value.found == "a signature that does not verify"


@contextmanager
def _pretender(folder: Path, answer: bytes) -> Iterator[str]:
    """A socket that gives one answer to whatever it is asked."""
    path = folder / "pretender"
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listener:
        listener.bind(str(path))
        listener.listen(1)

        def serve() -> None:
            connection, _ = listener.accept()
            with connection:
                connection.recv(4096)
                connection.sendall(answer)

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield str(path)
        finally:
            thread.join()


class TestSignatures:
    @pytest.fixture
    def contract(self, tmp_path: Path) -> Path:
        file = tmp_path / "contract.yaml"
        file.write_bytes(b"id: serve/V1_004\n")
        return file

    @pytest.mark.parametrize("options", [(), ("-O", "hashalg=sha256")])
    def test_of_ssh_keygen_verify_natively(
        self, keys: Path, contract: Path, options: tuple[str, ...]
    ) -> None:
        armoured = ssh_sign(keys / "ana", contract, options=options).read_bytes()
        key = public(keys / "ana")
        found = verify_sshsig(
            armoured,
            contract.read_bytes(),
            name="sig",
            namespace="abverify",
            keys={key.keyid: key},
        )
        assert found is key
        assert parse_sshsig(armoured, name="sig").hash == ("sha256" if options else "sha512")

    def test_are_refused_for_other_bytes_another_purpose_or_another_key(
        self, keys: Path, contract: Path
    ) -> None:
        armoured = ssh_sign(keys / "ana", contract).read_bytes()
        key = public(keys / "ana")
        whole = contract.read_bytes()
        attempts: tuple[tuple[bytes, str, dict[str, PublicKey], str], ...] = (
            (whole + b"#", "abverify", {key.keyid: key}, "one of other bytes"),
            (whole, "file", {key.keyid: key}, "namespace abverify"),
            (whole, "abverify", {}, f"keyid {key.keyid}"),
        )
        for message, namespace, known, found in attempts:
            with pytest.raises(UntrustedError) as caught:
                verify_sshsig(armoured, message, name="sig", namespace=namespace, keys=known)
            assert (caught.value.rule, caught.value.found) == ("AV467", found)

    def test_of_another_algorithm_are_refused(self, keys: Path, contract: Path) -> None:
        armoured = ssh_sign(keys / "curve", contract).read_bytes()
        with pytest.raises(UntrustedError) as caught:
            parse_sshsig(armoured, name="sig")
        assert caught.value.rule == "AV467"
        assert "ecdsa-sha2-nistp256" in str(caught.value.found)

    def test_with_any_byte_changed_are_refused(self, keys: Path, contract: Path) -> None:
        armoured = ssh_sign(keys / "ana", contract).read_bytes()
        key = public(keys / "ana")
        blob = base64.b64decode(b"".join(armoured.split(b"\n")[1:-2]))
        for position in range(len(blob)):
            changed = blob[:position] + bytes([blob[position] ^ 1]) + blob[position + 1 :]
            with pytest.raises(UntrustedError):
                verify_sshsig(
                    _armour(changed),
                    contract.read_bytes(),
                    name="sig",
                    namespace="abverify",
                    keys={key.keyid: key},
                )

    def test_by_a_key_of_small_order_are_refused(self, keys: Path, contract: Path) -> None:
        armoured = ssh_sign(keys / "ana", contract).read_bytes()
        blob = base64.b64decode(b"".join(armoured.split(b"\n")[1:-2]))
        weak = blob.replace(public(keys / "ana").raw, min(SMALL_ORDER))
        with pytest.raises(UntrustedError) as caught:
            parse_sshsig(_armour(weak), name="sig")
        assert caught.value.rule == "AV422"

    @pytest.mark.parametrize(
        "content",
        [b"", b"hello", b"-----BEGIN SSH SIGNATURE-----\n=\n-----END SSH SIGNATURE-----\n"],
    )
    def test_that_are_none_are_refused(self, content: bytes) -> None:
        with pytest.raises(UntrustedError) as caught:
            parse_sshsig(content, name="sig")
        assert caught.value.rule == "AV467"


def _armour(blob: bytes) -> bytes:
    body = base64.b64encode(blob)
    return b"-----BEGIN SSH SIGNATURE-----\n" + body + b"\n-----END SSH SIGNATURE-----\n"


def test_a_reader_takes_no_more_than_there_is() -> None:
    wire = Wire(string(b"abc") + number(7))
    assert (wire.string(), wire.number()) == (b"abc", 7)
    wire.end()
    for broken in (b"\x00", number(5) + b"abc"):
        with pytest.raises(ValueError, match="left"):
            Wire(broken).string()
    with pytest.raises(ValueError, match="too many"):
        Wire(key_blob(bytes(32))).end()

"""Signing with a key that an SSH agent holds: the private key never comes here.

An agent signs whatever bytes it is given with plain Ed25519, so what it makes of an
envelope's pre-authentication encoding is a DSSE signature like any other.
"""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

from abverify._frozen import frozen
from abverify.errors import AbverifyError, IndeterminateError, RefusedError, UsageError
from abverify.records.keys import PublicKey
from abverify.records.ssh_wire import (
    Wire,
    fingerprint,
    key_blob,
    number,
    raw_key,
    raw_signature,
    string,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

SOCKET_VARIABLE = "SSH_AUTH_SOCK"
_REQUEST_IDENTITIES, _IDENTITIES_ANSWER = 11, 12
_SIGN_REQUEST, _SIGN_RESPONSE = 13, 14
_MAX_ANSWER = 256 << 10
_LIST_SECONDS = 10
_SIGN_SECONDS = 300
"""Long enough for a person to confirm, where the agent asks (`ssh-add -c`)."""


@frozen
class AgentKey:
    """An Ed25519 key that an agent holds."""

    public_key: PublicKey
    comment: str
    fingerprint: str

    def answers_to(self, name: str) -> bool:
        """Whether a name means this key: its comment, its fingerprint, or its key id."""
        return name in (self.comment, self.fingerprint, self.public_key.keyid)


@frozen
class AgentSigner:
    """Signs with a key that an agent holds."""

    agent: Agent
    public_key: PublicKey

    def sign(self, message: bytes) -> bytes:
        """The 64-byte pure Ed25519 signature of the message.

        Raises:
            RefusedError: AV466 if the agent, or the person it asks, does not sign.
            IndeterminateError: AV466 if the agent cannot be reached.
        """
        request = string(key_blob(self.public_key.raw)) + string(message) + number(0)
        answer = self.agent.ask(_SIGN_REQUEST, request, _SIGN_RESPONSE, _SIGN_SECONDS)
        try:
            wire = Wire(answer)
            signature = raw_signature(wire.string())
            wire.end()
        except ValueError as error:
            raise self.agent.garbled(str(error)) from None
        if not self.public_key.verifies(signature, message):
            raise self.agent.garbled("a signature that does not verify")
        return signature


@frozen
class Agent:
    """An SSH agent at a socket."""

    path: str

    @classmethod
    def of(cls, environment: Mapping[str, str]) -> Agent:
        """The agent that `$SSH_AUTH_SOCK` names.

        Raises:
            IndeterminateError: AV466 if it names none.
        """
        path = environment.get(SOCKET_VARIABLE)
        if not path:
            raise IndeterminateError(
                "there is no SSH agent",
                rule="AV466",
                place=SOCKET_VARIABLE,
                expected="the socket of a running agent",
                found="nothing",
                next_step='eval "$(ssh-agent)", then ssh-add',
            )
        return cls(path)

    def identities(self) -> tuple[AgentKey, ...]:
        """The Ed25519 keys it holds; keys of other kinds cannot sign records.

        Raises:
            IndeterminateError: AV466 if it cannot be reached or understood.
        """
        answer = self.ask(_REQUEST_IDENTITIES, b"", _IDENTITIES_ANSWER, _LIST_SECONDS)
        try:
            wire = Wire(answer)
            pairs = [(wire.string(), wire.string()) for _ in range(wire.number())]
            wire.end()
        except ValueError as error:
            raise self.garbled(str(error)) from None
        return tuple(key for blob, comment in pairs if (key := _key(blob, comment)))

    def signer(self, name: str) -> AgentSigner:
        """The one key that is meant by a comment, a fingerprint or a key id.

        Raises:
            UsageError: AV466 if no key, or more than one, is called that.
        """
        keys = self.identities()
        meant = [key for key in keys if key.answers_to(name)]
        if len(meant) != 1:
            listed = ", ".join(f"{key.fingerprint} ({key.comment})" for key in keys)
            raise UsageError(
                f"{len(meant)} Ed25519 keys of the agent are called {name!r}",
                rule="AV466",
                place=self.path,
                expected=f"one of: {listed}" if listed else "an Ed25519 key",
                found=name,
                next_step="ssh-add -l lists the agent's keys; name one by its fingerprint",
            )
        return AgentSigner(self, meant[0].public_key)

    def ask(self, code: int, body: bytes, wanted: int, seconds: float) -> bytes:
        """One request and its answer, of the one kind that is wanted."""
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
                connection.settimeout(seconds)
                connection.connect(self.path)
                connection.sendall(string(bytes([code]) + body))
                size = Wire(_received(connection, 4)).number()
                if not 1 <= size <= _MAX_ANSWER:
                    raise self.garbled(f"an answer of {size} bytes")
                answer = _received(connection, size)
        except OSError as error:
            raise self._unreachable(error) from None
        if answer[0] != wanted:
            raise RefusedError(
                "the SSH agent refused",
                rule="AV466",
                place=self.path,
                expected="a signature" if wanted == _SIGN_RESPONSE else "its list of keys",
                found=f"message {answer[0]}",
                next_step="unlock the agent (ssh-add -X), or confirm when it asks",
            )
        return answer[1:]

    def garbled(self, found: str) -> AbverifyError:
        """What to say of an answer that makes no sense."""
        return IndeterminateError(
            "the SSH agent's answer makes no sense",
            rule="AV466",
            place=self.path,
            expected="an answer of the SSH agent protocol",
            found=found,
            next_step=f"ssh-add -l must work with the same {SOCKET_VARIABLE}",
        )

    def _unreachable(self, error: OSError) -> AbverifyError:
        return IndeterminateError(
            "the SSH agent cannot be reached",
            rule="AV466",
            place=self.path,
            expected="a running agent",
            found=error.strerror or str(error),
            next_step='eval "$(ssh-agent)", then ssh-add',
        )


def _key(blob: bytes, comment: bytes) -> AgentKey | None:
    try:
        raw = raw_key(blob)
    except ValueError:
        return None
    text = comment.decode("utf-8", "replace")
    printed = fingerprint(blob)
    return AgentKey(PublicKey.of(raw, name=text or printed), text, printed)


def _received(connection: socket.socket, count: int) -> bytes:
    data = b""
    while len(data) < count:
        part = connection.recv(count - len(data))
        if not part:
            raise ConnectionResetError("it hung up")
        data += part
    return data

"""Servers for the endpoint tests: the real llama_cpp.server, and one that plays faults.

Rate limits, redirects and malformed answers cannot be had from the real server
on demand, so a small real HTTP server plays them from a script.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

NAME = "SmolLM2-135M-Instruct"
KEY = "sk-of-the-tests-0123456789"
WINDOW = 2048
_PATIENCE_SECONDS = 60


@dataclass(slots=True)
class LlamaServer:
    """A `python -m llama_cpp.server` process on this machine."""

    weights: Path
    log: Path
    port: int
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def environment(self) -> dict[str, str]:
        return {"ABVERIFY_ENDPOINT": self.url, "ABVERIFY_API_KEY": KEY}

    def start(self) -> None:
        """Starts the process and waits until it answers."""
        settings = {
            "model": str(self.weights),
            "model_alias": NAME,
            "n_ctx": str(WINDOW),
            "logits_all": "false",
            "host": "127.0.0.1",
            "port": str(self.port),
            "api_key": KEY,
        }
        words = [word for name, value in settings.items() for word in (f"--{name}", value)]
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "llama_cpp.server", *words],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env={**os.environ, "GOMP_SPINCOUNT": "300"},
                start_new_session=True,
            )
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while not self._answers():
            assert self.process.poll() is None, self.log.read_text(errors="replace")[-2000:]
            assert time.monotonic() < deadline, "the server did not come up"
            time.sleep(0.05)

    def kill(self) -> None:
        """Kills the process, as an operator or the kernel would."""
        if self.process is not None:
            self.process.send_signal(signal.SIGKILL)
            self.process.wait()
            self.process = None

    def _answers(self) -> bool:
        connection = HTTPConnection("127.0.0.1", self.port, timeout=5)
        try:
            connection.request("GET", "/v1/models")
            return connection.getresponse().status in (200, 401)
        except OSError:
            return False
        finally:
            connection.close()


@contextmanager
def llama_server(weights: Path, folder: Path) -> Iterator[LlamaServer]:
    """A running server, killed at the end whatever happened."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    server = LlamaServer(weights, folder / "server.log", port)
    try:
        server.start()
        yield server
    finally:
        server.kill()


@dataclass(frozen=True, slots=True)
class Played:
    """A scripted answer: what stands on the wire, or null to hang up without a word.

    `pause` seconds pass before the last byte; `whole` says whether the stated length is true.
    """

    body: bytes | None = b"{}"
    status: int = 200
    headers: tuple[tuple[str, str], ...] = ()
    pause: float = 0.0
    whole: bool = True


@dataclass(slots=True)
class Player:
    """A server that plays its script, path by path; the last answer of a path repeats."""

    script: dict[str, list[Played]]
    url: str = ""
    asked: list[tuple[str, Any]] = field(default_factory=list)
    keys: list[str | None] = field(default_factory=list)

    def next(self, path: str) -> Played:
        answers = self.script.get(path, [Played(status=404)])
        return answers.pop(0) if len(answers) > 1 else answers[0]

    def bodies(self, path: str) -> list[Any]:
        """What was posted to a path, in order."""
        return [body for asked, body in self.asked if asked == path]


@contextmanager
def playing(script: dict[str, list[Played]]) -> Iterator[Player]:
    """A player at work on a port of its own."""
    player = Player(script)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self._play(None)

        def do_POST(self) -> None:
            self._play(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))

        def _play(self, body: Any) -> None:
            player.asked.append((self.path, body))
            player.keys.append(self.headers["Authorization"])
            self.close_connection = True
            answer = player.next(self.path)
            if answer.body is not None:
                self._write(answer, answer.body)

        def _write(self, answer: Played, body: bytes) -> None:
            self.send_response_only(answer.status)
            # Said, because a client that tries the connection once more would spend a try on it.
            self.send_header("Connection", "close")
            for name, value in answer.headers:
                self.send_header(name, value)
            if not any(name == "Transfer-Encoding" for name, _ in answer.headers):
                self.send_header("Content-Length", str(len(body) + (not answer.whole)))
            self.end_headers()
            self.wfile.write(body[:-1])
            self.wfile.flush()
            time.sleep(answer.pause)
            self.wfile.write(body[-1:])

        def log_message(self, *_words: object) -> None:
            """Says nothing."""

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, *_who: object) -> None:
            """A client that hung up is what some tests are about."""

    server = Server(("127.0.0.1", 0), Handler)
    player.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield player
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def chunk(content: str | None = None, finish: str | None = None, **more: Any) -> dict[str, Any]:
    """A chunk of a streamed chat completion."""
    delta = {} if content is None else {"content": content}
    return {"choices": [{"index": 0, "delta": delta, "finish_reason": finish}], **more}


def usage(prompt: int, completion: int) -> dict[str, Any]:
    """The last chunk of a stream that tells its usage."""
    counts = {"prompt_tokens": prompt, "completion_tokens": completion}
    return {"choices": [], "usage": counts}


def streamed(*chunks: dict[str, Any], done: bool = True) -> bytes:
    """Chunks as server-sent events."""
    events = [f"data: {json.dumps(one)}\n\n" for one in chunks]
    return "".join([*events, *(["data: [DONE]\n\n"] if done else [])]).encode()


def encoded(value: object) -> bytes:
    return json.dumps(value).encode()

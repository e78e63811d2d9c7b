"""The parent's end of the llama engine's child process.

llama.cpp ends its process when an assertion fails, and the kernel ends it when
memory runs out. In a child, both are an `EngineFailure` of one trial.
"""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
import tempfile
import threading
import time
from typing import TYPE_CHECKING, Final

from abverify.bench.engines import EngineFailure
from abverify.bench.engines.llama_wire import Failed, Progress, Reply, Request, decode, encode

if TYPE_CHECKING:
    from collections.abc import Callable

_MODULE: Final = "abverify.bench.engines.llama_worker"
GRACE_SECONDS: Final = 30.0
"""How much longer than its own limit an answer may take before the child counts as hung."""
_CHUNK: Final = 1 << 16
_QUOTED_BYTES: Final = 4096
_QUOTED_LINES: Final = 4
_DROPPED: Final = ("GGML_", "LLAMA_", "PYTHONWARNINGS")
"""Environment variables that change what llama.cpp is or does, and would be in no lock."""

_SPINS: Final = "300"
"""How long a thread spins at a barrier before it sleeps.

OpenMP's default spins for milliseconds. Measured on two cores: alone, 300 is as
fast; beside another busy process, decoding is more than ten times faster.
"""


class WorkerProcess:
    """A running child. Any thread may send to it; one at a time receives.

    The child has a session of its own, so that Ctrl-C in the terminal reaches the
    parent alone; it ends with the parent, because its standard input ends then.
    """

    def __init__(self) -> None:
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115 (kill() closes it)
        self._received = bytearray()
        self._sending = threading.Lock()
        self._is_closed = False
        # -P: a module in the current directory, which a pull request may write, is not imported.
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", _MODULE],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            env=_environment(),
            bufsize=0,
            start_new_session=True,
        )
        self._input = _descriptor(self._process.stdin)
        self._output = _descriptor(self._process.stdout)
        os.set_blocking(self._input, False)

    @property
    def pid(self) -> int:
        """The child's process id."""
        return self._process.pid

    def request(
        self, request: Request, *, seconds: float, on_token: Callable[[int], None] | None = None
    ) -> Reply:
        """Sends a request and waits for its answer.

        Args:
            request: what to ask.
            seconds: how long to wait for the answer at most.
            on_token: called with the count of tokens sampled so far.

        Raises:
            EngineFailure: if the child fails, dies, talks nonsense or does not answer in time.
        """
        deadline = time.monotonic() + seconds
        self.send(request, seconds=seconds)
        while (reply := self.receive(_remaining(deadline))) is not None:
            if not isinstance(reply, Progress):
                return reply
            if on_token is not None:
                on_token(reply.tokens)
        raise EngineFailure("the engine process did not answer in time: it hangs")

    def send(self, message: Request, *, seconds: float) -> None:
        """Sends a message, for whose reading there is so much time.

        Raises:
            EngineFailure: if the child is dead, or does not read.
        """
        deadline = time.monotonic() + seconds
        with self._sending:
            if self._is_closed:
                raise EngineFailure("the engine process was ended")
            self._write(encode(message), deadline)

    def receive(self, seconds: float) -> Reply | None:
        """The next message of the child; null if none comes within so many seconds.

        Raises:
            EngineFailure: if the child fails, dies or talks nonsense.
        """
        deadline = time.monotonic() + seconds
        while b"\n" not in self._received:
            ready, _, _ = select.select([self._output], [], [], _remaining(deadline))
            if not ready:
                return None
            data = os.read(self._output, _CHUNK)
            if not data:
                raise self._death()
            self._received += data
        line, _, rest = self._received.partition(b"\n")
        self._received = rest
        try:
            message = decode(bytes(line))
        except ValueError as error:
            raise EngineFailure(f"the engine process wrote {error}") from None
        if isinstance(message, Failed):
            raise EngineFailure(self._with_last_words(message.message))
        if not isinstance(message, Reply):
            raise EngineFailure(f"the engine process sent a {type(message).__name__}")
        return message

    def stop(self) -> None:
        """Ends the child, and nothing else: a request under way raises in its own thread."""
        self._process.kill()

    def kill(self) -> None:
        """Ends the child and frees what belonged to it. It may be called twice."""
        self._process.kill()
        self._process.wait()
        with self._sending:
            self._is_closed = True
            for stream in (self._process.stdin, self._process.stdout, self._errors):
                if stream is not None:
                    stream.close()

    def _write(self, data: bytes, deadline: float) -> None:
        left = memoryview(data)
        while left:
            _, ready, _ = select.select([], [self._input], [], _remaining(deadline))
            if not ready:
                raise EngineFailure("the engine process does not read its requests")
            try:
                left = left[os.write(self._input, left) :]
            except BrokenPipeError:
                raise self._death() from None

    def _death(self) -> EngineFailure:
        code = self._process.wait()
        if code < 0:
            return EngineFailure(
                self._with_last_words(f"the engine process died of {signal.Signals(-code).name}")
            )
        return EngineFailure(self._with_last_words(f"the engine process exited with {code}"))

    def _with_last_words(self, message: str) -> str:
        size = self._errors.seek(0, os.SEEK_END)
        self._errors.seek(max(0, size - _QUOTED_BYTES))
        lines = self._errors.read().decode("utf-8", "replace").splitlines()
        said = " | ".join(line.strip() for line in lines if line.strip(" ."))
        words = said.split(" | ")[-_QUOTED_LINES:]
        return f"{message}; its last words: {' | '.join(words)}" if said else message


def _descriptor(stream: object) -> int:
    return int(stream.fileno())  # type: ignore[attr-defined]


def _remaining(deadline: float) -> float:
    return max(0.0, deadline - time.monotonic())


def _environment() -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(_DROPPED)}
    # Without the first, a failed assertion starts a debugger to print a backtrace.
    return {"GOMP_SPINCOUNT": _SPINS, **kept, "GGML_NO_BACKTRACE": "1"}

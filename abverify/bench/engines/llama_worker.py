"""The child process of the llama engine: `python -m abverify.bench.engines.llama_worker`.

It reads requests on its standard input and answers on its standard output. A
thread does the reading, so that the end of the input, which is the end of the
parent, ends this process at once, also in the middle of a decode.
"""

from __future__ import annotations

import os
import queue
import threading
import time
from functools import partial
from typing import TYPE_CHECKING, BinaryIO, Final

from abverify.bench.engines.llama_wire import (
    Complete,
    Done,
    Failed,
    Load,
    Progress,
    Reply,
    Request,
    Reset,
    Wave,
    decode,
    encode,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from abverify.bench.engines.llama_runtime import Runtime

_TELL_SECONDS: Final = 0.1


def main() -> None:
    """Serves requests until the parent goes away or one of them fails."""
    source, sink = _take_over_standard_streams()
    requests: queue.SimpleQueue[Request] = queue.SimpleQueue()
    threading.Thread(target=_receive, args=(source, requests), daemon=True).start()
    try:
        runtime = _load(requests.get(), sink)
        while True:
            _send(sink, _answer(runtime, requests, sink))
    except Exception as error:  # noqa: BLE001 (whatever it is, the parent has to hear of it)
        _send(sink, Failed(_described(error)))


def _take_over_standard_streams() -> tuple[BinaryIO, BinaryIO]:
    """The pipes, moved away from 0 and 1, so that nothing a library prints gets into them."""
    source, sink = os.dup(0), os.dup(1)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    os.dup2(2, 1)
    return os.fdopen(source, "rb"), os.fdopen(sink, "wb")


def _receive(source: BinaryIO, requests: queue.SimpleQueue[Request]) -> None:
    for line in source:
        message = decode(line)
        if isinstance(message, Request):
            requests.put(message)
    os._exit(0)  # The parent is gone: nobody is left to hear of anything.


def _load(request: Request, sink: BinaryIO) -> Runtime:
    from abverify.bench.engines.llama_library import RuntimeFault
    from abverify.bench.engines.llama_runtime import Runtime

    if not isinstance(request, Load):
        raise RuntimeFault("the first request has to be Load")
    runtime = Runtime(request) if request.sequences == 1 else _batched(request)
    _send(sink, runtime.loaded())
    return runtime


def _batched(load: Load) -> Runtime:
    from abverify.bench.engines.llama_batch import BatchRuntime

    return BatchRuntime(load)


def _answer(runtime: Runtime, requests: queue.SimpleQueue[Request], sink: BinaryIO) -> Reply:
    from abverify.bench.engines.llama_library import RuntimeFault

    request = requests.get()
    if isinstance(request, Complete):
        return runtime.complete(request, on_token=_teller(sink, progress=request.progress))
    if isinstance(request, Wave):
        _serve(runtime, request, requests, sink)
    elif isinstance(request, Reset):
        runtime.forget()
    else:
        raise RuntimeFault(f"a {type(request).__name__} came out of turn")
    return Done()


def _serve(
    runtime: Runtime, wave: Wave, requests: queue.SimpleQueue[Request], sink: BinaryIO
) -> None:
    from abverify.bench.engines.llama_batch import BatchRuntime
    from abverify.bench.engines.llama_library import RuntimeFault

    if not isinstance(runtime, BatchRuntime):
        raise RuntimeFault("the context was opened for one sequence")
    runtime.serve(
        wave,
        receive=requests.get,
        answer=partial(_send, sink),
        on_token=_teller(sink, progress=wave.progress),
    )


def _teller(sink: BinaryIO, *, progress: bool) -> Callable[[int], None]:
    """Tells of the tokens sampled, no oftener than an eye can follow: each message costs a core."""
    due = time.monotonic() if progress else float("inf")

    def on_token(count: int) -> None:
        nonlocal due
        now = time.monotonic()
        if now >= due:
            due = now + _TELL_SECONDS
            _send(sink, Progress(count))

    return on_token


def _described(error: Exception) -> str:
    """The message of a failure of ours; the name as well of one nobody foresaw."""
    from abverify.bench.engines.chat_prompt import PromptError
    from abverify.bench.engines.llama_library import RuntimeFault

    if isinstance(error, PromptError | RuntimeFault):
        return str(error)
    return f"{type(error).__name__}: {error}"


def _send(sink: BinaryIO, reply: Reply) -> None:
    sink.write(encode(reply))
    sink.flush()


if __name__ == "__main__":
    main()

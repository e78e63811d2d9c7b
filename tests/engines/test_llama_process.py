"""Whatever happens to the child or the parent: one clear failure, and nothing left behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from abverify.bench.engines import Ask, EngineFailure, Message, llama, llama_wave
from abverify.bench.engines.llama import LlamaEngine
from abverify.bench.weights import identify
from abverify.errors import IndeterminateError, InvalidError

from .smollm import engine_config, prompt_config, sampling

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ASK = [Message("user", "Tell me about cats and dogs.")]

SCRIPT = f"""
import sys
sys.path.insert(0, {str(Path(__file__).parents[1])!r})
from pathlib import Path
from abverify.bench.engines import Message
from abverify.bench.engines.llama import LlamaEngine
from abverify.bench.weights import identify, locate
from engines.smollm import FILE, SOURCE, engine_config, prompt_config, sampling

def told(count):
    if sys.argv[1] == "long" and count == 1:
        print("decoding", engine.pid, flush=True)

path = locate(SOURCE, file=FILE, root=Path("."))
facts = identify(path, expected_sha256=None)
engine = LlamaEngine(path, facts, name="m", engine=engine_config(), sampling=sampling(),
                     prompt=prompt_config(), on_token=told)
try:
    tokens, text = (4000, "long " * 300) if sys.argv[1] == "long" else (8, "Hi.")
    while True:
        engine.start_trial()
        completion = engine.complete([Message("user", text)], seed=1, max_tokens=tokens, seconds=60)
        if sys.argv[1] != "long":
            break
    print(completion.completion_tokens, flush=True)
except KeyboardInterrupt:
    print("interrupted", flush=True)
    raise SystemExit(130) from None
finally:
    engine.close()
"""


def script(
    mode: str, *, cwd: Path | None = None, env: dict[str, str] | None = None
) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", SCRIPT, mode],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        cwd=cwd,
        env=env,
    )


def is_gone(pid: int, *, within: float = 20.0) -> bool:
    """Whether the process ends in time; one that nobody has reaped yet has ended."""
    deadline = time.monotonic() + within
    while time.monotonic() < deadline:
        try:
            state = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
        except (FileNotFoundError, ProcessLookupError):
            return True
        if state[0] == "Z":
            return True
        time.sleep(0.05)
    return False


@pytest.fixture
def decoding() -> Iterator[tuple[subprocess.Popen[str], int]]:
    """A script in mid-decode, and the process id of its engine's child."""
    process = script("long")
    assert process.stdout is not None
    child = int(process.stdout.readline().split()[1])
    yield process, child
    process.kill()
    process.communicate()


def ask(engine: LlamaEngine, max_tokens: int = 12) -> str:
    return engine.complete(ASK, seed=1, max_tokens=max_tokens, seconds=60).text


def test_a_child_killed_in_mid_decode_fails_the_trial_and_not_the_bench(
    open_engine: Callable[..., LlamaEngine],
) -> None:
    target: list[int] = []

    def kill_at_the_first(_count: int) -> None:
        if target:
            os.kill(target.pop(), signal.SIGKILL)

    with open_engine(on_token=kill_at_the_first) as engine:
        whole = ask(engine)
        engine.start_trial()
        target.append(engine.pid or 0)
        with pytest.raises(EngineFailure, match="the engine process died of SIGKILL"):
            ask(engine, 200)
        with pytest.raises(EngineFailure, match="broke earlier in this trial"):
            ask(engine)
        engine.start_trial()
        assert ask(engine) == whole


def test_a_child_killed_between_trials_is_replaced(
    open_engine: Callable[..., LlamaEngine],
) -> None:
    with open_engine() as engine:
        first = engine.pid
        assert first is not None
        os.kill(first, signal.SIGKILL)
        assert is_gone(first)
        engine.start_trial()
        assert engine.pid != first
        assert ask(engine) != ""


def test_an_abort_quotes_the_last_words_of_the_child(
    open_engine: Callable[..., LlamaEngine],
) -> None:
    with open_engine() as engine:
        worker = engine._worker
        assert worker is not None
        os.write(worker._errors.fileno(), b"chatter\n\nGGML_ASSERT(n <= n_batch) failed\n")
        os.kill(worker.pid, signal.SIGABRT)
        with pytest.raises(EngineFailure) as caught:
            ask(engine)
    assert str(caught.value) == (
        "the engine process died of SIGABRT; its last words: "
        "chatter | GGML_ASSERT(n <= n_batch) failed"
    )


def test_a_child_that_hangs_is_killed(
    open_engine: Callable[..., LlamaEngine], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(llama, "GRACE_SECONDS", 0.2)
    with open_engine() as engine:
        child = engine.pid
        assert child is not None
        os.kill(child, signal.SIGSTOP)
        with pytest.raises(EngineFailure, match="it hangs"):
            engine.complete(ASK, seed=1, max_tokens=4, seconds=0.2)
        assert is_gone(child)


def test_a_child_that_hangs_in_a_wave_is_killed_once_nobody_keeps_it_waiting(
    open_engine: Callable[..., LlamaEngine], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(llama_wave, "GRACE_SECONDS", 0.2)
    monkeypatch.setattr(llama_wave, "_LOOK_SECONDS", 0.05)
    with open_engine(engine=engine_config(n_ctx=256, sequences=2)) as engine:
        child = engine.pid
        assert child is not None
        with engine.wave([0, 1]) as wave:
            wave.ask(0, Ask(tuple(ASK), 1, 4, 0.2))
            threading.Timer(1.0, wave.leave, [1]).start()
            began = time.monotonic()
            os.kill(child, signal.SIGSTOP)
            with pytest.raises(EngineFailure, match="it hangs"):
                next(wave.answers())
        assert time.monotonic() - began > 1.0
        assert is_gone(child)


def test_a_child_that_dies_in_a_wave_is_a_failure_for_who_waits(
    open_engine: Callable[..., LlamaEngine],
) -> None:
    with open_engine(engine=engine_config(n_ctx=256, sequences=2)) as engine:
        child = engine.pid
        assert child is not None
        with engine.wave([0]) as wave:
            wave.ask(0, Ask(tuple(ASK), 1, 200, 60.0))
            os.kill(child, signal.SIGKILL)
            with pytest.raises(EngineFailure, match="SIGKILL"):
                next(wave.answers())
        engine.start_trial()
        assert engine.pid != child


def test_closing_ends_the_child_and_may_be_repeated(
    open_engine: Callable[..., LlamaEngine],
) -> None:
    engine = open_engine()
    child = engine.pid
    assert child is not None
    engine.close()
    engine.close()
    assert is_gone(child)
    assert engine.pid is None
    with pytest.raises(EngineFailure, match="closed"):
        engine.start_trial()


def test_ctrl_c_in_the_terminal_leaves_no_process(
    decoding: tuple[subprocess.Popen[str], int],
) -> None:
    process, child = decoding
    os.killpg(process.pid, signal.SIGINT)
    output, errors = process.communicate(timeout=30)
    assert (process.returncode, output.strip(), errors) == (130, "interrupted", "")
    assert is_gone(child)


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_the_child_ends_with_its_parent(
    decoding: tuple[subprocess.Popen[str], int], number: signal.Signals
) -> None:
    process, child = decoding
    process.send_signal(number)
    assert process.wait(timeout=30) == -number
    assert is_gone(child)


def test_nothing_is_printed_and_nothing_of_the_surroundings_gets_in(tmp_path: Path) -> None:
    (tmp_path / "jinja2.py").write_text("raise SystemExit('imported from the current directory')")
    surroundings = {
        **os.environ,
        "LLAMA_CPP_LIB_PATH": str(tmp_path),
        "GGML_SCHED_DEBUG": "2",
        "PYTHONWARNINGS": "error",
    }
    process = script("short", cwd=tmp_path, env=surroundings)
    output, errors = process.communicate(timeout=60)
    assert (process.returncode, output, errors) == (0, "8\n", "")


def opened(path: Path) -> LlamaEngine:
    return LlamaEngine(
        path,
        identify(path, expected_sha256=None),
        name="small",
        engine=engine_config(),
        sampling=sampling(),
        prompt=prompt_config(),
    )


def test_weights_llama_cpp_cannot_load_say_why(write_gguf: Callable[..., Path]) -> None:
    path = write_gguf(architecture="nonsense", strings={"tokenizer.chat_template": "{{ x }}"})
    with pytest.raises(IndeterminateError) as caught:
        opened(path)
    assert caught.value.rule == "AV517"
    found = caught.value.found or ""
    assert found.startswith("llama.cpp cannot load the weights; its last words: ")
    assert "unknown model architecture: 'nonsense'" in found


def test_weights_without_a_chat_template_are_refused(write_gguf: Callable[..., Path]) -> None:
    with pytest.raises(InvalidError) as caught:
        opened(write_gguf())
    assert (caught.value.rule, caught.value.found) == ("AV518", "none")


def test_an_adapter_is_no_model(write_gguf: Callable[..., Path]) -> None:
    with pytest.raises(InvalidError) as caught:
        opened(write_gguf(strings={"general.type": "adapter"}))
    assert (caught.value.rule, caught.value.found) == ("AV518", "adapter")


def test_weights_that_changed_since_they_were_hashed_are_not_loaded(
    write_gguf: Callable[..., Path],
) -> None:
    path = write_gguf(strings={"tokenizer.chat_template": "{{ x }}"})
    facts = identify(path, expected_sha256=None)
    os.utime(path, ns=(0, 0))
    with pytest.raises(IndeterminateError, match="cannot be loaded") as caught:
        LlamaEngine(
            path,
            facts,
            name="small",
            engine=engine_config(),
            sampling=sampling(),
            prompt=prompt_config(),
        )
    assert "changed since its bytes were hashed" in (caught.value.found or "")


def test_a_cache_type_that_needs_flash_attention_says_so(
    open_engine: Callable[..., LlamaEngine],
) -> None:
    with pytest.raises(IndeterminateError) as caught:
        open_engine(engine=engine_config(cache_type="q8_0"))
    assert "quantized V cache requires flash_attn" in (caught.value.found or "")

"""A script of completions is given back bit for bit, and only to the prompts it was made for."""

from __future__ import annotations

import dataclasses

import pytest

from abverify.bench.engines import Completion, EngineFailure, Message
from abverify.bench.engines.replay import ReplayEngine, messages_digest

ASK = [Message("user", "Hi.")]
STORED = Completion(
    text="a\ufffd\r\n<tool_call>\u2028",
    finish_reason="length",
    prompt_sha256=messages_digest(ASK),
    prompt_tokens=12,
    completion_tokens=7,
    millis=345,
)


def ask(engine: ReplayEngine, messages: list[Message] = ASK) -> Completion:
    return engine.complete(messages, seed=1, max_tokens=8, seconds=1.0)


def test_a_stored_completion_comes_back_as_it_was() -> None:
    assert ask(ReplayEngine([STORED])) == STORED


def test_a_raw_text_is_a_completion_that_stopped_by_itself() -> None:
    completion = ask(ReplayEngine(["\x00 any text "]))
    assert completion.text == "\x00 any text "
    assert completion.finish_reason == "stop"
    assert completion.prompt_sha256 == messages_digest(ASK)


def test_the_script_goes_on_from_trial_to_trial() -> None:
    engine = ReplayEngine(["one", "two"])
    engine.start_trial()
    first = ask(engine).text
    engine.start_trial()
    assert (first, ask(engine).text, engine.left) == ("one", "two", 0)


def test_asking_beyond_the_script_is_a_failure_of_the_engine() -> None:
    engine = ReplayEngine(["only"])
    ask(engine)
    with pytest.raises(EngineFailure, match="ends after 1 completions"):
        ask(engine)


def test_another_prompt_than_the_recorded_one_is_a_failure_and_uses_nothing_up() -> None:
    engine = ReplayEngine([STORED])
    with pytest.raises(EngineFailure, match="made for the prompt"):
        ask(engine, [Message("user", "Hi!")])
    assert ask(engine) == STORED


def test_a_completion_without_a_prompt_digest_fits_every_prompt() -> None:
    stored = dataclasses.replace(STORED, prompt_sha256="")
    asked = [Message("user", "anything")]
    given = ask(ReplayEngine([stored]), asked)
    assert given == dataclasses.replace(stored, prompt_sha256=messages_digest(asked))


def test_the_way_prompts_are_digested_can_be_that_of_the_recording_engine() -> None:
    stored = dataclasses.replace(STORED, prompt_sha256="0" * 64)
    assert ask(ReplayEngine([stored], digest=lambda _messages: "0" * 64)) == stored


def test_who_spoke_is_part_of_the_prompt() -> None:
    assert messages_digest(ASK) != messages_digest([Message("assistant", "Hi.")])


def test_a_script_attests_no_weights() -> None:
    engine = ReplayEngine([], name="scripted-good-agent")
    assert engine.identity == "absent"
    assert engine.facts() == {
        "model.name": "scripted-good-agent",
        "engine.name": "replay",
        "engine.sequences": 1,
    }

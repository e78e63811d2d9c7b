"""Several sequences of one context: each its own conversation, and the same bytes every time."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from abverify.bench.engines import Ask, Message

from .smollm import engine_config

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from abverify.bench.engines import Completion
    from abverify.bench.engines.llama import LlamaEngine

HEAD = Message("system", "You answer briefly and in plain words.")
THINGS = ("the sea", "a bridge", "an oak", "copper")


@pytest.fixture(scope="module")
def together(open_engine: Callable[..., LlamaEngine]) -> Iterator[LlamaEngine]:
    with open_engine(engine=engine_config(n_ctx=512, sequences=4)) as engine:
        yield engine


def ask(thing: str, *before: Message, seed: int = 7, max_tokens: int = 24) -> Ask:
    question = Message("user", f"Tell me something about {thing}.")
    return Ask((HEAD, *before, question), seed, max_tokens, 120.0)


def turns(engine: LlamaEngine, *things: str) -> list[dict[int, Completion]]:
    """Two turns of a conversation about each thing."""
    engine.start_trial()
    first = engine.complete_together({seat: ask(thing) for seat, thing in enumerate(things)})
    history = {
        seat: (ask(thing).messages[1], Message("assistant", first[seat].text))
        for seat, thing in enumerate(things)
    }
    second = engine.complete_together(
        {seat: ask("that again", *history[seat]) for seat in range(len(things))}
    )
    return [first, second]


def said(rounds: list[dict[int, Completion]]) -> list[list[tuple[int, str, str, int | None]]]:
    return [
        [
            (seat, done.text, done.finish_reason, done.prefilled_tokens)
            for seat, done in sorted(answers.items())
        ]
        for answers in rounds
    ]


def test_the_same_wave_gives_the_same_bytes_whatever_ran_before_it(together: LlamaEngine) -> None:
    first = said(turns(together, *THINGS))
    turns(together, *reversed(THINGS))

    assert said(turns(together, *THINGS)) == first


def test_each_seat_reads_its_own_conversation(together: LlamaEngine) -> None:
    (first, second) = turns(together, *THINGS)

    assert len({done.text for done in first.values()}) == 4
    assert len({done.prompt_sha256 for done in (*first.values(), *second.values())}) == 8


def test_a_later_turn_evaluates_only_what_its_own_sequence_does_not_hold(
    together: LlamaEngine,
) -> None:
    (first, second) = turns(together, *THINGS)

    for seat, done in second.items():
        assert done.prefilled_tokens is not None
        new = done.prompt_tokens - first[seat].prompt_tokens - first[seat].completion_tokens
        assert done.prefilled_tokens <= new + 3


def test_a_seat_ends_alone_and_the_others_go_on(together: LlamaEngine) -> None:
    together.start_trial()
    answers = together.complete_together(
        {0: ask("the sea", max_tokens=2), 2: ask("an oak", max_tokens=20)}
    )

    assert {seat: done.completion_tokens for seat, done in answers.items()} == {0: 2, 2: 20}
    assert [done.finish_reason for done in answers.values()] == ["length", "length"]


def test_a_prompt_beyond_a_seats_own_window_is_full_context_for_that_seat_alone(
    together: LlamaEngine,
) -> None:
    together.start_trial()
    long = ask("one thing after another, " * 200)
    answers = together.complete_together({0: long, 1: ask("copper", max_tokens=5)})

    assert (answers[0].finish_reason, answers[0].completion_tokens) == ("context", 0)
    assert (answers[1].finish_reason, answers[1].completion_tokens) == ("length", 5)


def test_time_that_is_up_ends_one_seat_and_leaves_the_other_running(
    together: LlamaEngine,
) -> None:
    together.start_trial()
    late = Ask(ask("the sea").messages, 7, 400, 0.0)
    answers = together.complete_together({0: late, 1: ask("copper", max_tokens=5)})

    assert answers[0].finish_reason == "time"
    assert (answers[1].finish_reason, answers[1].completion_tokens) == ("length", 5)


def test_an_engine_of_several_sequences_says_so_and_completes_a_single_one_too(
    together: LlamaEngine,
) -> None:
    together.start_trial()
    alone = together.complete(ask("copper").messages, seed=7, max_tokens=5, seconds=120)

    assert (together.seats, together.facts()["engine.sequences"]) == (4, 4)
    assert alone.completion_tokens == 5

"""Several sequences of one context: each its own conversation, and the same bytes every time."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest

from abverify.bench.engines import Ask, EngineFailure, Message
from abverify.bench.engines.llama_batch import BatchRuntime
from abverify.bench.engines.llama_wire import Complete, SeatAsks, SeatLeaves, Wave
from abverify.bench.waves import _Table

from .smollm import engine_config

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from abverify.bench.engines import Completion
    from abverify.bench.engines.llama import LlamaEngine
    from abverify.bench.engines.llama_batch import _Cell
    from abverify.bench.engines.llama_wire import Request

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


@dataclass
class Talk:
    """A conversation of so many turns, whose speaker takes some time between them."""

    thing: str
    tokens: tuple[int, ...]
    pauses: tuple[float, ...] = ()
    said: list[tuple[str, int | None]] = field(default_factory=list)

    def hold(self, seat: int, table: _Table) -> None:
        history: tuple[Message, ...] = ()
        for turn, tokens in enumerate(self.tokens):
            asked = ask(self.thing, *history, max_tokens=tokens)
            done = table.ask(seat, asked)
            self.said.append((done.text, done.prefilled_tokens))
            history = (*asked.messages[1:], Message("assistant", done.text))
            if turn < len(self.pauses):
                time.sleep(self.pauses[turn])
        table.leave(seat)


def held(engine: LlamaEngine, talks: Mapping[int, Talk]) -> list[list[tuple[str, int | None]]]:
    """What was said in a wave of these conversations, seat by seat."""
    engine.start_trial()
    with engine.wave(talks) as wave, ThreadPoolExecutor(len(talks)) as pool:
        table = _Table(engine, wave)
        going = [pool.submit(talk.hold, seat, table) for seat, talk in talks.items()]
        table.serve()
        for each in going:
            each.result()
    return [talk.said for talk in talks.values()]


@pytest.fixture(scope="module", params=[None, 0, 3], ids=["in step", "gap 0", "gap 3"])
def any_gap(
    open_engine: Callable[..., LlamaEngine], request: pytest.FixtureRequest
) -> Iterator[LlamaEngine]:
    config = engine_config(n_ctx=512, sequences=4, turn_gap=request.param)
    with open_engine(engine=config) as engine:
        yield engine


def test_how_long_tools_take_changes_no_byte(any_gap: LlamaEngine) -> None:
    def talks(*pauses: tuple[float, ...]) -> dict[int, Talk]:
        lengths = ((3, 9, 4), (8, 2, 2), (5, 5), (14,))
        return {
            seat: Talk(thing, tokens, pause)
            for seat, (thing, tokens, pause) in enumerate(zip(THINGS, lengths, pauses, strict=True))
        }

    first = held(any_gap, talks((), (), (), ()))
    assert held(any_gap, talks((0.4, 0.0), (0.0, 0.3), (0.1,), ())) == first
    assert held(any_gap, talks((0.0, 0.2), (0.5, 0.0), (), ())) == first
    assert [len(said) for said in first] == [3, 3, 2, 1]


@pytest.mark.parametrize(
    ("gap", "steps"),
    [
        (None, [[0, 1], [0, 1], [1], [1], [0]]),
        (0, [[0, 1], [0, 1], [0, 1], [1]]),
        (1, [[0, 1], [0, 1], [1], [0, 1]]),
    ],
)
def test_who_is_decoded_beside_whom_follows_from_the_turns_and_the_gap(
    load: Callable[..., BatchRuntime],
    monkeypatch: pytest.MonkeyPatch,
    gap: int | None,
    steps: list[list[int]],
) -> None:
    runtime = load(BatchRuntime, n_ctx=256, sequences=2, turn_gap=gap)
    told: list[list[int]] = []
    decode = runtime._decode_step

    def noted(step: Sequence[_Cell]) -> None:
        if any(turn is not None for _, _, _, turn in step):
            told.append(sorted({seat for seat, _, _, _ in step}))
        decode(step)

    monkeypatch.setattr(runtime, "_decode_step", noted)
    turns = {0: [2, 1], 1: [4]}
    said: list[Request] = []

    def go_on(seat: int) -> None:
        if turns[seat]:
            asked = Complete(ask("copper").messages, 7, turns[seat].pop(0), 60.0, progress=False)
            said.append(SeatAsks(seat, asked))
        else:
            said.append(SeatLeaves(seat))

    for seat in turns:
        go_on(seat)
    runtime.serve(
        Wave((0, 1), progress=False),
        receive=lambda: said.pop(0),
        answer=lambda answered: go_on(answered.seat),
        on_token=lambda _count: None,
    )
    assert told == steps


def test_a_declared_gap_is_in_the_lock_where_there_are_several_sequences(
    open_engine: Callable[..., LlamaEngine], together: LlamaEngine
) -> None:
    assert together.facts()["engine.turn_gap"] is None
    with open_engine(engine=engine_config(n_ctx=256, sequences=2, turn_gap=3)) as engine:
        assert engine.facts()["engine.turn_gap"] == 3


def test_a_wave_left_before_its_end_leaves_a_broken_engine_that_starts_anew(
    together: LlamaEngine,
) -> None:
    together.start_trial()
    with together.wave([0, 1]) as wave:
        wave.ask(0, ask("copper"))
    with pytest.raises(EngineFailure, match="ended"):
        wave.ask(1, ask("copper"))
    with pytest.raises(EngineFailure, match="broke"), together.wave([0]):
        pass

    together.start_trial()
    assert together.complete_together({0: ask("copper", max_tokens=3)})[0].completion_tokens == 3


def test_an_ask_that_cannot_be_one_is_refused_and_breaks_nothing(together: LlamaEngine) -> None:
    together.start_trial()
    with pytest.raises(ValueError, match="a seed is"):
        together.complete_together({0: ask("copper", seed=0)})

    assert together.complete_together({0: ask("copper", max_tokens=3)})[0].completion_tokens == 3

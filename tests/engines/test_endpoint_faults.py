"""What a server does wrong is a failure of the server, said in clear words; never a measurement."""

from __future__ import annotations

import socket
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest

from abverify.bench.engines import EngineFailure, Message
from abverify.bench.engines.endpoint import EndpointEngine, open_endpoint
from abverify.bench.engines.endpoint_http import Body, OutOfTime, Transport
from abverify.errors import IndeterminateError

from .serving import KEY, NAME, Played, Player, chunk, encoded, playing, streamed, usage
from .smollm import endpoint_config

if TYPE_CHECKING:
    from collections.abc import Iterator

ASK = [Message("user", "Hello.")]
MODELS, CHAT = "/v1/models", "/v1/chat/completions"
LISTED = encoded({"data": [{"id": NAME, "max_model_len": 2048}]})
ONE = streamed(chunk("Hi"), chunk(finish="length"), usage(9, 1))
GOOD = streamed(chunk("Well, "), chunk("hello."), chunk(finish="stop"), usage(9, 4))
NOW = (("Retry-After", "0"),)
BUSY = Played(b"slow down", 429, NOW)
BROKEN = Played(b"no workers", 503, NOW)
PLAIN: dict[str, Any] = {"top_k": 0, "min_p": "0"}


@contextmanager
def engine_at(*chat: Played, **settings: Any) -> Iterator[tuple[EndpointEngine, Player]]:
    """An engine whose server opened well, and plays these answers from then on."""
    with playing({MODELS: [Played(LISTED)], CHAT: [Played(ONE), *chat]}) as player:
        config = endpoint_config(server="openai", **(PLAIN | settings))
        known = {"ABVERIFY_ENDPOINT": player.url, "ABVERIFY_API_KEY": KEY}
        with open_endpoint(NAME, config, environment=known) as engine:
            player.asked.clear()
            yield engine, player


def fails(*chat: Played, words: str, asked: int, **settings: Any) -> None:
    with engine_at(*chat, **settings) as (engine, player):
        with pytest.raises(EngineFailure, match=words) as caught:
            engine.complete(ASK, seed=1, max_tokens=8, seconds=30.0)
        assert len(player.bodies(CHAT)) == asked
        assert KEY not in str(caught.value)


def test_a_request_carries_the_knobs_the_seed_and_the_messages() -> None:
    with engine_at(Played(GOOD), temperature="0.3", top_p="0.95") as (engine, player):
        completion = engine.complete(ASK, seed=77, max_tokens=8, seconds=30.0)
    assert (completion.text, completion.finish_reason) == ("Well, hello.", "stop")
    assert (completion.prompt_tokens, completion.completion_tokens) == (9, 4)
    assert player.bodies(CHAT) == [
        {
            "model": NAME,
            "messages": [{"role": "user", "content": "Hello."}],
            "temperature": 0.3,
            "top_p": 0.95,
            "frequency_penalty": 0.0,
            "presence_penalty": 0.0,
            "seed": 77,
            "max_tokens": 8,
            "stream": True,
            "stream_options": {"include_usage": True},
        }
    ]
    assert set(player.keys) == {f"Bearer {KEY}"}


def test_a_server_that_is_busy_or_broken_is_asked_again_at_its_own_pace() -> None:
    with engine_at(BUSY, BROKEN, Played(None), Played(GOOD)) as (engine, player):
        assert engine.complete(ASK, seed=1, max_tokens=8, seconds=30.0).text == "Well, hello."
        assert len(player.bodies(CHAT)) == 4


def test_four_tries_are_all() -> None:
    fails(BROKEN, words="no answer in 4 tries; the last: HTTP 503: no workers", asked=4)


def test_a_wait_beyond_a_minute_is_not_waited() -> None:
    later = Played(b"quota", 429, (("Retry-After", "3600"),))
    fails(later, words="asks to wait 3600 s: HTTP 429: quota", asked=1)


def test_a_wait_until_a_date_is_counted_on_the_servers_clock() -> None:
    soon = (
        ("Date", "Sat, 03 Jan 2026 00:00:00 GMT"),
        ("Retry-After", "Sat, 03 Jan 2026 02:00:00 GMT"),
    )
    fails(Played(b"", 503, soon), words="asks to wait 7200 s", asked=1)


def test_a_request_at_fault_is_not_repeated() -> None:
    fails(Played(b"bad seed", 400), words="HTTP 400: bad seed", asked=1)


def test_nothing_is_asked_again_once_an_answer_has_begun() -> None:
    torn = Played(streamed(chunk("Well, "), done=False), whole=False)
    fails(torn, words="the server broke off", asked=1)


def test_redirects_are_refused() -> None:
    moved = Played(b"", 307, (("Location", "http://127.0.0.1:1/"),))
    fails(moved, words="HTTP 307: redirects are refused", asked=1)


def test_compressed_answers_are_refused() -> None:
    packed = Played(b"\x1f\x8b", headers=(("Content-Encoding", "gzip"),))
    fails(packed, words="compressed its answer", asked=1)


def test_an_answer_without_end_is_cut_off() -> None:
    endless = Played(b": " + b"x" * 60 + b"\n" + b": ping\n" * 200_000)
    fails(endless, words="longer than 1081344 bytes", asked=1)


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (b"<html>", "without a finish reason"),
        (b"data: <html>\n", "no JSON object: <html>"),
        (streamed(chunk("Well, ")), "without a finish reason"),
        (streamed(chunk("a"), chunk(finish="stop"), usage(9, 9)), "made 9 tokens where 8"),
    ],
)
def test_malformed_answers_are_failures(answer: bytes, words: str) -> None:
    fails(Played(answer), words=words, asked=1)


def test_an_answer_that_holds_the_key_is_not_kept() -> None:
    echo = streamed(chunk(f"your key is {KEY}"), chunk(finish="stop"), usage(9, 4))
    fails(Played(echo), words="holds the API key: it is not read", asked=1)
    pieces = streamed(chunk(KEY[:9]), chunk(KEY[9:]), chunk(finish="stop"), usage(9, 4))
    fails(Played(pieces), words="holds the API key: it is not kept", asked=1)
    fails(Played(f"bad key {KEY}".encode(), 401), words="holds the API key", asked=1)


def test_the_deadline_closes_a_silent_stream_and_keeps_what_came() -> None:
    with engine_at(Played(streamed(chunk("Well, "), done=False), pause=20)) as (engine, _):
        started = time.monotonic()
        completion = engine.complete(ASK, seed=1, max_tokens=8, seconds=0.5)
        assert time.monotonic() - started < 5
    assert (completion.finish_reason, completion.text) == ("time", "Well, ")
    assert (completion.prompt_tokens, completion.completion_tokens) == (0, 1)


def test_time_lost_to_a_busy_server_is_not_the_models() -> None:
    waiting = Played(b"", 429, (("Retry-After", "30"),))
    words = "the time was up before the server took the request"
    with engine_at(waiting) as (engine, _), pytest.raises(EngineFailure, match=words):
        engine.complete(ASK, seed=1, max_tokens=8, seconds=0.3)


def test_a_request_has_a_limit_of_its_own_where_the_contract_sets_one() -> None:
    slow = Played(streamed(chunk("Well, "), done=False), pause=20)
    budgets = {"http_timeout_seconds": 1}
    fails(slow, words="longer than budgets.http_timeout_seconds, 1 s", asked=1, budgets=budgets)


def test_a_window_that_was_full_first_is_told_from_the_tokens_asked_for() -> None:
    def finish(made: int) -> str:
        stream = streamed(chunk("a"), chunk(finish="length"), usage(2040, made))
        with engine_at(Played(stream)) as (engine, _):
            return engine.complete(ASK, seed=1, max_tokens=8, seconds=30.0).finish_reason

    assert (finish(8), finish(7)) == ("length", "context")


def test_a_prompt_that_the_server_refuses_as_too_long_fills_the_context() -> None:
    error = {"error": {"code": "context_length_exceeded", "message": "too long"}}
    with engine_at(Played(encoded(error), 400)) as (engine, _):
        completion = engine.complete(ASK, seed=1, max_tokens=8, seconds=30.0)
    assert (completion.finish_reason, completion.text) == ("context", "")


def test_a_server_that_says_something_else_of_itself_later_has_changed_under_the_run() -> None:
    other = encoded({"data": [{"id": "another"}]})
    with playing({MODELS: [Played(LISTED)], CHAT: [Played(ONE)]}) as player:
        config = endpoint_config(server="openai", **PLAIN)
        known = {"ABVERIFY_ENDPOINT": player.url}
        words = "does not serve the contract's model"
        with open_endpoint(NAME, config, environment=known) as engine:
            engine.start_trial()
            player.script[MODELS] = [Played(other)]
            with pytest.raises(EngineFailure, match=words):
                engine.start_trial()
        assert set(player.keys) == {None}


@pytest.mark.parametrize(
    ("listed", "rule", "found"),
    [
        ({"data": [{"id": "a"}, {"id": "b"}]}, "AV543", "a, b"),
        ({"data": []}, "AV543", "no model"),
        ({}, "AV543", "no model"),
        ({"data": [{"id": NAME}]}, "AV542", "not stated"),
        ({"data": [{"id": NAME, "context_length": 512}]}, "AV542", "512"),
    ],
)
def test_a_server_is_refused_before_the_run_where_it_is_not_as_declared(
    listed: object, rule: str, found: str
) -> None:
    with playing({MODELS: [Played(encoded(listed))], CHAT: [Played(ONE)]}) as player:
        assert refusal(player) == (rule, found)


@pytest.mark.parametrize(
    ("chat", "rule", "found"),
    [
        (Played(b"no such field", 422), "AV542", "HTTP 422: no such field"),
        (Played(streamed(chunk("a"), chunk(finish="length"))), "AV542", "none"),
        (
            Played(streamed(chunk("a"))),
            "AV544",
            "the server's stream ended without a finish reason",
        ),
    ],
)
def test_a_server_that_takes_no_knobs_or_tells_no_usage_is_refused(
    chat: Played, rule: str, found: str
) -> None:
    with playing({MODELS: [Played(LISTED)], CHAT: [chat]}) as player:
        assert refusal(player) == (rule, found)


def test_a_port_where_nobody_listens_is_said() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        player = Player({}, url=f"http://127.0.0.1:{taken.getsockname()[1]}")
        rule, found = refusal(player)
    assert rule == "AV544"
    assert "no answer in 4 tries; the last: All connection attempts failed" in found


def test_a_deadline_while_nobody_listens_does_not_count_as_asked() -> None:
    transport = Transport("http://127.0.0.1:1")
    with pytest.raises(OutOfTime) as caught:
        transport.ask("/", sink=Body(), seconds=0.2)
    assert not caught.value.was_asked
    transport.close()


def refusal(player: Player) -> tuple[str, str]:
    config = endpoint_config(server="openai", **PLAIN)
    with pytest.raises(IndeterminateError) as caught:
        open_endpoint(NAME, config, environment={"ABVERIFY_ENDPOINT": player.url})
    return caught.value.rule, str(caught.value.found)

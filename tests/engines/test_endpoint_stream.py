"""A stream is read as it arrives, in whatever pieces, and refused where it is not whole text."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from abverify.bench.engines import EngineFailure
from abverify.bench.engines.endpoint_stream import StreamedReply, overflowing_prompt, quoted

from .serving import chunk, encoded, streamed, usage

WHOLE = streamed(
    {"choices": [{"delta": {"role": "assistant", "content": None}, "finish_reason": None}]},
    chunk("Grüße "),
    chunk("\U0001f600"),
    chunk(finish="stop"),
    usage(26, 3),
)


def read(*pieces: bytes) -> StreamedReply:
    reply = StreamedReply()
    for piece in pieces:
        reply.take(piece)
    return reply


@given(st.lists(st.integers(0, len(WHOLE)), max_size=6))
def test_a_stream_says_the_same_however_it_is_cut(cuts: list[int]) -> None:
    edges = [0, *sorted(cuts), len(WHOLE)]
    reply = read(*(WHOLE[a:b] for a, b in pairwise(edges)))
    assert (reply.text, reply.pieces, reply.finish_reason) == ("Grüße \U0001f600", 2, "stop")
    assert (reply.prompt_tokens, reply.completion_tokens, reply.is_done) == (26, 3, True)


def test_pings_comments_and_carriage_returns_mean_nothing() -> None:
    assert (
        read(b": ping\r\n\r\nevent: x\r\n", streamed(chunk("a")).replace(b"\n", b"\r\n")).text
        == "a"
    )


def test_halves_of_a_character_in_two_chunks_are_joined_and_a_lone_half_is_replaced() -> None:
    assert (
        read(streamed(chunk("\ud83d"), chunk("\ude00"), chunk("\ud83d"))).text == "\U0001f600\ufffd"
    )


def test_pieces_are_told_as_they_come() -> None:
    told: list[int] = []
    StreamedReply(told.append).take(streamed(chunk("a"), chunk("b")))
    assert told == [1, 2]


@pytest.mark.parametrize(
    ("stream", "words"),
    [
        (b"data: {\n", "no JSON object"),
        (b"data: [1]\n", "no JSON object"),
        (b"data: " + b"[" * 100_000 + b"\n", "no JSON object"),
        (b"data: {}\n", "malformed chunk"),
        (b'data: {"choices": [1]}\n', "malformed chunk"),
        (b'data: {"choices": [{"delta": 7}]}\n', "malformed chunk"),
        (b'data: {"choices": [{"delta": {"content": 7}}]}\n', "malformed chunk"),
        (streamed({"choices": [{}, {}]}), "malformed chunk"),
        (streamed({"error": {"message": "out of memory"}}), "broke off: .*out of memory"),
        (b'error: {"message": "slot lost"}\n', "broke off: .*slot lost"),
        (streamed(chunk(finish="tool_calls")), "ended the completion with tool_calls"),
        (streamed(chunk(finish="content_filter")), "ended the completion with content_filter"),
        (streamed({"choices": [{"delta": {"tool_calls": [{}]}}]}), "under tool_calls"),
        (streamed({"choices": [{"delta": {"reasoning_content": "hm"}}]}), "reasoning_content"),
        (streamed({"choices": [], "usage": {"prompt_tokens": -1}}), "counts tokens as -1"),
        (streamed({"choices": [], "usage": {"prompt_tokens": True}}), "counts tokens as True"),
        (b"data: " + b"x" * (1 << 20) + b"x", "a line without an end"),
    ],
)
def test_what_is_no_whole_text_is_a_failure_of_the_server(stream: bytes, words: str) -> None:
    with pytest.raises(EngineFailure, match=words):
        read(stream)


@pytest.mark.parametrize(
    ("error", "tokens"),
    [
        ({"code": "context_length_exceeded", "message": "… (9030 in the messages, 1 in …"}, 9030),
        ({"code": "context_length_exceeded", "message": "too long"}, 0),
        ({"code": 400, "type": "exceed_context_size_error", "n_prompt_tokens": 77}, 77),
        ({"code": "invalid_value"}, None),
        ({"code": ["context_length_exceeded"]}, None),
        ("a text", None),
    ],
)
def test_a_prompt_that_fills_the_window_is_told_from_other_refusals(
    error: object, tokens: int | None
) -> None:
    assert overflowing_prompt(encoded({"error": error})) == tokens


def test_a_refusal_that_is_no_json_is_no_overflow() -> None:
    assert overflowing_prompt(b"<html>") is None


def test_a_servers_words_stand_in_one_short_printable_line() -> None:
    assert quoted(b"a\n\x1b[31m b\xff") == "a \ufffd[31m b\ufffd"
    assert len(quoted("x" * 1000)) == 201

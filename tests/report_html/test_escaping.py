"""Nothing that a model or a person wrote is ever anything but text, and all of it is seen."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hypothesis import example, given, settings
from hypothesis import strategies as st

from abverify.model.page_transcript import Mark
from abverify.report.html import render
from abverify.report.html.svg import tag
from abverify.report.html.visible import annotated, marked, visible
from tests.report_html.pages import HOSTILE, Reader, filled_with, page, trial, turn

if TYPE_CHECKING:
    from abverify.model.page_transcript import MarkKind

TEXTS = st.text(
    st.one_of(st.characters(), st.sampled_from("<>&\"'`\x1b\u202e\u2028\ud800\x00{}%/#=")),
    max_size=60,
)
KINDS: st.SearchStrategy[MarkKind] = st.sampled_from(["call", "repair", "refusal"])


@st.composite
def marked_texts(draw: st.DrawFn) -> tuple[str, tuple[Mark, ...]]:
    """A text and stretches of it that overlap as they like, empty ones too."""
    text = draw(TEXTS)
    place = st.integers(0, len(text))
    ends = draw(st.lists(st.tuples(place, place, KINDS, TEXTS), max_size=4))
    return text, tuple(Mark(min(a, b), max(a, b), kind, code, code) for a, b, kind, code in ends)


@given(TEXTS)
@example(HOSTILE)
def test_any_text_becomes_text_and_what_shows_nothing_is_written_out(text: str) -> None:
    reader = Reader(str(marked(text)))
    assert {name for name, _ in reader.elements} <= {"b"}
    assert reader.text == visible(text)
    assert all(char.isprintable() or char in "\n\t" for char in visible(text))


@given(marked_texts())
def test_marks_around_a_text_take_nothing_from_it(case: tuple[str, tuple[Mark, ...]]) -> None:
    text, marks = case
    reader = Reader(str(annotated(text, marks)))
    assert {name for name, _ in reader.elements} <= {"b", "span", "i"}
    assert reader.text == visible(text)


@given(TEXTS)
@example(HOSTILE)
@settings(max_examples=40)
def test_whatever_a_page_is_filled_with_its_elements_stay_the_same(text: str) -> None:
    plain = Reader(render(filled_with("plain")))
    filled = Reader(render(filled_with(f"x{text}")))
    assert [item for item in filled.shape if item[0] != "b"] == [
        item for item in plain.shape if item[0] != "b"
    ]


def test_controls_are_shown_by_their_numbers() -> None:
    assert visible("a\x1b[31m\r\u202e\u200b\U000e0041\ud800\u00a0b\n\tc") == (
        "a\\x1b[31m\\x0d\\u202e\\u200b\\U000e0041\\ud800\\xa0b\n\tc"
    )


def test_letters_of_every_script_stay_as_they_are() -> None:
    text = "Grüße, 你好, שלום, مرحبا, 🙂 → ½"
    assert visible(text) == text


def test_a_control_is_told_from_the_same_signs_typed_out() -> None:
    assert str(marked("\x1b")) == '<b class="ctl">\\x1b</b>'
    assert str(marked(r"\x1b")) == r"\x1b"


def test_no_byte_of_a_page_is_a_control() -> None:
    html = render(filled_with(HOSTILE))
    assert {char for char in html if not char.isprintable()} == {"\n"}


def test_a_line_break_at_the_start_of_a_transcript_is_kept() -> None:
    html = render(page(transcripts=(trial(turn("\n\nfirst")),)))
    assert '<pre class="raw" tabindex="0"><code>\n\nfirst</code></pre>' in html


def test_blanks_at_the_end_of_a_transcripts_line_are_kept() -> None:
    html = render(page(transcripts=(trial(turn("one  \ntwo")),)))
    assert "<code>one  \ntwo</code>" in html


def test_a_picture_escapes_what_it_is_given() -> None:
    made = tag("text", "</text><script>", aria_label='"><script>', x=1.50)
    assert str(made) == (
        '<text aria-label="&#34;&gt;&lt;script&gt;" x="1.5">&lt;/text&gt;&lt;script&gt;</text>'
    )


def test_marks_that_overlap_and_are_empty_are_all_seen() -> None:
    marks = (
        Mark(0, 4, "call", "file_read", "a call"),
        Mark(2, 6, "repair", "raw-newline", "read past"),
        Mark(6, 6, "repair", "missing-closer", "the end"),
    )
    assert str(annotated("abcdefg", marks)) == (
        '<span class="m call" title="call file_read: a call">ab</span>'
        '<span class="m call repair" title="call file_read: a call; repair raw-newline:'
        ' read past">cd</span>'
        '<span class="m repair" title="repair raw-newline: read past">ef</span>'
        '<i class="point repair" title="repair missing-closer: the end"></i>g'
    )

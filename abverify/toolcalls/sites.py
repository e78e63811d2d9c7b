"""Walks an answer once, left to right, and reads every place where a call may stand."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final, Literal

from abverify._frozen import frozen

from .body import read_body, skip_space, starts_body, starts_json
from .candidates import Body, Candidate, Context, repair
from .envelope import looks_like_call
from .fences import Fence, fence_at, read_fence
from .heads import MISTRAL_MARK, XML_HEAD
from .json_reader import read_json
from .placement import LineCursor, sentence_goes_on
from .tags import (
    CLOSER,
    DAMAGED_OPENER,
    OPEN,
    OPENER,
    TORN_OPENER,
    closing,
    past_closers,
    past_junk,
)
from .values import Malformed, Refusal, Repair, Span

Kind = Literal["tagged", "fenced", "bare"]
PYTHON_TAG: Final = "<|python_tag|>"


@frozen
class Item:
    """One place where calls were read.

    Attributes:
        kind: how much the place itself says that this is a call.
        calls: the calls in order; a refusal ends them.
        start: where the place starts, tags included.
        end: where it ends, tags included.
        explicit: it carries its own closing mark.
        must_end: it counts only if nothing but calls follows it in the turn.
    """

    kind: Kind
    calls: tuple[Candidate | Refusal, ...]
    start: int
    end: int
    explicit: bool = False
    must_end: bool = False


@dataclass(slots=True)
class Walk:
    """The items and mentions of an answer, and the fences in it."""

    items: list[Item] = field(default_factory=list)
    mentions: list[Refusal] = field(default_factory=list)
    fences: list[Fence] = field(default_factory=list)


def walk(text: str, context: Context) -> Walk:
    """Read every site of an answer; stops at the first malformed tagged call."""
    return _Walker(text, context).run()


@lru_cache(maxsize=16)
def _site_pattern(tools: tuple[str, ...]) -> re.Pattern[str]:
    names = "|".join(map(re.escape, tools)) or r"(?!)"
    return re.compile(
        # As in `regions`: one character, or the line's start, tells where to look closer.
        rf"(?=[<\[])(?:(?P<mistral>{re.escape(MISTRAL_MARK)})|(?P<python>{re.escape(PYTHON_TAG)})"
        rf"|(?P<open>(?i:{OPENER})|{DAMAGED_OPENER})|(?P<function><(?:function|invoke)[= \t]))"
        rf"|^(?:(?P<fence>[ \t]*(?:`{{3,}}|~{{3,}}))|(?P<torn>{TORN_OPENER})"
        rf"|(?P<bare>[ \t\ufeff\u200b]*(?=\{{\s*(?:\{{\s*)?[\"'\w/\\]|\[\s*[{{\[]"
        rf"|\[\s*[A-Za-z_]\w*\(|(?:{names})(?:\.call)?\()))",
        re.MULTILINE,
    )


@dataclass(slots=True)
class _Walker:
    text: str
    context: Context
    found: Walk = field(default_factory=Walk)
    cursor: LineCursor = field(init=False)
    quoted_body: int = -1
    stopped: bool = False

    def __post_init__(self) -> None:
        self.cursor = LineCursor(self.text)

    def run(self) -> Walk:
        pattern, pos = _site_pattern(tuple(self.context.tools)), 0
        while not self.stopped and (site := pattern.search(self.text, pos)):
            start = site.start()
            self.cursor.advance(start)
            kind = site.lastgroup
            if kind == "fence":
                pos = self.fence(start)
            elif kind == "bare":
                pos = self.bare(site.end())
            else:
                pos = self.tagged(site, "open" if kind in (None, "torn") else kind)
            pos = max(pos, site.end(), start + 1)
        return self.found

    def fence(self, start: int) -> int:
        fence = fence_at(self.text, start)
        if fence is None or not self.context.repairs:
            return fence.end if fence else start + 3
        body = read_fence(self.text, fence, self.context)
        fence = body.fence
        self.found.fences.append(fence)
        if body.calls:
            explicit = fence.closed or body.explicit
            self.found.items.append(
                Item("fenced", body.calls, start, fence.end, explicit, must_end=True)
            )
        self.cursor.jump(fence.end)
        return fence.end

    def tagged(self, site: re.Match[str], kind: str) -> int:
        """A call that its own marks announce."""
        start = site.start()
        quoted = self.cursor.quoted(start)
        opener_end = start if kind == "function" else site.end()
        body_start = skip_space(self.text, opener_end, len(self.text))
        has_body = starts_body(self.text, body_start, len(self.text)) or (
            kind == "mistral" and self.announced(start)
        )
        if quoted or not self.stands_apart(start, kind, opener_end, body_start):
            return self.mention(site, quoted or "mid-sentence", body_start, has_body=has_body)
        variant = kind == "open" and site.group() != OPEN
        if variant and not has_body and not self.text.startswith(OPEN, body_start):
            return site.end()  # `<tools>` and `<json>` are also ordinary words
        try:
            item = self.read_tagged(site.group(), kind, start, body_start)
        except Malformed as broken:
            if not has_body and not self.cursor.at_line_start(start):
                return site.end()
            refusal = broken.refusal()
            item = Item("tagged", (refusal,), start, max(refusal.span.end, site.end()))
            self.found.items.append(item)
            self.stopped = True
            return item.end
        failed = isinstance(item.calls[-1], Refusal)
        if not failed and sentence_goes_on(self.text, item.end, len(self.text)):
            self.found.mentions.append(
                Refusal("mid-sentence", Span(start, item.end), "the sentence goes on behind it")
            )
        else:
            self.found.items.append(item)
            self.stopped = failed
        self.cursor.jump(item.end)
        return item.end

    def announced(self, start: int) -> bool:
        """Whether a named call follows Mistral's mark."""
        from .mistral import announces_call

        return announces_call(self.text, start, len(self.text))

    def stands_apart(self, start: int, kind: str, opener_end: int, body_start: int) -> bool:
        """Whether a mark stands outside any sentence: behind a finished one, or as a block."""
        if kind in ("mistral", "python") or self.cursor.after_sentence(start):
            return True
        if kind == "function":
            head = XML_HEAD.match(self.text, start)
            opener_end = head.end() if head else start
            body_start = skip_space(self.text, opener_end, len(self.text))
        return "\n" in self.text[opener_end:body_start]

    def mention(self, site: re.Match[str], code: str, body_start: int, *, has_body: bool) -> int:
        self.quoted_body = body_start
        if has_body:
            span = Span(site.start(), site.end())
            self.found.mentions.append(Refusal(code, span, "a call that is only talked about"))
        return site.end()

    def read_tagged(self, opener: str, kind: str, start: int, body_start: int) -> Item:
        limit = len(self.text)
        if kind == "mistral":
            from .mistral import read_mistral

            return _as_item(read_mistral(self.text, start, limit, self.context), start)
        if kind == "python":
            from .mistral import read_python_tag

            body = read_python_tag(self.text, body_start, limit, self.context)
            return _as_item(body, start, must_end=True)
        repairs = [] if kind == "function" else self.opener_repairs(opener, start)
        surplus = start
        while kind == "open" and self.text.startswith(OPEN, body_start):
            surplus, body_start = body_start, skip_space(self.text, body_start + len(OPEN), limit)
        if surplus > start:
            repairs.append(repair("surplus-opener", surplus, body_start))
        if not starts_body(self.text, body_start, limit):
            raise Malformed("no-call-in-tag", start, body_start, "the tag holds no call")
        body = read_body(self.text, body_start, limit, self.context)
        if body.failed:
            return _as_item(body.repaired(repairs), start)
        return self.closed(body, repairs, start, opened=kind == "open", native=opener == OPEN)

    def opener_repairs(self, opener: str, start: int) -> list[Repair]:
        if opener == OPEN:
            return []
        code = "tag-variant" if re.fullmatch(OPENER, opener, re.IGNORECASE) else "damaged-opener"
        return [repair(code, start, start + len(opener))]

    def closed(
        self, body: Body, repairs: list[Repair], start: int, *, opened: bool, native: bool
    ) -> Item:
        """Read the closing mark of a tagged call, and judge how it was closed."""
        limit = len(self.text)
        after = past_junk(self.text, body.end, limit)
        if after > body.end:
            comment = any(mark in self.text[body.end : after] for mark in "/#")
            code = "comment" if comment else "stray-mark"
            repairs.append(repair(code, body.end, after))
        mark = closing(self.text, after, limit)
        if not opened:
            repairs.append(repair("missing-opener", start))
        if not mark.present:
            repairs.append(repair("missing-closer", body.end))
            self.no_closer_later(body.end)
        elif not mark.exact and native:
            repairs.append(repair("damaged-closer", body.end, mark.end))
        end, surplus = past_closers(self.text, mark.end, limit)
        if surplus:
            repairs.append(repair("surplus-closer", mark.end, end))
        explicit = opened and (mark.exact or (mark.whole and not native))
        # Another tag that is not closed announces too little to act in the middle of a turn.
        must_end = opened and not native and not mark.present
        return Item("tagged", body.repaired(repairs).items, start, end, explicit, must_end)

    def no_closer_later(self, pos: int) -> None:
        """A closing mark after other text means that the text stood inside the call."""
        following = _NEXT_TAG.search(self.text, pos)
        if following and re.match(CLOSER, following.group(), re.IGNORECASE):
            raise Malformed("text-in-call", pos, following.start(), "text before the closing mark")

    def bare(self, start: int) -> int:
        """A call without an opening mark, at the start of a line."""
        limit = len(self.text)
        if not self.context.repairs:
            return start
        if not self.context.spend_read():
            return limit
        try:
            if starts_json(self.text, start, limit):
                probe = read_json(self.text, start, limit)
                if not looks_like_call(probe.value, self.context):
                    return probe.end
            body = read_body(self.text, start, limit, self.context, tagged=False)
        except Malformed as broken:
            refusal = broken.refusal()
            end = max(refusal.span.end, start + 1)
            if _CALL_KEYS.search(self.text, start, end) or _KEYWORD_CALL.match(self.text, start):
                self.found.items.append(Item("bare", (refusal,), start, end, must_end=True))
            self.cursor.advance(end)
            return end
        return self.bare_item(body, start)

    def bare_item(self, body: Body, start: int) -> int:
        limit = len(self.text)
        end, closer = body.end, False
        exact = False
        if not body.failed:
            after = past_junk(self.text, end, limit)
            exact = closing(self.text, after, limit).exact
            end, closer = past_closers(self.text, after, limit)
        if start == self.quoted_body:
            self.found.mentions.append(
                Refusal("quoted", Span(start, end), "the body of a quoted tag")
            )
        elif closer:
            calls = body.repaired([repair("missing-opener", start)]).items
            self.found.items.append(Item("tagged", calls, start, end, exact, must_end=True))
        else:
            code = "untagged-call"
            calls = body.repaired([repair(code, start, body.end)]).items
            self.found.items.append(Item("bare", calls, start, end, must_end=True))
        self.cursor.jump(end)
        return end


def _as_item(body: Body, start: int, *, must_end: bool = False) -> Item:
    return Item("tagged", body.items, start, body.end, body.explicit, must_end)


_NEXT_TAG = re.compile(rf"{CLOSER}|{OPENER}|<(?:function|invoke)[= ]", re.IGNORECASE)
_KEYWORD_CALL = re.compile(r"[A-Za-z_]|\[\s*\w+\(\s*(?:\)|\w+\s*=)", re.ASCII)
_CALL_KEYS = re.compile(r"[\"']?(?:name|function|tool)\\?[\"']?\s*:")

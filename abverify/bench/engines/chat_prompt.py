"""From messages to prompt text, through the model's own chat template.

A chat template is code from the weight file, so it runs in Jinja's immutable
sandbox. Message contents are data from a model and from files, so nothing in
them may ever turn into a control token. Both hold for any template, because a
content is not moved or hidden: it is *cut*. Wherever a control token's text
stands in it, a mark goes in behind the first character; after rendering, the
prompt is split at the marks, and each piece is tokenised alone. No piece then
holds that text whole. A content that merely ends or begins with a part of
such a text is cut at that edge, so that the template cannot complete it.
"""

from __future__ import annotations

import json
import re
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final, NoReturn

from abverify._frozen import frozen

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from abverify.bench.engines import Message

_PRIVATE: Final = range(0x10F000, 0x10FFFE)
_LABELS: Final = {"system": "System", "user": "User", "assistant": "Assistant"}


class PromptError(Exception):
    """The template cannot render these messages."""


@frozen
class Prompt:
    """A rendered prompt.

    Attributes:
        text: the prompt as the model is to read it.
        pieces: the same text in the pieces that are tokenised one by one; nearly always one.
    """

    text: str
    pieces: tuple[str, ...]


def flatten(messages: Sequence[Message]) -> list[dict[str, str]]:
    """All turns as one user message: `history: flattened`.

    A leading system message stays what it is. Every other message becomes a block,
    `User:` or `Assistant:`, a line feed, and the content; blocks are parted by an
    empty line. The layout is fixed: it is part of what the lock's value means.
    """
    head = [_plain(message) for message in messages[:1] if message.role == "system"]
    blocks = (f"{_LABELS[message.role]}:\n{message.content}" for message in messages[len(head) :])
    return [*head, {"role": "user", "content": "\n\n".join(blocks)}]


def unflattened(messages: Sequence[Message]) -> list[dict[str, str]]:
    """The messages as they are: `history: native-chat`."""
    return [_plain(message) for message in messages]


def _plain(message: Message) -> dict[str, str]:
    return {"role": message.role, "content": message.content}


class ChatTemplate:
    """A compiled chat template that keeps contents apart from control tokens.

    Args:
        source: the Jinja text, as it stands in the weight file.
        control_texts: the text of every control token of the vocabulary.
        bos: text of the begin-of-sequence token, for templates that write it.
        eos: text of the end-of-sequence token, likewise.

    Raises:
        PromptError: if the template is no Jinja, or a control token is a single character,
            which no cut can neutralise.
    """

    def __init__(self, source: str, *, control_texts: Iterable[str], bos: str, eos: str) -> None:
        self._source = source
        self._cutter = _Cutter(sorted({text for text in control_texts if text}))
        self._names = {"bos_token": bos, "eos_token": eos}
        self._template = _compile(source)

    def render(self, messages: Sequence[dict[str, str]]) -> Prompt:
        """The prompt that asks for the next assistant message.

        Raises:
            PromptError: if the template refuses the messages or fails.
        """
        mark = _unused_character(self._source, *(message["content"] for message in messages))
        cut = [
            {"role": message["role"], "content": self._cutter.cut(message["content"], mark)}
            for message in messages
        ]
        try:
            marked: str = self._template.render(
                messages=cut, add_generation_prompt=True, tools=None, documents=None, **self._names
            )
        except Exception as error:  # noqa: BLE001 (the template is foreign code)
            kind = type(error).__name__
            raise PromptError(f"the chat template failed: {kind}: {error}") from None
        pieces = tuple(piece for piece in marked.split(mark) if piece)
        return Prompt(text="".join(pieces), pieces=pieces)


class _Cutter:
    """Cuts the texts of control tokens."""

    def __init__(self, texts: Sequence[str]) -> None:
        single = [text for text in texts if len(text) == 1]
        if single:
            raise PromptError(f"control tokens of one character cannot be told apart: {single}")
        choices = "|".join(map(re.escape, texts))
        self._starts = re.compile(f"(?={choices})") if texts else re.compile(r"(?!)")
        self._heads = tuple({text[:end] for text in texts for end in range(1, len(text))})
        self._tails = tuple({text[start:] for text in texts for start in range(1, len(text))})

    def cut(self, content: str, mark: str) -> str:
        places = {match.start() + 1 for match in self._starts.finditer(content)}
        # Templates trim contents, so the edges that matter lie inside the white space.
        body = content.strip()
        begin = len(content) - len(content.lstrip())
        if body.startswith(self._tails):
            places.add(begin)
        if body.endswith(self._heads):
            places.add(begin + len(body))
        edges = [0, *sorted(places), len(content)]
        return mark.join(content[a:b] for a, b in pairwise(edges))


def _unused_character(*texts: str) -> str:
    for code in _PRIVATE:
        if not any(chr(code) in text for text in texts):
            return chr(code)
    raise PromptError("the messages hold every private-use character there is")


def _compile(source: str) -> Any:
    from jinja2 import TemplateError
    from jinja2.ext import loopcontrols
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    environment = ImmutableSandboxedEnvironment(
        trim_blocks=True, lstrip_blocks=True, extensions=[loopcontrols]
    )
    environment.filters["tojson"] = _to_json
    environment.globals["raise_exception"] = _raise_exception
    try:
        return environment.from_string(source)
    except TemplateError as error:
        raise PromptError(f"the chat template is no Jinja: {error}") from None


def _to_json(value: Any, indent: int | None = None) -> str:
    """JSON as chat templates expect it: not escaped for HTML, as Jinja's own filter is."""
    return json.dumps(value, ensure_ascii=False, indent=indent)


def _raise_exception(message: str) -> NoReturn:
    raise PromptError(message)

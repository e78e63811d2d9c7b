"""The opt-in reading of Markdown code blocks as edits: another measurement, reported apart.

A block counts only when it names exactly one existing workspace file, or when it is the only
block of its language and exactly one workspace file has that language. A fragment never
replaces a file: elisions, diffs and unclosed blocks are refused.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from .candidates import Candidate, Context, repair
from .values import Refusal, Span

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from .fences import Fence

_EXTENSIONS: Final = {
    "rust": (".rs",), "rs": (".rs",), "python": (".py",), "py": (".py",), "toml": (".toml",),
    "go": (".go",), "javascript": (".js", ".mjs"), "js": (".js", ".mjs"), "typescript": (".ts",),
    "ts": (".ts",), "c": (".c", ".h"), "cpp": (".cpp", ".hpp", ".cc"), "java": (".java",),
    "json": (".json",), "yaml": (".yaml", ".yml"),
}  # fmt: skip
_PATH = re.compile(r"[\w\-./]*\w\.\w+")
_FIRST_LINE = re.compile(r"[ \t]*(?://+|#+|--|/\*|<!--)?[ \t]*(?:[Ff]ile(?:name)?:[ \t]*)?"
                         r"(?P<path>[\w\-./]+\.\w+)[ \t]*(?:\*/|-->)?[ \t]*\r?\n")  # fmt: skip
_ELISION = re.compile(
    r"^[ \t]*(?://|#|/\*|--)?[ \t]*(?:\.\.\.|…)|(?://|#)[^\n]*(?:existing code|rest of|unchanged)",
    re.MULTILINE | re.IGNORECASE,
)
_SEARCH_REPLACE = re.compile(
    r"\A<{5,9} SEARCH[ \t]*\n(?P<old>.*?)^={5,9}[ \t]*\n(?P<new>.*?)^>{5,9} REPLACE[ \t]*\n?\Z",
    re.MULTILINE | re.DOTALL,
)


def markdown_edits(
    answer: str, fences: Sequence[Fence], context: Context, files: Sequence[str]
) -> Iterator[Candidate | Refusal]:
    """Read every block that is meant for a file, in order; ends after the first refusal."""
    languages = [
        fence.info.split()[0].split(":")[0].lower() if fence.info else "" for fence in fences
    ]
    written: set[str] = set()
    for fence, language in zip(fences, languages, strict=True):
        span = Span(fence.start, fence.end)
        named = _named_files(answer, fence, files)
        if not named and languages.count(language) == 1:
            named = {f for f in files if f.endswith(_EXTENSIONS.get(language, ("\0",)))}
            named = named if len(named) == 1 else set()
        if not named:
            if _EXTENSIONS.get(language) or _PATH.search(fence.info):
                yield Refusal("markdown-no-file", span, "the block names no one existing file")
                return
            continue
        content = answer[fence.content : fence.content_end]
        refused = _unusable(fence, language, content, named, written)
        if refused:
            yield Refusal(refused, span, "the block is not one whole file")
            return
        path = next(iter(named))
        written.add(path)
        yield _edit(path, content, span, context)


def _named_files(answer: str, fence: Fence, files: Sequence[str]) -> set[str]:
    """The workspace files named in the info string, the first line, or the line before."""
    line_end = answer.rfind("\n", 0, max(fence.start, 0))
    before = answer[answer.rfind("\n", 0, max(line_end, 0)) + 1 : max(line_end, 0)]
    first = _FIRST_LINE.match(answer, fence.content, fence.content_end)
    for source in (fence.info, first.group("path") if first else "", before[-400:]):
        named = {m.group().removeprefix("./") for m in _PATH.finditer(source)} & set(files)
        if named:
            return named
    return set()


def _unusable(fence: Fence, language: str, content: str, named: set[str], written: set[str]) -> str:
    if len(named) > 1 or named & written:
        return "markdown-two-files"
    if not fence.closed:
        return "unclosed-fence"
    if language == "diff" or (_ELISION.search(content) and not _SEARCH_REPLACE.match(content)):
        return "markdown-fragment"
    return "" if content.strip() else "markdown-fragment"


def _edit(path: str, content: str, span: Span, context: Context) -> Candidate | Refusal:
    repairs = (repair("markdown-block", span.start, span.end),)
    replace = _SEARCH_REPLACE.match(content)
    if replace and "file_edit" in context.tools:
        arguments = {
            "path": path,
            "old_string": replace.group("old"),
            "new_string": replace.group("new"),
        }
        return Candidate("file_edit", arguments, span, repairs)
    if "file_write" not in context.tools:
        return Refusal("unknown-tool", span, "there is no file_write to write the block with")
    return Candidate("file_write", {"path": path, "content": content}, span, repairs)

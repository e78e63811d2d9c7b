"""Where the server is, and the key to it: facts of this machine, in no contract and no lock."""

from __future__ import annotations

import ipaddress
import re
from typing import TYPE_CHECKING, Final
from urllib.parse import SplitResult, urlsplit

from abverify.errors import IndeterminateError, UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping

ENDPOINT_VARIABLE: Final = "ABVERIFY_ENDPOINT"
KEY_VARIABLE: Final = "ABVERIFY_API_KEY"
_KEY: Final = re.compile(r"[A-Za-z0-9._~+/=-]{8,4096}")
_EXAMPLE: Final = f"{ENDPOINT_VARIABLE}=http://127.0.0.1:8080"


def base_url(environment: Mapping[str, str]) -> str:
    """The server's URL, without a trailing slash or `/v1`.

    Raises:
        IndeterminateError: AV540 if none is named.
        UsageError: AV540 if it is no plain http or https URL. The URL itself is not repeated:
            what makes it unusable may be a secret.
    """
    text = environment.get(ENDPOINT_VARIABLE, "").strip()
    if not text:
        raise IndeterminateError(
            "the contract's engine is a server, and none is named",
            rule="AV540",
            expected=f"{ENDPOINT_VARIABLE}: the URL of the server",
            found="not set",
            next_step=f"export {_EXAMPLE}",
        )
    url, problem = _split(text)
    if url is None or problem:
        raise UsageError(
            f"{ENDPOINT_VARIABLE} cannot be used",
            rule="AV540",
            expected="http:// or https://, a host, and perhaps a port and a path",
            found=problem,
            next_step=f"export {_EXAMPLE}",
        )
    return text.rstrip("/").removesuffix("/v1")


def api_key(environment: Mapping[str, str], base: str) -> str | None:
    """The key to send, or null.

    Raises:
        UsageError: AV545 if it is no bearer token, or would travel in clear.
    """
    key = environment.get(KEY_VARIABLE, "").strip()
    if not key:
        return None
    if not _KEY.fullmatch(key):
        raise UsageError(
            f"{KEY_VARIABLE} is not a key",
            rule="AV545",
            expected="8 characters or more, of letters, digits and . _ ~ + / = -",
            found="other characters, or too few or too many (it is not shown)",
            next_step=f"set {KEY_VARIABLE} to the key alone, or unset it",
        )
    url = urlsplit(base)
    if url.scheme == "http" and not _is_loopback(url.hostname or ""):
        raise UsageError(
            "the API key would travel in clear",
            rule="AV545",
            expected="https, or a server on this machine",
            found="http to another machine",
            next_step=f"name an https URL in {ENDPOINT_VARIABLE}, or unset {KEY_VARIABLE}",
        )
    return key


def _split(text: str) -> tuple[SplitResult | None, str]:
    try:
        url = urlsplit(text)
        _ = url.port
    except ValueError:
        return None, "no URL"
    problems = (
        (url.scheme not in ("http", "https"), "another scheme, or none"),
        (url.username is not None or url.password is not None, "a name or password in it"),
        (bool(url.query or url.fragment), "a query or a fragment"),
        (not url.hostname, "no host"),
        (not text.isascii() or not text.isprintable() or " " in text, "odd characters"),
    )
    return url, next((problem for is_so, problem in problems if is_so), "")


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"

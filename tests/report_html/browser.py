"""A headless Chromium on two pipes: no driver, no port, no dependency.

The browser reads commands of its debugging protocol from descriptor 3 and writes answers and
events to descriptor 4, each a JSON text that ends with a zero byte.
"""

from __future__ import annotations

import base64
import json
import os
import select
import shutil
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any, Self

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path
    from types import TracebackType

PROGRAMS = (
    "chromium-headless-shell",
    "chromium",
    "chromium-browser",
    "google-chrome",
)
_WIRE = """
import fcntl, os, sys
first, second = (fcntl.fcntl(int(word), fcntl.F_DUPFD, 10) for word in sys.argv[1:3])
os.dup2(first, 3)
os.dup2(second, 4)
os.execv(sys.argv[3], sys.argv[3:])
"""
"""Puts two pipes where the browser looks for them, and becomes the browser."""
_PATIENCE = 60.0
"""Seconds that a busy machine may take for one answer."""


def program() -> str:
    """The browser's file; the test fails with the command that installs one."""
    for name in PROGRAMS:
        found = shutil.which(name)
        if found:
            return found
    pytest.fail(
        "the page is to be opened in a real browser, and there is no Chromium here;"
        " `make test` installs it, or: sudo apt-get install --yes chromium-headless-shell",
        pytrace=False,
    )


class Browser:
    """A running browser with one page; everything that the page complains of is kept."""

    def __init__(self, profile: Path) -> None:
        self._commands, theirs_in = os.pipe()[::-1]
        theirs_out, self._answers = os.pipe()[::-1]
        self._process = subprocess.Popen(
            [sys.executable, "-c", _WIRE, str(theirs_in), str(theirs_out), *_words(profile)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            pass_fds=(theirs_in, theirs_out),
        )
        os.close(theirs_in)
        os.close(theirs_out)
        self._buffer = b""
        self._number = 0
        self._session: str | None = None
        self.complaints: list[str] = []
        self.requests: list[str] = []
        self._loaded = False

    def __enter__(self) -> Self:
        target = self._ask("Target.createTarget", url="about:blank")["targetId"]
        attached = self._ask("Target.attachToTarget", targetId=target, flatten=True)
        self._session = attached["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self._ask(f"{domain}.enable")
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._process.terminate()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        os.close(self._commands)
        os.close(self._answers)

    def open(self, file: Path, fragment: str = "") -> None:
        """Opens a file and waits until it is loaded."""
        self.complaints.clear()
        self.requests.clear()
        self._loaded = False
        self._ask("Page.navigate", url=file.resolve().as_uri() + fragment)
        self._until(lambda: self._loaded)

    def js(self, expression: str) -> Any:
        """The value of an expression in the page."""
        answer = self._ask("Runtime.evaluate", expression=expression, returnByValue=True)
        assert "exceptionDetails" not in answer, answer["exceptionDetails"]
        return answer["result"].get("value")

    def press(self, key: str) -> None:
        """Presses a key and lets it go, as a person would."""
        text = {"Enter": "\r"}.get(key, key if len(key) == 1 else "")
        code = {"Enter": 13, "Tab": 9, "Escape": 27}.get(key, ord(key[0].upper()))
        shared = {"key": key, "windowsVirtualKeyCode": code}
        self._ask("Input.dispatchKeyEvent", type="keyDown", text=text, **shared)
        self._ask("Input.dispatchKeyEvent", type="keyUp", **shared)

    def type(self, words: str) -> None:
        """Types words into whatever has the focus."""
        for letter in words:
            self.press(letter)

    def look(self, *, dark: bool = False, paper: bool = False, width: int = 1180) -> None:
        """Sets the colour scheme, the medium and the window's width."""
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        medium = "print" if paper else "screen"
        self._ask("Emulation.setEmulatedMedia", media=medium, features=[scheme])
        self._ask(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=900,
            deviceScaleFactor=1,
            mobile=False,
        )

    def picture(self, clip: Sequence[float] | None = None) -> bytes:
        """A PNG of a part of the page: x, y, width, height; of the window by default."""
        words: dict[str, Any] = {}
        if clip:
            x, y, width, height = clip
            words["clip"] = {"x": x, "y": y, "width": width, "height": height, "scale": 1}
            words["captureBeyondViewport"] = True
        return base64.b64decode(self._ask("Page.captureScreenshot", format="png", **words)["data"])

    def _ask(self, method: str, **params: Any) -> dict[str, Any]:
        self._number += 1
        number = self._number
        message: dict[str, Any] = {"id": number, "method": method, "params": params}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._commands, json.dumps(message).encode() + b"\0")
        answers: list[dict[str, Any]] = []
        self._until(lambda: bool(answers), number, answers)
        assert "error" not in answers[0], f"{method}: {answers[0]['error']}"
        result: dict[str, Any] = answers[0]["result"]
        return result

    def _until(
        self,
        done: Callable[[], bool],
        number: int | None = None,
        answers: list[dict[str, Any]] | None = None,
    ) -> None:
        end = time.monotonic() + _PATIENCE
        while not done():
            message = self._receive(end)
            if answers is not None and message.get("id") == number:
                answers.append(message)
            elif "method" in message:
                self._note(message["method"], message["params"])

    def _receive(self, end: float) -> dict[str, Any]:
        while b"\0" not in self._buffer:
            ready, _, _ = select.select([self._answers], [], [], max(0.0, end - time.monotonic()))
            part = os.read(self._answers, 1 << 20) if ready else b""
            assert part, f"the browser says nothing more: {self._process.poll()}"
            self._buffer += part
        line, self._buffer = self._buffer.split(b"\0", 1)
        message: dict[str, Any] = json.loads(line)
        return message

    def _note(self, event: str, params: dict[str, Any]) -> None:
        if event == "Page.loadEventFired":
            self._loaded = True
        elif event == "Runtime.exceptionThrown":
            self.complaints.append(json.dumps(params["exceptionDetails"]))
        elif event == "Runtime.consoleAPICalled":
            self.complaints.append(json.dumps(params["args"]))
        elif event == "Log.entryAdded":
            self.complaints.append(params["entry"]["text"])
        elif event == "Network.requestWillBeSent":
            self.requests.append(params["request"]["url"])


def _words(profile: Path) -> list[str]:
    words = [
        program(),
        "--headless",
        "--remote-debugging-pipe",
        f"--user-data-dir={profile}",
        "--no-first-run",
        "--disable-gpu",
        "--disable-dev-shm-usage",
        "--hide-scrollbars",
    ]
    # Chromium's own sandbox refuses to run as root, which containers are.
    return [*words, "--no-sandbox"] if os.geteuid() == 0 else words

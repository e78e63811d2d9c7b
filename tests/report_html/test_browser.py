"""The page in a real Chromium: it opens without a complaint, it filters, and nothing runs in it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from abverify.report.html import render
from abverify.report.html.visible import visible
from tests.report_html.pages import HOSTILE, filled_with, page, trial, turn
from tests.support.repository import Repository, done

if TYPE_CHECKING:
    from pathlib import Path

    from tests.report_html.browser import Browser

SHOWN = "[...document.querySelectorAll('details.trial')].filter(t => !t.hidden).length"
FOCUS = "document.activeElement.closest('details')?.id"


@pytest.fixture
def experiment(browser: Browser, laboratory: Repository, tmp_path: Path) -> Browser:
    """The experiment's page, open."""
    file = tmp_path / "report.html"
    done(laboratory.run("report", "T294", "-o", str(file)))
    browser.look()
    browser.open(file)
    return browser


def choose(browser: Browser, name: str, value: str) -> None:
    """Chooses a value in the filter, as a hand would."""
    field = f"document.getElementById('filter').elements.{name}"
    browser.js(
        f"{field}.value = {value!r}; {field}.dispatchEvent(new Event('input', {{bubbles: true}}))"
    )


class TestOpening:
    @pytest.mark.parametrize("subject", ["T1_001", "T1_002", "T294", "--audit"])
    def test_nothing_is_complained_of_and_nothing_is_fetched(
        self, browser: Browser, laboratory: Repository, tmp_path: Path, subject: str
    ) -> None:
        file = tmp_path / "report.html"
        laboratory.run("report", subject, "-o", str(file))
        browser.open(file)
        assert browser.complaints == []
        assert browser.requests == [file.as_uri()]
        assert "abverify" in browser.js("document.title")

    def test_a_complaint_would_be_heard(self, browser: Browser, tmp_path: Path) -> None:
        file = tmp_path / "report.html"
        html = render(page()).replace("</body>", "<script>alert(1)</script></body>")
        file.write_text(html, encoding="utf-8")
        browser.open(file)
        assert "Content Security Policy" in " ".join(browser.complaints)

    @pytest.mark.parametrize(("width", "paper"), [(360, False), (1180, False), (720, True)])
    def test_nothing_is_wider_than_the_window_or_the_paper(
        self,
        experiment: Browser,
        width: int,
        paper: bool,  # noqa: FBT001
    ) -> None:
        experiment.look(width=width, paper=paper)
        experiment.js("document.querySelectorAll('details').forEach(d => d.open = true)")
        assert experiment.js("document.documentElement.scrollWidth") == width

    def test_dark_and_light_are_told_apart_and_paper_is_light(self, experiment: Browser) -> None:
        ground = "getComputedStyle(document.body).backgroundColor"
        experiment.look(dark=True)
        assert experiment.js(ground) == "rgb(20, 23, 27)"
        experiment.look(dark=True, paper=True)
        assert experiment.js(ground) == "rgb(255, 255, 255)"
        assert (
            experiment.js("getComputedStyle(document.getElementById('filter')).display") == "none"
        )
        experiment.look()
        assert experiment.js(ground) == "rgb(255, 255, 255)"


class TestFilter:
    def test_arm_outcome_and_verdict_narrow_the_trials_together(self, experiment: Browser) -> None:
        assert experiment.js(SHOWN) == 40
        choose(experiment, "arm", "base")
        assert experiment.js(SHOWN) == 20
        choose(experiment, "verdict", "recovered")
        assert experiment.js(SHOWN) == 4
        choose(experiment, "outcome", "oracle_passed")
        assert experiment.js(SHOWN) == 0
        count = "document.querySelector('#filter output').value"
        assert experiment.js(count) == "0 of 40 trials"

    def test_words_find_the_trials_that_hold_them(self, experiment: Browser) -> None:
        choose(experiment, "text", "GONE")
        assert experiment.js(SHOWN) == 16
        choose(experiment, "text", "unix__07")
        assert experiment.js(SHOWN) == 2

    def test_what_is_shown_opens_and_all_closes(self, experiment: Browser) -> None:
        opened = "document.querySelectorAll('details.trial[open]').length"
        choose(experiment, "arm", "adapter")
        experiment.js("document.getElementById('filter').elements.open.click()")
        assert experiment.js(opened) == 20
        experiment.js("document.getElementById('filter').elements.close.click()")
        assert experiment.js(opened) == 0


class TestKeyboard:
    def test_j_and_k_go_from_trial_to_trial_and_enter_opens(self, experiment: Browser) -> None:
        choose(experiment, "arm", "adapter")
        experiment.press("j")
        assert experiment.js(FOCUS) == "t2-1"
        experiment.press("j")
        experiment.press("j")
        experiment.press("k")
        assert experiment.js(FOCUS) == "t2-2"
        experiment.press("Enter")
        assert experiment.js("document.getElementById('t2-2').open") is True

    def test_slash_goes_to_the_search_and_letters_are_letters_there(
        self, experiment: Browser
    ) -> None:
        experiment.press("/")
        experiment.type("unix__07")
        assert experiment.js("document.getElementById('filter').elements.text.value") == "unix__07"
        assert experiment.js(SHOWN) == 2

    def test_the_first_thing_reached_is_the_way_past_the_head(self, experiment: Browser) -> None:
        experiment.press("Tab")
        assert experiment.js("document.activeElement.getAttribute('href')") == "#main"


class TestTranscripts:
    def test_the_dot_of_a_pair_opens_its_trial(self, experiment: Browser) -> None:
        experiment.js(
            "document.querySelector('a[aria-label=\"unix__01-task, adapter: 1/1\"]')"
            ".dispatchEvent(new MouseEvent('click', {bubbles: true, cancelable: true}))"
        )
        assert experiment.js("location.hash") == "#t2-1"
        assert experiment.js("document.getElementById('t2-1').open") is True

    def test_an_address_with_a_name_opens_that_trial(
        self, browser: Browser, tmp_path: Path
    ) -> None:
        file = tmp_path / "report.html"
        file.write_text(render(page()), encoding="utf-8")
        browser.open(file, "#t-1")
        assert browser.js("document.getElementById('t-1').open") is True

    def test_a_hostile_transcript_is_inert_and_whole(
        self, browser: Browser, tmp_path: Path
    ) -> None:
        file = tmp_path / "report.html"
        file.write_text(render(page(transcripts=(trial(turn(HOSTILE)),))), encoding="utf-8")
        browser.open(file)
        assert browser.js("document.querySelector('pre.raw').textContent") == visible(HOSTILE)
        assert (
            browser.js(
                "document.querySelector('pre.raw').querySelectorAll(':not(b):not(code)').length"
            )
            == 0
        )
        assert browser.js("typeof window.pwned") == "undefined"
        assert browser.complaints == []

    def test_a_page_hostile_in_every_field_runs_nothing_and_still_filters(
        self, browser: Browser, tmp_path: Path
    ) -> None:
        file = tmp_path / "report.html"
        file.write_text(render(filled_with(HOSTILE)), encoding="utf-8")
        browser.open(file)
        assert browser.js("typeof window.pwned") == "undefined"
        assert browser.js("document.querySelectorAll('img, iframe, script').length") == 1
        assert browser.js(SHOWN) == 1
        choose(browser, "text", "no such words")
        assert browser.js(SHOWN) == 0
        assert browser.complaints == []
        assert browser.requests == [file.as_uri()]

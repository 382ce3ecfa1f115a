"""`oea review` in a real browser: hearing, judging by keys, undoing, reloading, two annotators.

Run: pytest tests/test_review_browser.py
"""

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import soundfile

from tests.web.chromium import Page, find_chromium
from tests.web.review_server import ReviewServer, lines_of

pytest.importorskip("uvicorn")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(find_chromium() is None, reason="no Chromium is installed"),
]

Tone = Callable[..., Path]
NASTY = "<script>window.broken = 1</script><img src=x onerror='window.broken = 2'> \u202eשלום"
SAID = {"Log.entryAdded", "Runtime.exceptionThrown", "Runtime.consoleAPICalled"}
SHOWN = "!document.querySelector('#item').hidden && document.querySelector('#question').textContent"


@pytest.fixture
def folder(tmp_path: Path, tone: Tone) -> Path:
    """Three pairs with sounds that browsers play and one that they do not, and nasty captions."""
    tone(tmp_path / "a.wav", 440, 3)
    tone(tmp_path / "b.wav", 660, 3)
    time = np.arange(48_000) / 16_000
    soundfile.write(tmp_path / "c.aiff", 0.3 * np.sin(2 * np.pi * 880 * time), 16_000)
    (tmp_path / "broken.wav").write_text("no sound")
    pairs = [("a.wav", "b.wav"), ("c.aiff", "b.wav"), ("broken.wav", "gone.wav")]
    rows = [
        {"target": one, "hard_negative": two, "captions": [NASTY], "hard_negative_captions": ["x"]}
        for one, two in pairs
    ]
    (tmp_path / "pairs.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return tmp_path


@pytest.fixture
def server(folder: Path) -> Iterator[ReviewServer]:
    with ReviewServer("pairs.jsonl", "-o", "v.jsonl", cwd=folder) as server:
        yield server


def enter(page: Page, link: str, name: str) -> None:
    """Open the link and type a name, as a person would."""
    page.open(link)
    page.wait("document.activeElement.id === 'annotator'")
    assert page.run("location.pathname + location.search") == "/", "no token in the history"
    for letter in name:
        page.press(letter)
    page.press("Enter")
    page.wait(SHOWN)


def go_to(page: Page, target: str) -> None:
    """Show the item with this target, by keys."""
    for _ in range(3):
        page.press("ArrowLeft")
        page.wait("!busy")
    for _ in range(3):
        if page.run("shown.sides[0].id") == target:
            return
        page.press("n")
        page.wait("!busy")
    raise AssertionError(target)


def reload(page: Page) -> None:
    """Reload and wait for the item that is shown then."""
    page.run("window.isOld = true")
    page.ask("Page.reload")
    page.wait(f"window.isOld === undefined && document.readyState === 'complete' && {SHOWN}")


def progress(page: Page) -> str:
    text: str = page.run("document.querySelector('#progress').textContent")
    return text


def complaints(page: Page) -> list[object]:
    """What the browser's console and policy had to say."""
    return [event for event in page.events if event["method"] in SAID]


def test_a_review(server: ReviewServer, folder: Path) -> None:
    with Page(str(find_chromium()), folder / "profile") as page:
        page.look(1440)
        enter(page, server.first_link, "Ada")
        assert progress(page) == "0 of 3 judged"

        go_to(page, "a.wav")
        assert page.run("document.querySelector('.captions li').textContent") == NASTY
        assert page.run("[window.broken, document.querySelectorAll('main img').length]") == [
            None,
            0,
        ]
        page.wait("sides[1].picture && document.querySelectorAll('canvas')[1].width !== 300")
        page.press("a")
        page.wait("sides[0].audio.currentTime > 0.1 && !sides[0].audio.paused")
        page.press("b")
        page.wait("sides[1].audio.currentTime > 0.1 && sides[0].audio.paused")
        page.press("s")
        page.wait("sides[1].audio.paused")

        go_to(page, "c.aiff")
        page.press("a")
        page.wait("sides[0].audio.currentTime > 0.1")
        assert page.run("Math.abs(sides[0].audio.duration - 3) < 0.01")
        page.run("sides[0].jump(0.9)")
        page.wait("sides[0].audio.currentTime > 2.7")

        go_to(page, "broken.wav")
        heard = "[...document.querySelectorAll('.unheard:not([hidden])')].map(p => p.textContent)"
        page.wait(f"{heard}.length === 2")
        assert "cannot be decoded" in page.run(heard)[0] and "--clips" in page.run(heard)[1]

        go_to(page, "a.wav")
        page.press("2", modifiers=2)
        page.ask("Input.dispatchKeyEvent", type="keyDown", key="2", text="2", autoRepeat=True)
        page.press("1")
        page.wait("state.done === 1 && !busy")
        assert progress(page) == "1 of 3 judged" and page.run("shown.sides[0].id") != "a.wav"
        page.press("2")
        page.wait("state.done === 2 && !busy")
        page.press("u")
        page.wait("state.done === 1 && !busy")
        rows = lines_of(folder / "v.jsonl")
        assert [row["verdict"] for row in rows] == ["valid", "same", None]
        assert rows[1]["target"] == rows[2]["target"] == page.run("shown.sides[0].id")

        reload(page)
        assert progress(page) == "1 of 3 judged" and page.run("state.annotator") == "Ada"
        assert page.run("shown.value") is None and page.run("shown.sides[0].id") != "a.wav"
        go_to(page, "a.wav")
        assert page.run("document.querySelector('[aria-pressed=true]').dataset.answer") == "valid"

        reload(page)
        for done in (2, 3):
            page.run("document.querySelector('[data-answer=unsure]').click()")
            page.wait(f"state.done === {done} && !busy")
        page.wait("!document.querySelector('#finished').hidden")
        assert page.run("document.querySelector('#output').textContent") == "v.jsonl"
        page.press("p")
        page.wait(SHOWN)
        assert not complaints(page)
    assert server.stop() == 0


def test_two_annotators_in_two_browsers(server: ReviewServer, folder: Path) -> None:
    program = str(find_chromium())
    with Page(program, folder / "one") as ada, Page(program, folder / "two") as ben:
        enter(ada, server.first_link, "Ada")
        ben.open(server.first_link)
        assert "has already been used" in ben.run("document.body.textContent")
        enter(ben, server.next_link(), "Ben")
        for page, key in [(ada, "1"), (ben, "2")]:
            go_to(page, "a.wav")
            assert page.run("shown.value") is None, "Ben does not see what Ada said"
            page.press(key)
            page.wait("state.done === 1 && !busy")
        said = [
            (row["annotator"], row["target"], row["verdict"])
            for row in lines_of(folder / "v.jsonl")
        ]
        assert said == [("Ada", "a.wav", "valid"), ("Ben", "a.wav", "same")]
        go_to(ada, "a.wav")
        assert ada.run("shown.value") == "valid"
        assert "Ben" not in ada.run("document.body.innerText")
        assert server.stop() == 130
        ben.press("1")
        ben.wait("!document.querySelector('#problem').hidden")
        assert "is it still running" in ben.run("document.querySelector('#problem').textContent")
        assert progress(ben) == "1 of 3 judged"


def test_ratings_on_a_narrow_window(folder: Path) -> None:
    rows = [{"id": "q", "text": NASTY, "target": "a.wav", "type": "<b>negative</b>",
             "hard_negative": "b.wav", "captions": ["long " * 60 + "x" * 300]}]  # fmt: skip
    (folder / "q.jsonl").write_text(json.dumps(rows[0]) + "\n")
    with (
        ReviewServer("q.jsonl", "-o", "r.jsonl", "--annotator", "Ada", cwd=folder) as server,
        Page(str(find_chromium()), folder / "profile") as page,
    ):
        page.look(360, "dark")
        page.open(server.first_link)
        assert page.wait(SHOWN) == NASTY
        for width, scheme in [(360, "light"), (360, "dark"), (1440, "light"), (1440, "dark")]:
            page.look(width, scheme)
            assert page.run("document.documentElement.scrollWidth") <= width
        assert page.run("document.querySelectorAll('main b').length") == 0
        names = page.run(
            "[...document.querySelectorAll('button, input, canvas')].filter(e => e.offsetParent)"
            ".map(e => e.getAttribute('aria-label') || e.textContent.trim())"
        )
        assert len(names) > 10 and all(names)
        page.press("4")
        page.wait("!document.querySelector('#finished').hidden")
        assert not complaints(page)
    row = lines_of(folder / "r.jsonl")[0]
    assert (row["id"], row["rating"], row["annotator"]) == ("q", 4, "Ada")

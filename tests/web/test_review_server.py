"""`oea review` over HTTP: who gets in, what is served, what is stored; the real program answers.

Run: pytest tests/test_review_server.py
"""

import json
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import numpy as np
import pytest
import soundfile

from oea_cli.web.sounds import KEPT, PageSounds, Sound
from oea_cli.web.spectrogram import picture_of
from tests.web.review_server import Browser, ReviewServer, lines_of

pytest.importorskip("uvicorn")

Tone = Callable[..., Path]
SECRET = "nobody may read this"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, tone: Tone) -> Path:
    """Pairs of sounds of several kinds, and a secret beside them that no row names."""
    folder = tmp_path_factory.mktemp("review")
    tone(folder / "sounds" / "a.wav", 440, 2)
    tone(folder / "sounds" / "b.flac", 880, 2)
    noise = np.random.default_rng(0).normal(0, 3, 16_000).astype(np.float32)
    soundfile.write(folder / "sounds" / "loud.wav", noise, 16_000, subtype="FLOAT")
    soundfile.write(folder / "sounds" / "c.aiff", noise / 20, 16_000)
    (folder / "sounds" / "text.wav").write_text(SECRET)
    (folder / "sounds" / "empty.wav").touch()
    os.mkfifo(folder / "sounds" / "pipe.wav")
    (folder / "link.wav").symlink_to("sounds/a.wav")
    (folder / "secret.txt").write_text(SECRET)
    names = [
        "a.wav",
        "b.flac",
        "loud.wav",
        "c.aiff",
        "text.wav",
        "empty.wav",
        "pipe.wav",
        "gone.wav",
    ]
    rows = [{"target": f"sounds/{one}", "hard_negative": "link.wav"} for one in names]
    rows.append(
        {"target": "a#t=0.5,1", "hard_negative": "secret.txt", "target_path": "sounds/a.wav"}
    )
    (folder / "pairs.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return folder


@pytest.fixture(scope="module")
def server(folder: Path) -> Iterator[ReviewServer]:
    with ReviewServer("pairs.jsonl", "-o", "verdicts.jsonl", cwd=folder) as server:
        yield server


@pytest.fixture(scope="module")
def links(server: ReviewServer) -> Iterator[str]:
    """Links that still work, one after the other."""

    def unused() -> Iterator[str]:
        yield server.first_link
        while True:
            yield server.next_link()

    return unused()


@pytest.fixture
def browser(server: ReviewServer, links: Iterator[str]) -> Browser:
    return Browser(server, next(links))


def numbers(browser: Browser) -> dict[str, int | None]:
    """The number of each clip's sound."""
    browser.post("/annotator", {"name": "Looker"})
    total = browser.get("/state").json["total"]
    items = [browser.get(f"/items/{place}").json for place in range(total)]
    return {side["id"]: side["sound"] for item in items for side in item["sides"]}


# --- who gets in ---


def test_a_link_works_once(server: ReviewServer, links: Iterator[str]) -> None:
    link = next(links)
    browser = Browser(server, link)
    assert "HttpOnly; SameSite=Strict; Path=/" in browser.set_cookie
    assert "oea review" in browser.get("/").content.decode()
    parts = urlsplit(link)
    again = Browser(server).get(f"/?{parts.query}")
    assert again.status == 403 and b"has already been used" in again.content
    assert again.headers["Set-Cookie"] is None
    assert browser.get(f"/?{parts.query}").status == 200, "its own browser may come back"


@pytest.mark.parametrize(
    "path", ["/", "/?token=", "/?token=wrong", "/?token=%00", "/?token=%C3%BC",
             "/state", "/items/0", "/sounds/0", "/sounds/0/picture", "/nothing"],
)  # fmt: skip
def test_strangers_stay_out(server: ReviewServer, path: str) -> None:
    for cookie in ("", f"oea-{server.port}=", f"oea-{server.port}=wrong"):
        answer = Browser(server).get(path, **({"Cookie": cookie} if cookie else {}))
        assert answer.status == 403, path
        assert SECRET.encode() not in answer.content and answer.headers["Set-Cookie"] is None


def test_only_the_home_page_takes_a_token(server: ReviewServer, links: Iterator[str]) -> None:
    link = next(links)
    query = urlsplit(link).query
    assert Browser(server).get(f"/state?{query}").status == 403
    assert Browser(server)._ask("HEAD", f"/?{query}", None, {}).status == 403
    assert Browser(server, link).get("/state").status == 200


@pytest.mark.parametrize("host", ["evil.example", "evil.example:80", "127.0.0.1.evil.example", ""])
def test_other_names_of_this_machine_are_refused(browser: Browser, host: str) -> None:
    assert browser.get("/state", Host=host).status == 400
    assert browser.get("/state", Host=f"localhost:{browser.port}").status == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Origin": "https://127.0.0.1"},
        {"Origin": ""},
        {"Content_Type": "text/plain"},
        {"Content_Type": "application/x-www-form-urlencoded"},
    ],
)
def test_requests_from_other_pages_change_nothing(
    browser: Browser, folder: Path, headers: dict[str, str]
) -> None:
    before = (folder / "verdicts.jsonl").read_bytes()
    for path, body in [
        ("/annotator", {"name": "Eve"}),
        ("/verdicts", {"item": 0, "value": "same"}),
    ]:
        assert browser.post(path, body, **headers).status == 403
    assert browser.get("/state").json["annotator"] is None
    assert (folder / "verdicts.jsonl").read_bytes() == before


def test_headers(browser: Browser) -> None:
    headers = browser.get("/").headers
    policy = headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy and "script-src 'sha256-" in policy
    assert "unsafe" not in policy and "frame-ancestors 'none'" in policy
    for path in ("/", "/state", "/sounds/0", "/nothing"):
        headers = browser.get(path).headers
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Referrer-Policy"] == "no-referrer"
        assert headers["Cross-Origin-Resource-Policy"] == "same-origin"
        assert headers["Cache-Control"] == "no-store"
        assert headers["Access-Control-Allow-Origin"] is None
        assert headers["Server"] is None


# --- what is served ---


@pytest.mark.parametrize(
    "path",
    [
        "/sounds/../secret.txt",
        "/sounds/%2e%2e/secret.txt",
        "/sounds/..%2fsecret.txt",
        "/sounds/0/../../secret.txt",
        "/sounds/0%2f..%2f..%2fsecret.txt",
        "/sounds/%2fetc%2fpasswd",
        "//etc/passwd",
        "/sounds//etc/passwd",
        "/sounds/sounds/a.wav",
        "/sounds/a.wav",
        "/sounds/-1",
        "/sounds/999",
        "/sounds/" + "9" * 400,
        "/sounds/0x0",
        "/sounds/1.0",
        "/sounds/%D9%A3",
        "/sounds/0\\..\\..\\secret.txt",
        "/secret.txt",
        "/../secret.txt",
        "/page.js",
        "/sounds/0/wav/../../../secret.txt",
        "/sounds/0?path=../secret.txt",
    ],
)
def test_no_path_leads_out(browser: Browser, folder: Path, path: str) -> None:
    answer = browser.get(path)
    assert SECRET.encode() not in answer.content and b"root:" not in answer.content
    if "?" not in path:
        assert answer.status in (400, 404), answer.content


def test_what_is_no_sound_is_never_handed_out(browser: Browser) -> None:
    """Even where a row names it."""
    known = numbers(browser)
    for name, says in [
        ("sounds/text.wav", "cannot be decoded"),
        ("secret.txt", "cannot be decoded"),
        ("sounds/empty.wav", "the file is empty"),
        ("sounds/pipe.wav", "is not a file"),
    ]:
        for path in ("", "/wav", "/picture"):
            answer = browser.get(f"/sounds/{known[name]}{path}")
            assert answer.status == (200 if path == "/picture" else 415)
            assert says in answer.json["problem"]
            assert SECRET.encode() not in answer.content
    assert known["sounds/gone.wav"] is None


def test_sounds_as_they_are_and_ranges(browser: Browser, folder: Path) -> None:
    known = numbers(browser)
    content = (folder / "sounds" / "a.wav").read_bytes()
    path = f"/sounds/{known['sounds/a.wav']}"
    whole = browser.get(path)
    assert whole.content == content and whole.headers["Content-Type"] == "audio/wav"
    assert whole.headers["Accept-Ranges"] == "bytes"
    part = browser.get(path, Range="bytes=100-199")
    assert part.status == 206 and part.content == content[100:200]
    assert part.headers["Content-Range"] == f"bytes 100-199/{len(content)}"
    assert browser.get(path, Range="bytes=-44").content == content[-44:]
    assert browser.get(path, Range=f"bytes={len(content)}-").status == 416
    assert browser.get(f"/sounds/{known['link.wav']}").content == content
    flac = browser.get(f"/sounds/{known['sounds/b.flac']}")
    assert flac.headers["Content-Type"] == "audio/flac" and flac.content[:4] == b"fLaC"


@pytest.mark.parametrize(
    ("name", "seconds"), [("sounds/c.aiff", 1.0), ("sounds/loud.wav", 1.0), ("a#t=0.5,1", 0.5)]
)
def test_what_browsers_cannot_play_is_converted(
    browser: Browser, tmp_path: Path, name: str, seconds: float
) -> None:
    path = f"/sounds/{numbers(browser)[name]}"
    answer = browser.get(path)
    assert answer.status == 200 and answer.headers["Content-Type"] == "audio/wav"
    (tmp_path / "x.wav").write_bytes(answer.content)
    info = soundfile.info(tmp_path / "x.wav")
    assert info.subtype == "PCM_16" and info.duration == pytest.approx(seconds, abs=0.01)
    samples, _ = soundfile.read(tmp_path / "x.wav")
    assert 0.1 < np.abs(samples).max() <= 1 and np.mean(np.abs(samples) > 0.99) < 0.01
    assert browser.get(path, Range="bytes=0-3").content == b"RIFF"
    assert browser.get(f"{path}/wav").content == answer.content


def test_pictures(browser: Browser) -> None:
    picture = browser.get(f"/sounds/{numbers(browser)['sounds/a.wav']}/picture").json
    assert picture["seconds"] == 2.0 and picture["bands"] == 64 and picture["columns"] > 100


# --- what is stored ---


def test_annotators_are_blind_to_each_other(
    server: ReviewServer, links: Iterator[str], folder: Path
) -> None:
    ada, ben = Browser(server, next(links)), Browser(server, next(links))
    assert ada.get("/items/0").status == 409
    for browser, name in [(ada, "Ada"), (ben, "  Ben \t B ")]:
        assert browser.post("/annotator", {"name": name}).status == 200
    first = ada.get("/items/0").json
    done = ada.post("/verdicts", {"item": first["item"], "value": "same", "annotator": "Ada"}).json
    assert (done["done"], done["place"], done["undo"]) == (1, 1, True)
    assert ada.get("/items/0").json["value"] == "same"
    state = ben.get("/state").json
    assert state["annotator"] == "Ben B" and state["done"] == 0 and not state["undo"]
    items = [ben.get(f"/items/{place}").json for place in range(state["total"])]
    assert all(item["value"] is None for item in items)
    assert sorted(item["item"] for item in items) == list(range(9))
    assert "Ada" not in json.dumps([state, items]) and "score" not in json.dumps(items)
    assert ben.post("/undo", {}).status == 409
    row = lines_of(folder / "verdicts.jsonl")[-1]
    assert (row["verdict"], row["annotator"]) == ("same", "Ada")
    assert ada.post("/undo", {}).json["done"] == 0
    assert lines_of(folder / "verdicts.jsonl")[-1]["verdict"] is None


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("/verdicts", {"item": 0, "value": "good"}, 422),
        ("/verdicts", {"item": 0, "value": 1}, 422),
        ("/verdicts", {"item": 0, "value": ["same"]}, 422),
        ("/verdicts", {"item": 9, "value": "same"}, 422),
        ("/verdicts", {"item": -1, "value": "same"}, 422),
        ("/verdicts", {"item": True, "value": "same"}, 422),
        ("/verdicts", {"item": 0, "value": "same", "annotator": "Ben"}, 409),
        ("/verdicts", b"{", 400),
        ("/verdicts", b"\xff", 400),
        ("/verdicts", [1], 400),
        ("/verdicts", b"[" * 16_000, 400),
        ("/verdicts", b" " * 20_000, 413),
        ("/annotator", {"name": ""}, 422),
        ("/annotator", {"name": "x" * 81}, 422),
        ("/annotator", {"name": "a\x00b"}, 422),
        ("/annotator", {"name": "\ud800"}, 400),
    ],
)
def test_bad_requests_store_nothing(
    browser: Browser, folder: Path, path: str, body: Any, status: int
) -> None:
    browser.post("/annotator", {"name": "Cy"})
    before = (folder / "verdicts.jsonl").read_bytes()
    answer = browser.post(path, body)
    assert answer.status == status, answer.content
    assert (folder / "verdicts.jsonl").read_bytes() == before
    assert browser.get("/state").json["annotator"] == "Cy"


# --- the program ---


@pytest.mark.slow
def test_going_on_after_a_kill_and_exit_codes(tmp_path: Path, tone: Tone) -> None:
    for name in "abcd":
        tone(tmp_path / f"{name}.wav", seconds=0.1)
    rows = [
        {"id": "q1", "text": "rain", "target": "a"},
        {"id": "q2", "text": "wind", "target": "b"},
    ]
    (tmp_path / "q.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    arguments = ("q.jsonl", "-o", "r.jsonl", "--annotator", "Ada", "--clips", ".")
    with ReviewServer(*arguments, cwd=tmp_path) as server:
        browser = Browser(server, server.first_link)
        state = browser.get("/state").json
        assert state["annotator"] == "Ada" and state["fixed"] and state["kind"] == "rating"
        assert browser.post("/annotator", {"name": "Ben"}).status == 409
        item = browser.get("/items/0").json
        assert browser.post("/verdicts", {"item": item["item"], "value": 6}).status == 422
        assert browser.post("/verdicts", {"item": item["item"], "value": 4.0}).status == 422
        assert browser.post("/verdicts", {"item": item["item"], "value": 4}).json["place"] == 1
        server.stop(signal.SIGKILL)
    with ReviewServer(*arguments, cwd=tmp_path) as server:
        browser = Browser(server, server.first_link)
        assert browser.get("/state").json["place"] == 1
        assert server.stop(signal.SIGTERM) == 130, "something is left"
        assert "oea review: 1 verdicts in r.jsonl\n" in server.said
    with ReviewServer(*arguments, "-q", cwd=tmp_path) as server:
        browser = Browser(server, server.first_link)
        item = browser.get("/items/1").json
        assert browser.post("/verdicts", {"item": item["item"], "value": 2}).json["place"] is None
        assert server.stop() == 0, "all is judged"
    left = list(tmp_path.glob("oea-review-*"))
    assert len(left) == 1, "the killed one's folder, and no other"
    assert [row["rating"] for row in lines_of(tmp_path / "r.jsonl")] == [4, 2]


@pytest.mark.skipif(sys.platform != "linux", reason="limits another process")
def test_a_full_disk_is_told_and_loses_nothing(folder: Path, tmp_path: Path) -> None:
    import resource

    log = tmp_path / "v.jsonl"
    arguments = (folder / "pairs.jsonl", "-o", log, "--annotator", "Ada")
    with ReviewServer(*arguments, cwd=tmp_path) as server:
        browser = Browser(server, server.first_link)
        assert browser.post("/verdicts", {"item": 0, "value": "same"}).json["done"] == 1
        stored = log.read_bytes()
        for room in (0, 40):
            resource.prlimit(server.pid, resource.RLIMIT_FSIZE, (len(stored) + room, -1))
            answer = browser.post("/verdicts", {"item": 1, "value": "same"})
            assert answer.status == 500 and "v.jsonl: not stored: " in answer.json["problem"]
            assert log.read_bytes() == stored and browser.get("/state").json["done"] == 1
        resource.prlimit(server.pid, resource.RLIMIT_FSIZE, (-1, -1))
        assert browser.post("/verdicts", {"item": 1, "value": "same"}).json["done"] == 2
        server.stop()
        assert len([line for line in server.said if "not stored" in line]) == 2
    assert len(lines_of(log)) == 2


@pytest.mark.skipif(sys.platform in ("darwin", "win32"), reason="there is always a screen there")
def test_the_browser_is_opened_where_there_is_a_screen(folder: Path, tmp_path: Path) -> None:
    program = tmp_path / "browser"
    program.write_text(f'#!/bin/sh\necho "$1" > {tmp_path}/opened\n')
    program.chmod(0o755)
    browser = {"BROWSER": f"{program} %s", "WAYLAND_DISPLAY": ""}
    for screen in ("", ":99"):
        environment = {**browser, "DISPLAY": screen}
        arguments = (folder / "pairs.jsonl", "-o", tmp_path / "v.jsonl")
        with ReviewServer(*arguments, cwd=tmp_path, env=environment) as server:
            if screen:
                until = time.monotonic() + 20
                while not (tmp_path / "opened").exists() and time.monotonic() < until:
                    time.sleep(0.05)
                time.sleep(0.1)
                assert (tmp_path / "opened").read_text().strip() == server.first_link
            assert Browser(server, server.first_link).get("/state").status == 200
            assert (tmp_path / "opened").exists() == bool(screen)


# --- pictures and conversions, without a server ---


def test_a_picture_shows_where_and_how_high() -> None:
    def chunks(rate: int) -> Iterator[np.ndarray]:
        time = np.arange(rate) / rate
        yield np.zeros(rate, np.float32)
        yield np.sin(2 * np.pi * 1000 * time).astype(np.float32)

    levels = picture_of(chunks).levels
    assert levels.dtype == np.uint8 and levels.shape[0] == 64 and levels.max() == 255
    half = levels.shape[1] // 2
    assert levels[:, : half - 3].max() == 0
    band = levels[:, half + 5 :].max(1).argmax()
    mel = [2595 * np.log10(1 + hz / 700) for hz in (50, 1000, 8000)]
    assert abs(band - 64 * (mel[1] - mel[0]) / (mel[2] - mel[0])) < 2
    silent = picture_of(lambda rate: iter([np.zeros(10, np.float32)])).levels
    assert silent.max() == 0 and silent.shape == (64, 1)


def test_a_long_sound_is_whole_and_old_conversions_go(tmp_path: Path, tone: Tone) -> None:
    tone(tmp_path / "a.wav", seconds=65.3)
    sound = Sound(str(tmp_path / "a.wav"))
    assert sum(len(chunk) for chunk in sound.chunks(16_000)) == round(65.3 * 16_000)
    part = Sound(str(tmp_path / "a.wav"), 1.5, 64.0)
    assert sum(len(chunk) for chunk in part.chunks(8_000)) == round(62.5 * 8_000)
    (tmp_path / "shelf").mkdir()
    sections = [Sound(sound.path, n / 10, n / 10 + 0.1) for n in range(KEPT + 3)]
    shelf = PageSounds(sections, tmp_path / "shelf")
    for number in range(len(shelf)):
        assert shelf.playable(number).path.is_file()
    assert len(list((tmp_path / "shelf").iterdir())) == KEPT
    assert shelf.playable(0).path.is_file()

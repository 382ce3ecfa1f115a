"""The HTML report: what it says, that strangers' texts stay texts, that it opens from disk.

Run: pytest tests/test_report.py (the browser's part: -m slow)
"""

import base64
import hashlib
import json
import re
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import numpy as np
import pytest
import soundfile

from oea_cli.encoder.loading import load_encoder
from oea_cli.evaluation.inputs.record_lookup import corpus_records
from oea_cli.evaluation.output.report import figures
from oea_cli.evaluation.output.report.page import to_report
from oea_cli.evaluation.output.report.sounds import link_to, relative_link
from oea_cli.evaluation.setting import RecordLookup
from oea_cli.vectors.batch import Batch
from oea_cli.vectors.index.building import build_index
from tests.commands.in_process import run
from tests.vectors.batches import unit, write
from tests.web.chromium import Page, find_chromium

pytest.importorskip("jinja2")

NASTY = "<script>alert(1)</script> \"quoted\" 'single' & \u202eright to left\u202c שלום مرحبا 雨音"
SOUND = "javascript:alert(1) #1 %41 Ü.wav"


class Tags(HTMLParser):
    """Every start tag of a page, with its attributes, and its text."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data

    def all(self, name: str) -> list[dict[str, str | None]]:
        return [attributes for tag, attributes in self.tags if tag == name]


def tone(path: Path) -> None:
    """Half a second of 440 Hz."""
    path.parent.mkdir(exist_ok=True)
    soundfile.write(path, np.sin(np.arange(8000) * 2 * np.pi * 440 / 16000) * 0.1, 16000)


@pytest.fixture
def made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Vectors of clips and queries with nasty texts, sounds for two of the clips."""
    monkeypatch.chdir(tmp_path)
    vectors = unit(30, 16, seed=3)
    for name in (SOUND, "1.wav"):
        tone(tmp_path / "sounds" / name)
    clips: list[dict[str, Any]] = [
        {"id": f"c{n}", "path": f"sounds/{n}.wav", "captions": [f"caption {n}", NASTY]}
        for n in range(30)
    ]
    clips[0]["path"] = f"sounds/{SOUND}"
    write("c.jsonl", clips, vectors)
    queries = [
        {
            "id": f"q{n}",
            "text": f"query {n} {NASTY}",
            "target": f"c{n}",
            "hard_negative": f"c{(n + 1) % 30}",
            "type": "negative" if n % 2 else "<b>bold</b>",
        }
        for n in range(24)
    ]
    # The first query is answered by its hard negative.
    near = vectors[:24] + 0.9 * unit(24, 16, seed=4)
    near[0] = vectors[1] + 0.1 * vectors[0]
    write("q.jsonl", queries, near / np.linalg.norm(near, axis=1, keepdims=True))
    return tmp_path


ARGUMENTS = ["eval", "--queries", "q.jsonl", "--corpus", "c.jsonl", "-f", "json"]


def report(folder: Path, *extra: str, name: str = "report.html") -> tuple[str, dict[str, Any]]:
    """The page and the results that `oea eval` writes."""
    done = run([*ARGUMENTS, "--report", name, *extra])
    assert done.returncode in (0, 4), done.stderr
    return (folder / name).read_text(encoding="utf-8"), json.loads(done.stdout)


def test_strangers_texts_stay_texts(made: Path) -> None:
    page, _ = report(made)
    tags = Tags(page)
    assert len(tags.all("script")) == 1 and not tags.all("b")
    assert NASTY in tags.text and "<b>bold</b>" in tags.text
    assert not [key for _, one in tags.tags for key in one if key.startswith("on")]
    links = [one[key] for _, one in tags.tags for key in ("src", "href") if key in one]
    assert set(links) - {"data:,"} and all(
        link == "data:," or str(link).startswith(("./", "../")) for link in links
    )
    assert "http://" not in page and "https://" not in page


def test_a_browser_runs_the_pages_own_script_and_nothing_else(made: Path) -> None:
    page, _ = report(made)
    [policy] = [
        one for one in Tags(page).all("meta") if "content-security-policy" in str(one).lower()
    ]
    rules = dict(rule.strip().split(" ", 1) for rule in str(policy["content"]).split(";"))
    assert rules["default-src"] == "'none'" == rules["base-uri"] == rules["form-action"]
    for tag in ("style", "script"):
        [content] = re.findall(rf"<{tag}>(.*?)</{tag}>", page, re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()
        assert rules[f"{tag}-src"] == f"'sha256-{digest}'"


def test_sounds_are_linked_from_the_reports_folder(made: Path) -> None:
    (made / "out").mkdir()
    page, _ = report(made, name="out/report.html")
    sources = [str(one["src"]) for one in Tags(page).all("audio")]
    assert sources and all((made / "out" / unquote(source)).is_file() for source in sources)
    assert f"../sounds/{'javascript%3Aalert%281%29%20%231%20%2541%20%C3%9C.wav'}" in sources
    assert all(one["preload"] == "none" and "controls" in one for one in Tags(page).all("audio"))
    assert "No sound: missing: sounds/5.wav" in re.sub(r"\s+", " ", Tags(page).text)


def test_it_says_what_the_results_say(made: Path) -> None:
    page, found = report(made)
    text = " ".join(Tags(page).text.split())
    for name, value in found["metrics"].items():
        low, high = found["intervals"][name]
        if name not in ("median-rank", "delta-rank"):
            assert f"{100 * value:.2f} %" in text, name
            assert f"{100 * low:.2f} to {100 * high:.2f}" in text, name
    assert found["judgments_sha256"] in text and found["versions"]["oea"] in text
    ranks = found["per_query"]
    deltas = np.array(ranks["hard_negative_rank"]) - np.array(ranks["target_rank"])
    assert f"{(deltas > 0).sum()} rank the target above" in text
    shown = re.findall(r"(?:([+−]?)(\d+)) ranks?, hard negative", text)
    order = [int(number) * (-1 if sign == "−" else 1) for sign, number in shown]
    assert order == sorted(deltas.tolist())[:20]


def test_the_same_results_give_the_same_bytes(made: Path) -> None:
    assert report(made)[0] == report(made)[0]


def test_a_baseline_and_gates_stand_in_it(made: Path) -> None:
    _, found = report(made)
    (made / "old <b>.json").write_text(json.dumps(found))
    gates = ["--fail-under", "r@1=0.99", "--max-drop", "hnsr=0"]
    page, found = report(made, "--baseline", "old <b>.json", *gates)
    text = " ".join(Tags(page).text.split())
    assert "Gates not met" in text and found["gates"][0]["verdict"] in text
    assert "old <b>.json" in text and "p (Holm)" in text and "+0.00 points" in text
    bars = [one for one in Tags(page).all("rect") if one.get("class") == "baseline"]
    ours = [one for one in Tags(page).all("rect") if one.get("class") == "bar"]
    assert bars and [bar["width"] for bar in bars] == [bar["width"] for bar in ours]
    negative = next(group for group in found["groups"] if group["type"] == "negative")
    value = 100 * negative["baseline"]["metrics"]["r@1"]
    assert f"{value:.1f} % vs {value:.1f}" in text and "The thin bar is the baseline" in text


def test_without_types_hard_negatives_or_texts(made: Path) -> None:
    (made / "run").write_text("q1 Q0 a 1 0.5 x\n")
    (made / "qrels").write_text("q1 0 a 1\n")
    arguments = ["eval", "--run", "run", "--qrels", "qrels", "--report", "r.html"]
    assert run(arguments).returncode == 0
    text = Tags((made / "r.html").read_text(encoding="utf-8")).text
    assert "No query has a hard negative" in text and "By type of query" not in text
    (made / "asked.jsonl").write_text('{"id": "q1", "target": "a", "hard_negative": "z"}\n')
    assert run([*arguments[:3], "--queries", "asked.jsonl", *arguments[5:]]).returncode == 0
    text = Tags((made / "r.html").read_text(encoding="utf-8")).text
    assert "Query q1" in text and "not found" in text and "only its id is known" in text


def test_a_runs_hits_tell_captions_and_sounds(made: Path) -> None:
    rows = [
        {"query_id": "q", "rank": 1, "id": "n", "score": 0.9, "captions": [NASTY]},
        {"query_id": "q", "rank": 2, "id": "1", "score": 0.8, "path": "sounds/1.wav"},
        {"query_id": "q", "rank": 3, "id": "other", "score": 0.7, "captions": ["not shown"]},
    ]
    hits = "".join(json.dumps(row) + "\n" for row in rows)
    (made / "hits.jsonl").write_text("\n" + hits)
    asked = '{"id": "q", "text": "a tone", "target": "1", "hard_negative": "n"}\n'
    (made / "asked.jsonl").write_text(asked)
    arguments = ["eval", "--queries", "asked.jsonl", "--report", "r.html", "--run"]
    assert run([*arguments, "hits.jsonl"]).returncode == 0
    shown = Tags((made / "r.html").read_text(encoding="utf-8"))
    assert NASTY in shown.text and "not shown" not in shown.text
    assert [one["src"] for one in shown.all("audio")] == ["./sounds/1.wav"]
    # A stream cannot be read a second time.
    assert run([*arguments, "-"], input=hits).returncode == 0
    shown = Tags((made / "r.html").read_text(encoding="utf-8"))
    assert "only its id is known" in shown.text and "a tone" in shown.text
    lines = [f"{row['query_id']} Q0 {row['id']} 1 {row['score']} x\n" for row in rows]
    (made / "hits.trec").write_text("".join(lines))
    assert run([*arguments, "hits.trec"]).returncode == 0
    assert "only its id is known" in (made / "r.html").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("name", "code", "says"),
    [
        ("no/report.html", 1, "there is no folder no"),
        ("report.pdf", 2, "name it X.html"),
        ("taken.html", 1, "is not a file that can be replaced"),
    ],
)
def test_where_it_cannot_be_written(made: Path, name: str, code: int, says: str) -> None:
    (made / "taken.html").mkdir()
    done = run([*ARGUMENTS, "--report", name])
    assert done.returncode == code and says in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1 and done.stdout == ""


def test_an_index_tells_captions_and_sounds(tiny_encoder: Path, tmp_path: Path) -> None:
    encoder = load_encoder(str(tiny_encoder))
    words = ["rain falls", "a dog barks", "wind"]
    tone(tmp_path / "sounds" / "0.wav")
    clips: list[dict[str, Any]] = [
        {
            "id": f"{n}.wav",
            "path": str(tmp_path / f"sounds/{n}.wav"),
            "captions": [f"heard: {word}"],
        }
        for n, word in enumerate(words)
    ]
    vectors = encoder.encode_text(words)
    index = tmp_path / "x.oea"
    build_index(index, [Batch(clips, vectors)], dim=encoder.dim, encoder=encoder.encoder_id)
    rows = [{"id": "q", "text": "a dog barks", "target": "0", "hard_negative": "1"}]
    (tmp_path / "q.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    page = tmp_path / "page.html"
    done = run(["eval", "--queries", tmp_path / "q.jsonl", "-i", index, "--report", page])
    assert done.returncode == 0, done.stderr
    shown = Tags(page.read_text(encoding="utf-8"))
    assert "heard: rain falls" in shown.text and "heard: a dog barks" in shown.text
    assert [audio["src"] for audio in shown.all("audio")] == ["./sounds/0.wav"]


def test_without_jinja(made: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "jinja2", None)
    done = run([*ARGUMENTS, "--report", "r.html"])
    assert done.returncode == 1 and "pip install 'oea[report]'" in done.stderr


def test_a_large_evaluation_makes_no_large_page(made: Path) -> None:
    _, found = report(made)
    columns = found["per_query"]
    repeated = {
        key: value * 420 if isinstance(value, list) else value for key, value in columns.items()
    }
    repeated["id"] = [f"q{n}" for n in range(len(repeated["id"]))]
    long = {"text": "word " * 100_000, "captions": ["x" * 100_000] * 50}
    everything = RecordLookup(*[lambda ids: dict.fromkeys(ids, long)] * 2)
    assert len(to_report({**found, "per_query": repeated}, everything, made)) < 3_000_000


def test_links() -> None:
    assert relative_link(Path("a/b c.wav"), Path()) == "./a/b%20c.wav"
    assert relative_link(Path("/x/y.wav"), Path("/x/z")) == "../y.wav"
    assert relative_link(Path("data:x.wav"), Path()) == "./data%3Ax.wav"
    assert "is not on this disk" in link_to({"path": "s3://b/x.wav"}, Path()).problem
    assert "not a file name" in link_to({"path": "x" * 5000}, Path()).problem


def test_windows_are_linked_as_parts(tmp_path: Path) -> None:
    tone(tmp_path / "sounds" / "a.wav")
    record = {"path": str(tmp_path / "sounds" / "a.wav"), "start": 10.0, "end": 12.5}
    assert link_to(record, tmp_path).href == "./sounds/a.wav#t=10,12.5"


def test_ids_are_found_in_other_spellings(tmp_path: Path) -> None:
    rows = [{"id": "x/Rain.wav#t=0,10", "start": 0, "end": 10, "captions": ["one", "two"]}]
    write(str(tmp_path / "c.jsonl"), rows, unit(1))
    get = corpus_records(str(tmp_path / "c.jsonl"), [rows[0]["id"]])  # type: ignore[list-item]
    found = get(["x/rain", "x/Rain.wav#2", "x/Rain.wav#t=0,10", "nothing"])
    assert set(found) == {"x/rain", "x/Rain.wav#2", "x/Rain.wav#t=0,10"}
    assert "start" not in found["x/rain"] and found["x/Rain.wav#t=0,10"]["start"] == 0
    assert found["x/Rain.wav#2"]["captions"] == ["two"]


def test_bins_hold_every_difference_once() -> None:
    assert [one.label for one in figures.bins_of([0])] == ["0"]
    assert [one.label for one in figures.bins_of([-3, 1])] == ["−4 to −2", "−1", "0", "+1"]
    rng = np.random.default_rng(0)
    for size in (1, 3, 10, 99, 1000, 500_000):
        deltas = rng.integers(-size, size + 1, 200).tolist()
        bins = figures.bins_of(deltas)
        assert sum(one.count for one in bins) == len(deltas)
        assert all(one.high + 1 == two.low for one, two in pairwise(bins))
        figures.histogram(bins)


@pytest.mark.slow
@pytest.mark.skipif(find_chromium() is None, reason="no Chromium is installed")
def test_in_a_browser(made: Path) -> None:
    report(made)
    with Page(str(find_chromium()), made / "profile") as page:
        page.look(360)
        page.open((made / "report.html").as_uri())
        for width in (1440, 360):
            page.look(width, "dark")
            assert page.run("document.documentElement.scrollWidth") <= width
        played = page.run(
            "(async () => { const [a, b] = document.querySelectorAll('audio');"
            "await a.play(); await b.play();"
            "return [a.paused, b.paused, b.readyState > 0, a.duration, b.duration] })()"
        )
        assert played == [True, False, True, 0.5, 0.5]
        said = {"Log.entryAdded", "Runtime.exceptionThrown", "Runtime.consoleAPICalled"}
        assert not [event for event in page.events if event["method"] in said]
        requests = [
            event["params"]["request"]["url"]
            for event in page.events
            if event["method"] == "Network.requestWillBeSent"
        ]
        assert all(url.startswith(("file://", "data:", "about:")) for url in requests), requests

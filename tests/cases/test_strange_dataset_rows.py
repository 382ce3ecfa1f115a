"""Rows of published files that lack what their layout needs: each is one line, the rest is read."""

from pathlib import Path
from typing import Any

import orjson
import pytest

from oea_cli.errors import Failure
from oea_cli.records.inputs import read_records

WRONG: list[Any] = [None, [], {}, 7.5, True, "", float("1e300"), ["a"], {"a": 1}, "\0", "x" * 5000]
LAYOUTS: dict[str, dict[str, Any]] = {
    "Clotho": {"file_name": "a.wav", "caption_1": "rain", "caption_2": "wind"},
    "metadata": {"file_name": "a.wav", "sound_id": "7", "start_end_samples": "[0, 9]"},
    "AudioCaps": {"audiocap_id": 1, "youtube_id": "abc", "start_time": 30, "caption": "rain"},
    "WavCaps": {"id": "7", "caption": "rain", "audio": "x.wav", "duration": 2.5},
    "BEIR": {"_id": "d1", "title": "t", "text": "rain"},
}
MECAT = {"short": ["rain"], "long": ["it rains"], "speech": ["None", "no speech"], "domain": "00A"}


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def read(rows: list[Any], *, text: bool = False) -> tuple[list[Any], list[str]]:
    Path("d.jsonl").write_bytes(b"".join(orjson.dumps(row) + b"\n" for row in rows))
    said: list[Failure] = []
    records = list(read_records(["d.jsonl"], report=said.append, text=text))
    return records, list(map(str, said))


@pytest.mark.parametrize("text", [False, True])
@pytest.mark.parametrize("layout", LAYOUTS)
def test_any_value_under_any_key(layout: str, text: bool) -> None:
    good = LAYOUTS[layout]
    for key in good:
        rows = [{**good, key: value} for value in WRONG]
        rows.append({other: good[other] for other in good if other != key})
        records, said = read([good, *rows, good], text=text)
        assert records or (text and layout == "metadata"), key
        assert all(line.startswith("d.jsonl:") and "\n" not in line for line in said), key


@pytest.mark.parametrize("text", [False, True])
def test_any_value_in_mecat(text: bool) -> None:
    rows = [{"a": {**MECAT, key: value}} for key in MECAT for value in WRONG]
    rows += [{"b": value} for value in WRONG] + [{"c": {}}, {}]
    records, said = read([{"first": MECAT}, *rows], text=text)
    assert records[0].get("captions", records[0].get("text")) in (["rain"], "rain")
    assert all(line.startswith("d.jsonl:") and "\n" not in line for line in said)


def test_the_lines_say_what_is_needed() -> None:
    good = LAYOUTS["AudioCaps"]
    without = {key: good[key] for key in good if key != "start_time"}
    records, said = read([good, without, {**good, "youtube_id": None}, {**good, "caption": 5}])
    assert [record["id"] for record in records] == ["abc_30"]
    assert said == [
        "d.jsonl:2: no 'start_time'; every row of AudioCaps needs one",
        "d.jsonl:3: no 'youtube_id'; every row of AudioCaps needs one",
        "d.jsonl:4: 'caption' must be text or a list of texts; got 5",
    ]
    records, said = read([LAYOUTS["WavCaps"], {"caption": "x", "audio": "y", "duration": 1}])
    assert said == ["d.jsonl:2: no 'id'; every row of WavCaps needs one"]


def test_beirs_ids_are_ids() -> None:
    records, said = read([LAYOUTS["BEIR"], {"_id": 5, "text": "wind"}], text=True)
    assert [record["id"] for record in records] == ["d1", "5"] and not said
    assert "_id" not in records[0]


def test_mecats_short_captions_count() -> None:
    (record,), _ = read([{"x": {**MECAT, "short": ["a", "None", "b", "c"]}}])
    assert record["captions"] == ["a", "b", "c"]
    assert record["long"] == ["it rains"] and record["speech"] == ["no speech"]

"""The mark of a finished stream, after everything that people put between writer and reader."""

import random
from pathlib import Path

import numpy as np
import orjson
import pytest

from oea_cli.records.fields import records_from_row
from oea_cli.vectors.batch import Batch
from oea_cli.vectors.files.formats import open_writer, read_embeddings
from tests.vectors.batches import STAMP, named, unit

Lines = list[bytes]


def stream(path: Path, rows: int, encoder: str | None = STAMP) -> Lines:
    with open_writer(str(path), encoder=encoder) as writer:
        for start in range(0, rows, 3):
            part = slice(start, start + 3)
            writer.write(Batch(named(rows)[part], unit(rows)[part]))
    return path.read_bytes().splitlines(keepends=True)


def is_complete(path: Path, lines: Lines) -> bool:
    path.write_bytes(b"".join(lines))
    reader = read_embeddings(path)
    for batch in reader:
        assert not any("end" in record or "stream_end" in record for record in batch.records)
    return reader.is_complete


def test_the_last_row_alone_has_the_count(tmp_path: Path) -> None:
    rows = [orjson.loads(line) for line in stream(tmp_path / "a.jsonl", 7)]
    assert [row.get("end") for row in rows] == [None] * 6 + [7]
    assert list(rows[-1]) == ["id", "path", "embedding", "encoder", "end"]


def test_what_filters_and_cuts_leave(tmp_path: Path) -> None:
    one, two = stream(tmp_path / "a.jsonl", 7), stream(tmp_path / "b.jsonl", 4)
    place = tmp_path / "c.jsonl"
    mixed = [*one, *two]
    random.Random(3).shuffle(mixed)
    whole = {"as it is": one, "cat": one + two, "grep": one[2:4] + one[6:], "tail": one[-2:]}
    whole |= {"shuf": mixed, "sort": sorted(one + two), "cat and grep": one[3:] + two[1:]}
    whole |= {"nothing": [], "a part without rows": [*one, *[]]}
    assert [name for name, lines in whole.items() if not is_complete(place, lines)] == []
    cut = {"head": one[:3], "killed": one[:6], "second killed": one + two[:2]}
    cut |= {"first killed": one[:5] + two, "grep of the last": one[:2] + one[3:6]}
    assert [name for name, lines in cut.items() if is_complete(place, lines)] == []


def test_a_reordered_row_is_the_same(tmp_path: Path) -> None:
    rows = [orjson.loads(line) for line in stream(tmp_path / "a.jsonl", 4)]
    spaced = [orjson.dumps(row, option=orjson.OPT_SORT_KEYS) + b"\n" for row in rows]
    assert is_complete(tmp_path / "b.jsonl", spaced)


@pytest.mark.parametrize("end", [5, 5.5, None, "x"])
def test_a_records_own_end_is_no_mark(tmp_path: Path, end: object) -> None:
    records = [{"id": str(n), "end": end} for n in range(3)]
    path = tmp_path / "a.jsonl"
    with open_writer(str(path), encoder=STAMP) as writer:
        writer.write(Batch(records, unit(3)))
    lines = path.read_bytes().splitlines(keepends=True)
    assert orjson.loads(lines[-1])["stream_end"] == 3
    for written, complete in ((lines, True), (lines[:2], False)):
        path.write_bytes(b"".join(written))
        reader = read_embeddings(path)
        assert [record["end"] for batch in reader for record in batch.records] == [end] * len(
            written
        )
        assert reader.is_complete is complete


def test_windows_keep_their_seconds(tmp_path: Path) -> None:
    windows = [{"id": f"a#t={n},{n + 1}", "start": n, "end": n + 1} for n in range(3)]
    with open_writer(str(tmp_path / "a.jsonl"), encoder=STAMP) as writer:
        writer.write(Batch(windows, unit(3)))
    reader = read_embeddings(tmp_path / "a.jsonl")
    assert [record for batch in reader for record in batch.records] == windows
    assert reader.is_complete


def test_other_peoples_rows_need_no_mark(tmp_path: Path) -> None:
    assert is_complete(tmp_path / "b.jsonl", stream(tmp_path / "a.jsonl", 5, encoder=None)[:3])
    theirs = [{"id": "a", "embedding": [1.0, 0.0], "encoder": "clap-large"}]
    assert is_complete(tmp_path / "b.jsonl", [orjson.dumps(row) + b"\n" for row in theirs])


def test_rows_that_are_embedded_again_lose_it(tmp_path: Path) -> None:
    last = orjson.loads(stream(tmp_path / "a.jsonl", 3)[-1])
    assert last["end"] == 3
    (record,) = records_from_row(last, 1, text=False, resolve=str)
    assert record == {"id": "d/2.wav", "path": "w/d/2.wav"}


def test_base64_rows_have_it_too(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    with open_writer(str(path), encoder=STAMP, encoding="base64") as writer:
        writer.write(Batch(named(3), unit(3)))
    reader = read_embeddings(path)
    assert np.array_equal(np.concatenate([batch.vectors for batch in reader]), unit(3))
    assert reader.is_complete

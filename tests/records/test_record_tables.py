"""Rows of tables and texts: every format, every name a key goes by, every way to be bad."""

import gzip
import io
from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import orjson
import polars as pl
import pytest

from oea_cli.errors import Failure, OeaError, raise_failure
from oea_cli.records.inputs import Record, read_records, read_table
from oea_cli.records.tables import lone_headers
from tests.reading import ids, leniently, piped, strictly, touch


@pytest.fixture(autouse=True)
def in_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every test runs inside its own empty folder, so that relative names are what users type."""
    monkeypatch.chdir(tmp_path)


ROWS: list[Record] = [
    {"id": "one", "path": "a.wav", "license": "CC0"},
    {"id": "two", "path": "deep/b.wav", "license": ""},
]


def write_jsonl(path: Path) -> None:
    path.write_bytes(b"".join(orjson.dumps(row) + b"\n" for row in ROWS))


def write_gzip(path: Path) -> None:
    with gzip.open(path, "wb") as stream:
        stream.write(b"".join(orjson.dumps(row) + b"\r\n" for row in ROWS))


def write_json(path: Path) -> None:
    path.write_bytes(orjson.dumps(ROWS))


def write_csv(path: Path) -> None:
    pl.DataFrame(ROWS).write_csv(path)


def write_tsv(path: Path) -> None:
    pl.DataFrame(ROWS).write_csv(path, separator="\t")


def write_parquet(path: Path) -> None:
    pl.DataFrame(ROWS).write_parquet(path)


class TestTables:
    @pytest.mark.parametrize(
        ("name", "write"),
        [
            ("clips.jsonl", write_jsonl),
            ("clips.jsonl.gz", write_gzip),
            ("clips.json", write_json),
            ("clips.csv", write_csv),
            ("clips.tsv", write_tsv),
            ("clips.parquet", write_parquet),
        ],
    )
    def test_every_format_means_the_same(self, name: str, write: Callable[[Path], None]) -> None:
        touch("set/a.wav", "set/deep/b.wav")
        write(Path("set") / name)
        assert [row for _, row in read_table(f"set/{name}")] == ROWS
        assert strictly(f"set/{name}") == [
            {"id": "one", "path": "set/a.wav", "license": "CC0"},
            {"id": "two", "path": "set/deep/b.wav", "license": ""},
        ]

    def test_a_path_is_relative_to_the_table_or_else_to_the_working_directory(self) -> None:
        touch("set/in.wav", "here.wav", "both.wav", "set/both.wav")
        names = ["in.wav", "here.wav", "both.wav", "nowhere.wav", "/abs.wav", "s3://b/x.wav"]
        Path("set/c.csv").write_text("path\n" + "\n".join(names))
        assert [record["path"] for record in strictly("set/c.csv")] == [
            "set/in.wav",
            "here.wav",
            "set/both.wav",
            "set/nowhere.wav",
            "/abs.wav",
            "s3://b/x.wav",
        ]
        assert ids(strictly("set/c.csv")) == names

    @pytest.mark.parametrize("name", ["path", "audio", "file_name", "audio_path"])
    def test_names_for_path(self, name: str) -> None:
        records, _ = piped(orjson.dumps({"id": "x", name: "a.wav", "other": 1}))
        assert records == [{"id": "x", "path": "a.wav", "other": 1}]

    def test_path_goes_before_its_other_names_which_stay(self) -> None:
        records, _ = piped(b'{"id": "x", "file_name": "b.wav", "path": "a.wav"}')
        assert records == [{"id": "x", "path": "a.wav", "file_name": "b.wav"}]

    def test_hugging_face_audio_objects(self) -> None:
        records, _ = piped(b'{"audio": {"path": "a.wav", "bytes": null}}')
        assert records == [{"id": "a.wav", "path": "a.wav"}]

    @pytest.mark.parametrize(
        ("given", "captions"),
        [
            ({"captions": ["a", "b"]}, ["a", "b"]),
            ({"captions": "a"}, ["a"]),
            ({"caption": " a "}, ["a"]),
            ({"caption_2": "b", "caption_10": "c", "caption_1": "a", "caption_3": ""}, [*"abc"]),
        ],
    )
    def test_captions_become_a_list(self, given: Record, captions: list[str]) -> None:
        records, _ = piped(orjson.dumps({"path": "a.wav", **given}))
        assert records == [{"id": "a.wav", "path": "a.wav", "captions": captions}]

    def test_other_keys_pass_untouched(self) -> None:
        other = {"tags": [1, None, {"a": []}], "n": 1.5, "nul": None, "é": "ü", "captions_": "x"}
        records, _ = piped(orjson.dumps({"id": "x", "path": "a.wav", **other}))
        assert records == [{"id": "x", "path": "a.wav", **other}]

    def test_vectors_of_an_earlier_run_are_left_behind(self) -> None:
        records, _ = piped(b'{"id": "x", "path": "a.wav", "embedding": [1], "encoder": "m:1"}')
        assert records == [{"id": "x", "path": "a.wav"}]

    @pytest.mark.parametrize(("given", "name"), [(7, "7"), ("7", "7"), (1.5, "1.5"), (0, "0")])
    def test_numbers_become_text_ids(self, given: Any, name: str) -> None:
        assert piped(orjson.dumps({"id": given, "path": "a.wav"}))[0][0]["id"] == name

    def test_parts_of_one_file_have_ids_of_their_own(self) -> None:
        lines = [
            {"path": "a.wav", "start": 0, "end": 2.5},
            {"path": "a.wav", "start": 2.5},
            {"path": "./a.wav", "duration": 4},
        ]
        records, _ = piped(b"\n".join(map(orjson.dumps, lines)))
        assert ids(records) == ["a.wav#t=0,2.5", "a.wav#t=2.5", "a.wav"]

    def test_times_in_csv_are_numbers(self) -> None:
        records, _ = piped("path,start,end,duration,year\na.wav,0,1.5,,1999\n")
        assert records[0] == {
            "id": "a.wav#t=0,1.5",
            "path": "a.wav",
            "start": 0.0,
            "end": 1.5,
            "year": "1999",
        }

    @pytest.mark.parametrize(
        ("row", "problem"),
        [
            ({}, "no 'path' and no 'text'; every record needs one"),
            ({"path": ""}, "no 'path' and no 'text'; every record needs one"),
            ({"path": 3}, "'path' must be the name of a file; got 3"),
            ({"path": "a", "id": [1]}, "'id' must be text or a number; got [1]"),
            ({"path": "a", "id": True}, "'id' must be text or a number; got True"),
            ({"text": ["a"]}, "'text' must be text; got ['a']"),
            ({"path": "a", "captions": [1]}, "captions must be text or a list of texts"),
            (
                {"path": "a", "start": "soon"},
                "'start' must be a number of seconds, 0 or more; got 'soon'",
            ),
            ({"path": "a", "start": -1}, "'start' must be a number of seconds, 0 or more; got -1"),
            ({"path": "a", "end": True}, "'end' must be a number of seconds, 0 or more; got True"),
            (
                {"path": "a", "duration": "nan"},
                "'duration' must be a number of seconds, 0 or more; got 'nan'",
            ),
            ({"path": "a", "start": 3, "end": 3}, "'end' must be after the start at 3; got 3"),
        ],
    )
    def test_a_bad_row_is_named_and_the_others_go_on(self, row: Record, problem: str) -> None:
        Path("c.jsonl").write_bytes(b'{"path": "a"}\n' + orjson.dumps(row) + b'\n{"path": "b"}\n')
        records, said = leniently("c.jsonl")
        assert ids(records) == ["a", "b"]
        assert len(said) == 1
        assert said[0].startswith(f"c.jsonl:2: {problem}")

    @pytest.mark.parametrize(
        ("line", "problem"),
        [
            (b"nonsense", "not JSON (invalid literal"),
            (b"[1]", "not a JSON object; records are one object per line"),
            (b'{"path": "caf\xe9"}', "not UTF-8"),
            (b'{"path": "a', "not JSON ("),
        ],
    )
    def test_a_bad_line_is_named_and_the_others_go_on(self, line: bytes, problem: str) -> None:
        Path("c.jsonl").write_bytes(b'\n{"path": "a"}\n' + line + b'\n{"path": "b"}\n')
        records, said = leniently("c.jsonl")
        assert ids(records) == ["a", "b"]
        assert len(said) == 1
        assert said[0].startswith(f"c.jsonl:3: {problem}")

    def test_a_cut_off_last_line_says_so(self) -> None:
        _, said = piped(b'{"path": "a"}\n{"path": "b')
        assert said[0].endswith("the line is cut off")

    def test_csv_cells_may_hold_commas_quotes_and_lines(self) -> None:
        Path("c.csv").write_bytes(
            b'path,caption\r\na.wav,"one, ""two""\r\n\r\nthree"\r\n\r\nb.wav,x\r\n'
        )
        records = strictly("c.csv")
        assert records[0]["captions"] == ['one, "two"\r\n\r\nthree']
        assert records[1]["captions"] == ["x"]

    def test_csv_rows_of_another_length_are_named(self) -> None:
        Path("c.csv").write_text("path,caption\na.wav\nb.wav,x,y\nc.wav,z\n")
        records, said = leniently("c.csv")
        assert ids(records) == ["c.wav"]
        assert said == [
            "c.csv:2: 1 cells, but the header has 2",
            "c.csv:3: 3 cells, but the header has 2",
        ]

    def test_csv_cells_that_are_not_utf8_are_named(self) -> None:
        Path("c.csv").write_bytes(b"path,author\na.wav,ok\nb.wav,Jos\xe9\n")
        records, said = leniently("c.csv")
        assert ids(records) == ["a.wav"]
        said_of = "not UTF-8, but probably CP1252; convert the file with `iconv -f CP1252 -t UTF-8`"
        assert said == [f"c.csv:3: 'author' is {said_of}"]

    def test_an_unclosed_quote_does_not_swallow_the_memory(self) -> None:
        Path("c.csv").write_text('path,caption\na.wav,"never closed\n' + "b.wav,x\n" * 50_000)
        records, said = leniently("c.csv")
        assert said[0].startswith("c.csv:2: not CSV (field larger than field limit")
        assert records[-1]["id"] == "b.wav"

    def test_parquet_columns_that_json_cannot_hold(self) -> None:
        pl.DataFrame(
            {
                "audio": pl.Series(
                    [{"bytes": None, "path": "a.wav"}],
                    dtype=pl.Struct({"bytes": pl.Binary, "path": pl.String}),
                ),
                "day": [date(2026, 1, 2)],
                "price": [Decimal("1.50")],
                "length": [timedelta(seconds=3)],
                "blob": [b"\x00"],
                "gap": pl.Series([None], dtype=pl.Int32),
                "embedding": [[1.0, 2.0]],
            }
        ).write_parquet("c.parquet")
        records = strictly("c.parquet")
        assert orjson.loads(orjson.dumps(records)) == [
            {"id": "a.wav", "path": "a.wav", "day": "2026-01-02", "price": 1.5, "length": 3.0}
        ]

    @pytest.mark.parametrize("cut", [slice(0), slice(12), slice(-9), slice(None, None, -1)])
    def test_a_broken_gzip_file_is_named(self, cut: slice) -> None:
        content = gzip.compress(b'{"path": "a.wav"}\n' * 9)[cut]
        Path("c.jsonl.gz").write_bytes(content)
        if content:
            with pytest.raises(OeaError, match=r"^c\.jsonl\.gz: not a complete gzip file"):
                strictly("c.jsonl.gz")
        else:
            assert strictly("c.jsonl.gz") == []

    @pytest.mark.parametrize("suffix", [".parquet", ".json"])
    def test_a_file_that_is_not_what_its_name_says(self, suffix: str) -> None:
        Path(f"c{suffix}").write_text("hello")
        with pytest.raises(OeaError, match=rf"^c{suffix}.*not (a Parquet file|JSON)"):
            strictly(f"c{suffix}")


class TestTexts:
    def test_arguments_are_texts_with_their_position_as_id(self) -> None:
        assert strictly("rain on a roof", "a dog", text=True) == [
            {"id": "1", "text": "rain on a roof"},
            {"id": "2", "text": "a dog"},
        ]

    def test_lines_have_their_number_as_id(self) -> None:
        Path("q.txt").write_text("rain\n\n  a dog \n")
        expected = [{"id": "1", "text": "rain"}, {"id": "3", "text": "a dog"}]
        assert strictly("q.txt", text=True) == expected
        assert piped("rain\n\na dog\n", text=True) == (expected, [])

    def test_numbers_go_on_from_input_to_input(self) -> None:
        Path("q.txt").write_text("rain\na dog\n")
        assert ids(strictly("wind", "q.txt", "bell", text=True)) == ["1", "2", "3", "4"]

    def test_a_text_may_be_the_name_of_a_folder(self) -> None:
        Path("rain").mkdir()
        assert strictly("rain", text=True) == [{"id": "1", "text": "rain"}]

    @pytest.mark.parametrize("name", ["q.txt", "q.jsonl", "q.csv", "q.parquet"])
    def test_a_text_that_looks_like_a_missing_file_is_an_error(self, name: str) -> None:
        with pytest.raises(OeaError, match=rf"^{name}: no such file or folder$"):
            read_records([name], report=raise_failure, text=True)

    def test_a_very_long_text(self) -> None:
        text = "rain and " * 1000
        assert strictly(text, text=True) == [{"id": "1", "text": text.strip()}]

    def test_records_keep_their_keys(self) -> None:
        Path("q.jsonl").write_text('{"id": "q1", "text": "rain", "target": ["a", "b"]}\n')
        assert strictly("q.jsonl", text=True) == [
            {"id": "q1", "text": "rain", "target": ["a", "b"]}
        ]

    def test_captions_become_one_text_each_that_names_its_clip(self) -> None:
        Path("c.csv").write_text("file_name,fold,caption_1,caption_2\na.wav,3,rain,wet\n")
        assert strictly("c.csv", text=True) == [
            {"id": "a.wav#1", "text": "rain", "clip": "a.wav", "fold": "3"},
            {"id": "a.wav#2", "text": "wet", "clip": "a.wav", "fold": "3"},
        ]

    def test_an_empty_text_is_named_by_its_place(self) -> None:
        said: list[Failure] = []
        records = list(read_records(["rain", "", " ", "hail"], text=True, report=said.append))
        assert [(record["id"], record["text"]) for record in records] == [
            ("1", "rain"),
            ("4", "hail"),
        ]
        assert list(map(str, said)) == ["text 2: the text is empty", "text 3: the text is empty"]

    def test_a_record_without_words_is_named(self) -> None:
        records, said = piped('{"path": "a.wav"}\n{"text": "rain"}\n', text=True)
        assert ids(records) == ["2"]
        assert said == [
            "stdin:1: no 'text' and no captions; with --text every record needs one (it has 'path')"
        ]


class TestSeparatorLine:
    """Excel writes a line `sep=;` before the header where the list separator is not the comma."""

    @pytest.mark.parametrize(
        ("content", "path"),
        [
            ("sep=;\r\npath;text\r\na,b.wav;rain, hail\r\n", "a,b.wav"),
            ('"sep=,"\n\npath,text\n"a;b.wav","rain, hail"\n', "a;b.wav"),
            ("\ufeffsep=|\npath|text\na;b.wav|rain, hail\n", "a;b.wav"),
            ("SEP=\t\npath\ttext\na.wav\train, hail\n", "a.wav"),
        ],
    )
    def test_it_names_the_delimiter(self, content: str, path: str) -> None:
        Path("t.csv").write_text(content)
        record = {"id": path, "path": path, "text": "rain, hail"}
        assert strictly("t.csv") == piped(content)[0] == [record]

    def test_nothing_follows(self) -> None:
        Path("t.csv").write_text("sep=;\n")
        assert strictly("t.csv") == []


class TestLoneHeader:
    def test_it_is_described(self) -> None:
        Path("a.tsv").write_text("a.wav\train\n")
        said = " (a.tsv has a header and no rows; its columns are 'a.wav', 'rain')"
        assert lone_headers(["-", "gone.csv", "a.tsv"]) == said

    @pytest.mark.parametrize("content", ["", "path\na.wav\n", "sep=;\n"])
    def test_other_tables_are_not(self, content: str) -> None:
        Path("a.csv").write_text(content)
        assert lone_headers(["a.csv"]) == ""


class TestAudioFolder:
    def test_metadata_describes_the_sounds_of_its_folder(self) -> None:
        touch("set/a.wav", "set/b.wav", "set/more/c.wav")
        Path("set/metadata.csv").write_text("file_name,caption\nmore/c.wav,sea\na.wav,rain\n")
        assert strictly("set") == [
            {"id": "more/c.wav", "path": "set/more/c.wav", "captions": ["sea"]},
            {"id": "a.wav", "path": "set/a.wav", "captions": ["rain"]},
            {"id": "b.wav", "path": "set/b.wav"},
        ]

    def test_splits_have_their_own(self) -> None:
        touch("set/train/a.wav", "set/test/a.wav")
        Path("set/train/metadata.jsonl").write_text('{"file_name": "a.wav", "label": 1}\n')
        pl.DataFrame([{"file_name": "a.wav", "label": 2}]).write_parquet(
            "set/test/metadata.parquet"
        )
        assert strictly("set/") == [
            {"id": "test/a.wav", "path": "set/test/a.wav", "label": 2},
            {"id": "train/a.wav", "path": "set/train/a.wav", "label": 1},
        ]

    def test_a_described_sound_that_is_missing_is_left_to_the_decoder(self) -> None:
        touch("set/a.wav")
        Path("set/metadata.csv").write_text("file_name\ngone.wav\n")
        assert ids(strictly("set")) == ["gone.wav", "a.wav"]

    def test_other_files_of_that_name_are_left_alone(self) -> None:
        touch("set/a.wav")
        Path("set/metadata.csv").write_text("title,year\nx,1999\n")
        assert strictly("set") == [{"id": "a.wav", "path": "set/a.wav"}]


def test_read_table_raises_at_the_first_bad_row() -> None:
    Path("c.jsonl").write_text('{"a": 1}\nx\n')
    rows = read_table(Path("c.jsonl"))
    assert next(rows) == ("c.jsonl:1", {"a": 1})
    with pytest.raises(OeaError, match=r"^c\.jsonl:2: not JSON"):
        next(rows)


def test_read_table_from_a_stream() -> None:
    assert list(read_table(io.BytesIO(b'{"a": 1}\n'))) == [("stdin:1", {"a": 1})]
    assert list(read_table(io.BytesIO(b"a,b\n1,2\n"))) == [("stdin:2", {"a": "1", "b": "2"})]

"""What inputs mean: files, folders, patterns, lists, pipes and remote addresses."""

import gzip
import io
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import fsspec
import polars as pl
import pytest

from oea_cli.errors import OeaError, UsageError, raise_failure
from oea_cli.records.inputs import Record, read_records
from oea_cli.records.lines import MAX_LINE_BYTES
from tests.conftest import clean_environment
from tests.reading import ids, leniently, piped, strictly, touch


@pytest.fixture(autouse=True)
def in_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every test runs inside its own empty folder, so that relative names are what users type."""
    monkeypatch.chdir(tmp_path)


class TestSounds:
    def test_a_file_keeps_the_name_it_was_given(self) -> None:
        touch("wavs/a.wav")
        assert strictly("./wavs/a.wav") == [{"id": "wavs/a.wav", "path": "wavs/a.wav"}]

    def test_a_file_with_an_odd_suffix_is_left_to_the_decoder(self) -> None:
        touch("take7.raw", "noext")
        assert ids(strictly("take7.raw", "noext")) == ["take7.raw", "noext"]

    def test_a_folder_is_read_deep_and_in_the_order_of_whole_paths(self) -> None:
        touch("w/b.wav", "w/a/z.FLAC", "w/a-1.ogg", "w/a/b/c.mp3", "w/é/ü.wav", "w/a.wav")
        records = strictly("w")
        assert ids(records) == sorted(ids(records))
        assert ids(records) == ["a-1.ogg", "a.wav", "a/b/c.mp3", "a/z.FLAC", "b.wav", "é/ü.wav"]
        assert records[2]["path"] == "w/a/b/c.mp3"

    def test_a_folder_yields_sounds_only_and_nothing_hidden(self) -> None:
        touch("w/a.wav", "w/.b.wav", "w/.git/c.wav", "w/__MACOSX/._a.wav", "w/notes.txt", "w/x")
        assert ids(strictly("w")) == ["a.wav"]

    @pytest.mark.parametrize("name", ["w", "w/", "./w", "{here}/w"])
    def test_ids_do_not_depend_on_how_the_folder_was_named(self, name: str) -> None:
        touch("w/deep/a.wav")
        assert ids(strictly(name.format(here=Path.cwd()))) == ["deep/a.wav"]

    def test_the_working_directory(self) -> None:
        touch("deep/a.wav")
        assert strictly(".") == [{"id": "deep/a.wav", "path": "deep/a.wav"}]

    def test_links_are_followed_but_not_in_circles(self) -> None:
        touch("w/a.wav", "elsewhere/b.wav")
        Path("w/link").symlink_to(Path("elsewhere").resolve())
        Path("w/self").symlink_to(Path("w").resolve())
        assert ids(strictly("w")) == ["a.wav", "link/b.wav"]

    def test_a_name_that_is_not_utf8_is_reported(self) -> None:
        Path("w").mkdir()
        with open(os.fsencode(Path("w").resolve()) + b"/caf\xe9.wav", "wb"):  # noqa: PTH123
            pass
        touch("w/ok.wav")
        records, said = leniently("w")
        assert ids(records) == ["ok.wav"]
        assert said == ["'w/caf\\udce9.wav': the file's name is not UTF-8; rename it"]

    @pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
    def test_a_folder_that_may_not_be_read_is_reported(self) -> None:
        touch("w/closed/a.wav")
        Path("w/closed").chmod(0)
        _, said = leniently("w")
        assert said == ["w/closed/: Permission denied"]

    def test_an_empty_folder_yields_nothing(self) -> None:
        Path("w").mkdir()
        assert strictly("w") == []

    def test_a_missing_input_is_an_error_before_any_work(self) -> None:
        touch("a.wav")
        with pytest.raises(OeaError, match=r"^nope\.wav: no such file or folder$"):
            read_records(["a.wav", "nope.wav"], report=raise_failure)

    def test_several_inputs_keep_their_order(self) -> None:
        touch("b.wav", "a/x.wav")
        assert ids(strictly("b.wav", "a")) == ["b.wav", "x.wav"]


class TestPatterns:
    def test_a_pattern_matches_sounds_in_sorted_order(self) -> None:
        touch("w/b.wav", "w/a.wav", "w/a.txt", "w/.h.wav", "w/d/c.wav")
        assert ids(strictly("w/*.wav")) == ["w/a.wav", "w/b.wav"]
        assert ids(strictly("w/*")) == ["w/a.wav", "w/b.wav"]

    def test_two_stars_go_deep(self) -> None:
        touch("w/b.wav", "w/d/e/c.flac", "w/.d/f.wav", "w/metadata.csv")
        assert ids(strictly("w/**/*")) == ["w/b.wav", "w/d/e/c.flac"]

    def test_a_pattern_can_name_tables(self) -> None:
        for name in "ab":
            Path(f"{name}.jsonl").write_text(f'{{"path": "{name}.wav"}}\n')
        assert ids(strictly("*.jsonl")) == ["a.wav", "b.wav"]

    def test_a_pattern_without_a_match_is_an_error(self) -> None:
        with pytest.raises(OeaError, match=r"w/\*\.mp3: no sound file matches"):
            strictly("w/*.mp3")

    def test_a_file_whose_name_looks_like_a_pattern_is_that_file(self) -> None:
        touch("rain [take 2].wav", "rain t.wav")
        assert ids(strictly("rain [take 2].wav")) == ["rain [take 2].wav"]


class TestListsOfFiles:
    @pytest.mark.parametrize(
        "content", [b"a.wav\nb c.wav\n\n", b"a.wav\r\nb c.wav", b"a.wav\0b c.wav\0"]
    )
    def test_ends_of_names(self, content: bytes) -> None:
        touch("a.wav", "b c.wav")
        Path("list").write_bytes(content)
        assert ids(strictly(files_from="list")) == ["a.wav", "b c.wav"]
        assert ids(strictly(files_from="-", stdin=io.BytesIO(content))) == ["a.wav", "b c.wav"]

    def test_a_name_with_a_newline_needs_nul(self) -> None:
        touch("two\nlines.wav")
        assert ids(strictly(files_from="-", stdin=io.BytesIO(b"two\nlines.wav\0"))) == [
            "two\nlines.wav"
        ]

    def test_a_missing_file_and_a_folder_in_the_list(self) -> None:
        touch("d/a.wav", "b.wav")
        Path("list").write_text("d\ngone.wav\nb.wav\n")
        records, said = leniently(files_from="list")
        assert ids(records) == ["b.wav"]
        assert said == [
            "list:1: d: a folder; a list names files, and folders are inputs",
            "list:2: gone.wav: no such file or folder",
        ]

    def test_a_missing_list_is_an_error(self) -> None:
        with pytest.raises(OeaError, match=r"^list: no such file or folder$"):
            strictly(files_from="list")

    def test_stdin_cannot_be_two_things(self) -> None:
        with pytest.raises(UsageError, match="stdin can be read only once"):
            read_records(["-"], report=raise_failure, files_from="-")

    def test_names_longer_than_one_read(self) -> None:
        names = [f"d/{i:05}-{'x' * 40}.wav" for i in range(3000)]
        touch(*names)
        content = "\0".join(names).encode()
        assert ids(strictly(files_from="-", stdin=io.BytesIO(content))) == names


class TestStdin:
    def test_lines_are_paths(self) -> None:
        records, said = piped("a.wav\r\n\nb c.wav")
        assert records == [
            {"id": "a.wav", "path": "a.wav"},
            {"id": "b c.wav", "path": "b c.wav"},
        ]
        assert not said

    def test_objects_are_records(self) -> None:
        records, _ = piped('\n{"path": "a.wav", "id": 7}\n{"text": "rain"}\n')
        assert records == [{"id": "7", "path": "a.wav"}, {"id": "3", "text": "rain"}]

    @pytest.mark.parametrize("header", ["id,path", "id\tpath", "id;path"])
    def test_a_header_makes_it_csv(self, header: str) -> None:
        mark = header[2]
        records, _ = piped(f"{header}\n1{mark}a.wav\n")
        assert records == [{"id": "1", "path": "a.wav"}]

    def test_a_bom_is_no_part_of_the_first_line(self) -> None:
        assert piped(b"\xef\xbb\xbfa.wav\n")[0][0]["path"] == "a.wav"
        assert piped(b'\xef\xbb\xbf{"path": "a.wav"}\n')[0][0]["path"] == "a.wav"
        assert piped(b"\xef\xbb\xbfpath,x\na.wav,1\n")[0][0]["path"] == "a.wav"

    def test_a_line_that_is_not_utf8_is_named(self) -> None:
        records, said = piped(b"a.wav\ncaf\xe9.wav\nb.wav\n")
        assert ids(records) == ["a.wav", "b.wav"]
        said_of = "not UTF-8, but probably CP1252; convert the file with `iconv -f CP1252 -t UTF-8`"
        assert said == [f"stdin:2: {said_of}"]

    def test_nothing_yields_nothing(self) -> None:
        assert piped(b"") == ([], [])
        assert piped(b"\n \n") == ([], [])

    @pytest.mark.parametrize(
        ("start", "kind"),
        [
            (b"RIFF\x24\x00", "audio"),
            (b"OggS\x00", "audio"),
            (b"\x93NUMPY\x01", "a matrix of vectors"),
            (b"\xff\xfea\x00", "UTF-16"),
            (b"PAR1", "Parquet"),
        ],
    )
    def test_what_is_no_text_is_refused_with_its_name(self, start: bytes, kind: str) -> None:
        with pytest.raises(OeaError, match=f"stdin: expected lines or records; got {kind}"):
            piped(start + b"\n")

    def test_a_json_list_teaches_jq(self) -> None:
        _, said = piped('{\n"path": "a.wav"}\n')
        assert said[0] == (
            "stdin:1: expected one JSON object per line; `jq -c '.[]'` makes them from a list"
        )

    def test_rows_come_before_the_stream_ends(self) -> None:
        reading, writing = os.pipe()
        with os.fdopen(reading, "rb") as stream, os.fdopen(writing, "wb", buffering=0) as pipe:
            records = read_records(["-"], report=raise_failure, stdin=stream)
            pipe.write(b'{"path": "a.wav"}\n{"path": "b.wav"}\n')
            assert next(records)["id"] == "a.wav"
            assert next(records)["id"] == "b.wav"

    def test_an_endless_line_does_not_fill_the_memory(self) -> None:
        code = (
            "import resource, sys\n"
            "resource.setrlimit(resource.RLIMIT_AS, (2 << 30, 2 << 30))\n"
            "from oea_cli.records.inputs import read_records\n"
            "print([r['id'] for r in read_records(['-'], report=lambda f: print(f))])\n"
        )
        lines = b"a.wav\n" + b"x" * (4 * MAX_LINE_BYTES + 5) + b"\nb.wav\n"
        done = subprocess.run(
            [sys.executable, "-c", code],
            input=lines,
            capture_output=True,
            env={**clean_environment(), "POLARS_MAX_THREADS": "1", "OMP_NUM_THREADS": "1"},
            check=False,
        )
        assert done.stdout.decode().splitlines() == [
            "stdin:2: line is longer than 64 MiB",
            "['a.wav', 'b.wav']",
        ], done.stderr.decode()


@pytest.fixture
def remote() -> Iterator[Any]:
    system = fsspec.filesystem("memory")
    system.store.clear()
    for name in ("b.wav", "deep/a.flac", "deep/.hidden.wav", "notes.txt"):
        system.pipe(f"/bucket/{name}", b"")
    yield system
    system.store.clear()


@pytest.mark.usefixtures("remote")
class TestRemote:
    @pytest.mark.parametrize("name", ["memory://bucket", "memory://bucket/"])
    def test_a_folder(self, name: str) -> None:
        assert strictly(name) == [
            {"id": "b.wav", "path": "memory://bucket/b.wav"},
            {"id": "deep/a.flac", "path": "memory://bucket/deep/a.flac"},
        ]

    def test_a_pattern(self) -> None:
        assert ids(strictly("memory://bucket/**/*.flac")) == ["memory://bucket/deep/a.flac"]

    def test_a_file(self) -> None:
        address = "memory://bucket/b.wav"
        assert strictly(address) == [{"id": address, "path": address}]

    def test_a_table_and_the_sounds_beside_it(self, remote: Any) -> None:
        remote.pipe("/bucket/c.jsonl", b'{"path": "deep/a.flac"}\n')
        remote.pipe("/bucket/c.csv.gz", gzip.compress(b"path,n\nb.wav,1\n"))
        remote.pipe("/bucket/c.parquet", parquet_bytes([{"path": "b.wav"}]))
        assert strictly("memory://bucket/c.jsonl") == [
            {"id": "deep/a.flac", "path": "memory://bucket/deep/a.flac"}
        ]
        assert strictly("memory://bucket/c.csv.gz")[0]["path"] == "memory://bucket/b.wav"
        assert strictly("memory://bucket/c.parquet")[0]["path"] == "memory://bucket/b.wav"

    def test_a_missing_table(self) -> None:
        with pytest.raises(OeaError, match=r"memory://bucket/gone\.jsonl: no such file or folder"):
            strictly("memory://bucket/gone.jsonl")

    def test_an_unknown_kind_of_address(self) -> None:
        with pytest.raises(OeaError, match=r"^nonsense://b/: "):
            strictly("nonsense://b/")


def parquet_bytes(rows: list[Record]) -> bytes:
    stream = io.BytesIO()
    pl.DataFrame(rows).write_parquet(stream)
    return stream.getvalue()

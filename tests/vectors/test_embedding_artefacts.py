"""Nothing half-written is taken for whole, nothing broken is written, nothing is left behind."""

import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from oea_cli.errors import OeaError, UsageError
from oea_cli.vectors.batch import Batch
from oea_cli.vectors.files.formats import open_writer, read_embeddings
from oea_cli.vectors.files.names import SUFFIXES
from tests.vectors.batches import FILES, OUTPUTS, STAMP, named, read, unit, write


@pytest.fixture(autouse=True)
def in_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every test runs inside its own empty folder."""
    monkeypatch.chdir(tmp_path)


class TestHalfWritten:
    """A reader never takes a half-written artefact for a whole one."""

    @pytest.mark.parametrize("output", OUTPUTS)
    def test_nothing_is_in_place_before_the_end(self, output: str) -> None:
        writer = open_writer(output, encoder=STAMP)
        writer.write(Batch(named(3), unit(3)))
        with pytest.raises(OeaError):
            read_embeddings(output)
        writer.close()
        assert read(output)[0] == named(3)

    @pytest.mark.parametrize("output", FILES)
    def test_an_exception_leaves_nothing_behind(self, output: str) -> None:
        with pytest.raises(KeyboardInterrupt), open_writer(output, encoder=STAMP) as writer:
            writer.write(Batch(named(3), unit(3)))
            raise KeyboardInterrupt
        assert list(Path.cwd().iterdir()) == []

    @pytest.mark.parametrize("output", OUTPUTS)
    def test_an_exception_leaves_the_former_one_whole(self, output: str) -> None:
        write(output, named(3), unit(3))
        before = {path: path.read_bytes() for path in Path.cwd().rglob("*") if path.is_file()}
        with pytest.raises(RuntimeError), open_writer(output, encoder=STAMP) as writer:
            writer.write(Batch([{"id": "x#t=0,1"}], unit(1, seed=9)))
            raise RuntimeError
        after = {path: path.read_bytes() for path in Path.cwd().rglob("*") if path.is_file()}
        assert after == before

    @pytest.mark.parametrize("output", OUTPUTS)
    def test_a_second_run_takes_the_place_of_the_first(self, output: str) -> None:
        write(output, named(3), unit(3))
        write(output, named(2), unit(2, seed=1), resume=False)
        assert read(output)[0] == named(2)
        assert not [path for path in Path.cwd().rglob("*") if path.suffix == ".tmp"]

    @pytest.mark.parametrize(
        ("spoil", "problem"),
        [
            (lambda: np.save("v.npy", unit(4)), "holds 4 x 16 values, but v.meta.json names"),
            (lambda: Path("v.jsonl").unlink(), "v.jsonl: No such file"),
            (lambda: Path("v.jsonl").write_text('{"id": "a"}\n'), "3 vectors, but 1 records"),
            (lambda: Path("v.jsonl").write_text('{"id": "a"}\n' * 4), "more records than the 3"),
            (lambda: Path("v.jsonl").write_text('{"id": "a"}\nx\n'), "v.jsonl:2: not JSON"),
            (lambda: Path("v.meta.json").write_text("{}"), "v.meta.json: not written by oea"),
            (lambda: Path("v.meta.json").write_text("[]"), "v.meta.json: not written by oea"),
            (lambda: Path("v.npy").write_bytes(b"\x93NUMPY"), "v.npy: not a complete .npy matrix"),
            (lambda: Path("v.npy").write_bytes(Path("v.npy").read_bytes()[:-1]), "not a complete"),
            (lambda: Path("v.npy").unlink(), "v.npy: no such file"),
        ],
    )
    def test_a_matrix_that_does_not_fit_its_sidecars(
        self, spoil: Callable[[], Any], problem: str
    ) -> None:
        write("v.npy", named(3), unit(3))
        spoil()
        with pytest.raises(OeaError) as raised:
            read("v.npy")
        assert problem in str(raised.value)

    def test_a_name_that_says_another_format_than_was_asked_for(self) -> None:
        with pytest.raises(UsageError, match=r"v\.npy: the name says npy, but parquet was asked"):
            open_writer("v.npy", encoder=STAMP, file_format="parquet")
        assert not Path("v.npy").exists()

    def test_records_of_ones_own_are_never_overwritten(self) -> None:
        Path("clips.jsonl").write_text('{"path": "a.wav"}\n')
        with pytest.raises(OeaError, match=r"clips\.jsonl, which would be written beside it, is"):
            open_writer("clips.npy", encoder=STAMP)
        for other in ("{}", '{"title": "rain", "count": 3}', "rain"):
            Path("clips.meta.json").write_text(other)
            with pytest.raises(OeaError, match=r"clips\.meta\.json, which would be written"):
                open_writer("clips.npy", encoder=STAMP)
            assert Path("clips.meta.json").read_text() == other
        assert Path("clips.jsonl").read_text() == '{"path": "a.wav"}\n'

    @pytest.mark.parametrize(
        ("content", "problem"),
        [
            (b"hello", "not a complete .npy matrix"),
            (b"", "not a complete .npy matrix"),
        ],
    )
    def test_not_a_matrix(self, content: bytes, problem: str) -> None:
        Path("v.npy").write_bytes(content)
        with pytest.raises(OeaError, match=problem):
            read_embeddings("v.npy")

    @pytest.mark.parametrize(
        "matrix", [np.ones((2, 3), dtype=np.int8), np.ones((2, 2, 2)), np.array(["a", "b"])]
    )
    def test_not_rows_of_floats(self, matrix: np.ndarray) -> None:
        np.save("v.npy", matrix)
        with pytest.raises(OeaError, match="vectors must be rows of floats"):
            read_embeddings("v.npy")

    def test_pickled_objects_are_never_loaded(self) -> None:
        np.save("v.npy", np.array([{"a": 1}], dtype=object), allow_pickle=True)
        with pytest.raises(OeaError, match="pickled Python objects, which are never read"):
            read_embeddings("v.npy")

    @pytest.mark.parametrize(
        ("columns", "problem"),
        [
            ({"id": ["a"]}, "no column 'embedding'"),
            (
                {"embedding": ["text"]},
                "column 'embedding' must be lists of numbers; got String",
            ),
            (
                {"embedding": [[1.0], [1.0, 2.0]]},
                "row 2: a vector of 2 dimensions",
            ),
            ({"embedding": [[1.0], None]}, "row 2: no vector"),
            ({"embedding": [[1.0], [None]]}, "holds NaN"),
            ({"embedding": [[], [1.0]]}, "row 1: an empty vector"),
            ({"embedding": [[1.0], [0.0]]}, "'1' is all zeros"),
            ({"embedding": [[1.0], [1.0]], "encoder": ["m:1", "m:2"]}, "several encoders"),
        ],
    )
    def test_parquet_that_holds_no_vectors(self, columns: dict[str, Any], problem: str) -> None:
        pl.DataFrame(columns).write_parquet("v.parquet")
        with pytest.raises(OeaError) as raised:
            read("v.parquet")
        assert problem in str(raised.value)


class TestWriting:
    @pytest.mark.parametrize("output", OUTPUTS)
    @pytest.mark.parametrize(
        ("value", "problem"), [(np.nan, "holds NaN"), (np.inf, "holds NaN"), (0, "is all zeros")]
    )
    def test_bad_vectors_are_refused_by_name(self, output: str, value: float, problem: str) -> None:
        vectors = unit(3)
        vectors[1] = value
        with pytest.raises(OeaError, match=rf"the vector of 'd/1\.wav' {problem}"):
            write(output, named(3)[:0] + named(3), vectors)

    def test_another_dimension_is_refused(self) -> None:
        with open_writer("v.npy", encoder=STAMP) as writer:
            writer.write(Batch(named(1), unit(1, 4)))
            with pytest.raises(OeaError, match="vectors of 5 dimensions after vectors of 4"):
                writer.write(Batch(named(1), unit(1, 5)))

    @pytest.mark.parametrize("output", ["v.csv", "v", "v.oea", "v.mat"])
    def test_an_output_of_no_known_kind(self, output: str) -> None:
        names = [f"X{suffix}" for suffix in SUFFIXES if suffix != ".ndjson"]
        with pytest.raises(UsageError, match=re.escape(f"must be {', '.join(names)}, or X/")):
            open_writer(output, encoder=STAMP)

    @pytest.mark.parametrize("output", ["gone/v.npy", "gone/v.jsonl", "gone/v.parquet"])
    def test_an_output_in_a_folder_that_is_not_there(self, output: str) -> None:
        with pytest.raises(OeaError, match="there is no folder gone"):
            open_writer(output, encoder=STAMP)

    @pytest.mark.parametrize("form", ["jsonl", "npy", "parquet"])
    def test_what_is_no_plain_file_is_never_replaced(self, form: Any) -> None:
        os.mkfifo("pipe")
        with pytest.raises(OeaError, match="pipe: is not a file that can be replaced"):
            open_writer("pipe", encoder=STAMP, file_format=form)
        assert [path.name for path in Path.cwd().iterdir()] == ["pipe"]

    def test_stdout_takes_lines_only(self) -> None:
        with pytest.raises(UsageError, match="stdout takes only JSONL"):
            open_writer("-", encoder=STAMP, file_format="npy")

    def test_a_value_that_json_cannot_hold_is_named(self) -> None:
        with (
            pytest.raises(OeaError, match="record 'a' cannot be written as JSON"),
            open_writer("v.npy", encoder=STAMP) as writer,
        ):
            writer.write(Batch([{"id": "a", "blob": b"\0"}], unit(1)))
        assert list(Path.cwd().iterdir()) == []

    def test_files_have_the_usual_permissions(self) -> None:
        Path("usual").touch()
        write("v.npy", named(1), unit(1))
        assert Path("v.npy").stat().st_mode == Path("usual").stat().st_mode

"""Vectors keep every bit through every format, ours and other people's."""

import base64
import io
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from oea_cli.errors import OeaError
from oea_cli.records.rows import Record
from oea_cli.vectors.arrays import unit_rows
from oea_cli.vectors.files.formats import open_writer, read_embeddings
from tests.conftest import clean_environment
from tests.vectors.batches import OUTPUTS, STAMP, bits, named, read, unit, write

in_same_folder = settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    max_examples=30,
)


@pytest.fixture(autouse=True)
def in_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every test runs inside its own empty folder."""
    monkeypatch.chdir(tmp_path)


# Any float32 whose square fits one too: also the tiniest, also -0.0.
components = arrays(
    np.float32,
    st.tuples(st.integers(1, 9), st.integers(1, 20)),
    elements=st.floats(-(2.0**60), 2.0**60, width=32),
)
scalars = (
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"]))
)
values = st.recursive(
    scalars, lambda inner: st.lists(inner) | st.dictionaries(st.text("abc"), inner), max_leaves=6
)
keys = st.sampled_from(["path", "captions", "tags", "ü", "", "json", "null", "n"])


class TestRoundTrips:
    @pytest.mark.parametrize("encoding", ["json", "base64"])
    @pytest.mark.parametrize("output", OUTPUTS)
    def test_every_format_keeps_every_bit(self, output: str, encoding: str) -> None:
        vectors = unit(1000, 512)
        write(output, named(1000), vectors, encoding=encoding, metadata={"n": 1}, shard_rows=300)
        reader = read_embeddings(output)
        assert (reader.encoder, reader.dim) == (STAMP, 512)
        records, found = read(output, batch_rows=70)
        assert records == named(1000)
        assert (bits(found) == bits(vectors)).all()

    @pytest.mark.parametrize("output", OUTPUTS)
    @in_same_folder
    @given(rows=components)
    def test_any_vectors(self, output: str, rows: np.ndarray) -> None:
        rows = rows[np.linalg.norm(rows.astype(np.float64), axis=1) > 0]
        if not len(rows):
            return
        vectors = unit_rows(rows, named(len(rows)), "x")
        write(output, named(len(rows)), vectors, resume=False)
        assert (bits(read(output)[1]) == bits(vectors)).all()

    @pytest.mark.parametrize("output", OUTPUTS)
    @in_same_folder
    @given(extra=st.lists(st.dictionaries(keys, values, max_size=4), min_size=1, max_size=6))
    def test_any_records(self, output: str, extra: list[Record]) -> None:
        records = [{**row, "id": str(number)} for number, row in enumerate(extra)]
        write(output, records, unit(len(records)), resume=False)
        found, _ = read(output)
        assert found == records
        assert [list(map(type, tree(a))) for a in found] == [
            list(map(type, tree(b))) for b in records
        ] or output in ("v.parquet", "v/")

    @pytest.mark.parametrize("output", [output for output in OUTPUTS if output != "v.jsonl"])
    def test_artefacts_remember_what_made_them(self, output: str) -> None:
        write(output, named(3), unit(3), metadata={"input": "wavs", "prompts": ["query:"]})
        assert read_embeddings(output).metadata == {"input": "wavs", "prompts": ["query:"]}

    @pytest.mark.parametrize("output", OUTPUTS)
    def test_half_precision_is_near_and_stable(self, output: str) -> None:
        vectors = unit(200, 64)
        write(output, named(200), vectors, storage="f16")
        _, once = read(output)
        assert np.abs(once - vectors).max() < 1e-3
        assert np.allclose(np.linalg.norm(once, axis=1), 1, atol=1e-6)
        write(output, named(200), once, storage="f16", resume=False)
        assert (bits(read(output)[1]) == bits(once)).all()

    @pytest.mark.parametrize("output", OUTPUTS)
    def test_vectors_that_name_no_encoder(self, output: str) -> None:
        write(output, named(3), unit(3), encoder=None)
        assert read_embeddings(output).encoder is None

    @pytest.mark.parametrize("output", OUTPUTS)
    def test_nothing_at_all(self, output: str) -> None:
        with open_writer(output, encoder=STAMP):
            pass
        reader = read_embeddings(output)
        assert (reader.dim, list(reader)) == (0, [])

    def test_sizes_on_disk(self) -> None:
        for storage in ("f32", "f16"):
            write(f"{storage}.npy", named(100), unit(100, 64), storage=storage)
        assert Path("f32.npy").stat().st_size == 128 + 100 * 64 * 4
        assert Path("f16.npy").stat().st_size == 128 + 100 * 64 * 2


def tree(value: Any) -> list[Any]:
    """Every value inside a value, in order."""
    if isinstance(value, dict):
        return [value, *(part for key in sorted(value) for part in tree(value[key]))]
    if isinstance(value, list):
        return [value, *(part for inner in value for part in tree(inner))]
    return [value]


def test_digits_that_pass_through_a_double_half_way() -> None:
    """Read as a double and then rounded, 7.038531e-26 is another float32 than the nearest one."""
    vectors = np.array([[1, 7.038531e-26, -7.038531e-26]], dtype=np.float64).astype(np.float32)
    vectors[0, 1:] = np.array([0x15AE43FD, 0x95AE43FD], dtype=np.uint32).view(np.float32)
    write("v.jsonl", named(1), vectors)
    assert b"7.038531e-26" in Path("v.jsonl").read_bytes()
    assert (bits(read("v.jsonl")[1]) == bits(vectors)).all()


def test_changing_rows_does_not_change_the_file() -> None:
    write("v.npy", named(9), unit(9))
    before = Path("v.npy").read_bytes()
    for batch in read_embeddings("v.npy", batch_rows=4):
        batch.vectors[:] = 0
    assert Path("v.npy").read_bytes() == before
    assert (bits(read("v.npy")[1]) == bits(unit(9))).all()


CRAMPED = r"""
import re, resource
from pathlib import Path
from oea_cli.vectors.files.formats import read_embeddings

data = int(re.search(r"VmData:\s+(\d+)", Path("/proc/self/status").read_text())[1]) << 10
resource.setrlimit(resource.RLIMIT_DATA, (data + (64 << 20),) * 2)
print(sum(float(batch.vectors.sum()) for batch in read_embeddings("large.npy", batch_rows=100)))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="limits of data memory are Linux's")
def test_a_matrix_larger_than_the_memory_that_may_be_had() -> None:
    vectors = np.lib.format.open_memmap("large.npy", "w+", np.float32, (2048, 1 << 14))
    vectors[:, 0] = 1  # the rest of the 128 MB is a hole in the file
    vectors.flush()
    command = [sys.executable, "-c", CRAMPED]
    done = subprocess.run(command, capture_output=True, text=True, env=clean_environment())
    assert done.stdout == "2048.0\n", done.stderr


class TestForeignReaders:
    """Other programs read what is written here."""

    def test_numpy_and_clip_retrievals_layout(self) -> None:
        vectors = unit(25)
        write("v.npy", named(25), vectors)
        write("v/", named(25), vectors, shard_rows=10)
        assert (np.load("v.npy") == vectors).all()
        parts = [np.load(path) for path in sorted(Path("v/audio_emb").glob("*.npy"))]
        assert [len(part) for part in parts] == [10, 10, 5]
        assert (np.concatenate(parts) == vectors).all()
        frames = [pl.read_parquet(path) for path in sorted(Path("v/metadata").glob("*.parquet"))]
        assert pl.concat(frames)["id"].to_list() == [row["id"] for row in named(25)]

    def test_pyarrow_sees_a_fixed_size_list(self) -> None:
        parquet = pytest.importorskip("pyarrow.parquet")
        records = [{**row, "captions": ["a", "b"], "deep": {"n": [1]}} for row in named(5)]
        write("v.parquet", records, unit(5))
        table = parquet.read_table("v.parquet")
        found = table.schema.field("embedding").type
        # The name of the list's inner field differs between versions.
        assert (str(found.value_type), found.list_size) == ("float", 16)
        assert table["captions"].to_pylist()[0] == ["a", "b"]
        assert orjson.loads(table["deep"].to_pylist()[0]) == {"n": [1]}
        said = orjson.loads(parquet.read_metadata("v.parquet").metadata[b"oea"])
        assert (said["encoder"], said["dim"], said["count"]) == (STAMP, 16, 5)

    def test_the_openai_form_of_base64(self) -> None:
        vectors = unit(1)
        write("v.jsonl", named(1), vectors, encoding="base64")
        row = orjson.loads(Path("v.jsonl").read_bytes())
        assert row["encoder"] == STAMP
        content = base64.b64decode(row["embedding"])
        assert (np.frombuffer(content, dtype="<f4") == vectors[0]).all()


class TestForeignVectors:
    """What is read here was written by other programs."""

    @pytest.mark.parametrize("dtype", ["<f2", "<f4", "<f8", ">f4"])
    def test_a_bare_matrix_has_row_numbers_as_ids(self, dtype: str) -> None:
        np.save("v.npy", unit(5).astype(dtype))
        reader = read_embeddings("v.npy", batch_rows=2)
        assert (reader.encoder, reader.dim) == (None, 16)
        records, vectors = read("v.npy", batch_rows=2)
        assert records == [{"id": str(row)} for row in range(5)]
        assert np.allclose(vectors, unit(5), atol=1e-3)

    def test_rows_are_brought_to_length_one_unless_they_are(self) -> None:
        rows = unit(4)
        np.save("v.npy", rows * np.array([[1], [2], [1e-20], [1e15]], dtype=np.float32))
        _, vectors = read("v.npy")
        assert (bits(vectors[:1]) == bits(rows[:1])).all()
        assert np.allclose(vectors, rows, atol=1e-6)

    @pytest.mark.parametrize("dim", [3, 512, 200_000])
    def test_every_row_is_looked_at(self, dim: int) -> None:
        """Lengths are taken in blocks of rows: none is passed over, none taken for another."""
        rows = unit(700 if dim < 1000 else 3, dim)
        last = len(rows) - 1
        just_off = rows.copy()
        just_off[last] *= np.float32(1 + 3e-6)
        fixed = unit_rows(just_off, named(len(rows)), "x")
        assert (bits(fixed[:last]) == bits(rows[:last])).all()
        assert abs(np.linalg.norm(fixed[last].astype(np.float64)) - 1) < 3e-7
        values = {np.nan: "holds NaN", np.inf: "holds NaN", 0: "is all", 1e39: "holds a number too"}
        for value, said in values.items():
            bad = rows.astype(np.float64)
            bad[last] = value
            with pytest.raises(OeaError, match=f"'d/{last}.wav' {said}"):
                unit_rows(bad, named(len(rows)), "x")

    @in_same_folder
    @given(rows=components)
    def test_length_one_is_reached_in_one_step(self, rows: np.ndarray) -> None:
        rows = rows[np.linalg.norm(rows.astype(np.float64), axis=1) > 0]
        once = unit_rows(rows, named(len(rows)), "x")
        assert (bits(unit_rows(once, named(len(rows)), "x")) == bits(once)).all()

    def test_a_single_vector_is_one_row(self) -> None:
        np.save("v.npy", unit(1)[0])
        assert read("v.npy")[0] == [{"id": "0"}]

    def test_columns_first(self) -> None:
        np.save("v.npy", np.asfortranarray(unit(5)))
        assert (bits(read("v.npy")[1]) == bits(unit(5))).all()

    @pytest.mark.parametrize("inner", [pl.Float32, pl.Float64])
    def test_parquet_lists(self, inner: Any) -> None:
        rows = pl.Series("embedding", unit(5).tolist(), dtype=pl.List(inner))
        pl.DataFrame([pl.Series("id", range(5)), rows]).write_parquet("v.parquet")
        records, vectors = read("v.parquet")
        assert [record["id"] for record in records] == ["0", "1", "2", "3", "4"]
        assert (bits(vectors) == bits(unit(5))).all()

    def test_parquet_with_nothing_but_vectors(self) -> None:
        pl.DataFrame({"embedding": unit(3).tolist()}).write_parquet("v.parquet")
        assert read("v.parquet")[0] == [{"id": "0"}, {"id": "1"}, {"id": "2"}]

    def test_lines_without_ids_and_encoders(self) -> None:
        lines = [orjson.dumps({"embedding": row.tolist()}) for row in unit(3)]
        records, vectors = read(io.BytesIO(b"\n".join(lines)))
        assert records == [{"id": "0"}, {"id": "1"}, {"id": "2"}]
        assert (bits(vectors) == bits(unit(3))).all()


def line(**row: Any) -> bytes:
    return orjson.dumps({"id": "a", "embedding": [0.6, 0.8], **row}) + b"\n"


class TestBadLines:
    @pytest.mark.parametrize(
        ("bad", "problem"),
        [
            (b'{"id": "b"}\n', "2: no 'embedding'; is this the output of `oea embed`?"),
            (line(embedding=[1.0]), "2: a vector of 1 dimensions; the lines before have 2"),
            (line(embedding=[]), "2: 'embedding' must be a list of numbers"),
            (line(embedding=[[1, 2]]), "2: 'embedding' must be a list of numbers"),
            (line(embedding=["x", "y"]), "2: 'embedding' must be numbers or base64"),
            (line(embedding="!!"), "2: 'embedding' must be numbers or base64"),
            (line(embedding="AAAA"), "2: 'embedding' must be numbers or base64"),
            (line(embedding={"a": 1}), "2: 'embedding' must be numbers or base64"),
            (line(encoder="m:2"), "2: made by m:2, the lines before by no encoder named"),
            (line(id="b", embedding=[0, 0]), " the vector of 'b' is all zeros"),
            (line(embedding=[1, None]), "2: 'embedding' must be numbers or base64; got [1, None]"),
            (line(embedding=[1, "2"]), "2: 'embedding' must be numbers or base64; got [1, '2']"),
            (line(embedding=[True, False]), "2: 'embedding' must be numbers or base64; got [True"),
            (
                line(id="b", embedding=[1, 1e39]),
                "2: 'embedding' holds a number too large for float32",
            ),
            (
                line(embedding=[1, {"a": 1}]),
                "2: 'embedding' must be numbers or base64; got [1, {'a",
            ),
            (line(embedding=[[1, 2], [3]]), "2: 'embedding' must be numbers or base64; got [[1, 2"),
            (b'{"id": "b", "embedding": [0.6, NaN]}\n', "2: not JSON"),
            (b'{"id": "b", "embedding": [0.6, 0', "2: not JSON"),
            (b"a.wav\n", "2: not JSON"),
        ],
    )
    def test_the_line_is_named(self, bad: bytes, problem: str) -> None:
        with pytest.raises(OeaError) as raised:
            read(io.BytesIO(line() + bad))
        assert str(raised.value).startswith(f"stdin:{problem}")

    def test_two_encoders(self) -> None:
        with pytest.raises(OeaError, match=r"^stdin:2: made by m:2, the lines before by m:1"):
            read(io.BytesIO(line(encoder="m:1") + line(encoder="m:2")))

    def test_paths_instead_of_vectors(self) -> None:
        Path("list.txt").write_text("a.wav\n")
        with pytest.raises(OeaError, match=r"^list\.txt:1: not JSON"):
            read("list.txt")


@pytest.mark.parametrize("source", ["nope.npy", "nope", "nope.jsonl"])
def test_a_missing_source(source: str) -> None:
    with pytest.raises(OeaError, match=f"^{source}: no such file or folder"):
        read_embeddings(source)

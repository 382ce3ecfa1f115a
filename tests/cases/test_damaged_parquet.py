"""A few damaged bytes in a Parquet file: one line and exit 1, never a panic, an abort, or no rows.

The Rust reader beneath believes what a file says about itself: a negative number of values ends the
process (its allocation fails), others panic, and a part that it cannot decode is left out.
"""

from pathlib import Path

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from oea_cli.errors import OeaError
from oea_cli.records.tables import read_table
from oea_cli.vectors.files.formats import read_embeddings
from tests.commands.in_process import run

ROWS = 6
# A data page's header: field 5 is a struct (0x2c) whose first field (0x15) is the number of values.
VALUES = b"\x2c\x15" + bytes([2 * ROWS])


@pytest.fixture
def whole(tmp_path: Path) -> Path:
    path = tmp_path / "clips.parquet"
    frame = {
        "id": [f"clip-{row}" for row in range(ROWS)],
        "embedding": [[1.0, float(row)] for row in range(ROWS)],
    }
    dtypes = {"embedding": pl.List(pl.Float32)}
    pl.DataFrame(frame, schema_overrides=dtypes).write_parquet(path)
    return path


def _changed(path: Path, old: bytes, new: bytes) -> Path:
    content = path.read_bytes()
    assert old in content
    path.write_bytes(content.replace(old, new, 1))
    return path


def test_whole(whole: Path) -> None:
    done = run(["index", whole, "-o", whole.parent / "x.oea"])
    assert (done.returncode, done.stderr.count("6 vectors")) == (0, 1)


# -7 ends the process where it is believed; 5 and 7 of 6 are believed without a word.
@pytest.mark.parametrize("lie", [b"\x0d", b"\x0a", b"\x0e"])
def test_a_count_that_lies(whole: Path, lie: bytes) -> None:
    _changed(whole, VALUES, VALUES[:2] + lie)
    done = run(["index", whole, "-o", whole.parent / "x.oea"])
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert "clips.parquet: not a Parquet file, or a damaged one" in done.stderr


def test_a_part_that_cannot_be_decoded_is_no_empty_file(whole: Path) -> None:
    """The lengths of the lists (their levels) are damaged: the decoder panics on its own thread."""
    content = whole.read_bytes()
    expected = [(f"clip-{row}", row) for row in range(ROWS)]
    refused = 0
    for place in range(4, len(content), 3):
        whole.write_bytes(content[:place] + bytes([content[place] ^ 2]) + content[place + 1 :])
        try:
            rows = [record["id"] for batch in read_embeddings(whole) for record in batch.records]
            assert len(rows) == len(expected) == len(list(read_table(whole)))
        except OeaError as error:
            refused += 1
            assert "\n" not in str(error)
    assert refused > 100


@pytest.mark.parametrize("keep", [0, 3, 11, 200])
def test_a_file_that_was_cut_off(whole: Path, keep: int) -> None:
    whole.write_bytes(whole.read_bytes()[:keep])
    for read in (lambda: list(read_table(whole)), lambda: list(read_embeddings(whole))):
        with pytest.raises(OeaError, match=r"clips.parquet: not a Parquet file, or a damaged one"):
            read()


def test_a_later_row_group_that_cannot_be_decoded(tmp_path: Path) -> None:
    """The rows before it must not stand for the whole file."""
    path = tmp_path / "clips.parquet"
    table = pa.table({"id": [f"clip-{row}" for row in range(40)], "path": ["a.wav"] * 40})
    pq.write_table(table, path, row_group_size=10, compression="zstd", use_dictionary=False)
    content = path.read_bytes()
    last = content.rindex(b"\x28\xb5\x2f\xfd")  # zstd's mark, of the last page
    path.write_bytes(content[:last] + b"\x00" * 8 + content[last + 8 :])
    with pytest.raises(OeaError, match=r"clips.parquet: not a readable Parquet file|damaged"):
        list(read_table(path))

"""White-space separated columns: equal to splitting line by line, whatever the blanks."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from oea_cli.errors import OeaError
from oea_cli.evaluation.trec_files import columns_of

words = st.binary(min_size=1, max_size=6).map(
    lambda raw: bytes(97 + byte % 26 for byte in raw) if raw[0] % 5 else b"\xc3\xa9"
)
blanks = st.sampled_from([b" ", b"\t", b"  ", b" \t "])


@given(st.lists(st.lists(words, min_size=3, max_size=5), max_size=20), blanks, st.booleans())
def test_equal_to_splitting_each_line(rows: list[list[bytes]], blank: bytes, crlf: bool) -> None:
    content = (b"\r\n" if crlf else b"\n").join(blank.join(row) for row in rows)
    columns = columns_of(content, "x", 3, "a b c")
    assert [column.words() for column in columns] == [[row[n] for row in rows] for n in range(3)]


@pytest.mark.parametrize("end", [b"", b"\n", b"\n\n \n"])
def test_blank_lines_and_long_words(end: bytes) -> None:
    long = b"x" * 5000
    columns = columns_of(b"\n a 1\n\n" + long + b" 2\na 3 more" + end, "x", 2, "id number")
    assert columns[0].words() == [b"a", long, b"a"]
    assert columns[0].codes({}).tolist() == [0, 1, 0]
    assert columns[1].numbers().tolist() == [1, 2, 3]


def test_codes_go_on_from_piece_to_piece() -> None:
    codes: dict[bytes, int] = {}
    first = columns_of(b"b 1\nb 1\na 1", "x", 2, "")[0].codes(codes)
    second = columns_of(b"a 1\nc 1\nb 1", "x", 2, "")[0].codes(codes)
    assert np.concatenate([first, second]).tolist() == [0, 0, 1, 1, 2, 0]


@pytest.mark.parametrize(
    ("content", "says"),
    [(b"a b\na\n", "x:5: 'a' is not `a b`"), (b"a\0b c", "is not text")],
)
def test_what_is_wrong(content: bytes, says: str) -> None:
    with pytest.raises(OeaError, match=says.replace("`", ".")):
        columns_of(content, "x", 2, "a b", first_line=4)

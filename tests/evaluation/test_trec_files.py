"""White-space separated columns: equal to splitting line by line, whatever the blanks."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from oea_cli.errors import OeaError
from oea_cli.evaluation.inputs.trec_files import columns_of

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


@given(st.lists(st.integers(0, 10**7 - 1), min_size=1), st.integers(1, 6))
def test_numbers_of_one_form_are_exactly_those_that_python_reads(
    digits: list[int], point: int
) -> None:
    words = [f"{number:07}"[:point] + "." + f"{number:07}"[point:] for number in digits]
    column = columns_of("\n".join(words).encode(), "x", 1, "")[0]
    assert column.numbers().tolist() == [float(word) for word in words]


@pytest.mark.parametrize("words", [["0.5", "-0.5"], ["1e-3"], ["1"], ["0.25", "10.5"], [".5"]])
def test_numbers_of_other_forms(words: list[str]) -> None:
    column = columns_of("\n".join(words).encode(), "x", 1, "")[0]
    assert column.numbers().tolist() == [float(word) for word in words]


def test_sorted_codes() -> None:
    for long in ("", "y" * 300):
        content = f"b{long}\na\nb{long}\né".encode()
        names, codes = columns_of(content, "x", 1, "")[0].sorted_codes()
        assert [names[code] for code in codes] == content.split()
        assert list(names) == sorted(set(content.split()))


@pytest.mark.parametrize(
    ("content", "says"),
    [(b"a b\na\n", "x:5: expected `a b`; got 'a'"), (b"a\0b c", "x:4: holds a NUL byte")],
)
def test_what_is_wrong(content: bytes, says: str) -> None:
    with pytest.raises(OeaError, match=says.replace("`", ".")):
        columns_of(content, "x", 2, "a b", first_line=4)


def test_whole_numbers() -> None:
    words = ["1", "42", "007", "-1", "1.0", "x", "1_0", "9" * 15, "9" * 16, "1000"]
    numbers = columns_of("\n".join(words).encode(), "x", 1, "")[0].whole_numbers()
    expected = [1, 42, 7, *[np.nan] * 4, 10**15 - 1, np.nan, 1000]
    assert np.array_equal(numbers, expected, equal_nan=True)

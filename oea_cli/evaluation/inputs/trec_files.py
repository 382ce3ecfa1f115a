"""Columns of white-space separated text (TREC runs, qrels), split by numpy, not line by line."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt

from oea_cli.errors import OeaError
from oea_cli.metrics.outcomes import Floats, QueryNumbers
from oea_cli.records.text import NUL_FOUND, nfc, not_utf8, with_line_feeds

CHUNK_BYTES = 1 << 24
NEW_LINE = b"\n"
LARGEST_BLANK = 32  # the bytes up to this one separate words: space, tab, line ends
BLANKS = bytes(max(byte, LARGEST_BLANK) for byte in range(256))
WIDEST_TABLE = 256
EXACT_DIGITS = 15
Bytes = npt.NDArray[np.uint8]


@dataclass(frozen=True)
class Column:
    """One word per line: where each begins and ends (L,) in a text."""

    text: Bytes
    starts: QueryNumbers
    ends: QueryNumbers

    def words(self) -> list[bytes]:
        """The words themselves."""
        if (self.ends - self.starts).max(initial=0) > WIDEST_TABLE:
            content = self.text.tobytes()
            return [
                content[start:end]
                for start, end in zip(self.starts.tolist(), self.ends.tolist(), strict=True)
            ]
        words: list[bytes] = self._padded().tolist()
        return words

    def numbers(self) -> Floats:
        """The words as numbers (L,); raises ValueError where one is not a number."""
        if (self.ends - self.starts).max(initial=0) > WIDEST_TABLE:
            raise ValueError("too many digits for a number")
        words = self._padded()
        if (words.view(np.uint8) == ord("_")).any():
            raise ValueError("Python reads 1_000 as a number, and nobody else does")
        numbers = _plain_decimals(words)
        return words.astype(np.float64) if numbers is None else numbers

    def whole_numbers(self) -> Floats:
        """The words that are digits alone as numbers (L,); NaN for any other word."""
        lengths = self.ends - self.starts
        width = min(max(int(lengths.max(initial=0)), 1), EXACT_DIGITS)
        text = np.concatenate([np.zeros(width, np.uint8), self.text])
        letters = np.lib.stride_tricks.sliding_window_view(text, width)[self.ends]
        digits = letters - np.uint8(ord("0"))
        before = np.maximum(width - lengths, 0).astype(np.uint8)
        digits *= np.arange(width, dtype=np.uint8) >= before[:, None]  # the word's own letters
        numbers: Floats = digits.astype(np.float64) @ 10.0 ** np.arange(width - 1, -1, -1)
        if digits.max(initial=0) > 9 or lengths.max(initial=0) > width:
            numbers[(digits > 9).any(axis=1) | (lengths > width)] = np.nan
        return numbers

    def codes(self, codes: dict[bytes, int]) -> QueryNumbers:
        """Number the words (L,) in order of appearance, continuing the numbers of `codes`.

        Words that repeat the one before, as a run's queries do, are looked up once.
        """
        if not len(self.starts) or (self.ends - self.starts).max() > WIDEST_TABLE:
            return _numbered(self.words(), codes)
        table = self._padded()
        is_new = np.ones(len(table), bool)
        is_new[1:] = table[1:] != table[:-1]
        heads = np.flatnonzero(is_new)
        found = _numbered(table[heads].tolist(), codes)
        return np.repeat(found, np.diff(heads, append=len(table)))

    def sorted_codes(self) -> tuple[npt.NDArray[Any], QueryNumbers]:
        """The different words, ascending by their bytes, and each line's number (L,) among them."""
        if (self.ends - self.starts).max(initial=0) > WIDEST_TABLE:
            table: npt.NDArray[Any] = np.array(self.words(), object)
        else:
            table = self._padded()
        names, codes = np.unique(table, return_inverse=True)
        return names, codes

    def _padded(self) -> npt.NDArray[np.bytes_]:
        """The words (L,) as byte strings of one width."""
        lengths = self.ends - self.starts
        width = max(int(lengths.max(initial=0)), 1)
        text = np.append(self.text, np.zeros(width, np.uint8))
        table = np.lib.stride_tricks.sliding_window_view(text, width)[self.starts]
        table[np.arange(width) >= lengths[:, None]] = 0
        return table.view(f"S{width}")[:, 0]


def _plain_decimals(words: npt.NDArray[np.bytes_]) -> Floats | None:
    """Numbers such as 0.812345, all of one form (L,); None where they are not.

    Ten times as fast as parsing each, and exact: digits and the power of ten that divides them are
    whole numbers that a double holds, and one division rounds once.
    """
    width = words.itemsize
    letters = words.view(np.uint8).reshape(len(words), width)
    point = letters[0].tobytes().find(b".") if len(words) else -1
    if not (0 < point < width - 1 <= EXACT_DIGITS and (letters[:, point] == ord(".")).all()):
        return None
    digits = np.delete(letters, point, axis=1) - np.uint8(ord("0"))
    if (digits > 9).any():
        return None
    powers = 10.0 ** np.arange(width - 2, -1, -1)
    numbers: Floats = np.einsum("ld,d->l", digits, powers) / 10.0 ** (width - 1 - point)
    return numbers


def _numbered(words: list[bytes], codes: dict[bytes, int]) -> QueryNumbers:
    for word in dict.fromkeys(words):
        codes.setdefault(word, len(codes))
    return np.fromiter(map(codes.__getitem__, words), np.int64, len(words))


def columns_of(
    content: bytes, name: str, width: int, layout: str, first_line: int = 1
) -> list[Column]:
    """Return the first `width` words of all lines, as columns; words after them are left out.

    Blank lines are skipped. Raises OeaError naming the first line that has fewer words, by its
    number, counted from `first_line`; `layout` is the expected line in the message.
    """
    content = _one_form(content, name, first_line).rstrip()
    columns = _cut(content, width)
    if columns is None:
        # trec_eval ignores what follows the last column, and so do we, more slowly.
        columns = _cut(_same_width(content, name, width, layout, first_line), width)
    assert columns is not None
    return columns


def _one_form(content: bytes, name: str, first_line: int) -> bytes:
    """The content with ids in the one form of Unicode that they are compared in; raises OeaError
    naming the line that is not UTF-8 or holds a NUL."""
    if (place := content.find(b"\0")) >= 0:
        raise OeaError(f"{name}:{first_line + content.count(NEW_LINE, 0, place)}: {NUL_FOUND}")
    if content.isascii():
        return content
    try:
        return nfc(content.decode()).encode()
    except UnicodeDecodeError as error:
        number = content.count(NEW_LINE, 0, error.start)
        line = content.split(NEW_LINE, number + 1)[number]
        raise OeaError(f"{name}:{first_line + number}: {not_utf8(line)}") from error


def _cut(content: bytes, width: int) -> list[Column] | None:
    """Cut lines that all have the same number of words, at least `width`; None for others."""
    text = np.frombuffer(content, np.uint8)
    is_blank = np.ones(len(text) + 2, bool)
    np.less_equal(text, LARGEST_BLANK, out=is_blank[1:-1])
    # At the borders between blanks and letters, words begin and end in turn.
    borders = np.flatnonzero(is_blank[1:] != is_blank[:-1])
    starts, ends = borders[::2], borders[1::2]
    if not len(starts):
        return [Column(text, starts, ends)] * width
    period = _words_per_line(content, text, starts, ends)
    if period < width:
        return None
    return [Column(text, starts[n::period], ends[n::period]) for n in range(width)]


def _words_per_line(content: bytes, text: Bytes, starts: QueryNumbers, ends: QueryNumbers) -> int:
    """How many words each line has; 0 where lines differ."""
    line_feeds = content.count(NEW_LINE)
    words = len(words_of(content[: content.find(NEW_LINE)] if line_feeds else content))
    if words and len(ends) == words * (line_feeds + 1):
        follows = text[ends[words - 1 : -1 : words]]
        if (follows == ord(NEW_LINE)).all():  # no line ends with a blank, as in most files
            return words
    line_ends = np.append(np.flatnonzero(text == ord(NEW_LINE)), len(text))
    counts = np.diff(np.searchsorted(starts, line_ends), prepend=0)
    return 0 if (counts != counts[0]).any() else int(counts[0])


def _same_width(content: bytes, name: str, width: int, layout: str, first_line: int) -> bytes:
    """The lines cut to `width` words each, without blank ones."""
    lines = []
    for number, line in enumerate(content.split(b"\n"), first_line):
        words = words_of(line)
        if len(words) >= width:
            lines.append(b" ".join(words[:width]))
        elif words:
            text = line.decode(errors="replace").strip()
            raise OeaError(f"{name}:{number}: expected `{layout}`; got {text!r:.60}")
    return b"\n".join(lines)


def words_of(line: bytes) -> list[bytes]:
    """The words of a line, as columns have them: control characters part them, too."""
    return line.translate(BLANKS).split()


def finite_number(word: bytes) -> float | None:
    """The number that a word is; None for one that is not finite, and for any other word."""
    try:
        number = float(word)
    except ValueError:
        return None
    return number if np.isfinite(number) and b"_" not in word else None


def line_numbers(content: bytes, count: int, first_line: int = 1) -> QueryNumbers:
    """The number (L,) of each of the `count` lines that are not blank."""
    if content.rstrip().count(b"\n") + 1 == count:
        return np.arange(first_line, first_line + count)
    lines = enumerate(content.split(b"\n"), first_line)
    return np.array([number for number, line in lines if words_of(line)], np.int64)


def whole_lines(stream: BinaryIO) -> Iterator[bytes]:
    """Yield the content in large pieces that end where a line ends."""
    rest = b""
    while chunk := stream.read(CHUNK_BYTES):
        cut = chunk.rfind(b"\n") + 1
        if cut:
            yield with_line_feeds(rest + chunk[:cut])
            rest = chunk[cut:]
        else:
            rest += chunk
    if rest:
        yield with_line_feeds(rest)

"""Text as it comes, opened in one way: UTF-8 without its BOM, lines that end in a line feed.

What is no UTF-8 text is named with what it is: another encoding and how to convert it, a picture, a
sound. The lone carriage returns that old programs end lines with become line feeds.
"""

import io
import re
import unicodedata
from typing import BinaryIO

from oea_cli.errors import OeaError

CHUNK_BYTES = 2**20
UTF8_BOM = b"\xef\xbb\xbf"
LONGEST_MARK = 4  # bytes, of UTF-32's BOM
TRIED_BYTES = 4096
UTF16 = "UTF-16 text; save it as UTF-8, as `iconv -f UTF-16{} -t UTF-8` does"
BINARY_STARTS = {
    b"\xff\xfe\0\0": "UTF-32 text; save it as UTF-8, as `iconv -f UTF-32 -t UTF-8` does",
    b"\0\0\xfe\xff": "UTF-32 text; save it as UTF-8, as `iconv -f UTF-32 -t UTF-8` does",
    b"\xff\xfe": UTF16.format(""),
    b"\xfe\xff": UTF16.format(""),
    b"RIFF": "audio",
    b"fLaC": "audio",
    b"OggS": "audio",
    b"ID3": "audio",
    b"\x93NUMPY": "a matrix of vectors",
    b"PAR1": "Parquet, which must be given as a file",
    b"\x89PNG": "a picture",
    b"\xff\xd8\xff": "a picture",
    b"GIF8": "a picture",
    b"%PDF": "a PDF document",
    b"PK\x03\x04": "a zip archive",
    b"\x1f\x8b": "gzipped data; give it a name that ends in .gz, or unzip it",
    b"\x28\xb5\x2f\xfd": "data packed by zstd; unpack it",
    b"BZh": "data packed by bzip2; unpack it",
    b"\xfd7zXZ": "data packed by xz; unpack it",
}
NUL_FOUND = "holds a NUL byte, which text never does; is the file damaged?"


def text_stream(stream: BinaryIO, name: str) -> io.BufferedReader:
    """The text in a stream, as it arrives; reading it raises OeaError for what is not text."""
    return io.BufferedReader(_Text(stream, name), CHUNK_BYTES)


def text_in(content: bytes, name: str) -> bytes:
    """The same for a whole content."""
    check_text(content, name)
    content = content.removeprefix(UTF8_BOM)
    return with_line_feeds(content) if ends_in_returns(content) else content


def check_mark(start: bytes, name: str) -> None:
    """Raise OeaError where a file that begins so is known to be something else than text in
    UTF-8."""
    kinds = (kind for mark, kind in BINARY_STARTS.items() if start.startswith(mark))
    if kind := next(kinds, None) or _utf16_in(start[:TRIED_BYTES]):
        raise OeaError(f"{name}: expected lines or records; got {kind}")


def check_text(start: bytes, name: str) -> None:
    """The same for text that holds no NUL, as only lists of paths do."""
    check_mark(start, name)
    if b"\0" in start[:TRIED_BYTES]:
        raise OeaError(f"{name}: expected lines or records; got data that is not text")


def _utf16_in(start: bytes) -> str | None:
    """How to convert a file that begins so, where it is UTF-16 without a BOM; else None.

    Its NULs, the halves of plain letters, all have even or all odd places; a line ends with one.
    """
    for half, end, form in ((1, b"\n\0", "LE"), (0, b"\0\n", "BE")):
        whole = len(start) // 2 * 2
        nuls, others = start[half:whole:2].count(0), start[1 - half : whole : 2].count(0)
        ends_line = any(start[at : at + 2] == end for at in range(0, whole, 2))
        if nuls and not others and (ends_line or (nuls > 1 and 3 * nuls > whole)):
            return UTF16.format(form)
    return None


class _Text(io.RawIOBase):
    """The bytes of a text stream, its start checked, its line ends one."""

    def __init__(self, stream: BinaryIO, name: str) -> None:
        self._name = name
        self._read = getattr(stream, "read1", stream.read)
        self._rest = b""
        self._has_begun = False
        self._ends_in_returns: bool | None = None  # not known before the first end of a line

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        chunk = self._rest or self._next()
        chunk, self._rest = chunk[: len(buffer)], chunk[len(buffer) :]
        buffer[: len(chunk)] = chunk
        return len(chunk)

    def _next(self) -> bytes:
        chunk = self._read(CHUNK_BYTES) if self._has_begun else self._start()
        if self._ends_in_returns is False:
            return chunk
        # The byte after a return tells whether it ends the line by itself.
        while chunk.endswith(b"\r") and (more := self._read(CHUNK_BYTES)):
            chunk += more
        if self._ends_in_returns is None and (b"\r" in chunk or b"\n" in chunk):
            self._ends_in_returns = ends_in_returns(chunk)
        return with_line_feeds(chunk) if self._ends_in_returns else chunk

    def _start(self) -> bytes:
        """The first bytes, without a BOM."""
        self._has_begun = True
        start = b""
        while len(start) < LONGEST_MARK and (more := self._read(CHUNK_BYTES)):
            start += more
        check_text(start, self._name)
        return start.removeprefix(UTF8_BOM)


def ends_in_returns(content: bytes) -> bool:
    """Whether the first line ends in a return that no line feed follows."""
    first = re.search(rb"\r\n?|\n", content)
    return first is not None and first[0] == b"\r"


def with_line_feeds(content: bytes) -> bytes:
    """Lines that end in a lone return end in a line feed instead."""
    if b"\r" not in content:
        return content
    return content.replace(b"\r\n", b"\n").replace(b"\r", b"\n")


# --- one letter, two forms of Unicode ---


def nfc(text: str) -> str:
    """The text in the form that ids, names and captions are compared in: macOS writes the other."""
    return text if text.isascii() else unicodedata.normalize("NFC", text)


def forms_of(name: str) -> list[str]:
    """The ways in which a disk may have written a name: as it is, composed, decomposed."""
    if name.isascii():
        return [name]
    forms = (unicodedata.normalize(form, name) for form in ("NFC", "NFD"))
    return list(dict.fromkeys([name, *forms]))


# --- other encodings ---

STRAY = re.compile(r"[\ud800-\udc7f\udd00-\udfff]")
"""Surrogates that stand for no byte."""
KANA = re.compile(r"[\u3040-\u30ff]")
NOT_CP1252 = re.compile(rb"[\x81\x8d\x8f\x90\x9d]|[\xc2-\xdf][\x80-\xbf]")
"""Bytes that it does not have, and letters in UTF-8: a file that is damaged, or in both."""


def is_utf8(text: str) -> bool:
    """False for a text with surrogates: bytes of another encoding, kept as they are."""
    if text.isascii():
        return True
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def bytes_of(text: str) -> bytes:
    """The bytes of a text whose surrogates stand for some that are not UTF-8."""
    return text.encode("utf-8", "surrogatepass" if STRAY.search(text) else "surrogateescape")


def not_utf8(content: bytes) -> str:
    """What is wrong with bytes that are no UTF-8, and what to do, as the end of an error line."""
    guess = _likely_encoding(content)
    if guess is None:
        return "not UTF-8; save the file as UTF-8"
    return f"not UTF-8, but probably {guess}; convert the file with `iconv -f {guess} -t UTF-8`"


def _likely_encoding(content: bytes) -> str | None:
    """iconv's name of the encoding that bytes are most likely in; None where no guess is good."""
    words = re.findall(rb"[\xc0-\xff]+", content)  # letters, in both encodings for Europe
    if KANA.search(_decoded(content, "shift_jis")):
        return "SHIFT_JIS"
    if max(map(len, words), default=0) < 3:  # accented letters stand alone, or two together
        return None if NOT_CP1252.search(content) else "CP1252"
    # Russian words are runs of letters, nearly all of them small.
    small = len(re.findall(rb"[\xe0-\xff]", content))
    return "CP1251" if 4 * small >= 3 * sum(map(len, words)) else None


def _decoded(content: bytes, encoding: str) -> str:
    try:
        return content.decode(encoding)
    except UnicodeDecodeError:
        return ""

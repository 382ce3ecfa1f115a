"""Where the samples of a wav, RF64, W64, AIFF, AU or CAF begin, and how long its header says."""

import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from oea_cli.audio.segments import SoundFile, read_at

MAX_CHUNKS = 1000
MAX_HEADER = 2**24
UNKNOWN_SIZE = 0x7FFF_F000  # 32-bit sizes from here on may stand for "not known"
NO_SIZE = 0xFFFF_FFFF
WAVES = (b"RIFF", b"RIFX", b"RF64", b"BW64")
W64_RIFF = b"riff" + bytes.fromhex("2e91cf11a5d628db04c10000")
W64_TAIL = bytes.fromhex("f3acd3118cd100c04f8edb8a")


@dataclass(frozen=True, slots=True)
class Layout:
    """How a container writes the head of a chunk, and to what its length is rounded up."""

    name_bytes: int
    size_format: str
    rounding: int = 1
    counts_head: bool = False

    @property
    def head_bytes(self) -> int:
        """Of name and size."""
        return self.name_bytes + struct.calcsize(self.size_format)

    def read(self, head: bytes) -> tuple[bytes, int] | None:
        """Name and length of the content; None for a head that is cut off."""
        if len(head) < self.head_bytes:
            return None
        (size,) = struct.unpack_from(self.size_format, head, self.name_bytes)
        return head[: self.name_bytes], size - (self.head_bytes if self.counts_head else 0)

    def whole(self, length: int) -> int:
        """From the chunk's beginning to the next one's."""
        return self.head_bytes + length + -length % self.rounding


LITTLE, BIG = Layout(4, "<I", 2), Layout(4, ">I", 2)
CAF, W64 = Layout(4, ">q"), Layout(16, "<q", 8, counts_head=True)


@dataclass(frozen=True, slots=True)
class Samples:
    """Where the samples begin; `claimed` bytes of them by the header, None where it does not know.

    `header(length)` is the header for so many bytes. `corrects`: libsndfile itself reads to the
    file's end where it says too much; `reads_on`: libsndfile always reads to the file's end.
    """

    begin: int
    claimed: int | None
    layout: Layout | None  # of the chunks that may follow
    header: Callable[[int], bytes]
    corrects: bool = False
    reads_on: bool = False


def find_samples(file: SoundFile) -> Samples | None:
    """None for another container, and for one without a chunk of samples."""
    head = read_at(file, 0, 40)
    found: Samples | None = None
    if is_wave(head):
        found = _in_wave(file, head[:4])
    elif head[:4] == b"FORM" and head[8:12] in (b"AIFF", b"AIFC"):
        found = _in_aiff(file)
    elif head[:4] == b".snd" and len(head) >= 24:
        found = _in_au(file, head)
    elif head[:4] == b"caff":
        found = _in_caf(file)
    elif head[:16] == W64_RIFF:
        found = _in_w64(file)
    return found if found and found.begin <= MAX_HEADER else None


def is_wave(head: bytes) -> bool:
    """True for the beginning of a wav or RF64."""
    return head[:4] in WAVES and head[8:12] == b"WAVE"


def begins_container(head: bytes) -> bool:
    """True for the beginning of a file that `find_samples` knows."""
    return (
        is_wave(head)
        or (head[:4] == b"FORM" and head[8:12] in (b"AIFF", b"AIFC"))
        or (head[:4] == b".snd" and head[4:6] == b"\0\0" and head[12:15] == bytes(3))
        or head[:8] == b"caff\0\1\0\0"
        or head[:16] == W64_RIFF
    )


def _chunks(file: SoundFile, place: int, layout: Layout) -> Iterator[tuple[int, bytes, int]]:
    """(place, name, length) of the chunks from `place` on."""
    for _ in range(MAX_CHUNKS):
        chunk = layout.read(read_at(file, place, layout.head_bytes))
        if chunk is None:
            return
        yield place, *chunk
        if chunk[1] < 0:
            return
        place += layout.whole(chunk[1])


def _in_wave(file: SoundFile, magic: bytes) -> Samples | None:
    layout = BIG if magic == b"RIFX" else LITTLE
    long_place, form = 0, b""
    for place, name, length in _chunks(file, 12, layout):
        if name == b"ds64":
            long_place = place + 16
        elif name == b"fmt ":
            form = read_at(file, place + 8, min(length, 4096))
        elif name == b"data" and long_place and length == NO_SIZE:
            (claimed,) = struct.unpack("<q", read_at(file, long_place, 8))
            header = _patched(file, place + 8, long_place, "<q")
            return Samples(place + 8, claimed if claimed > 0 else None, layout, header)
        elif name == b"data":
            header = _wave_header(file, place, layout, form)
            return Samples(place + 8, length or None, layout, header, corrects=True)
    return None


def _wave_header(
    file: SoundFile, place: int, layout: Layout, form: bytes
) -> Callable[[int], bytes]:
    short = _patched(file, place + 8, place + 4, layout.size_format)
    return lambda count: short(count) if count < UNKNOWN_SIZE else _w64_header(form, count)


def _in_aiff(file: SoundFile) -> Samples | None:
    seen = set()
    for place, name, length in _chunks(file, 12, BIG):
        seen.add(name)
        if name == b"SSND" and b"COMM" in seen:
            offset = int.from_bytes(read_at(file, place + 8, 4))
            begin = place + 16 + offset
            claimed = length - 8 - offset
            # libsndfile takes 0 for "to the end".
            header = _patched(file, begin, place + 4, ">I", lambda _: 0)
            return Samples(begin, claimed if claimed > 0 else None, BIG, header, corrects=True)
    return None


def _in_au(file: SoundFile, head: bytes) -> Samples | None:
    begin, claimed = struct.unpack(">II", head[4:12])
    if begin < 24:
        return None
    known = claimed if claimed and claimed != NO_SIZE else None
    return Samples(begin, known, None, _patched(file, begin, 8, ">I", lambda _: NO_SIZE))


def _in_caf(file: SoundFile) -> Samples | None:
    for place, name, length in _chunks(file, 8, CAF):
        if name == b"data":
            begin = place + 16  # four bytes count the edits
            header = _patched(file, begin, place + 4, ">q", lambda count: count + 4)
            return Samples(begin, length - 4 if length > 4 else None, CAF, header)
    return None


def _in_w64(file: SoundFile) -> Samples | None:
    for place, name, length in _chunks(file, 40, W64):
        if name == b"data" + W64_TAIL:
            begin = place + 24
            header = _patched(file, begin, place + 16, "<q", lambda count: count + 24)
            return Samples(begin, length if length > 0 else None, W64, header, reads_on=True)
    return None


def _patched(
    file: SoundFile,
    begin: int,
    place: int,
    size_format: str,
    written: Callable[[int], int] = lambda count: count,
) -> Callable[[int], bytes]:
    """The file's own header with another size at `place`."""

    def header(count: int) -> bytes:
        head = bytearray(read_at(file, 0, begin))
        struct.pack_into(size_format, head, place, written(count))
        return bytes(head)

    return header


def _w64_header(form: bytes, count: int) -> bytes:
    """A header for more samples than a wav's can state; `form` is what a wav says of them."""
    form += bytes(-len(form) % 8)
    described = b"fmt " + W64_TAIL + struct.pack("<q", 24 + len(form)) + form
    data = b"data" + W64_TAIL + struct.pack("<q", 24 + count)
    length = struct.pack("<q", 40 + len(described) + 24 + count)
    return W64_RIFF + length + b"wave" + W64_TAIL + described + data

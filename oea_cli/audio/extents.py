"""Where the samples of a file end, whatever its size fields say.

A size of 32 bits wraps beyond 4 GiB; a recorder that was cut off leaves 0; a program that writes to
a pipe leaves the largest number there is. What follows the samples may be metadata (chunks, tags),
which must not become sound, or sound that the size left out, which must not be lost.
"""

from dataclasses import dataclass

from oea_cli.audio.containers import (
    MAX_CHUNKS,
    UNKNOWN_SIZE,
    Layout,
    Samples,
    begins_container,
    find_samples,
)
from oea_cli.audio.segments import Segment, SoundFile, read_at
from oea_cli.audio.tags import end_without_tags

LEAST_BYTES = 1024  # fewer behind the samples are filling, not sound
SEARCHED_BYTES = 2**20  # metadata behind samples of unknown length lies in so much
TRAILING_CHUNKS = (
    b"LIST", b"id3 ", b"ID3 ", b"bext", b"iXML", b"_PMX", b"cue ", b"smpl", b"inst", b"fact",
    b"PEAK", b"DISP", b"JUNK", b"junk", b"PAD ", b"FLLR", b"cart", b"axml", b"afsp", b"acid",
    b"COMT", b"MARK", b"NAME", b"AUTH", b"(c) ", b"ANNO", b"APPL", b"INST", b"MIDI", b"CHAN",
    b"chna", b"levl", b"plst", b"info", b"strg", b"mark", b"umid", b"uuid", b"free",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Extent:
    """The samples of a file lie from byte `begin` to `end`; its header says `claimed` bytes.

    `claimed` is None where the header does not know. `is_right`: its size leads libsndfile to
    `end`. `next` is where another file of such a kind follows.
    """

    samples: Samples
    end: int
    claimed: int | None
    is_right: bool
    next: int | None = None

    @property
    def length(self) -> int:
        """Bytes of samples."""
        return self.end - self.samples.begin

    def corrected(self, file: SoundFile) -> Segment:
        """The file as it would be with the right size, without what follows the samples."""
        header = self.samples.header(self.length)
        return Segment(file, self.samples.begin, self.end, header)


def find_extent(file: SoundFile, size: int) -> Extent | None:
    """The samples of a file of `size` bytes; None for another container, or one without any."""
    samples = find_samples(file)
    if samples is None or samples.begin > size:
        return None
    claimed = samples.claimed
    if claimed is not None and samples.begin + claimed <= size:
        return _within(file, samples, samples.begin + claimed, size)
    if claimed is not None and samples.corrects and claimed >= UNKNOWN_SIZE:
        claimed = None
    end = _end_of_samples(file, samples, size)
    is_right = end == size and samples.corrects and samples.claimed is not None
    return Extent(samples, end, claimed, is_right)


def _within(file: SoundFile, samples: Samples, claimed_end: int, size: int) -> Extent:
    """The extent where the header states a length that the file has."""
    claimed, end = samples.claimed, claimed_end
    rounding = samples.layout.rounding if samples.layout else 1
    filled = claimed_end + -(claimed or 0) % rounding
    after, follows = _after_chunks(file, samples.layout, filled, size)
    if after == filled and not follows:  # some programs do not round up
        after, follows = _after_chunks(file, samples.layout, claimed_end, size)
    if follows:
        return Extent(samples, end, claimed, False, after)
    if end_without_tags(file, size) - after > LEAST_BYTES:
        end = max(end, _end_of_samples(file, samples, size))
    is_right = end == claimed_end and not (samples.reads_on and end < size)
    return Extent(samples, end, claimed, is_right)


def _after_chunks(
    file: SoundFile, layout: Layout | None, place: int, size: int
) -> tuple[int, bool]:
    """Where the metadata from `place` on ends, and whether another file begins there."""
    for _ in range(MAX_CHUNKS):
        head = read_at(file, place, 40)
        if begins_container(head):
            return place, True
        chunk = layout.read(head) if layout else None
        if (
            layout is None
            or chunk is None
            or not _is_metadata(*chunk, size - place - layout.head_bytes)
        ):
            break
        place += layout.whole(chunk[1])
    return min(place, size), False


def _is_metadata(name: bytes, length: int, left: int) -> bool:
    if name[:4] in TRAILING_CHUNKS:
        return length >= 0
    return all(32 <= byte < 127 for byte in name[:4]) and 0 <= length <= left


def _end_of_samples(file: SoundFile, samples: Samples, size: int) -> int:
    """The end of samples whose length is not known: before tags, and before chunks that lead, one
    by one, to the very end."""
    end = end_without_tags(file, size)
    layout = samples.layout
    start = max(samples.begin, end - SEARCHED_BYTES)
    if layout is None or start >= end:
        return max(samples.begin, end)
    tail = read_at(file, start, end - start)
    first = len(tail)
    reached = {first, first + 1}  # the last chunk may lack its filling
    for place in sorted(_places_of_names(tail), reverse=True):
        chunk = layout.read(tail[place : place + layout.head_bytes])
        if chunk and chunk[1] >= 0 and place + layout.whole(chunk[1]) in reached:
            reached.add(place)
            first = place
    return start + first


def _places_of_names(tail: bytes) -> set[int]:
    found: set[int] = set()
    for name in TRAILING_CHUNKS:
        place = tail.find(name)
        while place >= 0:
            found.add(place)
            place = tail.find(name, place + 1)
    return found

"""Finds sounds that were joined to one file: mp3, ogg, FLAC, wav ... one after the other.

A decoder of one of them stops at its end, or stumbles over the next.
"""

from collections.abc import Iterator

from oea_cli.audio.extents import find_extent
from oea_cli.audio.mpeg import is_mpeg, next_mpeg
from oea_cli.audio.segments import Segment, SoundFile, identity_of, read_at

MAX_PARTS = 100_000
SCANNED_BYTES = 2**20
OGG_FIRST_PAGE = b"OggS\0\x02"  # of a stream; several streams may begin together
OGG_PAGE_BYTES, OGG_LAST_PAGE = 65_307, 0x04  # the largest page; a flag
REMEMBERED = 10_000
_flac_starts_seen: dict[object, list[int]] = {}
FLAC_STREAM = (b"fLaC\0\0\0\x22", b"fLaC\x80\0\0\x22")


def part_starts(file: SoundFile, size: int) -> list[int]:
    """Where the parts of a file of `size` bytes begin; [0] for an ordinary file.

    And [0] for FLAC, whose parts show when a decoder stumbles (`flac_starts`).
    """
    head = read_at(file, 0, 4)
    starts: Iterator[int]
    if head == b"OggS":
        starts = _ogg_starts(file)
    elif is_mpeg(file):
        starts = _mpeg_starts(file, size)
    else:
        starts = _container_starts(file, size)
    return [0, *(start for start, _ in zip(starts, range(MAX_PARTS), strict=False))]


def _mpeg_starts(file: SoundFile, size: int) -> Iterator[int]:
    place: int | None = 0
    while (place := next_mpeg(file, place or 0, size)) is not None:
        yield place


def _container_starts(file: SoundFile, size: int) -> Iterator[int]:
    begin = 0
    while True:
        part = Segment(file, begin, size)
        extent = find_extent(part, size - begin)
        if extent is None or extent.next is None:
            return
        begin += extent.next
        yield begin


def _ogg_starts(file: SoundFile) -> Iterator[int]:
    """A chain's later links: first pages that follow on other pages."""
    after_first = 0
    for place in _found(file, (OGG_FIRST_PAGE,)):
        if place > after_first:
            yield place
        head = read_at(file, place, 27 + 255)
        if len(head) > 26:
            after_first = place + 27 + head[26] + sum(head[27 : 27 + head[26]])


def is_cut_ogg(file: SoundFile, size: int) -> bool:
    """True for an Ogg file whose last page is not marked as the last, or not whole."""
    if read_at(file, 0, 4) != b"OggS":
        return False
    begin = max(0, size - 2 * OGG_PAGE_BYTES)
    tail = read_at(file, begin, 2 * OGG_PAGE_BYTES)
    place = tail.rfind(b"OggS\0")
    head = tail[place:]
    if place < 0 or len(head) < 27:
        return True
    after = 27 + head[26] + sum(head[27 : 27 + head[26]])
    return not head[5] & OGG_LAST_PAGE or after > len(head)


def flac_starts(file: SoundFile) -> list[int]:
    """As `part_starts`, of FLAC; this reads the file, once as long as it stays the same."""
    if read_at(file, 0, 8) not in FLAC_STREAM:
        return [0]
    stamp = identity_of(file)
    if stamp not in _flac_starts_seen:
        starts = _found(file, (FLAC_STREAM[0][:4],))
        found = [place for place in starts if read_at(file, place, 8) in FLAC_STREAM]
        if len(_flac_starts_seen) >= REMEMBERED:
            _flac_starts_seen.clear()
        _flac_starts_seen[stamp] = found
    return _flac_starts_seen[stamp]


def _found(file: SoundFile, marks: tuple[bytes, ...]) -> Iterator[int]:
    """The places of any of the marks, which are equally long, in order."""
    overlap = len(marks[0]) - 1
    start, content = 0, read_at(file, 0, SCANNED_BYTES)
    while len(content) > overlap:
        yield from sorted(start + place for mark in marks for place in _places(content, mark))
        start += len(content) - overlap
        content = read_at(file, start, SCANNED_BYTES)


def _places(content: bytes, mark: bytes) -> Iterator[int]:
    place = content.find(mark)
    while place >= 0:
        yield place
        place = content.find(mark, place + 1)

"""Where an mp3 ends that its first frame counts: what follows is another mp3, joined to it.

The first frame of most mp3 files is no sound but a count (Xing, Info, VBRI); libsndfile stops where
it does. Files that were joined byte by byte hold one such frame each.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from oea_cli.audio.segments import SoundFile, read_at
from oea_cli.audio.tags import end_without_tags, tag_length

BITRATES = {  # kbit/s by (version 1, layer)
    (True, 1): (0, 32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448),
    (True, 2): (0, 32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384),
    (True, 3): (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    (False, 1): (0, 32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256),
    (False, 2): (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
    (False, 3): (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}
RATES = (44_100, 48_000, 32_000)
LEAST_COUNT_BYTES = 56  # up to the end of either count
LEAST_FRAMES = 4  # fewer that follow were miscounted; they are padding
READ_BYTES = 2**16


@dataclass(frozen=True, slots=True)
class Frame:
    """The header of an mpeg frame: its length in bytes, and where a count of frames would be."""

    length: int
    count_place: int


@dataclass(frozen=True, slots=True)
class Count:
    """What the first frame counts: frames after it, bytes from it on if it knows; and its size."""

    frames: int
    num_bytes: int | None
    frame_bytes: int


def frame_at(head: bytes) -> Frame | None:
    """The frame that begins with these four bytes; None for anything else."""
    if len(head) < 4 or head[0] != 0xFF or head[1] & 0xE0 != 0xE0:
        return None
    version, layer = head[1] >> 3 & 3, 4 - (head[1] >> 1 & 3)
    bits, rate = head[2] >> 4, head[2] >> 2 & 3
    if version == 1 or layer == 4 or bits in (0, 15) or rate == 3:
        return None
    is_first = version == 3
    hertz = RATES[rate] >> (0 if is_first else 1 if version == 2 else 2)
    padding = head[2] >> 1 & 1
    kilobits = BITRATES[is_first, layer][bits]
    if layer == 1:
        length = (12_000 * kilobits // hertz + padding) * 4
    else:
        length = (72_000 if layer == 3 and not is_first else 144_000) * kilobits // hertz + padding
    is_mono = head[3] >> 6 == 3
    side = (17 if is_mono else 32) if is_first else (9 if is_mono else 17)
    return Frame(length, 4 + side)


def next_mpeg(file: SoundFile, begin: int, size: int) -> int | None:
    """The first frame of the mp3 that follows the one at `begin`, in a file of `size` bytes; None
    where that is the last one."""
    first = _first_frame(file, begin)
    count = None if first is None else _count_at(file, first)
    if first is None or count is None:
        return None
    end = end_without_tags(file, size)
    if count.num_bytes and end - first - count.num_bytes < LEAST_FRAMES * count.frame_bytes:
        return None  # nearly always
    place = _after_frames(file, first, count.frames + 1)
    return None if place is None else _found_again(file, place, end)


def is_mpeg(file: SoundFile) -> bool:
    """True for a file that begins like an mp3."""
    return _first_frame(file, 0) is not None


def _first_frame(file: SoundFile, place: int) -> int | None:
    for _ in range(8):
        head = read_at(file, place, 24)
        length = tag_length(head)
        if not length:
            return place if frame_at(head) else None
        place += length
    return None


def _count_at(file: SoundFile, place: int) -> Count | None:
    head = read_at(file, place, 256)
    frame = frame_at(head)
    if frame is None or len(head) < LEAST_COUNT_BYTES:
        return None
    mark = frame.count_place
    if head[mark : mark + 4] in (b"Xing", b"Info"):
        flags = head[mark + 7]
        if not flags & 1:
            return None
        frames, num_bytes = head[mark + 8 : mark + 12], head[mark + 12 : mark + 16]
        known = int.from_bytes(num_bytes) if flags & 2 else None
        return Count(int.from_bytes(frames), known, frame.length)
    if head[36:40] == b"VBRI":
        frames, num_bytes = head[50:54], head[46:50]
        return Count(int.from_bytes(frames), int.from_bytes(num_bytes), frame.length)
    return None


def _after_frames(file: SoundFile, place: int, count: int) -> int | None:
    """Where `count` frames from `place` on end; None where there are fewer."""
    for number, after in enumerate(_frame_ends(file, place), 1):
        if number == count:
            return after
    return None


def _frame_ends(file: SoundFile, place: int) -> Iterator[int]:
    start, content = place, b""
    while True:
        if place - start + 4 > len(content):
            start, content = place, read_at(file, place, READ_BYTES)
        frame = frame_at(content[place - start : place - start + 4])
        if frame is None:
            return
        place += frame.length
        yield place


def _found_again(file: SoundFile, place: int, end: int) -> int | None:
    """The first of enough frames behind `place`, behind whatever tag; None where none follow."""
    first = _first_frame(file, place)
    if first is not None and _holds_frames(file, first, end):
        return first
    content = read_at(file, place, min(READ_BYTES, end - place))
    at = content.find(b"\xff")
    while at >= 0:
        if frame_at(content[at : at + 4]) and _holds_frames(file, place + at, end):
            return place + at
        at = content.find(b"\xff", at + 1)
    return None


def _holds_frames(file: SoundFile, first: int, end: int) -> bool:
    """True where enough frames from `first` on lie before `end`."""
    ends = zip(range(LEAST_FRAMES), _frame_ends(file, first), strict=False)
    return sum(after <= end for _, after in ends) == LEAST_FRAMES

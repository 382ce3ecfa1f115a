"""From a source to windows: decodes, mixes, resamples and cuts in one stream."""

import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import BinaryIO

import numpy as np
import soxr

from oea_cli.audio import ffmpeg, libsndfile
from oea_cli.audio.libsndfile import ChannelsChangeError, Sound, UndecodableError
from oea_cli.audio.sources import AudioError, Notice, Source, open_source

SLACK_SECONDS = 0.1
"""A clip may be this much longer than a window and still be one: a 10 s clip that went through an
mp3 or aac encoder has up to 0.1 s of padding, and should stay one clip."""


@dataclass(frozen=True)
class Window:
    """A stretch of a sound: seconds from the file's start, and (n,) mono float32 samples."""

    start: float
    end: float
    samples: np.ndarray


def read_windows(
    source: Source,
    sample_rate: int,
    max_seconds: float,
    *,
    start: float | None = None,
    end: float | None = None,
    notice: Notice | None = None,
) -> Iterator[Window]:
    """Yield the sound, or its section from `start` to `end` seconds, in windows of `max_seconds`.

    A clip that is not longer (by more than 0.1 s) is one window. A longer one becomes consecutive
    windows, the last of which ends with the clip and overlaps its neighbour. The same source
    always gives the same samples. `notice` is called for a file that ends before its header
    says.
    Raises AudioError for anything that cannot be used, also after some windows.
    """
    first_second = _checked_section(start, end)
    length = round(max_seconds * sample_rate)
    slack = round(SLACK_SECONDS * sample_rate)
    with open_source(source) as file:
        chunks = _resampled(file, sample_rate, first_second, end, notice or _ignore)
        for first, samples in _cut(chunks, length, slack):
            begin = first_second + first / sample_rate
            yield Window(begin, begin + len(samples) / sample_rate, samples)


def windows_of(
    samples: np.ndarray, rate: int, sample_rate: int, max_seconds: float
) -> Iterator[Window]:
    """As `read_windows`, of (n,) mono float32 samples at `rate`: the same windows as out of a file.

    Raises AudioError where there are none, or where they are not finite.
    """
    if not len(samples):
        raise AudioError("no sound in it (0 frames)")
    if not np.isfinite(samples).all():
        raise AudioError("holds NaN or infinity")
    chunks = _convert(iter([samples]), rate, sample_rate)
    length, slack = round(max_seconds * sample_rate), round(SLACK_SECONDS * sample_rate)
    for first, part in _cut(chunks, length, slack):
        yield Window(first / sample_rate, (first + len(part)) / sample_rate, part)


def read_audio(source: Source, sample_rate: int) -> np.ndarray:
    """The whole sound as (n,) mono float32; raises AudioError for one that cannot be used."""
    with open_source(source) as file:
        return np.concatenate(list(_resampled(file, sample_rate, 0.0, None, _ignore)))


def _resampled(
    file: BinaryIO, sample_rate: int, start: float, end: float | None, notice: Notice
) -> Iterator[np.ndarray]:
    """Chunks at `sample_rate`, at least one sample in all. Their size depends only on the file, and
    their content does not depend on their size: soxr streams bit-exactly."""
    with _open_sound(file, start) as sound:
        blocks = _until(_followed(file, sound, notice), sound, start, end, notice)
        total = 0
        for chunk in _convert(blocks, sound.sample_rate, sample_rate):
            total += len(chunk)
            yield chunk
        if not sound.frames_read:
            raise AudioError("contains no sound (0 frames)")
        if not total:
            yield np.zeros(1, np.float32)  # fewer frames than one sample at the encoder's rate


@contextmanager
def _open_sound(file: BinaryIO, start: float) -> Iterator[Sound]:
    """Open by libsndfile where possible, so that vectors do not depend on installed extras."""
    try:
        sound = libsndfile.open_sound(file, start)
    except UndecodableError as error:
        if not ffmpeg.knows(file):
            raise
        if not ffmpeg.is_installed():
            raise AudioError(f"{error}; to read more formats: {ffmpeg.INSTALL}") from error
        sound = ffmpeg.open_sound(file, start=start)
    try:
        yield sound
    finally:
        close = getattr(sound.blocks, "close", None)
        if close is not None:
            close()


def _followed(file: BinaryIO, sound: Sound, notice: Notice) -> Iterator[np.ndarray]:
    """The sound's blocks; where libsndfile stops within a valid file, PyAV goes on if installed."""
    try:
        yield from sound.blocks
    except ChannelsChangeError as change:
        if ffmpeg.is_installed():
            rest = ffmpeg.open_sound(file, skip_frames=change.at)
            yield from rest.blocks
            sound.frames_read = rest.frames_read
            return
        seconds = change.at / sound.sample_rate
        notice(
            f"{change} after {seconds:.2f} s; used up to there ({ffmpeg.INSTALL} to read it all)"
        )


def _until(
    blocks: Iterator[np.ndarray], sound: Sound, start: float, end: float | None, notice: Notice
) -> Iterator[np.ndarray]:
    """The blocks up to `end` seconds; calls `notice` for a sound that ends too early."""
    rate = sound.sample_rate
    first = round(start * rate)
    needed = math.inf if end is None else max(1, round(end * rate) - first)
    taken = 0
    for block in blocks:
        part = block[: int(min(len(block), needed - taken))]
        taken += len(part)
        yield part
        if taken >= needed:
            return
    seconds = sound.frames_read / rate
    if not taken and sound.frames_read:
        raise AudioError(
            f"the section starts at {start:g} s, but the sound ends after {seconds:.2f} s"
        )
    promised = (sound.declared or 0) if end is None else first + needed
    tolerance = 0.01 if sound.exact else 0.1
    if promised - sound.frames_read > max(tolerance * promised, 0.1 * rate):
        notice(f"ends after {seconds:.2f} of {promised / rate:.2f} s; used up to its end")


def _convert(blocks: Iterator[np.ndarray], rate: int, sample_rate: int) -> Iterator[np.ndarray]:
    if rate == sample_rate:
        yield from blocks
        return
    stream = soxr.ResampleStream(rate, sample_rate, 1, dtype="float32", quality="HQ")
    for block in blocks:
        yield stream.resample_chunk(block)
    yield stream.resample_chunk(np.empty(0, np.float32), last=True)


def _cut(chunks: Iterator[np.ndarray], length: int, slack: int) -> Iterator[tuple[int, np.ndarray]]:
    """(first sample, samples) of windows of `length` samples, the last one up to `slack` longer."""
    held: list[np.ndarray] = []
    previous = np.empty(0, np.float32)
    first = count = 0
    for chunk in chunks:
        held.append(chunk)
        count += len(chunk)
        while count > length + slack:
            joined = np.concatenate(held)
            previous = joined[:length]
            yield first, previous
            held = [joined[length:]]
            first += length
            count -= length
    rest = np.concatenate([previous, *held])
    size = count if not first else max(count, length)
    yield first + count - size, rest[len(rest) - size :]


def _checked_section(start: float | None, end: float | None) -> float:
    for name, value in (("start", start), ("end", end)):
        if value is not None and not (math.isfinite(value) and value >= 0):
            raise AudioError(f"'{name}' must be a number of seconds, 0 or more; got {value}")
    if end is not None and end <= (start or 0.0):
        raise AudioError(f"the section must end after its start at {start or 0:g} s; got {end:g} s")
    return start or 0.0


def _ignore(_: str) -> None:
    pass

"""From a source to windows: decodes, mixes, resamples and cuts in one stream."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

import numpy as np
import soxr

from oea_cli.audio.channels import LOUD, Mixer
from oea_cli.audio.libsndfile import Sound
from oea_cli.audio.opening import open_sound
from oea_cli.audio.sources import AudioError, Notice, Source, open_source
from oea_cli.records.sections import parse_channel

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
    channel: object = "mix",
    notice: Notice | None = None,
) -> Iterator[Window]:
    """Yield the sound, or its section from `start` to `end` seconds, in windows of `max_seconds`.

    A clip that is not longer (by more than 0.1 s) is one window. A longer one becomes consecutive
    windows, the last of which ends with the clip and overlaps its neighbour. The same source
    always gives the same samples. `channel` is "mix", "left", "right" or a number from 1.
    `notice` is called for a sound that is used although its header is wrong, its channels cancel or
    its samples are far beyond full scale.
    Raises AudioError for anything that cannot be used, also after some windows.
    """
    first_second = _checked_section(start, end)
    mixer = _mixer(channel)
    length = round(max_seconds * sample_rate)
    slack = round(SLACK_SECONDS * sample_rate)
    with open_source(source) as file:
        chunks = _resampled(file, sample_rate, (first_second, end), mixer, notice or _ignore)
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
        return np.concatenate(list(_resampled(file, sample_rate, (0.0, None), Mixer(), _ignore)))


def _resampled(
    file: BinaryIO,
    sample_rate: int,
    section: tuple[float, float | None],
    mixer: Mixer,
    notice: Notice,
) -> Iterator[np.ndarray]:
    """Chunks at `sample_rate`, at least one sample in all. Their size depends only on the file, and
    their content does not depend on their size: soxr streams bit-exactly."""
    start, end = section
    with open_sound(file, start, mixer, notice) as sound:
        blocks = _until(sound, start, end, notice)
        total = 0
        for chunk in _convert(blocks, sound.sample_rate, sample_rate):
            total += len(chunk)
            yield chunk
        if not sound.frames_read:
            raise AudioError("contains no sound (0 frames)")
        if not total:
            yield np.zeros(1, np.float32)  # fewer frames than one sample at the encoder's rate
    if mixer.cancels:
        notice("its channels cancel in the mix, which is near silence; --channel left takes one")
    if mixer.peak > LOUD:
        notice(f"its samples reach {mixer.peak:.3g}, far beyond 1; are they integers, not scaled?")


def _until(sound: Sound, start: float, end: float | None, notice: Notice) -> Iterator[np.ndarray]:
    """The blocks up to `end` seconds; calls `notice` where a length that was stated is wrong."""
    rate = sound.sample_rate
    first = round(start * rate)
    needed = math.inf if end is None else max(1, round(end * rate) - first)
    taken = 0
    for block in sound.blocks:
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
    allowed = max((0.01 if sound.exact else 0.1) * promised, 0.1 * rate)
    if promised - sound.frames_read > allowed:
        notice(f"ends after {seconds:.2f} of {promised / rate:.2f} s; used up to its end")
    elif sound.is_cut:
        notice(f"is cut off after {seconds:.2f} s; used up to its end")
    elif sound.exact and 0 < promised < sound.frames_read - allowed:
        notice(f"its header says {promised / rate:.2f} s; read to its end, {seconds:.2f} s")


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


def _mixer(channel: object) -> Mixer:
    try:
        return Mixer(parse_channel(channel))
    except ValueError as error:
        raise AudioError(f"'channel' {error}") from error


def _ignore(_: str) -> None:
    pass

"""Opens a sound with the decoder that knows it, whatever its header says and its parts are."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO

import numpy as np

from oea_cli.audio import ffmpeg, libsndfile
from oea_cli.audio.channels import Mixer
from oea_cli.audio.libsndfile import BrokenError, ChannelsChangeError, Sound, UndecodableError
from oea_cli.audio.parts import flac_starts, is_cut_ogg, part_starts
from oea_cli.audio.segments import Segment, SoundFile, size_of
from oea_cli.audio.sources import AudioError, Notice


@contextmanager
def open_sound(file: BinaryIO, start: float, mixer: Mixer, notice: Notice) -> Iterator[Sound]:
    """Open at `start` seconds. Sounds of one rate that were joined to one file are one sound.

    Raises AudioError for what cannot be decoded.
    """
    # Seeking in one of several FLACs would lead into another.
    starts = flac_starts(file) if start else [0]
    if len(starts) == 1:
        starts = part_starts(file, size_of(file))
    if len(starts) == 1:
        sound = _open_part(file, start, mixer)
        blocks = _followed(file, sound, sound.blocks, mixer, notice)
        sound.blocks = _beyond_breaks(file, sound, blocks, start, mixer, notice)
    else:
        sound = _joined(_parts(file, starts), start, mixer, notice)
    sound.is_cut = is_cut_ogg(file, size_of(file))
    try:
        yield sound
    finally:
        _close(sound)


def _open_part(file: SoundFile, start: float, mixer: Mixer) -> Sound:
    """Open by libsndfile where possible, so that vectors do not depend on installed extras."""
    try:
        return libsndfile.open_sound(file, mixer, start)
    except UndecodableError as error:
        if not ffmpeg.knows(file):
            raise
        if not ffmpeg.is_installed():
            raise AudioError(f"{error}; to read more formats: {ffmpeg.INSTALL}") from error
        return ffmpeg.open_sound(file, mixer, start=start)


def _followed(
    file: SoundFile,
    sound: Sound,
    blocks: Iterator[np.ndarray],
    mixer: Mixer,
    notice: Notice,
) -> Iterator[np.ndarray]:
    """The sound's blocks; where libsndfile stops within a valid file, PyAV goes on if installed."""
    try:
        yield from blocks
    except ChannelsChangeError as change:
        if ffmpeg.is_installed():
            rest = ffmpeg.open_sound(file, mixer, skip_frames=change.at)
            yield from rest.blocks
            sound.frames_read = rest.frames_read
            return
        seconds = change.at / sound.sample_rate
        notice(
            f"{change} after {seconds:.2f} s; used up to there ({ffmpeg.INSTALL} to read it all)"
        )


def _beyond_breaks(
    file: SoundFile,
    sound: Sound,
    blocks: Iterator[np.ndarray],
    start: float,
    mixer: Mixer,
    notice: Notice,
) -> Iterator[np.ndarray]:
    """The blocks; where a decoder stumbles over the next of several joined FLACs, all of them."""
    try:
        yield from blocks
    except BrokenError as broken:
        starts = flac_starts(file)
        if len(starts) == 1:
            raise
        done = max(start, broken.at / sound.sample_rate)
        rest = _joined(_parts(file, starts), done, mixer, notice)
        yield from rest.blocks
        sound.frames_read, sound.declared = rest.frames_read, rest.declared


def _parts(file: SoundFile, starts: list[int]) -> list[Segment]:
    edges = zip(starts, [*starts[1:], size_of(file)], strict=True)
    return [Segment(file, begin, end) for begin, end in edges]


def _joined(parts: list[Segment], start: float, mixer: Mixer, notice: Notice) -> Sound:
    first = _open_part(parts[0], 0.0, mixer)
    sound = Sound(first.sample_rate, None, exact=False)
    sound.blocks = _after(_one_by_one(parts, first, sound, mixer, notice), sound, start)
    return sound


def _one_by_one(
    parts: list[Segment], opened: Sound, whole: Sound, mixer: Mixer, notice: Notice
) -> Iterator[np.ndarray]:
    """The blocks of all parts, each opened when it is due; the first one is."""
    declared = 0
    for number, part in enumerate(parts):
        if number:
            following = _next(part, whole, mixer, notice)
            if following is None:
                return
            opened = following
        try:
            for block in _followed(part, opened, opened.blocks, mixer, notice):
                whole.frames_read += len(block)
                yield block
        finally:
            _close(opened)
        declared += max(opened.declared or 0, opened.frames_read)
        whole.declared = declared


def _next(part: Segment, whole: Sound, mixer: Mixer, notice: Notice) -> Sound | None:
    seconds = whole.frames_read / whole.sample_rate
    try:
        opened = _open_part(part, 0.0, mixer)
    except AudioError as error:
        notice(f"what follows after {seconds:.2f} s {error}; used up to there")
        return None
    if opened.sample_rate == whole.sample_rate:
        return opened
    _close(opened)
    notice(
        f"its sample rate changes from {whole.sample_rate} to {opened.sample_rate} Hz after "
        f"{seconds:.2f} s; used up to there"
    )
    return None


def _after(blocks: Iterator[np.ndarray], sound: Sound, start: float) -> Iterator[np.ndarray]:
    skip = round(start * sound.sample_rate)
    for block in blocks:
        first = sound.frames_read - len(block)
        if sound.frames_read > skip:
            yield block[max(0, skip - first) :]


def _close(sound: Sound) -> None:
    close = getattr(sound.blocks, "close", None)
    if close is not None:
        close()

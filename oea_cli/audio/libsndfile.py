"""Decoding by libsndfile: mono blocks of a file, whatever its header says."""

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial

import numpy as np
import soundfile

from oea_cli.audio.channels import Mixer
from oea_cli.audio.extents import Extent, find_extent
from oea_cli.audio.rates import wrong_rate
from oea_cli.audio.segments import Segment, SoundFile, size_of
from oea_cli.audio.sources import AudioError

UNKNOWN_LENGTH = 2**62  # a FLAC without a number of frames claims 2**63 - 1
# Python's lock is held between blocks: in small ones sixteen threads read no more than one does.
BLOCK_SAMPLES = 65_536
FLAC_FRAME_SAMPLES = 4_096
NOT_RECOGNISED, CHANNELS_CHANGED = 1, 160  # libsndfile's error codes
NO_MPEG_FRAMES = "File does not exist or is not a regular file"


class UndecodableError(AudioError):
    """libsndfile cannot open this; another decoder might."""


class ChannelsChangeError(AudioError):
    """The file is valid, but libsndfile cannot follow it from frame `at` on."""

    def __init__(self, at: int) -> None:
        super().__init__("the number of channels changes")
        self.at = at


class BrokenError(AudioError):
    """Decoding failed after `at` frames."""

    def __init__(self, text: str, at: int) -> None:
        super().__init__(text)
        self.at = at


class _SoundFile(soundfile.SoundFile):  # type: ignore[misc]  # soundfile has no types
    """A SoundFile that reads straight on.

    soundfile seeks after every read where it can. That costs time, and where the length is unknown
    the seek at the end fails and takes the last block with it.
    """

    def seekable(self) -> bool:
        return False


@dataclass
class Sound:
    """An opened sound: its rate in hertz and what it claims its length to be, in frames.

    `blocks` are mono float32, one after the other; `frames_read` counts what they held so far.
    """

    sample_rate: int
    declared: int | None
    exact: bool  # the header states a length; for mp3 it is often an estimate
    is_cut: bool = field(default=False, kw_only=True)  # its end is missing, however much that was
    blocks: Iterator[np.ndarray] = field(default_factory=lambda: iter(()))
    frames_read: int = 0


def open_sound(file: SoundFile, mixer: Mixer, start: float = 0.0) -> Sound:
    """Open a file that libsndfile knows, at `start` seconds.

    Raises UndecodableError for a format it does not know, AudioError for an impossible sample rate.
    """
    extent = find_extent(file, size_of(file))
    whole = file if extent is None or extent.is_right else extent.corrected(file)
    opened = _open(whole)
    if problem := wrong_rate(opened.samplerate):
        opened.close()
        raise AudioError(problem)
    declared = _declared_frames(opened, extent)
    sound = Sound(opened.samplerate, declared, exact=opened.format != "MP3")
    skip = round(start * opened.samplerate)
    sound.blocks = _blocks(opened, partial(_open, whole), sound, mixer, skip)
    return sound


def _open(file: SoundFile) -> _SoundFile:
    """Open by descriptor, so that no suffix decides; only an mp3 may need its name."""
    try:
        if isinstance(file, Segment):
            file.seek(0)
            return _SoundFile(file, "r")
        os.lseek(file.fileno(), 0, os.SEEK_SET)
        return _SoundFile(file.fileno(), "r", closefd=False)
    except soundfile.LibsndfileError as error:
        failure = error
    name = "" if isinstance(file, Segment) else str(file.name)
    if failure.code == NOT_RECOGNISED and name.lower().endswith(".mp3"):
        try:
            return _SoundFile(name, "r")
        except soundfile.LibsndfileError as error:
            failure = error
    raise UndecodableError(f"cannot be decoded ({_reason(failure)})") from failure


def _blocks(
    opened: _SoundFile, reopen: Callable[[], _SoundFile], sound: Sound, mixer: Mixer, skip: int
) -> Iterator[np.ndarray]:
    is_at = bool(skip) and sound.declared is not None and _seek(opened, skip)
    try:
        try:
            yield from _mono(opened, sound, mixer, skip, skip if is_at else 0, BLOCK_SAMPLES)
        except soundfile.LibsndfileError:
            if opened.format != "FLAC":
                raise
            # It fails in the middle, and libsndfile forgets what it had decoded of the block: the
            # file is read again, in blocks of about its own frames.
            skip = max(skip, sound.frames_read)
            yield from _mono(reopen(), sound, mixer, skip, 0, FLAC_FRAME_SAMPLES)
    except soundfile.LibsndfileError as error:
        raise _broken(error, sound) from error


def _mono(
    opened: _SoundFile, sound: Sound, mixer: Mixer, skip: int, at: int, size: int
) -> Iterator[np.ndarray]:
    """What comes after `skip` frames of a file that is opened at frame `at`."""
    with opened:
        sound.frames_read = at
        block = np.empty((max(256, size // opened.channels), opened.channels), np.float32)
        while len(frames := opened.read(out=block)):
            first = sound.frames_read
            sound.frames_read += len(frames)
            if sound.frames_read > skip:
                kept = frames[max(0, skip - first) :]
                yield mixer.mono(kept, first / sound.sample_rate)


def _seek(opened: _SoundFile, frame: int) -> bool:
    try:
        return bool(opened.seek(frame) == frame)
    except soundfile.LibsndfileError:
        return False  # reading and dropping frames works, too


def _declared_frames(opened: _SoundFile, extent: Extent | None) -> int | None:
    """What the header claims; libsndfile tells what it reads."""
    if not 0 < opened.frames < UNKNOWN_LENGTH:
        return None
    if extent is None or not extent.length:
        return int(opened.frames)
    return None if extent.claimed is None else int(opened.frames * extent.claimed / extent.length)


def _broken(error: soundfile.LibsndfileError, sound: Sound) -> AudioError:
    if error.code == CHANNELS_CHANGED and sound.frames_read:
        return ChannelsChangeError(sound.frames_read)
    seconds = sound.frames_read / sound.sample_rate
    return BrokenError(f"broken after {seconds:.2f} s ({_reason(error)})", sound.frames_read)


def _reason(error: soundfile.LibsndfileError) -> str:
    text = str(error.error_string).strip().rstrip(".")
    if text.startswith(NO_MPEG_FRAMES):
        return "contains no sound; is it a broken or cut-off mp3?"
    return text.removeprefix("Error : ").strip()

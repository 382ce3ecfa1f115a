"""Sounds for a browser: the file itself where browsers can play it, otherwise converted to wav.

Only files that decode as sounds are ever sent.
"""

import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import soundfile

from oea_cli.audio.sources import AudioError
from oea_cli.audio.windows import read_windows
from oea_cli.records.addresses import is_remote
from oea_cli.web.spectrogram import Picture, picture_of

CHUNK_SECONDS = 30.0
CONVERTED_RATE = 44_100
MEDIA_TYPES = {"WAV": "audio/wav", "FLAC": "audio/flac", "OGG": "audio/ogg", "MP3": "audio/mpeg"}
PLAYABLE = {
    ("WAV", "PCM_U8"),
    ("WAV", "PCM_16"),
    ("FLAC", "PCM_16"),
    ("FLAC", "PCM_24"),
    ("OGG", "VORBIS"),
    ("OGG", "OPUS"),
    ("MP3", "MPEG_LAYER_III"),
}
"""Format and encoding, in libsndfile's names, of what every current browser plays."""
PLAYABLE_RATES = range(8_000, 96_001)
KEPT = 32
"""How many converted sounds stay on disk; an older one is converted again when it is requested."""


@dataclass(frozen=True)
class Sound:
    """A sound file, or its section from `start` to `end` seconds."""

    path: str
    start: float | None = None
    end: float | None = None
    channel: str = "mix"

    def chunks(self, sample_rate: int) -> Iterator[np.ndarray]:
        """The sound as consecutive (n,) mono float32 chunks; raises AudioError."""
        if not is_remote(self.path) and Path(self.path).exists() and not Path(self.path).is_file():
            raise AudioError("is not a file")  # opening a pipe would block
        done = self.start or 0.0
        windows = read_windows(
            self.path,
            sample_rate,
            CHUNK_SECONDS,
            start=self.start,
            end=self.end,
            channel=self.channel,
        )
        for window in windows:  # the last one overlaps the one before
            yield window.samples[max(0, round((done - window.start) * sample_rate)) :]
            done = window.end


@dataclass(frozen=True)
class Playable:
    """A file to be sent, and its media type."""

    path: Path
    media_type: str


class PageSounds:
    """The sounds of a page by their numbers, and a folder for those that had to be converted."""

    def __init__(self, sounds: Sequence[Sound], folder: Path) -> None:
        self._sounds, self._folder = list(sounds), folder
        self._converted: dict[int, Path] = {}
        self._lock = threading.Lock()
        self.picture = lru_cache(64)(self._picture)

    def __len__(self) -> int:
        return len(self._sounds)

    def playable(self, number: int, *, convert: bool = False) -> Playable:
        """The file of a sound; with `convert`, always as 16-bit wav. Raises AudioError."""
        sound = self._sounds[number]
        media_type = None if convert else _media_type(sound)
        if media_type:
            return Playable(Path(sound.path), media_type)
        with self._lock:
            return Playable(self._as_wav(number, sound), "audio/wav")

    def _picture(self, number: int) -> Picture:
        """The spectrogram of a sound; raises AudioError."""
        return picture_of(self._sounds[number].chunks)

    def _as_wav(self, number: int, sound: Sound) -> Path:
        if number not in self._converted:
            path = self._folder / f"{number}.wav"
            _write_wav(sound, path)
            self._converted[number] = path
            if len(self._converted) > KEPT:
                oldest = next(iter(self._converted))
                self._converted.pop(oldest).unlink(missing_ok=True)
        return self._converted[number]


def _media_type(sound: Sound) -> str | None:
    """The media type of a file that browsers play as it is, None for any other."""
    is_part = (sound.start, sound.end, sound.channel) != (None, None, "mix")
    if is_part or is_remote(sound.path):
        return None
    try:
        if not Path(sound.path).is_file():
            return None
        info = soundfile.info(sound.path)
    except (OSError, ValueError, soundfile.LibsndfileError):
        return None
    known = (info.format, info.subtype) in PLAYABLE and info.channels <= 2
    return MEDIA_TYPES[info.format] if known and info.samplerate in PLAYABLE_RATES else None


def _write_wav(sound: Sound, path: Path) -> None:
    """Write the sound as 16-bit wav, scaled down where a sample is above full scale."""
    peak = max(float(np.abs(chunk).max(initial=0)) for chunk in sound.chunks(CONVERTED_RATE))
    scale = np.float32(1 / max(peak, 1.0))
    with soundfile.SoundFile(path, "w", CONVERTED_RATE, 1, "PCM_16", format="WAV") as file:
        for chunk in sound.chunks(CONVERTED_RATE):
            file.write(chunk * scale)

"""Sound in: any source -> mono float32 at the encoder's rate, cut into windows.

libsndfile decodes; what it cannot decode (m4a, webm, wma and the like) goes through PyAV where the
extra `oea[formats]` is installed. soxr resamples. Everything streams: memory depends on the length
of a window, never on the length of a file or on what its header claims.
"""

from oea_cli.audio.sources import AudioError, Notice, Source
from oea_cli.audio.windows import Window, read_audio, read_windows

AUDIO_SUFFIXES = frozenset(
    {
        ".wav", ".wave", ".w64", ".rf64", ".flac", ".ogg", ".oga", ".opus", ".mp3",
        ".aif", ".aiff", ".aifc", ".au", ".snd", ".caf",
        # through PyAV
        ".m4a", ".m4b", ".mp4", ".aac", ".wma", ".webm", ".mka", ".spx", ".amr", ".ac3",
    }
)  # fmt: skip
"""What counts as a sound file when a folder is read; files named one by one may have any suffix."""

__all__ = [
    "AUDIO_SUFFIXES",
    "AudioError",
    "Notice",
    "Source",
    "Window",
    "read_audio",
    "read_windows",
]

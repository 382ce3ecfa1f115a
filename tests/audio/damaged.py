"""Sounds with headers that lie: made by code, each the smallest that shows what it should."""

import io
import struct
from collections.abc import Sequence

import numpy as np
import soundfile

RATE = 16_000


def tone(seconds: float, hz: float = 440.0) -> np.ndarray:
    """(n,) float32, its samples exact in 16 bits."""
    time = np.arange(round(seconds * RATE)) / RATE
    samples: np.ndarray = np.round(0.4 * np.sin(2 * np.pi * hz * time) * 32768) / 32768
    return samples.astype(np.float32)


def encoded(samples: np.ndarray, format: str, subtype: str | None = None) -> bytes:
    """A whole file of that format."""
    stream = io.BytesIO()
    soundfile.write(stream, samples, RATE, format=format, subtype=subtype)
    return stream.getvalue()


def with_size(content: bytes, size: int) -> bytes:
    """The file with `size` in the field that says how many bytes of samples it has."""
    place, form = _size_field(content)
    bits = 8 * struct.calcsize(form)
    return content[:place] + struct.pack(form, size % 2**bits) + content[place + bits // 8 :]


def _size_field(content: bytes) -> tuple[int, str]:
    if content[:4] == b"RF64":
        return content.index(b"ds64") + 16, "<Q"
    if content[:4] == b"riff":
        return content.index(b"data\xf3") + 16, "<Q"
    if content[:4] == b".snd":
        return 8, ">I"
    if content[:4] == b"caff":
        return content.index(b"data") + 4, ">Q"
    if content[:4] == b"FORM":
        return content.index(b"SSND") + 4, ">I"
    return content.index(b"data") + 4, "<I"


def chunk(name: bytes, body: bytes, form: str = "<I") -> bytes:
    """A chunk of metadata as wav (or, with ">I", AIFF) has it behind the samples."""
    return name + struct.pack(form, len(body)) + body + bytes(len(body) % 2)


def joined(parts: Sequence[bytes]) -> bytes:
    """What `cat` makes of them."""
    return b"".join(parts)

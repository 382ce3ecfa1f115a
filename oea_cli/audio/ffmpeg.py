"""Decoding by PyAV, for containers that libsndfile does not read; an extra, loaded when needed."""

import importlib.util
from collections.abc import Iterator
from typing import Any

import numpy as np

from oea_cli.audio.channels import Mixer
from oea_cli.audio.containers import is_wave
from oea_cli.audio.extents import find_extent
from oea_cli.audio.libsndfile import Sound
from oea_cli.audio.rates import wrong_rate
from oea_cli.audio.segments import Segment, SoundFile, read_at, size_of
from oea_cli.audio.sources import AudioError

# Only files that begin like an audio container are passed to FFmpeg: it would also open playlists
# and scripts, which name other files and addresses.
SIGNATURES = (
    (4, b"ftyp"),  # mp4, m4a, 3gp, mov
    (0, b"\x1a\x45\xdf\xa3"),  # webm, mka
    (0, b"\x30\x26\xb2\x75"),  # wma
    # Containers that libsndfile knows, with a codec that it does not know: AC-3 or G.726 in wav,
    # ALAC in CAF, Speex or FLAC in Ogg; and sample sizes that it does not know.
    (0, b"RIFF"),
    (0, b"RIFX"),
    (0, b"RF64"),
    (0, b"BW64"),
    (0, b"riff\x2e\x91\xcf\x11"),
    (0, b"FORM"),
    (0, b"caff"),
    (0, b".snd"),
    (0, b"OggS"),
    (0, b"fLaC"),
    (0, b"Creative Voice File"),
    (0, b"#!AMR"),
    (0, b"\x0b\x77"),  # ac3
    (0, b"\xff\xf1"),  # aac
    (0, b"\xff\xf9"),
    (0, b"\x7f\xfe\x80\x01"),  # dts
    (0, b"wvpk"),  # WavPack
    (0, b"TTA1"),
    (0, b"MAC "),  # Monkey's Audio
    (0, b"MPCK"),  # Musepack
    (0, b"MP+"),
    (0, b"tBaK"),  # TAK
    (0, b"DSD "),
    (0, b".RMF"),
    (0, b"FLV\x01"),
    (0, b"\x00\x00\x01\xba"),  # mpeg
)
TRANSPORT_STREAMS = ((0, 188), (4, 192))
"""Where a G stands in MPEG's (.ts) and Blu-ray's (.m2ts), and after how many bytes again."""
INSTALL = "pip install 'oea[formats]'"


def is_installed() -> bool:
    """True where PyAV can be imported."""
    return importlib.util.find_spec("av") is not None


def knows(file: SoundFile) -> bool:
    """True for a file that begins like a container FFmpeg decodes."""
    head = read_at(file, 0, 512)
    is_signed = any(head[at : at + len(magic)] == magic for at, magic in SIGNATURES)
    return is_signed or any(head[at::size] == b"GGG" for at, size in TRANSPORT_STREAMS)


def open_sound(file: SoundFile, mixer: Mixer, skip_frames: int = 0, start: float = 0.0) -> Sound:
    """Open the first audio track, `start` seconds or `skip_frames` frames in.

    Raises AudioError when there is no track, or nothing that can be decoded.
    """
    import av

    try:
        container = av.open(_bounded(file), metadata_errors="replace")
    except (av.FFmpegError, ValueError, OSError) as error:
        raise AudioError(f"cannot be decoded ({_reason(error)})") from error
    if not container.streams.audio:
        container.close()
        raise AudioError("has no audio track")
    track = container.streams.audio[0]
    if track.codec_context is None:
        container.close()
        raise AudioError("has an audio track in a coding that nothing here decodes")
    rate = int(track.rate or 0)
    if problem := wrong_rate(rate):
        container.close()
        raise AudioError(problem)
    sound = Sound(rate, _declared_frames(container, rate), exact=False)
    sound.blocks = _blocks(container, sound, mixer, skip_frames or round(start * rate))
    return sound


def _declared_frames(container: Any, rate: int) -> int | None:
    """What the header states; FFmpeg estimates the length of formats whose header states none."""
    track = container.streams.audio[0]
    if "mp4" in container.format.name and track.duration:
        return int(track.duration * track.time_base * rate)
    # Matroska's is that of the whole, perhaps a film.
    is_alone = "matroska" in container.format.name and len(container.streams) == 1
    return int(container.duration * rate / 1e6) if is_alone and container.duration else None


def _bounded(file: SoundFile) -> Segment:
    """The file, as a stretch, since that bears being sought before its start; a wav with the size
    that its samples have, and no metadata behind them: FFmpeg takes as much memory as a chunk of
    metadata claims to need."""
    if not is_wave(read_at(file, 0, 12)):
        return Segment(file, 0, size_of(file))
    extent = find_extent(file, size_of(file))
    if extent is None:
        raise AudioError("its chunks lead to no samples; is it damaged?")
    return extent.corrected(file)


def _blocks(container: Any, sound: Sound, mixer: Mixer, skip: int) -> Iterator[np.ndarray]:
    import av

    with container:
        try:
            for frames in _frames(container, sound.sample_rate):
                first = sound.frames_read
                sound.frames_read += len(frames)
                if sound.frames_read > skip:
                    kept = frames[max(0, skip - first) :]
                    yield mixer.mono(kept, first / sound.sample_rate)
        except (av.FFmpegError, ValueError, OSError) as error:
            seconds = sound.frames_read / sound.sample_rate
            raise AudioError(f"broken after {seconds:.2f} s ({_reason(error)})") from error


def _frames(container: Any, sample_rate: int) -> Iterator[np.ndarray]:
    """(frames, channels) float32 blocks; a change of channels or of sample format is followed."""
    import av

    layout, resampler = None, None
    for frame in container.decode(audio=0):
        if frame.rate != sample_rate:
            raise AudioError("the sample rate changes within the file")
        if resampler is None or (frame.layout.name, frame.format.name) != layout:
            layout = (frame.layout.name, frame.format.name)
            resampler = av.AudioResampler(format="flt", layout=frame.layout, rate=sample_rate)
        for converted in resampler.resample(frame):
            yield converted.to_ndarray().reshape(-1, converted.layout.nb_channels)


def _reason(error: Exception) -> str:
    return str(getattr(error, "strerror", None) or error)

"""Sounds as FFmpeg writes them, for codecs and containers that libsndfile lacks."""

import io

import numpy as np

from tests.audio.damaged import RATE


def encoded_by_pyav(
    samples: np.ndarray, codec: str, container_format: str, rate: int = RATE
) -> bytes:
    """(n,) float32 at 16 kHz as a file, mono at `rate`."""
    import av

    stream = io.BytesIO()
    with av.open(stream, "w", format=container_format) as container:
        track = container.add_stream(codec, rate=rate, layout="mono")
        if codec in ("ac3", "eac3"):
            track.bit_rate = 96_000
        frame = av.AudioFrame.from_ndarray(samples[None], format="fltp", layout="mono")
        frame.rate = RATE
        resampler = av.AudioResampler(format=track.format.name, layout="mono", rate=rate)
        queue = av.AudioFifo()
        for converted in [*resampler.resample(frame), *resampler.resample(None)]:
            queue.write(converted)
        size = track.codec_context.frame_size or 1024
        while (piece := queue.read(size, partial=True)) is not None:
            for packet in track.encode(piece):
                container.mux(packet)
        for packet in track.encode(None):
            container.mux(packet)
    return stream.getvalue()

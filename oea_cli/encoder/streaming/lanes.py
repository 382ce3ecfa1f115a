"""Lanes: threads that turn batches into vectors, smaller ones where memory ends.

On a CPU every lane computes mel and model of one batch on its share of the cores: with the
encoder's own threads inside each operation instead, they and the decoders wait for each other at
every barrier (2.2 times the processor time on two busy cores). On a GPU two lanes feed the model,
so that the next batch is queued while the vectors of the last are fetched, and as many threads as
there are decoders compute mel.
"""

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from functools import partial

import numpy as np

from oea_cli.encoder.protocol import Encoder, Runtime
from oea_cli.encoder.runtime import runtime_of
from oea_cli.encoder.streaming.batch_plan import num_lanes
from oea_cli.encoder.streaming.inputs import EncoderInput, encode_batch, waveforms_of
from oea_cli.encoder.streaming.memory_fit import Encode, Encoded, MemoryFit

GPU_LANES = 2


class Lanes:
    """The threads of one stream; a context manager that ends them."""

    def __init__(self, encoder: Encoder, workers: int, fit: MemoryFit) -> None:
        self._encoder, self._workers, self._fit = encoder, workers, fit
        self._opened = ExitStack()
        self._model = self._opened.enter_context(model_threads(encoder))
        self._mel: ThreadPoolExecutor | None = None

    def __enter__(self) -> "Lanes":
        return self

    def __exit__(self, *_: object) -> None:
        self._opened.close()

    def submit(self, inputs: list[EncoderInput]) -> "Future[Encoded]":
        """Let a batch, texts only or sounds only, be encoded."""
        encode: Encode = partial(encode_batch, self._encoder)
        if self._encoder.device != "cpu" and not isinstance(inputs[0].content, str):
            encode = self._prepared(inputs, encode)
        return self._model.submit(self._fit.encode, inputs, encode)

    def _prepared(self, inputs: list[EncoderInput], encode_part: Encode) -> Encode:
        """What encodes a batch whose mel is computed in a thread of its own from now on."""
        if self._mel is None:
            mel = _limited_threads(runtime_of(self._encoder), "mel", self._workers, 1)
            self._mel = self._opened.enter_context(mel)
        prepared = self._mel.submit(self._encoder.prepare_audio, waveforms_of(inputs))

        def encode(part: list[EncoderInput]) -> np.ndarray:
            if part is inputs:
                return self._encoder.encode_prepared(prepared.result())
            return encode_part(part)  # a part of a batch that did not fit

        return encode


@contextmanager
def model_threads(encoder: Encoder) -> Iterator[ThreadPoolExecutor]:
    """Threads for the model, each on its share of the cores."""
    if encoder.device != "cpu":
        with ThreadPoolExecutor(GPU_LANES, "lane") as pool:
            yield pool
        return
    runtime = runtime_of(encoder)
    lanes = num_lanes(encoder, runtime)
    with _limited_threads(runtime, "lane", lanes, max(1, runtime.num_threads // lanes)) as pool:
        yield pool


@contextmanager
def _limited_threads(
    runtime: Runtime, name: str, count: int, share: int
) -> Iterator[ThreadPoolExecutor]:
    """Threads that compute on `share` cores each; what had not begun by the end is dropped."""
    with runtime.thread_limit(share) as limit:
        pool = ThreadPoolExecutor(count, name, initializer=limit)
        try:
            yield pool
        finally:
            pool.shutdown(wait=True, cancel_futures=True)

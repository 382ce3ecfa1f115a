"""What an encoder costs, as the paper's Table 16 has it: times, peak memory, trained parameters."""

import time
from collections.abc import Callable, Sequence
from itertools import islice
from typing import Any

import numpy as np

from oea_cli.clips.captions import captions_in
from oea_cli.encoder.memory import peak_memory, reset_peak_memory
from oea_cli.encoder.protocol import Encoder
from oea_cli.evaluation.paper.encoder_files import num_trained
from oea_cli.records.rows import Record

TIMED_INPUTS = 20
Figures = dict[str, float]


def costs(
    encoder: Encoder, model: str, records: Sequence[Record], metrics: Sequence[str]
) -> Figures:
    """The costs asked for that can be told of this encoder.

    audio ms, text ms   per clip and per caption, one at a time, end to end: the median of twenty
    peak gb             while these were encoded: on a GPU what torch had allocated, on a CPU the
                        memory of the whole process, libraries and all
    trainable m         millions of parameters in the encoder's folder (see `num_trained`)
    """
    from oea_cli.audio.windows import read_windows

    chosen = list(islice(records, TIMED_INPUTS))
    rate, seconds = encoder.sample_rate, encoder.max_seconds
    sounds = [next(iter(read_windows(one["path"], rate, seconds))).samples for one in chosen]
    texts = [text for one in chosen for text in captions_in(one)[:1]]
    reset_peak_memory(encoder.device)  # that of embedding a whole dataset, so far
    found = {
        "audio ms": _milliseconds(encoder.encode_audio, sounds),
        "text ms": _milliseconds(encoder.encode_text, texts),
    }
    trained = num_trained(model)
    if encoder.device in ("cpu", "cuda", "mps"):  # and not on a server
        found["peak gb"] = peak_memory(encoder.device) / 1e9
    if trained is not None:
        found["trainable m"] = trained / 1e6
    return {name: found[name] for name in metrics if name in found}


def _milliseconds(encode: Callable[[list[Any]], object], inputs: list[Any]) -> float:
    """The median over inputs, one by one, after one to warm up."""
    encode(inputs[:1])
    taken = []
    for one in inputs:
        started = time.perf_counter()
        encode([one])
        taken.append(1000 * (time.perf_counter() - started))
    return float(np.median(taken))

"""What an encoder costs, as in the paper's Table 16: times, peak memory, trained parameters."""

import time
from collections.abc import Sequence
from itertools import islice

import numpy as np

from oea_cli.clips.captions import captions_in
from oea_cli.encoder.memory import peak_memory, reset_peak_memory
from oea_cli.encoder.protocol import Encoder
from oea_cli.encoder.streaming.inputs import EncoderInput
from oea_cli.encoder.streaming.stream import stream_inputs
from oea_cli.errors import raise_failure
from oea_cli.evaluation.paper.encoder_files import num_trained
from oea_cli.records.rows import Record

TIMED_INPUTS = 20
Figures = dict[str, float]


def costs(
    encoder: Encoder, model: str, records: Sequence[Record], metrics: Sequence[str]
) -> Figures:
    """Those of the costs in `metrics` that can be measured for this encoder.

    audio ms, text ms   per clip and per caption, one at a time, end to end: the median of twenty
    peak gb             while these were encoded: on a GPU what torch had allocated, on a CPU the
                        memory of the whole process, libraries and all
    trainable m         millions of parameters in the encoder's folder (see `num_trained`)
    """
    from oea_cli.encoder.streaming.decoding import first_window

    chosen = list(islice(records, TIMED_INPUTS))
    sounds = [first_window(encoder, one) for one in chosen]
    texts = [EncoderInput(one, text) for one in chosen for text in captions_in(one)[:1]]
    reset_peak_memory(encoder.device)  # so far, the peak is that of embedding a whole dataset
    found = {
        "audio ms": _milliseconds(encoder, sounds),
        "text ms": _milliseconds(encoder, texts),
    }
    trained = num_trained(model)
    if encoder.device in ("cpu", "cuda", "mps"):  # not for a server
        found["peak gb"] = peak_memory(encoder.device) / 1e9
    if trained is not None:
        found["trainable m"] = trained / 1e6
    return {name: found[name] for name in metrics if name in found}


def _milliseconds(encoder: Encoder, inputs: list[EncoderInput]) -> float:
    """The median over inputs, one by one, after one to warm up."""
    taken = []
    for one in inputs[:1] + inputs:
        started = time.perf_counter()
        for _ in stream_inputs(encoder, [one], report=raise_failure):
            taken.append(1000 * (time.perf_counter() - started))
    return float(np.median(taken[1:]))

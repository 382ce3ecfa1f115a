"""What an encoder costs, as the paper's Table 16 has it: times, peak memory, trained parameters."""

import time
from collections.abc import Sequence
from contextlib import suppress
from itertools import islice
from pathlib import Path

import numpy as np

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
    """The costs asked for that can be told of this encoder.

    audio ms, text ms   per clip and per caption, one at a time, end to end: the median of twenty
    peak gb             while these were encoded: on a GPU what torch had allocated, on a CPU the
                        memory of the whole process, libraries and all; other devices do not tell
    trainable m         millions of parameters in the encoder's folder (see `num_trained`)
    """
    from oea_cli.encoder.streaming.decoding import first_window

    chosen = list(islice(records, TIMED_INPUTS))
    sounds = [first_window(encoder, one) for one in chosen]
    texts = [EncoderInput(one, text) for one in chosen for text in one["captions"][:1]]
    peak = _Peak(encoder.device)
    found = {
        "audio ms": _milliseconds(encoder, sounds),
        "text ms": _milliseconds(encoder, texts),
    }
    trained = num_trained(model)
    told = {"peak gb": peak.gigabytes(), "trainable m": trained and trained / 1e6}
    found |= {name: value for name, value in told.items() if value is not None}
    return {name: found[name] for name in metrics if name in found}


def _milliseconds(encoder: Encoder, inputs: list[EncoderInput]) -> float:
    """The median over inputs, one by one, after one to warm up."""
    taken = []
    for one in inputs[:1] + inputs:
        started = time.perf_counter()
        for _ in stream_inputs(encoder, [one], report=raise_failure):
            taken.append(1000 * (time.perf_counter() - started))
    return float(np.median(taken[1:]))


class _Peak:
    """The most memory that was in use at a time since this was made."""

    def __init__(self, device: str) -> None:
        self._device = device
        if device == "cuda":
            import torch

            for number in range(torch.cuda.device_count()):
                torch.cuda.reset_peak_memory_stats(number)
        else:
            # Forgets the peak so far, which was that of embedding a whole dataset.
            with suppress(OSError):
                Path("/proc/self/clear_refs").write_text("5")

    def gigabytes(self) -> float | None:
        """In GB of 1e9 bytes; None where the device does not tell."""
        if self._device == "cuda":
            import torch

            devices = range(torch.cuda.device_count())
            return sum(map(torch.cuda.max_memory_allocated, devices)) / 1e9
        return _resident_bytes() / 1e9 if self._device == "cpu" else None


def _resident_bytes() -> int:
    """The process' peak. Linux tells it in /proc, where it can be reset, which rusage's cannot."""
    with suppress(OSError):
        for line in Path("/proc/self/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    import resource
    import sys

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024

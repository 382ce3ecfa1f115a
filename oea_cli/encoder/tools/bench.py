"""How fast an encoder is on this machine, and how near that is to what the machine could do.

The paper's efficiency table (Tables 5 and 16), with what it leaves out: batches, the bare forward
pass on the same batches, and the rate of plain matrix products in the same number format.
"""

import math
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from operator import call
from statistics import median
from typing import Any

import numpy as np
import torch
from torch.utils.flop_counter import FlopCounterMode

from oea_cli.encoder.memory import peak_memory, reset_peak_memory, resident_bytes
from oea_cli.encoder.protocol import Encoder
from oea_cli.encoder.runtime import runtime_of
from oea_cli.encoder.streaming.inputs import EncoderInput
from oea_cli.encoder.streaming.lanes import model_threads
from oea_cli.encoder.streaming.stream import stream, stream_inputs
from oea_cli.errors import Failure, OeaError, raise_failure
from oea_cli.vectors.batch import Batch

Result = dict[str, Any]
Notice = Callable[[str], object]

CAPTIONS = tuple(
    f"{sound} {place}"
    for sound in (
        "a dog barking",
        "rain falls steadily on a tin roof",
        "an engine starts, idles for a while and then drives away",
        "two people talk",
        "birds sing while water runs over stones and the wind blows through the leaves",
    )
    for place in ("in the distance", "near a busy road", "in a large hall", "at night")
)
"""Sentences like those of Clotho and AudioCaps, of mixed length."""

FUSED_ATTENTION = (
    torch.ops.aten._scaled_dot_product_flash_attention,
    torch.ops.aten._scaled_dot_product_efficient_attention,
    torch.ops.aten._scaled_dot_product_cudnn_attention,
    torch.ops.aten._scaled_dot_product_flash_attention_for_cpu,
)
"""What attention becomes where a device has a kernel for all of it."""

ROUND_SECONDS = 3.0  # about how long a round should take
MAX_CLIPS, MAX_TEXTS = 256, 2048
TRIAL = 8  # clips or texts to estimate those numbers from


@dataclass(frozen=True)
class Work:
    """What is measured: clips of so many seconds and texts, how many and how often."""

    seconds: float = 10.0
    number: int | None = None  # of clips, and of texts: else what takes about ROUND_SECONDS
    rounds: int = 5
    batch_size: int | None = None


def measure(
    encoder: Encoder,
    work: Work,
    records: list[dict[str, Any]] | None = None,
    notice: Notice = lambda text: None,
) -> Result:
    """Everything that `oea models bench` reports; `records` are sounds to embed from their files.

    Times are medians over the rounds, in milliseconds; memory in bytes; rates in 1/s. Raises
    OeaError for clips that are longer than a window of the encoder.
    """
    if not 0 < work.seconds <= encoder.max_seconds:
        limit = f"{encoder.max_seconds:g} s, the encoder's window"
        raise OeaError(f"--seconds {work.seconds:g}: must be more than 0 and at most {limit}")
    before = resident_bytes()
    reset_peak_memory(encoder.device)
    notice("one clip and one text at a time")
    clip = noise(work.seconds, encoder.sample_rate)
    alone, rounds = timed(lambda: encoder.encode_audio([clip]), work.rounds)
    text_alone, _ = timed(lambda: encoder.encode_text([CAPTIONS[0]]), rounds)
    encode = partial(stream_inputs, batch_size=work.batch_size, report=raise_failure)

    def count(make: Callable[[int], list[EncoderInput]], seconds: float, most: int) -> int:
        if seconds > ROUND_SECONDS:
            return 1
        few = make(TRIAL)
        return enough(seconds_of(lambda: emptied(encode(encoder, few))) / TRIAL, most)

    num_clips = work.number or count(partial(sounds_of, clip), alone, MAX_CLIPS)
    num_texts = work.number or count(captions, text_alone, MAX_TEXTS)
    sounds, texts = sounds_of(clip, num_clips), captions(num_texts)
    for inputs in (sounds, texts):
        emptied(encode(encoder, inputs))
    peak = _memory(encoder.device, before)  # before inputs are kept for the forward pass
    notice(f"{num_clips} clips and {num_texts} texts in batches")
    audio = pace(encoder, lambda model: encode(model, sounds), rounds)
    written = pace(encoder, lambda model: encode(model, texts), rounds)
    result: Result = {
        "name": encoder.name,
        **describe(encoder),
        "seconds": work.seconds,
        "clips": num_clips,
        "texts": num_texts,
        "rounds": rounds,
        "ms_per_clip_alone": 1000 * alone,
        "ms_per_text_alone": 1000 * text_alone,
        "ms_per_clip": 1000 * audio.stream / num_clips,
        "ms_per_text": 1000 * written.stream / num_texts,
        "clips_per_second": num_clips / audio.stream,
        "forward_ms_per_clip": 1000 * audio.forward / num_clips,
        "share_of_forward": audio.share,
        **peak,
    }
    if records:
        notice(f"{len(records)} sounds from their files")
        result["files"] = from_files(encoder, records, work.batch_size, rounds)
    if audio.flops:
        notice("plain matrix products")
        result |= efficiency(encoder, audio, num_clips)
    return result


def from_files(
    encoder: Encoder, records: list[dict[str, Any]], batch_size: int | None, rounds: int
) -> Result:
    """From files to vectors: decoding and resampling, too, against the bare forward pass."""
    failures: list[Failure] = []
    rows: list[int] = []

    def counted(model: Encoder) -> Iterator[Batch]:
        failures.clear()
        rows.clear()
        for batch in stream(model, records, batch_size=batch_size, report=failures.append):
            rows.append(len(batch.records))
            yield batch
        if not rows:
            raise OeaError(str(failures[0]) if failures else "no sounds in it")

    measured = pace(encoder, counted, rounds)
    return {
        "clips": sum(rows),
        "failed": len(failures),
        "ms_per_clip": 1000 * measured.stream / sum(rows),
        "clips_per_second": sum(rows) / measured.stream,
        "share_of_forward": measured.share,
    }


@dataclass(frozen=True)
class Pace:
    """Seconds, medians over the rounds: the whole stream, and the forward pass on its batches."""

    stream: float
    forward: float
    flops: float  # of all of them

    @property
    def share(self) -> float:
        """What the stream makes of the bare forward pass."""
        return self.forward / self.stream


def pace(encoder: Encoder, encode: Callable[[Encoder], Iterable[Batch]], rounds: int) -> Pace:
    """Time a stream, and the model alone on the batches that the stream makes."""
    recorder: Any = Recorder(encoder)
    rows = sum(len(batch.records) for batch in encode(recorder))
    flops = forward_flops(recorder.passes[0]) * rows / recorder.rows[0]
    forward, whole = [], []
    for _ in range(rounds):  # in turn: the speed of a machine drifts
        with model_threads(encoder) as pool:
            forward.append(seconds_of(lambda: emptied(pool.map(call, recorder.passes))))
        whole.append(seconds_of(lambda: emptied(encode(encoder))))
    return Pace(median(whole), median(forward), flops)


class Recorder:
    """An encoder that remembers the forward passes it is asked for, with their inputs."""

    def __init__(self, encoder: Encoder) -> None:
        self._encoder = encoder
        self.passes: list[Callable[[], np.ndarray]] = []
        self.rows: list[int] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._encoder, name)

    def encode_text(self, texts: Sequence[str]) -> np.ndarray:
        """Texts need next to no preparation: tokenising counts as a part of the pass."""
        self._remember(partial(self._encoder.encode_text, texts), len(texts))
        return self._encoder.encode_text(texts)

    def prepare_audio(self, waveforms: Sequence[np.ndarray]) -> Any:
        """The inputs of a pass that will be repeated."""
        inputs = self._encoder.prepare_audio(waveforms)
        self._remember(partial(self._encoder.encode_prepared, inputs), len(waveforms))
        return inputs

    def _remember(self, forward: Callable[[], np.ndarray], rows: int) -> None:
        self.passes.append(forward)
        self.rows.append(rows)


def forward_flops(forward: Callable[[], np.ndarray]) -> float:
    """Floating-point operations of a forward pass; 0 where none are seen (a server).

    A multiplication and its addition count as two.
    """
    formulas = dict.fromkeys(FUSED_ATTENTION, _attention_flops)
    with FlopCounterMode(display=False, custom_mapping=formulas) as counter:
        forward()
    return float(counter.get_total_flops())


def _attention_flops(
    query: torch.Size, key: torch.Size, value: torch.Size, *_: object, **__: object
) -> int:
    """Of shapes (..., heads, length, width); keys may have fewer heads, which queries share.

    torch's own formula refuses those.
    """
    return 2 * math.prod(query[:-1]) * key[-2] * (query[-1] + value[-1])


def efficiency(encoder: Encoder, audio: Pace, num_clips: int) -> Result:
    """What the forward pass makes of the device's rate of plain matrix products."""
    rate = matrix_product_rate(number_format(encoder), encoder.device)
    reached = audio.flops / audio.forward
    return {
        "flops_per_clip": audio.flops / num_clips,
        "forward_flops_per_second": reached,
        "matrix_flops_per_second": rate,
        "share_of_matrix_rate": reached / rate,
    }


def matrix_product_rate(dtype: torch.dtype, device: str, size: int | None = None) -> float:
    """Floating-point operations per second of one large product, the best of several."""
    size = size or (1024 if device == "cpu" else 8192)
    generator = torch.Generator(device).manual_seed(0)
    left = torch.randn(size, size, device=device, generator=generator).to(dtype)
    right = torch.randn(size, size, device=device, generator=generator).to(dtype)
    repeats = 1 if device == "cpu" else 20

    def multiply() -> None:
        for _ in range(repeats):
            torch.mm(left, right)
        wait_for(device)

    best = min(seconds_of(multiply) for _ in range(5))
    return 2 * size**3 * repeats / best


def describe(encoder: Encoder) -> Result:
    """Where it runs, in which number format, and how large it is."""
    device = encoder.device
    described: Result = {
        "device": torch.cuda.get_device_name() if device == "cuda" else device,
        "threads": runtime_of(encoder).num_threads if device == "cpu" else None,
        "dtype": str(number_format(encoder)).removeprefix("torch."),
    }
    model = getattr(encoder, "model", None)
    if isinstance(model, torch.nn.Module):
        tensors = list(model.parameters())
        described["parameters"] = sum(tensor.numel() for tensor in tensors)
        described["weights_bytes"] = sum(tensor.nbytes for tensor in tensors)
    return {key: value for key, value in described.items() if value is not None}


def number_format(encoder: Encoder) -> torch.dtype:
    """That of the backbone's products; float32 where nothing is known."""
    backbone = getattr(getattr(encoder, "model", None), "backbone", None)
    return getattr(backbone, "dtype", torch.float32)


def _memory(device: str, before: int | None) -> Result:
    """Bytes at the peak; on a CPU also what the process grew by while it encoded."""
    peak = peak_memory(device)
    if before is None or device.startswith(("cuda", "mps")):
        return {"peak_memory_bytes": peak}
    return {"peak_memory_bytes": peak, "memory_growth_bytes": max(0, peak - before)}


def timed(work: Callable[[], object], rounds: int) -> tuple[float, int]:
    """Median seconds after a warm-up, and in how many rounds: one where a round takes very long."""
    first = seconds_of(work)
    if first > 10 * ROUND_SECONDS:
        return first, 1
    return median(seconds_of(work) for _ in range(rounds)), rounds


def sounds_of(clip: np.ndarray, count: int) -> list[EncoderInput]:
    """The same clip so many times: what a model makes of it takes no less."""
    return [EncoderInput({"id": str(i)}, clip) for i in range(count)]


def captions(count: int) -> list[EncoderInput]:
    """As many texts as asked for."""
    return [EncoderInput({"id": str(i)}, CAPTIONS[i % len(CAPTIONS)]) for i in range(count)]


def enough(seconds: float, most: int) -> int:
    """How many of what takes `seconds` fill a round."""
    return int(min(max(1, ROUND_SECONDS / seconds), most))


def noise(seconds: float, sample_rate: int) -> np.ndarray:
    """(n,) float32 samples that no model can skip."""
    rng = np.random.default_rng(0)
    return (0.1 * rng.standard_normal(round(seconds * sample_rate))).astype(np.float32)


def seconds_of(work: Callable[[], object]) -> float:
    """What `work` takes on the wall clock."""
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def emptied(batches: Iterable[object]) -> None:
    """Exhaust the iterator."""
    for _ in batches:
        pass


def wait_for(device: str) -> None:
    """Return once the device has finished its work."""
    if device == "cuda":
        torch.cuda.synchronize()
    elif device == "mps":
        torch.mps.synchronize()

"""Embedding real clips, against what its parts allow.

The parts, each alone on one core (processor time): decoding, resampling, mel, bare forward pass in
sorted batches of the stream's size. Their sum over the number of cores is the limit. In every round
the parts run, then `oea embed`'s stream; the figure is the median of the rounds' ratios on the wall
clock, never the best of one against the best of the other: the speed of a shared machine drifts by
more than what is measured. Run from the repository root, on a machine that does nothing else:

    python tests/benchmarks/embed.py ../shared/data/esc10     # goal: 0.90 or more of the limit
    python tests/benchmarks/embed.py sounds/ --model runs/mine --rounds 5
    python tests/benchmarks/embed.py ../shared/data/esc10 --obvious 40    # goal: 10 times as fast

With --obvious N the stream is compared with the script that anybody would write first, on N clips:
the feature extractor with its window of 300 s, as the stock processor calls it, one clip at a time.

Because no machine is ever quite quiet, it also says where the rest went:

    without others     the ratio if the time that other processes took had been ours: the stream's
                       processor time and all idle time of the cores, instead of the wall clock (on
                       a busy machine others use our idle time up: then it is an upper bound)
    user + system      processor time of the stream
    processor time     of the parts alone / of the stream, which is larger for two reasons:
    handing over       the share of it outside of the parts, by the clocks of its threads
    side by side       the parts within the stream / alone: cores that work at once may share caches
                       and memory, and cutting windows is counted here, too
"""

import argparse
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import torch

from oea_cli.audio.libsndfile import open_sound
from oea_cli.audio.windows import _convert, read_audio
from oea_cli.encoder.loading import load_encoder
from oea_cli.encoder.protocol import Encoder
from oea_cli.encoder.streaming import decoding
from oea_cli.encoder.streaming.stream import stream
from oea_cli.encoder.tools.bench import Recorder
from oea_cli.errors import raise_failure
from oea_cli.records.inputs import read_records
from oea_cli.vectors.scan.threads import num_cores

Work = Callable[[], object]


@dataclass(frozen=True)
class Spent:
    """Seconds: on the wall clock, of this process, and of the cores with nothing to do."""

    wall: float
    processor: float
    idle: float


@dataclass(frozen=True)
class Round:
    """Processor seconds of every part alone, the stream, and of the parts within the stream."""

    alone: dict[str, float]
    stream: Spent
    within: float

    @property
    def sum_alone(self) -> float:
        return sum(self.alone.values())


class ThreadClocks:
    """Processor seconds that threads spend in certain functions, summed."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self._lock = threading.Lock()

    @contextmanager
    def running(self) -> Iterator[None]:
        started = time.thread_time()
        try:
            yield
        finally:
            spent = time.thread_time() - started
            with self._lock:
                self.seconds += spent

    def of(self, work: Callable[..., Any]) -> Callable[..., Any]:
        """`work`, timed."""

        def timed_work(*arguments: Any) -> Any:
            with self.running():
                return work(*arguments)

        return timed_work

    def of_iterator(self, work: Callable[..., Iterator[Any]]) -> Callable[..., Iterator[Any]]:
        """`work`, whose results are made one by one, timed."""

        def timed_work(*arguments: Any) -> Iterator[Any]:
            items = work(*arguments)
            while True:
                with self.running():
                    item = next(items, None)
                if item is None:
                    return
                yield item

        return timed_work


def measured(work: Work) -> Spent:
    wall, processor, idle = time.perf_counter(), time.process_time(), idle_seconds()
    work()
    return Spent(time.perf_counter() - wall, time.process_time() - processor, idle_seconds() - idle)


def idle_seconds() -> float:
    """What all cores together have idled since the machine started; NaN where nobody counts it."""
    try:
        fields = Path("/proc/stat").read_text(encoding="ascii").split("\n", 1)[0].split()
    except OSError:
        return float("nan")
    return (int(fields[4]) + int(fields[5])) / 100


def decode(paths: list[str]) -> list[tuple[int, list[np.ndarray]]]:
    """(sample rate, mono blocks) of every clip."""
    decoded = []
    for path in paths:
        with Path(path).open("rb") as file:
            sound = open_sound(file)
            decoded.append((sound.sample_rate, list(sound.blocks)))
    return decoded


def parts(encoder: Encoder, paths: list[str]) -> dict[str, Work]:
    """What has to be done for these clips, step by step, each step's input made beforehand."""
    decoded = decode(paths)
    recorder = WaveformRecorder(encoder)
    for _ in stream(recorder, as_records(paths), report=raise_failure):
        pass
    batches = recorder.batches

    def resample() -> None:
        for rate, blocks in decoded:
            for _ in _convert(iter(blocks), rate, encoder.sample_rate):
                pass

    return {
        "decoding": lambda: decode(paths),
        "resampling": resample,
        "mel": lambda: [encoder.prepare_audio(batch) for batch in batches],
        "forward": lambda: [forward() for forward in recorder.passes],
    }


class WaveformRecorder(Recorder):
    """Remembers the batches that the stream makes, too."""

    def __init__(self, encoder: Encoder) -> None:
        super().__init__(encoder)
        self.batches: list[Any] = []

    def prepare_audio(self, waveforms: Any) -> Any:
        self.batches.append(waveforms)
        return super().prepare_audio(waveforms)


def as_records(paths: list[str]) -> list[dict[str, Any]]:
    return [{"id": path, "path": path} for path in paths]


@torch.inference_mode()
def obvious(encoder: Any, paths: list[str]) -> None:
    """One clip at a time, padded to 300 s: what the stock processor and a loop come to."""
    front_end = encoder.front_end
    for path in paths:
        waveform = read_audio(path, encoder.sample_rate)
        features = front_end.extractor(
            waveform,
            sampling_rate=encoder.sample_rate,
            padding="max_length",
            return_attention_mask=True,
            return_tensors="pt",
        )
        tokens = front_end.audio_inputs([waveform])
        inputs = {
            "input_ids": tokens["input_ids"],
            "attention_mask": tokens["attention_mask"],
            "input_features": features["input_features"],
            "feature_attention_mask": features["attention_mask"].long(),
        }
        encoder.model(inputs, "audio").numpy()


def compare_with_obvious(encoder: Encoder, paths: list[str], rounds: int) -> None:
    """Wall clock and processor time of both on the same clips, in turn."""
    script, ours = [], []
    for _ in range(rounds):
        script.append(measured(lambda: obvious(encoder, paths)))
        ours.append(clocked(encoder, as_records(paths))[0])
    for name, which in (("wall clock", "wall"), ("processor time", "processor")):
        theirs = median(getattr(spent, which) for spent in script) / len(paths)
        own = median(getattr(spent, which) for spent in ours) / len(paths)
        print(
            f"{name:<16}{theirs / own:>8.1f}  times less than the obvious script "
            f"({1000 * theirs:.1f} against {1000 * own:.1f} ms a clip; goal 10)"
        )


def alone(steps: dict[str, Work]) -> dict[str, float]:
    """Processor seconds of every step on one thread."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        return {name: measured(work).processor for name, work in steps.items()}
    finally:
        torch.set_num_threads(threads)


def clocked(encoder: Encoder, records: list[dict[str, Any]]) -> tuple[Spent, float]:
    """The stream, and the processor seconds of the parts within it."""
    clocks = ThreadClocks()
    own: Any = encoder
    bare = decoding.decoded, own.prepare_audio, own.encode_prepared
    decoding.decoded = clocks.of_iterator(bare[0])
    own.prepare_audio, own.encode_prepared = clocks.of(bare[1]), clocks.of(bare[2])

    def embed() -> None:
        rows = sum(len(b.records) for b in stream(encoder, records, report=raise_failure))
        assert rows == len(records), "choose clips that are one window each"

    try:
        spent = measured(embed)
    finally:
        decoding.decoded, own.prepare_audio, own.encode_prepared = bare
    return spent, clocks.seconds


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("sounds", help="a folder of clips no longer than a window")
    parser.add_argument("--model", default="mini")
    parser.add_argument("--limit", type=int, default=400)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--obvious", type=int, metavar="N", help="compare on N clips")
    arguments = parser.parse_args()

    encoder = load_encoder(arguments.model, device="cpu")
    records = list(read_records([arguments.sounds], report=raise_failure))[: arguments.limit]
    clocked(encoder, records[:32])  # both sides start warm
    if arguments.obvious:
        paths = [record["path"] for record in records[: arguments.obvious]]
        compare_with_obvious(encoder, paths, arguments.rounds)
        return
    steps = parts(encoder, [record["path"] for record in records])
    rounds = [Round(alone(steps), *clocked(encoder, records)) for _ in range(arguments.rounds)]
    tell(rounds, len(records), num_cores())


def tell(rounds: list[Round], num_clips: int, cores: int) -> None:
    """Medians over the rounds, and the lowest and highest."""

    def row(name: str, values: list[float], form: str, what: str) -> None:
        low, middle, high = (form.format(f(values)) for f in (min, median, max))
        print(f"{name:<16}{middle:>8}  ({low} to {high})  {what}")

    for name in rounds[0].alone:
        row(name, [1000 * r.alone[name] / num_clips for r in rounds], "{:.2f}", "ms a clip, alone")
    clips = [num_clips / r.stream.wall for r in rounds]
    row("stream", clips, "{:.1f}", f"clips/s, {num_clips} clips, {cores} cores")
    used = [1000 * r.stream.processor / num_clips for r in rounds]
    row("user + system", used, "{:.2f}", "ms a clip of processor time, the stream")
    ratio = [r.sum_alone / cores / r.stream.wall for r in rounds]
    row("ratio", ratio, "{:.2f}", "of the limit, wall clock (goal 0.90)")
    ours = [r.sum_alone / (r.stream.processor + r.stream.idle) for r in rounds]
    row("without others", ours, "{:.2f}", "of the limit")
    processor = [r.sum_alone / r.stream.processor for r in rounds]
    row("processor time", processor, "{:.2f}", "parts alone / stream")
    overhead = [1 - r.within / r.stream.processor for r in rounds]
    row("handing over", overhead, "{:.1%}", "of the stream's processor time")
    row(
        "side by side", [r.within / r.sum_alone for r in rounds], "{:.2f}", "times as long as alone"
    )
    idle = [r.stream.idle / (r.stream.wall * cores) for r in rounds]
    row("idle", idle, "{:.1%}", "of the cores' time")
    others = [1 - (r.stream.processor + r.stream.idle) / (r.stream.wall * cores) for r in rounds]
    row("others", others, "{:.1%}", "of the cores' time went to other processes")


if __name__ == "__main__":
    main()

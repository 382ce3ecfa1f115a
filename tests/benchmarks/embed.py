"""Embedding real clips, against what its parts allow.

The parts, each alone on one core (processor time): decoding, resampling, mel, bare forward pass in
batches of eight sorted clips. Their sum over the number of cores is the time that nothing can beat;
`oea embed`'s stream is measured against it on the wall clock, the two in turn, the best of the
rounds each. Run from the repository root, on a machine that does nothing else:

    python tests/benchmarks/embed.py ../shared/data/esc10     # goal: 0.90 or more of the limit
    python tests/benchmarks/embed.py sounds/ --model runs/mine --rounds 5
"""

import argparse
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch

from oea_cli.audio.libsndfile import open_sound
from oea_cli.audio.windows import _convert, read_audio
from oea_cli.encoder import Encoder, load_encoder
from oea_cli.encoder.stream import CPU_BATCH, encode_records, num_cores
from oea_cli.errors import raise_failure
from oea_cli.records import read_records

Work = Callable[[], object]


def timed(work: Work) -> tuple[float, float]:
    """Wall-clock and processor seconds."""
    wall, processor = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - wall, time.process_time() - processor


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
    waveforms = sorted((read_audio(path, encoder.sample_rate) for path in paths), key=len)
    edges = range(0, len(waveforms), CPU_BATCH)
    batches = [waveforms[i : i + CPU_BATCH] for i in edges]
    prepared: list[Any] = [encoder.prepare_audio(batch) for batch in batches]

    def resample() -> None:
        for rate, blocks in decoded:
            for _ in _convert(iter(blocks), rate, encoder.sample_rate):
                pass

    return {
        "decoding": lambda: decode(paths),
        "resampling": resample,
        "mel": lambda: [encoder.prepare_audio(batch) for batch in batches],
        "forward": lambda: [encoder.encode_prepared(batch) for batch in prepared],
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("sounds", help="a folder of clips no longer than a window")
    parser.add_argument("--model", default="mini")
    parser.add_argument("--limit", type=int, default=400)
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()

    encoder = load_encoder(arguments.model, device="cpu")
    records = list(read_records([arguments.sounds], report=raise_failure))[: arguments.limit]
    steps = parts(encoder, [record["path"] for record in records])
    cores = num_cores()
    threads = torch.get_num_threads()

    def stream() -> None:
        rows = sum(len(b.records) for b in encode_records(encoder, records, report=raise_failure))
        assert rows == len(records), "choose clips that are one window each"

    alone: dict[str, list[float]] = {name: [] for name in steps}
    together: list[tuple[float, float]] = []
    for _ in range(arguments.rounds):
        torch.set_num_threads(1)
        for name, work in steps.items():
            alone[name].append(timed(work)[1])
        torch.set_num_threads(threads)
        together.append(timed(stream))

    best = {name: min(seconds) for name, seconds in alone.items()}
    for name, seconds in best.items():
        print(f"{name:<12}{1000 * seconds / len(records):7.2f} ms a clip")
    limit = sum(best.values()) / cores
    wall, processor = min(together)
    print(f"{'limit':<12}{len(records) / limit:7.1f} clips/s on {cores} cores")
    print(f"{'stream':<12}{len(records) / wall:7.1f} clips/s, {processor:.2f} s of processor time")
    print(f"{'ratio':<12}{limit / wall:7.2f} of the limit (goal 0.90)")
    waiting = 1 - processor / (wall * cores)
    print(f"{'idle':<12}{waiting:7.0%} of the cores, by others' work or for want of ours")


if __name__ == "__main__":
    main()

"""The mel of the front end, against the feature extractor called with the right-sized window.

Both get the same batches of real clips; the extractor alone is told the longest clip's length, as
somebody who knows the trap of the 300 s window would do. Processor time on one thread, in turn, the
best of the rounds. Run from the repository root:

    python tests/benchmarks/mel.py ../shared/data/esc10       # goal: ratio at most 1.2
"""

import argparse
import math
import time
from collections.abc import Callable

import numpy as np
import torch

from oea_cli.audio.windows import read_audio
from oea_cli.encoder.names.places import encoder_folder
from oea_cli.encoder.omni.front_end import FrontEnd, load_front_end
from oea_cli.encoder.omni.settings import load_settings
from oea_cli.errors import raise_failure
from oea_cli.records.inputs import read_records


def processor_seconds(work: Callable[[], object]) -> float:
    started = time.process_time()
    work()
    return time.process_time() - started


def bare(front_end: FrontEnd, batch: list[np.ndarray], window: int | None = None) -> None:
    """The extractor's call with a window of the longest clip and one FFT frame, or of `window`."""
    extractor = front_end.extractor
    hop, n_fft = extractor.hop_length, extractor.n_fft
    longest = max(len(waveform) for waveform in batch)
    extractor(
        batch,
        sampling_rate=front_end.settings.sample_rate,
        padding="max_length",
        max_length=window or math.ceil((longest + n_fft) / hop) * hop,
        truncation=False,
        return_attention_mask=True,
        return_tensors="np",
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("sounds", help="a folder of clips")
    parser.add_argument("--model", default="mini")
    parser.add_argument("--batch-size", type=int, default=8)
    parser.add_argument("--limit", type=int, default=160)
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()

    torch.set_num_threads(1)
    folder = encoder_folder(arguments.model)
    front_end = load_front_end(folder, load_settings(folder / "encoder.json"))
    rate = front_end.settings.sample_rate
    records = list(read_records([arguments.sounds], report=raise_failure))[: arguments.limit]
    clips = sorted((read_audio(record["path"], rate) for record in records), key=len)
    size = arguments.batch_size
    batches = [clips[i : i + size] for i in range(0, len(clips), size)]

    ours, theirs = [], []
    for _ in range(arguments.rounds):
        theirs.append(processor_seconds(lambda: [bare(front_end, batch) for batch in batches]))
        ours.append(processor_seconds(lambda: [front_end.audio_inputs(batch) for batch in batches]))
    few = batches[: max(1, len(batches) // 10)]
    stock = processor_seconds(lambda: [bare(front_end, batch, 300 * rate) for batch in few])
    per_clip = 1000 / len(clips)
    print(f"front end           {min(ours) * per_clip:8.2f} ms a clip")
    print(f"right-sized call    {min(theirs) * per_clip:8.2f} ms a clip")
    print(f"padded to 300 s     {1000 * stock / sum(map(len, few)):8.2f} ms a clip")
    print(f"ratio               {min(ours) / min(theirs):8.2f} (goal 1.2)")


if __name__ == "__main__":
    main()

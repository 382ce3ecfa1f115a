"""OEA at its real sizes on a GPU, random weights, bfloat16, 10 s clips: against the goals.

Needs a GPU with 24 GB and no download. Run from the repository root:

    python tests/benchmarks/gpu.py                    # 3B and 7B
    python tests/benchmarks/gpu.py oea-qwen3b --files ../shared/data/esc10

The paper's figures are 539 and 667 ms a clip on an A100 (Table 5). Without --files, 256 clips of
10 s are written as flac first. Ends with code 1 where a goal is missed.
"""

import argparse
import sys
import tempfile
from pathlib import Path
from typing import Any

import soundfile
import torch

from oea_cli.encoder.names.parsing import Placement, parse_name
from oea_cli.encoder.tools.bench import CAPTIONS, Work, measure, noise
from oea_cli.encoder.tools.random_weights import random_encoder
from oea_cli.errors import raise_failure
from oea_cli.records.inputs import read_records

# Of a result: what, where it stands, the limit for 3B and for 7B, and whether it is a least value.
GOALS = (
    ("ms per clip", lambda r: r["ms_per_clip"], 10.0, 15.0, False),
    ("ms per text", lambda r: r["ms_per_text"], 0.5, 0.5, False),
    ("peak memory, GB", lambda r: r["peak_memory_bytes"] / 1e9, 9.0, 18.0, False),
    ("of the matrix rate", lambda r: r["share_of_matrix_rate"], 0.5, 0.5, True),
    ("from files / forward", lambda r: r["files"]["share_of_forward"], 0.9, 0.9, True),
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("names", nargs="*", default=["oea-qwen3b", "oea-qwen7b"])
    parser.add_argument("--files", help="a folder of sounds")
    parser.add_argument("--device", default="cuda")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        if not arguments.files:
            write_clips(Path(folder))
        records = list(read_records([arguments.files or folder], report=raise_failure))
        if not records:
            sys.exit(f"no sounds in {arguments.files}")
        missed = sum(measured(name, arguments.device, records) for name in arguments.names)
    sys.exit(1 if missed else 0)


def write_clips(folder: Path, count: int = 256, seconds: float = 10.0) -> None:
    for i in range(count):
        soundfile.write(folder / f"{i:03}.flac", noise(seconds, 44_100), 44_100)


def measured(name: str, device: str, records: list[dict[str, Any]]) -> int:
    """Measure one encoder and print it; how many goals it misses."""
    encoder = random_encoder(parse_name(name), Placement(device, "bfloat16"), CAPTIONS)
    result = measure(encoder, Work(), records)
    print(f"{name} on {result['device']}, {result['weights_bytes'] / 1e9:.2f} GB of weights")
    missed = 0
    for what, value, small, large, is_least in GOALS:
        goal, reached = (large if "7b" in name else small), value(result)
        is_met = reached >= goal if is_least else reached <= goal
        missed += not is_met
        sign = "at least" if is_least else "at most"
        print(f"  {what:<21}{reached:>9.3f}  {sign} {goal:g}{'' if is_met else '  MISSED'}")
    del encoder
    if device == "cuda":
        torch.cuda.empty_cache()
    return missed


if __name__ == "__main__":
    main()

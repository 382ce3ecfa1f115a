"""Render the clips that `oea demo` copies out, or a collection of your own, with its tables.

    python -m recipes.mini.demo                                    # the shipped ones, anew
    python -m recipes.mini.demo sounds --scenes 300 --seed 7 --format flac

Run it in the repository's root. Files of the same name are replaced, others stay.
"""

import argparse
import io
import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import soundfile

from recipes.mini import ogg
from recipes.mini.synthesis.collection import Clip, clip_record, make, pair_rows, plan, query_rows
from recipes.mini.synthesis.scenes import SAMPLE_RATE

SHIPPED = Path(__file__).parents[2] / "oea_cli" / "commands" / "demo_clips"
NUM_SCENES, SEED = 100, 0  # of the shipped ones
FORMATS = ("ogg", "flac", "wav")


def main() -> None:
    """Read the command line and write the folder."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", nargs="?", type=Path, default=SHIPPED)
    parser.add_argument("--scenes", type=int, default=NUM_SCENES, metavar="N")
    parser.add_argument("--seed", type=int, default=SEED, metavar="N")
    parser.add_argument("--format", choices=FORMATS, default=FORMATS[0])
    asked = parser.parse_args()
    write_folder(asked.folder, asked.scenes, asked.seed, asked.format)


def write_folder(folder: Path, num_scenes: int, seed: int, sound_format: str) -> None:
    """Write audio/ (16 kHz mono), clips.jsonl, queries.jsonl and pairs.jsonl into a folder.

    The same arguments give the same bytes with one version of libsndfile, and more scenes go on
    where fewer stopped. Raises OSError where the folder cannot be written.
    """
    (folder / "audio").mkdir(parents=True, exist_ok=True)
    clips: list[Clip] = []
    records: list[dict[str, Any]] = []
    for clip in rendered(num_scenes, seed):
        path = f"audio/{clip.name}.{sound_format}"
        (folder / path).write_bytes(encoded(clip.scene.samples, sound_format))
        records.append(clip_record(clip, path))
        clips.append(_without_samples(clip))
    write_rows(folder / "pairs.jsonl", pair_rows(records, clips))
    write_rows(folder / "queries.jsonl", query_rows(records, clips))
    write_rows(folder / "clips.jsonl", records)


def rendered(num_scenes: int, seed: int) -> Iterator[Clip]:
    """The clips of a seed, one by one."""
    for planned in plan(num_scenes, seed):
        yield from make(planned, seed)


def encoded(samples: np.ndarray, sound_format: str) -> bytes:
    """(n,) samples at SAMPLE_RATE as a file: Ogg Vorbis, or 16 bits without loss."""
    if sound_format == "ogg":
        return ogg.encode(samples, SAMPLE_RATE)
    stream = io.BytesIO()
    soundfile.write(stream, samples, SAMPLE_RATE, "PCM_16", format=sound_format.upper())
    return stream.getvalue()


def _without_samples(clip: Clip) -> Clip:
    """They are on disk, and there may be many of them."""
    return replace(clip, scene=replace(clip.scene, samples=np.zeros(0, np.float32)))


def write_rows(path: Path, rows: Sequence[dict[str, Any]]) -> None:
    """Write JSON lines."""
    lines = [json.dumps(row, ensure_ascii=False) + "\n" for row in rows]
    path.write_text("".join(lines), encoding="utf-8")


if __name__ == "__main__":
    main()

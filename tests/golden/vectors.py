"""Vectors of eight dimensions with their records: the same bits on every machine."""

import json
from pathlib import Path

import numpy as np
import polars as pl

from tests.golden.sounds import write_rows

DIM = 8
CLIPS = 24
KINDS = ("dog", "bell", "rain")
PLACES = ("in a yard", "far away", "at night", "behind a door", "near a road", "in a hall",
          "on a roof", "in the woods")  # fmt: skip
TYPES = ("question", "imperative", "keyphrase", "paraphrase")


def whole_numbers(rows: int, seed: int) -> np.ndarray:
    """(rows, 8) float64 whole numbers from -9 to 9, so that rows differ and sums are exact."""
    return np.random.default_rng(seed).integers(-9, 10, (rows, DIM)).astype(np.float64)


def unit(rows: np.ndarray) -> np.ndarray:
    """Rows of length 1, (n, 8) float32; sum and root are rounded alike everywhere."""
    return (rows / np.sqrt((rows * rows).sum(axis=1, keepdims=True))).astype(np.float32)


def clip(number: int) -> str:
    return f"yard/clip {number:02}.wav"


def captions(number: int) -> list[str]:
    kind, place = KINDS[number % 3], PLACES[number // 3]
    return [f"a {kind} {place}", f"{place}, the sound of a {kind}"]


def clip_records() -> list[dict[str, object]]:
    return [
        {"id": clip(n), "path": clip(n), "captions": captions(n), "duration": 2.0 + n / 4,
         "dataset": "north" if n < 12 else "south", "kind": KINDS[n % 3]}
        for n in range(CLIPS)
    ]  # fmt: skip


def clip_vectors() -> np.ndarray:
    """Clips of one kind are near each other; the last one repeats the first: a tie."""
    kinds = whole_numbers(len(KINDS), 1)
    rows = whole_numbers(CLIPS, 2) + 2 * kinds[np.arange(CLIPS) % 3]
    rows[-1] = rows[0]
    return unit(rows)


def query_records() -> list[dict[str, object]]:
    """A query for each of sixteen clips: every second with a hard negative, of four types."""
    return [
        {"id": f"q{n:02}", "target": clip(n) if n % 5 else [clip(n), clip(n + 6)],
         "type": TYPES[n % 4], "dataset": "north" if n < 12 else "south",
         **({"hard_negative": clip(n + 3)} if n % 2 else {})}
        for n in range(16)
    ]  # fmt: skip


def query_vectors() -> np.ndarray:
    return unit(9 * clip_vectors()[:16].astype(np.float64) + 0.5 * whole_numbers(16, 3))


def window_records() -> list[dict[str, object]]:
    """Six clips in three windows each, as `oea embed` names them."""
    spans = ((0, 10), (10, 20), (14.5, 24.5))
    return [
        {"id": f"{name}#t={start:g},{end:g}", "path": name, "captions": captions(n),
         "start": float(start), "end": float(end), "duration": 10.0}
        for n, name in enumerate(map(clip, range(6))) for start, end in spans
    ]  # fmt: skip


def write_matrix(path: Path, records: list[dict[str, object]], vectors: np.ndarray) -> None:
    """X.npy with X.jsonl and X.meta.json beside it, of no encoder that is named."""
    np.save(path, vectors)
    write_rows(path.with_suffix(".jsonl"), records)
    meta = {"format": "oea-embeddings/1", "encoder": None, "dim": DIM, "count": len(records),
            "storage": "f32", "oea_version": "0.1.0", "metadata": {}}  # fmt: skip
    path.with_suffix(".meta.json").write_text(json.dumps(meta))


def write_vectors(folder: Path) -> None:
    """Clips, windows, queries and captions in every form that vectors come in."""
    write_matrix(folder / "clips.npy", clip_records(), clip_vectors())
    np.save(folder / "bare.npy", clip_vectors())
    write_matrix(folder / "queries.npy", query_records(), query_vectors())
    write_matrix(folder / "windows.npy", window_records(), unit(whole_numbers(18, 4)))
    texts = [text for n in range(CLIPS) for text in captions(n)]
    rows: list[dict[str, object]] = [
        {"id": f"{clip(n // 2)}#{n % 2 + 1}", "text": text, "clip": clip(n // 2)}
        for n, text in enumerate(texts)
    ]
    write_matrix(folder / "captions.npy", rows, unit(whole_numbers(len(texts), 5)))
    vectors = [row.tolist() for row in clip_vectors()]
    lines = [{**row, "embedding": v} for row, v in zip(clip_records(), vectors, strict=True)]
    (folder / "lines.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    pl.DataFrame(clip_records()).with_columns(
        embedding=pl.Series(vectors, dtype=pl.Array(pl.Float32, DIM))
    ).write_parquet(folder / "clips.parquet")
    asked = [{k: v for k, v in row.items() if k != "target"} for row in query_records()]
    write_matrix(folder / "asked.npy", asked, query_vectors())

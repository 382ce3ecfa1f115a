"""Clips, captions and their vectors for the tests of mining."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from oea_cli.clips.clip import clip_from
from oea_cli.mining.pool import Clips
from oea_cli.records.rows import Record
from oea_cli.vectors.arrays import Vectors
from tests.vectors.batches import unit

WORDS = ("dog", "cat", "rain", "wind", "train", "bell", "door", "owl", "saw", "sea")


def text_vectors(texts: Sequence[str]) -> Vectors:
    """A bag of words: captions are as alike as the words that they share."""
    table = np.zeros((len(texts), len(WORDS) + 1), np.float32)
    for row, text in enumerate(texts):
        for word in text.split():
            table[row, WORDS.index(word) if word in WORDS else -1] += 1
    return table / np.linalg.norm(table, axis=1, keepdims=True)


def clips_of(vectors: Vectors, captions: Sequence[Sequence[str]], **more: Any) -> Clips:
    """Clips called c0, c1, ...; `more` are columns of their records, `ids` other names."""
    ids = more.pop("ids", [f"c{number}" for number in range(len(vectors))])
    records: list[Record] = [
        {"id": id_, "captions": list(captions[number])}
        | {key: values[number] for key, values in more.items()}
        for number, id_ in enumerate(ids)
    ]
    return Clips([clip_from(record) for record in records], vectors, None, 0)


def random_clips(count: int, seed: int = 0, dim: int = 8) -> Clips:
    """Clips with one to three captions of two words each."""
    draws = np.random.default_rng(seed)
    captions = [
        [" ".join(draws.choice(WORDS, 2, replace=False)) for _ in range(draws.integers(1, 4))]
        for _ in range(count)
    ]
    return clips_of(unit(count, dim, seed), [tuple(dict.fromkeys(said)) for said in captions])

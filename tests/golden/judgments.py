"""Small files of queries, runs, verdicts and the like, and a recipe of two steps."""

from pathlib import Path

import numpy as np

from tests.golden.sounds import CLIPS, write_rows
from tests.golden.vectors import clip, clip_vectors, unit, write_matrix

QUERIES: list[dict[str, object]] = [
    {"id": "q1", "text": "the hiss of rain", "target": "b/05.wav", "type": "keyphrase",
     "hard_negative": "b/06.wav"},
    {"id": "q2", "text": "please find a ringing bell", "target": "a/04.wav",
     "type": "imperative", "hard_negative": "a/01.wav"},
    {"id": "q3", "text": "is a clock ticking?", "target": {"b/07.wav": 2, "long.wav": 1},
     "type": "question"},
    {"id": "q4", "path": "a/03.wav", "target": "a/03.wav"},
    {"id": "q5", "path": "long.wav", "target": ["long.wav"]},
]  # fmt: skip
MORE: list[dict[str, object]] = [
    {"id": "q6", "text": "an engine", "target": "b/08.wav"},
    {"id": "q7", "text": "a whistle", "target": ["a/02.wav", "a/01.wav"]},
]
LIKE: list[dict[str, object]] = [
    {"id": "a/03.wav", "target": ["long.wav"]},
    {"id": "b/07.wav", "target": ["long.wav", "a/01.wav"]},
]
PAIRS = [("b/05.wav", "b/06.wav"), ("a/01.wav", "a/04.wav"), ("b/06.wav", "b/05.wav")]
RUN = ["q1 a 0.9", "q1 b 0.8", "q1 c 0.8", "q2 b 0.7", "q2 a 0.6", "q3 d 0.5", "q3 c 0.25",
       "q4 a 0.9", "q4 d 0.1"]  # fmt: skip
OTHER = ["q1 b 0.9", "q1 a 0.8", "q2 a 0.7", "q2 b 0.6", "q3 c 0.5", "q4 b 0.4", "q4 d 0.3"]
QRELS = "q1 0 b 1\nq2 0 a 1\nq2 0 b 2\nq3 0 c 1\nq4 0 d 1\nq5 0 a 1\n"
TEXTS = "a bell\nthe sea\n"
RECIPE = """\
name: golden
seed: 2
model: {hidden_size: 32, text_layers: 1, text_mlp: 64, text_heads: 2, audio_layers: 1,
        audio_mlp: 64, audio_heads: 2, vocab_size: 300, dim: 32, max_seconds: 4.0}
precision: float32
log_every: 1
validate_every: 2
validation: [{path: held.jsonl}]
stages:
  - {name: clips, steps: 4, batch_size: 4, micro_batch: 2, warmup: 1, data: [{path: clips.jsonl}]}
"""


def trec(lines: list[str]) -> str:
    """`query document score` as the six columns of TREC."""
    rows = [line.split() for line in lines]
    return "".join(f"{q} Q0 {d} 1 {s} golden\n" for q, d, s in rows)


def verdicts() -> list[dict[str, object]]:
    """Three annotators on pairs of clips; the last line takes one back."""
    rows = [(0, 3, "valid", "Ada"), (0, 3, "valid", "Ben"), (0, 3, "same", "Cy"),
            (1, 4, "same", "Ada"), (1, 4, "same", "Ben"), (2, 5, "unsure", "Ada"),
            (3, 0, "valid", "Ben"), (3, 0, "same", "Ada"), (6, 9, "valid", "Cy"),
            (2, 5, None, "Ada")]  # fmt: skip
    return [{"target": clip(a), "hard_negative": clip(b), "verdict": verdict, "annotator": who}
            for a, b, verdict, who in rows]  # fmt: skip


def ratings() -> list[dict[str, object]]:
    scores = {"Ada": (5, 4, 2, 3), "Ben": (4, 4, 1, 5)}
    types = ("question", "tagging", "negative", "question")
    return [{"audio_id": f"{n}.wav", "dataset": "clotho", "query_type": types[n],
             "text": f"query {n}", "rating": score, "annotator": who}
            for who, row in scores.items() for n, score in enumerate(row)]  # fmt: skip


def pair_rows() -> list[dict[str, object]]:
    return [{"target": target, "hard_negative": other, "acoustic_score": 0.5, "text_score": 0.25,
             "captions": list(CLIPS[target].captions),
             "hard_negative_captions": list(CLIPS[other].captions)}
            for target, other in PAIRS]  # fmt: skip


def write_judgments(folder: Path) -> None:
    """Write all of them."""
    write_rows(folder / "queries.jsonl", QUERIES)
    write_rows(folder / "more.jsonl", MORE)
    write_rows(folder / "like.jsonl", LIKE)
    write_rows(folder / "pairs.jsonl", pair_rows())
    write_rows(folder / "verdicts.jsonl", verdicts())
    write_rows(folder / "ratings.jsonl", ratings())
    write_rows(folder / "trained.jsonl", [{"id": "x/rain.wav", "captions": ["Rain falls"]}])
    write_rows(folder / "held.jsonl", [
        {"path": name, "captions": list(CLIPS[name].captions)} for name in list(CLIPS)[:2]
    ])  # fmt: skip
    (folder / "run.trec").write_text(trec(RUN))
    (folder / "other.trec").write_text(trec(OTHER))
    (folder / "qrels.txt").write_text(QRELS)
    (folder / "texts.txt").write_text(TEXTS)
    (folder / "recipe.yaml").write_text(RECIPE)
    (folder / "clotho_captions_validation.csv").write_text(
        "file_name,caption_1,caption_2,caption_3,caption_4,caption_5\n"
        '"Tin roof, 2.wav",Rain falls on a shed,It rains hard,Heavy rain,A storm,Water pours down\n'
    )
    likes: list[dict[str, object]] = [{"id": clip(n), "target": [clip(n + 3)]} for n in range(6)]
    vectors = clip_vectors()[:6].astype(np.float64)
    write_matrix(folder / "v" / "likes.npy", likes, unit(vectors))

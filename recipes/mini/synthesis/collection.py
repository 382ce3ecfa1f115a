"""A small collection to try every verb on: scenes with captions, queries, hard negatives.

Scene i of a seed is always the same one, however many are made.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import cycle, islice
from typing import Any

import numpy as np

from recipes.mini.synthesis.scenes import SAMPLE_RATE, Scene, compose, contrast
from recipes.mini.synthesis.sentences import QUERY_TYPES, query_for

CLASSES = (
    "dog",
    "rain",
    "sea waves",
    "crying baby",
    "clock tick",
    "sneeze",
    "helicopter",
    "chainsaw",
    "rooster",
    "crackling fire",
    "wind",
    "thunder",
    "siren",
    "church bell",
    "footsteps",
    "car engine",
    "bird song",
    "applause",
    "water drops",
    "alarm beeps",
    "crickets",
    "keyboard typing",
    "car horn",
    "breaking glass",
)
"""What the scenes are made of: events that the built-in encoder has learnt."""

NEIGHBOURS = (
    ("rain", "thunder"),
    ("dog", "siren"),
    ("crackling fire", "wind"),
    ("car engine", "car horn"),
    ("bird song", "wind"),
    ("footsteps", "rain"),
    ("clock tick", "alarm beeps"),
    ("sea waves", "thunder"),
    ("applause", "church bell"),
    ("crickets", "dog"),
)
"""Sounds that often occur together, so that leaving one out is worth asking for."""

TURNS = ("contrast", "single", "pair", "contrast", "single", "pair", "single", "triple")
"""What is made in turn; a contrast makes two scenes, so that ten scenes are one round."""

CAPTIONS = 3
QUERY_KINDS = tuple(kind for kind in QUERY_TYPES if kind != "caption")


@dataclass(frozen=True)
class Planned:
    """Scenes to make: which sounds, and as what; a contrast becomes two clips, or, when the
    collection ends after the first of them, that one alone."""

    number: int
    kind: str
    labels: tuple[str, ...]
    alone: bool = False

    @property
    def names(self) -> tuple[str, ...]:
        """One name per clip, without its suffix: `007-rain-thunder`."""
        parts = [label.replace(" ", "-") for label in self.labels]
        if self.kind != "contrast":
            return (f"{self.number:03}-{'-'.join(parts)}",)
        clean = f"{self.number:03}-{'-'.join(parts[:-1])}"
        full = f"{self.number + 1:03}-{'-'.join(parts)}"
        return (clean,) if self.alone else (clean, full)


@dataclass(frozen=True)
class Clip:
    """One finished scene with its place in the collection. `negative` is the query that rules out
    what `hard_negative`, the name of the next clip, has on top; both are None for other clips."""

    name: str
    scene: Scene
    query: str
    query_type: str
    negative: str | None = None
    hard_negative: str | None = None


def plan(num_scenes: int, seed: int) -> list[Planned]:
    """What to make, `num_scenes` clips in all; every class appears about equally often."""
    classes = _classes(seed)
    neighbours = iter(NEIGHBOURS)
    planned: list[Planned] = []
    number = 1
    for kind in cycle(TURNS):
        left = num_scenes - number + 1
        if left <= 0:
            return planned
        together = next(neighbours, None) if kind == "contrast" else None
        labels = together or _distinct(classes, {"single": 1, "triple": 3}.get(kind, 2))
        planned.append(Planned(number, kind, labels, alone=kind == "contrast" and left == 1))
        number += len(planned[-1].names)
    return planned


def _classes(seed: int) -> Iterator[str]:
    """All classes in a random order, then all in another one, and so on."""
    rng = np.random.default_rng([seed, 0])
    while True:
        yield from (CLASSES[i] for i in rng.permutation(len(CLASSES)))


def _distinct(classes: Iterator[str], count: int) -> tuple[str, ...]:
    chosen: dict[str, None] = {}
    while len(chosen) < count:
        chosen.update(dict.fromkeys(islice(classes, count - len(chosen))))
    return tuple(chosen)


def make(planned: Planned, seed: int) -> list[Clip]:
    """The clips of one turn, with samples and texts."""
    rng = np.random.default_rng([seed, planned.number])
    seconds = round(float(rng.uniform(3.0, 6.0)), 1)
    kind = QUERY_KINDS[planned.number % len(QUERY_KINDS)]
    if planned.kind != "contrast":
        scene = compose(rng, planned.labels, seconds=seconds, num_captions=CAPTIONS)
        return [_clip(rng, planned.names[0], scene, kind)]
    pair = contrast(
        rng, planned.labels[:-1], planned.labels[-1], seconds=seconds, num_captions=CAPTIONS
    )
    target = _clip(rng, planned.names[0], pair.target, kind)
    if planned.alone:
        return [target]
    full = planned.names[1]
    return [
        replace(target, negative=pair.query, hard_negative=full),
        _clip(rng, full, pair.hard_negative, "caption"),
    ]


def _clip(rng: np.random.Generator, name: str, scene: Scene, kind: str) -> Clip:
    return Clip(name, scene, query_for(rng, scene.labels, scene.arrangement, kind), kind)


# --- the rows of its files ---


def clip_record(clip: Clip, path: str) -> dict[str, Any]:
    """A record as every verb reads it; the id is the path."""
    return {
        "id": path,
        "path": path,
        "captions": list(clip.scene.captions),
        "labels": list(clip.scene.labels),
        "arrangement": clip.scene.arrangement,
        "duration": round(len(clip.scene.samples) / SAMPLE_RATE, 3),
    }


def query_rows(clips: Sequence[dict[str, Any]], texts: Sequence[Clip]) -> list[dict[str, Any]]:
    """Queries for evaluation: one per clip, and one exclusion per contrast.

    A query that other clips answer as well (the same sounds, arranged the same) names them all.
    """
    rows: list[dict[str, Any]] = []
    ids = {clip.name: record["id"] for clip, record in zip(texts, clips, strict=True)}
    for clip, record in zip(texts, clips, strict=True):
        row = {"text": clip.query, "target": _targets(record, clips), "type": clip.query_type}
        rows.append(row)
        if clip.negative is not None and clip.hard_negative is not None:
            row = {"text": clip.negative, "target": _targets(record, clips), "type": "negative"}
            rows.append({**row, "hard_negative": ids[clip.hard_negative]})
    return [{"id": f"q{i:03}", **row} for i, row in enumerate(rows, 1)]


def _targets(wanted: dict[str, Any], clips: Sequence[dict[str, Any]]) -> str | list[str]:
    ids = [wanted["id"], *(c["id"] for c in clips if _fits(wanted, c) and c is not wanted)]
    return ids if len(ids) > 1 else str(ids[0])


def _fits(wanted: dict[str, Any], clip: dict[str, Any]) -> bool:
    if wanted["arrangement"] in (None, "together"):
        return set(wanted["labels"]) == set(clip["labels"])
    same = ("labels", "arrangement")
    return all(wanted[key] == clip[key] for key in same)


def pair_rows(clips: Sequence[dict[str, Any]], texts: Sequence[Clip]) -> list[dict[str, Any]]:
    """Hard-negative pairs: the clip, the one with another sound on top, their captions."""
    records = {clip.name: record for clip, record in zip(texts, clips, strict=True)}
    return [
        {
            "target": records[clip.name]["id"],
            "hard_negative": records[clip.hard_negative]["id"],
            "captions": records[clip.name]["captions"],
            "hard_negative_captions": records[clip.hard_negative]["captions"],
        }
        for clip in texts
        if clip.hard_negative is not None
    ]

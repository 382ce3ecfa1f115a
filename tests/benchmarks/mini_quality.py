"""How good is `mini`? Prints every figure that the README and the CHANGELOG quote.

    python tests/benchmarks/mini_quality.py                     # the built-in one, fold 5
    python tests/benchmarks/mini_quality.py runs/mini --fold 4   # for choosing between recipes

Three measurements, none on anything trained on:
1. ESC-10, one fold (80 recordings of 10 classes): precision@5 of ten class queries, by how much of
   the wording was in training; the share of clips whose class is named right.
2. 200 composed scenes of freshly rendered sounds: 100, and the same with one sound more. Recall of
   each scene by its caption.
3. 100 pairs of scenes (A alone; A with B): how often a query puts the clean scene first.
"""

import argparse
import csv
import json
import sys
from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[2]))

from oea_cli.audio.windows import read_audio
from oea_cli.encoder.loading import load_encoder
from oea_cli.encoder.names.places import encoder_folder
from oea_cli.encoder.omni.settings import load_settings
from oea_cli.encoder.protocol import Encoder
from recipes.mini.scenes.sounds import ESC10_CLASSES
from recipes.mini.synthesis.events import EVENTS
from recipes.mini.synthesis.sentences import caption_for
from recipes.mini.synthesis.vocabulary import noun_phrase
from tests.held_out import EXCLUSIONS, FRAMES, SYNONYMS

SHARED = Path(__file__).parents[3] / "shared" / "data"
SEEN_FRAMES = ("{}", "the sound of {}", "a recording of {}")
SEEN_EXCLUSIONS = ("{A} without {B}", "{A}, no {B}", "{A} with no {B}")
RATE = 16_000


def main() -> None:
    """Measure and print; `--json FILE` also writes the figures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("encoder", nargs="?", default="mini")
    parser.add_argument("--fold", type=int, default=5)
    parser.add_argument("--seed", type=int, default=20_261_123)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    encoder = load_encoder(options.encoder, device="cpu")
    print(f"{encoder.encoder_id}, ESC-10 fold {options.fold}, scenes of seed {options.seed}")
    figures = real_recordings(encoder, options.fold)
    trained_on = load_settings(encoder_folder(options.encoder) / "encoder.json").training
    events = [name for name in EVENTS if name in trained_on.get("classes", EVENTS)]
    figures |= composed_scenes(encoder, np.random.default_rng(options.seed), events)
    figures |= exclusions(encoder, np.random.default_rng(options.seed + 1), events)
    for name, value in figures.items():
        print(f"{value:6.3f}  {name}")
    if options.json:
        options.json.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")


# --- 1. real recordings ---


def real_recordings(encoder: Encoder, fold: int) -> dict[str, float]:
    """precision@5 and accuracy on one fold of ESC-10, by wording."""
    vectors, classes = fold_vectors(encoder, SHARED / "esc10", fold)
    names = list(ESC10_CLASSES.values())
    wordings: dict[str, Iterable[dict[str, str]]] = {
        "seen words": [{name: frame.format(name) for name in names} for frame in SEEN_FRAMES],
        "unseen frames": [{name: frame.format(name) for name in names} for frame in FRAMES],
        "unseen words": by_turns(lambda word: word),
        "unseen words in a seen frame": by_turns(lambda word: f"the sound of {word}"),
    }
    figures = {}
    for wording, sets in wordings.items():
        results = [precision_and_accuracy(encoder, s, vectors, classes) for s in sets]
        precision, accuracy = np.mean(results, axis=0)
        figures[f"ESC-10 precision@5, {wording}"] = float(precision)
        figures[f"ESC-10 accuracy, {wording}"] = float(accuracy)
    return figures


def by_turns(write: Callable[[str], str]) -> list[dict[str, str]]:
    """Every held-out synonym once: as many sets of ten queries as the longest list has."""
    longest = max(len(words) for words in SYNONYMS.values())
    return [
        {name: write(words[turn % len(words)]) for name, words in SYNONYMS.items()}
        for turn in range(longest)
    ]


def fold_vectors(encoder: Encoder, folder: Path, fold: int) -> tuple[np.ndarray, list[str]]:
    """(80, d) and the class of each clip."""
    with (folder / "esc10_meta.csv").open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if int(row["fold"]) == fold]
    clips = [read_audio(folder / row["path"], encoder.sample_rate) for row in rows]
    return encode(encoder, clips), [ESC10_CLASSES[row["category"]] for row in rows]


def precision_and_accuracy(
    encoder: Encoder, queries: dict[str, str], vectors: np.ndarray, classes: list[str]
) -> tuple[float, float]:
    """Mean over the queries of the share of right clips among the first five; clip accuracy."""
    names = list(queries)
    scores = encoder.encode_text([queries[name] for name in names]) @ vectors.T  # (10, 80)
    first = np.argsort(-scores, axis=1)[:, :5]
    right = [
        [classes[clip] == name for clip in row] for name, row in zip(names, first, strict=True)
    ]
    named = np.array(names)[scores.argmax(0)]
    return float(np.mean(right)), float(np.mean(named == np.array(classes)))


def encode(encoder: Encoder, clips: list[np.ndarray]) -> np.ndarray:
    """(n, d), in batches of 16."""
    return np.concatenate(
        [encoder.encode_audio(clips[i : i + 16]) for i in range(0, len(clips), 16)]
    )


# --- 2. and 3. composed scenes ---


def composed_scenes(
    encoder: Encoder, rng: np.random.Generator, events: list[str]
) -> dict[str, float]:
    """Recall of 200 scenes by their captions."""
    scenes = [scene for _ in range(100) for scene in scene_and_one_more(rng, events)]
    texts = encoder.encode_text([caption_for(rng, labels) for labels, _ in scenes])
    vectors = encode(encoder, [samples for _, samples in scenes])
    scores = texts @ vectors.T
    ranks = 1 + (scores > scores.diagonal()[:, None]).sum(1)
    sets = [frozenset(labels) for labels, _ in scenes]
    best = scores.argmax(1)
    figures = {f"200 scenes R@{k}": float((ranks <= k).mean()) for k in (1, 5, 10)}
    same = np.mean([sets[i] == sets[j] for i, j in enumerate(best)])
    return figures | {"200 scenes, first hit has exactly these sounds": float(same)}


def exclusions(encoder: Encoder, rng: np.random.Generator, events: list[str]) -> dict[str, float]:
    """How often each form of query puts A alone before A with B, over 100 pairs."""
    pairs = [exclusion_pair(rng, events) for _ in range(100)]
    clean = encode(encoder, [samples for _, _, samples, _ in pairs])
    both = encode(encoder, [samples for _, _, _, samples in pairs])
    forms = {
        "A without B": SEEN_EXCLUSIONS,
        **{f"{form} (unseen form)": (form,) for form in EXCLUSIONS},
        "A and B (should be low)": ("{A} and {B}",),
        "A": ("{A}",),
    }
    figures = {}
    for name, templates in forms.items():
        wins = []
        for template in templates:
            queries = encoder.encode_text([template.format(A=a, B=b) for a, b, _, _ in pairs])
            wins.append(((queries * clean).sum(1) > (queries * both).sum(1)).mean())
        figures[f"clean scene first: {name}"] = float(np.mean(wins))
    return figures


def scene_and_one_more(
    rng: np.random.Generator, events: list[str]
) -> list[tuple[tuple[str, ...], np.ndarray]]:
    """A scene of one sound (one in five) or two, and the same with one more: (labels, samples)."""
    count = 1 if rng.random() < 0.2 else 2
    *labels, other = (str(label) for label in rng.choice(events, count + 1, replace=False))
    sounds = [rendered(rng, label) for label in labels]
    more = [*sounds, rendered(rng, other)]
    return [(tuple(labels), mixed(sounds)), ((*labels, other), mixed(more))]


def exclusion_pair(
    rng: np.random.Generator, events: list[str]
) -> tuple[str, str, np.ndarray, np.ndarray]:
    """(A, B in words, A alone, A with B)."""
    a, b = (str(label) for label in rng.choice(events, 2, replace=False))
    sound, added = rendered(rng, a), rendered(rng, b)
    return noun_phrase(rng, a), noun_phrase(rng, b), mixed([sound]), mixed([sound, added])


def rendered(rng: np.random.Generator, label: str, seconds: float = 5.0) -> np.ndarray:
    """A fresh take, at a loudness within 6 dB."""
    samples = EVENTS[label].render(rng, seconds, RATE)
    loudness = 0.1 * 10 ** (rng.uniform(-6, 0) / 20)
    return samples * np.float32(loudness / np.sqrt(np.mean(samples**2)))


def mixed(sounds: list[np.ndarray]) -> np.ndarray:
    """The sum, brought below full scale."""
    total = np.sum(sounds, axis=0)
    return (total / max(1.0, float(np.abs(total).max()))).astype(np.float32)


if __name__ == "__main__":
    main()

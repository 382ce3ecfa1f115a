"""Which rule should `--not` follow? Candidates against writing "without X" into the query.

    python tests/benchmarks/exclusion.py                  # the built-in encoder
    python tests/benchmarks/exclusion.py runs/mini --pairs 200 --seed 5

Pairs of freshly composed scenes share their first sound: A alone, and the same A with B over it.
Every pair is asked for with "A", excluding "B"; all scenes of all pairs are the index.
  clean first   A alone is ranked before A with B
  R@1, R@10     A alone is among the first hits, of all scenes
  right@10      of the first ten hits, the share that hold A and not B
  innocent      A with B is asked for by its caption, excluding a sound C that it does not hold:
                R@10, to be compared with that of no rule at all
`oea search --not` follows the rule in oea_cli/exclusion.py, the one marked with *.
"""

import argparse
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[2]))

from oea_cli.encoder.loading import load_encoder
from oea_cli.encoder.names.places import encoder_folder
from oea_cli.encoder.omni.settings import load_settings
from oea_cli.encoder.protocol import Encoder
from oea_cli.search.exclusion import exclusion_penalty
from recipes.mini.synthesis.events import EVENTS
from recipes.mini.synthesis.scenes import Contrast, contrast
from recipes.mini.synthesis.sentences import exclusion_for, inclusion_for
from recipes.mini.synthesis.vocabulary import noun_phrase

# Taught neither to `mini` nor to anybody: how people may well write it.
UNTAUGHT = "{A} in the absence of {B}"


@dataclass(frozen=True)
class Asked:
    """Cosines with all clips: of what is wanted (Q, N), of what is not (Q, N), of both in one
    sentence (Q, N); and those of the wanted with the unwanted text (Q,)."""

    wanted: np.ndarray
    unwanted: np.ndarray
    worded: np.ndarray
    untaught: np.ndarray
    kinship: np.ndarray


Rule = Callable[[Asked], np.ndarray]


# --- the candidates: adjusted scores (Q, N) ---


def ignore(asked: Asked) -> np.ndarray:
    """The query alone, as if nothing were excluded."""
    return asked.wanted


def subtract(weight: float) -> Rule:
    """Vector arithmetic: the query less the unwanted text."""
    return lambda asked: asked.wanted - weight * asked.unwanted


def above_median(weight: float) -> Rule:
    """What a clip resembles the unwanted text more than the index's median clip does."""

    def rule(asked: Asked) -> np.ndarray:
        usual = np.median(asked.unwanted, axis=1, keepdims=True)
        return asked.wanted - weight * np.maximum(0, asked.unwanted - usual)

    return rule


def above_kinship(weight: float) -> Rule:
    """What a clip resembles the unwanted text more than the wanted text itself does."""
    return lambda asked: (
        asked.wanted - weight * np.maximum(0, asked.unwanted - asked.kinship[:, None])
    )


def standing_out(weight: float, start: float) -> Rule:
    """By how many standard deviations beyond `start` a clip's resemblance stands out."""

    def rule(asked: Asked) -> np.ndarray:
        mean = asked.unwanted.mean(axis=1, keepdims=True)
        deviations = (asked.unwanted - mean) / asked.unwanted.std(axis=1, keepdims=True)
        return asked.wanted - weight * np.maximum(0, deviations - start)

    return rule


def beyond_expected(weight: float) -> Rule:
    """What a clip resembles the unwanted text more than its wanted score lets expect."""

    def rule(asked: Asked) -> np.ndarray:
        s = asked.wanted - asked.wanted.mean(axis=1, keepdims=True)
        u = asked.unwanted - asked.unwanted.mean(axis=1, keepdims=True)
        slope = (s * u).sum(axis=1, keepdims=True) / (s * s).sum(axis=1, keepdims=True)
        return asked.wanted - weight * np.maximum(0, u - np.maximum(0, slope) * s)

    return rule


def percentile(weight: float, start: float) -> Rule:
    """How far beyond the quantile `start` a clip's resemblance ranks, from 0 to `weight`."""

    def rule(asked: Asked) -> np.ndarray:
        places = asked.unwanted.argsort(axis=1).argsort(axis=1) / (asked.unwanted.shape[1] - 1)
        return asked.wanted - weight * np.maximum(0, (places - start) / (1 - start))

    return rule


def chosen(asked: Asked) -> np.ndarray:
    """What `oea search` does."""
    penalties = [exclusion_penalty(row[None]) for row in asked.unwanted]
    return asked.wanted - np.stack(penalties)


RULES: dict[str, Rule] = {
    "A (nothing excluded)": ignore,
    '"A without B", forms taught': lambda asked: asked.worded,
    f'"{UNTAUGHT}"': lambda asked: asked.untaught,
    "* oea search": chosen,
    **{f"subtract {w}": subtract(w) for w in (0.25, 0.5, 1.0)},
    **{f"above the median, {w}": above_median(w) for w in (0.25, 0.5, 1.0, 2.0)},
    **{f"above kinship, {w}": above_kinship(w) for w in (0.5, 1.0, 2.0)},
    **{f"standing out from {t} sd, {w}": standing_out(w, t)
       for t in (0.0, 0.5, 1.0) for w in (0.1, 0.2, 0.4)},
    **{f"beyond expected, {w}": beyond_expected(w) for w in (0.5, 1.0, 2.0)},
    **{f"percentile from {t}, {w}": percentile(w, t) for t in (0.5, 0.8) for w in (0.3, 0.6)},
    "wording and above the median, 0.5": lambda asked: above_median(0.5)(
        Asked(asked.worded, asked.unwanted, asked.worded, asked.untaught, asked.kinship)
    ),
}  # fmt: skip


# --- measuring ---


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("encoder", nargs="?", default="mini")
    parser.add_argument("--pairs", type=int, default=150)
    parser.add_argument("--seed", type=int, default=31)
    options = parser.parse_args()
    encoder = load_encoder(options.encoder, device="cpu")
    trained_on = load_settings(encoder_folder(options.encoder) / "encoder.json").training
    classes = [name for name in EVENTS if name in trained_on.get("classes", EVENTS)]
    rng = np.random.default_rng(options.seed)
    pairs = [make_pair(rng, classes) for _ in range(options.pairs)]
    clips = encode_clips(encoder, pairs)
    asked, labels = ask(encoder, rng, pairs, clips), [s.labels for p in pairs for s in both(p)]
    innocent = ask_innocently(encoder, rng, pairs, clips, classes)
    print(
        f"{encoder.encoder_id}: {len(pairs)} pairs of {len(classes)} classes, seed {options.seed}"
    )
    print(f"{'clean first':>12} {'R@1':>6} {'R@10':>6} {'right@10':>9} {'innocent':>9}")
    for name, rule in RULES.items():
        figures = [*measure(rule(asked), pairs, labels), recall(rule(innocent), 10, first=1)]
        print("{:12.3f} {:6.3f} {:6.3f} {:9.3f} {:9.3f}".format(*figures), f"  {name}")


def make_pair(rng: np.random.Generator, classes: list[str]) -> Contrast:
    one, other = rng.permutation(len(classes))[:2]
    return contrast(rng, [classes[one]], classes[other])


def both(pair: Contrast) -> tuple:
    return pair.target, pair.hard_negative


def encode_clips(encoder: Encoder, pairs: list[Contrast]) -> np.ndarray:
    """(2 * pairs, d): clean and full scene by turns."""
    sounds = [scene.samples for pair in pairs for scene in both(pair)]
    parts = [encoder.encode_audio(sounds[i : i + 16]) for i in range(0, len(sounds), 16)]
    return np.concatenate(parts)


def ask(
    encoder: Encoder, rng: np.random.Generator, pairs: list[Contrast], clips: np.ndarray
) -> Asked:
    """Every pair's clean scene asked for."""
    names = [(p.target.labels[0], p.excluded) for p in pairs]
    said = [(noun_phrase(rng, a), noun_phrase(rng, b)) for a, b in names]
    worded = [exclusion_for(rng, [a], [b]) for a, b in names]
    untaught = [UNTAUGHT.format(A=a, B=b) for a, b in said]
    wanted, unwanted = (encoder.encode_text([pair[i] for pair in said]) for i in (0, 1))
    return Asked(
        wanted @ clips.T,
        unwanted @ clips.T,
        encoder.encode_text(worded) @ clips.T,
        encoder.encode_text(untaught) @ clips.T,
        (wanted * unwanted).sum(axis=1),
    )


def ask_innocently(
    encoder: Encoder, rng: np.random.Generator, pairs: list[Contrast], clips: np.ndarray,
    classes: list[str],
) -> Asked:  # fmt: skip
    """Every pair's full scene asked for, excluding what it does not hold."""
    others = [
        str(rng.choice([c for c in classes if c not in pair.hard_negative.labels]))
        for pair in pairs
    ]
    wanted = encoder.encode_text([inclusion_for(rng, p.hard_negative.labels) for p in pairs])
    unwanted = encoder.encode_text([noun_phrase(rng, other) for other in others])
    worded = encoder.encode_text(
        [
            exclusion_for(rng, p.hard_negative.labels, [o])
            for p, o in zip(pairs, others, strict=True)
        ]
    )
    untaught = encoder.encode_text(
        [
            UNTAUGHT.format(A=inclusion_for(rng, p.hard_negative.labels), B=noun_phrase(rng, o))
            for p, o in zip(pairs, others, strict=True)
        ]
    )
    scores = [vectors @ clips.T for vectors in (wanted, unwanted, worded, untaught)]
    return Asked(*scores, (wanted * unwanted).sum(axis=1))


def measure(
    scores: np.ndarray, pairs: list[Contrast], labels: list[tuple[str, ...]]
) -> tuple[float, float, float, float]:
    """Clean first, R@1, R@10, right@10."""
    queries = np.arange(len(pairs))
    clean_first = np.mean(scores[queries, 2 * queries] > scores[queries, 2 * queries + 1])
    right = np.array(
        [
            [pair.target.labels[0] in held and pair.excluded not in held for held in labels]
            for pair in pairs
        ]
    )
    top = np.argsort(-scores, axis=1)[:, :10]
    possible = np.minimum(right.sum(axis=1), 10)
    right_at_10 = np.mean(np.take_along_axis(right, top, 1).sum(axis=1) / possible)
    return float(clean_first), recall(scores, 1), recall(scores, 10), float(right_at_10)


def recall(scores: np.ndarray, k: int, first: int = 0) -> float:
    """Share of queries with their own clip (2 * query + first) among the best k."""
    own = np.take_along_axis(scores, 2 * np.arange(len(scores))[:, None] + first, 1)
    return float(np.mean((scores > own).sum(axis=1) < k))


if __name__ == "__main__":
    main()

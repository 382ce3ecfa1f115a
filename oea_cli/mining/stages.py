"""The stages of hard-negative mining, from all clips to pairs, each with its count.

1. acoustic neighbours: the `top_k` most similar clips of each clip, other recordings only;
2. an acoustic threshold, given, or chosen to leave about `keep_ratio` times the wanted pairs;
3. text similarity: the highest of all caption pairs of the two clips;
4. pairs below `max_text_similarity`, and then, where there are any, people's verdicts.

Between 1 and 2 go pairs whose captions say the same and pairs that are one sound encoded twice; at
the end what is more than was wanted. After the paper's sections 3.2.2 and 3.3; the guards, which it
does not have, come before the threshold, because they would otherwise take its places.

A pair is ordered, (target, hard negative): the hard negative is among the target's neighbours, and
its reverse is another pair, mined only if the target is among its neighbours as well.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from hashlib import blake2b
from typing import Literal

import numpy as np
import numpy.typing as npt

from oea_cli.clips.captions import shared_captions
from oea_cli.clips.recordings import recording_groups
from oea_cli.clips.verdicts import VALID, PairVerdicts
from oea_cli.errors import UsageError
from oea_cli.mining.captions import CaptionSimilarity, EncodeTexts
from oea_cli.mining.duplicates import Duplicates
from oea_cli.mining.pool import Clips
from oea_cli.vectors.arrays import SCORE_DIGITS, Mask, RowNumbers
from oea_cli.vectors.scan.neighbours import nearest_neighbours

Sampling = Literal["top", "random"]
Scores = npt.NDArray[np.float64]


class Fate(StrEnum):
    """What became of a pair: kept, or the first stage that dropped it, in order."""

    kept = "kept"
    same_captions = "captions say the same"
    duplicate = "one sound encoded twice"
    too_alike = "above --max-acoustic-similarity"
    acoustic = "acoustic threshold"
    text = "text similarity"
    margin = "margin"
    unjudged = "no verdict"
    verdict = "verdict"
    too_near = "within --range-min"
    surplus = "more than wanted"


FATES = list(Fate)
CODES = {fate: code for code, fate in enumerate(FATES)}


@dataclass(frozen=True)
class Settings:
    """How pairs are chosen. `num_pairs` and `per_clip` are the wanted number, in all and of each
    target; None for any. With `keep_all` more than wanted are kept."""

    top_k: int = 20
    per_clip: int | None = 1
    num_pairs: int | None = None
    keep_ratio: float | None = 3.0
    min_acoustic_similarity: float | None = None
    max_acoustic_similarity: float | None = None
    max_text_similarity: float = 0.7
    range_min: int = 0
    absolute_margin: float | None = None
    relative_margin: float | None = None
    sampling_strategy: Sampling = "top"
    seed: int = 0
    keep_all: bool = False

    def check(self) -> None:
        """Raise UsageError for settings that can give nothing."""
        for name, value in vars(self).items():
            if isinstance(value, float) and not math.isfinite(value):
                raise UsageError(
                    f"--{name.replace('_', '-')} {value}: is not a number to compare with"
                )
        if self.range_min >= self.top_k:
            raise UsageError(
                f"--range-min {self.range_min}: leaves nothing of the {self.top_k} neighbours of "
                "--top-k (--range-max)"
            )
        if self.per_clip is not None and self.per_clip > self.top_k - self.range_min:
            raise UsageError(
                f"-n {self.per_clip}: only {self.top_k - self.range_min} neighbours remain between "
                f"--range-min {self.range_min} and --top-k (--range-max) {self.top_k}"
            )

    def wanted(self, num_clips: int) -> int:
        """How many pairs are wanted of so many clips."""
        of_clips = num_clips * (self.top_k if self.per_clip is None else self.per_clip)
        return of_clips if self.num_pairs is None else min(self.num_pairs, of_clips)


@dataclass
class Candidates:
    """Pairs (P,) by number of clip, target by target, nearest first; what is known of each.

    `ranks` count from 1; scores are rounded to what rows show, before anything is decided by them;
    `text` is NaN where it was not needed; `fates` are numbers of FATES.
    """

    targets: RowNumbers
    negatives: RowNumbers
    ranks: RowNumbers
    acoustic: Scores
    text: Scores
    fates: RowNumbers

    def __len__(self) -> int:
        return len(self.targets)

    @property
    def alive(self) -> RowNumbers:
        """The numbers of the pairs that no stage has dropped."""
        return np.flatnonzero(self.fates == CODES[Fate.kept])

    def meet(self, pairs: RowNumbers, fate: Fate) -> None:
        """Let pairs (numbers) meet their fate."""
        self.fates[pairs] = CODES[fate]


@dataclass
class Mined:
    """The outcome: all candidates with their fates, the threshold that was used, and how many
    pairs were left after each stage."""

    candidates: Candidates
    groups: RowNumbers
    threshold: float | None
    counts: dict[str, int]
    duplicates: Duplicates
    similarity: CaptionSimilarity | None = None

    @property
    def kept(self) -> RowNumbers:
        """The numbers of the pairs that are left."""
        return self.candidates.alive

    def dropped(self) -> dict[str, int]:
        """How many pairs met each fate but the best."""
        found = np.bincount(self.candidates.fates, minlength=len(FATES)).tolist()
        return {fate.value: found[code] for fate, code in CODES.items() if fate != Fate.kept}


@dataclass(frozen=True)
class Steps:
    """Where the work tells that it goes on: after each product, after each file decoded."""

    product: Callable[[], object] = field(default=lambda: None)
    decoded: Callable[[], object] = field(default=lambda: None)


def mine(
    clips: Clips,
    settings: Settings,
    encode_texts: EncodeTexts,
    verdicts: PairVerdicts | None = None,
    *,
    compare_sounds: bool = True,
    steps: Steps | None = None,
) -> Mined:
    """Mine pairs: the same clips, texts' vectors and settings give the same pairs, bit by bit.

    Near-duplicates are found by the sounds themselves, unless `compare_sounds` is off. Raises
    UsageError for settings that can give nothing, and what `encode_texts` raises.
    """
    settings.check()
    steps = steps or Steps()
    groups = np.array(recording_groups([clip.record for clip in clips]), np.int64)
    pairs = _neighbours(clips, settings, groups, steps)
    counts = {"acoustic neighbours": len(pairs)}
    duplicates = Duplicates(clips, compare_sounds, steps.decoded)
    _drop_same_captions(clips, pairs)
    threshold = _threshold(pairs, settings, settings.wanted(len(clips)), duplicates)
    guarded = {CODES[Fate.same_captions], CODES[Fate.duplicate]}
    counts["other captions, another sound"] = int((~np.isin(pairs.fates, list(guarded))).sum())
    counts["acoustic threshold"] = len(pairs.alive)
    similarity = _compare_captions(clips, pairs, encode_texts)
    pairs.meet(_where(pairs, pairs.text >= settings.max_text_similarity), Fate.text)
    counts["text similarity"] = len(pairs.alive)
    if settings.absolute_margin is not None or settings.relative_margin is not None:
        _drop_within_margin(pairs, settings, similarity)
        counts["margin"] = len(pairs.alive)
    if verdicts is not None:
        _apply_verdicts(clips, pairs, verdicts)
        counts["verdicts"] = len(pairs.alive)
    _choose(clips, pairs, settings)
    counts["chosen"] = len(pairs.alive)
    return Mined(pairs, groups, threshold, counts, duplicates, similarity)


def _neighbours(clips: Clips, settings: Settings, groups: RowNumbers, steps: Steps) -> Candidates:
    found = nearest_neighbours(clips.vectors, settings.top_k, groups, advance=steps.product)
    targets, places = np.nonzero(found.rows >= 0)
    scores: Scores = found.scores[targets, places].astype(np.float64)
    acoustic = np.round(scores, SCORE_DIGITS)
    unknown = np.full(len(targets), np.nan)
    alive = np.full(len(targets), CODES[Fate.kept])
    return Candidates(targets, found.rows[targets, places], places + 1, acoustic, unknown, alive)


def _where(pairs: Candidates, condition: Mask) -> RowNumbers:
    """The numbers of the pairs that are left and meet a condition (P,)."""
    alive = pairs.alive
    return alive[condition[alive]]


def _drop_same_captions(clips: Clips, pairs: Candidates) -> None:
    shared = shared_captions([clip.captions for clip in clips])
    owners = np.array([bool(texts) for texts in shared])
    suspects = np.flatnonzero(owners[pairs.targets] & owners[pairs.negatives])
    same = [
        pair
        for pair in suspects.tolist()
        if not shared[pairs.targets[pair]].isdisjoint(shared[pairs.negatives[pair]])
    ]
    pairs.meet(np.array(same, np.int64), Fate.same_captions)


def _threshold(
    pairs: Candidates, settings: Settings, wanted: int, duplicates: Duplicates
) -> float | None:
    """Drop the pairs below the acoustic threshold, and duplicates above it; return the threshold.

    Only what passes is listened to. A duplicate's place goes to the next pair, which may be one as
    well, so this goes on until none is found.
    """
    if settings.max_acoustic_similarity is not None:
        too_alike = pairs.acoustic > settings.max_acoustic_similarity
        pairs.meet(_where(pairs, too_alike), Fate.too_alike)
    heard = np.zeros(len(pairs), bool)
    while True:
        threshold = _chosen_threshold(pairs, settings, wanted)
        passing = _where(pairs, pairs.acoustic >= (-np.inf if threshold is None else threshold))
        unheard = passing[~heard[passing]]
        if not len(unheard):
            break
        heard[unheard] = True
        targets, negatives = pairs.targets[unheard], pairs.negatives[unheard]
        is_same = duplicates.among(targets, negatives, pairs.acoustic[unheard])
        pairs.meet(unheard[is_same], Fate.duplicate)
    if threshold is not None:
        pairs.meet(_where(pairs, pairs.acoustic < threshold), Fate.acoustic)
    return threshold


def _chosen_threshold(pairs: Candidates, settings: Settings, wanted: int) -> float | None:
    if settings.min_acoustic_similarity is not None:
        return settings.min_acoustic_similarity
    if settings.keep_ratio is None:
        return None
    scores = pairs.acoustic[pairs.alive]
    surviving = max(1, round(settings.keep_ratio * wanted))
    if surviving >= len(scores):
        return None
    return float(np.partition(scores, len(scores) - surviving)[len(scores) - surviving])


def _compare_captions(
    clips: Clips, pairs: Candidates, encode_texts: EncodeTexts
) -> CaptionSimilarity:
    """Fill in the text similarity of the pairs that are left."""
    alive = pairs.alive
    needed = np.unique([pairs.targets[alive], pairs.negatives[alive]])
    similarity = CaptionSimilarity(clips, needed.tolist(), encode_texts)
    starts = np.flatnonzero(np.diff(pairs.targets[alive], prepend=-1))
    for part in np.split(alive, starts[1:]) if len(alive) else ():
        scores = similarity.with_others(int(pairs.targets[part[0]]), pairs.negatives[part])
        pairs.text[part] = np.round(scores.astype(np.float64), SCORE_DIGITS)
    return similarity


def _drop_within_margin(
    pairs: Candidates, settings: Settings, similarity: CaptionSimilarity
) -> None:
    """Drop pairs whose captions are nearly as alike as the target's own are to each other."""
    alive = pairs.alive
    own = {target: similarity.within(target) for target in set(pairs.targets[alive].tolist())}
    positive = np.array([own[target] for target in pairs.targets[alive].tolist()], np.float64)
    highest = np.full(len(alive), np.inf)
    if settings.absolute_margin is not None:
        highest = np.minimum(highest, positive - settings.absolute_margin)
    if settings.relative_margin is not None:
        highest = np.minimum(highest, positive - np.abs(positive) * settings.relative_margin)
    pairs.meet(alive[pairs.text[alive] > highest], Fate.margin)


def _apply_verdicts(clips: Clips, pairs: Candidates, verdicts: PairVerdicts) -> None:
    alive = pairs.alive
    found = [
        verdicts.of(clips[pairs.targets[pair]].id, clips[pairs.negatives[pair]].id)
        for pair in alive.tolist()
    ]
    pairs.meet(alive[[verdict is None for verdict in found]], Fate.unjudged)
    other = [verdict is not None and verdict.choice != VALID for verdict in found]
    pairs.meet(alive[other], Fate.verdict)


def _choose(clips: Clips, pairs: Candidates, settings: Settings) -> None:
    """Cut to the wanted number: of each target, then in all, the most similar first."""
    alive = pairs.alive
    starts = np.flatnonzero(np.diff(pairs.targets[alive], prepend=-1))
    for part in np.split(alive, starts[1:]) if len(alive) else ():
        pairs.meet(part[: settings.range_min], Fate.too_near)
        if settings.per_clip is not None and not settings.keep_all:
            rest = part[settings.range_min :]
            pairs.meet(rest, Fate.surplus)
            pairs.meet(_sample(rest, clips, pairs, settings), Fate.kept)
    alive = pairs.alive
    if settings.num_pairs is not None and not settings.keep_all:
        best_first = alive[np.argsort(-pairs.acoustic[alive], kind="stable")]
        pairs.meet(best_first[settings.num_pairs :], Fate.surplus)


def _sample(part: RowNumbers, clips: Clips, pairs: Candidates, settings: Settings) -> RowNumbers:
    count = settings.per_clip or 0
    if settings.sampling_strategy == "top" or len(part) <= count:
        return part[:count]
    # A seed of each clip's own: other clips change nothing of what it draws.
    name = clips[pairs.targets[part[0]]].id.encode()
    own = int.from_bytes(blake2b(name, digest_size=8).digest())
    return np.random.default_rng([settings.seed, own]).choice(part, count, replace=False)

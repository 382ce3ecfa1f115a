"""The stages of hard-negative mining, from all clips to pairs, each with its count.

1. acoustic neighbours: the `top_k` most similar clips of each clip, other recordings only;
2. an acoustic threshold, given, or chosen to leave about `keep_ratio` times the wanted pairs;
3. text similarity: the highest of all caption pairs of the two clips;
4. pairs below `max_text_similarity`, and then, where there are any, people's verdicts.

Between 1 and 2, pairs with the same captions and pairs that are one sound encoded twice are
dropped; at the end, pairs beyond the wanted number. After the paper's sections 3.2.2 and 3.3; the
two guards, which it does not have, come before the threshold: otherwise the pairs they drop would
count among those that the threshold leaves.

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


class Decision(StrEnum):
    """What was decided about a pair: kept, or the first stage that dropped it, in order."""

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


DECISIONS = list(Decision)
CODE_OF = {decision: code for code, decision in enumerate(DECISIONS)}


@dataclass(frozen=True)
class Settings:
    """How pairs are chosen. `num_pairs` and `per_clip` are the wanted numbers, in all and for each
    target; None for any number. With `keep_all`, pairs beyond them are kept, too."""

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
        """Raise UsageError for settings that cannot give any pair."""
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
        """How many pairs are wanted for so many clips."""
        of_clips = num_clips * (self.top_k if self.per_clip is None else self.per_clip)
        return of_clips if self.num_pairs is None else min(self.num_pairs, of_clips)


@dataclass
class Candidates:
    """Pairs (P,) of clip numbers, target by target, nearest first, and what is known about each.

    `ranks` count from 1; scores are rounded to the digits that rows have before they decide
    anything; `text` is NaN where it was not needed; `decisions` are numbers in DECISIONS.
    """

    targets: RowNumbers
    negatives: RowNumbers
    ranks: RowNumbers
    acoustic: Scores
    text: Scores
    decisions: RowNumbers

    def __len__(self) -> int:
        return len(self.targets)

    @property
    def left(self) -> RowNumbers:
        """The numbers of the pairs that no stage has dropped."""
        return np.flatnonzero(self.decisions == CODE_OF[Decision.kept])

    def decide(self, pairs: RowNumbers, decision: Decision) -> None:
        """Set the decision about pairs (numbers)."""
        self.decisions[pairs] = CODE_OF[decision]


@dataclass
class Mined:
    """The outcome: all candidates with their decisions, the threshold that was used, and how many
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
        return self.candidates.left

    def dropped(self) -> dict[str, int]:
        """How many pairs were dropped for each reason."""
        found = np.bincount(self.candidates.decisions, minlength=len(DECISIONS)).tolist()
        return {
            decision.value: found[code]
            for decision, code in CODE_OF.items()
            if decision != Decision.kept
        }


@dataclass(frozen=True)
class Steps:
    """Called to show progress: after each matrix product, and after each decoded file."""

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
    """Mine pairs: the same clips, text vectors and settings give the same pairs, bit for bit.

    Near-duplicates are found by the sounds themselves, unless `compare_sounds` is off. Raises
    UsageError for settings that cannot give any pair, and what `encode_texts` raises.
    """
    settings.check()
    steps = steps or Steps()
    groups = np.array(recording_groups([clip.record for clip in clips]), np.int64)
    pairs = _neighbours(clips, settings, groups, steps)
    counts = {"acoustic neighbours": len(pairs)}
    duplicates = Duplicates(clips, compare_sounds, steps.decoded)
    _drop_same_captions(clips, pairs)
    threshold = _threshold(pairs, settings, settings.wanted(len(clips)), duplicates)
    guarded = {CODE_OF[Decision.same_captions], CODE_OF[Decision.duplicate]}
    counts["other captions, another sound"] = int((~np.isin(pairs.decisions, list(guarded))).sum())
    counts["acoustic threshold"] = len(pairs.left)
    similarity = _compare_captions(clips, pairs, encode_texts)
    pairs.decide(_where(pairs, pairs.text >= settings.max_text_similarity), Decision.text)
    counts["text similarity"] = len(pairs.left)
    if settings.absolute_margin is not None or settings.relative_margin is not None:
        _drop_within_margin(pairs, settings, similarity)
        counts["margin"] = len(pairs.left)
    if verdicts is not None:
        _apply_verdicts(clips, pairs, verdicts)
        counts["verdicts"] = len(pairs.left)
    _choose(clips, pairs, settings)
    counts["chosen"] = len(pairs.left)
    return Mined(pairs, groups, threshold, counts, duplicates, similarity)


def _neighbours(clips: Clips, settings: Settings, groups: RowNumbers, steps: Steps) -> Candidates:
    found = nearest_neighbours(clips.vectors, settings.top_k, groups, advance=steps.product)
    targets, places = np.nonzero(found.rows >= 0)
    scores: Scores = found.scores[targets, places].astype(np.float64)
    acoustic = np.round(scores, SCORE_DIGITS)
    unknown = np.full(len(targets), np.nan)
    alive = np.full(len(targets), CODE_OF[Decision.kept])
    return Candidates(targets, found.rows[targets, places], places + 1, acoustic, unknown, alive)


def _where(pairs: Candidates, condition: Mask) -> RowNumbers:
    """The numbers of the pairs that are left and fulfil a condition (P,)."""
    left = pairs.left
    return left[condition[left]]


def _drop_same_captions(clips: Clips, pairs: Candidates) -> None:
    shared = shared_captions([clip.captions for clip in clips])
    owners = np.array([bool(texts) for texts in shared])
    suspects = np.flatnonzero(owners[pairs.targets] & owners[pairs.negatives])
    same = [
        pair
        for pair in suspects.tolist()
        if not shared[pairs.targets[pair]].isdisjoint(shared[pairs.negatives[pair]])
    ]
    pairs.decide(np.array(same, np.int64), Decision.same_captions)


def _threshold(
    pairs: Candidates, settings: Settings, wanted: int, duplicates: Duplicates
) -> float | None:
    """Drop the pairs below the acoustic threshold, and duplicates above it; return the threshold.

    Only sounds of pairs above it are compared. The next pair takes the place of a duplicate and may
    be one as well, so this repeats until none is found.
    """
    if settings.max_acoustic_similarity is not None:
        too_alike = pairs.acoustic > settings.max_acoustic_similarity
        pairs.decide(_where(pairs, too_alike), Decision.too_alike)
    compared = np.zeros(len(pairs), bool)
    while True:
        threshold = _chosen_threshold(pairs, settings, wanted)
        passing = _where(pairs, pairs.acoustic >= (-np.inf if threshold is None else threshold))
        new = passing[~compared[passing]]
        if not len(new):
            break
        compared[new] = True
        targets, negatives = pairs.targets[new], pairs.negatives[new]
        is_same = duplicates.among(targets, negatives, pairs.acoustic[new])
        pairs.decide(new[is_same], Decision.duplicate)
    if threshold is not None:
        pairs.decide(_where(pairs, pairs.acoustic < threshold), Decision.acoustic)
    return threshold


def _chosen_threshold(pairs: Candidates, settings: Settings, wanted: int) -> float | None:
    if settings.min_acoustic_similarity is not None:
        return settings.min_acoustic_similarity
    if settings.keep_ratio is None:
        return None
    scores = pairs.acoustic[pairs.left]
    surviving = max(1, round(settings.keep_ratio * wanted))
    if surviving >= len(scores):
        return None
    return float(np.partition(scores, len(scores) - surviving)[len(scores) - surviving])


def _compare_captions(
    clips: Clips, pairs: Candidates, encode_texts: EncodeTexts
) -> CaptionSimilarity:
    """Fill in the text similarity of the pairs that are left."""
    left = pairs.left
    needed = np.unique([pairs.targets[left], pairs.negatives[left]])
    similarity = CaptionSimilarity(clips, needed.tolist(), encode_texts)
    starts = np.flatnonzero(np.diff(pairs.targets[left], prepend=-1))
    for part in np.split(left, starts[1:]) if len(left) else ():
        scores = similarity.with_others(int(pairs.targets[part[0]]), pairs.negatives[part])
        pairs.text[part] = np.round(scores.astype(np.float64), SCORE_DIGITS)
    return similarity


def _drop_within_margin(
    pairs: Candidates, settings: Settings, similarity: CaptionSimilarity
) -> None:
    """Drop pairs whose captions are nearly as alike as the target's own are to each other."""
    left = pairs.left
    own = {target: similarity.within(target) for target in set(pairs.targets[left].tolist())}
    positive = np.array([own[target] for target in pairs.targets[left].tolist()], np.float64)
    highest = np.full(len(left), np.inf)
    if settings.absolute_margin is not None:
        highest = np.minimum(highest, positive - settings.absolute_margin)
    if settings.relative_margin is not None:
        highest = np.minimum(highest, positive - np.abs(positive) * settings.relative_margin)
    pairs.decide(left[pairs.text[left] > highest], Decision.margin)


def _apply_verdicts(clips: Clips, pairs: Candidates, verdicts: PairVerdicts) -> None:
    left = pairs.left
    found = [
        verdicts.of(clips[pairs.targets[pair]].id, clips[pairs.negatives[pair]].id)
        for pair in left.tolist()
    ]
    pairs.decide(left[[verdict is None for verdict in found]], Decision.unjudged)
    other = [verdict is not None and verdict.choice != VALID for verdict in found]
    pairs.decide(left[other], Decision.verdict)


def _choose(clips: Clips, pairs: Candidates, settings: Settings) -> None:
    """Cut to the wanted number: of each target, then in all, the most similar first."""
    left = pairs.left
    starts = np.flatnonzero(np.diff(pairs.targets[left], prepend=-1))
    for part in np.split(left, starts[1:]) if len(left) else ():
        pairs.decide(part[: settings.range_min], Decision.too_near)
        if settings.per_clip is not None and not settings.keep_all:
            rest = part[settings.range_min :]
            pairs.decide(rest, Decision.surplus)
            pairs.decide(_sample(rest, clips, pairs, settings), Decision.kept)
    left = pairs.left
    if settings.num_pairs is not None and not settings.keep_all:
        best_first = left[np.argsort(-pairs.acoustic[left], kind="stable")]
        pairs.decide(best_first[settings.num_pairs :], Decision.surplus)


def _sample(part: RowNumbers, clips: Clips, pairs: Candidates, settings: Settings) -> RowNumbers:
    count = settings.per_clip or 0
    if settings.sampling_strategy == "top" or len(part) <= count:
        return part[:count]
    # Each clip has its own seed, so that its sample does not depend on other clips.
    name = clips[pairs.targets[part[0]]].id.encode()
    own = int.from_bytes(blake2b(name, digest_size=8).digest())
    return np.random.default_rng([settings.seed, own]).choice(part, count, replace=False)

"""The stages of mining: each count and each pair, against a plain reading of the rules."""

import json
import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from oea_cli.clips.captions import words_only
from oea_cli.clips.verdicts import (
    PairVerdicts,
    VerdictEntry,
    entry_of,
    read_pair_verdicts,
)
from oea_cli.errors import UsageError
from oea_cli.mining.pool import Clips
from oea_cli.mining.stages import DECISIONS, Decision, Mined, Settings, mine
from tests.mining.mining_clips import clips_of, random_clips, text_vectors
from tests.vectors.batches import unit

Pair = tuple[str, str]


def pairs_of(clips: Clips, mined: Mined) -> dict[Pair, tuple[float, float]]:
    """The kept pairs with both scores, in order."""
    found = mined.candidates
    return {
        (clips.ids[found.targets[pair]], clips.ids[found.negatives[pair]]): (
            float(found.acoustic[pair]),
            float(found.text[pair]),
        )
        for pair in mined.kept.tolist()
    }


def fate_of(clips: Clips, mined: Mined, target: str, negative: str) -> str:
    found = mined.candidates
    one, other = clips.ids.index(target), clips.ids.index(negative)
    (pair,) = np.flatnonzero((found.targets == one) & (found.negatives == other))
    return DECISIONS[found.decisions[pair]].value


def by_the_rules(clips: Clips, top_k: int, keep: int, max_text: float) -> tuple[list[int], set]:
    """Counts after each stage and the surviving pairs, one pair after the other."""
    near: list[tuple[float, int, int]] = []
    for one in range(len(clips)):
        exact = (clips.vectors.astype(np.float64) @ clips.vectors[one]).astype(np.float32)
        cosines = [
            (round(float(exact[other]), 6), one, other)
            for other in range(len(clips))
            if other != one
        ]
        near += sorted(cosines, key=lambda row: (-row[0], row[2]))[:top_k]
    said = [{words_only(text) for text in clip.captions} for clip in clips]
    guarded = [row for row in near if not said[row[1]] & said[row[2]]]
    scores = sorted((score for score, _, _ in guarded), reverse=True)
    least = scores[keep - 1] if keep < len(scores) else -2.0
    passed = [row for row in guarded if row[0] >= least]
    alike = {
        (one, other): (text_vectors(clips[one].captions) @ text_vectors(clips[other].captions).T)
        for _, one, other in passed
    }
    different = {pair for pair, table in alike.items() if round(float(table.max()), 6) < max_text}
    return [len(near), len(guarded), len(passed), len(different)], different


@settings(max_examples=25)
@given(st.integers(0, 2**32 - 1), st.integers(2, 40), st.integers(1, 8), st.integers(1, 60))
def test_stages_by_the_rules(seed: int, count: int, top_k: int, keep: int) -> None:
    clips = random_clips(count, seed % 10_000)
    chosen = Settings(top_k=top_k, per_clip=None, num_pairs=keep, keep_ratio=1, keep_all=True)
    mined = mine(clips, chosen, text_vectors)
    counts, different = by_the_rules(clips, top_k, min(keep, count * top_k), 0.7)
    assert list(mined.counts.values()) == [*counts, counts[-1]]
    expected = {(clips.ids[one], clips.ids[other]) for one, other in different}
    assert set(pairs_of(clips, mined)) == expected
    total = sum(mined.dropped().values()) + len(mined.kept)
    assert total == mined.counts["acoustic neighbours"], "every pair has met one decision"


def scene(*captions: str, angles: tuple[float, ...], **more: list[object]) -> Clips:
    """Clips whose cosines are those of angles on a circle, one caption each."""
    rows = [(math.cos(angle), math.sin(angle)) for angle in angles]
    return clips_of(np.array(rows, np.float32), [(text,) for text in captions], **more)


class TestThreshold:
    def test_about_the_ratio_times_the_wanted_pairs_survive(self) -> None:
        clips = random_clips(60)
        mined = mine(clips, Settings(per_clip=None, num_pairs=50), text_vectors)
        assert mined.counts["acoustic threshold"] == pytest.approx(150, abs=3)
        kept = mined.candidates.acoustic[mined.kept]
        assert mined.threshold is not None and (kept >= mined.threshold).all()

    def test_given(self) -> None:
        clips = random_clips(60)
        mined = mine(clips, Settings(min_acoustic_similarity=0.5), text_vectors)
        assert mined.threshold == 0.5
        scores = mined.candidates.acoustic
        left = (
            (scores >= 0.5)
            & (mined.candidates.decisions != DECISIONS.index(Decision.same_captions))
        ).sum()
        assert mined.counts["acoustic threshold"] == left

    def test_none_where_all_are_wanted(self) -> None:
        mined = mine(random_clips(20), Settings(keep_ratio=1000), text_vectors)
        assert mined.threshold is None

    def test_too_alike(self) -> None:
        clips = scene("dog", "cat", "rain", angles=(0.0, 0.1, 0.9))
        mined = mine(clips, Settings(max_acoustic_similarity=0.9), text_vectors)
        assert fate_of(clips, mined, "c0", "c1") == "above --max-acoustic-similarity"
        assert ("c0", "c2") in pairs_of(clips, mined)


class TestText:
    def test_the_highest_of_all_caption_pairs_counts(self) -> None:
        clips = clips_of(unit(2), [("dog", "rain wind"), ("cat", "wind rain bell")])
        mined = mine(clips, Settings(), text_vectors)
        assert fate_of(clips, mined, "c0", "c1") == "text similarity"

    def test_the_limit_itself_is_too_alike(self) -> None:
        clips = scene("dog cat", "dog rain", angles=(0.0, 0.1))
        assert not len(mine(clips, Settings(max_text_similarity=0.5), text_vectors).kept)
        assert len(mine(clips, Settings(max_text_similarity=0.500001), text_vectors).kept) == 2

    def test_only_what_passed_is_encoded_and_each_text_once(self) -> None:
        clips = scene("dog", "cat", "rain", "rain wind", angles=(0.0, 0.1, 1.6, 2.9))
        asked: list[str] = []

        def encode(texts: list[str]) -> np.ndarray:
            asked.extend(texts)
            return text_vectors(texts)

        mine(clips, Settings(min_acoustic_similarity=0.9), encode)  # type: ignore[arg-type]
        assert sorted(asked) == ["cat", "dog"]


class TestGuards:
    def test_parts_of_one_recording_are_no_neighbours(self) -> None:
        ids = ["a.wav#t=0,10", "a.wav#t=10,20", "3ogmnqRiS7M_10", "3ogmnqRiS7M_40", "x"]
        more = {"ids": ids, "freesound_id": [None, None, None, "77", 77]}
        clips = scene("dog", "cat", "rain", "wind", "bell", angles=(0, 0.1, 0.2, 0.3, 0.4), **more)
        mined = mine(clips, Settings(per_clip=None, keep_ratio=None), text_vectors)
        found = set(pairs_of(clips, mined))
        assert ("a.wav#t=0,10", "a.wav#t=10,20") not in found
        assert ("3ogmnqRiS7M_10", "3ogmnqRiS7M_40") not in found
        assert ("3ogmnqRiS7M_10", "x") not in found, "linked by the clip between them"
        assert ("a.wav#t=0,10", "x") in found and len(found) == 12

    def test_their_places_go_to_other_clips(self) -> None:
        ids = [f"a.wav#t={n},{n + 1}" for n in range(5)] + ["b", "c"]
        texts = ["dog", "dog cat", "cat", "dog owl", "owl", "rain", "wind"]
        angles = (0.0, 0.01, 0.02, 0.03, 0.04, 1.0, 1.2)
        clips = scene(*texts, angles=angles, ids=ids)
        mined = mine(clips, Settings(top_k=2, per_clip=2, keep_ratio=None), text_vectors)
        of_first = [pair[1] for pair in pairs_of(clips, mined) if pair[0] == ids[0]]
        assert of_first == ["b", "c"]

    def test_captions_that_say_the_same(self) -> None:
        clips = scene("A dog!", "rain", "a  DOG", angles=(0.0, 0.2, 0.1))

        def all_different(texts: list[str]) -> np.ndarray:
            return np.eye(len(texts), dtype=np.float32)

        mined = mine(clips, Settings(), all_different)  # type: ignore[arg-type]
        assert fate_of(clips, mined, "c0", "c2") == "captions say the same"
        assert set(pairs_of(clips, mined)) == {("c0", "c1"), ("c1", "c2"), ("c2", "c1")}

    def test_without_files_vectors_that_coincide_are_one_sound(self) -> None:
        clips = scene("dog", "cat", "rain", angles=(0.0, 0.01, 0.3))
        mined = mine(clips, Settings(keep_ratio=1, num_pairs=2, per_clip=None), text_vectors)
        assert fate_of(clips, mined, "c0", "c1") == "one sound encoded twice"
        # Their places above the threshold go to the next pairs.
        assert set(pairs_of(clips, mined)) == {("c1", "c2"), ("c2", "c1")}


class TestChoice:
    def test_the_most_similar_per_clip_and_in_all(self) -> None:
        clips = random_clips(40)
        everything = Settings(per_clip=None, keep_ratio=None)
        mined = mine(clips, everything, text_vectors)
        all_pairs = pairs_of(clips, mined)
        best: dict[str, list[Pair]] = {}
        for pair in all_pairs:  # nearest first
            best.setdefault(pair[0], []).append(pair)
        two = mine(clips, replace(everything, per_clip=2), text_vectors)
        assert list(pairs_of(clips, two)) == [p for own in best.values() for p in own[:2]]
        seven = mine(clips, replace(everything, num_pairs=7), text_vectors)
        hardest = sorted(all_pairs, key=lambda pair: -all_pairs[pair][0])[:7]
        assert set(pairs_of(clips, seven)) == set(hardest)
        assert pairs_of(clips, mine(clips, replace(everything, num_pairs=7, keep_all=True),
                                    text_vectors)) == all_pairs  # fmt: skip

    def test_range_min_skips_the_nearest_that_pass(self) -> None:
        clips = random_clips(40)
        all_pairs = list(pairs_of(clips, mine(clips, Settings(per_clip=None, keep_ratio=None),
                                              text_vectors)))  # fmt: skip
        mined = mine(clips, Settings(per_clip=1, range_min=2, keep_ratio=None), text_vectors)
        for target, negative in pairs_of(clips, mined):
            assert [pair[1] for pair in all_pairs if pair[0] == target][2] == negative

    def test_random_sampling_has_a_seed_for_each_clip(self) -> None:
        clips = random_clips(40)
        sampled = Settings(per_clip=2, sampling_strategy="random", keep_ratio=None, seed=5)
        first = pairs_of(clips, mine(clips, sampled, text_vectors))
        assert first == pairs_of(clips, mine(clips, sampled, text_vectors))
        other = mine(clips, replace(sampled, seed=6), text_vectors)
        top = mine(clips, replace(sampled, sampling_strategy="top"), text_vectors)
        assert first != pairs_of(clips, other) and first != pairs_of(clips, top)
        assert len(first) == len(pairs_of(clips, top))

    def test_margins_are_below_what_the_targets_own_captions_share(self) -> None:
        captions = [("dog rain", "dog rain wind"), ("rain cat", "owl"), ("bell", "saw")]
        clips = clips_of(unit(3), captions)
        own = float((text_vectors(captions[0]) @ text_vectors(captions[0]).T).min())  # 0.816
        text = 0.5  # of "dog rain" and "rain cat"
        for margin, is_kept in ((own - text - 0.01, True), (own - text + 0.01, False)):
            mined = mine(clips, Settings(absolute_margin=margin), text_vectors)
            assert (("c0", "c1") in pairs_of(clips, mined)) == is_kept
            share = margin / own
            mined = mine(clips, Settings(relative_margin=share), text_vectors)
            assert (fate_of(clips, mined, "c0", "c1") != "margin") == is_kept

    @pytest.mark.parametrize(
        ("settings", "says"),
        [
            (Settings(range_min=20), "--range-min 20: leaves nothing"),
            (Settings(per_clip=6, top_k=8, range_min=3), "-n 6: only 5 neighbours remain"),
            (Settings(max_text_similarity=math.nan), "--max-text-similarity nan"),
        ],
    )
    def test_settings_that_can_give_nothing(self, settings: Settings, says: str) -> None:
        with pytest.raises(UsageError, match=says):
            mine(random_clips(5), settings, text_vectors)


def verdict(target: str, negative: str, choice: str | None, annotator: str) -> VerdictEntry:
    row = {"target": target, "hard_negative": negative, "verdict": choice, "annotator": annotator}
    return entry_of("v.jsonl:1", row)


class TestVerdicts:
    @pytest.fixture
    def mined_with(self) -> Callable[[list], tuple[Clips, Mined]]:
        clips = scene("dog", "cat", "rain", angles=(0.0, 0.2, 0.4))

        def work(rows: list) -> tuple[Clips, Mined]:
            chosen = Settings(per_clip=None, keep_ratio=None)
            return clips, mine(clips, chosen, text_vectors, PairVerdicts(rows, clips.ids))

        return work

    def test_the_majority_keeps_both_directions(self, mined_with: Callable) -> None:
        rows = [verdict("c0", "c1", choice, name) for name, choice in
                (("ann", "valid"), ("bob", "same"), ("eve", "valid"))]  # fmt: skip
        clips, mined = mined_with(rows)
        assert set(pairs_of(clips, mined)) == {("c0", "c1"), ("c1", "c0")}
        assert fate_of(clips, mined, "c0", "c2") == "no verdict"
        assert mined.counts["verdicts"] == 2
        found = PairVerdicts(rows, clips.ids).of("c1", "c0")
        assert found is not None
        assert (found.choice, found.annotators) == ("valid", ("ann", "bob", "eve"))

    def test_a_tie_is_unsure_and_same_is_dropped(self, mined_with: Callable) -> None:
        rows = [
            verdict("c0", "c1", "valid", "ann"),
            verdict("c0", "c1", "same", "bob"),
            verdict("c1", "c2", "same", "ann"),
        ]
        clips, mined = mined_with(rows)
        assert not pairs_of(clips, mined)
        assert fate_of(clips, mined, "c0", "c1") == fate_of(clips, mined, "c2", "c1") == "verdict"

    def test_an_annotators_last_word_counts(self, mined_with: Callable) -> None:
        rows = [verdict("c0", "c1", "same", "ann"), verdict("c1", "c0", "valid", "ann")]
        clips, mined = mined_with(rows)
        assert ("c0", "c1") in pairs_of(clips, mined)

    def test_verdicts_on_other_clips_are_counted(self) -> None:
        found = PairVerdicts([verdict("c0", "z", "valid", "ann")], ["c0", "c1"])
        assert found.num_elsewhere == 1

    def test_what_was_taken_back_and_ratings_do_not_count(self, tmp_path: Path) -> None:
        pair = {"target": "c0", "hard_negative": "c1", "annotator": "ann"}
        rows: list[dict] = [
            {**pair, "verdict": "same"},
            {**pair, "verdict": None, "undo": True},
            {"id": "c0", "rating": 5, "annotator": "bob"},
        ]
        path = tmp_path / "v.jsonl"
        path.write_text("".join(json.dumps(row) + "\n" for row in rows) + '{"target"')
        found = read_pair_verdicts(str(path), ["c0", "c1"])
        assert found.of("c0", "c1") is None and found.num_elsewhere == 0

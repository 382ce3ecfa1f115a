"""Why a pair was kept or dropped: every stage with its figures, as lines of text."""

from collections.abc import Iterator

import numpy as np

from oea_cli.clips.captions import words_only
from oea_cli.clips.names import ClipNames
from oea_cli.clips.recordings import marks_of_recording
from oea_cli.clips.verdicts import PairVerdicts
from oea_cli.errors import OeaError
from oea_cli.mining.captions import CaptionSimilarity, EncodeTexts
from oea_cli.mining.duplicates import COINCIDING
from oea_cli.mining.fingerprints import CHANGED_BELOW, SAME_BELOW
from oea_cli.mining.pool import Clips
from oea_cli.mining.stages import DECISIONS, Decision, Mined, Settings
from oea_cli.vectors.scan.scores import cosines

SHOWN_CAPTIONS = 2
NAME_WIDTH = 22


def number_of(clips: Clips, name: str) -> int:
    """The number of the clip with a name; raises OeaError where none or several have it."""
    found = ClipNames(clips.ids).find(name)
    if found is None:
        raise OeaError(f"--explain: no clip {name!r} among the {len(clips)} that were mined")
    return clips.ids.index(found)


def explain(
    clips: Clips,
    mined: Mined,
    settings: Settings,
    encode_texts: EncodeTexts,
    verdicts: PairVerdicts | None,
    target: int,
    negative: int,
) -> Iterator[str]:
    """Yield the lines about a pair of clips, given by number; all stages, whichever dropped it."""
    yield _line("target", _named(clips, target))
    yield _line("hard negative", _named(clips, negative))
    shared = _shared_marks(clips, target, negative)
    is_one = target == negative or mined.groups[target] == mined.groups[negative]
    yield _line("same recording", f"yes ({shared})" if is_one else "no")
    cosine = _cosine(clips, target, negative)
    rank = _rank(clips, mined, target, cosine, negative)
    place = "not ranked" if is_one else f"rank {rank}, of {settings.top_k} that count"
    yield _line("acoustic similarity", f"{cosine:g}, {place}")
    yield _line("captions say the same", _same_captions(clips, target, negative))
    yield _line("same sound", _same_sound(mined, target, negative, cosine))
    yield _line("acoustic threshold", _threshold(mined, settings, cosine))
    text = _text_score(clips, encode_texts, target, negative)
    yield _line("text similarity", f"{text:g}, below {settings.max_text_similarity:g} is kept")
    if verdicts is not None:
        yield _line("verdict", _verdict(clips, verdicts, target, negative))
    yield _conclusion(mined, target, negative, is_one)


def _line(name: str, value: str) -> str:
    return f"{name:<{NAME_WIDTH}}  {value}"


def _named(clips: Clips, clip: int) -> str:
    captions = clips[clip].captions
    first = " | ".join(captions[:SHOWN_CAPTIONS])
    more = f" (+{len(captions) - SHOWN_CAPTIONS})" if len(captions) > SHOWN_CAPTIONS else ""
    return f"{clips[clip].id}: {first}{more}"


def _shared_marks(clips: Clips, one: int, other: int) -> str:
    its = set(marks_of_recording(clips[other].record))
    shared = [mark for mark in marks_of_recording(clips[one].record) if mark in its]
    # Two clips that only a third one links share no mark.
    return f"{shared[0].kind} {shared[0].value}" if shared else "by way of other clips"


def _cosine(clips: Clips, one: int, other: int) -> float:
    return round(float(cosines(clips.vectors[[one]], clips.vectors[[other]])[0]), 6)


def _rank(clips: Clips, mined: Mined, target: int, cosine: float, negative: int) -> int:
    pair = _pair(mined, target, negative)
    if pair is not None:
        return int(mined.candidates.ranks[pair])
    scores = clips.vectors @ clips.vectors[target]
    above = (scores > cosine) & (mined.groups != mined.groups[target])
    above[negative] = False
    return 1 + int(above.sum())


def _same_captions(clips: Clips, one: int, other: int) -> str:
    shared = set(map(words_only, clips[one].captions)) & set(map(words_only, clips[other].captions))
    return f"yes ({sorted(shared)[0]!r})" if shared else "no"


def _same_sound(mined: Mined, one: int, other: int, cosine: float) -> str:
    compared = mined.duplicates.compare(one, other)
    if compared is None:
        is_same = cosine >= COINCIDING
        what = f"the files were not compared; similarity from {COINCIDING:g} on would be"
    else:
        is_same = compared.is_same
        what = (
            f"{compared.bits:.0%} of the fingerprints' bits differ, {compared.levels:.1%} of the "
            f"loud cells; under {SAME_BELOW:.0%} and {CHANGED_BELOW:.1%} would be"
        )
    return f"{'yes' if is_same else 'no'} ({what})"


def _threshold(mined: Mined, settings: Settings, cosine: float) -> str:
    if mined.threshold is None:
        return "none"
    given = settings.min_acoustic_similarity is not None
    how = "given" if given else f"keeps {settings.keep_ratio:g} x the wanted pairs"
    passed = "reached" if cosine >= mined.threshold else "not reached"
    return f"{mined.threshold:g} ({how}): {passed}"


def _text_score(clips: Clips, encode: EncodeTexts, one: int, other: int) -> float:
    similarity = CaptionSimilarity(clips, {one, other}, encode)
    return round(float(similarity.with_others(one, np.array([other]))[0]), 6)


def _verdict(clips: Clips, verdicts: PairVerdicts, one: int, other: int) -> str:
    found = verdicts.of(clips[one].id, clips[other].id)
    if found is None:
        return "none"
    return f"{found.choice} ({', '.join(found.annotators) or 'no annotator named'})"


def _pair(mined: Mined, target: int, negative: int) -> int | None:
    found = np.flatnonzero(
        (mined.candidates.targets == target) & (mined.candidates.negatives == negative)
    )
    return int(found[0]) if len(found) else None


def _conclusion(mined: Mined, target: int, negative: int, is_one: bool) -> str:
    if target == negative:
        return "dropped: it is the clip itself"
    if is_one:
        return "dropped: both are parts of one recording"
    pair = _pair(mined, target, negative)
    if pair is None:
        return "dropped: not among the target's acoustic neighbours (--top-k)"
    decision = DECISIONS[mined.candidates.decisions[pair]]
    return "kept" if decision == Decision.kept else f"dropped: {decision.value}"
